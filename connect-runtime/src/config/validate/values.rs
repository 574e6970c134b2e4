//! Values that cannot be meant, and settings that nobody gets.

use std::collections::{BTreeMap, HashMap, HashSet};

use connect_api::config::{Config, Problem};

use super::{Check, clients_of, unfilled};
use crate::config::client::{self, Client};

/// What becomes of a remark on a key that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Else {
    Warn,
    Refuse,
    Nothing,
}

impl Check<'_> {
    /// Values that were to be filled in: a template that is run as it is matches no topic and finds no bucket. What cannot be a value because of
    /// it is refused in these words alone; of a key that changes nothing enough is said.
    pub(super) fn placeholders(&mut self, config: &Config) {
        self.settle(Else::Warn, config, |name, key, value| {
            let placeholder = unfilled::placeholder(key, value)?;
            Some(format!("{name} still has a placeholder{placeholder}: fill it in"))
        });
    }

    /// Values in quotes, as other formats than Java properties have them. What it is may be a secret.
    pub(super) fn quotes(&mut self, config: &Config) {
        self.settle(Else::Warn, config, |name, _, value| {
            let value = value.trim();
            let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
            quoted.then(|| format!("{name}: the quotes are a part of the value: write it without them"))
        });
    }

    /// Values that are refused and end with a comment, as other formats than Java properties have them.
    pub(super) fn comments(&mut self, config: &Config) {
        self.settle(Else::Nothing, config, |name, key, value| {
            let has_comment = [" #", "\t#"].iter().any(|mark| value.contains(mark)) && !client::is_secret(key);
            has_comment.then(|| format!("{name}: the comment is a part of the value: write it on a line of its own"))
        });
    }

    /// Characters that nobody sees and that come along where text is copied from a page: they make another key or value of it.
    pub(super) fn invisible(&mut self, config: &Config) {
        for (key, entry) in config.iter() {
            if let Some((seen, c)) = without_invisible(key) {
                let message = format!(
                    "in {seen} there is a character that cannot be seen, U+{:04X}, so it is another key: type it anew",
                    u32::from(c)
                );
                self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
            }
        }
        self.settle(Else::Warn, config, |name, key, value| {
            let (_, c) = without_invisible(value).filter(|_| without_invisible(key).is_none())?;
            Some(format!("{name} has a character in its value that cannot be seen, U+{:04X}: type the value anew", u32::from(c)))
        });
    }

    /// What a config provider is to fill in (KIP-297). Kafka Connect leaves it as it is where no provider has that name, which is never meant.
    pub(super) fn references(&mut self, config: &Config) {
        // What is filled in would be judged, not this.
        self.settle(Else::Refuse, config, |name, _, value| {
            let message =
                format!("{name} refers to a config provider, ${{provider:…}}, and there are none yet: write the value itself");
            unfilled::refers_to_provider(value).then_some(message)
        });
    }

    /// What `judge` says of the name, the key and the value of each entry: an error in place of those that the key has. A key of a client's own file
    /// is there for each client, and is named once, as it stands there.
    fn settle(&mut self, otherwise: Else, config: &Config, judge: impl Fn(&str, &str, &str) -> Option<String>) {
        let mut found: HashMap<&str, Problem> = HashMap::new();
        let mut order = Vec::new();
        for (key, entry) in config.iter() {
            let name = client::in_own_file(config, key, entry).unwrap_or(key);
            if let Some(message) = judge(name, key, &entry.value).filter(|_| !found.contains_key(name)) {
                found.insert(name, Problem::of_key(name, message).at(entry.origin.clone()));
                order.push(name);
            }
        }
        if found.is_empty() {
            return;
        }
        let refused: HashSet<_> = self.validation.problems.iter().filter_map(|problem| problem.key.clone()).collect();
        let warned: HashSet<_> = self.validation.warnings.iter().filter_map(|warning| warning.key.clone()).collect();
        let takes_place = |key: &str| found.contains_key(key);
        let before = std::mem::take(&mut self.validation.problems);
        let kept = before.iter().filter(|problem| !problem.key.as_deref().is_some_and(takes_place)).cloned();
        self.validation.problems.extend(kept);
        for name in order {
            let Some(problem) = found.remove(name) else { continue };
            if refused.contains(name) || otherwise == Else::Refuse {
                self.problem(problem);
            } else if otherwise == Else::Warn && !warned.contains(name) {
                self.validation.warnings.push(problem);
            }
        }
    }

    /// Transforms and predicates that are set up and that no list names: Kafka Connect ignores them silently.
    pub(super) fn unlisted(&mut self, config: &Config) {
        for list in ["transforms", "predicates"] {
            let mut listed: Vec<_> = config.text(list).unwrap_or_default().split(',').map(str::trim).collect();
            // A predicate that only a transform names works as well.
            let is_guard = |key: &str| list == "predicates" && key.starts_with("transforms.") && key.ends_with(".predicate");
            listed.extend(config.iter().filter(|(key, _)| is_guard(key)).map(|(_, entry)| entry.value.trim()));
            let mut unlisted = BTreeMap::new();
            for (key, entry) in config.iter() {
                let Some(rest) = key.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')) else { continue };
                let Some((alias, _)) = rest.split_once('.') else { continue };
                // An alias may have dots.
                let belongs = |listed: &&str| rest.strip_prefix(*listed).is_some_and(|key| key.starts_with('.'));
                if !listed.iter().any(belongs) {
                    let lines = unlisted.entry(alias).or_insert_with(|| (key, entry.origin.clone()));
                    // Where its first key stands.
                    if line(&entry.origin) < line(&lines.1) {
                        *lines = (key, entry.origin.clone());
                    }
                }
            }
            for (alias, (key, origin)) in unlisted {
                let message = format!("{list}.{alias}.* changes nothing: `{list}` does not name {alias}");
                self.validation.warnings.push(Problem::of_key(key, message).at(origin));
            }
        }
    }

    /// A worker's settings of encryption and authentication that its admin clients get and a connector's other clients do not.
    pub(super) fn security(&mut self, worker: &Config, connector: &Config) {
        self.dead_letter_clients(worker, connector);
        let asks = worker.text(PROTOCOL).is_some_and(|protocol| !protocol.trim().eq_ignore_ascii_case("PLAINTEXT"));
        for client in clients_of(connector).iter().filter(|client| **client != Client::Admin) {
            let (plural, prefix, override_prefix) = (client.plural(), client.prefix(), client.override_prefix());
            let is_set = |key: &str| {
                worker.entry(&format!("{prefix}{key}")).is_some() || connector.entry(&format!("{override_prefix}{key}")).is_some()
            };
            // Who sets the protocol has thought of it, and may need no more than what decides whom to trust and who one is.
            let secured = is_set(PROTOCOL);
            let keys = if secured { &SECURITY[1..DECISIVE] } else { &SECURITY[..] };
            let missed: Vec<_> =
                keys.iter().filter_map(|key| Some((*key, worker.entry(key)?))).filter(|(key, _)| !is_set(key)).collect();
            let (Some((key, entry)), true) = (missed.first(), asks || secured) else { continue };
            let names = missed.iter().map(|(key, _)| format!("{prefix}{key}")).collect::<Vec<_>>().join(", ");
            let plain = if secured { "" } else { ", and connect without encryption and authentication" };
            let message =
                format!("{key} is for admin clients alone: a connector's {plural} do not inherit it{plain}; set {names} too");
            self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }

    /// Consumers that sign in or encrypt beside clients of the dead letter queue that do neither: they are set up each by itself.
    fn dead_letter_clients(&mut self, worker: &Config, connector: &Config) {
        let clients = clients_of(connector);
        let written = |client: Client| {
            let (of_connector, of_worker) =
                (format!("{}{PROTOCOL}", client.override_prefix()), format!("{}{PROTOCOL}", client.prefix()));
            let inherited = || worker.entry(PROTOCOL).filter(|_| client == Client::Admin).map(|entry| (PROTOCOL.to_owned(), entry));
            let found = connector.entry(&of_connector).map(|entry| (of_connector, entry));
            found.or_else(|| worker.entry(&of_worker).map(|entry| (of_worker, entry))).or_else(inherited)
        };
        let Some((key, entry)) = written(Client::Consumer) else { return };
        let without: Vec<_> = clients.iter().copied().filter(|client| written(*client).is_none()).collect();
        // Of a worker's own protocol, which consumers do not inherit, enough is said below.
        if without.is_empty() || worker.entry(PROTOCOL).is_some() || entry.value.trim().eq_ignore_ascii_case("PLAINTEXT") {
            return;
        }
        let names = |name: fn(Client) -> &'static str| without.iter().map(|client| name(*client)).collect::<Vec<_>>();
        let (plurals, prefixes) = (names(Client::plural).join(" and "), names(Client::override_prefix).join("* and "));
        let message = format!(
            "{key} is for consumers alone: the {plurals} of the dead letter queue connect without encryption and authentication; set \
             {prefixes}* as well"
        );
        self.validation.warnings.push(Problem::of_key(&key, message).at(entry.origin.clone()));
    }
}

