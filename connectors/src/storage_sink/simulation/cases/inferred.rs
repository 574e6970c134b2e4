//! Schemas of plain JSON.

use std::time::Duration;

use bytes::Bytes;
use connect_api::{
    ErrorKind, OffsetAndMetadata, Offsets, Result, SinkRecord, SinkTask, TopicPartition,
    data::{Data, JsonText, Value},
};

use super::driven::{Driven, nowhere, t, with};
use crate::storage_sink::simulation::{life::Reports, lock, records::records_of, tell, world::World};

const KEY: &str = "topics/t/_schema.avsc";

fn records(first: i64, values: &[&str]) -> Vec<SinkRecord> {
    records_in(t(0), first, values)
}

fn records_in(topic_partition: TopicPartition, first: i64, values: &[&str]) -> Vec<SinkRecord> {
    let end = first + i64::try_from(values.len()).unwrap();
    let mut records = records_of(topic_partition, 0, (first..end).collect(), 0);
    for (record, value) in records.iter_mut().zip(values) {
        let text = JsonText::parse(&Bytes::copy_from_slice(value.as_bytes())).unwrap().unwrap();
        record.value = Data::schemaless(Value::Json(text));
    }
    records
}

/// As the runtime does it: the same again while it is asked for.
async fn put(life: &mut Driven, records: &[SinkRecord]) -> Result<()> {
    for _ in 0..20 {
        match life.task.put(records).await {
            Err(error) if error.kind() == ErrorKind::Retriable => tokio::time::sleep(Duration::from_secs(1)).await,
            done => return done,
        }
    }
    panic!("it waits for ever: {:?}", lock(&life.host.requests).told.last());
}

/// The names of the fields of the schema that is kept.
fn kept(world: &World) -> Option<Vec<String>> {
    let object = lock(&world.bucket).objects.get(KEY)?.body.clone();
    let schema: serde_json::Value = serde_json::from_slice(&object).unwrap();
    Some(schema["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect())
}

/// What was reported, without what the format of these stories says of records that hold no size.
fn misfits(reports: &Reports) -> (Vec<i64>, Vec<String>) {
    let (offsets, reasons) = (lock(&reports.0).clone(), lock(&reports.1).clone());
    offsets.into_iter().zip(reasons).filter(|(_, reason)| !reason.starts_with("not a size")).unzip()
}

async fn begin(world: &World, reports: &Reports) -> Driven {
    let (settings, partitions) = (with(100, &[("schema.infer", "true")]), [t(0), TopicPartition::new("u", 0)]);
    let mut life = Driven::begin_with(world, "sink", &settings, nowhere(&partitions), Some(reports.clone())).await;
    // Until the bucket has been looked at.
    life.turn(world, Duration::from_secs(5)).await;
    life
}

#[test]
fn records_without_members_make_no_schema_and_wait_for_none() {
    tell(async || {
        let (world, reports) = (World::new(1, 0), Reports::default());
        let mut life = begin(&world, &reports).await;
        put(&mut life, &records(0, &["{}"])).await.unwrap();
        assert_eq!(kept(&world), None);
        let reason = lock(&reports.1)[0].clone();
        assert!(reason.contains("no schema was inferred") && reason.contains(KEY), "{reason}");
        put(&mut life, &records(1, &["{}", "{\"a\":1}"])).await.unwrap();
        assert_eq!(kept(&world), Some(vec!["a".to_owned()]));
        assert_eq!(misfits(&reports).0, [] as [i64; 0]);
    });
}

#[test]
fn what_is_no_object_is_a_misfit_before_and_after_the_schema_is_known() {
    tell(async || {
        let (world, reports) = (World::new(1, 0), Reports::default());
        let mut life = begin(&world, &reports).await;
        put(&mut life, &records(0, &["7", "[{\"a\":1}]"])).await.unwrap();
        assert_eq!(kept(&world), None);
        put(&mut life, &records(2, &["{\"a\":1}", "\"x\"", "{\"b\":1}"])).await.unwrap();
        put(&mut life, &records(5, &["{\"c\":1}"])).await.unwrap();
        let (offsets, reasons) = misfits(&reports);
        assert_eq!(offsets, [0, 1, 3, 5]);
        assert!(reasons.iter().all(|reason| reason.contains(KEY) && reason.contains("may be edited")), "{reasons:?}");
        assert!(reasons[3].contains("schema.unknown.fields=ignore"), "{reasons:?}");
    });
}

#[test]
fn of_a_topic_that_was_made_anew_the_object_is_read_again() {
    tell(async || {
        let (world, reports) = (World::new(1, 0), Reports::default());
        let mut life = begin(&world, &reports).await;
        put(&mut life, &records(0, &["{\"a\":1}"])).await.unwrap();
        lock(&world.bucket).objects.remove(KEY);
        *lock(&life.host.topic_id) = 1;
        life.task.recreated(&Offsets::from([(t(0), OffsetAndMetadata::new(0, ""))])).await.unwrap();
        life.turn(&world, Duration::from_secs(5)).await;
        put(&mut life, &records(0, &["{\"b\":1}"])).await.unwrap();
        assert_eq!(kept(&world), Some(vec!["b".to_owned()]));
        assert_eq!(misfits(&reports).0, [] as [i64; 0]);
    });
}

#[test]
fn while_schemas_are_not_known_each_topic_has_its_reason() {
    tell(async || {
        let (world, reports) = (World::new(1, 0), Reports::default());
        let mut life = begin(&world, &reports).await;
        *lock(&world.weather.poisoned) = Some("topics/".to_owned());
        let both = [records(0, &["{\"a\":1}"]), records_in(TopicPartition::new("u", 0), 0, &["{\"a\":1}"])].concat();
        for _ in 0..3 {
            assert_eq!(life.task.put(&both).await.unwrap_err().kind(), ErrorKind::Retriable);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let told = lock(&life.host.requests).told.last().cloned().unwrap();
        assert!(told.contains("; t: 403") && told.contains("; u: 403"), "{told}");
        *lock(&world.weather.poisoned) = None;
        put(&mut life, &both).await.unwrap();
        assert_eq!(misfits(&reports).0, [] as [i64; 0]);
    });
}

#[test]
fn a_store_that_can_never_keep_the_schema_ends_the_task() {
    tell(async || {
        let (world, reports) = (World::new(1, 0), Reports::default());
        let mut life = begin(&world, &reports).await;
        *lock(&world.weather.hopeless) = Some(KEY.to_owned());
        let error = put(&mut life, &records(0, &["{\"a\":1}"])).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Fatal && error.report().contains("InvalidURI"), "{error:?}");
    });
}
