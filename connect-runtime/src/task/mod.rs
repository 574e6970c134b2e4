//! The data path of one task.

mod convert;
mod dead_letter_queue;
mod tolerance;
mod transform;

pub(crate) use convert::{Convert, Progress};
pub(crate) use tolerance::ErrorHandler;
