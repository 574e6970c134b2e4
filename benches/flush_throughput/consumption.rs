//! Bare consumption: the fastest that librdkafka reads the same records on the same machine.

use std::{ptr, time::Duration};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    bindings::{
        rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_t, rd_kafka_queue_destroy,
        rd_kafka_queue_get_consumer,
    },
    consumer::{BaseConsumer, Consumer},
};
use tokio::time::Instant;

use crate::{Result, arguments::Consumption, process::Measurement};

const BATCH: usize = 5_000;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the topic once, in batches, and counts.
pub(crate) fn run(arguments: &Consumption) -> Result<()> {
    let expected = arguments.records;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.bootstrap)
        .set("group.id", "flush-throughput-bare")
        .set("enable.auto.commit", "false")
        // The default of a second stalls the consumer each time its queue is full.
        .set("fetch.queue.backoff.ms", "5")
        .create()?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..arguments.partitions {
        partitions.add_partition_offset(&arguments.topic, i32::try_from(partition)?, Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;

    let (mut records, mut first) = (0, None);
    let deadline = Instant::now() + TIMEOUT;
    while records < expected {
        records += take_batch(&consumer);
        if records > 0 {
            first.get_or_insert_with(Instant::now);
        }
        if Instant::now() > deadline {
            return Err(format!("{records} of {expected} records after {TIMEOUT:?}").into());
        }
    }
    let elapsed = first.map(|first| first.elapsed()).unwrap_or_default();
    Measurement::of_process("self", elapsed)?.print();
    Ok(())
}

#[allow(unsafe_code, reason = "the crate has no safe call for batches: queue and messages are destroyed before the consumer is")]
fn take_batch(consumer: &BaseConsumer) -> u64 {
    let mut messages: Vec<*mut rd_kafka_message_t> = vec![ptr::null_mut(); BATCH];
    let mut records = 0;
    unsafe {
        let queue = rd_kafka_queue_get_consumer(consumer.client().native_ptr());
        let count = rd_kafka_consume_batch_queue(queue, 1, messages.as_mut_ptr(), BATCH);
        for &message in &messages[..usize::try_from(count).unwrap_or(0)] {
            // Ends of partitions and errors arrive as messages too.
            records += u64::from((*message).err as i32 == 0);
            rd_kafka_message_destroy(message);
        }
        rd_kafka_queue_destroy(queue);
    }
    records
}
