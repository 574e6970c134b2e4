//! What converters make of bytes: a schema or none, and a value.

mod decimal;
mod fields;
pub mod json;
mod schema;
mod text;
mod value;

pub use decimal::{Decimal, NoDecimal};
pub use fields::{Field, Fields};
pub use json::{JsonObject, JsonText};
pub use schema::{LogicalType, Schema, SchemaType};
pub use text::Text;
pub use value::{Data, Value};
