//! Parquet files.

mod codec;
mod columns;
mod layout;
mod plan;
mod shred;
mod table;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use connect_api::{
    Error, Format, Plugin, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::Schema,
};
use parquet::{errors::ParquetError, file::writer::SerializedFileWriter};

use self::{
    codec::{CODECS, Codec},
    table::Table,
};
use super::{
    avro::{Dialect, ENHANCED, METADATA, OPTIONAL_KEYS},
    mismatch::other_schema,
    typed::Typed,
};

static CODEC: ConfigKey<Codec> = ConfigKey::with_default(
    "parquet.codec",
    "snappy",
    "How the pages of Parquet files are compressed. It is part of the extension: `.snappy.parquet`. The JVM's `lzo` fails there with the first record, and is not here.",
)
.one_of(CODECS)
.importance(Importance::Low);

/// So many bytes of rows make a row group, before they are encoded. The JVM's default is 128 MiB, all of it in memory.
const ROW_GROUP: usize = 16 * 1024 * 1024;
/// So many values and nulls make a row group, too: a null may take a byte and stand for a thousand columns.
const VALUES_OF_A_GROUP: usize = 32 * 1024 * 1024;
/// What the footer keeps of a column chunk and of a page until the end, roughly.
const FOOTER_OF_CHUNK: usize = 1024;
const FOOTER_OF_PAGE: usize = 200;
/// The schemas that were met last: files come and go much faster than they.
const SHARED: usize = 16;

/// One file of columns; its schema is that of its first record.
#[derive(Debug)]
pub(crate) struct ParquetFormat(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    codec: Codec,
    dialect: Dialect,
    /// Those that were met last come last.
    tables: Mutex<Vec<Arc<Table>>>,
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
        let (codec, dialect) = (config.get(&CODEC)?, Dialect::configure(config)?);
        Ok(Self(Arc::new(Settings { codec, dialect, tables: Mutex::default() })))
    }
}

impl Format for ParquetFormat {
    fn extension(&self) -> &str {
        self.0.codec.extension()
    }

    fn allows_stream_compression(&self) -> bool {
        false
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        let (settings, typed) = (Arc::clone(&self.0), Typed::new(view));
        Ok(Box::new(ParquetWriter { settings, typed, table: None, file: None, records: 0, in_block: 0, footer: 0 }))
    }
}

struct ParquetWriter {
    settings: Arc<Settings>,
    typed: Typed,
    /// That of the first record.
    table: Option<Arc<Table>>,
    /// Once a row group was written.
    file: Option<SerializedFileWriter<Vec<u8>>>,
    records: u64,
    /// Records since the last row group.
    in_block: usize,
    /// What the footer will be made of, in bytes.
    footer: usize,
}

impl RecordWriter for ParquetWriter {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        let (schema, value) = self.typed.of(record, "ParquetFormat")?;
        let dialect = self.settings.dialect;
        match &self.table {
            Some(table) if table.is_of(schema) => dialect.encode(&table.row, &value, out)?,
            Some(_) => return Err(other_schema(self.typed.view)),
            None => {
                let table = self.settings.table(schema, self.typed.view)?;
                dialect.encode(&table.row, &value, out)?;
                self.table = Some(table);
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
            self.table = None;
        }
    }

    fn block_size(&self) -> Option<usize> {
        Some(ROW_GROUP)
    }

    fn is_block(&self) -> bool {
        self.table.as_ref().is_some_and(|table| self.in_block.saturating_mul(table.columns()) >= VALUES_OF_A_GROUP)
    }

    fn write_block(&mut self, records: &[Bytes], out: &mut Vec<u8>) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            file @ None => file.insert(table.begin()?),
        };
        self.footer += table.write_row_group(records, self.in_block, self.settings.codec, file)?;
        self.in_block = 0;
        give(file, out)
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.finish().map_err(failed)?;
        give(file, out)
    }

    fn kept_back(&self) -> usize {
        self.footer
    }
}

impl Settings {
    /// The table of this schema, which is made once.
    ///
    /// # Errors
    /// `Data` where Parquet has no such schema.
    fn table(&self, schema: &Arc<Schema>, view: RecordView) -> Result<Arc<Table>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let table = match tables.iter().rposition(|table| table.view == view && table.is_of(schema)) {
            Some(place) => tables.remove(place),
            None => Arc::new(Table::new(schema, view, self.dialect)?),
        };
        if tables.len() >= SHARED {
            tables.remove(0);
        }
        tables.push(Arc::clone(&table));
        Ok(table)
    }
}

/// Takes what the file has so far, with the memory in which it is.
fn give(file: &mut SerializedFileWriter<Vec<u8>>, out: &mut Vec<u8>) -> Result<()> {
    file.flush().map_err(|error| failed(error.into()))?;
    let mut made = std::mem::take(file.inner_mut());
    if out.is_empty() {
        *out = made;
    } else {
        out.append(&mut made);
    }
    Ok(())
}

fn failed(error: ParquetError) -> Error {
    Error::fatal("a row group of a Parquet file cannot be written").with_source(error)
}
