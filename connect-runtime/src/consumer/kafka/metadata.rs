//! Questions about topics, as librdkafka asks them for itself: what comes of them changes what it knows, and answers are copied before they are given back.
#![allow(
    unsafe_code,
    reason = "the crate's own call names topics in its answer alone, or waits for all of the cluster; see the safety comments below"
)]

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char},
    ptr, slice,
    time::Duration,
};

use rdkafka::{
    bindings as native,
    client::{Client, ClientContext},
    types::RDKafkaErrorCode,
};

use super::native::failure;

/// Asks the brokers about a topic, and waits so long for their answer. What it says is of no interest. The crate's own call gives the
/// topic's handle back before it uses it, and panics where a name is too long.
///
/// # Errors
/// There was no answer.
pub(super) fn ask_about<C: ClientContext>(client: &Client<C>, topic: &str, wait: Duration) -> Result<(), RDKafkaErrorCode> {
    let Ok(name) = CString::new(topic) else { return Ok(()) };
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client and the name are alive during the call; the handle is ours until it is given back below.
    let topic = unsafe { native::rd_kafka_topic_new(client.native_ptr(), name.as_ptr(), ptr::null_mut()) };
    if topic.is_null() {
        // No topic can have this name: the subscription fails for the same reason, and says so.
        return Ok(());
    }
    let mut metadata = ptr::null();
    // SAFETY: client and handle are alive during the call, and the place for the answer is ours.
    let asked = unsafe { native::rd_kafka_metadata(client.native_ptr(), 0, topic, &raw mut metadata, wait) };
    // SAFETY: the answer, where there is one, and the handle are ours, and given back once.
    unsafe {
        if !metadata.is_null() {
            native::rd_kafka_metadata_destroy(metadata);
        }
        native::rd_kafka_topic_destroy(topic);
    }
    failure(asked).map_or(Ok(()), Err)
}

/// Asks the brokers about all topics that the client knows, and waits so long for their answer: what is wrong with each topic, by its name.
///
/// # Errors
/// There was no answer.
pub(super) fn ask_about_all<C: ClientContext>(
    client: &Client<C>,
    wait: Duration,
) -> Result<BTreeMap<String, Option<RDKafkaErrorCode>>, RDKafkaErrorCode> {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    let mut metadata = ptr::null();
    // SAFETY: the client is alive during the call, and the place for the answer is ours.
    let asked = unsafe { native::rd_kafka_metadata(client.native_ptr(), 0, ptr::null_mut(), &raw mut metadata, wait) };
    if let Some(code) = failure(asked) {
        return Err(code);
    }
    // SAFETY: without an error the answer is ours until it is given back once, after all that is wanted has been copied out of it. It has as many
    // topics as it says, with names that end in a zero.
    unsafe {
        let Some(answer) = metadata.as_ref() else { return Ok(BTreeMap::new()) };
        let topics = match usize::try_from(answer.topic_cnt) {
            Ok(count @ 1..) => slice::from_raw_parts(answer.topics, count),
            _ => &[],
        };
        let name = |topic: *mut c_char| CStr::from_ptr(topic).to_string_lossy().into_owned();
        let told = topics.iter().map(|topic| (name(topic.topic), failure(topic.err))).collect();
        native::rd_kafka_metadata_destroy(metadata);
        Ok(told)
    }
}
