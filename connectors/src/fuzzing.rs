//! A door for fuzzers: parsers of bytes from outside. What is read is written to files, too.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use connect_api::{
    Converter, Format, HeaderConverter, Plugin, RecordView, Result,
    config::Config,
    data::Data,
    testing::{FuzzTarget, record_of},
};

use crate::{
    converter::{JsonConverter, SimpleHeaderConverter, fuzzing as converter},
    format::{AvroFormat, JsonFormat},
    registry::fuzzing as registry,
    storage_sink::fuzzing as storage_sink,
};

/// All of them. Of those that are named after a schema, its text ends with the first zero, and a message follows.
pub const TARGETS: &[FuzzTarget] = &[
    FuzzTarget {
        name: "avro_schema",
        run: |bytes| with_schema(bytes, converter::avro),
        seeds: &[
            b"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"string\"],\"default\":null}]}\0\x02\x02x",
            b"{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}}}\0\x02\x02\x02k\x02\x05\0\0",
            b"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"],\"default\":\"A\"}\0\x02",
        ],
    },
    FuzzTarget {
        name: "avro_message",
        run: |bytes| numbered(bytes, converter::avro_message),
        seeds: &[&[0, 2, 2, b'x', 2, 4, 0], &[1, 2, 2, 2, b'k', 2, 5, 0, 0], &[2, 4], &[3, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    },
    #[cfg(feature = "protobuf")]
    FuzzTarget {
        name: "protobuf_schema",
        run: |bytes| with_schema(bytes, converter::protobuf),
        seeds: &[
            b"syntax = \"proto3\"; package p; message M { optional int32 a = 1; map<string, E> m = 2; oneof o { string s = 3; } } enum E { X = 0; }\0\0\x08\x01",
            b"syntax = \"proto2\"; import \"google/protobuf/timestamp.proto\"; message M { required google.protobuf.Timestamp t = 1; repeated group G = 2 { optional bytes b = 3 [default = \"x\"]; } }\0\x02\x00\x0a\x00",
        ],
    },
    #[cfg(feature = "protobuf")]
    FuzzTarget {
        name: "protobuf_message",
        run: |bytes| numbered(bytes, converter::protobuf_message),
        seeds: &[&[0, 0, 8, 1, 0x12, 4, 0x0a, 0, 0x10, 1], &[1, 0, 8, 1], &[2, 2, 2, 0x0a, 2, 8, 1], &[3, 0, 0x0a, 0]],
    },
    FuzzTarget {
        name: "json",
        run: |bytes| json(bytes, &SCHEMALESS),
        seeds: &[br#"{"a":[1,-2.5e3,true,null,"\u00e9\ud83d\ude00"],"b":{}} "#, b"\xff\xfe[\x001\0]\0", b"01", b"[[[[[[]]]]]]"],
    },
    FuzzTarget {
        name: "envelope",
        run: |bytes| json(bytes, &ENVELOPE),
        seeds: &[
            br#"{"schema":{"type":"struct","name":"n","version":1,"optional":false,"fields":[{"field":"a","type":"int32","default":3},{"field":"m","type":"map","keys":{"type":"string"},"values":{"type":"double"}}]},"payload":{"a":1,"m":{"k":1.5}}}"#,
            br#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"AQI="}"#,
            br#"{"schema":{"type":"array","items":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"}},"payload":[1e3,2]}"#,
        ],
    },
    FuzzTarget {
        name: "json_schema",
        run: |bytes| with_schema(bytes, converter::json_schema),
        seeds: &[
            b"{\"type\":\"object\",\"title\":\"T\",\"properties\":{\"a\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\",\"connect.type\":\"int8\"}]},\"b\":{\"$ref\":\"#/$defs/d\"}},\"$defs\":{\"d\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}\0{\"a\":1,\"b\":[\"x\"]}",
            b"{\"allOf\":[{\"properties\":{\"a\":{\"enum\":[\"X\"]}}},{\"type\":\"object\",\"required\":[\"a\"]}]}\0{\"a\":\"X\"}",
        ],
    },
    FuzzTarget {
        name: "json_schema_message",
        run: |bytes| numbered(bytes, converter::json_schema_message),
        seeds: &[b"\0{\"a\":1,\"u\":\"x\",\"m\":{\"k\":1.5},\"p\":[{\"key\":1,\"value\":\"AQI=\"}]}", b"\x01{\"a\":1,\"u\":true}"],
    },
    FuzzTarget {
        name: "headers",
        run: headers,
        seeds: &[b"text", b"-12.5", b"[1, \"a\", {\"k\": true}]", b"{\"a\":1,\"b\":[null]}", b"2026-11-30T12:00:00.000Z", b"\"q\\\"\""],
    },
    FuzzTarget {
        name: "confluent_answer",
        run: registry::confluent_answer,
        seeds: &[
            br#"{"schema":"\"int\"","schemaType":"AVRO","references":[{"name":"a","subject":"b","version":1}]}"#,
            br#"{"error_code":40403,"message":"Schema not found"}"#,
        ],
    },
    FuzzTarget {
        name: "glue_answer",
        run: registry::glue_answer,
        seeds: &[
            br#"{"SchemaDefinition":"\"int\"","DataFormat":"AVRO","SchemaVersionId":"x"}"#,
            br#"{"__type":"EntityNotFoundException","Message":"no"}"#,
        ],
    },
    FuzzTarget {
        name: "wire",
        run: registry::wire,
        seeds: &[
            &[0, 0, 0, 0, 1, 9],
            &[1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 9],
            &[3, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 9],
            &[3, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x78, 0x9c, 0x4b, 4, 0, 0, 0x62, 0, 0x62],
        ],
    },
    FuzzTarget {
        name: "journal",
        run: storage_sink::journal,
        seeds: &[
            b"connect-sink/1;h=8861f80bdee7b1ce;g=b2f274dca40de442;t=8Rv_o0aXTa6;f=75e59021a23755c1;c=31,4,6;n=2,1;every;at=topics/t/partition%3d0/,t+0+,10",
            b"connect-sink/1;h=1;clean;blind;back;u=5;p=7;!n=18*860,16;!w=3,4;in=a,b,c",
        ],
    },
];

static SCHEMALESS: LazyLock<Option<JsonConverter>> = LazyLock::new(|| json_converter("false"));
static ENVELOPE: LazyLock<Option<JsonConverter>> = LazyLock::new(|| json_converter("true"));

fn json_converter(schemas: &str) -> Option<JsonConverter> {
    let settings = [("schemas.enable", schemas), ("converter.type", "value")];
    JsonConverter::configure(&settings.into_iter().collect::<Config>()).ok()
}

fn json(bytes: &[u8], converter: &Option<JsonConverter>) {
    let read = converter.as_ref().map(|converter| converter.to_connect_data("t", &[], Some(&Bytes::copy_from_slice(bytes))));
    write(read.and_then(Result::ok));
}

fn headers(bytes: &[u8]) {
    let Ok(converter) = SimpleHeaderConverter::configure(&Config::default()) else { return };
    write(converter.to_connect_header("t", "h", Some(&Bytes::copy_from_slice(bytes))).ok());
}

/// A schema as text up to the first zero, and a message behind it.
fn with_schema(bytes: &[u8], read: fn(&str, &Bytes) -> Vec<Data>) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (schema, message) = bytes.split_at(end);
    let Ok(schema) = std::str::from_utf8(schema) else { return };
    read(schema, &Bytes::copy_from_slice(message.get(1..).unwrap_or_default())).into_iter().for_each(|data| write(Some(data)));
}

/// The number of a known schema, and a message behind it.
fn numbered(bytes: &[u8], read: fn(usize, &Bytes) -> Option<Data>) {
    let Some((number, message)) = bytes.split_first() else { return };
    write(read((*number).into(), &Bytes::copy_from_slice(message)));
}

/// Writes a record to files of each format, which may refuse it.
fn write(data: Option<Data>) {
    let Some(data) = data else { return };
    let none = Config::default();
    let record = record_of(data);
    let formats: [Option<Arc<dyn Format>>; 2] = [
        JsonFormat::configure(&none).ok().map(|format| Arc::new(format) as _),
        AvroFormat::configure(&none).ok().map(|format| Arc::new(format) as _),
    ];
    for format in formats.into_iter().flatten() {
        let written = format.record_writer(RecordView::Value).and_then(|mut writer| {
            let mut out = Vec::new();
            writer.write(&record, &mut out)?;
            writer.finish(&mut out)
        });
        drop(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_bytes_come_no_parser_panics() {
        for target in TARGETS {
            // A compiler that reads its own files for each text is slow.
            let rounds = if target.name == "protobuf_schema" { 50 } else { 2_000 };
            target.run_with_random_bytes(rounds);
        }
    }
}
