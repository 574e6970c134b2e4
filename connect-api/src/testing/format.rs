//! The contract of [`Format`]: one function per clause.

use bytes::Bytes;

use crate::{ErrorKind, Format, RecordView, RecordWriter, SinkRecord};

/// Every clause, for one view and some records. At least one of them should be refused where the format refuses any.
///
/// # Panics
/// Where a clause does not hold.
pub fn keeps_the_contract(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    what_is_in_the_buffer_already_is_kept(format, view, records);
    equal_records_make_equal_files(format, view, records);
    refused_records_are_data_errors(format, view, records);
    a_refused_record_leaves_no_trace(format, view, records);
    a_block_is_the_same_in_one_piece_and_in_many(format, view, records);
    a_new_file_keeps_nothing_back(format, view);
}

/// Records are appended.
///
/// # Panics
/// Where the bytes before them changed.
pub fn what_is_in_the_buffer_already_is_kept(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    let after = file_after(b"before", format, view, records);
    assert_eq!(after.strip_prefix(b"before"), Some(&*file(format, view, records)));
}

/// A file depends on its records and on nothing else.
///
/// # Panics
/// Where two files of the same records differ.
pub fn equal_records_make_equal_files(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    let copies: Vec<_> = records.to_vec();
    assert_eq!(file(format, view, records), file(format, view, &copies));
}

/// A record that cannot be written is at fault itself.
///
/// # Panics
/// Where the error is of another kind.
pub fn refused_records_are_data_errors(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    for record in records {
        let Some(mut writer) = writer(format, view) else { return };
        let kind = writer.write(record, &mut Vec::new()).err().map(|error| error.kind());
        assert!(matches!(kind, None | Some(ErrorKind::Data)), "{record:?} failed as {kind:?}");
    }
}

/// After an error, and once the buffer is cut back, the file is as if the record had never come.
///
/// # Panics
/// Where a file with refused records differs from one without them.
pub fn a_refused_record_leaves_no_trace(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    let accepted = |record: &&SinkRecord| {
        let writer = writer(format, view);
        writer.is_some_and(|mut writer| writer.write(record, &mut Vec::new()).is_ok())
    };
    let good: Vec<_> = records.iter().filter(accepted).cloned().collect();
    assert_eq!(file(format, view, records), file(format, view, &good));
}

/// In how many pieces a block comes says nothing of its records.
///
/// # Panics
/// Where the file of a block in one piece is another one than that of the same block in several.
pub fn a_block_is_the_same_in_one_piece_and_in_many(format: &dyn Format, view: RecordView, records: &[SinkRecord]) {
    let file_of = |is_one_piece: bool| {
        let mut writer = writer(format, view)?;
        writer.block_size()?;
        let (mut pieces, mut out) = (Vec::new(), Vec::new());
        for record in records {
            let mut piece = Vec::new();
            append(&mut *writer, record, &mut piece);
            pieces.push(Bytes::from(piece));
        }
        if is_one_piece {
            pieces = vec![pieces.concat().into()];
        }
        let is_empty = pieces.iter().all(Bytes::is_empty);
        assert!(is_empty || writer.write_block(&pieces, &mut out).is_ok());
        assert!(writer.finish(&mut out).is_ok());
        Some(out)
    };
    assert_eq!(file_of(true), file_of(false));
}

/// [`RecordWriter::kept_back`] tells what records left behind, so it begins at nothing.
///
/// # Panics
/// Where a file without records has kept something back.
pub fn a_new_file_keeps_nothing_back(format: &dyn Format, view: RecordView) {
    assert_eq!(writer(format, view).map_or(0, |writer| writer.kept_back()), 0);
}

/// The file of these records; those that are refused are left out as the caller does it.
fn file(format: &dyn Format, view: RecordView, records: &[SinkRecord]) -> Vec<u8> {
    file_after(b"", format, view, records)
}

/// The same behind other bytes. Blocks are as small as can be.
fn file_after(before: &[u8], format: &dyn Format, view: RecordView, records: &[SinkRecord]) -> Vec<u8> {
    let mut out = before.to_vec();
    let Some(mut writer) = writer(format, view) else { return out };
    for record in records {
        if writer.block_size().is_none() {
            append(&mut *writer, record, &mut out);
            continue;
        }
        let mut block = Vec::new();
        append(&mut *writer, record, &mut block);
        assert!(block.is_empty() || writer.write_block(&[block.into()], &mut out).is_ok());
    }
    assert!(writer.finish(&mut out).is_ok());
    out
}

fn append(writer: &mut dyn RecordWriter, record: &SinkRecord, out: &mut Vec<u8>) {
    let len = out.len();
    if writer.write(record, out).is_err() {
        out.truncate(len);
    }
}

/// A writer, or `None` where the format does not hold this view at all.
fn writer(format: &dyn Format, view: RecordView) -> Option<Box<dyn RecordWriter>> {
    let writer = format.record_writer(view);
    let kind = writer.as_ref().err().map(|error| error.kind());
    assert!(matches!(kind, None | Some(ErrorKind::Data)), "{view:?} failed as {kind:?}");
    writer.ok()
}
