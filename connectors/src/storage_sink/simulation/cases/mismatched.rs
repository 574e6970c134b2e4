//! Records with a value that is none of their schema, and the files beside them.

use std::{sync::Arc, time::Duration};

use connect_api::{
    ErrorKind, Format, Header, Plugin, RecordView, SinkRecord, SinkTask,
    config::Config,
    data::{Data, Field, Fields, Schema, SchemaType, Value},
};

use super::driven::{Driven, nowhere, t, with};
use crate::{
    format::AvroFormat,
    storage_sink::simulation::{life::Reports, lock, records::records_of, tell, world::World},
};

const FILES: [(&str, &str); 7] = [
    ("partitioner.class", "DefaultPartitioner"),
    ("store.kafka.keys", "true"),
    ("store.kafka.headers", "true"),
    ("behavior.on.null.values", "ignore"),
    ("format.class", "AvroFormat"),
    ("keys.format.class", "JsonFormat"),
    ("headers.format.class", "JsonFormat"),
];

fn text(text: &str) -> Data {
    Data::with_schema(Arc::new(Schema::required(SchemaType::String)), Value::String(text.to_owned().into()))
}

/// Eleven records of a struct, those at `wrong` with this value.
fn records(wrong: [i64; 2], value: &Value) -> Vec<SinkRecord> {
    let field = Field { name: "a".into(), schema: Arc::new(Schema::required(SchemaType::Int64)) };
    let schema = Arc::new(Schema::required(SchemaType::Struct(Fields::new(vec![field]).unwrap())));
    let mut records = records_of(t(0), 0, (0..11).collect(), 0);
    for record in &mut records {
        let offset = record.offset();
        let good = Value::Struct(vec![Value::Int64(offset)]);
        let value = if wrong.contains(&offset) { value.clone() } else { good };
        record.value = Data::with_schema(Arc::clone(&schema), value);
        record.key = text(&format!("k{offset}"));
        record.headers = vec![Header { key: "h".into(), value: text(&format!("h{offset}")) }];
    }
    records
}

/// What an object holds: lines of text, or of values the rows of an Avro file.
type Rows = (String, Vec<String>);

/// Which records were reported, with which errors; and the objects.
async fn written(records: &[SinkRecord]) -> (Vec<i64>, Vec<String>, Vec<Rows>) {
    let settings = with(3, &FILES);
    let (world, reports) = (World::new(1, 0), Reports::default());
    let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(reports.clone())).await;
    // The bucket is surveyed first.
    life.turn(&world, Duration::from_secs(2)).await;
    life.task.put(records).await.unwrap();
    life.next.insert(t(0), 11);
    life.turn(&world, Duration::from_secs(30)).await;
    assert_eq!(life.committed(0).await, 11, "{}", life.task.state());
    let lines = |body: &[u8]| String::from_utf8_lossy(body).lines().map(str::to_owned).collect();
    let rows = |name: &str, body: &[u8]| if name.ends_with(".avro") { avro_rows(body) } else { lines(body) };
    let bucket = lock(&world.bucket);
    let objects = bucket.objects.iter().map(|(name, object)| (name.clone(), rows(name, &object.body))).collect();
    (lock(&reports.0).clone(), lock(&reports.1).clone(), objects)
}

/// The only numbers of the rows in an Avro file of one block: before its last marker stand how many there are, how long they are, and a byte for each.
fn avro_rows(file: &[u8]) -> Vec<String> {
    let block = file.strip_suffix(file.last_chunk::<16>().unwrap()).unwrap();
    let (head, numbers) = block.split_at(block.len() - 3);
    assert!(head.ends_with(&[6, 6]), "there are not three rows: {block:?}");
    numbers.iter().map(|number| (number / 2).to_string()).collect()
}

/// Three files for each three good records, side by side.
fn expected(wrong: [i64; 2]) -> Vec<Rows> {
    let good: Vec<i64> = (0..11).filter(|offset| !wrong.contains(offset)).collect();
    let mut expected = Vec::new();
    for group in good.chunks(3) {
        let name = |rest: &str| format!("topics/t/partition=0/t+0+{:010}{rest}", group[0]);
        let rows = |row: fn(i64) -> String| group.iter().map(|offset| row(*offset)).collect::<Vec<_>>();
        let header = |offset| format!("{{\"headers\":[{{\"key\":\"h\",\"value\":\"h{offset}\"}}]}}");
        expected.push((name(".headers.json"), rows(header)));
        expected.push((name(".avro"), rows(|offset| offset.to_string())));
        expected.push((name(".keys.json"), rows(|offset| format!("\"k{offset}\""))));
    }
    expected.sort();
    expected
}

#[test]
fn texts_among_structs_are_reported_and_leave_the_three_files_side_by_side() {
    for wrong in [[0, 1], [3, 4], [4, 8]] {
        tell(async || {
            let (reported, errors, objects) = written(&records(wrong, &Value::String("no struct".to_owned().into()))).await;
            assert_eq!(reported, wrong);
            assert!(errors.iter().all(|error| error.contains("Invalid type for STRUCT: class java.lang.String")), "{errors:?}");
            assert_eq!(objects, expected(wrong));
        });
    }
}

#[test]
fn null_values_with_the_schema_of_a_struct_are_reported_before_a_file_sees_them() {
    for wrong in [[0, 1], [3, 4], [4, 8]] {
        tell(async || {
            let (reported, errors, objects) = written(&records(wrong, &Value::Null)).await;
            assert_eq!(reported, wrong);
            assert!(errors.iter().all(|error| error.contains("Skipping null value record")), "{errors:?}");
            assert_eq!(objects, expected(wrong));
        });
    }
}

#[test]
fn a_null_value_of_a_required_struct_is_refused_by_formats_that_need_a_schema() {
    fn refused(format: &impl Format) {
        let mut writer = format.record_writer(RecordView::Value).unwrap();
        let error = writer.write(&records([0, 0], &Value::Null)[0], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.report().contains("null"), "{}", error.report());
    }
    let none = Config::default();
    refused(&AvroFormat::configure(&none).unwrap());
    #[cfg(feature = "parquet")]
    refused(&crate::format::ParquetFormat::configure(&none).unwrap());
}
