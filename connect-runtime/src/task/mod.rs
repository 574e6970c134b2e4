//! The data path of one task.
