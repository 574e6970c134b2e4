//! The Connect schema of a message type, as Confluent's `ProtobufData` makes it.

use std::sync::Arc;

use connect_api::{
    Result,
    data::{Field as ConnectField, LogicalType, Schema, SchemaType},
};
use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};

use super::{
    bounds::{Bounds, check_union, struct_of},
    compile::Compiled,
    plan::{Field, Member, Plan, Struct},
};

const ENUM: &str = "io.confluent.connect.protobuf.Enum";
const UNION: &str = "io.confluent.connect.protobuf.Union.";
const TAG: &str = "io.confluent.connect.protobuf.Tag";
const TYPE: &str = "io.confluent.connect.protobuf.Type";

/// What decides how schemas are read: the converter's keys of these names.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "as many as the JVM has")]
pub(super) struct Dialect {
    pub(super) enhanced_protobuf_schema_support: bool,
    pub(super) int_for_enums: bool,
    pub(super) optional_for_nullables: bool,
    pub(super) optional_for_proto2: bool,
    pub(super) wrapper_for_nullables: bool,
    pub(super) wrapper_for_raw_primitives: bool,
    pub(super) generate_index_for_unions: bool,
    pub(super) flatten_unions: bool,
}

/// Makes the schema of one message type.
pub(super) struct SchemaReader<'a> {
    dialect: Dialect,
    compiled: &'a Compiled,
    bounds: Bounds,
}

type Read = (Schema, Plan);

impl<'a> SchemaReader<'a> {
    pub(super) fn new(dialect: Dialect, compiled: &'a Compiled) -> Self {
        Self { dialect, compiled, bounds: Bounds::default() }
    }

    /// The schema of a message that is not inside of another one.
    ///
    /// # Errors
    /// `Data` where Connect has no such schema.
    pub(super) fn top(&mut self, message: &MessageDescriptor) -> Result<Read> {
        match self.wrapped(message, self.dialect.wrapper_for_raw_primitives)? {
            Some(read) => Ok(read),
            None => self.message(message),
        }
    }

    fn message(&mut self, message: &MessageDescriptor) -> Result<Read> {
        let name = message.full_name();
        self.bounds.enter(name)?;
        let (mut fields, mut members) = (Vec::new(), Vec::new());
        for (place, union) in message.oneofs().filter(|union| !union.is_synthetic()).enumerate() {
            self.union(place, &union, &mut fields, &mut members)?;
        }
        for field in message.fields().filter(|field| union_of(field).is_none()) {
            let (schema, field) = self.field(field)?;
            fields.push(connect_field(field.field.name(), schema));
            members.push(Member::Field(field));
        }
        self.bounds.leave();
        let name = if self.dialect.enhanced_protobuf_schema_support { name } else { message.name() };
        Ok((struct_of(fields)?.named(name), Plan::Struct(Arc::new(Struct { members }))))
    }

    /// A union is a struct of all its fields, unless they are put beside the others.
    fn union(
        &mut self,
        place: usize,
        union: &OneofDescriptor,
        fields: &mut Vec<ConnectField>,
        members: &mut Vec<Member>,
    ) -> Result<()> {
        let (mut own, mut plans) = (Vec::new(), Vec::new());
        for field in union.fields() {
            let (schema, field) = self.field(field)?;
            // All but one are null.
            own.push(connect_field(field.field.name(), Schema { optional: true, ..schema }));
            plans.push(Field { can_be_absent: true, ..field });
        }
        check_union(union.name(), plans.len())?;
        if self.dialect.flatten_unions {
            fields.append(&mut own);
            members.extend(plans.into_iter().map(Member::Field));
            return Ok(());
        }
        let simple = union.name();
        let name = if self.dialect.enhanced_protobuf_schema_support { union.full_name() } else { simple };
        let field = if self.dialect.generate_index_for_unions { format!("{simple}_{place}") } else { simple.to_owned() };
        fields.push(connect_field(&field, Schema { optional: true, ..struct_of(own)?.named(format!("{UNION}{name}")) }));
        members.push(Member::Union(plans));
        Ok(())
    }

