//! What the consumer has, and how far each partition has been read.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use connect_api::{Error, Offsets, TopicPartition};
use tokio::time::Instant;

use super::{joining::Joining, native::Queue, questions::LogEnd, topic_ids::Change, trouble};
use crate::consumer::{EpochOffset, Generation, NewLog, PartitionRecords, TopicIds};

/// What the consumer has now.
#[derive(Default)]
pub(super) struct State {
    pub(super) epoch: u64,
    pub(super) owned: HashMap<TopicPartition, Owned>,
    /// Something waits to be done before all partitions can be read.
    pub(super) busy: bool,
    /// Commits under way.
    pub(super) commits: BTreeMap<u64, Offsets>,
    /// Questions under way.
    pub(super) questions: Questions,
    /// Partitions of which it has been found out where they begin.
    pub(super) begun: Vec<TopicPartition>,
    /// Logs that have begun anew, and nobody has been told.
    pub(super) new_logs: Vec<NewLog>,
    /// Why the consumer cannot go on.
    pub(super) failure: Option<Error>,
    /// The group owes us an assignment.
    pub(super) joining: Option<Joining>,
}

/// An assigned partition.
pub(super) struct Owned {
    pub(super) generation: Generation,
    /// The offset after the last record that was handed over, or where to begin; `None` until that is known.
    pub(super) next: Option<i64>,
    pub(super) wait: Wait,
    /// librdkafka fetches nothing until it is told anew where to begin.
    pub(super) stopped: bool,
    /// The task wants nothing to be read.
    pub(super) paused: bool,
    /// How often a question about the partition was not answered.
    pub(super) failures: u32,
    /// How often the next offset could not be read. Only its record, or another offset, ends it: after a damaged batch librdkafka may go on anywhere, and
    /// what follows from that says nothing.
    pub(super) damaged: u32,
    /// How often the log was said not to have the next offset, and had it.
    pub(super) contradictions: u32,
    /// Why nothing comes, as it is shown.
    pub(super) problem: Option<String>,
    /// The brokers have refused to be read from, and librdkafka does not tell when they do not any more: whether they have been tried anew since.
    pub(super) refused: Option<Retried>,
    /// The topic's id as the task knows it.
    pub(super) topic_id: Option<Arc<str>>,
    pub(super) queue: Option<Queue>,
}

/// Whether a partition whose brokers refused to be read from has been sought since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retried {
    No,
    /// With how many statistics that have come since.
    Yes(u32),
}

/// After so many statistics without an answer of any kind a partition is sought once more. Not at each: where the client is slow, it would never get to
/// the end of the log between two of them.
const PATIENCE: u32 = 10;

/// What stands between a partition and its next record. What is read meanwhile is of no use.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wait {
    /// Nothing.
    Nothing,
    /// It must be sought, but not before.
    Seek(Option<Instant>),
    /// It must be found out which topic this is, but not before.
    Identify(Instant),
    /// It must be found out where to go on.
    LookUp { why: Why, low: Option<i64>, high: Option<i64>, since: Option<i64>, ask_at: Option<Instant> },
}

/// Why offsets are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing is committed: where does it begin?
    Begin,
    /// The log does not have the offset; or no longer has records that were read.
    OutOfRange { truncated: bool },
    /// It is another log.
    NewLog,
}

impl Wait {
    /// Offsets that are asked for at once.
    pub(super) fn look_up(why: Why, now: Instant) -> Self {
        Self::LookUp { why, low: None, high: None, since: None, ask_at: Some(now) }
    }
}

/// Questions whose answers are still to come, by number.
#[derive(Default)]
pub(super) struct Questions {
    last: u64,
    pub(super) open: BTreeMap<u64, Question>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) topic_partition: TopicPartition,
    pub(super) generation: Generation,
    pub(super) end: LogEnd,
    /// The answer is shown, and decides nothing.
    pub(super) is_only_shown: bool,
}

impl Questions {
    /// Counts a question.
    pub(super) fn begin(&mut self, question: Question) -> u64 {
        self.last += 1;
        self.open.insert(self.last, question);
        self.last
    }
}

