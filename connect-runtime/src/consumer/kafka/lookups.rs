//! Finding out where to go on: questions about offsets, and what their answers mean. Nobody waits for them but the partition that
//! they are about.

use std::{collections::BTreeMap, time::Duration};

use connect_api::{Error, Offsets, TopicPartition};
use rdkafka::{
    ClientContext as _,
    consumer::{Consumer, base_consumer::BaseConsumer},
    types::RDKafkaErrorCode,
};
use tokio::time::Instant;

use super::{
    context::Context,
    native::known_log_end,
    offsets::Reset,
    questions::{self, LogEnd},
    state::{Owned, Question, State, Wait, Why},
    trouble::{self, Resolution, ask_again_after},
};
use crate::consumer::{Event, Generation, NewLog};

/// How long a question may take.
const TIMEOUT: Duration = Duration::from_secs(3);

impl Context {
    /// Asks about offsets where it is time to.
    pub(super) fn ask_offsets(&self, consumer: &BaseConsumer<Self>, now: Instant) {
        let Some(queues) = self.inlet.queues() else { return };
        let mut due = Vec::new();
        {
            let State { owned, questions, .. } = &mut *self.state();
            for (topic_partition, owned) in owned {
                let generation = owned.generation;
                let Wait::LookUp { why, ask_at, .. } = &mut owned.wait else { continue };
                if ask_at.is_none_or(|at| now < at) {
                    continue;
                }
                *ask_at = None;
                // Answers to what was asked before would be taken for those.
                questions.open.retain(|_, open| open.topic_partition != *topic_partition);
                for end in asked_for(*why, self.reset) {
                    let question = Question { topic_partition: topic_partition.clone(), generation, end, is_only_shown: false };
                    due.push((questions.begin(question), topic_partition.clone(), end));
                }
            }
        }
        for (number, topic_partition, end) in due {
            questions::ask_offset(consumer.client(), &topic_partition, end, number, TIMEOUT, &queues.answers);
        }
    }

    /// Shows where the logs end: what answers to fetches have told last, and for partitions of which nothing is fetched what the brokers say now, if they
    /// are to be asked. `reads` is false where nothing at all is read.
    pub(super) fn show_log_ends(&self, consumer: &BaseConsumer<Self>, reads: bool, may_ask: bool) {
        let Some(queues) = self.inlet.queues() else { return };
        let (mut read, mut asked) = (Vec::new(), Vec::new());
        {
            let State { owned, questions, .. } = &mut *self.state();
            let may_ask = may_ask && !questions.open.values().any(|open| open.is_only_shown);
            for (topic_partition, owned) in owned.iter().filter(|(_, owned)| owned.wait == Wait::Nothing) {
                if reads && !owned.paused {
                    read.push(topic_partition.clone());
                } else if may_ask {
                    let (topic_partition, generation) = (topic_partition.clone(), owned.generation);
                    let question =
                        Question { topic_partition: topic_partition.clone(), generation, end: LogEnd::High, is_only_shown: true };
                    asked.push((questions.begin(question), topic_partition));
                }
            }
        }
        for (number, topic_partition) in asked {
            questions::ask_offset(consumer.client(), &topic_partition, LogEnd::High, number, TIMEOUT, &queues.answers);
        }
        let known = |topic_partition: TopicPartition| Some((known_log_end(consumer.client(), &topic_partition)?, topic_partition));
        let ends = read.into_iter().filter_map(known).map(|(end, topic_partition)| (topic_partition, end));
        self.send(Event::LogEnds(ends.collect()));
    }

    /// Takes the answers that have arrived, or the first that arrives in this time.
    pub(super) fn take_answers(&self, wait: Duration) {
        let Some(queues) = self.inlet.queues() else { return };
        let mut wait = wait;
        while let Some((number, answer)) = questions::answer(&queues.answers, wait) {
            wait = Duration::ZERO;
            let question = self.state().questions.open.remove(&number);
            match (question, answer) {
                (Some(Question { topic_partition, is_only_shown: true, .. }), Ok(end)) => {
                    self.send(Event::LogEnds([(topic_partition, end)].into()));
                }
                (Some(Question { is_only_shown: true, .. }), Err(code)) => tracing::debug!(%code, "nobody says where a log ends"),
                (Some(Question { topic_partition, generation, end, .. }), answer) => {
                    let answer = match (end, answer) {
                        // Nothing is as young: the log's end is.
                        (LogEnd::Since(_), Err(RDKafkaErrorCode::NoOffset)) => Ok(i64::MAX),
                        (_, answer) => answer,
                    };
                    self.found(&topic_partition, generation, end, answer.map_err(|code| code.to_string()));
                }
                (None, _) => {}
            }
        }
    }

