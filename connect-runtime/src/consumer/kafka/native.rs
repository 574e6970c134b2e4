//! What the rdkafka crate does not wrap, and, with `questions.rs` and `metadata.rs`, the only unsafe code here: librdkafka's batch call, which takes many messages for one
//! lock and one wake-up at half the CPU of polling them one by one, and commits whose results can be waited for.
//!
//! Why it is sound:
//! - A [`Queue`] owns one reference to a native queue, taken by the call that made it and given back once, on drop. Native queues
//!   are counted and locked by librdkafka: any thread may use one, and it may outlive what forwards to it. Its owner drops it
//!   before the client.
//! - [`Messages`] owns every pointer that the batch call has written, and destroys each once, before the next call or on drop. It
//!   borrows nothing, so its owner drops or clears it before the client, too.
//! - A [`Message`] borrows from [`Messages`]. Until it is destroyed, librdkafka keeps its payload, key, headers and topic alive and
//!   unchanged; null pointers stand for what is absent.
//! - A commit's number travels in a pointer's place and is never followed. Its result is copied out of its event, which is destroyed
//!   in the same call.
#![allow(unsafe_code, reason = "the crate wraps neither call; see the safety argument above")]

use std::{
    ffi::{CStr, CString, c_char, c_void},
    marker::PhantomData,
    ptr, slice,
    time::Duration,
};

use connect_api::{TimestampType, TopicPartition};
use rdkafka::{
    TopicPartitionList,
    bindings::{self as native, rd_kafka_message_t, rd_kafka_queue_t, rd_kafka_timestamp_type_t},
    client::{Client, ClientContext},
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};

/// One reference to a queue of librdkafka.
pub(super) struct Queue(*mut rd_kafka_queue_t);

// SAFETY: librdkafka locks its queues; the pointer is lent for single calls only.
unsafe impl Send for Queue {}
// SAFETY: as above; no call changes the pointer itself.
unsafe impl Sync for Queue {}