impl Owned {
    /// Begins at `next`, or where a look-up will say.
    pub(super) fn new(epoch: u64, next: Option<i64>, now: Instant) -> Self {
        Self {
            generation: Generation::first(epoch),
            next,
            wait: if next.is_some() { Wait::Nothing } else { Wait::look_up(Why::Begin, now) },
            stopped: false,
            paused: false,
            failures: 0,
            damaged: 0,
            contradictions: 0,
            problem: None,
            refused: None,
            topic_id: None,
            queue: None,
        }
    }

    /// Another offset is the next one: what was wrong with the last one counts no more.
    fn has_moved(&mut self) {
        (self.failures, self.damaged, self.contradictions) = (0, 0, 0);
    }

    /// The brokers have said which topic this is, or that they do not know.
    pub(super) fn identified(&mut self, id: Option<Arc<str>>, now: Instant) {
        self.failures = 0;
        self.wait = Wait::Seek(None);
        if id.is_some() && id != self.topic_id {
            self.topic_id = id;
            self.begin_anew(now);
        }
    }

    /// It is another log: nothing of the old one counts any more, and it is asked where this one begins.
    fn begin_anew(&mut self, now: Instant) {
        // Who does not know yet where it begins has told nobody.
        if let Some(next) = self.next.take() {
            tracing::warn!(read_to = next, "a log has begun anew");
            self.generation = Generation { log: self.generation.log + 1, seeks: 0, ..self.generation };
            self.has_moved();
            self.wait = Wait::look_up(Why::NewLog, now);
        } else if let Wait::LookUp { why, .. } = self.wait {
            // Answers to what was asked before are about another log.
            self.generation.log += u64::from(why == Why::NewLog);
            self.wait = Wait::look_up(why, now);
        }
    }
}

impl State {
    /// The partition and its generation, unless its messages shall be dropped.
    pub(super) fn reading(&self, topic: &str, partition: i32) -> Option<(TopicPartition, Generation)> {
        let (topic_partition, owned) = self.owned.get_key_value(&TopicPartition::new(topic, partition))?;
        (owned.wait == Wait::Nothing).then(|| (topic_partition.clone(), owned.generation))
    }

    /// Remembers how far the partitions have been read. Leaves out what cannot follow what was read before, and returns those partitions that
    /// can be read again.
    pub(super) fn advance(&mut self, read: &mut Vec<PartitionRecords>, now: Instant) -> Vec<TopicPartition> {
        let mut mended = Vec::new();
        read.retain(|read| {
            let ConsumerRecordsEnds { first, last, count } = ends(read);
            let Some(owned) = self.owned.get_mut(&read.records.topic_partition) else { return false };
            if owned.next.is_some_and(|next| first < next) || last - first < count - 1 {
                tracing::warn!(partition = %read.records.topic_partition, first, last, next = owned.next, "offsets go backwards");
                owned.begin_anew(now);
                self.busy = true;
                return false;
            }
            owned.next = Some(last + 1);
            owned.has_moved();
            owned.refused = None;
            if owned.problem.take().is_some() {
                mended.push(read.records.topic_partition.clone());
            }
            true
        });
        mended
    }

    /// Remembers a seek, unless its assignment or its log is over.
    pub(super) fn request_seek(&mut self, topic_partition: &TopicPartition, generation: Generation, offset: i64) {
        if let Some(owned) = self.owned.get_mut(topic_partition)
            && owned.generation.is_same_log(generation)
        {
            owned.generation = generation;
            owned.next = Some(offset);
            owned.has_moved();
            // Where offsets are being looked up, this one is judged by them.
            if !matches!(owned.wait, Wait::LookUp { .. } | Wait::Identify(_)) {
                owned.wait = Wait::Seek(None);
            }
            self.busy = true;
        }
    }

    /// Reads the partition again from the next offset that is expected: nothing that was handed over comes again, and nothing is left out.
    pub(super) fn reread(&mut self, topic_partition: &TopicPartition, from: i64) {
        if let Some(owned) = self.owned.get_mut(topic_partition)
            && owned.wait == Wait::Nothing
        {
            owned.next.get_or_insert(from);
            owned.wait = Wait::Seek(None);
            self.busy = true;
        }
    }