    fn field(&mut self, field: FieldDescriptor) -> Result<(Schema, Field)> {
        self.bounds.count(1)?;
        let kind = field.kind();
        let (mut schema, mut plan) = match kind.as_message().filter(|_| field.is_map()) {
            Some(entry) => self.map(entry)?,
            None => self.single(&field)?,
        };
        if field.is_list() {
            schema = Schema::required(SchemaType::Array(Arc::new(Schema { optional: true, ..schema })));
            schema.optional = true;
            plan = Plan::Array(Box::new(plan));
        }
        schema.optional |= field.is_map() || self.can_be_null(&field);
        schema.parameters.push((TAG.into(), field.number().to_string().into()));
        // Where the word `optional` of the second version does not count, what is absent has its default.
        let has_default = self.dialect.optional_for_nullables
            && !self.dialect.optional_for_proto2
            && field.parent_file().syntax() == Syntax::Proto2
            && kind.as_message().is_none();
        let can_be_absent = field.supports_presence() && !has_default;
        Ok((schema, Field { field, plan, can_be_absent }))
    }

    fn can_be_null(&self, field: &FieldDescriptor) -> bool {
        if !self.dialect.optional_for_nullables {
            return !self.dialect.wrapper_for_nullables;
        }
        let is_proto2 = field.parent_file().syntax() == Syntax::Proto2;
        let says_so = if is_proto2 {
            self.dialect.optional_for_proto2 && field.cardinality() == Cardinality::Optional
        } else {
            field.field_descriptor_proto().proto3_optional()
        };
        says_so && !field.is_list() && !field.is_map()
    }

    /// A field that neither repeats nor is a map.
    fn single(&mut self, field: &FieldDescriptor) -> Result<Read> {
        let mut read = match field.kind() {
            Kind::Enum(symbols) => self.symbols(&symbols)?,
            Kind::Message(message) => return self.inner_message(field, &message),
            kind => scalar(&kind, || self.parameter(field, "connect.type")),
        };
        if let Some(name) = other_integer(&field.kind()) {
            read.0.parameters.push((TYPE.into(), name.into()));
        }
        Ok(read)
    }

    fn symbols(&mut self, symbols: &EnumDescriptor) -> Result<Read> {
        self.bounds.count(symbols.values().len())?;
        let name = if self.dialect.enhanced_protobuf_schema_support { symbols.full_name() } else { symbols.name() };
        let numbers = self.dialect.int_for_enums;
        let schema_type = if numbers { SchemaType::Int32 } else { SchemaType::String };
        let mut schema = Schema { optional: true, ..Schema::required(schema_type).named(name) };
        schema.parameters.push((ENUM.into(), symbols.name().into()));
        for symbol in symbols.values() {
            schema.parameters.push((format!("{ENUM}.{}", symbol.name()).into(), symbol.number().to_string().into()));
        }
        if numbers {
            return Ok((schema, Plan::Number));
        }
        Ok((schema, Plan::symbols(symbols)))
    }

    fn inner_message(&mut self, field: &FieldDescriptor, message: &MessageDescriptor) -> Result<Read> {
        let logical = |logical_type, base| Schema { optional: true, ..logical(logical_type, base) };
        match message.full_name() {
            "confluent.type.Decimal" => {
                let number = |name| self.parameter(field, name).and_then(|text| text.parse::<i32>().ok());
                let mut schema = logical(LogicalType::Decimal, SchemaType::Bytes);
                schema.parameters.push(("scale".into(), number("scale").unwrap_or(0).to_string().into()));
                if let Some(precision) = number("precision") {
                    schema.parameters.push(("connect.decimal.precision".into(), precision.to_string().into()));
                }
                return Ok((schema, Plan::Decimal));
            }
            "google.type.Date" => return Ok((logical(LogicalType::Date, SchemaType::Int32), Plan::Date)),
            "google.type.TimeOfDay" => return Ok((logical(LogicalType::Time, SchemaType::Int32), Plan::Time)),
            "google.protobuf.Timestamp" => return Ok((logical(LogicalType::Timestamp, SchemaType::Int64), Plan::Timestamp)),
            _ => {}
        }
        let (schema, plan) = match self.wrapped(message, self.dialect.wrapper_for_nullables)? {
            Some(read) => read,
            None => self.message(message)?,
        };
        Ok((Schema { optional: true, ..schema }, plan))
    }