    /// An offset is known, or not yet.
    fn found(&self, topic_partition: &TopicPartition, asked: Generation, of: LogEnd, offset: Result<i64, String>) {
        let mut state = self.state();
        let Some(owned) = state.owned.get_mut(topic_partition).filter(|owned| owned.generation.is_same_log(asked)) else { return };
        let Wait::LookUp { why, low, high, since, ask_at } = &mut owned.wait else { return };
        match offset {
            Ok(offset) => match of {
                LogEnd::Low => *low = Some(offset),
                LogEnd::High => *high = Some(offset),
                LogEnd::Since(_) => *since = Some(offset),
            },
            Err(reason) => {
                owned.failures += 1;
                *ask_at = Some(Instant::now() + ask_again_after(owned.failures));
                drop(state);
                return self.show_trouble(topic_partition, format!("its offsets cannot be looked up: {reason}"));
            }
        }
        let (why, low, high, since) = (*why, *low, *high, *since);
        let is_known = |end: &LogEnd| match end {
            LogEnd::Low => low.is_some(),
            LogEnd::High => high.is_some(),
            LogEnd::Since(_) => since.is_some(),
        };
        if !asked_for(why, self.reset).iter().all(is_known) {
            return;
        }
        let ends = Ends { low: low.unwrap_or_default(), high: high.unwrap_or_default(), since };
        let effect = owned.go_on(topic_partition, why, ends, self.reset, Instant::now());
        let was_shown = owned.problem.take().is_some();
        match effect {
            Effect::None => {}
            Effect::Begun => state.begun.push(topic_partition.clone()),
            Effect::NewLog(log) => state.new_logs.push(log),
            Effect::Gone { missing } => self.send(Event::Gone { topic_partition: topic_partition.clone(), records: missing }),
            Effect::Refused(error) => drop(state.failure.get_or_insert(error)),
        }
        drop(state);
        if was_shown {
            self.show_mended(topic_partition);
        }
    }

    /// Tells the task of partitions that it could not be told of with their assignment.
    pub(super) fn announce_late(&self) {
        let mut state = self.state();
        if state.begun.is_empty() {
            return;
        }
        let begun = std::mem::take(&mut state.begun);
        // Each under the epoch in which it was assigned: others may have come since.
        let mut epochs: BTreeMap<u64, Offsets> = BTreeMap::new();
        for topic_partition in begun {
            let Some(owned) = state.owned.get(&topic_partition) else { continue };
            let Some(next) = owned.next else { continue };
            let begin = connect_api::OffsetAndMetadata::new(next, "");
            epochs.entry(owned.generation.epoch).or_default().insert(topic_partition, begin);
        }
        for (epoch, partitions) in epochs {
            let topic_ids = state.topic_ids(&partitions);
            self.send(Event::Assigned { epoch, partitions, topic_ids });
        }
    }

    /// Looks at topics that have become others, as librdkafka's log has it up to now.
    pub(super) fn look_at_changes(&self) {
        self.read_log();
        for change in self.changes.take() {
            self.state().changed(&change, Instant::now());
        }
    }

    /// Reads the lines that librdkafka has written to its log.
    pub(super) fn read_log(&self) {
        let Some(queues) = self.inlet.queues() else { return };
        while let Some((level, facility, text)) = queues.log.log_line() {
            self.log(super::client_log::level(level), &facility, &text);
        }
    }

    /// Shows that nothing comes from a partition, until [`Context::show_mended`].
    pub(super) fn show_trouble(&self, topic_partition: &TopicPartition, problem: String) {
        let (is_news, is_new) = {
            let mut state = self.state();
            let Some(owned) = state.owned.get_mut(topic_partition) else { return };
            let before = owned.problem.replace(problem.clone());
            (before.as_ref() != Some(&problem), before.is_none())
        };
        // The same again is no news.
        if is_news {
            tracing::warn!(%topic_partition, problem, "trouble with a partition");
        }
        self.health.set_problem(&problem_of(topic_partition), Some(problem));
        if is_new {
            self.send(Event::Unreadable { topic_partition: topic_partition.clone(), unreadable: true });
        }
    }

    /// A partition can be read again, or is no longer ours.
    pub(super) fn show_mended(&self, topic_partition: &TopicPartition) {
        self.health.set_problem(&problem_of(topic_partition), None);
        self.send(Event::Unreadable { topic_partition: topic_partition.clone(), unreadable: false });
    }
}

/// Under which name readiness shows a partition.
fn problem_of(topic_partition: &TopicPartition) -> String {
    format!("partition {topic_partition}")
}

