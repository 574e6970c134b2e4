//! Schemas for plain JSON, inferred from the first records of each topic and kept as an object beside the files: whoever makes it first decides for all tasks,
//! partitions and runs, and an operator may make or change it.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use connect_api::{
    Error, ErrorKind, Result, SinkRecord,
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
    schema_object::{Found, SchemaObject},
    topic_partition_writer::{Shared, TopicPartitionWriter},
    uploads::Uploads,
};
use crate::converter::{Inference, UnknownFields, read_by_schema, with_place};

/// So many records are looked at, of those that come first.
const MOST_RECORDS: usize = 5_000;
/// A schema that comes from fewer records may lack what others have.
const FEW_RECORDS: usize = 100;
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

/// The schemas of one task. What is known stays until the task ends or the topic is made anew: a file has one schema, whatever becomes of the object meanwhile.
pub(super) struct InferredSchemas {
    by_topic: HashMap<String, State>,
    results: mpsc::UnboundedSender<Answer>,
    found: mpsc::UnboundedReceiver<Answer>,
    /// Why there is no answer yet, by topic.
    troubles: Troubles,
    /// Calls in a row that had to wait.
    waits: u32,
}

/// A topic, and what the store has of it; an error ends the task.
type Answer = (String, Result<Option<Arc<Schema>>>);
type Troubles = Arc<Mutex<HashMap<String, String>>>;

enum State {
    Asked,
    /// Nobody has made one, and no record with members has come.
    None,
    Known(Arc<Schema>),
}

impl InferredSchemas {
    pub(super) fn new() -> Self {
        let (results, found) = mpsc::unbounded_channel();
        Self { by_topic: HashMap::new(), results, found, troubles: Arc::default(), waits: 0 }
    }

    /// The schema of a topic's plain JSON, if there is any.
    pub(super) fn of(&self, topic: &str) -> Option<&Arc<Schema>> {
        match self.by_topic.get(topic)? {
            State::Known(schema) => Some(schema),
            State::Asked | State::None => None,
        }
    }

    /// The topic was made anew: its object is read again, when the next of its records come.
    pub(super) fn forget(&mut self, shared: &Shared, topic: &str) {
        if matches!(self.by_topic.get(topic), Some(State::Known(_) | State::None)) {
            self.by_topic.remove(topic);
            let key = object_of(&shared.config, topic);
            warn!(
                topic,
                key,
                "the topic was made anew, and a schema that was kept in this object still holds: remove or edit it where its records have another one"
            );
        }
    }

