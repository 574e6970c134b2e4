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
    layout::Layout,
    pinterest::{Dataset, Emulator, ROWS},
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
    let fields = case.layout.fields(0).len();
    let values: Vec<_> = Emulator::new().take(VALUES).map(|row| value(dataset, row, case.record_size as usize - fields)).collect();
    let is_plain = |character: &char| character.is_ascii() && !matches!(character, '"' | '\\');
    let fillers: Vec<String> = values.iter().map(|value| value.chars().filter(is_plain).collect::<String>().repeat(2)).collect();
    for partition in 0..i32::try_from(PARTITIONS)? {
        let (low, high) = watermarks.fetch_watermarks(&topic, partition, TIMEOUT)?;
        let present = u64::try_from(high - low)?;
        if present > wanted {
            return Err(format!("{topic}-{partition} holds {present} records instead of {wanted}: delete the topic").into());
        }
        for number in present..wanted {
            let plain = &values[number as usize % VALUES];
            let value = match case.layout {
                Layout::Typed(encoding, _) => {
                    encoding.record(number, case.record_size as usize, &fillers[number as usize % VALUES])
                }
                _ => format!("{{{}{}", case.layout.fields(number), &plain[1..]).into_bytes(),
            };
            send(&producer, BaseRecord::to(&topic).partition(partition).payload(&value))?;
        }
    }
    Ok(producer.flush(TIMEOUT)?)
}

fn send(producer: &BaseProducer, record: BaseRecord<'_, (), Vec<u8>>) -> Result<()> {
    let mut refused = producer.send(record);
    while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) = refused {
        producer.poll(Duration::from_millis(10));
        refused = producer.send(record);
    }
    producer.poll(Duration::ZERO);
    refused.map_err(|(error, _)| error.into())
}

/// A JSON object of exactly this size, made of the rows of the Pinterest tables.
fn value(dataset: &Dataset, row: u32, size: usize) -> String {
    let [pin, _geo, user] = dataset.posting(row);
    let value = match size {
        // What stands before the dates, for there is no room for them.
        0..512 => padded(user.split(",\"age\"").next().unwrap_or_default().to_owned(), size),
        512..2048 => described_at_length(dataset, row, &pin, size),
        _ => {
            let rows = vec![pin.as_str(); (size - 100) / pin.len()];
            padded(format!("{{\"rows\":[{}]", rows.join(",")), size)
        }
    };
    assert_eq!(value.len(), size, "a value of another size would falsify every figure");
    value
}

/// An object that is still open, with one member more and its end.
fn padded(mut object: String, size: usize) -> String {
    object.push_str(",\"padding\":\"");
    let padding = size.saturating_sub(object.len() + "\"}".len());
    object.extend(std::iter::repeat_n('x', padding));
    object.push_str("\"}");
    object
}

/// The pin with as many words more in its description, taken from those of the rows that follow.
fn described_at_length(dataset: &Dataset, row: u32, pin: &str, size: usize) -> String {
    const END: &str = "\",\"poster_name\"";
    let (mut start, rest) = pin.split_once(END).map_or((pin.to_owned(), ""), |(start, rest)| (start.to_owned(), rest));
    let room = size.saturating_sub(END.len() + rest.len());
    let descriptions = (row + 1..ROWS).chain(0..row).map(|next| {
        let [pin, ..] = dataset.posting(next);
        pin.split_once("\"description\":\"")
            .and_then(|(_, rest)| rest.split_once(END))
            .map_or(String::new(), |(text, _)| text.to_owned())
    });
    'full: for description in descriptions {
        for word in description.split(' ').filter(|word| !word.contains('\\')) {
            if start.len() + 1 + word.len() > room {
                break 'full;
            }
            start.push(' ');
            start.push_str(word);
        }
    }
    start.extend(std::iter::repeat_n('.', room.saturating_sub(start.len())));
    start + END + rest
}
