//! A schema for records that have none: an Avro schema, which operators may read and change.

use std::collections::{HashMap, HashSet};

use connect_api::data::{
    JsonText,
    json::{Cursor, Kind},
};
use serde_json::{Value as Json, json};

use crate::format::AVRO_TYPES;

use super::{
    JSON_NAME, JSON_TEXT,
    shape::{Members, Observer, Shape},
};

/// In bytes: no schema that is inferred is longer.
pub(crate) const LONGEST_SCHEMA: usize = 4 * 1024 * 1024;
/// In bytes: what a record within the record is called at most. A member with a longer name gets none.
const LONGEST_NAME: usize = 200;

/// What shall be inferred from records of one topic.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    record: Shape,
    observer: Observer,
    records: usize,
}

impl Inference {
    /// Looks at a record, where it is an object.
    pub(crate) fn see(&mut self, text: &JsonText) {
        if Kind::of(text.as_bytes()) == Kind::Object {
            self.observer.see(&mut self.record, &mut Cursor::new(text), 0);
            self.records += 1;
        }
    }

    /// How many objects were seen.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// The text of an Avro schema that they fit, of at most [`LONGEST_SCHEMA`] bytes; `topic` gives it its name. Nothing where none of them has a member
    /// that a schema has room for.
    pub(crate) fn into_schema(self, topic: &str) -> Option<String> {
        match &self.record {
            Shape::Object(members) if !members.all.is_empty() => text(members, topic, LONGEST_SCHEMA),
            _ => None,
        }
    }
}

/// A schema of at most so many bytes, as well as it can be had: easy to read, or all in one line, or all that is nested as JSON text, or without the members
/// that came last.
fn text(members: &Members, topic: &str, most: usize) -> Option<String> {
    let name = name_of_record(topic);
    let schema = |nested| Naming { nested, top: &name, names: Names::default() }.record(members, name.clone());
    let whole = schema(Nested::Records);
    let (readable, dense) = (format!("{whole:#}\n"), whole.to_string());
    if readable.len() <= most {
        return Some(readable);
    }
    if dense.len() <= most {
        return Some(dense);
    }
    let mut flat = schema(Nested::Text);
    let fields = flat["fields"].as_array_mut()?;
    let mut length = name.len() + EMPTY;
    let is_beyond = |field: &Json| {
        // With its comma.
        length += field.to_string().len() + 1;
        length > most
    };
    let fitting = fields.iter().position(is_beyond).unwrap_or(fields.len());
    fields.truncate(fitting);
    (fitting > 0).then(|| flat.to_string())
}

/// More than a schema without a field has beside its name.
const EMPTY: usize = 100;

/// What becomes of objects in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nested {
    Records,
    Text,
}

struct Naming<'a> {
    nested: Nested,
    /// The name of the outermost record.
    top: &'a str,
    /// Those of all records.
    names: Names,
}

impl Naming<'_> {
    fn record(&mut self, members: &Members, name: String) -> Json {
        let name = self.names.unlike(name);
        let mut taken = Names::default();
        let field = |(member, shape): &(String, Shape)| {
            let field_name = taken.unlike(avro_name(member));
            let mut kind = if member.len() > LONGEST_NAME && shape.has_object() {
                any_json()
            } else {
                self.field_type(shape, &name, &field_name)
            };
            if field_name != *member {
                kind = with_parameter(kind, JSON_NAME, member);
            }
            json!({ "name": field_name, "type": ["null", kind], "default": null })
        };
        let fields: Vec<_> = members.all.iter().map(field).collect();
        json!({ "type": "record", "name": name, "fields": fields })
    }

    /// `parent` and `field` name the records in it.
    fn field_type(&mut self, shape: &Shape, parent: &str, field: &str) -> Json {
        match shape {
            Shape::Text => json!("string"),
            Shape::Boolean => json!("boolean"),
            Shape::Integer { .. } => json!("long"),
            Shape::Fraction => json!("double"),
            Shape::Array(items) => json!({ "type": "array", "items": ["null", self.field_type(items, parent, field)] }),
            // A record without a field is nothing that every format has.
            Shape::Object(members) if self.nested == Nested::Records && !members.all.is_empty() => {
                // Names of names grow without an end.
                let is_short = parent.len() + field.len() < LONGEST_NAME;
                let name = if is_short { format!("{parent}_{field}") } else { format!("{}_record", self.top) };
                self.record(members, name)
            }
            // What was only ever null may be anything later.
            Shape::Null | Shape::Object(_) | Shape::Any => any_json(),
        }
    }
}

fn any_json() -> Json {
    with_parameter(json!("string"), JSON_TEXT, "true")
}

