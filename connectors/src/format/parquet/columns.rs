//! The columns of a row group.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use parquet::{
    basic::Type as Physical,
    column::{
        page::{CompressedPage, PageWriteSpec, PageWriter},
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

/// All columns of a row group, in the order of the schema.
pub(super) struct Columns(Vec<Column>);

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
    pub(super) fn new(schema: &SchemaDescriptor, properties: &WriterPropertiesPtr) -> Self {
        Self(schema.columns().iter().map(|column| Column::new(column, properties)).collect())
    }

    /// The values of a column, to push one. `None` where the schema has no such column.
    pub(super) fn values(&mut self, column: usize, levels: Levels) -> Option<&mut Values> {
        let column = self.0.get_mut(column)?;
        column.push_levels(levels);
        Some(&mut column.values)
    }

    /// None of these columns has a value here.
    pub(super) fn push_null(&mut self, columns: &Range<usize>, levels: Levels) {
        self.0.get_mut(columns.clone()).into_iter().flatten().for_each(|column| column.push_levels(levels));
    }

    /// Encodes what was pushed.
    ///
    /// # Errors
    /// Where a column cannot be encoded.
    pub(super) fn encode(&mut self) -> Result<()> {
        self.0.iter_mut().try_for_each(Column::encode)
    }

    /// The chunks, each with what a footer says of it.
    ///
    /// # Errors
    /// Where a column cannot be encoded.
    pub(super) fn finish(self) -> Result<Vec<(Bytes, ColumnCloseResult)>> {
        self.0.into_iter().map(Column::finish).collect()
    }
}

impl Column {
    fn new(description: &ColumnDescPtr, properties: &WriterPropertiesPtr) -> Self {
        let pages = Pages::default();
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

    fn finish(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        self.encode()?;
        let closed = self.writer.close()?;
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

/// The encoded pages of a column chunk. Its writer holds one end; the lock is never waited for.
#[derive(Clone)]
struct Pages(Arc<Mutex<TrackedWrite<Vec<u8>>>>);

impl Default for Pages {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(TrackedWrite::new(Vec::new()))))
    }
}

impl Pages {
    fn take(self) -> Result<Bytes> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = std::mem::replace(&mut *pages, TrackedWrite::new(Vec::new()));
        Ok(pages.into_inner()?.into())
    }
}

impl PageWriter for Pages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        SerializedPageWriter::new(&mut *pages).write_page(page)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
