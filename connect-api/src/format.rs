//! Records to the bytes of a file.

use bytes::Bytes;

use crate::{Result, SinkRecord};

/// Which part of a record a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordView {
    /// The value: the file itself.
    Value,
    /// The key: the file with `.keys` before its extension.
    Key,
    /// The headers: the file with `.headers` before its extension.
    Headers,
}

impl RecordView {
    /// What stands before the extension.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Value => "",
            Self::Key => ".keys",
            Self::Headers => ".headers",
        }
    }
}

/// A file format.
pub trait Format: Send + Sync {
    /// The extension with its dot, without that of a stream compression: `.json`.
    fn extension(&self) -> &str;

    /// Whether `s3.compression.type` may compress the file as a whole.
    fn allows_stream_compression(&self) -> bool;

    /// Begins a file.
    ///
    /// # Errors
    /// `Data` where the format cannot hold this view.
    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>>;
}

/// Writes one file.
pub trait RecordWriter: Send {
    /// Appends the record's bytes to `out`. May keep bytes back until later calls.
    ///
    /// # Errors
    /// `Data` where the record cannot be written: the writer is as before the call, and the caller cuts `out` back to the
    /// length it had.
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()>;

    /// Takes back the last record: another file of its group could not take it. Called at most once after a call of [`RecordWriter::write`] that
    /// succeeded, before any other; the caller cuts `out` back to the length it had. A writer that appends every record whole has nothing to do.
    fn undo(&mut self) {}

    /// Appends what was kept back as far as the format lets the file go on after it: memory is tight. A writer that keeps nothing back has nothing to do.
    ///
    /// # Errors
    /// `Fatal` where the file cannot be completed any more.
    fn flush(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    /// Of a format whose files are made of blocks: how many bytes of records make one. Then what [`RecordWriter::write`] appends is kept together until there
    /// is so much, and goes into the file by [`RecordWriter::write_block`]; meanwhile it may lie on disk.
    fn block_size(&self) -> Option<usize> {
        None
    }

    /// Whether the records since the last block make one, however few bytes they have. Follows from the records alone.
    fn is_block(&self) -> bool {
        false
    }

    /// Appends the block of these records: all that was written since the last one, in order, each whole in one of the pieces. Before the end of the file a last
    /// block may be smaller; an empty one is not written.
    ///
    /// # Errors
    /// `Fatal` where the file cannot be completed any more.
    fn write_block(&mut self, records: &[Bytes], out: &mut Vec<u8>) -> Result<()> {
        records.iter().for_each(|piece| out.extend_from_slice(piece));
        Ok(())
    }

    /// Appends what was kept back. The file is complete.
    ///
    /// # Errors
    /// `Fatal` where the file cannot be completed.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()>;

    /// Bytes kept back, for the memory budget.
    fn kept_back(&self) -> usize {
        0
    }
}