impl Queue {
    /// An empty queue of the client.
    pub(super) fn new<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client is alive during the call, which never returns null.
        Self(unsafe { native::rd_kafka_queue_new(client.native_ptr()) })
    }

    /// The queue into which a client puts what has no other.
    pub(super) fn main<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client is alive during the call, which never returns null and counts a reference that is given back on drop.
        Self(unsafe { native::rd_kafka_queue_get_main(client.native_ptr()) })
    }

    /// The queue that a partition's messages are fetched into.
    pub(super) fn of_partition<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: the client and the name are alive during the call.
        let queue = unsafe { native::rd_kafka_queue_get_partition(client.native_ptr(), topic.as_ptr(), partition) };
        (!queue.is_null()).then_some(Self(queue))
    }

    /// The queue for calls of [`super::questions`], which use it no longer than this borrow.
    pub(super) fn native(&self) -> *mut rd_kafka_queue_t {
        self.0
    }

    /// Has the lines of the client's log arrive here; `None` sends them where its events go.
    pub(super) fn set_log<C: ClientContext>(client: &Client<C>, to: Option<&Queue>) {
        // SAFETY: client and queue are alive; librdkafka takes its own reference to the queue. It refuses where lines are not queued at all,
        // but the crate has them queued.
        let _refused = unsafe { native::rd_kafka_set_log_queue(client.native_ptr(), to.map_or(ptr::null_mut(), |to| to.0)) };
    }

    /// The next line of the log, if one has arrived: level, facility and text.
    pub(super) fn log_line(&self) -> Option<(i32, String, String)> {
        // SAFETY: the queue is alive; the event is ours until it is destroyed below.
        let event = unsafe { native::rd_kafka_queue_poll(self.0, 0) };
        if event.is_null() {
            return None;
        }
        let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is alive until the last call; texts end in a zero and live as long as it does, and are copied before.
        unsafe {
            let failed = native::rd_kafka_event_log(event, &raw mut facility, &raw mut text, &raw mut level);
            let copy = |text: *const c_char| CStr::from_ptr(text).to_string_lossy().trim().to_owned();
            let line = (failed == 0).then(|| (level, copy(facility), copy(text)));
            native::rd_kafka_event_destroy(event);
            Some(line.unwrap_or_default())
        }
    }

    /// Sends what arrives here to another queue, or keeps it here.
    pub(super) fn forward_to(&self, other: Option<&Queue>) {
        // SAFETY: both queues are alive; librdkafka takes its own reference to the other one.
        unsafe { native::rd_kafka_queue_forward(self.0, other.map_or(ptr::null_mut(), |other| other.0)) }
    }

    /// Ends a call of [`Queue::take`] that waits, or the next one.
    pub(super) fn wake(&self) {
        // SAFETY: the queue is alive.
        unsafe { native::rd_kafka_queue_yield(self.0) }
    }

    /// Replaces `messages` by up to `most` messages, waiting for the first one, but for no other.
    pub(super) fn take(&self, messages: &mut Messages, most: usize, wait: Duration) {
        messages.clear();
        messages.0.reserve(most);
        // The call waits its whole time for a full array: let it fill one place first.
        if !wait.is_zero() && self.append(messages, 1.min(most), wait) == 0 {
            return;
        }
        let rest = most - messages.0.len();
        self.append(messages, rest, Duration::ZERO);
    }

    /// Begins a commit whose result arrives here under this number.
    ///
    /// # Errors
    /// It cannot begin.
    pub(super) fn commit<C: ClientContext>(
        &self,
        client: &Client<C>,
        list: &TopicPartitionList,
        seq: u64,
    ) -> Result<(), RDKafkaErrorCode> {
        let opaque = ptr::without_provenance_mut(usize::try_from(seq).unwrap_or(usize::MAX));
        // SAFETY: client, list and queue are alive during the call, which copies the list; there is no callback to take `opaque`.
        let begun = unsafe { native::rd_kafka_commit_queue(client.native_ptr(), list.ptr(), self.0, None, opaque) };
        if begun == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(begun.into()) }
    }

    /// The next result of a commit.
    pub(super) fn commit_result(&self, wait: Duration) -> Option<CommitResult> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive; the event is ours until it is destroyed below.
        let event = unsafe { native::rd_kafka_queue_poll(self.0, wait) };
        if event.is_null() {
            return None;
        }
        // SAFETY: the event is alive, and so is what it points to. A list that is not null has as many elements as it says, with
        // names that end in a zero.
        let result = unsafe {
            let list = native::rd_kafka_event_topic_partition_list(event);
            let elements = match list.as_ref() {
                Some(list) if list.cnt > 0 => slice::from_raw_parts(list.elems, usize::try_from(list.cnt).unwrap_or(0)),
                _ => &[],
            };
            let refused = elements.iter().filter(|element| element.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
            let name = |topic| CStr::from_ptr(topic).to_string_lossy().into_owned();
            CommitResult {
                seq: native::rd_kafka_event_opaque(event).addr() as u64,
                error: failure(native::rd_kafka_event_error(event)),
                refused: refused
                    .map(|element| (TopicPartition::new(name(element.topic), element.partition), element.err.into()))
                    .collect(),
            }
        };
        // SAFETY: the event is ours and nothing points into it any more.
        unsafe { native::rd_kafka_event_destroy(event) };
        Some(result)
    }

    /// Appends up to `most` messages; the list has room for them.
    fn append(&self, messages: &mut Messages, most: usize, wait: Duration) -> usize {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let room = messages.0.spare_capacity_mut();
        let most = most.min(room.len());
        // SAFETY: the array has room for `most` pointers, and the queue is alive.
        let taken = unsafe { native::rd_kafka_consume_batch_queue(self.0, wait, room.as_mut_ptr().cast(), most) };
        let taken = usize::try_from(taken).unwrap_or(0).min(most);
        // SAFETY: the call has written that many pointers, each to a message that is ours now.
        unsafe { messages.0.set_len(messages.0.len() + taken) };
        taken
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and given back once.
        unsafe { native::rd_kafka_queue_destroy(self.0) }
    }
}

