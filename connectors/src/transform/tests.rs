//! What the JVM answers, as data, and the cases of the specification.

pub(in crate::transform) mod applied;
mod cases;
mod record;
mod vectors;

pub(crate) use record::record;
