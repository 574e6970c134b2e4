//! Where the values of a row go.

use std::ops::Range;

use parquet::data_type::ByteArray;

/// How a row lies in Avro's binary form, and which columns take its values. Made once for a file, walked for each row.
#[derive(Debug)]
pub(super) enum Plan {
    Boolean(usize),
    Int32(usize),
    Int64(usize),
    Float(usize),
    Double(usize),
    /// Bytes after their length.
    Bytes(usize),
    /// So many bytes.
    Fixed(usize, usize),
    /// The number of one of these.
    Enum(usize, Vec<ByteArray>),
    Record(Vec<Plan>),
    /// A union of null and one type: where null stands.
    Optional(usize, Box<Branch>),
    Repeated(Box<Repeated>),
    Union(Union),
}

/// A plan, and all the columns that it fills.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) plan: Plan,
    pub(super) columns: Range<usize>,
}

/// An array or a map.
#[derive(Debug)]
pub(super) struct Repeated {
    /// Of a map, a key and a value.
    pub(super) items: Plan,
    pub(super) columns: Range<usize>,
    /// How many levels of repetition there are, with this one.
    pub(super) depth: i16,
}

/// A group with one field for each type, of which one is there.
#[derive(Debug)]
pub(super) struct Union {
    /// The number of null, where it is one of the types.
    pub(super) null: Option<usize>,
    /// The other types, in their order.
    pub(super) members: Vec<Branch>,
    pub(super) columns: Range<usize>,
}