    /// The brokers refuse to be read from.
    pub(super) fn refused(&mut self, topic_partition: &TopicPartition) {
        if let Some(owned) = self.owned.get_mut(topic_partition) {
            owned.refused = Some(Retried::No);
        }
    }

    /// `reached_end`: librdkafka has read to the end of the log since it was last sought. True where that shows that a partition can be read again whose
    /// brokers had refused it, and no record may come for days. Otherwise it is sought: then librdkafka forgets that it has told of an error.
    pub(super) fn try_refused(&mut self, topic_partition: &TopicPartition, reached_end: bool) -> bool {
        let Some(owned) = self.owned.get_mut(topic_partition).filter(|owned| owned.wait == Wait::Nothing && !owned.paused) else {
            return false;
        };
        match (owned.refused, owned.next) {
            // The first statistics may have been taken before the seek.
            (Some(Retried::Yes(1..)), _) if reached_end => {
                owned.refused = None;
                owned.problem.take().is_some()
            }
            (Some(Retried::Yes(since)), _) if since < PATIENCE => {
                owned.refused = Some(Retried::Yes(since + 1));
                false
            }
            (Some(_), Some(next)) => {
                owned.refused = Some(Retried::Yes(0));
                self.reread(topic_partition, next);
                false
            }
            _ => false,
        }
    }

    /// A record cannot be read: it is tried again after a pause. Returns the offset where that has been tried often enough.
    pub(super) fn unreadable(&mut self, topic_partition: &TopicPartition, at: i64, now: Instant) -> Option<i64> {
        let owned = self.owned.get_mut(topic_partition)?;
        // What was read while something else is awaited says nothing.
        if owned.wait != Wait::Nothing {
            return None;
        }
        owned.damaged += 1;
        let next = *owned.next.get_or_insert(at);
        owned.wait = Wait::Seek(Some(now + trouble::pause_after(owned.damaged).unwrap_or_default()));
        self.busy = true;
        trouble::pause_after(owned.damaged).is_none().then_some(next)
    }

    /// The log does not have the next offset.
    pub(super) fn out_of_range(&mut self, topic_partition: &TopicPartition, truncated: bool, now: Instant) {
        if let Some(owned) = self.owned.get_mut(topic_partition) {
            owned.stopped = true;
            if !matches!(owned.wait, Wait::LookUp { .. } | Wait::Identify(_)) {
                owned.wait = Wait::look_up(Why::OutOfRange { truncated }, now);
            }
            self.busy = true;
        }
    }

    /// The task's position is one of the topic with this id, unless the assignment or the log is over. Where librdkafka has it otherwise the brokers are
    /// asked: what it has kept of a topic may be minutes old. Where it has nothing, it will tell before anything is read.
    pub(super) fn expect(&mut self, topic_partition: &TopicPartition, generation: Generation, id: &Arc<str>, now: Instant) {
        if let Some(owned) = self.owned.get_mut(topic_partition)
            && owned.generation.is_same_log(generation)
        {
            let known = owned.topic_id.replace(Arc::clone(id));
            if owned.next.is_some() && known.is_some_and(|known| known != *id) {
                owned.wait = Wait::Identify(now);
                self.busy = true;
            }
        }
    }

    /// A topic has another id than the task knows, or has one at all: what is owned of it begins anew.
    pub(super) fn changed(&mut self, change: &Change, now: Instant) {
        for (_, owned) in self.owned.iter_mut().filter(|(topic_partition, _)| *topic_partition.topic == *change.topic) {
            let known = owned.topic_id.replace(change.id.clone());
            let is_other = known.as_ref().map_or(change.had_id, |known| *known != change.id);
            if is_other {
                owned.begin_anew(now);
                self.busy = true;
            }
        }
    }

    /// The ids of owned topics that are in `of`, as far as they are known.
    pub(super) fn topic_ids(&self, of: &Offsets) -> TopicIds {
        let id = |topic_partition: &TopicPartition| {
            Some((topic_partition.topic.to_string(), self.owned.get(topic_partition)?.topic_id.clone()?))
        };
        of.keys().filter_map(id).collect()
    }

