//! Short stories of one mishap each.

mod again;
mod bound;
mod doubled;
mod driven;
mod inferred;
mod lost;
mod mismatched;
mod schema_files;
mod schemas;
mod smaller;
mod stuck;
