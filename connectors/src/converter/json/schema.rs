//! The schema of an envelope.

use std::sync::Arc;

use connect_api::{
    Error, Result,
    data::{
        Field, Fields, Schema, SchemaType, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::payload::{Payload, whole_number};

/// What a schema says of itself. Values of members that have another type are ignored, as on the JVM.
#[derive(Default)]
struct Members<'a> {
    schema_type: Option<&'a [u8]>,
    items: Option<&'a [u8]>,
    keys: Option<&'a [u8]>,
    values: Option<&'a [u8]>,
    fields: Option<&'a [u8]>,
    optional: bool,
    name: Option<&'a [u8]>,
    version: Option<i32>,
    doc: Option<&'a [u8]>,
    parameters: Option<&'a [u8]>,
    default: Option<&'a [u8]>,
    /// Of a schema in a struct: the name of the field.
    field: Option<&'a [u8]>,
}

impl<'a> Members<'a> {
    fn of(schema: &'a [u8]) -> Self {
        let (mut members, mut cursor) = (Self::default(), Cursor::of(schema));
        let mut goes_on = cursor.kind() == Kind::Object && cursor.enter();
        while goes_on {
            let name = decode_string(cursor.name());
            let kind = cursor.kind();
            let value = cursor.value();
            let text = (kind == Kind::String).then_some(value);
            let any = (kind != Kind::Null).then_some(value);
            match &*name {
                "type" => members.schema_type = text,
                "items" => members.items = any,
                "keys" => members.keys = any,
                "values" => members.values = any,
                "fields" => members.fields = (kind == Kind::Array).then_some(value),
                "optional" => members.optional = value == b"true",
                "name" => members.name = text,
                "version" => members.version = version(kind, value),
                "doc" => members.doc = text,
                "parameters" => members.parameters = (kind == Kind::Object).then_some(value),
                "default" => members.default = Some(value),
                "field" => members.field = text,
                _ => {}
            }
            goes_on = cursor.goes_on();
        }
        members
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits, as on the JVM")]
fn version(kind: Kind, value: &[u8]) -> Option<i32> {
    let is_whole = kind == Kind::Number && !value.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    is_whole.then(|| whole_number(value) as i32)
}

/// Reads a schema. `payload`: how its default is read.
///
/// # Errors
/// `Data` where it is none.
pub(super) fn read(schema: &[u8], payload: &Payload<'_>) -> Result<Schema> {
    Reader { payload, level: 0 }.read(schema)
}

/// Schemas in schemas. What is deeper is refused: the stack is not the producer's to use up.
const MAX_LEVELS: usize = 200;

struct Reader<'a> {
    payload: &'a Payload<'a>,
    level: usize,
}

impl Reader<'_> {
    fn read(&self, schema: &[u8]) -> Result<Schema> {
        self.read_members(&Members::of(schema))
    }

    fn read_members(&self, members: &Members<'_>) -> Result<Schema> {
        if self.level > MAX_LEVELS {
            return Err(Error::data(format!("the schema has more than {MAX_LEVELS} levels")));
        }
        let inner = Reader { payload: self.payload, level: self.level + 1 };
        let Some(schema_type) = members.schema_type else { return Err(Error::data("Schema must contain 'type' field")) };
        let schema_type = match &*decode_string(schema_type) {
            "boolean" => SchemaType::Boolean,
            "int8" => SchemaType::Int8,
            "int16" => SchemaType::Int16,
            "int32" => SchemaType::Int32,
            "int64" => SchemaType::Int64,
            "float" => SchemaType::Float32,
            "double" => SchemaType::Float64,
            "bytes" => SchemaType::Bytes,
            "string" => SchemaType::String,
            "array" => SchemaType::Array(inner.inner(members.items, "Array schema did not specify the element type")?),
            "map" => SchemaType::Map(
                inner.inner(members.keys, "Map schema did not specify the key type")?,
                inner.inner(members.values, "Map schema did not specify the value type")?,
            ),
            "struct" => SchemaType::Struct(inner.fields(members.fields)?),
            other => return Err(Error::data(format!("Unknown schema type: {other}"))),
        };
        let mut schema = Schema::required(schema_type);
        if let Some(name) = members.name {
            schema = schema.named(&*decode_string(name));
        }
        schema.optional = members.optional;
        schema.version = members.version;
        schema.doc = members.doc.map(|doc| (&*decode_string(doc)).into());
        schema.parameters = parameters(members.parameters)?;
        if let Some(default) = members.default {
            schema.default = read_default(&schema, default, self.payload)?;
        }
        Ok(schema)
    }

    fn inner(&self, schema: Option<&[u8]>, missing: &'static str) -> Result<Arc<Schema>> {
        schema.ok_or_else(|| Error::data(missing)).and_then(|schema| self.read(schema)).map(Arc::new)
    }

    fn fields(&self, fields: Option<&[u8]>) -> Result<Fields> {
        let Some(fields) = fields else { return Err(Error::data("Struct schema's \"fields\" argument is not an array.")) };
        let (mut read, mut cursor) = (Vec::new(), Cursor::of(fields));
        let mut goes_on = cursor.enter();
        while goes_on {
            let members = Members::of(cursor.value());
            let Some(name) = members.field else { return Err(Error::data("Struct schema's field name not specified properly")) };
            read.push(Field { name: (&*decode_string(name)).into(), schema: Arc::new(self.read_members(&members)?) });
            goes_on = cursor.goes_on();
        }
        Fields::new(read).map_err(|name| no_schema(format!("Cannot create field because of field name duplication {name}")))
    }
}

fn parameters(parameters: Option<&[u8]>) -> Result<Vec<(Arc<str>, Arc<str>)>> {
    let Some(parameters) = parameters else { return Ok(Vec::new()) };
    let (mut read, mut cursor) = (Vec::new(), Cursor::of(parameters));
    let mut goes_on = cursor.enter();
    while goes_on {
        let name = decode_string(cursor.name());
        if cursor.kind() != Kind::String {
            return Err(Error::data("Schema parameters must have string values."));
        }
        read.push(((&*name).into(), (&*decode_string(cursor.value())).into()));
        goes_on = cursor.goes_on();
    }
    Ok(read)
}

/// A default that is `null`, or that its schema reads as null, is none.
fn read_default(schema: &Schema, default: &[u8], payload: &Payload<'_>) -> Result<Option<Value>> {
    match payload.read(schema, &mut Cursor::of(default))? {
        Value::Null if !schema.optional => Err(no_schema("Invalid default value".to_owned())),
        Value::Null => Ok(None),
        value => Ok(Some(value)),
    }
}

fn no_schema(message: String) -> Error {
    Error::data(message).with_class("org.apache.kafka.connect.errors.SchemaBuilderException")
}