    /// Sees to it that the schema of each record is known, before anything is done with one of them. Waits for a moment only.
    ///
    /// # Errors
    /// `Retriable` where the store has not answered yet, `Fatal` where it says that it never will.
    pub(super) async fn prepare(&mut self, shared: &Arc<Shared>, records: &[SinkRecord]) -> Result<()> {
        let Some(inferring) = &shared.config.inferring else { return Ok(()) };
        self.take_in()?;
        let mut wanted: HashMap<&str, Inference> = HashMap::new();
        for run in records.chunk_by(|a, b| a.origin().is_of_same_batch(b.origin())) {
            let Some(topic) = run.first().map(|record| &*record.origin().topic_partition().topic) else { continue };
            if !inferring.is_for(topic) || self.of(topic).is_some() {
                continue;
            }
            // What has been asked for is inferred already.
            let is_asked = matches!(self.by_topic.get(topic), Some(State::Asked));
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
        let is_answered = |topic: &str| matches!(self.by_topic.get(topic), Some(State::None));
        let inferred = wanted.into_iter().map(|(topic, inference)| {
            let records = inference.records();
            (topic.to_owned(), inference.into_schema(topic), records)
        });
        // Records without members have no schema of their own, and there is none that they wait for.
        let wanted: Vec<_> = inferred.filter(|(topic, schema, _)| schema.is_some() || !is_answered(topic)).collect();
        let topics: Vec<_> = wanted.iter().map(|(topic, ..)| topic.clone()).collect();
        let mut is_new = false;
        for (topic, schema, records) in wanted {
            if !matches!(self.by_topic.get(&topic), Some(State::Asked)) {
                self.by_topic.insert(topic.clone(), State::Asked);
                self.ask(shared, topic, schema, records);
                is_new = true;
            }
        }
        let until = Instant::now() + SOON;
        while is_new && topics.iter().any(|topic| self.is_waited_for(topic)) {
            let Ok(Some(answer)) = timeout_at(until, self.found.recv()).await else { break };
            self.take(answer)?;
        }
        self.tell(shared, &topics)
    }

    fn is_waited_for(&self, topic: &str) -> bool {
        matches!(self.by_topic.get(topic), Some(State::Asked))
    }

    fn ask(&self, shared: &Arc<Shared>, topic: String, inferred: Option<String>, records: usize) {
        let asking = Asking {
            key: object_of(&shared.config, &topic),
            records,
            inferred,
            topic,
            uploads: Arc::clone(&shared.uploads),
            troubles: Arc::clone(&self.troubles),
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

    fn take_in(&mut self) -> Result<()> {
        while let Ok(answer) = self.found.try_recv() {
            self.take(answer)?;
        }
        Ok(())
    }

    fn take(&mut self, (topic, schema): Answer) -> Result<()> {
        self.by_topic.insert(topic, schema?.map_or(State::None, State::Known));
        Ok(())
    }

    fn tell(&mut self, shared: &Shared, topics: &[String]) -> Result<()> {
        let missing: Vec<_> = topics.iter().map(String::as_str).filter(|topic| self.is_waited_for(topic)).collect();
        if missing.is_empty() {
            if std::mem::take(&mut self.waits) > 0 {
                shared.context.report_problem(PROBLEM, None);
            }
            return Ok(());
        }
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.waits).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
        self.waits = self.waits.saturating_add(1);
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons: String = missing.iter().filter_map(|topic| Some(format!("; {topic}: {}", troubles.get(*topic)?))).collect();
        drop(troubles);
        let text = format!("records wait until the schema of {} is known, and none is lost{reasons}", missing.join(", "));
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
    inferred: Option<String>,
    records: usize,
    uploads: Arc<Uploads>,
    troubles: Troubles,
}

impl Asking {
    /// Asks until there is an answer; there is none where nothing was inferred.
    ///
    /// # Errors
    /// `Fatal` where the store says that asking again is of no use.
    async fn schema(&self) -> Result<Option<Arc<Schema>>> {
        let mut attempt = 0;
        loop {
            match self.attempt().await {
                Ok(schema) => {
                    self.set_trouble(None);
                    return Ok(schema);
                }
                Err(error) if error.kind() == ErrorKind::Fatal => return Err(error),
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

    async fn attempt(&self) -> Result<Option<Arc<Schema>>> {
        let _permit = self.uploads.permits.survey.acquire().await;
        let object = SchemaObject { storage: self.uploads.storage(), key: &self.key };
        let schema = match object.find_or_make(self.inferred.as_deref()).await? {
            Found::Nothing => return Ok(None),
            Found::Kept(schema) => schema,
            Found::Made(schema) => {
                let (topic, key, records) = (&self.topic, &self.key, self.records);
                if records < FEW_RECORDS {
                    warn!(
                        topic,
                        key,
                        records,
                        "a schema was inferred from few records of a topic; it is kept in this object, which may be edited before the connector is started again"
                    );
                } else {
                    info!(
                        topic,
                        key, records, "a schema was inferred from the first records of a topic; it is kept in this object"
                    );
                }
                schema
            }
        };
        Ok(Some(schema))
    }

    fn set_trouble(&self, trouble: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => troubles.insert(self.topic.clone(), trouble),
            None => troubles.remove(&self.topic),
        };
    }
}

impl TopicPartitionWriter {
    /// The record as it is written: plain JSON has the schema that was inferred for it. Nothing where it does not fit, which is reported.
    ///
    /// # Errors
    /// Where nobody takes what does not fit; of an object that is there already nobody need.
    pub(super) fn typed<'r>(&self, record: &'r SinkRecord, is_durable: bool) -> Result<Option<Cow<'r, SinkRecord>>> {
        let topic = &*self.topic_partition.topic;
        let Some(inferring) = self.shared.config.inferring.as_ref().filter(|inferring| inferring.is_for(topic)) else {
            return Ok(Some(Cow::Borrowed(record)));
        };
        let (None, Value::Json(text)) = (&record.value.schema, &record.value.value) else { return Ok(Some(Cow::Borrowed(record))) };
        let read = match &self.inferred {
            Some(schema) => read_by_schema(text, schema, inferring.unknown, true).map(|value| {
                let mut typed = record.clone();
                typed.value = Data::with_schema(Arc::clone(schema), value);
                typed
            }),
            // Without members, before any that has some: formats that need no schema take it.
            None if is_plain_object(&record.value) => return Ok(Some(Cow::Borrowed(record))),
            None => Err(Error::data("the record does not fit the schema of its topic: it is no object")),
        };
        match read {
            Ok(typed) => Ok(Some(Cow::Owned(typed))),
            Err(_) if is_durable && self.shared.context.errant_record_reporter().is_none() => Ok(None),
            Err(error) => {
                let key = object_of(&self.shared.config, topic);
                let place = format!("in the object {key}, which may be edited before the connector is started again");
                self.report(record, with_place(&error, &place)).map(|()| None)
            }
        }
    }

    /// Says of a record without members why it has no schema, where one is inferred.
    pub(super) fn explained(&self, record: &SinkRecord, error: Error) -> Error {
        let (topic, config) = (&*self.topic_partition.topic, &self.shared.config);
        let is_inferred = config.inferring.as_ref().is_some_and(|inferring| inferring.is_for(topic));
        if error.kind() != ErrorKind::Data || !is_inferred || self.inferred.is_some() || !is_plain_object(&record.value) {
            return error;
        }
        let (key, reason) = (object_of(config, topic), error.report());
        Error::data(format!(
            "{reason}; no record of {topic} with members has come yet, so that no schema was inferred: one may be put into the object {key} before the \
             connector is started again"
        ))
    }
}
