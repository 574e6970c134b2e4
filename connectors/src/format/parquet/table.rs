//! What all files of one schema share, and how a row group of them is made.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, RecordView, Result,
    data::{Field, Fields, Schema, SchemaType},
};
use parquet::{
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::{SchemaDescPtr, SchemaDescriptor},
};

use super::{FOOTER_OF_CHUNK, FOOTER_OF_PAGE, codec::Codec, columns::Columns, failed, layout::Layout, shred::Rows};
use crate::format::avro::{Dialect, avro_schema};

/// Of a page, before compression; as on the JVM.
const PAGE: usize = 64 * 1024;
/// A dictionary has a table of 80 KiB from its first value on: of more columns, none has one.
const MOST_DICTIONARIES: usize = 500;
/// More columns could exhaust memory.
const MOST_COLUMNS: usize = 20_000;

/// A schema, and all that follows from it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) view: RecordView,
    /// As records have it.
    schema: Arc<Schema>,
    /// The same, never null: how rows are written.
    pub(super) row: Arc<Schema>,
    layout: Layout,
    description: SchemaDescPtr,
    properties: WriterPropertiesPtr,
}

impl Table {
    /// # Errors
    /// `Data` where Parquet has no such schema.
    pub(super) fn new(schema: &Arc<Schema>, view: RecordView, dialect: Dialect) -> Result<Self> {
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
        if avro["type"] != "record" {
            let schema_type = table.schema_type.name();
            let what = format!("Avro schema must be a record. ParquetFormat writes structs, and this is of type {schema_type}");
            return Err(Error::data(what).with_class("java.lang.IllegalArgumentException"));
        }
        let layout = Layout::of(&avro)?;
        let description = Arc::new(SchemaDescriptor::new(Arc::clone(&layout.schema)));
        if description.num_columns() > MOST_COLUMNS {
            let columns = description.num_columns();
            return Err(Error::data(format!(
                "the schema has {columns} columns, and {MOST_COLUMNS} at most are written to Parquet files"
            )));
        }
        let properties = Arc::new(properties(&description, avro.to_string()));
        Ok(Self { view, schema: Arc::clone(schema), row, layout, description, properties })
    }

    /// Whether it is the one of this schema.
    pub(super) fn is_of(&self, schema: &Arc<Schema>) -> bool {
        Schema::is_same(&self.schema, schema)
    }

    pub(super) fn columns(&self) -> usize {
        self.description.num_columns()
    }

    /// Begins a file.
    ///
    /// # Errors
    /// `Fatal` where it cannot be begun.
    pub(super) fn begin(&self) -> Result<SerializedFileWriter<Vec<u8>>> {
        let schema = Arc::clone(&self.layout.schema);
        SerializedFileWriter::new(Vec::new(), schema, Arc::clone(&self.properties)).map_err(failed)
    }

    /// Returns how many bytes the file keeps of it until its end.
    ///
    /// # Errors
    /// `Fatal` where the rows are not as many as were written, or cannot be encoded.
    pub(super) fn write_row_group(
        &self,
        records: &[Bytes],
        rows: usize,
        codec: Codec,
        file: &mut SerializedFileWriter<Vec<u8>>,
    ) -> Result<usize> {
        let mut columns = Columns::new(&self.description, &self.properties, codec).map_err(failed)?;
        let mut found = 0;
        for piece in records {
            let mut left = Rows::new(piece);
            while !left.is_at_end() {
                left.shred(&self.layout.plan, &mut columns)?;
                columns.end_row().map_err(failed)?;
                found += 1;
            }
        }
        if found != rows {
            return Err(Error::fatal(format!("an open Parquet file has {found} rows where {rows} were written")));
        }
        let mut row_group = file.next_row_group().map_err(failed)?;
        let mut footer = 0;
        for (chunk, closed) in columns.finish().map_err(failed)? {
            let pages = closed.offset_index.as_ref().map_or(0, |index| index.page_locations.len());
            footer += FOOTER_OF_CHUNK + pages * FOOTER_OF_PAGE;
            row_group.append_column(&chunk, closed).map_err(failed)?;
        }
        row_group.close().map_err(failed)?;
        Ok(footer)
    }
}

/// How files are written; `avro` is what they say of their schema.
fn properties(description: &SchemaDescriptor, avro: String) -> WriterProperties {
    let says = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
    // Pages are compressed by us, see `Columns`.
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_data_page_size_limit(PAGE)
        .set_dictionary_enabled(description.num_columns() <= MOST_DICTIONARIES)
        .set_key_value_metadata(Some(vec![says("writer.model.name", "avro".to_owned()), says("parquet.avro.schema", avro)]));
    // The library takes a page of lists with as many nulls as rows for one without any value.
    for column in description.columns().iter().filter(|column| column.max_rep_level() > 0) {
        properties = properties.set_column_statistics_enabled(column.path().clone(), EnabledStatistics::Chunk);
    }
    properties.build()
}

/// A struct of one field, with this name.
fn around(name: &str, field: &str, schema: &Arc<Schema>) -> Arc<Schema> {
    let field = Field { name: field.into(), schema: Arc::clone(schema) };
    Arc::new(Schema::required(SchemaType::Struct(Fields::new(vec![field]).unwrap_or_default())).named(name))
}
