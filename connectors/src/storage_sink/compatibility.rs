//! When a record's schema and that of its open file go together: `schema.compatibility`.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{ConfigType, ConfigValue},
    data::{Schema, SchemaType},
};

use super::metrics::Reason;

/// `schema.compatibility`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Compatibility {
    /// Each schema has files of its own.
    #[default]
    None,
    /// Records of an older schema are read as if they had the newer one of the file.
    Backward,
    /// The same, as on the JVM.
    Full,
    /// Records of a newer schema are read as if they had the older one of the file.
    Forward,
}

pub(super) const COMPATIBILITIES: &[&str] = &["NONE", "BACKWARD", "FORWARD", "FULL"];

impl ConfigValue for Compatibility {
    const TYPE: ConfigType = ConfigType::String;

    /// Anything else means `NONE`, as on the JVM; who writes it is warned.
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "BACKWARD" => Self::Backward,
            "FULL" => Self::Full,
            "FORWARD" => Self::Forward,
            _ => Self::None,
        })
    }
}

impl Compatibility {
    /// Whether a record with the schema `new` cannot go into a file whose first record had the schema `current`.
    ///
    /// # Errors
    /// `Data` where schemas without a version cannot be compared.
    pub(super) fn change(self, new: Option<&Arc<Schema>>, current: Option<&Arc<Schema>>) -> Result<Option<Reason>> {
        let (Some(new), Some(current)) = (new, current) else {
            return Ok((new.is_some() != current.is_some()).then_some(Reason::Schema));
        };
        if Schema::is_same(new, current) {
            return Ok(None);
        }
        let is_ahead = match (self, new.version, current.version) {
            (Self::None, ..) => return Ok(Some(Reason::Schema)),
            (Self::Backward | Self::Full, Some(new), Some(current)) => new > current,
            (Self::Forward, Some(new), Some(current)) => new < current,
            (mode, ..) => {
                let mode = match mode {
                    Self::Full => "FULL",
                    Self::Forward => "FORWARD",
                    Self::Backward | Self::None => "BACKWARD",
                };
                let message = format!("Schema version required for {mode} compatibility");
                return Err(Error::data(message).with_class("org.apache.kafka.connect.errors.SchemaProjectorException"));
            }
        };
        Ok((is_ahead || !fits(new, current)).then_some(Reason::Schema))
    }
}

impl Compatibility {
    /// Whether a record that goes into a file with the schema `current` has another one itself.
    pub(super) fn projects(self, record: &SinkRecord, current: &Arc<Schema>) -> bool {
        self != Self::None && record.value.schema.as_ref().is_some_and(|schema| !Schema::is_same(schema, current))
    }
}

/// Whether values of `new` can be made values of `current`.
fn fits(new: &Schema, current: &Schema) -> bool {
    new.name == current.name
        && (!new.optional || current.optional || current.default.is_some())
        && has_parameters_of(new, current)
        && match (&new.schema_type, &current.schema_type) {
            (SchemaType::Struct(new), SchemaType::Struct(current)) => current.iter().all(|field| match new.get(&field.name) {
                Some(found) => fits(&found.schema, &field.schema),
                None => field.schema.optional || field.schema.default.is_some(),
            }),
            (SchemaType::Array(new), SchemaType::Array(current)) => fits(new, current),
            (SchemaType::Map(new_keys, new_values), SchemaType::Map(keys, values)) => {
                fits(new_keys, keys) && fits(new_values, values)
            }
            (new, current) => new.name() == current.name() || is_wider(current, new),
        }
}

/// Whether each number of `narrow` is one of `wide`, or nearly.
fn is_wider(wide: &SchemaType, narrow: &SchemaType) -> bool {
    let width = |schema_type: &SchemaType| match schema_type {
        SchemaType::Int8 => Some(1),
        SchemaType::Int16 => Some(2),
        SchemaType::Int32 => Some(3),
        SchemaType::Int64 => Some(4),
        SchemaType::Float32 => Some(5),
        SchemaType::Float64 => Some(6),
        _ => None,
    };
    width(wide).zip(width(narrow)).is_some_and(|(wide, narrow)| wide > narrow)
}

/// Parameters that say nothing about values.
fn is_documentation(name: &str) -> bool {
    matches!(name, "connect.record.doc" | "connect.record.aliases" | "connect.record.namespace")
        || name.starts_with("io.confluent.connect.avro.field.doc.")
}

fn is_enum(schema: &Schema) -> bool {
    const ENUMS: [&str; 3] =
        ["org.apache.kafka.connect.data.Enum", "io.confluent.connect.avro.Enum", "io.confluent.connect.protobuf.Enum"];
    ENUMS.iter().any(|name| schema.parameter(name).is_some())
}

/// An enum may have gained symbols; else all parameters are the same.
fn has_parameters_of(new: &Schema, current: &Schema) -> bool {
    let are_in = |one: &Schema, other: &Schema| {
        let mut parameters = one.parameters.iter().filter(|(name, _)| !is_documentation(name));
        parameters.all(|(name, value)| other.parameter(name) == Some(value))
    };
    are_in(new, current) && (is_enum(new) && is_enum(current) || are_in(current, new))
}

#[cfg(test)]
mod tests {
    use connect_api::data::{Field, Fields, Value};

    use super::*;