/// The places that decide where a partition goes on.
fn asked_for(why: Why, reset: Reset) -> Vec<LogEnd> {
    let reset_to = match reset {
        Reset::Latest => vec![LogEnd::High],
        Reset::Since(age) => vec![LogEnd::High, LogEnd::Since(age)],
        Reset::Earliest | Reset::Error => vec![LogEnd::Low],
    };
    match why {
        Why::Begin => reset_to,
        Why::NewLog => vec![LogEnd::Low],
        Why::OutOfRange { .. } => match reset {
            Reset::Since(age) => vec![LogEnd::Low, LogEnd::High, LogEnd::Since(age)],
            _ => vec![LogEnd::Low, LogEnd::High],
        },
    }
}

/// What was found out about a log; what was not asked for is 0.
#[derive(Clone, Copy, Debug)]
struct Ends {
    low: i64,
    high: i64,
    since: Option<i64>,
}

impl Ends {
    /// Where a reset begins.
    fn begin(self, reset: Reset) -> i64 {
        match reset {
            Reset::Latest => self.high,
            Reset::Since(_) => self.since.unwrap_or(self.high).min(self.high),
            Reset::Earliest | Reset::Error => self.low,
        }
    }
}

/// What follows from where a partition goes on.
enum Effect {
    None,
    /// The task can be given the partition.
    Begun,
    /// The task must be told.
    NewLog(NewLog),
    /// So many records were never read.
    Gone {
        missing: u64,
    },
    /// The task ends.
    Refused(Error),
}

impl Owned {
    /// Goes on where the log says.
    fn go_on(&mut self, topic_partition: &TopicPartition, why: Why, ends: Ends, reset: Reset, now: Instant) -> Effect {
        self.wait = Wait::Seek(None);
        self.failures = 0;
        let (begin, next) = (ends.begin(reset), self.next);
        let Ends { low, high, .. } = ends;
        match (why, next) {
            (Why::Begin, _) => {
                self.next = Some(begin);
                Effect::Begun
            }
            (Why::NewLog, _) | (Why::OutOfRange { .. }, None) => self.is_other_log(topic_partition, low),
            (Why::OutOfRange { truncated }, Some(next)) => match trouble::resolve(next, (low, high), truncated, (reset, begin)) {
                Resolution::Follow => {
                    // Brokers that contradict themselves may do so for long, and each time others may have to stop for a moment, too.
                    self.contradictions += 1;
                    self.wait = Wait::Seek(Some(now + trouble::pause_before_following(self.contradictions)));
                    Effect::None
                }
                Resolution::Gone { missing, at } => {
                    tracing::warn!(%topic_partition, next, missing, at, "records have gone from the log before they were read");
                    self.next = Some(at);
                    Effect::Gone { missing: missing.unsigned_abs() }
                }
                Resolution::Refuse { missing } => Effect::Refused(Error::fatal(format!(
                    "{topic_partition} cannot be read where it was left: {missing} records from offset {next} on have gone from the log, and \
                     `auto.offset.reset` is `none`"
                ))),
                Resolution::BeganAnew { at } => {
                    self.generation = Generation { log: self.generation.log + 1, seeks: 0, ..self.generation };
                    self.is_other_log(topic_partition, at)
                }
            },
        }
    }

    fn is_other_log(&mut self, topic_partition: &TopicPartition, begin: i64) -> Effect {
        tracing::warn!(%topic_partition, begin, topic_id = self.topic_id.as_deref(), "the log has begun anew");
        self.next = Some(begin);
        let (generation, topic_id) = (self.generation, self.topic_id.clone());
        Effect::NewLog(NewLog { topic_partition: topic_partition.clone(), generation, begin, topic_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tp() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    fn ends(low: i64, high: i64) -> Ends {
        Ends { low, high, since: None }
    }

    #[test]
    fn brokers_that_contradict_themselves_are_followed_after_pauses_that_grow() {
        let now = Instant::now();
        let mut owned = Owned::new(1, Some(10), now);
        for pause in [50, 100, 200] {
            let effect = owned.go_on(&tp(), Why::OutOfRange { truncated: false }, ends(0, 20), Reset::Error, now);
            assert!(matches!(effect, Effect::None));
            assert_eq!(owned.wait, Wait::Seek(Some(now + Duration::from_millis(pause))));
        }
    }

    #[test]
    fn another_log_is_read_from_its_beginning_whatever_the_policy() {
        for reset in [Reset::Earliest, Reset::Latest, Reset::Error] {
            let now = Instant::now();
            let mut owned = Owned::new(1, Some(0), now);
            let effect = owned.go_on(&tp(), Why::NewLog, ends(5, 100), reset, now);
            assert!(matches!(effect, Effect::NewLog(NewLog { begin: 5, .. })));
            assert_eq!(owned.next, Some(5));
        }
    }
}
