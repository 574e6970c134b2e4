//! Which directory a record's file is in.

mod default;

pub(crate) use default::DefaultPartitioner;