    /// Those offsets whose assignment and log are not over.
    pub(super) fn current(&self, offsets: Vec<EpochOffset>) -> Offsets {
        still_valid(offsets, |topic_partition| self.owned.get(topic_partition).map(|owned| owned.generation))
    }

    /// Whether no partition is assigned.
    pub(super) fn is_idle(&self) -> bool {
        self.owned.is_empty()
    }

    /// Whether results of commits are still to come.
    pub(super) fn awaits_commits(&self) -> bool {
        !self.commits.is_empty()
    }

    /// Whether answers are still to come.
    pub(super) fn asks(&self) -> bool {
        !self.questions.open.is_empty()
    }

    /// Whether the result of this commit is still to come.
    pub(super) fn awaits(&self, seq: u64) -> bool {
        self.commits.contains_key(&seq)
    }
}

/// Those offsets whose partition is read in the same epoch and log.
pub(super) fn still_valid(offsets: Vec<EpochOffset>, generation: impl Fn(&TopicPartition) -> Option<Generation>) -> Offsets {
    let is_valid = |offset: &EpochOffset| {
        let meant = Generation { epoch: offset.epoch, log: offset.log, seeks: 0 };
        generation(&offset.topic_partition).is_some_and(|generation| generation.is_same_log(meant))
    };
    offsets.into_iter().filter(is_valid).map(|offset| (offset.topic_partition, offset.offset)).collect()
}

struct ConsumerRecordsEnds {
    first: i64,
    last: i64,
    count: i64,
}

