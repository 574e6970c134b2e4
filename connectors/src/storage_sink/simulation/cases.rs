//! Short stories of one mishap each.

mod bound;
mod doubled;
mod driven;
mod lost;
mod smaller;
mod stuck;
