//! librdkafka's own log lines, in ours: what a client writes is for its settings to say, what of it is shown is for our log's level.

use rdkafka::{ClientContext, client::Client, config::RDKafkaLogLevel, error::KafkaError};

use super::native::Queue;

/// The log of one client.
#[derive(Clone, Debug)]
pub(crate) struct ClientLog {
    /// Whose lines these are.
    name: String,
    /// The least important lines that are passed on.
    shown: RDKafkaLogLevel,
    /// Its settings ask for debug lines, which are no less important than others then.
    debugs: bool,
}

impl ClientLog {
    /// The log of a client with these settings, in librdkafka's spelling: `log_level` says what is passed on, or `debug` asks for all of it; else it is
    /// what librdkafka writes by default.
    ///
    /// rust-rdkafka asks the `log` crate instead, which nobody here sets up: that would be errors only.
    pub(crate) fn new(name: impl Into<String>, settings: &[(String, String)]) -> Self {
        let set = |key: &str| settings.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let debugs = set("debug").is_some_and(|debug| !debug.is_empty());
        let shown = match set("log_level").and_then(|number| number.parse().ok()) {
            Some(number) => level(number),
            None if debugs => RDKafkaLogLevel::Debug,
            None => RDKafkaLogLevel::Info,
        };
        Self { name: name.into(), shown, debugs }
    }

    /// What the client has to be told to write.
    pub(crate) fn level(&self) -> RDKafkaLogLevel {
        self.shown
    }

    /// Passes a line on.
    pub(crate) fn line(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if level as i32 > self.shown as i32 {
            return;
        }
        let client = self.name.as_str();
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", client, facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", client, facility, "{message}"),
            RDKafkaLogLevel::Debug if !self.debugs => tracing::debug!(target: "librdkafka", client, facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::info!(target: "librdkafka", client, facility, "{message}");
            }
        }
    }
}

/// Passes on what a client has written that nobody polls: an admin client's thread looks at answers alone.
pub(crate) fn pass_on(client: &Client<ClientLog>) {
    let queue = Queue::main(client);
    while let Some((number, facility, text)) = queue.log_line() {
        // What is no line is an error, which the log has as well.
        if !text.is_empty() {
            client.context().line(level(number), &facility, &text);
        }
    }
}

/// A client that calls back with nothing but its log.
impl ClientContext for ClientLog {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(client = self.name, %error, reason, "trouble with Kafka, the client goes on");
    }
}

/// The level that librdkafka means by a number, as syslog has them.
pub(super) fn level(number: i32) -> RDKafkaLogLevel {
    match number {
        ..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_writes_what_its_settings_ask_for_and_what_librdkafka_writes_by_default_else() {
        let of = |settings: &[(&str, &str)]| {
            let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            ClientLog::new("c", &settings).level() as i32
        };
        assert_eq!(of(&[]), 6);
        assert_eq!(of(&[("log_level", "3")]), 3);
        assert_eq!(of(&[("debug", "topic")]), 7);
        assert_eq!(of(&[("debug", "")]), 6);
        assert_eq!(of(&[("debug", "topic"), ("log_level", "4")]), 4);
    }
}
