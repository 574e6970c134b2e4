//! The Connect schema of a message type, as the converter of AWS Glue makes it.

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
    schema::{connect_field, logical, other_integer, scalar, union_of},
};

const TAG: &str = "protobuf.tag";
const TYPE: &str = "protobuf.type";
const PACKAGE: &str = "protobuf.package";
const SCALE: &str = "connect.decimal.scale";

/// Makes the schema of one message type.
pub(super) struct GlueSchemaReader<'a> {
    compiled: &'a Compiled,
    bounds: Bounds,
}

type Read = (Schema, Plan);

impl<'a> GlueSchemaReader<'a> {
    pub(super) fn new(compiled: &'a Compiled) -> Self {
        Self { compiled, bounds: Bounds::default() }
    }

    /// The schema of a message that is not inside of another one.
    ///
    /// # Errors
    /// `Data` where Connect has no such schema.
    pub(super) fn top(&mut self, message: &MessageDescriptor) -> Result<Read> {
        let (mut schema, plan) = self.message(message, message.name())?;
        schema.version = Some(1);
        schema.parameters.push((PACKAGE.into(), message.parent_file().package_name().into()));
        Ok((schema, plan))
    }

    fn message(&mut self, message: &MessageDescriptor, name: &str) -> Result<Read> {
        self.bounds.enter(message.full_name())?;
        let (mut fields, mut members) = (Vec::new(), Vec::new());
        // Each in the order of the text: plain fields, then unions, then what the third version of the language calls optional.
        let declared = message.descriptor_proto().field.iter().filter_map(|field| u32::try_from(field.number()).ok());
        let declared = declared.filter_map(|number| message.get_field(number)).filter(|field| union_of(field).is_none());
        let (optional, plain): (Vec<_>, Vec<_>) = declared.partition(|field| field.field_descriptor_proto().proto3_optional());
        for field in plain {
            self.add(field, &mut fields, &mut members)?;
        }
        for union in message.oneofs().filter(|union| !union.is_synthetic()) {
            let (schema, member) = self.union(&union)?;
            fields.push(schema);
            members.push(member);
        }
        for field in optional {
            self.add(field, &mut fields, &mut members)?;
        }
        self.bounds.leave();
        Ok((struct_of(fields)?.named(name), Plan::Struct(Arc::new(Struct { members }))))
    }

    fn add(&mut self, field: FieldDescriptor, fields: &mut Vec<ConnectField>, members: &mut Vec<Member>) -> Result<()> {
        let (schema, field) = self.field(field)?;
        fields.push(connect_field(field.field.name(), schema));
        members.push(Member::Field(field));
        Ok(())
    }

    fn union(&mut self, union: &OneofDescriptor) -> Result<(ConnectField, Member)> {
        let (mut own, mut plans) = (Vec::new(), Vec::new());
        for field in union.fields() {
            let (schema, field) = self.field(field)?;
            // All but one are null.
            own.push(connect_field(field.field.name(), Schema { optional: true, ..schema }));
            plans.push(Field { can_be_absent: true, ..field });
        }
        check_union(union.name(), plans.len())?;
        let mut schema = Schema { optional: true, ..struct_of(own)?.named(union.name()) };
        schema.parameters.push((TYPE.into(), "oneof".into()));
        Ok((connect_field(union.name(), schema), Member::Union(plans)))
    }

    fn field(&mut self, field: FieldDescriptor) -> Result<(Schema, Field)> {
        self.bounds.count(1)?;
        let kind = field.kind();
        let (mut schema, mut plan) = match kind.as_message().filter(|_| field.is_map()) {
            Some(entry) => self.map(entry)?,
            None => self.single(&field)?,
        };
        if field.is_list() {
            schema = Schema { optional: true, ..Schema::required(SchemaType::Array(Arc::new(schema))) };
            plan = Plan::Array(Box::new(plan));
        }
        let can_be_absent = has_the_word_optional(&field);
        schema.optional |= can_be_absent;
        schema.parameters.push((TAG.into(), field.number().to_string().into()));
        Ok((schema, Field { field, plan, can_be_absent }))
    }

    /// A field that neither repeats nor is a map.
    fn single(&mut self, field: &FieldDescriptor) -> Result<Read> {
        let mut read = match field.kind() {
            Kind::Enum(symbols) => return self.symbols(&symbols),
            Kind::Message(message) => return self.inner_message(field, &message),
            kind => scalar(&kind, || self.metadata(field, "connect.schema")),
        };
        if let Some(name) = other_integer(&field.kind()) {
            read.0.parameters.push((TYPE.into(), name.to_ascii_uppercase().into()));
        }
        Ok(read)
    }

    fn symbols(&mut self, symbols: &EnumDescriptor) -> Result<Read> {
        self.bounds.count(symbols.values().len())?;
        let mut schema = Schema::required(SchemaType::String);
        schema.parameters.push((TYPE.into(), "enum".into()));
        for symbol in symbols.values() {
            schema.parameters.push((format!("PROTOBUF_ENUM_VALUE.{}", symbol.name()).into(), symbol.number().to_string().into()));
        }
        schema.parameters.push(("ENUM_NAME".into(), symbols.full_name().into()));
        Ok((schema, Plan::symbols(symbols)))
    }

    fn inner_message(&mut self, field: &FieldDescriptor, message: &MessageDescriptor) -> Result<Read> {
        Ok(match message.full_name() {
            "google.type.Date" => (logical(LogicalType::Date, SchemaType::Int32), Plan::Date),
            "google.type.TimeOfDay" => (logical(LogicalType::Time, SchemaType::Int32), Plan::Time),
            "google.protobuf.Timestamp" => (logical(LogicalType::Timestamp, SchemaType::Int64), Plan::Timestamp),
            "additionalTypes.Decimal" => {
                let mut schema = logical(LogicalType::Decimal, SchemaType::Bytes);
                let scale = self.metadata(field, SCALE).filter(|scale| scale.parse::<i32>().is_ok());
                schema.parameters.push(("scale".into(), scale.as_deref().unwrap_or("0").into()));
                schema.parameters.extend(scale.map(|scale| (SCALE.into(), scale.into())));
                (schema, Plan::TwoPartDecimal)
            }
            name => self.message(message, name)?,
        })
    }

    fn map(&mut self, entry: &MessageDescriptor) -> Result<Read> {
        let (key, value) = (self.field(entry.map_entry_key_field())?, self.field(entry.map_entry_value_field())?);
        let [keys, values] = [key.0, value.0].map(|schema| Arc::new(Schema { optional: true, ..schema }));
        Ok((Schema::required(SchemaType::Map(keys, values)), Plan::Map(Arc::new((key.1.plan, value.1.plan)))))
    }

    /// What Glue's serializers say of a field under this name.
    fn metadata(&self, field: &FieldDescriptor, name: &str) -> Option<String> {
        let options = field.options();
        let (key, value) = self.compiled.field_metadata.as_ref()?;
        let text = |extension| Some(options.get_extension(extension).as_str()?.to_owned());
        let is_it = options.has_extension(key) && options.has_extension(value) && text(key)? == name;
        if is_it { text(value) } else { None }
    }
}

/// Whether the text says `optional`.
fn has_the_word_optional(field: &FieldDescriptor) -> bool {
    let is_proto2 = field.parent_file().syntax() == Syntax::Proto2;
    let is_optional_of_proto2 = is_proto2 && field.cardinality() == Cardinality::Optional && field.containing_oneof().is_none();
    is_optional_of_proto2 || field.field_descriptor_proto().proto3_optional()
}
