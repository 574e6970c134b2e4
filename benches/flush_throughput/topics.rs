//! The records, loaded once and kept for later runs.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::{
    Result,
    kafka::Kafka,
    pinterest::{Dataset, Emulator},
    plan::{Case, PARTITIONS, Plan},
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Different values; they come again and again, which nothing on the way notices.
const VALUES: usize = 1_000;

/// Fills every topic of the plan up to its number of records.
pub(crate) fn load(bootstrap: &str, mock: Option<&Kafka>, plan: &Plan) -> Result<()> {
    let mut loaded = Vec::new();
    let dataset = Dataset::new();
    for case in &plan.cases {
        if loaded.contains(&case.topic()) {
            continue;
        }
        match mock {
            Some(mock) => mock.create_topic(&case.topic(), i32::try_from(PARTITIONS)?)?,
            None => create(bootstrap, &case.topic())?,
        }
        fill(bootstrap, case, &dataset)?;
        loaded.push(case.topic());
    }
    Ok(())
}

fn create(bootstrap: &str, topic: &str) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", bootstrap).create()?;
    let new = NewTopic::new(topic, i32::try_from(PARTITIONS)?, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(admin.create_topics([&new], &AdminOptions::new()))?.pop() {
        None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, error))) => Err(format!("topic {topic}: {error}").into()),
    }
}

fn fill(bootstrap: &str, case: &Case, dataset: &Dataset) -> Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "50")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.kbytes", "200000")
        .create()?;
    let watermarks: BaseConsumer = ClientConfig::new().set("bootstrap.servers", bootstrap).create()?;
    let (topic, wanted) = (case.topic(), case.records / PARTITIONS);
    let values: Vec<_> = Emulator::new().take(VALUES).map(|row| value(dataset, row, case.record_size as usize)).collect();
    for partition in 0..i32::try_from(PARTITIONS)? {
        let (low, high) = watermarks.fetch_watermarks(&topic, partition, TIMEOUT)?;
        let present = u64::try_from(high - low)?;
        if present > wanted {
            return Err(format!("{topic}-{partition} holds {present} records instead of {wanted}: delete the topic").into());
        }
        for number in present..wanted {
            let value = &values[number as usize % VALUES];
            send(&producer, BaseRecord::to(&topic).partition(partition).payload(value))?;
        }
    }
    Ok(producer.flush(TIMEOUT)?)
}

fn send(producer: &BaseProducer, record: BaseRecord<'_, (), String>) -> Result<()> {
    let mut refused = producer.send(record);
    while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) = refused {
        producer.poll(Duration::from_millis(10));
        refused = producer.send(record);
    }
    producer.poll(Duration::ZERO);
    refused.map_err(|(error, _)| error.into())
}

/// What stands before the padding.
const PADDING: &str = ",\"padding\":\"";

/// A JSON object of exactly this size, made of the rows of the Pinterest tables.
fn value(dataset: &Dataset, row: u32, size: usize) -> String {
    let [pin, geo, user] = dataset.posting(row);
    let mut value = match size {
        // What stands before the dates, for there is no room for them.
        0..512 => user.split(",\"age\"").next().unwrap_or_default().to_owned(),
        512..2048 => {
            let mut value = pin.trim_end_matches('}').to_owned();
            for (name, row) in [("geo", &geo), ("user", &user)] {
                let member = format!(",\"{name}\":{row}");
                if value.len() + member.len() + PADDING.len() + "\"}".len() <= size {
                    value.push_str(&member);
                }
            }
            value
        }
        _ => {
            let rows = vec![pin.as_str(); (size - 100) / pin.len()];
            format!("{{\"rows\":[{}]", rows.join(","))
        }
    };
    value.push_str(PADDING);
    let padding = size.saturating_sub(value.len() + "\"}".len());
    value.extend(std::iter::repeat_n('x', padding));
    value.push_str("\"}");
    assert_eq!(value.len(), size, "a value of another size would falsify every figure");
    value
}
