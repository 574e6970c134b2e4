//! Bytes as they are, with a separator after each record.

use std::sync::Arc;

use connect_api::{
    Error, Format, Plugin, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::{Data, SchemaType, Value},
};

static EXTENSION: ConfigKey<String> =
    ConfigKey::with_default("format.bytearray.extension", ".bin", "The extension of files, with its dot.")
        .importance(Importance::Low);

static SEPARATOR: ConfigKey<String> =
    ConfigKey::with_default("format.bytearray.separator", "\n", "What is written after each record, taken as it stands.")
        .importance(Importance::Low)
        .raw();

/// The bytes of each record and a separator.
#[derive(Debug)]
pub(crate) struct ByteArrayFormat {
    extension: String,
    separator: Arc<[u8]>,
}

impl Plugin for ByteArrayFormat {
    const NAME: &'static str = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
    const DOCUMENTATION: &'static str = "The bytes of each record as they are, with a separator after each.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ByteArrayFormat", &[&EXTENSION, &SEPARATOR])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { extension: config.get(&EXTENSION)?, separator: Arc::from(config.get(&SEPARATOR)?.into_bytes()) })
    }
}

impl Format for ByteArrayFormat {
    fn extension(&self) -> &str {
        &self.extension
    }

    fn allows_stream_compression(&self) -> bool {
        true
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        Ok(Box::new(ByteArrayWriter { view, separator: self.separator.clone() }))
    }
}

struct ByteArrayWriter {
    view: RecordView,
    separator: Arc<[u8]>,
}

impl RecordWriter for ByteArrayWriter {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        let bytes = match self.view {
            RecordView::Value => bytes_of(&record.value)?,
            RecordView::Key => bytes_of(&record.key)?,
            RecordView::Headers => return Err(Error::data("Invalid schema type for ByteArrayConverter: ARRAY")),
        };
        out.extend_from_slice(bytes);
        out.extend_from_slice(&self.separator);
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

fn bytes_of(data: &Data) -> Result<&[u8]> {
    if let Some(schema) = data.schema.as_ref().filter(|schema| schema.schema_type != SchemaType::Bytes) {
        let schema_type = schema.schema_type.name();
        return Err(Error::data(format!("Invalid schema type for ByteArrayConverter: {schema_type}")));
    }
    match &data.value {
        Value::Bytes(bytes) => Ok(bytes),
        other => {
            let class = other.type_name();
            Err(Error::data(format!("ByteArrayConverter is not compatible with objects of type class {class}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use connect_api::{
        data::{JsonText, Schema, Text},
        testing::{format, record_of, record_with},
    };

    use super::*;

    fn format_with(config: &[(&str, &str)]) -> ByteArrayFormat {
        ByteArrayFormat::configure(&config.iter().copied().collect()).unwrap()
    }

    fn written(format: &ByteArrayFormat, view: RecordView, record: &SinkRecord) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        format.record_writer(view).unwrap().write(record, &mut out)?;
        Ok(out)
    }

    fn bytes(bytes: &'static [u8]) -> Data {
        Data::with_schema(Schema::optional(SchemaType::Bytes), Value::Bytes(Bytes::from_static(bytes)))
    }

    fn text() -> Data {
        Data::with_schema(Schema::optional(SchemaType::String), Value::String(Text::from("text")))
    }

    #[test]
    fn it_keeps_the_contract_for_every_view() {
        let records = [record_with(bytes(b"k"), bytes(b"v\n"), &[]), record_of(text()), record_of(bytes(b""))];
        for view in [RecordView::Value, RecordView::Key, RecordView::Headers] {
            format::keeps_the_contract(&format_with(&[]), view, &records);
        }
    }

    #[test]
    fn a_line_feed_follows_each_record_unless_configured() {
        let record = record_with(bytes(b"key"), bytes(b"\0\xff"), &[]);
        assert_eq!(written(&format_with(&[]), RecordView::Value, &record).unwrap(), b"\0\xff\n");
        let pipes = format_with(&[("format.bytearray.separator", " || "), ("format.bytearray.extension", " .raw ")]);
        assert_eq!(written(&pipes, RecordView::Key, &record).unwrap(), b"key || ");
        assert_eq!(pipes.extension(), ".raw");
        assert_eq!(written(&format_with(&[]), RecordView::Value, &record_of(bytes(b""))).unwrap(), b"\n");
    }

    #[test]
    fn anything_but_bytes_is_refused_with_the_message_of_the_jvm() {
        let message = |value: Data| written(&format_with(&[]), RecordView::Value, &record_of(value)).unwrap_err().to_string();
        let object = JsonText::parse(&Bytes::from_static(b"{\"a\":1}")).unwrap().unwrap();
        assert_eq!(message(text()), "Invalid schema type for ByteArrayConverter: STRING");
        assert_eq!(
            message(Data::schemaless(Value::Json(object))),
            "ByteArrayConverter is not compatible with objects of type class java.util.HashMap"
        );
    }

    #[test]
    fn headers_are_always_refused() {
        let record = record_with(bytes(b"k"), bytes(b"v"), &[("h", bytes(b"x"))]);
        let error = written(&format_with(&[]), RecordView::Headers, &record).unwrap_err();
        assert_eq!(error.to_string(), "Invalid schema type for ByteArrayConverter: ARRAY");
    }
}
