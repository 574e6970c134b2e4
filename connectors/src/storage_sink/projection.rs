//! Records as if they had another schema.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    data::{Data, Schema, SchemaType, Value},
};

/// The record with a value of this schema. Beyond the JVM's rule it keeps the schema of its key.
///
/// # Errors
/// `Data` where the value cannot be made one of the schema.
pub(super) fn project(record: &SinkRecord, schema: &Arc<Schema>) -> Result<SinkRecord> {
    let Some(source) = &record.value.schema else { return Ok(record.clone()) };
    let value = project_value(source, &record.value.value, schema)?;
    let mut projected = record.clone();
    projected.value = Data::with_schema(Arc::clone(schema), value);
    Ok(projected)
}

fn project_value(source: &Schema, value: &Value, target: &Schema) -> Result<Value> {
    if source.name != target.name {
        let (source, target) = (source.name.as_deref().unwrap_or("null"), target.name.as_deref().unwrap_or("null"));
        return Err(no_projection(format!("Schema name mismatch. source name: {source} and target name: {target}")));
    }
    if matches!(value, Value::Null) {
        return match &target.default {
            _ if target.optional || !source.optional => Ok(Value::Null),
            Some(default) => Ok(default.clone()),
            None => {
                Err(no_projection("Writer schema is optional, however, target schema does not provide a default value.".to_owned()))
            }
        };
    }
    match (&source.schema_type, value, &target.schema_type) {
        (SchemaType::Struct(source), Value::Struct(values), SchemaType::Struct(target)) => {
            let of = |field: &connect_api::data::Field| match source.find(&field.name, 0) {
                Some(place) => {
                    let source = &source[place].schema;
                    let value = match (values.get(place).unwrap_or(&Value::Null), &source.default) {
                        (Value::Null, Some(default)) => default,
                        (value, _) => value,
                    };
                    project_value(source, value, &field.schema)
                }
                None => match &field.schema.default {
                    _ if field.schema.optional => Ok(Value::Null),
                    Some(default) => Ok(default.clone()),
                    None => Err(no_projection(format!("Required field `{}` is missing from source schema", field.name))),
                },
            };
            target.iter().map(of).collect::<Result<_>>().map(Value::Struct)
        }
        (SchemaType::Array(source), Value::Array(values), SchemaType::Array(target)) => {
            values.iter().map(|value| project_value(source, value, target)).collect::<Result<_>>().map(Value::Array)
        }
        (SchemaType::Map(source_keys, source_values), Value::Map(entries), SchemaType::Map(keys, values)) => {
            let entry = |(key, value): &(Value, Value)| {
                Ok((project_value(source_keys, key, keys)?, project_value(source_values, value, values)?))
            };
            entries.iter().map(entry).collect::<Result<_>>().map(Value::Map)
        }
        (source, value, target) if source.name() == target.name() => Ok(value.clone()),
        (source, value, target) => widen(value, target).ok_or_else(|| {
            let (source, target) = (source.name(), target.name());
            no_projection(format!("Schema type mismatch. source type: {source} and target type: {target}"))
        }),
    }
}

/// The same number in a wider type; `None` where there is none.
#[expect(clippy::cast_precision_loss, reason = "as Java widens integers to floats")]
fn widen(value: &Value, target: &SchemaType) -> Option<Value> {
    let (integer, rank) = match value {
        Value::Int8(value) => (i64::from(*value), 1),
        Value::Int16(value) => ((*value).into(), 2),
        Value::Int32(value) => ((*value).into(), 3),
        Value::Int64(value) => (*value, 4),
        Value::Float32(value) => return matches!(target, SchemaType::Float64).then(|| Value::Float64((*value).into())),
        _ => return None,
    };
    match target {
        SchemaType::Int16 if rank < 2 => i16::try_from(integer).ok().map(Value::Int16),
        SchemaType::Int32 if rank < 3 => i32::try_from(integer).ok().map(Value::Int32),
        SchemaType::Int64 if rank < 4 => Some(Value::Int64(integer)),
        SchemaType::Float32 => Some(Value::Float32(integer as f32)),
        SchemaType::Float64 => Some(Value::Float64(integer as f64)),
        _ => None,
    }
}

fn no_projection(message: String) -> Error {
    Error::data(message).with_class("org.apache.kafka.connect.errors.SchemaProjectorException")
}

#[cfg(test)]
mod tests {
    use connect_api::data::{Field, Fields};

    use super::*;

    fn of(schema_type: SchemaType) -> Schema {
        Schema::required(schema_type)
    }

    fn optional(schema_type: SchemaType) -> Schema {
        Schema { optional: true, ..of(schema_type) }
    }

    fn defaulted(value: Value, schema_type: SchemaType) -> Schema {
        Schema { default: Some(value), ..of(schema_type) }
    }

    fn record(fields: &[(&str, Schema)]) -> Schema {
        let fields = fields.iter().map(|(name, schema)| Field { name: (*name).into(), schema: Arc::new(schema.clone()) });
        of(SchemaType::Struct(Fields::new(fields.collect()).unwrap()))
    }

    #[test]
    fn fields_are_dropped_filled_and_widened() {
        let source = record(&[("gone", of(SchemaType::String)), ("a", of(SchemaType::Int8)), ("o", optional(SchemaType::Int32))]);
        let value = Value::Struct(vec![Value::String("x".into()), Value::Int8(7), Value::Null]);
        let target = record(&[
            ("a", of(SchemaType::Int64)),
            ("new", optional(SchemaType::String)),
            ("filled", defaulted(Value::Boolean(true), SchemaType::Boolean)),
            ("o", defaulted(Value::Int32(5), SchemaType::Int32)),
        ]);
        let expected = Value::Struct(vec![Value::Int64(7), Value::Null, Value::Boolean(true), Value::Int32(5)]);
        assert_eq!(project_value(&source, &value, &target).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_projected_says_why() {
        let null = || (optional(SchemaType::Int32), Value::Null);
        for ((source, value), target, expected) in [
            (null(), of(SchemaType::Int32), "does not provide a default value"),
            ((of(SchemaType::Int64), Value::Int64(1)), of(SchemaType::Int32), "source type: INT64 and target type: INT32"),
            ((of(SchemaType::Int32), Value::Int32(1)), of(SchemaType::Int32).named("n"), "source name: null and target name: n"),
            ((record(&[]), Value::Struct(vec![])), record(&[("f", of(SchemaType::Int32))]), "`f` is missing"),
        ] {
            let error = project_value(&source, &value, &target).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn each_number_is_widened_to_any_wider_type_and_to_no_other() {
        let numbers = [Value::Int8(1), Value::Int16(1), Value::Int32(1), Value::Int64(1), Value::Float32(1.0), Value::Float64(1.0)];
        let types =
            [SchemaType::Int8, SchemaType::Int16, SchemaType::Int32, SchemaType::Int64, SchemaType::Float32, SchemaType::Float64];
        for (from, value) in numbers.iter().enumerate() {
            for (to, target) in types.iter().enumerate() {
                let widened = widen(value, target);
                assert_eq!(widened, (to > from).then(|| numbers[to].clone()), "{value:?} {target:?}");
            }
        }
    }
}
