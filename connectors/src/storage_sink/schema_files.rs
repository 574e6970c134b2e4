//! One open file for each schema: which schema a record's file has, as a number that is the same in every process.

use std::{fmt::Write as _, sync::Arc};

use connect_api::data::{Schema, SchemaType, Value};

use super::journal;

/// So many schemas of a partition are remembered with their fingerprints.
const REMEMBERED: usize = 1_024;

/// The schemas of one partition's records. What is compared first is the pointer of the one before: records of one producer come in runs.
#[derive(Default)]
pub(super) struct SchemaFiles {
    known: Vec<(Arc<Schema>, u64)>,
    /// The one that was asked for last.
    last: usize,
}

impl SchemaFiles {
    /// The fingerprint of a schema. Equal schemas have the same one.
    pub(super) fn fingerprint(&mut self, schema: &Arc<Schema>) -> u64 {
        match self.known.get(self.last) {
            Some((known, fingerprint)) if Arc::ptr_eq(known, schema) => *fingerprint,
            _ => self.find(schema),
        }
    }

    fn find(&mut self, schema: &Arc<Schema>) -> u64 {
        if let Some(place) = self.known.iter().position(|(known, _)| Arc::ptr_eq(known, schema)) {
            self.last = place;
        } else if let Some(place) = self.known.iter().position(|(known, _)| Schema::is_same(known, schema)) {
            // The same one, made anew: the next records will have it, too.
            self.known[place].0 = Arc::clone(schema);
            self.last = place;
        } else {
            if self.known.len() >= REMEMBERED {
                self.known.clear();
            }
            self.last = self.known.len();
            self.known.push((Arc::clone(schema), fingerprint(schema)));
        }
        self.known[self.last].1
    }
}

/// Objects say it of themselves, so it must not change from release to release: not the hash of the standard library.
fn fingerprint(schema: &Schema) -> u64 {
    let mut text = String::new();
    write_schema(schema, &mut text);
    journal::fingerprint(std::iter::once(("schema", text.as_str())))
}

/// Everything that counts when schemas are compared. Texts come with their lengths, so that no two schemas are written alike.
fn write_schema(schema: &Schema, out: &mut String) {
    let Schema { schema_type, optional, default, name, version, doc, parameters } = schema;
    out.push_str(schema_type.name());
    out.push(if *optional { '?' } else { '!' });
    if let Some(version) = version {
        write(out, format_args!("v{version}"));
    }
    for (mark, text) in [('n', name), ('d', doc)] {
        if let Some(text) = text {
            out.push(mark);
            write_text(text, out);
        }
    }
    let mut parameters: Vec<_> = parameters.iter().collect();
    parameters.sort_unstable();
    for (name, value) in parameters {
        out.push('p');
        write_text(name, out);
        write_text(value, out);
    }
    if let Some(default) = default {
        out.push('=');
        write_value(default, out);
    }
    out.push('(');
    match schema_type {
        SchemaType::Array(items) => write_schema(items, out),
        SchemaType::Map(keys, values) => {
            write_schema(keys, out);
            write_schema(values, out);
        }
        SchemaType::Struct(fields) => {
            for field in fields.iter() {
                write_text(&field.name, out);
                write_schema(&field.schema, out);
            }
        }
        _ => {}
    }
    out.push(')');
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push('0'),
        Value::Boolean(value) => write(out, format_args!("{value}")),
        Value::Int8(value) => write(out, format_args!("{value}")),
        Value::Int16(value) => write(out, format_args!("{value}")),
        Value::Int32(value) | Value::Date(value) | Value::Time(value) => write(out, format_args!("{value}")),
        Value::Int64(value) | Value::Timestamp(value) => write(out, format_args!("{value}")),
        // All that are no number are equal.
        Value::Float32(value) if value.is_nan() => out.push_str("NaN"),
        Value::Float64(value) if value.is_nan() => out.push_str("NaN"),
        Value::Float32(value) => write(out, format_args!("{:x}", value.to_bits())),
        Value::Float64(value) => write(out, format_args!("{:x}", value.to_bits())),
        Value::String(text) => write_text(text, out),
        Value::Bytes(bytes) => bytes.iter().for_each(|byte| write(out, format_args!("{byte:02x}"))),
        Value::Decimal(decimal) => write(out, format_args!("{decimal}")),
        Value::Array(values) | Value::Struct(values) => write_all(values.iter().map(written), out),
        Value::Map(entries) => {
            // In any order they are the same.
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| written(key) + &written(value)).collect();
            entries.sort_unstable();
            write_all(entries.into_iter(), out);
        }
        Value::Json(json) => write_text(&String::from_utf8_lossy(json.as_bytes()), out),
        _ => write_text(value.type_name(), out),
    }
    out.push(';');
}

