//! Avro object container files.

mod attributes;
mod codec;
mod dialect;
mod encode;
mod json_default;
mod schema;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use connect_api::{
    Format, Plugin, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::Schema,
};
use md5::{Digest, Md5};

pub(crate) use self::schema::TYPES;
use self::{
    codec::{CODECS, Codec},
    encode::{write_bytes, write_length},
};
pub(super) use self::{
    dialect::{Dialect, ENHANCED, METADATA, OPTIONAL_KEYS},
    schema::avro_schema,
};
use super::{mismatch::other_schema, typed::Typed};

static CODEC: ConfigKey<Codec> = ConfigKey::with_default("avro.codec", "null", "How the blocks of Avro files are compressed.")
    .one_of(CODECS)
    .importance(Importance::Low);
/// So many bytes of records make a block, before compression.
const BLOCK: usize = 64_000;

/// One object container file; its schema is that of its first record.
#[derive(Debug)]
pub(crate) struct AvroFormat(Avro);

#[derive(Clone, Copy, Debug)]
struct Avro {
    codec: Codec,
    dialect: Dialect,
}

impl Plugin for AvroFormat {
    const NAME: &'static str = "io.confluent.connect.s3.format.avro.AvroFormat";
    const DOCUMENTATION: &'static str = "Avro object container files; the extension is `.avro`. The schema of a file is that of its first record, as Confluent's \
         converter writes it. Records need a schema: plain JSON goes to the dead letter queue. Beyond the JVM's, equal records make equal files: \
         the marker between blocks follows from the first block.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AvroFormat", &[&CODEC, &ENHANCED, &METADATA, &OPTIONAL_KEYS])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self(Avro { codec: config.get(&CODEC)?, dialect: Dialect::configure(config)? }))
    }
}

impl Format for AvroFormat {
    fn extension(&self) -> &str {
        ".avro"
    }

    fn allows_stream_compression(&self) -> bool {
        false
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        let typed = Typed::new(view);
        Ok(Box::new(AvroWriter { avro: self.0, typed, schema: None, records: 0, in_block: 0, marker: None }))
    }
}

struct AvroWriter {
    avro: Avro,
    typed: Typed,
    /// Of the first record, and how the file says it.
    schema: Option<(Arc<Schema>, String)>,
    records: u64,
    /// Records since the last block.
    in_block: usize,
    /// What stands between blocks, once the file has begun.
    marker: Option<[u8; 16]>,
}

impl RecordWriter for AvroWriter {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        let (schema, value) = self.typed.of(record, "AvroFormat")?;
        match &self.schema {
            // Symbols of an enum have numbers in the order of the file's, and equal schemas may have them in another.
            Some((known, _)) if Schema::is_same(known, schema) => self.avro.dialect.encode(known, &value, out)?,
            Some(_) => return Err(other_schema(self.typed.view)),
            None => {
                let text = avro_schema(schema, self.avro.dialect)?.to_string();
                self.avro.dialect.encode(schema, &value, out)?;
                self.schema = Some((Arc::clone(schema), text));
            }
        }
        self.records += 1;
        self.in_block += 1;
        Ok(())
    }

    fn undo(&mut self) {
        self.records -= 1;
        self.in_block -= 1;
        if self.records == 0 {
            self.schema = None;
        }
    }

    fn block_size(&self) -> Option<usize> {
        Some(BLOCK)
    }

    fn write_block(&mut self, records: &[Bytes], out: &mut Vec<u8>) -> Result<()> {
        let Some((_, schema)) = &self.schema else { return Ok(()) };
        let records: Cow<'_, [u8]> = match records {
            [piece] => Cow::Borrowed(piece),
            pieces => Cow::Owned(pieces.concat()),
        };
        let marker = *self.marker.get_or_insert_with(|| {
            let marker = Md5::new().chain_update(schema).chain_update(&records).finalize().into();
            write_header(self.avro.codec, schema, &marker, out);
            marker
        });
        let block = self.avro.codec.compress(&records)?;
        write_length(std::mem::take(&mut self.in_block), out);
        write_bytes(&block, out);
        out.extend_from_slice(&marker);
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        // Records without any byte: there was no block to make of them.
        if self.in_block > 0 { self.write_block(&[], out) } else { Ok(()) }
    }
}

fn write_header(codec: Codec, schema: &str, marker: &[u8; 16], out: &mut Vec<u8>) {
    out.extend_from_slice(b"Obj\x01");
    write_length(2, out);
    for (name, value) in [("avro.schema", schema), ("avro.codec", codec.name())] {
        write_bytes(name.as_bytes(), out);
        write_bytes(value.as_bytes(), out);
    }
    out.push(0);
    out.extend_from_slice(marker);
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::{Data, Fields, SchemaType, Text, Value},
        testing::{format, record_of, record_with},
    };

    use super::*;

    fn configured(settings: &[(&str, &str)]) -> AvroFormat {
        AvroFormat::configure(&settings.iter().copied().collect()).unwrap()
    }

    fn number(value: i32) -> Data {
        Data::with_schema(Arc::new(Schema::required(SchemaType::Int32)), Value::Int32(value))
    }

    fn text(text: &'static str) -> Data {
        Data::with_schema(Schema::optional(SchemaType::String), Value::String(Text::from(text)))
    }

    #[test]
    fn it_keeps_the_contract_for_every_view_and_codec() {
        let good = |value| record_with(text("k"), number(value), &[("h", text("v"))]);
        let null_header = record_with(text("k"), number(2), &[("n", Data::default())]);
        let records =
            [good(1), record_of(Data::schemaless(Value::Int32(1))), null_header, record_of(text("other schema")), good(3)];
        for codec in CODECS {
            for view in [RecordView::Value, RecordView::Key, RecordView::Headers] {
                format::keeps_the_contract(&configured(&[("avro.codec", codec)]), view, &records);
            }
        }
    }

    #[test]
    fn a_file_begins_with_its_schema_and_codec() {
        let mut writer = configured(&[]).record_writer(RecordView::Value).unwrap();
        let (mut block, mut out) = (Vec::new(), Vec::new());
        for value in [1, -1] {
            writer.write(&record_of(number(value)), &mut block).unwrap();
        }
        assert_eq!(block, [2, 1]);
        writer.write_block(&[block.into()], &mut out).unwrap();
        assert!(out.starts_with(b"Obj\x01\x04\x16avro.schema\x0a\"int\"\x14avro.codec\x08null\0"), "{out:?}");
        assert_eq!(out[out.len() - 20..out.len() - 16], [4, 4, 2, 1]);
    }

    #[test]
    fn records_without_any_byte_are_in_the_file() {
        let empty = Arc::new(Schema::required(SchemaType::Struct(Fields::default())));
        let mut writer = configured(&[]).record_writer(RecordView::Value).unwrap();
        let mut records = Vec::new();
        for _ in 0..2 {
            let value = Data::with_schema(Arc::clone(&empty), Value::Struct(Vec::new()));
            writer.write(&record_of(value), &mut records).unwrap();
        }
        let mut file = Vec::new();
        writer.finish(&mut file).unwrap();
        assert!(records.is_empty() && file.starts_with(b"Obj\x01"));
        // Two records in no byte, and the marker.
        assert_eq!(file[file.len() - 18..file.len() - 16], [4, 0]);
    }

    #[test]
    fn a_codec_that_the_jvm_does_not_have_is_refused() {
        let settings: Config = [("avro.codec", "zstandard")].into_iter().collect();
        assert!(AvroFormat::configure(&settings).unwrap_err().to_string().contains("null, deflate, snappy, bzip2"));
    }
}
