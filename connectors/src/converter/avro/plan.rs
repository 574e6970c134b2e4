//! How values of an Avro schema lie in a message, and what Connect makes of each.

use std::sync::Arc;

use connect_api::data::Text;

/// Made once for a schema, walked for each message.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Date,
    Time,
    Timestamp,
    Float32,
    Float64,
    String,
    Bytes,
    /// Bytes with this scale.
    Decimal(i32),
    /// So many bytes.
    Fixed(usize),
    /// So many bytes with this scale.
    FixedDecimal(usize, i32),
    /// Its symbols.
    Enum(Vec<Text>),
    Array(Arc<Plan>),
    Map(Arc<Plan>),
    /// An array of records of a key and a value, in this order or, where it says so, the other way round.
    Entries(Arc<(Plan, Plan)>, bool),
    Record(Arc<[Plan]>),
    /// A union of null and one type: where null stands.
    Optional(usize, Arc<Plan>),
    /// A union of one type, which Connect has as that type.
    Single(Arc<Plan>),
    /// A union of several types, which Connect has as a struct of one field for each: the branches, null without a plan.
    Union(Arc<[Option<Plan>]>),
}
