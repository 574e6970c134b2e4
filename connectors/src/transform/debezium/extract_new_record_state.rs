//! Changes of tables as the rows that they lead to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use connect_api::{
    Error, Header, Plugin, Result, SinkRecord, Transformation,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, List},
    data::{Data, Field, Schema, SchemaType, Value},
};
use tracing::warn;

use super::{
    delete_handling::{self, DeleteHandling, Deletions},
    dropped_fields::{self, DroppedFields},
    envelope::{Envelope, Row, is_envelope},
    field_reference::{self, FieldReference},
};
use crate::transform::{
    operand::{self, REPLACE_NULL_WITH_DEFAULT, field_value},
    schemas::{Derived, no_fields, of_type, with_fields},
    topic_format::LastTopic,
};

static ADD_FIELDS: ConfigKey<List> = ConfigKey::with_default(
    "add.fields",
    "",
    "Fields of the message that are added to the row, such as op, table, source.ts_ms or transaction.id; with a colon and another name behind it, they get \
     that.",
)
.check(|fields| FieldReference::list("", fields).and_then(|fields| field_reference::all_differ(&fields)));
static ADD_FIELDS_PREFIX: ConfigKey<String> =
    ConfigKey::with_default("add.fields.prefix", "__", "What the names of fields that are added begin with.");
static ADD_HEADERS: ConfigKey<List> =
    ConfigKey::with_default("add.headers", "", "Fields of the message that are added as headers, named as in `add.fields`.")
        .check(|fields| FieldReference::list("", fields).map(drop));
static ADD_HEADERS_PREFIX: ConfigKey<String> =
    ConfigKey::with_default("add.headers.prefix", "__", "What the names of headers that are added begin with.");
static ROUTE_BY_FIELD: ConfigKey<String> =
    ConfigKey::with_default("route.by.field", "", "The field of the row whose text becomes the topic. None where it is empty.");

const KEYS: [&dyn AnyConfigKey; 6] =
    [&ROUTE_BY_FIELD, &ADD_FIELDS_PREFIX, &ADD_FIELDS, &ADD_HEADERS_PREFIX, &ADD_HEADERS, &REPLACE_NULL_WITH_DEFAULT];

/// Says in a row whether it is deleted.
const DELETED: &str = "__deleted";

/// Replaces changes of tables by rows. What is no change, also each value without a schema, passes as it is.
pub(crate) struct ExtractNewRecordState {
    handling: DeleteHandling,
    added: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    route_by_field: Option<String>,
    last_topic: LastTopic,
    dropped_fields: Option<DroppedFields>,
    /// Where rows get the field [`DELETED`].
    replaces_null: bool,
    envelopes: Derived<Envelope>,
    /// Schemas of rows with the field [`DELETED`].
    with_deleted: Derived<Arc<Schema>>,
    has_warned: AtomicBool,
}

impl Plugin for ExtractNewRecordState {
    const NAME: &'static str = "io.debezium.transforms.ExtractNewRecordState";
    const DOCUMENTATION: &'static str = "Replaces Debezium's messages of changes by the rows as they are after the change.";

    fn config_def() -> ConfigDef {
        let keys = [&delete_handling::KEYS[..], &KEYS, &dropped_fields::KEYS].concat();
        ConfigDef::new("ExtractNewRecordState", &keys)
    }

    fn configure(config: &Config) -> Result<Self> {
        let handling = DeleteHandling::configure(config)?;
        let list = |prefix: &ConfigKey<String>, list: &ConfigKey<List>| {
            FieldReference::list(&config.get(prefix)?, &config.get(list)?).map_err(Error::config)
        };
        let added = list(&ADD_FIELDS_PREFIX, &ADD_FIELDS)?;
        if handling.deletions == Deletions::Rewrite && added.iter().any(|field| *field.name == *DELETED) {
            let message =
                format!("`add.fields` gives a field the name {DELETED}, which rewritten rows have already: give it another one");
            return Err(Error::config(message));
        }
        Ok(Self {
            handling,
            added,
            headers: list(&ADD_HEADERS_PREFIX, &ADD_HEADERS)?,
            route_by_field: Some(config.get(&ROUTE_BY_FIELD)?).filter(|field| !field.is_empty()),
            last_topic: LastTopic::default(),
            dropped_fields: DroppedFields::configure(config)?,
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            envelopes: Derived::default(),
            with_deleted: Derived::default(),
            has_warned: AtomicBool::new(false),
        })
    }
}

impl Transformation for ExtractNewRecordState {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        if record.is_tombstone() {
            self.add_headers_of_tombstone(&mut record);
            return Ok(self.handling.keeps_tombstones.then_some(record));
        }
        let Some(schema) = record.value.schema.take_if(|schema| is_envelope(schema)) else {
            self.warn_once(&record);
            return Ok(Some(record));
        };
        let fields = schema.fields().ok_or_else(no_fields)?;
        let envelope = self.envelopes.get(&schema, || Ok(Envelope::new(fields, &self.added, &self.headers)))?;
        let (_, mut values) = operand::fields(&schema, std::mem::take(&mut record.value.value), "source field insertion")?;
        for found in &envelope.headers {
            let value = Data::with_schema(Arc::clone(&found.schema), found.value(&values));
            record.headers.push(Header { key: Arc::clone(&found.name), value });
        }
        match (row(&envelope.after, &mut values), &envelope.before) {
            (Some(after), _) => self.upsert(&mut record, &envelope, after, &values)?,
            (None, before) => match row(before, &mut values) {
                None if !self.handling.keeps_truncates => return Ok(None),
                None => record.value = Data::with_schema(schema, Value::Struct(values)),
                Some(before) => {
                    if !self.delete(&mut record, &envelope, before, &values)? {
                        return Ok(None);
                    }
                }
            },
        }
        Ok(Some(record))
    }
}

