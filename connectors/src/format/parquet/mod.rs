//! Parquet files.

mod codec;
mod columns;
mod layout;
mod plan;
mod shred;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, Format, Plugin, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::{Data, Field, Fields, Schema, SchemaType, Value},
};
use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
};

use self::{
    codec::{CODECS, Codec},
    columns::Columns,
    layout::Layout,
    shred::Rows,
};
use super::{
    avro::{Dialect, ENHANCED, METADATA, OPTIONAL_KEYS, avro_schema},
    headers::{headers_schema, headers_value},
};

static CODEC: ConfigKey<Codec> = ConfigKey::with_default(
    "parquet.codec",
    "snappy",
    "How the pages of Parquet files are compressed. It is part of the extension: `.snappy.parquet`. `lzo` is refused.",
)
.one_of(CODECS)
.importance(Importance::Low);

/// So many bytes of rows make a row group, before they are encoded. The JVM's default is 128 MiB, all of it in memory.
const ROW_GROUP: usize = 16 * 1024 * 1024;
/// Of a page, before compression; as on the JVM.
const PAGE: usize = 64 * 1024;
/// So many bytes of rows are in columns that are not encoded yet.
const ROWS_AT_ONCE: usize = 256 * 1024;
/// What the footer keeps of a column chunk until the end, roughly.
const FOOTER_OF_CHUNK: usize = 1024;

/// One file of columns; its schema is that of its first record.
#[derive(Debug)]
pub(crate) struct ParquetFormat {
    codec: Codec,
    compression: Compression,
    dialect: Dialect,
}

impl Plugin for ParquetFormat {
    const NAME: &'static str = "io.confluent.connect.s3.format.parquet.ParquetFormat";
    const DOCUMENTATION: &'static str = "Parquet files; the extension says the codec: `.snappy.parquet`. The schema of a file is that of its first record, as Confluent's \
         converter and Parquet's library for Avro make it: lists have two levels, and three where some list of the schema can hold null. Values must \
         be structs with a schema; others go to the dead letter queue. A row group is 16 MiB of rows before they are encoded.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ParquetFormat", &[&CODEC, &ENHANCED, &METADATA, &OPTIONAL_KEYS])
    }

    fn configure(config: &Config) -> Result<Self> {
        let codec = config.get(&CODEC)?;
        Ok(Self { codec, compression: codec.compression()?, dialect: Dialect::configure(config)? })
    }
}

impl Format for ParquetFormat {
    fn extension(&self) -> &str {
        self.codec.extension()
    }

    fn allows_stream_compression(&self) -> bool {
        false
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        let headers = if view == RecordView::Headers { Some(headers_schema()) } else { None };
        let (compression, dialect) = (self.compression, self.dialect);
        Ok(Box::new(ParquetWriter { compression, dialect, view, headers, begun: None, records: 0, in_block: 0 }))
    }
}

struct ParquetWriter {
    compression: Compression,
    dialect: Dialect,
    view: RecordView,
    /// Of a file of headers.
    headers: Option<Arc<Schema>>,
    begun: Option<Begun>,
    records: u64,
    /// Records since the last row group.
    in_block: usize,
}

/// What the first record decides.
struct Begun {
    /// As records have it.
    schema: Arc<Schema>,
    /// The same, never null: how rows are written.
    row: Arc<Schema>,
    layout: Layout,
    /// What the file says of its schema.
    avro: String,
    /// Once a row group was written.
    file: Option<SerializedFileWriter<Vec<u8>>>,
}

impl RecordWriter for ParquetWriter {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        match (self.view, self.headers.clone()) {
            (RecordView::Headers, Some(schema)) => self.append(&schema, &headers_value(&record.headers)?, out),
            (RecordView::Key, _) => self.append_data(&record.key, "key", out),
            _ => self.append_data(&record.value, "value", out),
        }
    }

    fn undo(&mut self) {
        self.records -= 1;
        self.in_block -= 1;
        if self.records == 0 {
            self.begun = None;
        }
    }

    fn block_size(&self) -> Option<usize> {
        Some(ROW_GROUP)
    }

    fn write_block(&mut self, records: &[Bytes], out: &mut Vec<u8>) -> Result<()> {
        let Some(begun) = &mut self.begun else { return Ok(()) };
        begun.write_row_group(records, self.in_block, self.compression)?;
        self.in_block = 0;
        begun.give(out)
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        let Some(mut begun) = self.begun else { return Ok(()) };
        if let Some(file) = &mut begun.file {
            file.finish().map_err(failed)?;
        }
        begun.give(out)
    }

    fn kept_back(&self) -> usize {
        let file = self.begun.as_ref().and_then(|begun| begun.file.as_ref());
        file.map_or(0, |file| file.flushed_row_groups().len() * file.schema_descr().num_columns() * FOOTER_OF_CHUNK)
    }
}

