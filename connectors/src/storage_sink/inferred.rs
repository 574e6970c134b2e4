//! Schemas for plain JSON, inferred from the first records of each topic and kept as an object beside the files: whoever makes it first decides for all tasks,
//! partitions and runs, and an operator may make or change it.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use connect_api::{
    Completion, Condition, Error, ErrorKind, ObjectMetadata, Result, SinkRecord,
    config::{Config, List},
    data::{Data, Schema, Value, json::Kind},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use super::{
    config::StorageSinkConfig,
    keys::{INFER, INFER_TOPICS, INFER_UNKNOWN},
    topic_partition_writer::{Shared, TopicPartitionWriter},
    uploads::Uploads,
};
use crate::converter::{Inference, UnknownFields, read_by_schema, schema_from_text};

/// So many records are looked at, of those that come first.
const MOST_RECORDS: usize = 5_000;
/// No schema is as long.
const LONGEST_SCHEMA: u64 = 4 * 1024 * 1024;
/// How long a batch may wait for the store within one call.
const SOON: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Below what a lease of the partitions lasts: each call renews it.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What readiness calls it.
const PROBLEM: &str = "schema";

/// `schema.infer` with the keys beside it.
#[derive(Debug)]
pub(super) struct Inferring {
    /// The topics; none where all are meant.
    topics: Vec<String>,
    unknown: UnknownFields,
}

impl Inferring {
    /// Nothing where schemas are not inferred.
    ///
    /// # Errors
    /// `Config` where a key is refused.
    pub(super) fn new(config: &Config) -> Result<Option<Self>> {
        let List(topics) = config.get(&INFER_TOPICS)?;
        let unknown = if config.get(&INFER_UNKNOWN)? == "ignore" { UnknownFields::Ignore } else { UnknownFields::Fail };
        Ok(config.get(&INFER)?.then_some(Self { topics, unknown }))
    }

    fn is_for(&self, topic: &str) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|named| named == topic)
    }
}

/// The schemas of one task. What is known stays until the task ends: a file has one schema, whatever becomes of the object meanwhile.
pub(super) struct InferredSchemas {
    by_topic: HashMap<String, State>,
    results: mpsc::UnboundedSender<(String, Arc<Schema>)>,
    found: mpsc::UnboundedReceiver<(String, Arc<Schema>)>,
    trouble: Arc<Mutex<Option<String>>>,
    /// Calls in a row that had to wait.
    waits: u32,
}

enum State {
    Asked,
    Known(Arc<Schema>),
}

impl InferredSchemas {
    pub(super) fn new() -> Self {
        let (results, found) = mpsc::unbounded_channel();
        Self { by_topic: HashMap::new(), results, found, trouble: Arc::default(), waits: 0 }
    }

    /// The schema of a topic's plain JSON, if there is any.
    pub(super) fn of(&self, topic: &str) -> Option<&Arc<Schema>> {
        match self.by_topic.get(topic)? {
            State::Known(schema) => Some(schema),
            State::Asked => None,
        }
    }

    /// Sees to it that the schema of each record is known, before anything is done with one of them. Waits for a moment only.
    ///
    /// # Errors
    /// `Retriable` where the store has not answered yet.
    pub(super) async fn prepare(&mut self, shared: &Arc<Shared>, records: &[SinkRecord]) -> Result<()> {
        let Some(inferring) = &shared.config.inferring else { return Ok(()) };
        self.take_in();
        let mut wanted: HashMap<&str, Inference> = HashMap::new();
        for run in records.chunk_by(|a, b| a.origin().is_of_same_batch(b.origin())) {
            let Some(topic) = run.first().map(|record| &*record.origin().topic_partition().topic) else { continue };
            if !inferring.is_for(topic) || self.of(topic).is_some() {
                continue;
            }
            // What has been asked for is inferred already.
            let is_asked = self.by_topic.contains_key(topic);
            for record in run.iter().filter(|record| is_plain_object(&record.value)) {
                let inference = wanted.entry(topic).or_default();
                if is_asked || inference.records() >= MOST_RECORDS {
                    break;
                }
                if let Value::Json(text) = &record.value.value {
                    inference.see(text);
                }
            }
        }
        if wanted.is_empty() {
            return self.tell(shared, &[]);
        }
        let topics: Vec<_> = wanted.keys().map(|topic| (*topic).to_owned()).collect();
        let mut is_new = false;
        for (topic, inference) in wanted {
            if !self.by_topic.contains_key(topic) {
                self.by_topic.insert(topic.to_owned(), State::Asked);
                self.ask(shared, topic, inference);
                is_new = true;
            }
        }
        let until = Instant::now() + SOON;
        while is_new && topics.iter().any(|topic| self.of(topic).is_none()) {
            let Ok(Some((topic, schema))) = timeout_at(until, self.found.recv()).await else { break };
            self.by_topic.insert(topic, State::Known(schema));
        }
        self.tell(shared, &topics)
    }

    fn ask(&self, shared: &Arc<Shared>, topic: &str, inference: Inference) {
        let asking = Asking {
            key: object_of(&shared.config, topic),
            records: inference.records(),
            inferred: inference.into_schema(topic),
            topic: topic.to_owned(),
            uploads: Arc::clone(&shared.uploads),
            trouble: Arc::clone(&self.trouble),
        };
        let results = self.results.clone();
        shared.context.spawn(async move {
            tokio::select! {
                biased;
                () = results.closed() => {}
                schema = asking.schema() => {
                    let topic = asking.topic.clone();
                    // A task that has gone needs no answer.
                    let _gone = results.send((topic, schema));
                    asking.uploads.context.wake();
                }
            }
        });
    }

