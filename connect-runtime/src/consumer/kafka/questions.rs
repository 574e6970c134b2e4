//! Questions to the brokers whose answers arrive in a queue: where logs begin and end. The rdkafka crate's own call blocks the thread, and
//! answers for no partition where one has no leader.
//!
//! Why it is sound:
//! - Options and lists that are passed in are ours, are copied by the call, and are given back once, right after it.
//! - An answer is an event that is ours: everything that is wanted of it is copied out before it is destroyed, in the same call.
//! - A question's number travels in a pointer's place and is never followed.
#![allow(unsafe_code, reason = "the crate does not wrap these calls; see the safety argument above")]

use std::{
    ptr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_api::TopicPartition;
use rdkafka::{
    TopicPartitionList,
    bindings::{self as native, rd_kafka_admin_op_t, rd_kafka_event_t},
    client::{Client, ClientContext},
    types::RDKafkaErrorCode,
};

use super::native::{Queue, failure};

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogEnd {
    /// Its first record.
    Low,
    /// After its last record.
    High,
    /// Its first record that is no older than this. There may be none.
    Since(Duration),
}

/// Asks for a place in a partition's log. The answer arrives in `answers` under this number. One question for each partition: one that
/// has no leader holds up the answer about all that are asked for with it.
pub(super) fn ask_offset<C: ClientContext>(
    client: &Client<C>,
    topic_partition: &TopicPartition,
    end: LogEnd,
    number: u64,
    within: Duration,
    answers: &Queue,
) {
    let mut list = TopicPartitionList::with_capacity(1);
    let offset = match end {
        LogEnd::Low => rdkafka::Offset::Beginning,
        LogEnd::High => rdkafka::Offset::End,
        // In the place of an offset stands the time.
        LogEnd::Since(age) => rdkafka::Offset::Offset(milliseconds_ago(age)),
    };
    if list.add_partition_offset(&topic_partition.topic, topic_partition.partition, offset).is_err() {
        return;
    }
    let opaque = ptr::without_provenance_mut(usize::try_from(number).unwrap_or(usize::MAX));
    let within = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: client, list and queue are alive during the calls, which copy the list; the options are ours and given back once. A refused
    // time-out leaves the client's own; no text about it is asked for.
    unsafe {
        let options = native::rd_kafka_AdminOptions_new(client.native_ptr(), rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS);
        native::rd_kafka_AdminOptions_set_opaque(options, opaque);
        let _refused = native::rd_kafka_AdminOptions_set_request_timeout(options, within, ptr::null_mut(), 0);
        native::rd_kafka_ListOffsets(client.native_ptr(), list.ptr(), options, answers.native());
        native::rd_kafka_AdminOptions_destroy(options);
    }
}

/// When it was so long ago, in milliseconds since 1970.
fn milliseconds_ago(age: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_sub(age).as_millis()).unwrap_or(i64::MAX)
}

/// The next answer and the number of its question.
pub(super) fn answer(answers: &Queue, wait: Duration) -> Option<(u64, Result<i64, RDKafkaErrorCode>)> {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the queue is alive; the event is ours until it is destroyed below.
    let event = unsafe { native::rd_kafka_queue_poll(answers.native(), wait) };
    if event.is_null() {
        return None;
    }
    // SAFETY: the event is alive, is read only, and is destroyed once, when nothing points into it any more.
    unsafe {
        let number = native::rd_kafka_event_opaque(event).addr() as u64;
        let answer = read(event);
        native::rd_kafka_event_destroy(event);
        Some((number, answer))
    }
}

/// Copies an answer out of its event.
///
/// # Safety
/// The event is alive.
unsafe fn read(event: *mut rd_kafka_event_t) -> Result<i64, RDKafkaErrorCode> {
    // SAFETY: the event is alive; a result that is not null lives as long as the event, and so does its array of so many pointers, none of
    // them null.
    unsafe {
        if let Some(code) = failure(native::rd_kafka_event_error(event)) {
            return Err(code);
        }
        let listed = native::rd_kafka_event_ListOffsets_result(event);
        if listed.is_null() {
            return Err(RDKafkaErrorCode::InvalidArgument);
        }
        let mut count = 0;
        let infos = native::rd_kafka_ListOffsets_result_infos(listed, &raw mut count);
        if infos.is_null() || count == 0 {
            return Err(RDKafkaErrorCode::NoOffset);
        }
        let element = &*native::rd_kafka_ListOffsetsResultInfo_topic_partition(*infos);
        match failure(element.err) {
            Some(code) => Err(code),
            None if element.offset < 0 => Err(RDKafkaErrorCode::NoOffset),
            None => Ok(element.offset),
        }
    }
}