/// A text without its invisible characters, and the first of them; none where there are none.
pub(super) fn without_invisible(text: &str) -> Option<(String, char)> {
    // UTF-8 that was read as ISO-8859-1.
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let meant = bytes.filter(|bytes| !bytes.is_ascii()).and_then(|bytes| String::from_utf8(bytes).ok());
    let text = meant.as_deref().unwrap_or(text);
    let first = text.chars().find(is_invisible)?;
    Some((text.chars().filter(|c| !is_invisible(c)).collect(), first))
}

/// Blanks that are none to Java, marks without a width, and characters that control something.
pub(in crate::config) fn is_invisible(c: &char) -> bool {
    let is_line = matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    c.is_control() && !is_line
        || matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

const PROTOCOL: &str = "security.protocol";

/// The protocol, what else decides whether a client may connect, and what goes with it.
const SECURITY: [&str; 13] = [
    PROTOCOL,
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.truststore.location",
    "ssl.truststore.certificates",
    "ssl.keystore.location",
    "ssl.keystore.key",
    "ssl.keystore.certificate.chain",
    "ssl.truststore.password",
    "ssl.keystore.password",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "sasl.client.callback.handler.class",
];
const DECISIVE: usize = 7;

fn line(origin: &Option<connect_api::config::Origin>) -> u32 {
    origin.as_ref().map_or(0, |origin| origin.line)
}

#[cfg(test)]
mod tests {
    use connect_api::config::Origin;

    use super::super::Validation;
    use crate::config::fake;

    use super::*;

    const GOOD: [(&str, &str); 7] = [
        ("name", "s3"),
        ("connector.class", "FakeSink"),
        ("topics", "a"),
        ("flush.size", "1"),
        ("s3.bucket.name", "b"),
        ("key.converter", "String"),
        ("value.converter", "Json"),
    ];

    fn warned(pairs: &[(&str, &str)]) -> String {
        let mut config = Config::default();
        for (line, (key, value)) in (1..).zip(GOOD.iter().chain(pairs)) {
            config.insert(*key, *value, Some(Origin { file: "s3.properties".into(), line }));
        }
        let Validation { problems, warnings } = super::super::validate(&fake::plugins(), &Config::default(), &config);
        format!("{problems}\n{warnings}")
    }

    #[test]
    fn what_nobody_sees_in_a_key_or_value_is_named_by_its_code() {
        let said = warned(&[("tasks.max\u{200b}", "3")]);
        assert!(said.contains("s3.properties:8: in tasks.max there is a character that cannot be seen, U+200B"), "{said}");
        assert!(!said.contains("unknown key"), "{said}");
        // As a properties file is read.
        let said = warned(&[("tasks.max\u{e2}\u{80}\u{8b}", "3")]);
        assert!(said.contains("in tasks.max there is a character that cannot be seen, U+200B"), "{said}");
        let said = warned(&[("topics", "a\u{a0}")]);
        assert!(said.contains("topics has a character in its value that cannot be seen, U+00A0"), "{said}");
        assert_eq!(without_invisible("Gr\u{fc}\u{df}e\tan a\u{e9}"), None);
    }

    #[test]
    fn a_comment_behind_a_value_that_is_refused_is_named_and_one_behind_others_is_left_alone() {
        let said = warned(&[("flush.size", "1000 # records"), ("s3.bucket.name", "b # it takes all")]);
        assert!(said.contains("s3.properties:8: flush.size: the comment is a part of the value"), "{said}");
        assert!(!said.contains("Invalid value") && !said.contains("s3.bucket.name"), "{said}");
        let said = warned(&[("connector.class", "FakeSink # ours")]);
        assert!(
            said.contains("connector.class: the comment is a part of the value") && !said.contains("could not be found"),
            "{said}"
        );
    }

    #[test]
    fn forty_thousand_keys_are_answered_at_once() {
        let pairs: Vec<_> = (0..40_000).map(|number| (format!("aa{number}.password"), "<password>")).collect();
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        assert_eq!(warned(&pairs).lines().count(), 40_001);
        let mut unknown = Config::default();
        pairs.iter().for_each(|(key, value)| unknown.insert(*key, *value, Some(Origin { file: "x".into(), line: 1 })));
        let validation = super::super::validate(&fake::plugins(), &Config::default(), &unknown);
        assert!(validation.problems.to_string().contains("no key of a connector"));
    }

    #[test]
    fn clients_of_the_dead_letter_queue_that_do_not_sign_in_as_the_consumers_do_are_named() {
        let queue = ("errors.deadletterqueue.topic.name", "dlq");
        let protocol = ("consumer.override.security.protocol", "SSL");
        let said = warned(&[queue, protocol]);
        assert!(said.contains("the producers and admin clients of the dead letter queue connect without encryption"), "{said}");
        assert!(said.contains("set producer.override.* and admin.override.* as well"), "{said}");
        for pairs in [
            [queue, ("consumer.override.security.protocol", "PLAINTEXT")].as_slice(),
            &[protocol],
            &[queue, protocol, ("producer.override.security.protocol", "SSL"), ("admin.override.security.protocol", "SSL")],
        ] {
            let said = warned(pairs);
            assert!(!said.contains("dead letter queue connect"), "{said}");
        }
    }

    #[test]
    fn a_file_with_thousands_of_unknown_keys_is_answered_without_a_guess_for_each() {
        let keys: Vec<_> = (0..300).map(|number| format!("tasks.max{number:03}")).collect();
        let pairs: Vec<_> = keys.iter().map(|key| (key.as_str(), "1")).collect();
        let said = warned(&pairs);
        assert_eq!(said.matches("unknown key").count(), 300, "{said}");
        assert!((1..=100).contains(&said.matches("did you mean").count()), "{said}");
    }
}