fn written(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_all(texts: impl Iterator<Item = String>, out: &mut String) {
    out.push('[');
    texts.for_each(|text| out.push_str(&text));
    out.push(']');
}

fn write_text(text: &str, out: &mut String) {
    write(out, format_args!("{}:{text}", text.len()));
}

/// Writing to a string cannot fail.
fn write(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use connect_api::data::{Field, Fields};

    use super::*;

    fn number() -> Schema {
        Schema::required(SchemaType::Int32)
    }

    fn structured(fields: &[(&str, Schema)]) -> Schema {
        let fields = fields.iter().map(|(name, schema)| Field { name: (*name).into(), schema: Arc::new(schema.clone()) });
        Schema::required(SchemaType::Struct(Fields::new(fields.collect()).unwrap()))
    }

    fn with(parameters: &[(&'static str, &'static str)]) -> Schema {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Schema { parameters, ..number() }
    }

    fn default(schema_type: SchemaType, value: Value) -> Schema {
        Schema { default: Some(value), ..Schema::required(schema_type) }
    }

    #[test]
    fn schemas_that_are_not_equal_have_other_fingerprints() {
        let map = |keys: Schema, values: Schema| Schema::required(SchemaType::Map(Arc::new(keys), Arc::new(values)));
        let different = [
            number(),
            Schema { optional: true, ..number() },
            Schema { version: Some(1), ..number() },
            Schema { version: Some(2), ..number() },
            Schema { doc: Some("n".into()), ..number() },
            number().named("n"),
            number().named("n1:p"),
            with(&[("a", "1")]),
            with(&[("a", "1"), ("b", "2")]),
            with(&[("a", "12")]),
            with(&[("a1", "2")]),
            default(SchemaType::Int32, Value::Int32(0)),
            default(SchemaType::Int32, Value::Int32(1)),
            default(SchemaType::String, Value::String("1".into())),
            default(SchemaType::Float32, Value::Float32(0.0)),
            default(SchemaType::Float32, Value::Float32(-0.0)),
            Schema::required(SchemaType::Int64),
            Schema::required(SchemaType::Array(Arc::new(number()))),
            Schema::required(SchemaType::Array(Arc::new(number().named("n")))),
            map(number(), Schema::required(SchemaType::String)),
            map(Schema::required(SchemaType::String), number()),
            structured(&[]),
            structured(&[("a", number())]),
            structured(&[("a", number()), ("b", number())]),
            structured(&[("b", number()), ("a", number())]),
            structured(&[("a", structured(&[("b", number())]))]),
            structured(&[("a", structured(&[])), ("b", number())]),
        ];
        for (index, one) in different.iter().enumerate() {
            for other in &different[index + 1..] {
                assert!(one != other && fingerprint(one) != fingerprint(other), "{one:?} {other:?}");
            }
            assert_eq!(fingerprint(one), fingerprint(&one.clone()));
        }
    }

    #[test]
    fn equal_schemas_have_one_fingerprint_in_whatever_order_their_parts_came() {
        assert_eq!(fingerprint(&with(&[("a", "1"), ("b", "2")])), fingerprint(&with(&[("b", "2"), ("a", "1")])));
        let nan = |bits| default(SchemaType::Float64, Value::Float64(f64::from_bits(bits)));
        assert_eq!(fingerprint(&nan(0x7ff8_0000_0000_0000)), fingerprint(&nan(0x7ff8_0000_0000_0001)));
        let map =
            |keys: [i32; 2]| default(SchemaType::Int32, Value::Map(keys.map(|key| (Value::Int32(key), Value::Null)).to_vec()));
        assert_eq!(fingerprint(&map([1, 2])), fingerprint(&map([2, 1])));
    }

    /// Objects say it: another release must find the same.
    #[test]
    fn a_fingerprint_is_the_same_in_every_release() {
        let schema = structured(&[("a", with(&[("p", "1")])), ("b", default(SchemaType::String, Value::String("x".into())))]);
        assert_eq!(fingerprint(&Schema { version: Some(3), ..schema.named("r") }), FINGERPRINT);
    }

    const FINGERPRINT: u64 = 10_047_877_828_288_186_187;

    #[test]
    fn schemas_are_known_again_by_pointer_and_by_what_they_say_however_many_there_are() {
        let mut files = SchemaFiles::default();
        let of = |version| Arc::new(Schema { version: Some(version), ..number() });
        let schemas: Vec<_> = (0..2_500).map(of).collect();
        for round in 0..2 {
            for (schema, version) in schemas.iter().zip(0..) {
                let expected = fingerprint(schema);
                assert_eq!((files.fingerprint(schema), files.fingerprint(&of(version))), (expected, expected), "{round}");
                assert!(files.known.len() <= REMEMBERED);
            }
        }
    }
}