    fn record(version: Option<i32>, fields: &[(&str, Schema)]) -> Arc<Schema> {
        let fields = fields.iter().map(|(name, schema)| Field { name: (*name).into(), schema: Arc::new(schema.clone()) });
        let fields = Fields::new(fields.collect()).unwrap();
        Arc::new(Schema { version, ..Schema::required(SchemaType::Struct(fields)).named("r") })
    }

    fn number(schema_type: SchemaType) -> Schema {
        Schema::required(schema_type)
    }

    fn changes(mode: Compatibility, new: &Arc<Schema>, current: &Arc<Schema>) -> bool {
        mode.change(Some(new), Some(current)).unwrap().is_some()
    }

    #[test]
    fn modes_are_written_in_capitals() {
        for (text, mode) in [
            ("BACKWARD", Compatibility::Backward),
            ("FULL", Compatibility::Full),
            ("FORWARD", Compatibility::Forward),
            ("NONE", Compatibility::None),
            ("backward", Compatibility::None),
            ("BACKWARD_TRANSITIVE", Compatibility::None),
        ] {
            assert_eq!(Compatibility::parse(text), Ok(mode));
        }
    }

    #[test]
    fn without_compatibility_each_difference_is_a_change() {
        let (one, two) = (record(Some(1), &[]), record(Some(2), &[]));
        assert!(changes(Compatibility::None, &one, &two) && !changes(Compatibility::None, &one, &Arc::new((*one).clone())));
    }

    #[test]
    fn a_schema_and_none_never_go_together() {
        let schema = record(Some(1), &[]);
        for mode in [Compatibility::None, Compatibility::Backward, Compatibility::Forward] {
            assert!(mode.change(Some(&schema), None).unwrap().is_some() && mode.change(None, Some(&schema)).unwrap().is_some());
            assert!(mode.change(None, None).unwrap().is_none());
        }
    }

    #[test]
    fn files_keep_the_newer_schema_backward_and_the_older_one_forward() {
        let more = [("a", number(SchemaType::Int32)), ("b", Schema { optional: true, ..number(SchemaType::Int32) })];
        let (older, newer) = (record(Some(1), &more[..1]), record(Some(2), &more));
        assert!(!changes(Compatibility::Backward, &older, &newer) && changes(Compatibility::Backward, &newer, &older));
        assert!(changes(Compatibility::Forward, &older, &newer) && !changes(Compatibility::Forward, &newer, &older));
    }

    #[test]
    fn versions_are_needed_to_compare() {
        let (one, two) = (record(None, &[]), record(Some(1), &[]));
        let error = Compatibility::Forward.change(Some(&one), Some(&two)).unwrap_err();
        assert_eq!(error.to_string(), "Schema version required for FORWARD compatibility");
    }

    #[test]
    fn values_fit_where_they_can_be_made_values_of_the_other_schema() {
        let optional = || Schema { optional: true, ..number(SchemaType::Int32) };
        let defaulted = || Schema { default: Some(Value::Int32(1)), ..number(SchemaType::Int32) };
        let with = |name: &str, value: &str| Schema { parameters: vec![(name.into(), value.into())], ..number(SchemaType::String) };
        let structured = |fields: &[(&str, Schema)]| (*record(None, fields)).clone();
        let array = |items: Schema| number(SchemaType::Array(Arc::new(items)));
        for (new, current, expected) in [
            (number(SchemaType::Int8), number(SchemaType::Float64), true),
            (number(SchemaType::Int64), number(SchemaType::Int32), false),
            (number(SchemaType::String), number(SchemaType::Bytes), false),
            (optional(), number(SchemaType::Int32), false),
            (optional(), defaulted(), true),
            (number(SchemaType::Int32), optional(), true),
            (number(SchemaType::Int32).named("n"), number(SchemaType::Int32), false),
            (array(number(SchemaType::Int8)), array(number(SchemaType::Int16)), true),
            (array(number(SchemaType::Int16)), array(number(SchemaType::Int8)), false),
            (with("p", "1"), with("p", "2"), false),
            (structured(&[("a", optional())]), structured(&[]), true),
            (structured(&[]), structured(&[("a", optional())]), true),
            (structured(&[]), structured(&[("a", defaulted())]), true),
            (structured(&[]), structured(&[("a", number(SchemaType::Int32))]), false),
            (structured(&[("a", number(SchemaType::Int32))]), structured(&[("a", number(SchemaType::String))]), false),
            (
                structured(&[("n", structured(&[("a", with("p", "1"))]))]),
                structured(&[("n", structured(&[("a", with("p", "2"))]))]),
                false,
            ),
            (with("connect.record.doc", "1"), number(SchemaType::String), true),
            (with("io.confluent.connect.avro.field.doc.f", "1"), with("io.confluent.connect.avro.field.doc.f", "2"), true),
        ] {
            assert_eq!(fits(&new, &current), expected, "{new:?} {current:?}");
        }
        let symbols = |symbols: &[&'static str]| Schema {
            parameters: symbols.iter().map(|symbol| ((*symbol).into(), "".into())).collect(),
            ..number(SchemaType::String)
        };
        let (few, many) = (symbols(&["io.confluent.connect.avro.Enum"]), symbols(&["io.confluent.connect.avro.Enum", "A"]));
        assert!(fits(&few, &many) && !fits(&many, &few));
    }
}
