//! The columns of a row group.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use parquet::{
    basic::Type as Physical,
    column::{
        page::{CompressedPage, Page, PageWriteSpec, PageWriter},
        writer::{ColumnCloseResult, ColumnWriter, get_column_writer},
    },
    data_type::{ByteArray, FixedLenByteArray},
    errors::{ParquetError, Result},
    file::{
        properties::WriterPropertiesPtr,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::{ColumnDescPtr, SchemaDescriptor},
};

use super::codec::{Codec, Compressor};

/// So many values and nulls wait at most, of all columns together, until they are encoded; the rest of a row comes on top.
const WAITING: usize = 64 * 1024;

/// All columns of a row group, in the order of the schema.
pub(super) struct Columns {
    columns: Vec<Column>,
    codec: Codec,
    /// Values and nulls that are not encoded.
    waiting: usize,
}

/// A column chunk: what has been encoded, and behind it values that have not.
struct Column {
    values: Values,
    /// One for each value and each null, where the column can be without a value.
    definition: Vec<i16>,
    /// One for each value and each null, where the column repeats.
    repetition: Vec<i16>,
    is_optional: bool,
    is_repeated: bool,
    writer: ColumnWriter<'static>,
    pages: Pages,
}

pub(super) enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

/// Where a value stands among the repetitions and the optional types around it.
#[derive(Clone, Copy)]
pub(super) struct Levels {
    pub(super) repetition: i16,
    pub(super) definition: i16,
}

impl Columns {
    /// # Errors
    /// Where the codec has no memory.
    pub(super) fn new(schema: &SchemaDescriptor, properties: &WriterPropertiesPtr, codec: Codec) -> Result<Self> {
        let compressor = Arc::new(Mutex::new(Compressor::new(codec)?));
        let column = |column| Column::new(column, properties, &compressor);
        Ok(Self { columns: schema.columns().iter().map(column).collect(), codec, waiting: 0 })
    }

    /// The values of a column, to push one. `None` where the schema has no such column.
    pub(super) fn values(&mut self, column: usize, levels: Levels) -> Option<&mut Values> {
        let column = self.columns.get_mut(column)?;
        column.push_levels(levels);
        self.waiting += 1;
        Some(&mut column.values)
    }

    /// None of these columns has a value here.
    pub(super) fn push_null(&mut self, columns: &Range<usize>, levels: Levels) {
        let columns = self.columns.get_mut(columns.clone()).unwrap_or_default();
        self.waiting += columns.len();
        columns.iter_mut().for_each(|column| column.push_levels(levels));
    }

    /// A row is complete: encodes what was pushed where it is enough. Where that is depends on the rows alone, and so do the pages.
    ///
    /// # Errors
    /// Where a column cannot be encoded.
    pub(super) fn end_row(&mut self) -> Result<()> {
        if self.waiting < WAITING {
            return Ok(());
        }
        self.waiting = 0;
        self.columns.iter_mut().try_for_each(Column::encode)
    }

    /// The chunks, each with what a footer says of it.
    ///
    /// # Errors
    /// Where a column cannot be encoded.
    pub(super) fn finish(self) -> Result<Vec<(Bytes, ColumnCloseResult)>> {
        let codec = self.codec;
        self.columns.into_iter().map(|column| column.finish(codec)).collect()
    }
}

impl Column {
    fn new(description: &ColumnDescPtr, properties: &WriterPropertiesPtr, compressor: &Arc<Mutex<Compressor>>) -> Self {
        let pages = Pages { written: Arc::new(Mutex::new(TrackedWrite::new(Vec::new()))), compressor: Arc::clone(compressor) };
        Self {
            values: Values::of(description.physical_type()),
            definition: Vec::new(),
            repetition: Vec::new(),
            is_optional: description.max_def_level() > 0,
            is_repeated: description.max_rep_level() > 0,
            writer: get_column_writer(Arc::clone(description), Arc::clone(properties), Box::new(pages.clone())),
            pages,
        }
    }

    fn push_levels(&mut self, levels: Levels) {
        if self.is_optional {
            self.definition.push(levels.definition);
        }
        if self.is_repeated {
            self.repetition.push(levels.repetition);
        }
    }

    fn encode(&mut self) -> Result<()> {
        let definition = self.is_optional.then_some(&*self.definition);
        let repetition = self.is_repeated.then_some(&*self.repetition);
        macro_rules! write {
            ($writer:expr, $values:expr) => {{
                $writer.write_batch($values, definition, repetition)?;
                $values.clear();
            }};
        }
        match (&mut self.writer, &mut self.values) {
            (ColumnWriter::BoolColumnWriter(writer), Values::Boolean(values)) => write!(writer, values),
            (ColumnWriter::Int32ColumnWriter(writer), Values::Int32(values)) => write!(writer, values),
            (ColumnWriter::Int64ColumnWriter(writer), Values::Int64(values)) => write!(writer, values),
            (ColumnWriter::FloatColumnWriter(writer), Values::Float(values)) => write!(writer, values),
            (ColumnWriter::DoubleColumnWriter(writer), Values::Double(values)) => write!(writer, values),
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Bytes(values)) => write!(writer, values),
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), Values::Fixed(values)) => write!(writer, values),
            _ => return Err(ParquetError::General("a column has values of another type".to_owned())),
        }
        self.definition.clear();
        self.repetition.clear();
        Ok(())
    }

    fn finish(mut self, codec: Codec) -> Result<(Bytes, ColumnCloseResult)> {
        self.encode()?;
        let mut closed = self.writer.close()?;
        // The writer knows nothing of it.
        closed.metadata = closed.metadata.into_builder().set_compression(codec.compression()).build()?;
        Ok((self.pages.take()?, closed))
    }
}

impl Values {
    fn of(physical: Physical) -> Self {
        match physical {
            Physical::BOOLEAN => Self::Boolean(Vec::new()),
            Physical::INT32 => Self::Int32(Vec::new()),
            Physical::INT64 => Self::Int64(Vec::new()),
            Physical::FLOAT => Self::Float(Vec::new()),
            Physical::DOUBLE => Self::Double(Vec::new()),
            Physical::FIXED_LEN_BYTE_ARRAY => Self::Fixed(Vec::new()),
            Physical::BYTE_ARRAY | Physical::INT96 => Self::Bytes(Vec::new()),
        }
    }
}

/// The encoded pages of a column chunk. Its writer holds one end; the locks are never waited for.
#[derive(Clone)]
struct Pages {
    written: Arc<Mutex<TrackedWrite<Vec<u8>>>>,
    compressor: Arc<Mutex<Compressor>>,
}

impl Pages {
    fn take(self) -> Result<Bytes> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = std::mem::replace(&mut *written, TrackedWrite::new(Vec::new()));
        Ok(written.into_inner()?.into())
    }

    fn compressed(&self, page: CompressedPage) -> Result<CompressedPage> {
        let compressed = self.compressor.lock().unwrap_or_else(PoisonError::into_inner).compress(page.data())?;
        let Some(compressed) = compressed.map(Bytes::from) else { return Ok(page) };
        let mut inner = page.compressed_page().clone();
        match &mut inner {
            Page::DataPage { buf, .. } | Page::DataPageV2 { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = compressed,
        }
        Ok(CompressedPage::new(inner, page.uncompressed_size()))
    }
}

impl PageWriter for Pages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec> {
        let page = self.compressed(page)?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        SerializedPageWriter::new(&mut *written).write_page(page)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
