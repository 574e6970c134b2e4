//! A schema for records that have none: an Avro schema, which operators may read and change.

use std::collections::HashSet;

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

    /// The text of an Avro schema that they fit; `topic` gives it its name.
    pub(crate) fn into_schema(self, topic: &str) -> String {
        let none = Members::default();
        let members = if let Shape::Object(members) = &self.record { members } else { &none };
        let mut names = HashSet::new();
        format!("{:#}\n", record(members, &name_of_record(topic), &mut names))
    }
}

/// `names`: those that other records have.
fn record(members: &Members, name: &str, names: &mut HashSet<String>) -> Json {
    let name = unlike(names, name.to_owned());
    names.insert(name.clone());
    let mut taken = HashSet::with_capacity(members.all.len());
    let field = |(member, shape): &(String, Shape)| {
        let field_name = unlike(&taken, avro_name(member));
        let mut kind = field_type(shape, &format!("{name}_{field_name}"), names);
        if field_name != *member {
            kind = with_parameter(kind, JSON_NAME, member);
        }
        taken.insert(field_name.clone());
        json!({ "name": field_name, "type": ["null", kind], "default": null })
    };
    let fields: Vec<_> = members.all.iter().map(field).collect();
    json!({ "type": "record", "name": name, "fields": fields })
}

fn field_type(shape: &Shape, name: &str, names: &mut HashSet<String>) -> Json {
    match shape {
        Shape::Null | Shape::Text => json!("string"),
        Shape::Boolean => json!("boolean"),
        Shape::Integer { .. } => json!("long"),
        Shape::Fraction => json!("double"),
        Shape::Array(items) => json!({ "type": "array", "items": ["null", field_type(items, name, names)] }),
        // A record without a field is nothing that every format has.
        Shape::Object(members) if !members.all.is_empty() => record(members, name, names),
        Shape::Object(_) | Shape::Any => with_parameter(json!("string"), JSON_TEXT, "true"),
    }
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

/// The name, with a number behind it where another one has it.
fn unlike(others: &HashSet<String>, name: String) -> String {
    if !others.contains(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number: u32| format!("{name}_{number}"));
    numbered.find(|name| !others.contains(name)).unwrap_or(name)
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
        inference.into_schema(topic)
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
            (&["true"], json!("boolean")),
            (&["\"x\""], json!("string")),
            (&["null"], json!("string")),
            (&["1", "\"x\""], any()),
            (&["{\"b\":1}", "\"x\""], any()),
            (&["[1]", "{}"], any()),
            (&["{}"], any()),
            (&["[]", "[1, null]", "[2]"], json!({ "type": "array", "items": ["null", "long"] })),
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
}
