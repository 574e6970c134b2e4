//! Avro files, read by another library than the one that is tested.

use apache_avro::{Reader, types::Value};
use serde_json::Value as Json;

/// Whether two files have the same schema, codec and records; where their blocks end may differ.
pub(super) fn same(ours: &[u8], theirs: &[u8]) -> Result<(), String> {
    let (ours_header, theirs_header) = (header(ours)?, header(theirs)?);
    if ours_header != theirs_header {
        return Err(format!("header {ours_header:?} instead of {theirs_header:?}"));
    }
    let (ours, theirs) = (records(ours)?, records(theirs)?);
    if ours == theirs { Ok(()) } else { Err(format!("{ours:?} instead of {theirs:?}")) }
}

fn records(file: &[u8]) -> Result<Vec<Value>, String> {
    let records = Reader::new(file).and_then(|reader| reader.collect::<Result<_, _>>());
    records.map_err(|error| error.to_string())
}

/// The schema and the codec, as the file says them.
fn header(file: &[u8]) -> Result<(Json, String), String> {
    let mut rest = file.strip_prefix(b"Obj\x01").ok_or("no Avro file")?;
    let mut entries = std::collections::BTreeMap::new();
    for _ in 0..long(&mut rest) {
        let name = text(&mut rest);
        entries.insert(name, text(&mut rest));
    }
    let schema = serde_json::from_str(&entries["avro.schema"]).map_err(|error| error.to_string())?;
    Ok((schema, entries["avro.codec"].clone()))
}

fn long(rest: &mut &[u8]) -> i64 {
    let (mut number, mut shift) = (0_u64, 0);
    while let Some((byte, behind)) = rest.split_first() {
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn text(rest: &mut &[u8]) -> String {
    let length = usize::try_from(long(rest)).expect("a length");
    let (text, behind) = rest.split_at(length);
    *rest = behind;
    String::from_utf8(text.to_vec()).expect("UTF-8")
}
