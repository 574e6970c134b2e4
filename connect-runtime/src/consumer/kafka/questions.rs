//! Questions to the brokers whose answers arrive in a queue: where logs begin and end, and which topics these are. The rdkafka crate
//! asks the one on its own thread, which would block ours, and does not wrap the other.
//!
//! Why it is sound:
//! - Options, collections and lists that are passed in are ours, are copied by the call, and are given back once, right after it.
//! - An answer is an event that is ours: everything that is wanted of it is copied out before it is destroyed, in the same call.
//! - A question's number travels in a pointer's place and is never followed.
#![allow(unsafe_code, reason = "the crate does not wrap these calls; see the safety argument above")]

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    ptr, slice,
    sync::Arc,
    time::Duration,
};

use connect_api::TopicPartition;
use rdkafka::{
    TopicPartitionList,
    bindings::{self as native, rd_kafka_AdminOptions_t, rd_kafka_admin_op_t, rd_kafka_event_t},
    client::{Client, ClientContext},
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};

use super::native::{Queue, failure};

/// How Kafka writes the id of a topic that has none.
pub(super) const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Either end of a log, or the offset that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogEnd {
    Low,
    High,
}

/// What the brokers have said.
#[derive(Debug)]
pub(super) enum Answer {
    /// The ids of those topics that have one and may be asked about.
    TopicIds(BTreeMap<String, Arc<str>>),
    /// An offset.
    Offset(Result<i64, RDKafkaErrorCode>),
    /// Nothing.
    None(RDKafkaErrorCode),
}

/// Asks which topics these are. The answer arrives in `answers` under this number.
pub(super) fn ask_topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: impl Iterator<Item = impl AsRef<str>>,
    number: u64,
    within: Duration,
    answers: &Queue,
) {
    let names: Vec<_> = topics.filter_map(|topic| CString::new(topic.as_ref()).ok()).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    with_options(client, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, number, within, |options| {
        // SAFETY: the names and the array outlive both calls, which copy them; client, options and queue are alive.
        unsafe {
            let topics = native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            native::rd_kafka_DescribeTopics(client.native_ptr(), topics, options, answers.native());
            native::rd_kafka_TopicCollection_destroy(topics);
        }
    });
}

/// Asks where a partition's log begins or ends. The answer arrives in `answers` under this number. One question for each partition: one that
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
    };
    if list.add_partition_offset(&topic_partition.topic, topic_partition.partition, offset).is_err() {
        return;
    }
    with_options(client, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS, number, within, |options| {
        // SAFETY: client, list, options and queue are alive during the call, which copies the list.
        unsafe { native::rd_kafka_ListOffsets(client.native_ptr(), list.ptr(), options, answers.native()) }
    });
}

/// The next answer and the number of its question.
pub(super) fn answer(answers: &Queue, wait: Duration) -> Option<(u64, Answer)> {
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
unsafe fn read(event: *mut rd_kafka_event_t) -> Answer {
    // SAFETY: the event is alive; a result that is not null lives as long as the event, and so do the arrays of pointers, none of them null,
    // that it gives together with their length. Names and ids end in a zero.
    unsafe {
        if let Some(code) = failure(native::rd_kafka_event_error(event)) {
            return Answer::None(code);
        }
        let mut count = 0;
        let described = native::rd_kafka_event_DescribeTopics_result(event);
        if !described.is_null() {
            let topics = native::rd_kafka_DescribeTopics_result_topics(described, &raw mut count);
            return Answer::TopicIds(array(topics, count).iter().filter_map(|topic| topic_id(*topic)).collect());
        }
        let listed = native::rd_kafka_event_ListOffsets_result(event);
        if !listed.is_null() {
            let infos = native::rd_kafka_ListOffsets_result_infos(listed, &raw mut count);
            if let Some(info) = array(infos, count).first() {
                let element = &*native::rd_kafka_ListOffsetsResultInfo_topic_partition(*info);
                return Answer::Offset(match failure(element.err) {
                    Some(code) => Err(code),
                    None if element.offset < 0 => Err(RDKafkaErrorCode::NoOffset),
                    None => Ok(element.offset),
                });
            }
        }
    }
    Answer::None(RDKafkaErrorCode::InvalidArgument)
}

/// # Safety
/// `first` is null or points to so many elements.
unsafe fn array<'a, T>(first: *mut T, count: usize) -> &'a [T] {
    // SAFETY: the caller says so.
    if first.is_null() { &[] } else { unsafe { slice::from_raw_parts(first, count) } }
}

/// # Safety
/// The description is alive.
unsafe fn topic_id(topic: *const native::rd_kafka_TopicDescription_t) -> Option<(String, Arc<str>)> {
    // SAFETY: the description is alive, and what it gives lives as long; texts end in a zero.
    unsafe {
        let error = native::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() && native::rd_kafka_error_code(error) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let id = native::rd_kafka_Uuid_base64str(native::rd_kafka_TopicDescription_topic_id(topic));
        let (name, id) = (CStr::from_ptr(native::rd_kafka_TopicDescription_name(topic)), CStr::from_ptr(id));
        let (name, id) = (name.to_str().ok()?, id.to_str().ok()?);
        (id != NO_ID).then(|| (name.to_owned(), id.into()))
    }
}

/// Options that say under which number the answer arrives, and how long the question may take.
fn with_options<C: ClientContext>(
    client: &Client<C>,
    of: rd_kafka_admin_op_t,
    number: u64,
    within: Duration,
    ask: impl FnOnce(*const rd_kafka_AdminOptions_t),
) {
    let opaque = ptr::without_provenance_mut(usize::try_from(number).unwrap_or(usize::MAX));
    let within = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client is alive; the options are ours, outlive the call that uses them, and are given back once. A refused time-out leaves
    // the client's own; no text about it is asked for.
    unsafe {
        let options = native::rd_kafka_AdminOptions_new(client.native_ptr(), of);
        native::rd_kafka_AdminOptions_set_opaque(options, opaque);
        let _refused = native::rd_kafka_AdminOptions_set_request_timeout(options, within, ptr::null_mut(), 0);
        ask(options);
        native::rd_kafka_AdminOptions_destroy(options);
    }
}