fn with_parameter(kind: Json, name: &str, value: &str) -> Json {
    let mut kind = if kind.is_string() { json!({ "type": kind }) } else { kind };
    kind["connect.parameters"][name] = json!(value);
    kind
}

/// A name that Avro takes.
fn avro_name(name: &str) -> String {
    let letters = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
    let starts_well = name.starts_with(|letter: char| !letter.is_ascii_digit());
    (if starts_well { "" } else { "_" }).chars().chain(letters).collect()
}

fn name_of_record(topic: &str) -> String {
    let name = avro_name(topic);
    if AVRO_TYPES.contains(&&*name) { format!("{name}_record") } else { name }
}

/// Names of which each is given once.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// The number that comes next, by name: thousands may want the same.
    next: HashMap<String, u32>,
}

impl Names {
    /// The name, with a number behind it where another one has it.
    fn unlike(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name}_{next}");
            *next += 1;
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::converter::json::given::{UnknownFields, read_by_schema, schema_from_text};

    fn parse(text: &str) -> JsonText {
        JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap()
    }

    fn inferred(topic: &str, records: &[&str]) -> String {
        let mut inference = Inference::default();
        records.iter().for_each(|record| inference.see(&parse(record)));
        inference.into_schema(topic).unwrap()
    }

    /// The types of the fields, without null, which each of them allows.
    fn types(records: &[&str]) -> Vec<(String, Json)> {
        let schema: Json = serde_json::from_str(&inferred("t", records)).unwrap();
        let field = |field: &Json| {
            assert_eq!((&field["type"][0], &field["default"]), (&json!("null"), &Json::Null));
            (field["name"].as_str().unwrap().to_owned(), field["type"][1].clone())
        };
        schema["fields"].as_array().unwrap().iter().map(field).collect()
    }

    fn kind(values: &[&str]) -> Json {
        let records: Vec<_> = values.iter().map(|value| format!("{{\"a\":{value}}}")).collect();
        types(&records.iter().map(String::as_str).collect::<Vec<_>>()).remove(0).1
    }

    #[test]
    fn each_kind_has_its_type_and_several_are_kept_as_text() {
        let any = || json!({ "type": "string", "connect.parameters": { "json.text": "true" } });
        for (values, expected) in [
            (&["1", "null", "-7"][..], json!("long")),
            (&["1", "2.5"], json!("double")),
            (&["2.5", "1"], json!("double")),
            (&["9007199254740993", "2.5"], any()),
            (&["9223372036854775808"], any()),
            (&["1e400"], any()),
            (&["1e-400"], any()),
            (&["0.1", "1.50e2", "-0.0", "1234567.8901234567"], json!("double")),
            (&["0.1", "0.1234567890123456789"], any()),
            (&["true"], json!("boolean")),
            (&["\"x\""], json!("string")),
            (&["null"], any()),
            (&["1", "\"x\""], any()),
            (&["{\"b\":1}", "\"x\""], any()),
            (&["[1]", "{}"], any()),
            (&["{}"], any()),
            (&["[]", "[1, null]", "[2]"], json!({ "type": "array", "items": ["null", "long"] })),
            (&["[]", "[null]"], json!({ "type": "array", "items": ["null", any()] })),
            (&["[1,\"x\"]"], json!({ "type": "array", "items": ["null", any()] })),
            (&["[[true]]"], json!({ "type": "array", "items": ["null", { "type": "array", "items": ["null", "boolean"] }] })),
        ] {
            assert_eq!(kind(values), expected, "{values:?}");
        }
    }

