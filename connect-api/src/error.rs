//! One error type; its kind says what the runtime does next.

use std::{error::Error as StdError, fmt};

use crate::config::Problems;

/// Short for a result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happens next. Nothing else about an error decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration cannot work: nothing starts, every problem is named.
    Config,
    /// This record never works: `errors.tolerance` decides, then the dead letter queue.
    Data,
    /// The environment: the same call again after a pause, for ever.
    Retriable,
    /// A bug or a lost promise: the task fails with the reason.
    Fatal,
}

/// An error with the action it asks for, what was being done, and why it failed.
///
/// `Display` prints the message alone; [`Error::report`] prints the chain of causes as well.
pub struct Error {
    kind: ErrorKind,
    class: &'static str,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";
const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";
const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";
const RETRIABLE_EXCEPTION: &str = "org.apache.kafka.connect.errors.RetriableException";

impl Error {
    /// An error of the configuration that belongs to no single key.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, CONFIG_EXCEPTION, message.into())
    }

    /// A record that will never work.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, DATA_EXCEPTION, message.into())
    }

    /// A fault of the environment that may be gone later.
    pub fn retriable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Retriable, RETRIABLE_EXCEPTION, message.into())
    }

    /// A fault that trying again cannot mend.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fatal, CONNECT_EXCEPTION, message.into())
    }

    fn new(kind: ErrorKind, class: &'static str, message: String) -> Self {
        Self { kind, class, message, source: None }
    }

    /// Names the Java class that users meet for this error in traces and in the headers of the dead letter queue.
    #[must_use]
    pub fn with_class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says what was being done when the error happened; the error itself becomes the cause.
    #[must_use]
    pub fn context(self, doing: impl Into<String>) -> Self {
        Self { kind: self.kind, class: self.class, message: doing.into(), source: Some(Box::new(self)) }
    }

    /// What the runtime does next.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The Java-style class name of the error.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// The message and all causes in one line, joined by `: `.
    pub fn report(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if !message.is_empty() && !text.ends_with(&message) {
                // Some messages of the JVM are empty, and some end in a colon.
                text.truncate(text.trim_end().len());
                text.push_str(match text.as_bytes().last() {
                    None => "",
                    Some(b':') => " ",
                    Some(_) => ": ",
                });
                text.push_str(&message);
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.report())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::config(problems.to_string())
    }
}
