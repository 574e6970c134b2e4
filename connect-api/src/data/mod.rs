//! What converters make of bytes: a schema or none, and a value.

pub mod json;
mod schema;
mod value;

pub use json::JsonText;
pub use schema::{Schema, SchemaType};
pub use value::{Data, Text, Value};