    #[test]
    fn members_come_in_the_order_in_which_they_were_seen_first() {
        let names = |records: &[&str]| types(records).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&["{\"b\":1,\"a\":2}", "{\"c\":3,\"a\":4,\"b\":5}", "[7]"]), ["b", "a", "c"]);
    }

    #[test]
    fn every_record_fits_the_schema_that_was_inferred_from_it() {
        let records = [
            "{\"a\":1,\"b\":{\"c\":[{\"d\":1.5},{\"d\":2,\"e\":null}]}}",
            "{\"a\":null,\"b\":{\"c\":[],\"f\":{}},\"first-name\":\"x\",\"first_name\":\"y\",\"1\":true,\"\":\"z\",\"é\":1}",
            "{\"any\":[1,\"x\"],\"b\":{\"f\":{\"g\":1}},\"large\":9223372036854775808}",
        ];
        let text = inferred("my-topic.v1", &records);
        let schema = schema_from_text(&text).unwrap();
        assert_eq!(schema.name.as_deref(), Some("my_topic_v1"));
        for record in records {
            read_by_schema(&parse(record), &schema, UnknownFields::Fail, true)
                .unwrap_or_else(|error| panic!("{record}: {error}\n{text}"));
        }
    }

    #[test]
    fn names_that_avro_refuses_are_changed_and_found_by_what_they_were() {
        let record = "{\"first-name\":\"x\",\"first_name\":\"y\",\"1\":\"z\"}";
        let schema = schema_from_text(&inferred("t", &[record])).unwrap();
        let names: Vec<_> = schema.fields().unwrap().iter().map(|field| field.name.to_string()).collect();
        assert_eq!(names, ["first_name", "first_name_2", "_1"]);
        let value = read_by_schema(&parse(record), &schema, UnknownFields::Fail, true).unwrap();
        let text = |text: &'static str| connect_api::data::Value::String(text.into());
        assert_eq!(value, connect_api::data::Value::Struct(vec![text("x"), text("y"), text("z")]));
    }

    #[test]
    fn topics_are_called_like_types_by_another_name() {
        assert_eq!(schema_from_text(&inferred("string", &["{\"a\":1}"])).unwrap().name.as_deref(), Some("string_record"));
        assert_eq!(schema_from_text(&inferred("0", &["{\"a\":1}"])).unwrap().name.as_deref(), Some("_0"));
    }

    #[test]
    fn what_is_deep_or_has_names_without_end_is_kept_as_text() {
        let deep = format!("{{\"a\":{}1{}}}", "{\"b\":".repeat(900), "}".repeat(900));
        let members: Vec<_> = (0..2_000).map(|member| format!("\"m{member}\":1")).collect();
        let wide = format!("{{\"w\":{{{}}}}}", members.join(","));
        let records = [deep.as_str(), &wide];
        let schema = schema_from_text(&inferred("t", &records)).unwrap();
        for record in records {
            read_by_schema(&parse(record), &schema, UnknownFields::Fail, true).unwrap();
        }
        assert!(inferred("t", &[&wide]).contains("json.text"));
    }

    #[test]
    fn records_without_members_make_no_schema() {
        let mut inference = Inference::default();
        [" {}", "7"].iter().for_each(|record| inference.see(&parse(record)));
        assert_eq!((inference.records(), inference.into_schema("t")), (1, None));
    }

    #[test]
    fn names_of_records_in_records_stay_short() {
        let long = "x".repeat(190);
        let deep = format!("{{\"a\":{}1{}}}", format!("{{\"{long}\":").repeat(25), "}".repeat(25));
        let longer = "y".repeat(201);
        let record = format!("{{\"deep\":{deep},\"{longer}\":[{{\"b\":1}}]}}");
        let text = inferred("t", &[&record]);
        assert!(text.len() < 60_000, "{}", text.len());
        let schema = schema_from_text(&text).unwrap();
        let fields = schema.fields().unwrap();
        assert_eq!(fields[1].schema.parameter(JSON_TEXT), Some("true"));
        assert!(text.contains("\"t_record_20\""), "{text}");
        read_by_schema(&parse(&record), &schema, UnknownFields::Fail, true).unwrap();
    }

    #[test]
    fn a_schema_is_no_longer_than_it_may_be() {
        let mut inference = Inference::default();
        let members: Vec<_> = (0..100).map(|member| format!("\"m{member}\":{{\"nested{member}\":{member}}}")).collect();
        inference.see(&parse(&format!("{{{}}}", members.join(","))));
        let Shape::Object(members) = &inference.record else { panic!("no object") };
        let whole = text(members, "t", LONGEST_SCHEMA).unwrap();
        assert!(whole.contains('\n'));
        let mut lengths = vec![];
        for most in [whole.len() - 1, 14_000, 9_000, 4_000, 300] {
            let text = text(members, "t", most).unwrap();
            assert!(text.len() <= most && !text.contains('\n'), "{most}: {}", text.len());
            let schema = schema_from_text(&text).unwrap();
            let is_nested = |schema: &connect_api::data::Schema| schema.fields().is_some();
            let nested = schema.fields().unwrap().iter().filter(|field| is_nested(&field.schema)).count();
            lengths.push((schema.fields().unwrap().len(), nested));
        }
        assert_eq!(lengths[0], (100, 100));
        assert_eq!(lengths[1], (100, 0));
        assert!(lengths[2].0 < 100 && lengths[3].0 < lengths[2].0 && lengths[4].0 > 0, "{lengths:?}");
    }

    #[test]
    fn thousands_of_members_that_want_one_name_are_numbered_in_one_go() {
        let mut names = Names::default();
        names.unlike("__2".to_owned());
        let last = (0..100_000).map(|_| names.unlike("__".to_owned())).last();
        assert_eq!(last.as_deref(), Some("___100000"));
    }
}
