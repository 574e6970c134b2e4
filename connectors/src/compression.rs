//! Stream compression of whole files.