    fn take_in(&mut self) {
        while let Ok((topic, schema)) = self.found.try_recv() {
            self.by_topic.insert(topic, State::Known(schema));
        }
    }

    fn tell(&mut self, shared: &Shared, topics: &[String]) -> Result<()> {
        let missing: Vec<_> = topics.iter().map(String::as_str).filter(|topic| self.of(topic).is_none()).collect();
        if missing.is_empty() {
            if std::mem::take(&mut self.waits) > 0 {
                shared.context.report_problem(PROBLEM, None);
            }
            return Ok(());
        }
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.waits).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
        self.waits = self.waits.saturating_add(1);
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let trouble = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
        let text = format!("records wait until the schema of {} is known, and none is lost{trouble}", missing.join(", "));
        shared.context.report_problem(PROBLEM, Some(text.clone()));
        shared.context.timeout(pause);
        Err(Error::retriable(text))
    }
}

/// The name of the object: readers of the directory ignore names that begin with an underscore.
fn object_of(config: &StorageSinkConfig, topic: &str) -> String {
    format!("{}_schema.avsc", config.keys.directory_of_topic(topic))
}

fn is_plain_object(value: &Data) -> bool {
    value.schema.is_none() && matches!(&value.value, Value::Json(text) if Kind::of(text.as_bytes()) == Kind::Object)
}

/// One topic whose schema is looked for.
struct Asking {
    topic: String,
    key: String,
    /// What is put there if nothing is, and how many records it comes from.
    inferred: String,
    records: usize,
    uploads: Arc<Uploads>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Asking {
    /// Asks until there is one.
    async fn schema(&self) -> Arc<Schema> {
        let mut attempt = 0;
        loop {
            match self.attempt().await {
                Ok(schema) => {
                    self.set_trouble(None);
                    return schema;
                }
                Err(error) => {
                    attempt += 1;
                    let (key, pause, error) = (&self.key, self.uploads.backoff(attempt), error.report());
                    warn!(key, attempt, ?pause, error, "the schema of a topic is not known yet, retrying");
                    self.set_trouble(Some(error));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn attempt(&self) -> Result<Arc<Schema>> {
        let refused = match self.read().await {
            Ok(Some(schema)) => return Ok(schema),
            Ok(None) => None,
            // Who may not list a bucket is not told that an object is missing.
            Err(error) if error.kind() == ErrorKind::Config => Some(error),
            Err(error) => return Err(error),
        };
        let permit = self.uploads.permits.survey.acquire().await;
        let body = vec![Bytes::from(self.inferred.clone())];
        let made = self.uploads.storage().put(&self.key, body, &ObjectMetadata::new(), &Condition::NameFree).await?;
        drop(permit);
        if made == Completion::Created {
            let (topic, key, records) = (&self.topic, &self.key, self.records);
            info!(topic, key, records, "a schema was inferred from the first records of a topic; it is kept in this object");
        } else if let Some(refused) = refused {
            return Err(refused);
        }
        // What is there counts, whoever has made it.
        self.read().await?.ok_or_else(|| Error::retriable(format!("{} has just been there, and is gone", self.key)))
    }

    /// The schema in the object, if there is one.
    async fn read(&self) -> Result<Option<Arc<Schema>>> {
        let _permit = self.uploads.permits.survey.acquire().await;
        let Some(bytes) = self.uploads.storage().get(&self.key, 0..LONGEST_SCHEMA).await? else { return Ok(None) };
        let schema =
            std::str::from_utf8(&bytes).map_err(|error| Error::data("it is no text").with_source(error)).and_then(schema_from_text);
        let unusable = |error: Error| {
            let reason = error.report();
            Error::retriable(format!(
                "the object {} holds no schema that can be used: {reason}. Mend it, or remove it to have one inferred",
                self.key
            ))
        };
        schema.map(Some).map_err(unusable)
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl TopicPartitionWriter {
    /// The record as it is written: plain JSON has the schema that was inferred for it. Nothing where it does not fit, which is reported.
    ///
    /// # Errors
    /// Where nobody takes what does not fit; of an object that is there already nobody need.
    pub(super) fn typed<'r>(&self, record: &'r SinkRecord, is_durable: bool) -> Result<Option<Cow<'r, SinkRecord>>> {
        let (Some(schema), Some(inferring)) = (&self.inferred, &self.shared.config.inferring) else {
            return Ok(Some(Cow::Borrowed(record)));
        };
        let (None, Value::Json(text)) = (&record.value.schema, &record.value.value) else { return Ok(Some(Cow::Borrowed(record))) };
        match read_by_schema(text, schema, inferring.unknown, true) {
            Ok(value) => {
                let mut typed = record.clone();
                typed.value = Data::with_schema(Arc::clone(schema), value);
                Ok(Some(Cow::Owned(typed)))
            }
            Err(_) if is_durable && self.shared.context.errant_record_reporter().is_none() => Ok(None),
            Err(error) => self.report(record, error).map(|()| None),
        }
    }
}
