//! Which directory a record's file is in.