fn ends(read: &PartitionRecords) -> ConsumerRecordsEnds {
    let records = &read.records.records;
    let offset = |record: Option<&connect_api::ConsumerRecord>| record.map_or(0, |record| record.offset);
    let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
    ConsumerRecordsEnds { first: offset(records.first()), last: offset(records.last()), count }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use connect_api::{ConsumerRecord, ConsumerRecords, OffsetAndMetadata};

    use super::*;

    fn tp() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    /// A partition that is read from 10 on.
    fn state(now: Instant) -> State {
        let mut state = State { epoch: 1, ..State::default() };
        state.owned.insert(tp(), Owned { topic_id: Some("a".into()), ..Owned::new(1, Some(10), now) });
        state
    }

    fn read(state: &mut State, offsets: &[i64], now: Instant) -> bool {
        let Some((topic_partition, generation)) = state.reading("t", 0) else { return false };
        let record = |offset: &i64| ConsumerRecord { offset: *offset, ..ConsumerRecord::default() };
        let records = ConsumerRecords { topic_partition, records: offsets.iter().map(record).collect() };
        let mut read = vec![PartitionRecords { records: Arc::new(records), generation, bytes: 0 }];
        state.advance(&mut read, now);
        !read.is_empty()
    }

    #[test]
    fn offsets_may_leap_but_not_go_backwards() {
        let now = Instant::now();
        let mut state = state(now);
        assert!(read(&mut state, &[10, 11, 15], now) && read(&mut state, &[20], now));
        assert!(!read(&mut state, &[3, 4], now));
        assert_eq!(state.owned[&tp()].wait, Wait::look_up(Why::NewLog, now));
        assert_eq!(state.owned[&tp()].generation, Generation { epoch: 1, log: 1, seeks: 0 });
        assert!(!read(&mut state, &[30], now), "nothing counts before it is known where to begin");
    }

    #[test]
    fn two_logs_in_one_batch_are_noticed() {
        let now = Instant::now();
        assert!(!read(&mut state(now), &[10, 11, 3, 4, 5], now));
    }

    #[test]
    fn a_message_in_the_wrong_queue_is_read_again_after_what_was_handed_over() {
        let now = Instant::now();
        let mut state = state(now);
        assert!(read(&mut state, &[10, 11], now));
        state.reread(&tp(), 14);
        assert_eq!((state.owned[&tp()].next, state.owned[&tp()].wait.clone()), (Some(12), Wait::Seek(None)));
        assert!(!read(&mut state, &[15], now));
        assert_eq!(state.owned[&tp()].generation, Generation::first(1), "what was handed over stays good");
    }

    #[test]
    fn an_offset_is_given_up_after_some_attempts_and_progress_forgets_them() {
        let now = Instant::now();
        let mut state = state(now);
        let fail = |state: &mut State| {
            let given_up = state.unreadable(&tp(), 12, now);
            // librdkafka has gone on anywhere, and it was found out in between that the log has the offset.
            state.out_of_range(&tp(), false, now);
            let owned = state.owned.get_mut(&tp()).unwrap();
            (owned.wait, owned.failures) = (Wait::Nothing, 0);
            given_up
        };
        for _ in 0..4 {
            assert_eq!(fail(&mut state), None);
        }
        assert!(read(&mut state, &[10], now));
        for _ in 0..4 {
            assert_eq!(fail(&mut state), None);
        }
        assert_eq!(fail(&mut state), Some(11));
    }

    #[test]
    fn brokers_that_had_refused_a_partition_take_it_when_its_end_is_reached_after_another_try() {
        let now = Instant::now();
        let mut state = state(now);
        assert!(!state.try_refused(&tp(), true));
        assert_eq!(state.owned[&tp()].wait, Wait::Nothing);
        let owned = state.owned.get_mut(&tp()).unwrap();
        owned.problem = Some("refused".to_owned());
        state.refused(&tp());
        let sought = |state: &mut State| {
            let owned = state.owned.get_mut(&tp()).unwrap();
            std::mem::replace(&mut owned.wait, Wait::Nothing) == Wait::Seek(None)
        };
        assert!(!state.try_refused(&tp(), true), "the end was reached before");
        assert!(!state.try_refused(&tp(), true), "it is not sought yet");
        assert!(sought(&mut state));
        for _ in 0..PATIENCE {
            assert!(!state.try_refused(&tp(), false) && !sought(&mut state), "it is given time to read");
        }
        assert!(!state.try_refused(&tp(), false) && sought(&mut state), "nothing came of it");
        state.refused(&tp());
        assert!(!state.try_refused(&tp(), true) && sought(&mut state), "refused once more");
        assert!(!state.try_refused(&tp(), true) && !sought(&mut state), "that may be what was before the seek");
        assert!(state.try_refused(&tp(), true) && !sought(&mut state));
        assert_eq!((state.owned[&tp()].problem.clone(), state.owned[&tp()].next), (None, Some(10)));
    }

    #[test]
    fn what_is_read_while_a_seek_is_awaited_says_nothing() {
        let now = Instant::now();
        let mut state = state(now);
        state.request_seek(&tp(), Generation { epoch: 1, log: 0, seeks: 1 }, 5);
        assert_eq!(state.unreadable(&tp(), 12, now), None);
        assert_eq!(state.owned[&tp()].damaged, 0);
    }

    #[test]
    fn a_seek_during_a_look_up_is_judged_by_its_answer() {
        let now = Instant::now();
        let mut state = state(now);
        state.out_of_range(&tp(), false, now);
        state.request_seek(&tp(), Generation { epoch: 1, log: 0, seeks: 1 }, 5);
        assert_eq!(state.owned[&tp()].wait, Wait::look_up(Why::OutOfRange { truncated: false }, now));
        assert_eq!(state.owned[&tp()].next, Some(5));
    }

    #[test]
    fn another_id_is_another_log_and_neither_seeks_nor_commits_of_the_old_one_count() {
        let now = Instant::now();
        let mut state = state(now);
        let commit = |log| EpochOffset { topic_partition: tp(), epoch: 1, log, offset: OffsetAndMetadata::new(10, "") };
        let change = |id: &str| Change { topic: "t".to_owned(), had_id: true, id: id.into() };
        state.changed(&change("a"), now);
        assert_eq!(state.current(vec![commit(0)]).len(), 1, "the same id changes nothing");
        state.changed(&change("b"), now);
        assert!(state.current(vec![commit(0)]).is_empty());
        state.request_seek(&tp(), Generation { epoch: 1, log: 0, seeks: 1 }, 5);
        assert_eq!(state.owned[&tp()].next, None);
        assert_eq!(state.current(vec![commit(1)]).len(), 1);
        // Once more before it is known where to begin: answers about the second log say nothing of the third.
        state.changed(&change("c"), now + Duration::from_secs(1));
        assert!(state.current(vec![commit(1)]).is_empty());
    }

    /// The task's position is one of the topic `b`, but librdkafka has it that the topic is `a`.
    fn expecting(now: Instant) -> State {
        let mut state = state(now);
        state.expect(&tp(), Generation::first(1), &"b".into(), now);
        assert_eq!(state.owned[&tp()].wait, Wait::Identify(now));
        state
    }

    #[test]
    fn a_topic_that_is_not_the_expected_one_is_not_read_before_the_brokers_were_asked() {
        let now = Instant::now();
        let mut state = expecting(now);
        state.request_seek(&tp(), Generation { epoch: 1, log: 0, seeks: 1 }, 10);
        state.out_of_range(&tp(), false, now);
        assert_eq!(state.owned[&tp()].wait, Wait::Identify(now));
        // They have it as expected: nothing is another log.
        state.changed(&Change { topic: "t".to_owned(), had_id: true, id: "b".into() }, now);
        let owned = state.owned.get_mut(&tp()).unwrap();
        owned.identified(Some("b".into()), now);
        assert_eq!((owned.wait.clone(), owned.next, owned.generation.log), (Wait::Seek(None), Some(10), 0));
    }

    #[test]
    fn a_topic_that_is_another_one_than_expected_begins_anew_where_its_log_begins_whatever_the_policy() {
        let now = Instant::now();
        let mut state = expecting(now);
        let owned = state.owned.get_mut(&tp()).unwrap();
        owned.identified(Some("a".into()), now);
        assert_eq!((owned.wait.clone(), owned.next, owned.generation.log), (Wait::look_up(Why::NewLog, now), None, 1));
        assert_eq!(owned.topic_id.as_deref(), Some("a"));
    }

    #[test]
    fn brokers_that_know_no_ids_hold_nothing_up() {
        let now = Instant::now();
        let mut state = expecting(now);
        let owned = state.owned.get_mut(&tp()).unwrap();
        owned.identified(None, now);
        assert_eq!((owned.wait.clone(), owned.next, owned.generation.log), (Wait::Seek(None), Some(10), 0));
    }

    #[test]
    fn an_id_that_is_learnt_late_is_compared_with_the_expected_one() {
        let now = Instant::now();
        for (id, wait) in [("b", Wait::Nothing), ("c", Wait::look_up(Why::NewLog, now))] {
            let mut state = state(now);
            state.owned.get_mut(&tp()).unwrap().topic_id = None;
            state.expect(&tp(), Generation::first(1), &"b".into(), now);
            assert_eq!(state.owned[&tp()].wait, Wait::Nothing, "nothing is fetched before it is known");
            state.changed(&Change { topic: "t".to_owned(), had_id: false, id: id.into() }, now);
            assert_eq!(state.owned[&tp()].wait, wait);
        }
    }

    #[test]
    fn what_is_expected_of_a_log_that_is_over_counts_no_more() {
        let now = Instant::now();
        let mut state = state(now);
        state.changed(&Change { topic: "t".to_owned(), had_id: true, id: "b".into() }, now);
        state.expect(&tp(), Generation::first(1), &"a".into(), now);
        assert_eq!(state.owned[&tp()].wait, Wait::look_up(Why::NewLog, now));
        assert_eq!(state.owned[&tp()].topic_id.as_deref(), Some("b"));
    }

    #[test]
    fn an_id_that_is_learnt_late_is_no_change() {
        let now = Instant::now();
        let mut state = state(now);
        state.owned.get_mut(&tp()).unwrap().topic_id = None;
        state.changed(&Change { topic: "t".to_owned(), had_id: false, id: "a".into() }, now);
        assert_eq!(state.owned[&tp()].wait, Wait::Nothing);
        state.owned.get_mut(&tp()).unwrap().topic_id = None;
        state.changed(&Change { topic: "t".to_owned(), had_id: true, id: "b".into() }, now);
        assert_eq!(state.owned[&tp()].wait, Wait::look_up(Why::NewLog, now));
    }
}
