//! Which file of its group a file is.

use connect_api::RecordView;

/// A file's place in its group, which has no other file of the same. It does not say where the file begins: after a crash its first records may be gone from the
/// log, and what is left of them still belongs to that file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    /// The name without its offset.
    pub(super) name: String,
    /// The fingerprint of its records' schema, where each schema has a file of its own; `None` for records without a schema, too.
    pub(super) schema: Option<u64>,
}

impl Slot {
    /// That of a file in the directory that names begin with.
    pub(super) fn new(before_offset: &str, view: RecordView, extension: &str, schema: Option<u64>) -> Self {
        Self { name: format!("{before_offset}{}{extension}", view.suffix()), schema }
    }

    /// How much memory it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        56 + self.name.len()
    }
}
