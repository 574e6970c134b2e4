//! Records to the bytes of files.
