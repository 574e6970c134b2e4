//! Where objects are put.
