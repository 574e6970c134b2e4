//! The findings of a review, as short stories.

mod bound;
mod doubled;
mod driven;
mod lost;
mod smaller;
mod stuck;