    /// What one of Google's messages of a single value is where they are used for such values.
    fn wrapped(&mut self, message: &MessageDescriptor, is_used: bool) -> Result<Option<Read>> {
        const NAMES: [&str; 9] = ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"];
        let name = message.full_name().strip_prefix("google.protobuf.").and_then(|name| name.strip_suffix("Value"));
        let is_wrapper = is_used && name.is_some_and(|name| NAMES.contains(&name));
        let Some(value) = message.get_field_by_name("value").filter(|_| is_wrapper) else { return Ok(None) };
        let (schema, plan) = self.single(&value)?;
        let schema = Schema { parameters: Vec::new(), ..schema };
        Ok(Some((schema, Plan::Wrapped(Arc::new(Field { field: value, plan, can_be_absent: false })))))
    }

    fn map(&mut self, entry: &MessageDescriptor) -> Result<Read> {
        let (key, value) = (self.field(entry.map_entry_key_field())?, self.field(entry.map_entry_value_field())?);
        let schema = Schema::required(SchemaType::Map(Arc::new(key.0), Arc::new(value.0))).named(map_name(entry.name()));
        Ok((schema, Plan::Map(Arc::new((key.1.plan, value.1.plan)))))
    }

    /// What Confluent's serializers say of a field.
    fn parameter(&self, field: &FieldDescriptor, name: &str) -> Option<String> {
        let options = field.options();
        let meta = self.compiled.field_meta.as_ref().filter(|meta| options.has_extension(meta))?;
        let meta = options.get_extension(meta);
        let parameters = meta.as_message()?.get_field_by_name("params")?;
        let value = parameters.as_map()?.get(&prost_reflect::MapKey::String(name.to_owned()))?;
        value.as_str().map(str::to_owned)
    }
}

/// The union that a field belongs to, unless it was made for a field that may be absent.
pub(super) fn union_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|union| !union.is_synthetic())
}

pub(super) fn connect_field(name: &str, schema: Schema) -> ConnectField {
    ConnectField { name: name.into(), schema: Arc::new(schema) }
}

/// The schema of a logical type, without its parameters.
pub(super) fn logical(logical_type: LogicalType, base: SchemaType) -> Schema {
    Schema { version: Some(1), ..Schema::required(base).named(logical_type.name()) }
}

/// A field of one scalar type. `connect_type`: what its options say of integers, `int8` or `int16`.
pub(super) fn scalar(kind: &Kind, connect_type: impl FnOnce() -> Option<String>) -> Read {
    let (schema_type, plan) = match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => match connect_type().as_deref() {
            Some("int8") => (SchemaType::Int8, Plan::Int8),
            Some("int16") => (SchemaType::Int16, Plan::Int16),
            _ => (SchemaType::Int32, Plan::Int32),
        },
        Kind::Uint32 | Kind::Fixed32 | Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => {
            (SchemaType::Int64, Plan::Int64)
        }
        Kind::Float => (SchemaType::Float32, Plan::Float32),
        Kind::Double => (SchemaType::Float64, Plan::Float64),
        Kind::Bool => (SchemaType::Boolean, Plan::Boolean),
        Kind::Bytes => (SchemaType::Bytes, Plan::Bytes),
        // Enums and messages, which are no scalars, have been dealt with.
        Kind::String | Kind::Enum(_) | Kind::Message(_) => (SchemaType::String, Plan::String),
    };
    (Schema::required(schema_type), plan)
}

/// Integers that Connect has no type for.
pub(super) fn other_integer(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Sint32 => "sint32",
        Kind::Sfixed32 => "sfixed32",
        Kind::Uint32 => "uint32",
        Kind::Fixed32 => "fixed32",
        Kind::Uint64 => "uint64",
        Kind::Sint64 => "sint64",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed64 => "sfixed64",
        _ => return None,
    })
}

/// From the name of the entry's message back to that of the field: `SomeTagsEntry` is of `some_tags`.
fn map_name(entry: &str) -> String {
    let mut name = String::new();
    for (place, character) in entry.strip_suffix("Entry").unwrap_or(entry).chars().enumerate() {
        if character.is_ascii_uppercase() && place > 0 {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