impl ParquetWriter {
    fn append_data(&mut self, data: &Data, what: &str, out: &mut Vec<u8>) -> Result<()> {
        let Some(schema) = &data.schema else {
            return Err(Error::data(format!(
                "ParquetFormat needs a schema, and the {what} has none: use a converter that reads one"
            )));
        };
        self.append(schema, &data.value, out)
    }

    fn append(&mut self, schema: &Arc<Schema>, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match &self.begun {
            Some(begun) if Schema::is_same(&begun.schema, schema) => self.dialect.encode(&begun.row, value, out)?,
            Some(_) => return Err(Error::data("the record has another schema than its file")),
            None => {
                let begun = Begun::new(schema, self.view, self.dialect)?;
                self.dialect.encode(&begun.row, value, out)?;
                self.begun = Some(begun);
            }
        }
        self.records += 1;
        self.in_block += 1;
        Ok(())
    }
}

impl Begun {
    /// # Errors
    /// `Data` where Parquet has no such schema.
    fn new(schema: &Arc<Schema>, view: RecordView, dialect: Dialect) -> Result<Self> {
        let (row, table) = match view {
            // A row cannot be null: what is around it would have to say so.
            RecordView::Value if schema.optional => {
                let row = Arc::new(Schema { optional: false, ..Schema::clone(schema) });
                (Arc::clone(&row), row)
            }
            RecordView::Value => (Arc::clone(schema), Arc::clone(schema)),
            // The fields of a struct follow each other, so that of its only field is the row itself.
            RecordView::Key => (Arc::clone(schema), around("RecordKey", "key", schema)),
            RecordView::Headers => (Arc::clone(schema), around("RecordHeaders", "headers", schema)),
        };
        let avro = avro_schema(&table, dialect)?;
        Ok(Self { schema: Arc::clone(schema), row, layout: Layout::of(&avro)?, avro: avro.to_string(), file: None })
    }

    /// # Errors
    /// `Fatal` where the rows are not as many as were written, or cannot be encoded.
    fn write_row_group(&mut self, records: &[Bytes], rows: usize, compression: Compression) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            file @ None => file.insert(begin(&self.layout, &self.avro, compression)?),
        };
        let mut columns = Columns::new(file.schema_descr(), file.properties());
        let mut found = 0;
        for piece in records {
            let (mut left, mut encoded) = (Rows::new(piece), 0);
            while !left.is_at_end() {
                left.shred(&self.layout.plan, &mut columns)?;
                found += 1;
                if left.at() - encoded >= ROWS_AT_ONCE {
                    columns.encode().map_err(failed)?;
                    encoded = left.at();
                }
            }
        }
        if found != rows {
            return Err(Error::fatal(format!("an open Parquet file has {found} rows where {rows} were written")));
        }
        let mut row_group = file.next_row_group().map_err(failed)?;
        for (chunk, closed) in columns.finish().map_err(failed)? {
            row_group.append_column(&chunk, closed).map_err(failed)?;
        }
        row_group.close().map_err(failed)?;
        Ok(())
    }

    /// Moves what the file has so far into `out`.
    fn give(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.flush().map_err(|error| failed(error.into()))?;
        out.append(file.inner_mut());
        Ok(())
    }
}

fn begin(layout: &Layout, avro: &str, compression: Compression) -> Result<SerializedFileWriter<Vec<u8>>> {
    let says = |key: &str, value: &str| KeyValue { key: key.to_owned(), value: Some(value.to_owned()) };
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(compression)
        .set_data_page_size_limit(PAGE)
        .set_key_value_metadata(Some(vec![says("writer.model.name", "avro"), says("parquet.avro.schema", avro)]))
        .build();
    SerializedFileWriter::new(Vec::new(), Arc::clone(&layout.schema), Arc::new(properties)).map_err(failed)
}

/// A struct of one field, with this name.
fn around(name: &str, field: &str, schema: &Arc<Schema>) -> Arc<Schema> {
    let field = Field { name: field.into(), schema: Arc::clone(schema) };
    Arc::new(Schema::required(SchemaType::Struct(Fields::new(vec![field]).unwrap_or_default())).named(name))
}

fn failed(error: ParquetError) -> Error {
    Error::fatal("a row group of a Parquet file cannot be written").with_source(error)
}
