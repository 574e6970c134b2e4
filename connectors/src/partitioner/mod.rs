//! Which directory a record's file is in, and which time a record has for those that go by time.

mod by_time;
mod daily;
mod default;
mod field;
mod field_and_time;
mod hourly;
mod record;
mod record_field;
mod schema_affix;
mod struct_field;
mod template;
mod time_based;
mod wallclock;

use connect_api::Error;

pub(crate) use daily::DailyPartitioner;
pub(crate) use default::DefaultPartitioner;
pub(crate) use field::FieldPartitioner;
pub(crate) use field_and_time::FieldAndTimeBasedPartitioner;
pub(crate) use hourly::HourlyPartitioner;
pub(crate) use record::RecordTimestampExtractor;
pub(crate) use record_field::RecordFieldTimestampExtractor;
pub(crate) use schema_affix::{Affix, SchemaAffix};
pub(crate) use template::{TemplatePartitioner, Written as TemplatePiece, parse as parse_template};
pub(crate) use time_based::TimeBasedPartitioner;
pub(crate) use wallclock::WallclockTimestampExtractor;

/// What the JVM says of a record that it cannot give a directory.
const ENCODING: &str = "Error encoding partition.";

/// A record that cannot be given a directory: in the JVM's words, and why.
fn partition_error(message: impl Into<String>, why: String) -> Error {
    Error::data(message).with_class("io.confluent.connect.storage.errors.PartitionException").with_source(why)
}

/// `a.b.c`: the names that lead to a field.
///
/// # Errors
/// Where one of them is blank.
pub(crate) fn field_path(field: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = field.split('.').map(str::to_owned).collect();
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(format!(
            "`{field}` has a blank name: write the names of a path with one dot between them, such as user.address.city"
        ));
    }
    Ok(names)
}

#[cfg(test)]
mod testing {
    use bytes::Bytes;
    use connect_api::{
        SinkRecord,
        data::{Data, JsonText, Value},
        testing::record_of,
    };

    /// A record with this JSON as its value.
    pub(super) fn json(text: &str) -> SinkRecord {
        record_of(Data::schemaless(Value::Json(JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap())))
    }
}
