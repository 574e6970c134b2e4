//! What is wrong with a client's settings as a whole: files that cannot be read, and what librdkafka finds out when it makes a client.

use connect_api::config::Problem;

use super::{Client, settings::Setting, translate::Translation};
use crate::consumer::kafka;

/// Keys that name a file, or for some of them a directory.
const FILES: [&str; 6] = [
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.crl.location",
    "ssl.engine.location",
];

/// Keys of librdkafka that are the same: it may speak of either.
const ALIASES: [(&str, &str); 9] = [
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("message.send.max.retries", "retries"),
    ("max.in.flight.requests.per.connection", "max.in.flight"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("compression.codec", "compression.type"),
];

/// Mistakes of this kind that are looked for in one client.
const MISTAKES: usize = 8;

/// Adds what is wrong with these settings together. Nothing is connected to.
pub(super) fn check(client: Client, translation: &mut Translation) {
    // What follows from a value that is refused already would be said twice.
    if !translation.problems.is_empty() {
        return;
    }
    let mut found = if uses_tls(translation) { unreadable_files(translation) } else { Vec::new() };
    let mut properties = translation.properties();
    properties.retain(|(key, _)| found.iter().all(|(refused, _)| refused != key));
    // librdkafka names one mistake at a time.
    while found.len() < MISTAKES
        && let Some(reason) = kafka::refused_together(client == Client::Consumer, &properties)
    {
        let Some((key, problem)) = blame(translation, &properties, &reason) else {
            let message = format!("the Kafka client library refuses the settings of {}: {reason}", client.plural());
            translation.problems.push(Problem::general(message));
            break;
        };
        properties.retain(|(other, _)| *other != key);
        found.push((key, problem));
    }
    let mut said = Vec::new();
    for (_, problem) in found {
        // One key of Java may stand for two here.
        if !said.contains(&problem) {
            said.push(problem.clone());
            translation.problems.push(problem);
        }
    }
}

fn uses_tls(translation: &Translation) -> bool {
    translation.value("security.protocol").is_some_and(|protocol| protocol.to_ascii_lowercase().ends_with("ssl"))
}

fn unreadable_files(translation: &Translation) -> Vec<(String, Problem)> {
    let unreadable = |key: &&str| {
        let (java, setting) = translation.written(key)?;
        let path = translation.value(key).filter(|path| *path != "probe")?;
        let error = std::fs::File::open(path).err()?;
        Some(((*key).to_owned(), setting.refuse(java, format!("the file cannot be read: {error}"))))
    };
    FILES.iter().filter_map(unreadable).collect()
}

/// Finds the key that somebody wrote and that librdkafka speaks of, and says it in the words of the file.
fn blame(translation: &Translation, properties: &[(String, String)], reason: &str) -> Option<(String, Problem)> {
    let mut said = reason.to_owned();
    let mut first: Option<(usize, &str, &str, &Setting)> = None;
    for (key, _) in properties {
        let Some((java, setting)) = translation.written(key) else { continue };
        let same = ALIASES.iter().filter_map(|(a, b)| if a == key { Some(*b) } else { (b == key).then_some(*a) });
        for name in std::iter::once(key.as_str()).chain(same) {
            let Some(at) = find_word(reason, name) else { continue };
            if first.is_none_or(|(earliest, ..)| at < earliest) {
                first = Some((at, key, java, setting));
            }
            said = replace_word(&said, name, setting.written_as(java));
        }
    }
    let (_, key, java, setting) = first?;
    Some((key.to_owned(), setting.refuse(java, said)))
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let stands_alone = |at: &usize| {
        let before = text[..*at].chars().next_back();
        let mut after = text[at + word.len()..].chars();
        let next = after.next();
        // A full stop ends a sentence where nothing of a key follows.
        let goes_on = next.is_some_and(|c| is_part(c) && (c != '.' || after.next().is_some_and(|c| c.is_ascii_alphanumeric())));
        !before.is_some_and(is_part) && !goes_on
    };
    text.match_indices(word).map(|(at, _)| at).find(stands_alone)
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = find_word(rest, word) {
        replaced.push_str(&rest[..at]);
        replaced.push_str(by);
        rest = &rest[at + word.len()..];
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_as_whole_words() {
        assert_eq!(find_word("`max.in.flight` must be", "max.in.flight"), Some(1));
        assert_eq!(find_word("max.in.flight.requests.per.connection", "max.in.flight"), None);
        assert_eq!(find_word("greater than linger.ms.", "linger.ms"), Some(13));
        assert_eq!(replace_word("`a.b`must be >= `a.b.c`", "a.b", "consumer.a.b"), "`consumer.a.b`must be >= `a.b.c`");
    }
}
