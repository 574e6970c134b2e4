//! Where the schema of a topic is: in a file, or in a registry.

use std::sync::Arc;

use connect_api::{Error, ErrorKind, Result, data::Schema};

use super::text::{from_registry, from_text};
use crate::registry::confluent::ConfluentRegistry;

/// What stands for the topic's name.
const TOPIC: &str = "{topic}";

/// A path or the name of a subject, in which the topic's name may stand.
#[derive(Debug)]
pub(super) struct Template(pub(super) String);

impl Template {
    /// Whether there is one for each topic.
    pub(super) fn is_of_topic(&self) -> bool {
        self.0.contains(TOPIC)
    }

    fn of(&self, topic: &str) -> String {
        self.0.replace(TOPIC, topic)
    }
}

/// Where schemas are.
#[derive(Debug)]
pub(super) enum Source {
    /// `schema.file`
    File(Template),
    /// `schema.subject`
    Subject(Template, Box<ConfluentRegistry>),
}

impl Source {
    pub(super) fn template(&self) -> &Template {
        match self {
            Self::File(template) | Self::Subject(template, _) => template,
        }
    }

    /// Where the schema of a topic is, for whoever has a record that does not fit.
    pub(super) fn place(&self, topic: &str, schema: &Schema) -> String {
        match self {
            Self::File(template) => place_of_file(&template.of(topic)),
            Self::Subject(template, _) => {
                let version = schema.version.map(|version| format!("version {version} of ")).unwrap_or_default();
                format!("{version}the subject {}", template.of(topic))
            }
        }
    }

    /// The schema of a topic. Whatever is wrong with it can be mended from outside while the records wait.
    ///
    /// # Errors
    /// `Retriable` where there is none, or none that can be read; `Config` where a registry cannot be asked at all.
    pub(super) async fn schema(&self, topic: &str) -> Result<Arc<Schema>> {
        match self {
            Self::File(template) => {
                let path = template.of(topic);
                let text =
                    tokio::fs::read_to_string(&path).await.map_err(|error| Error::data("it cannot be read").with_source(error));
                text.and_then(|text| from_text(&text))
                    .map_err(|error| waiting(&error, topic, &format!("{path} holds no schema"), "put a schema there, or mend it"))
            }
            Self::Subject(template, registry) => {
                let subject = template.of(topic);
                let found = registry.latest(&subject).await.and_then(|(text, version)| from_registry(&text, version));
                found.map_err(|error| match error.kind() {
                    ErrorKind::Data => {
                        let what = format!("the registry has no schema in the subject {subject} that records could be read by");
                        waiting(&error, topic, &what, "register one")
                    }
                    _ => error,
                })
            }
        }
    }
}

/// As [`Source::place`], of a file.
pub(super) fn place_of_file(path: &str) -> String {
    format!("in the file {path}, which may be edited before the connector is started again")
}

/// # Errors
/// `Config` where the file has no schema that can be used.
pub(super) fn of_file(path: &str) -> Result<Arc<Schema>> {
    let refused = |reason: String| Error::config(format!("`schema.file`: {path} {reason}"));
    let text = std::fs::read_to_string(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    from_text(&text).map_err(|error| refused(format!("holds no schema that can be used: {}", error.report())))
}

fn waiting(error: &Error, topic: &str, what: &str, remedy: &str) -> Error {
    let reason = error.report();
    Error::retriable(format!(
        "{what}: {reason}. Records of the topic {topic} wait, and none is lost: {remedy}, and they go on by themselves"
    ))
}