/// A row of the message; `None` where it has none.
fn row(row: &Option<Row>, values: &mut [Value]) -> Option<Data> {
    let row = row.as_ref()?;
    let value = std::mem::take(values.get_mut(row.at)?);
    (!matches!(value, Value::Null)).then(|| Data::with_schema(Arc::clone(&row.schema), value))
}

impl ExtractNewRecordState {
    /// The record of a row that is there.
    fn upsert(&self, record: &mut SinkRecord, envelope: &Envelope, after: Data, values: &[Value]) -> Result<()> {
        let row = if self.handling.deletions == Deletions::Rewrite { self.rewrite(after, false)? } else { after };
        self.route(record, &row)?;
        record.value = envelope.add_fields(row, values)?;
        self.dropped_fields.as_ref().map_or(Ok(()), |dropped| dropped.apply(record))
    }

    /// The record of a row that is gone; whether there is one.
    fn delete(&self, record: &mut SinkRecord, envelope: &Envelope, before: Data, values: &[Value]) -> Result<bool> {
        let is_rewritten = match self.handling.deletions {
            Deletions::Drop => return Ok(false),
            Deletions::Null | Deletions::Tombstone => false,
            Deletions::Rewrite => true,
        };
        self.route(record, &before)?;
        record.value = match &envelope.after {
            _ if is_rewritten => self.rewrite(before, true)?,
            Some(after) if self.handling.deletions == Deletions::Null => Data::with_schema(Arc::clone(&after.schema), Value::Null),
            _ => Data::default(),
        };
        if let Some(dropped) = &self.dropped_fields {
            dropped.apply(record)?;
        }
        if is_rewritten {
            record.value = envelope.add_fields(std::mem::take(&mut record.value), values)?;
        }
        Ok(true)
    }

    /// The row with a field that says whether it is deleted.
    fn rewrite(&self, row: Data, is_deleted: bool) -> Result<Data> {
        let (Some(schema), Value::Struct(_)) = (&row.schema, &row.value) else { return Ok(row) };
        let schema = Arc::clone(schema);
        let (fields, mut values) = operand::fields(&schema, row.value, "field insertion")?;
        for (field, value) in fields.iter().zip(&mut values) {
            *value = field_value(field, std::mem::take(value), self.replaces_null);
        }
        values.push(Value::String(if is_deleted { "true" } else { "false" }.into()));
        let with_deleted = self.with_deleted.get(&schema, || {
            let deleted = Field { name: DELETED.into(), schema: Arc::new(of_type(SchemaType::String, true)) };
            Ok(Arc::new(with_fields(&schema, fields.iter().cloned().chain([deleted]).collect())?))
        })?;
        Ok(Data::with_schema(Arc::clone(&with_deleted), Value::Struct(values)))
    }

    /// Gives the record the topic that stands in its row.
    fn route(&self, record: &mut SinkRecord, row: &Data) -> Result<()> {
        let (Some(name), Some(fields), Value::Struct(values)) =
            (&self.route_by_field, row.schema.as_ref().and_then(|schema| schema.fields()), &row.value)
        else {
            return Ok(());
        };
        let at = fields.find(name, 0).ok_or_else(|| Error::data(format!("{name} is not a valid field name (`route.by.field`)")))?;
        if fields[at].schema.schema_type != SchemaType::String {
            return Err(Error::data(format!("Field '{name}' is not of type STRING (`route.by.field`)")));
        }
        if let Some(Value::String(topic)) = values.get(at)
            && !topic.trim().is_empty()
        {
            record.topic = self.last_topic.of(topic);
        }
        Ok(())
    }

    /// Of what the message would have, a tombstone has only that it is a deletion.
    fn add_headers_of_tombstone(&self, record: &mut SinkRecord) {
        for header in self.headers.iter().filter(|header| header.field == "op") {
            let schema = Arc::new(Schema::required(SchemaType::String));
            let value = Data::with_schema(schema, Value::String("d".into()));
            record.headers.push(Header { key: Arc::clone(&header.name), value });
        }
    }

    fn warn_once(&self, record: &SinkRecord) {
        if self.has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let (topic_partition, offset) = (record.origin().topic_partition(), record.offset());
        let why = match &record.value.schema {
            None => "it has no schema: Debezium's messages have one with JsonConverter and `schemas.enable`, or with a registry",
            Some(_) => "its schema is not named ….Envelope",
        };
        warn!(%topic_partition, offset, why, "a message is no change of Debezium; such messages pass ExtractNewRecordState as they are (said once)");
    }
}