/// Where a partition's log ends as far as the last answer to a fetch has told: nobody is asked.
pub(super) fn known_log_end<C: ClientContext>(client: &Client<C>, topic_partition: &TopicPartition) -> Option<i64> {
    let topic = CString::new(&*topic_partition.topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client and the name are alive during the call, and the places for the offsets are ours.
    let known = unsafe {
        native::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            topic_partition.partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (failure(known).is_none() && high >= 0).then_some(high)
}

/// How a commit ended.
#[derive(Debug)]
pub(super) struct CommitResult {
    /// The number that it was begun with.
    pub(super) seq: u64,
    /// Why it failed as a whole.
    pub(super) error: Option<RDKafkaErrorCode>,
    /// The partitions that it failed for.
    pub(super) refused: Vec<(TopicPartition, RDKafkaErrorCode)>,
}

pub(super) fn failure(code: RDKafkaRespErr) -> Option<RDKafkaErrorCode> {
    (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}

/// Messages that librdkafka keeps for us until they are cleared.
#[derive(Default)]
pub(super) struct Messages(Vec<*mut rd_kafka_message_t>);

// SAFETY: the pointers are owned, and any thread may give messages back.
unsafe impl Send for Messages {}

impl Messages {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each in the order of its arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.0.iter().map(|message| Message { native: *message, messages: PhantomData })
    }

    /// Gives those back that are not wanted, each asked about with its place.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(usize, Message<'_>) -> bool) {
        let mut place = 0;
        self.0.retain(|message| {
            let keep = wanted(place, Message { native: *message, messages: PhantomData });
            place += 1;
            if !keep {
                // SAFETY: the message is ours and given back once: it leaves the list.
                unsafe { native::rd_kafka_message_destroy(*message) }
            }
            keep
        });
    }

    /// Gives all of them back.
    pub(super) fn clear(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: the message is ours and given back once: it has left the list.
            unsafe { native::rd_kafka_message_destroy(message) }
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A message, or an error about a partition, as librdkafka keeps it.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    native: *const rd_kafka_message_t,
    messages: PhantomData<&'a Messages>,
}

impl<'a> Message<'a> {
    fn get(self) -> &'a rd_kafka_message_t {
        // SAFETY: the list that is borrowed keeps the message alive.
        unsafe { &*self.native }
    }

    /// What tells topics apart without reading their names.
    pub(super) fn topic_identity(self) -> usize {
        self.get().rkt as usize
    }

    /// The topic's name.
    pub(super) fn topic(self) -> &'a str {
        if self.get().rkt.is_null() {
            return "";
        }
        // SAFETY: the topic is not null and lives as long as the message; its name ends in a zero.
        let name = unsafe { CStr::from_ptr(native::rd_kafka_topic_name(self.get().rkt)) };
        name.to_str().unwrap_or_default()
    }

    pub(super) fn partition(self) -> i32 {
        self.get().partition
    }

    pub(super) fn offset(self) -> i64 {
        self.get().offset
    }

    pub(super) fn key(self) -> Option<&'a [u8]> {
        self.bytes(self.get().key, self.get().key_len)
    }

    pub(super) fn value(self) -> Option<&'a [u8]> {
        self.bytes(self.get().payload, self.get().len)
    }

    /// The error that this is about instead of a message, in librdkafka's words.
    pub(super) fn error(self) -> Option<(RDKafkaErrorCode, String)> {
        let code = failure(self.get().err)?;
        Some((code, String::from_utf8_lossy(self.value().unwrap_or_default()).into_owned()))
    }

    /// Milliseconds since 1970 and who set them.
    pub(super) fn timestamp(self) -> (i64, TimestampType) {
        let mut kind = rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive, and the place for the type is ours.
        let timestamp = unsafe { native::rd_kafka_message_timestamp(self.native, &raw mut kind) };
        match kind {
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => (timestamp, TimestampType::NoTimestampType),
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => (timestamp, TimestampType::CreateTime),
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => (timestamp, TimestampType::LogAppendTime),
        }
    }

    /// Calls `each` with the name and value of every header in turn.
    pub(super) fn for_each_header(self, mut each: impl FnMut(&'a [u8], Option<&'a [u8]>)) {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive and keeps its headers; the call only parses them.
        let parsed = unsafe { native::rd_kafka_message_headers(self.native, &raw mut headers) };
        if parsed != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut size) = (ptr::null::<c_char>(), ptr::null::<c_void>(), 0);
            // SAFETY: the headers live as long as the message; the places for the results are ours.
            let found = unsafe { native::rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut size) };
            if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            // SAFETY: the name ends in a zero and lives as long as the message.
            let name = unsafe { CStr::from_ptr(name) };
            each(name.to_bytes(), self.bytes(value.cast_mut(), size));
        }
    }

    fn bytes(self, start: *mut c_void, length: usize) -> Option<&'a [u8]> {
        // SAFETY: what librdkafka points to lies within the message and lives as long.
        (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast_const().cast(), length) })
    }
}
