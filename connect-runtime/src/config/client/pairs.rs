//! Values that have to fit each other, where Java and librdkafka do not agree on it.

use super::{Client, settings::Setting, translate::Translation};

const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms";
const SESSION_TIMEOUT: &str = "session.timeout.ms";
const HEARTBEAT_INTERVAL: &str = "heartbeat.interval.ms";
const FETCH_MAX_BYTES: &str = "fetch.max.bytes";
const MESSAGE_MAX_BYTES: &str = "message.max.bytes";
const RECONNECT: [&str; 2] = ["reconnect.backoff.ms", "reconnect.backoff.max.ms"];

/// Makes values fit that Java takes together, and refuses what it refuses.
pub(super) fn reconcile(client: Client, translation: &mut Translation) {
    reconnect_backoff(translation);
    if client == Client::Consumer {
        // Of no interest under KIP-848, where brokers set the time of a session.
        if !is_kip_848(translation) {
            heartbeat(translation);
            poll_interval(translation);
        }
        fetch_bytes(translation);
    }
    if client == Client::Producer {
        acknowledgements(translation);
    }
}

/// The offset of a record that failed is committed once its copy is in the dead letter queue, and only an answer tells that.
fn acknowledgements(translation: &mut Translation) {
    let keys = ["acks", "request.required.acks"];
    let none = keys.into_iter().find(|key| translation.value(key) == Some("0"));
    if let Some(problem) = none.and_then(|key| translation.written(key)).map(|(java, setting)| {
        setting.refuse(java, "copies of records for the dead letter queue may get lost without an answer: use all, or remove it")
    }) {
        translation.problems.push(problem);
    }
    let key = "delivery.report.only.error";
    let is_on = |value: &str| ["true", "t", "1"].contains(&value.to_ascii_lowercase().as_str());
    if translation.value(key).is_some_and(is_on)
        && let Some(problem) = translation.written(key).map(|(java, setting)| {
            setting.refuse(
                java,
                "the offset of a record that failed is committed when its copy has arrived, which is not told then: remove it",
            )
        })
    {
        translation.problems.push(problem);
    }
}

fn is_kip_848(translation: &Translation) -> bool {
    translation.value("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer"))
}

/// As Java: who sets the first pause alone sets all of them, and none is longer than the longest.
fn reconnect_backoff(translation: &mut Translation) {
    let [first, longest] = RECONNECT.map(|key| translation.number(key));
    match (first, longest) {
        (Some(first), None) => translation.set(RECONNECT[1], first.to_string()),
        (first, Some(longest)) if first.unwrap_or(100) > longest => translation.set(RECONNECT[0], longest.to_string()),
        _ => {}
    }
}

/// Kafka's own consumer is not made like this; librdkafka's would be thrown out of its group again and again.
fn heartbeat(translation: &mut Translation) {
    let (heartbeat, session) = (translation.number(HEARTBEAT_INTERVAL), translation.number(SESSION_TIMEOUT));
    // The defaults are Java's and librdkafka's.
    let (heartbeat, session) = (heartbeat.unwrap_or(3_000), session.unwrap_or(45_000));
    if heartbeat < session {
        return;
    }
    let problem = if let Some((java, setting)) = translation.written(HEARTBEAT_INTERVAL) {
        setting.refuse(java, format!("must be less than {SESSION_TIMEOUT}, {session}: set a third of it"))
    } else if let Some((java, setting)) = translation.written(SESSION_TIMEOUT) {
        setting.refuse(java, format!("must be more than {HEARTBEAT_INTERVAL}, {heartbeat}: raise it, or set that to a third of it"))
    } else {
        return;
    };
    translation.problems.push(problem);
}

/// Between two polls librdkafka allows no less time than a session has; Java does.
fn poll_interval(translation: &mut Translation) {
    let (interval, session) = (translation.number(MAX_POLL_INTERVAL), translation.number(SESSION_TIMEOUT));
    // The defaults are librdkafka's and Java's.
    let (interval, session) = (interval.unwrap_or(300_000), session.unwrap_or(45_000));
    if interval < session {
        let what = format!("{MAX_POLL_INTERVAL} is raised to {session}, {SESSION_TIMEOUT}: librdkafka takes no less");
        warn(translation, [MAX_POLL_INTERVAL, SESSION_TIMEOUT], &what);
        translation.set(MAX_POLL_INTERVAL, session.to_string());
    }
}

/// librdkafka takes no larger message than an answer, though it means only messages that are sent.
fn fetch_bytes(translation: &mut Translation) {
    if let (Some(fetch), Some(message)) = (translation.number(FETCH_MAX_BYTES), translation.number(MESSAGE_MAX_BYTES))
        && message > fetch
    {
        let what = format!("{MESSAGE_MAX_BYTES} is lowered to {fetch}, {FETCH_MAX_BYTES}: librdkafka takes no more");
        warn(translation, [MESSAGE_MAX_BYTES, FETCH_MAX_BYTES], &what);
        translation.set(MESSAGE_MAX_BYTES, fetch.to_string());
    }
}

/// Says it where the first of these keys stands that somebody wrote.
fn warn(translation: &mut Translation, keys: [&str; 2], what: &str) {
    let remark = |(java, setting): (&str, &Setting)| setting.remark(java, |written_as| format!("{written_as}: {what}"));
    if let Some(warning) = keys.into_iter().find_map(|key| translation.written(key).map(remark)) {
        translation.warnings.push(warning);
    }
}
