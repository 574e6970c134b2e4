//! Parquet files, ours and the JVM's, read by the same reader.

use std::collections::BTreeMap;

use bytes::Bytes;
use parquet::{
    basic::Compression,
    file::reader::{FileReader, SerializedFileReader},
    record::Row,
    schema::printer::print_schema,
};
use serde_json::Value as Json;

/// Whether two files have the same schema, codec, words in the footer and rows; where their pages and row groups end may differ.
pub(super) fn same(ours: &[u8], theirs: &[u8]) -> Result<(), String> {
    let (ours, theirs) = (read(ours)?, read(theirs)?);
    let differs = |what: &str, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug| {
        Err(format!("{what} {ours:?} instead of {theirs:?}"))
    };
    if ours.schema != theirs.schema {
        return Err(format!("schema\n{}instead of\n{}", ours.schema, theirs.schema));
    }
    if ours.footer != theirs.footer {
        return differs("footer", &ours.footer, &theirs.footer);
    }
    if ours.codecs != theirs.codecs {
        return differs("codecs", &ours.codecs, &theirs.codecs);
    }
    if ours.rows == theirs.rows { Ok(()) } else { differs("rows", &ours.rows, &theirs.rows) }
}

#[derive(Debug)]
struct File {
    schema: String,
    footer: (i32, BTreeMap<String, Json>),
    codecs: Vec<Vec<Compression>>,
    rows: Vec<Row>,
}

fn read(file: &[u8]) -> Result<File, String> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(file)).map_err(|error| error.to_string())?;
    let metadata = reader.metadata().file_metadata();
    let mut schema = Vec::new();
    print_schema(&mut schema, metadata.schema());
    let words = metadata.key_value_metadata().into_iter().flatten();
    let words = words.map(|word| {
        let value = word.value.clone().unwrap_or_default();
        (word.key.clone(), serde_json::from_str(&value).unwrap_or(Json::String(value)))
    });
    let groups = reader.metadata().row_groups().iter();
    // Levels are not in the file.
    let codecs = groups.map(|group| {
        group.columns().iter().map(|column| match column.compression() {
            Compression::GZIP(_) => Compression::GZIP(Default::default()),
            Compression::ZSTD(_) => Compression::ZSTD(Default::default()),
            Compression::BROTLI(_) => Compression::BROTLI(Default::default()),
            other => other,
        })
    });
    Ok(File {
        schema: String::from_utf8_lossy(&schema).into_owned(),
        footer: (metadata.version(), words.collect()),
        codecs: codecs.map(Iterator::collect).collect(),
        rows: reader.get_row_iter(None).and_then(Iterator::collect).map_err(|error| error.to_string())?,
    })
}
