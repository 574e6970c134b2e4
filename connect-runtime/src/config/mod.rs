//! Configuration files and what they mean.
