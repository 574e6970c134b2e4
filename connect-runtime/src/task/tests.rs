//! The loop with a scripted consumer and a scripted sink. Time stands still unless everything waits.
//!
//! Numbers such as T14 are those of the cases in the specification that the behaviour comes from.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use connect_api::{
    Budget, Converter, HeaderConverter, Metrics, OffsetAndMetadata, RawHeader, SinkRecord, SinkTaskContext, SinkTaskHost,
    async_trait,
    data::{Data, Value},
};

use super::{tolerance::tests::default_errors, *};
use crate::{
    config::{Converters, ErrorsConfig, NamedTransformation},
    consumer::{EpochOffset, Event, Generation, NewLog, TopicIds, scripted::ScriptedConsumer},
    rest::{Health, TaskState},
    shutdown::{Joined, Spawner, join},
};

mod cases;
mod fetching;

const FLUSH_INTERVAL: Duration = Duration::from_secs(60);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What was called. Calls of `put` without records are only counted.
#[derive(Debug, Clone, PartialEq)]
enum Call {
    Open(Offsets),
    Put(Vec<(i32, i64)>),
    PreCommit(Offsets, CommitReason),
    Committed(Offsets),
    Recreated(Offsets),
    Deleted(Vec<i32>),
    Close(Vec<i32>),
    Stop,
}

type Ask = Box<dyn Fn(&SinkTaskContext) + Send>;

#[derive(Default)]
struct Script {
    calls: Vec<Call>,
    empty_puts: usize,
    open: VecDeque<Error>,
    put: VecDeque<Error>,
    pre_commit: VecDeque<Error>,
    close: VecDeque<Error>,
    /// What is asked for while partitions are opened.
    asks_in_open: Option<Ask>,
    /// How long the next call of each takes.
    open_takes: Duration,
    put_takes: Duration,
    pre_commit_takes: Duration,
    /// What `pre_commit` offers instead of all that was delivered.
    offer: Option<Offsets>,
}

struct ScriptedSink(Arc<Mutex<Script>>, Option<SinkTaskContext>);

impl ScriptedSink {
    async fn take(&self, takes: impl FnOnce(&mut Script) -> &mut Duration) {
        let takes = std::mem::take(takes(&mut self.0.lock().unwrap()));
        tokio::time::sleep(takes).await;
    }

    fn call(&self, call: Call, failures: impl FnOnce(&mut Script) -> &mut VecDeque<Error>) -> Result<()> {
        let mut script = self.0.lock().unwrap();
        script.calls.push(call);
        failures(&mut script).pop_front().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl SinkTask for ScriptedSink {
    async fn start(&mut self, _context: SinkTaskContext) -> Result<()> {
        Ok(())
    }

    async fn open(&mut self, partitions: &Offsets) -> Result<()> {
        if let (Some(ask), Some(context)) = (&self.0.lock().unwrap().asks_in_open, &self.1) {
            ask(context);
        }
        self.take(|script| &mut script.open_takes).await;
        self.call(Call::Open(partitions.clone()), |script| &mut script.open)
    }

    async fn recreated(&mut self, partitions: &Offsets) -> Result<()> {
        self.call(Call::Recreated(partitions.clone()), |script| &mut script.open)
    }

    async fn deleted(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = partitions.iter().map(|topic_partition| topic_partition.partition).collect();
        self.call(Call::Deleted(partitions), |script| &mut script.close)
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        if records.is_empty() {
            self.0.lock().unwrap().empty_puts += 1;
            return Ok(());
        }
        self.take(|script| &mut script.put_takes).await;
        let records = records.iter().map(|record| (record.origin().topic_partition().partition, record.offset()));
        self.call(Call::Put(records.collect()), |script| &mut script.put)
    }

    async fn pre_commit(&mut self, delivered: &Offsets, reason: CommitReason) -> Result<Offsets> {
        self.take(|script| &mut script.pre_commit_takes).await;
        self.call(Call::PreCommit(delivered.clone(), reason), |script| &mut script.pre_commit)?;
        Ok(self.0.lock().unwrap().offer.clone().unwrap_or_else(|| delivered.clone()))
    }

    fn committed(&mut self, offsets: &Offsets) {
        self.0.lock().unwrap().calls.push(Call::Committed(offsets.clone()));
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = partitions.iter().map(|topic_partition| topic_partition.partition).collect();
        self.call(Call::Close(partitions), |script| &mut script.close)
    }

    async fn stop(&mut self) -> Result<()> {
        self.0.lock().unwrap().calls.push(Call::Stop);
        Ok(())
    }
}

struct Verbatim;

impl Converter for Verbatim {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        Ok(Data::schemaless(bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.clone()))))
    }
}

impl HeaderConverter for Verbatim {
    fn to_connect_header(&self, _topic: &str, _name: &str, _bytes: Option<&Bytes>) -> Result<Data> {
        Ok(Data::default())
    }
}

/// A running loop and both its ends.
struct Running {
    consumer: ScriptedConsumer,
    script: Arc<Mutex<Script>>,
    host: Arc<Host>,
    metrics: Arc<TaskMetrics>,
    registry: Metrics,
    health: Health,
    stop: Stop,
    running: Joined<Result<()>>,
}

impl Running {
    /// A loop that has no partitions.
    fn start() -> Self {
        Self::with_converter(Arc::new(Verbatim))
    }

    /// The same; values are converted by this one.
    fn with_converter(value: Arc<dyn Converter>) -> Self {
        Self::with_chain(value, Some(Duration::ZERO), Vec::new())
    }

    /// The same; what fails is tried again for so long, and records go through these transforms.
    fn with_chain(value: Arc<dyn Converter>, retry_timeout: Option<Duration>, chain: Vec<NamedTransformation>) -> Self {
        let (consumer, handle) = ScriptedConsumer::new();
        let metrics = Metrics::default();
        let name: Arc<str> = "c".into();
        let errors = ErrorsConfig { retry_timeout, ..default_errors() };
        let errors = Arc::new(ErrorHandler::new(&name, 0, &errors, &metrics));
        let (key, header) = (Arc::new(Verbatim), Arc::new(Verbatim));
        let converters = Converters { key, value, header, key_class: "", value_class: "", header_class: "" };
        let task_metrics = Arc::new(TaskMetrics::new(&metrics, "c", 0));
        let all_health = Health::new(metrics.clone());
        let health = all_health.task(&name, 0);
        health.set_state(TaskState::Running);
        let script: Arc<Mutex<Script>> = Arc::default();
        let host = Arc::new(Host::new(health.clone(), errors.clone(), Spawner::new(&tokio_util::sync::CancellationToken::new())));
        let context = SinkTaskContext::new(name.clone(), 0, Budget::new(1 << 20), Metrics::default(), host.clone());
        let parts = TaskParts {
            sink: Box::new(ScriptedSink(script.clone(), Some(context))),
            consumer: handle,
            convert: Convert::new(converters, chain, errors.clone(), &task_metrics),
            errors,
            host: host.clone(),
            health,
            metrics: task_metrics.clone(),
        };
        let settings = TaskSettings { flush_interval: FLUSH_INTERVAL, flush_timeout: FLUSH_TIMEOUT, stop_within: STOP_WITHIN };
        let stop = Stop::default();
        let stopping = stop.clone();
        let running = join(async move { SinkLoop::new(parts, settings).run(&stopping).await });
        Self { consumer, script, host, metrics: task_metrics, registry: metrics, health: all_health, stop, running }
    }

    /// A loop with partitions 1 and 2, both to be read from 10 on.
    async fn with_two_partitions() -> Self {
        let running = Self::start();
        running.assign_two_partitions().await;
        running
    }

    async fn assign_two_partitions(&self) {
        self.consumer.assign(1, offsets(&[(1, 10, "a"), (2, 10, "b")]));
        self.settle().await;
        assert_eq!(self.calls(), [Call::Open(offsets(&[(1, 10, "a"), (2, 10, "b")]))]);
    }

    fn scrape(&self) -> String {
        self.registry.scrape()
    }

    /// Lets the loop do what it can do now.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Whether liveness finds that the loop turns. No consumer's thread turns here.
    fn is_alive(&self) -> bool {
        self.health.task(&"c".into(), 0).turned(TaskLoop::Consumer);
        self.health.liveness(Instant::now()).0
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// What was called since the last time.
    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.script().calls)
    }

    fn read(&self, partition: i32, offsets: &[i64]) {
        self.consumer.read(epoch(1), &[(tp(partition), offsets)]);
    }

    async fn request_commit(&self) {
        self.host.request_commit();
        self.settle().await;
    }

    /// Tells the loop to stop, and returns how it ended.
    async fn stop(self) -> (Result<()>, Vec<Call>, Vec<Command>) {
        self.stop.cancel();
        let ended = self.running.ended().await.unwrap();
        let calls = std::mem::take(&mut self.script.lock().unwrap().calls);
        (ended, calls, self.consumer.told())
    }

    /// Waits for the loop to end by itself.
    async fn failed(self) -> (Error, Vec<Call>) {
        let error = self.running.ended().await.unwrap().unwrap_err();
        let calls = std::mem::take(&mut self.script.lock().unwrap().calls);
        (error, calls)
    }
}

fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn epoch(epoch: u64) -> Generation {
    Generation::first(epoch)
}

fn offsets(of: &[(i32, i64, &str)]) -> Offsets {
    of.iter().map(|(partition, offset, metadata)| (tp(*partition), OffsetAndMetadata::new(*offset, *metadata))).collect()
}

fn in_epoch(epoch: u64, of: &[(i32, i64, &str)]) -> Vec<EpochOffset> {
    let of_epoch = |(topic_partition, offset)| EpochOffset { topic_partition, epoch, log: 0, offset };
    offsets(of).into_iter().map(of_epoch).collect()
}

/// The commits among commands: number and offsets.
fn commits(told: Vec<Command>) -> Vec<(u64, Vec<EpochOffset>)> {
    let commit = |command| if let Command::Commit { seq, offsets } = command { Some((seq, offsets)) } else { None };
    told.into_iter().filter_map(commit).collect()
}

/// The seeks among commands: partition and offset.
fn seeks(told: Vec<Command>) -> Vec<(i32, i64)> {
    let seek = |command| {
        if let Command::Seek { topic_partition, offset, .. } = command { Some((topic_partition.partition, offset)) } else { None }
    };
    told.into_iter().filter_map(seek).collect()
}

// T4
#[tokio::test(start_paused = true)]
async fn an_assignment_is_opened_and_followed_by_an_empty_put() {
    let running = Running::start();
    running.settle().await;
    let before = running.script().empty_puts;
    running.consumer.assign(1, offsets(&[(1, 10, "a"), (2, 10, "")]));
    running.settle().await;
    assert_eq!(running.calls(), [Call::Open(offsets(&[(1, 10, "a"), (2, 10, "")]))]);
    assert_eq!(running.script().empty_puts, before + 1);
}

// T47
#[tokio::test(start_paused = true)]
async fn an_empty_assignment_opens_nothing() {
    let running = Running::start();
    running.consumer.assign(1, Offsets::new());
    running.settle().await;
    assert_eq!(running.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn an_idle_task_is_called_several_times_a_second_and_at_once_when_it_asks() {
    let running = Running::with_two_partitions().await;
    let before = running.script().empty_puts;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(running.script().empty_puts >= before + 9);
    let before = running.script().empty_puts;
    running.host.wake();
    running.settle().await;
    assert_eq!(running.script().empty_puts, before + 1);
}

// T14, T15
#[tokio::test(start_paused = true)]
async fn a_retriable_put_gets_the_same_batch_after_its_timeout_and_commits_go_on_without_it() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::retriable("busy"));
    running.host.timeout(Duration::from_secs(3));
    running.read(1, &[10]);
    running.read(2, &[10]);
    running.settle().await;
    running.request_commit().await;
    let nothing = offsets(&[(1, 10, "a"), (2, 10, "b")]);
    let asked = Call::PreCommit(nothing.clone(), CommitReason::Due);
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)]), asked, Call::Committed(nothing)]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(running.calls(), [], "asked again too soon, or the next batch came first");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)]), Call::Put(vec![(2, 10)])]);
    assert_eq!(running.metrics.put_retries.get(), 1);
    assert!(running.consumer.budget.used() == 0, "delivered bytes come back");
}

// T16, T17
#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_loses_the_records_of_revoked_partitions_only() {
    let running = Running::with_two_partitions().await;
    running.script().put.extend([Error::retriable("busy"), Error::retriable("busy")]);
    running.consumer.read(epoch(1), &[(tp(1), &[10, 11]), (tp(2), &[10])]);
    running.settle().await;
    running.consumer.assign(2, offsets(&[(3, 10, "c")]));
    running.settle().await;
    let answer = running.consumer.revoke(vec![tp(1)], false);
    running.settle().await;
    assert_eq!(answer.try_recv().unwrap(), [], "nothing of it was accepted");
    let both = vec![(1, 10), (1, 11), (2, 10)];
    assert_eq!(
        running.calls(),
        [
            Call::Put(both.clone()),
            Call::Open(offsets(&[(3, 10, "c")])),
            Call::Put(both),
            Call::PreCommit(offsets(&[(1, 10, "a")]), CommitReason::Closing),
            Call::Close(vec![1]),
            Call::Put(vec![(2, 10)]),
        ]
    );
}

// T18
#[tokio::test(start_paused = true)]
async fn any_other_error_of_put_ends_the_task_after_closing_its_partitions() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::fatal("broken"));
    running.read(1, &[10]);
    let (error, calls) = running.failed().await;
    assert_eq!(error.report(), "Exiting WorkerSinkTask due to unrecoverable exception.: broken");
    let closing = Call::PreCommit(offsets(&[(1, 10, "a"), (2, 10, "b")]), CommitReason::Closing);
    assert_eq!(calls, [Call::Put(vec![(1, 10)]), closing, Call::Close(vec![1, 2]), Call::Stop]);
}

// T11
#[tokio::test(start_paused = true)]
async fn the_first_error_is_the_tasks_even_if_closing_fails_too() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::fatal("first"));
    running.script().close.push_back(Error::fatal("second"));
    running.read(1, &[10]);
    assert!(running.failed().await.0.report().ends_with("first"));
}

// T12
#[tokio::test(start_paused = true)]
async fn an_error_of_close_fails_a_task_that_stops_cleanly_and_nothing_is_committed() {
    let running = Running::with_two_partitions().await;
    running.script().close.push_back(Error::fatal("broken"));
    running.read(1, &[10]);
    running.settle().await;
    let (ended, _, told) = running.stop().await;
    assert_eq!(ended.unwrap_err().to_string(), "broken");
    assert!(matches!(&told[..], [Command::Stop { offsets, .. }] if offsets.is_empty()), "{told:?}");
}

// T25
#[tokio::test(start_paused = true)]
async fn a_requested_commit_carries_all_partitions_with_their_metadata_and_postpones_the_periodic_one() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    running.script().offer = Some(offsets(&[(1, 11, "new")]));
    running.request_commit().await;
    let asked = Call::PreCommit(offsets(&[(1, 11, "a"), (2, 10, "b")]), CommitReason::Due);
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)]), asked.clone()]);
    let commit = in_epoch(1, &[(1, 11, "new"), (2, 10, "b")]);
    assert_eq!(commits(running.consumer.told()), [(1, commit)]);
    let committed = offsets(&[(1, 11, "new"), (2, 10, "b")]);
    running.consumer.committed(1, committed.clone(), None);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Committed(committed)]);
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(running.calls(), [], "the periodic commit came 60 s after the start, not after the requested one");
    tokio::time::sleep(Duration::from_secs(11)).await;
    let asked = Call::PreCommit(offsets(&[(1, 11, "new"), (2, 10, "b")]), CommitReason::Due);
    assert_eq!(running.calls(), [asked]);
    // T29: the same again is no commit.
    assert_eq!(commits(running.consumer.told()), []);
}

// T28, T33
#[tokio::test(start_paused = true)]
async fn where_the_sink_cannot_say_what_is_durable_everything_uncommitted_is_read_again() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10, 11]);
    running.settle().await;
    running.script().pre_commit.push_back(Error::fatal("lost a file"));
    running.request_commit().await;
    let told = running.consumer.told();
    assert_eq!(seeks(told), [(1, 10), (2, 10)]);
    // What was read before the seek is dropped, what is read after it is delivered.
    running.calls();
    running.read(1, &[12]);
    running.consumer.read(Generation { epoch: 1, log: 0, seeks: 1 }, &[(tp(1), &[10, 11, 12])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10), (1, 11), (1, 12)])]);
    assert_eq!(running.metrics.commits_failed.get(), 1);
}

// T30, T31; but the next commit waits: the group must not end with what the first one says.
#[tokio::test(start_paused = true)]
async fn a_commit_that_is_late_counts_as_failed_and_none_begins_before_its_answer_which_counts() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    running.request_commit().await;
    assert_eq!(commits(running.consumer.told()).len(), 1, "one commit at a time");
    tokio::time::sleep(FLUSH_TIMEOUT + Duration::from_millis(10)).await;
    assert_eq!(running.metrics.commits_failed.get(), 1);
    running.script().offer = Some(offsets(&[(1, 11, "planned")]));
    running.read(1, &[11]);
    running.calls();
    // Neither what was asked for meanwhile nor the period begins another one, and nobody turns faster for it.
    let before = running.script().empty_puts;
    tokio::time::sleep(FLUSH_INTERVAL * 2).await;
    assert_eq!(commits(running.consumer.told()), []);
    assert!(running.script().empty_puts <= before + 1_300);
    assert_eq!(running.calls(), [Call::Put(vec![(1, 11)])]);
    running.consumer.committed(1, offsets(&[(1, 11, "a"), (2, 10, "b")]), None);
    running.settle().await;
    assert_eq!(running.calls()[0], Call::Committed(offsets(&[(1, 11, "a"), (2, 10, "b")])));
    running.settle().await;
    assert_eq!(commits(running.consumer.told()), [(2, in_epoch(1, &[(1, 11, "planned"), (2, 10, "b")]))]);
    assert_eq!(running.metrics.commits_skipped.get(), 0);
}

// T34
#[tokio::test(start_paused = true)]
async fn the_answer_to_the_commit_before_partitions_went_is_only_counted() {
    let running = Running::with_two_partitions().await;
    running.consumer.committed(u64::MAX, offsets(&[(1, 11, "a")]), None);
    running.settle().await;
    assert_eq!((running.calls(), running.metrics.commits_skipped.get()), (vec![], 1));
}

// T32
#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_tried_again_with_the_offsets_of_then() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    running.consumer.committed(1, Offsets::new(), Some(Error::retriable("no coordinator")));
    running.read(1, &[11]);
    running.settle().await;
    running.request_commit().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = commits(running.consumer.told());
    assert_eq!(told.last().unwrap(), &(2, in_epoch(1, &[(1, 12, "a"), (2, 10, "b")])));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_asked_for_and_fails_is_tried_again_after_pauses_that_grow() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    for (seq, pause) in [100, 200, 400, 800, 1_600, 3_000, 3_000].into_iter().enumerate() {
        assert_eq!(commits(running.consumer.told()).len(), 1);
        running.consumer.committed(seq as u64 + 1, Offsets::new(), Some(Error::retriable("no coordinator")));
        running.settle().await;
        // Asking in between changes nothing.
        running.host.request_commit();
        tokio::time::sleep(Duration::from_millis(pause - 10)).await;
        assert_eq!(commits(running.consumer.told()), [], "too soon after commit {}", seq + 1);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    running.consumer.committed(8, offsets(&[(1, 11, "a")]), None);
    running.settle().await;
    running.consumer.told();
    tokio::time::sleep(FLUSH_INTERVAL / 2).await;
    assert_eq!(commits(running.consumer.told()), [], "it has succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_periodic_commit_that_fails_waits_for_the_next_one() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    tokio::time::sleep(FLUSH_INTERVAL).await;
    assert_eq!(commits(running.consumer.told()).len(), 1);
    running.consumer.committed(1, Offsets::new(), Some(Error::retriable("no coordinator")));
    tokio::time::sleep(FLUSH_INTERVAL - Duration::from_secs(1)).await;
    assert_eq!(commits(running.consumer.told()), []);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(commits(running.consumer.told()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_asked_for_and_fails_late_is_tried_again_soon_after_its_answer() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    tokio::time::sleep(FLUSH_TIMEOUT + Duration::from_millis(10)).await;
    running.consumer.committed(1, Offsets::new(), Some(Error::retriable("no coordinator")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(commits(running.consumer.told()).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_commit_of_nothing_new_hears_what_is_committed_and_others_do_not() {
    let running = Running::with_two_partitions().await;
    let nothing = offsets(&[(1, 10, "a"), (2, 10, "b")]);
    let asked = Call::PreCommit(nothing.clone(), CommitReason::Due);
    running.request_commit().await;
    assert_eq!(running.calls(), [asked.clone(), Call::Committed(nothing)]);
    tokio::time::sleep(FLUSH_INTERVAL + Duration::from_secs(1)).await;
    assert_eq!(running.calls(), [asked]);
    assert_eq!(commits(running.consumer.told()), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_alive_while_its_sink_writes_for_minutes() {
    let running = Running::with_two_partitions().await;
    running.script().put_takes = Duration::from_secs(120);
    running.read(1, &[10]);
    for _ in 0..11 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(running.is_alive());
    }
    assert_eq!(running.calls(), []);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(running.calls()[0], Call::Put(vec![(1, 10)]));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_alive_while_its_sink_opens_for_minutes_and_a_revoke_waits_for_it() {
    let running = Running::with_two_partitions().await;
    running.script().open_takes = Duration::from_secs(120);
    running.consumer.assign(2, offsets(&[(3, 10, "c")]));
    let answer = running.consumer.revoke(vec![tp(1)], false);
    for _ in 0..11 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(running.is_alive());
    }
    assert!(answer.try_recv().is_err());
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(answer.try_recv().unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn the_last_commit_has_what_time_is_left_since_the_task_was_told_to_stop() {
    for (put, closing, left) in [(0, 0, 4_500), (0, 3_000, 1_500), (2_000, 2_000, 500), (4_000, 3_000, 500)] {
        let running = Running::with_two_partitions().await;
        running.script().put_takes = Duration::from_millis(put);
        running.script().pre_commit_takes = Duration::from_millis(closing);
        running.read(1, &[10]);
        // The loop has begun to write.
        tokio::task::yield_now().await;
        let (ended, _, told) = running.stop().await;
        ended.unwrap();
        let [Command::Stop { offsets, within }] = &told[..] else { panic!("{told:?}") };
        assert!(!offsets.is_empty() || put == 0, "{told:?}");
        assert!(within.abs_diff(Duration::from_millis(left)) < Duration::from_millis(10), "{put} {closing}: {within:?}");
    }
}

// T34
#[tokio::test(start_paused = true)]
async fn the_result_of_a_commit_says_nothing_of_a_partition_that_came_back_since() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.consumer.assign(2, offsets(&[(1, 15, "other")]));
    running.consumer.committed(1, offsets(&[(1, 11, "a"), (2, 10, "b")]), None);
    running.settle().await;
    assert_eq!(running.calls().last(), Some(&Call::Committed(offsets(&[(2, 10, "b")]))));
    running.request_commit().await;
    let now = offsets(&[(1, 15, "other"), (2, 10, "b")]);
    assert_eq!(running.calls(), [Call::PreCommit(now.clone(), CommitReason::Due), Call::Committed(now)]);
}

// T36, T37
#[tokio::test(start_paused = true)]
async fn a_requested_offset_is_sought_before_the_next_put_and_older_records_are_dropped() {
    let running = Running::with_two_partitions().await;
    running.host.offset(tp(1), 5);
    running.read(1, &[10]);
    running.settle().await;
    assert_eq!(seeks(running.consumer.told()), [(1, 5)]);
    running.consumer.read(Generation { epoch: 1, log: 0, seeks: 1 }, &[(tp(1), &[5])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 5)])]);
}

#[tokio::test(start_paused = true)]
async fn a_commit_after_a_requested_offset_does_not_count_what_was_read_before_it() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10, 11, 12]);
    running.settle().await;
    running.calls();
    running.host.offset(tp(1), 11);
    running.request_commit().await;
    let asked = running.calls().into_iter().find_map(|call| match call {
        Call::PreCommit(delivered, _) => Some(delivered[&tp(1)].offset),
        _ => None,
    });
    assert_eq!(asked, Some(11));
}

#[tokio::test(start_paused = true)]
async fn a_requested_offset_of_a_partition_that_is_not_assigned_is_ignored() {
    let running = Running::with_two_partitions().await;
    running.host.offset(tp(9), 5);
    running.settle().await;
    assert!(running.consumer.told().is_empty());
}

// T39, T40
#[tokio::test(start_paused = true)]
async fn an_error_of_close_in_a_rebalance_fails_the_task_and_lets_the_partitions_go() {
    for lost in [false, true] {
        let running = Running::with_two_partitions().await;
        running.script().close.push_back(Error::fatal("broken"));
        let answer = running.consumer.revoke(vec![tp(1)], lost);
        assert_eq!(running.failed().await.0.to_string(), "broken");
        assert_eq!(answer.try_recv().unwrap(), []);
    }
}

// T41
#[tokio::test(start_paused = true)]
async fn an_error_of_open_fails_the_task() {
    let running = Running::start();
    running.script().open.push_back(Error::fatal("broken"));
    running.consumer.assign(1, offsets(&[(1, 10, "")]));
    assert_eq!(running.failed().await.0.to_string(), "broken");
}

#[tokio::test(start_paused = true)]
async fn opening_is_tried_again_while_the_environment_fails_and_nothing_is_delivered_before() {
    let running = Running::start();
    running.script().open.extend([Error::retriable("503"), Error::retriable("503")]);
    running.consumer.assign(1, offsets(&[(1, 10, "")]));
    running.read(1, &[10]);
    running.settle().await;
    let open = Call::Open(offsets(&[(1, 10, "")]));
    assert_eq!(running.calls(), std::slice::from_ref(&open));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(running.calls(), [open.clone(), open, Call::Put(vec![(1, 10)])]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_may_go_before_it_could_be_opened() {
    let running = Running::start();
    running.script().open.push_back(Error::retriable("503"));
    running.consumer.assign(1, offsets(&[(1, 10, "")]));
    running.settle().await;
    let answer = running.consumer.revoke(vec![tp(1)], false);
    running.settle().await;
    assert_eq!(answer.try_recv().unwrap(), []);
    assert_eq!(running.calls(), [Call::Open(offsets(&[(1, 10, "")])), Call::Close(vec![1])]);
}

// T42, T43
#[tokio::test(start_paused = true)]
async fn only_moved_partitions_are_committed_closed_and_opened() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.script().offer = Some(offsets(&[(1, 11, "done")]));
    let answer = running.consumer.revoke(vec![tp(1)], false);
    running.settle().await;
    assert_eq!(answer.try_recv().unwrap(), in_epoch(1, &[(1, 11, "done")]));
    running.consumer.assign(2, offsets(&[(3, 10, "")]));
    running.settle().await;
    assert_eq!(
        running.calls(),
        [
            Call::Put(vec![(1, 10)]),
            Call::PreCommit(offsets(&[(1, 11, "a")]), CommitReason::Closing),
            Call::Close(vec![1]),
            Call::Open(offsets(&[(3, 10, "")])),
        ]
    );
    // T45: only what is still assigned is read again.
    running.script().pre_commit.push_back(Error::fatal("lost a file"));
    running.request_commit().await;
    assert_eq!(seeks(running.consumer.told()), [(2, 10), (3, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_hears_of_a_topic_that_was_deleted_before_its_partitions_are_closed_and_may_fail_to_write() {
    for fails in [false, true] {
        let running = Running::with_two_partitions().await;
        running.read(1, &[10]);
        running.settle().await;
        running.script().close.extend(fails.then(|| Error::retriable("503")));
        let answer = running.consumer.revoke_deleted(vec![tp(1), tp(2)], vec![tp(1)], false);
        running.settle().await;
        let delivered = offsets(&[(1, 11, "a"), (2, 10, "b")]);
        let closing = [Call::Deleted(vec![1]), Call::PreCommit(delivered, CommitReason::Closing), Call::Close(vec![1, 2])];
        assert_eq!(running.calls()[1..], closing);
        assert!(!answer.try_recv().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_lost_with_its_topic_is_closed_like_one_that_goes_but_nothing_is_committed() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    let answer = running.consumer.revoke_deleted(vec![tp(1), tp(2)], vec![tp(1)], true);
    running.settle().await;
    let closing = Call::PreCommit(offsets(&[(1, 11, "a")]), CommitReason::Closing);
    assert_eq!(running.calls()[1..], [Call::Deleted(vec![1]), closing, Call::Close(vec![1, 2])]);
    assert_eq!(answer.try_recv().unwrap(), []);
}

// T44
#[tokio::test(start_paused = true)]
async fn lost_partitions_are_closed_without_a_commit() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    let answer = running.consumer.revoke(vec![tp(1)], true);
    running.settle().await;
    assert_eq!(answer.try_recv().unwrap(), []);
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)]), Call::Close(vec![1])]);
}

#[tokio::test(start_paused = true)]
async fn records_of_an_assignment_that_is_over_are_never_delivered() {
    let running = Running::with_two_partitions().await;
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.read(1, &[10]);
    running.consumer.assign(2, offsets(&[(1, 12, "")]));
    running.consumer.read(epoch(2), &[(tp(1), &[12])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Close(vec![1]), Call::Open(offsets(&[(1, 12, "")])), Call::Put(vec![(1, 12)])]);
}

// T9
#[tokio::test(start_paused = true)]
async fn stopping_closes_commits_what_is_durable_and_then_stops_the_sink() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.script().offer = Some(offsets(&[(1, 11, "last")]));
    let (ended, calls, told) = running.stop().await;
    ended.unwrap();
    let closing = Call::PreCommit(offsets(&[(1, 11, "a"), (2, 10, "b")]), CommitReason::Closing);
    assert_eq!(calls, [Call::Put(vec![(1, 10)]), closing, Call::Close(vec![1, 2]), Call::Stop]);
    let last = in_epoch(1, &[(1, 11, "last"), (2, 10, "b")]);
    assert!(matches!(&told[..], [Command::Stop { offsets, .. }] if *offsets == last), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_sink_asked_to_read_again_is_not_delivered_when_partitions_close() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10, 11]);
    running.settle().await;
    running.calls();
    running.host.offset(tp(1), 11);
    let (_, calls, _) = running.stop().await;
    assert_eq!(calls[0], Call::PreCommit(offsets(&[(1, 11, "a"), (2, 10, "b")]), CommitReason::Closing));
}

const SECOND_LOG: Generation = Generation { epoch: 1, log: 1, seeks: 0 };

fn new_log(partition: i32, begin: i64) -> NewLog {
    NewLog { topic_partition: tp(partition), generation: SECOND_LOG, begin, topic_id: Some("b".into()) }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_anew_is_told_after_what_was_read_before_and_before_what_follows() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::retriable("busy"));
    running.host.timeout(Duration::from_secs(3));
    running.read(1, &[10, 11]);
    running.consumer.begin_anew(vec![new_log(1, 0)]);
    running.consumer.read(SECOND_LOG, &[(tp(1), &[0, 1])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10), (1, 11)])], "the old records are still to be delivered");
    tokio::time::sleep(Duration::from_secs(4)).await;
    let calls: Vec<_> = running.calls().into_iter().filter(|call| !matches!(call, Call::PreCommit(..))).collect();
    let expected = [Call::Put(vec![(1, 10), (1, 11)]), Call::Recreated(offsets(&[(1, 0, "")])), Call::Put(vec![(1, 0), (1, 1)])];
    assert_eq!(calls, expected);
    assert_eq!(running.host.topic_id("t").as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_log_that_is_over_is_committed_and_the_new_one_is_at_once() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10, 11]);
    running.settle().await;
    running.request_commit().await;
    assert_eq!(commits(running.consumer.told()), [(1, in_epoch(1, &[(1, 12, "a"), (2, 10, "b")]))]);
    running.calls();
    running.consumer.begin_anew(vec![new_log(1, 0)]);
    // Asked of the old log, and the result of its commit.
    running.host.offset(tp(2), 10);
    running.consumer.committed(1, offsets(&[(1, 12, "a"), (2, 10, "b")]), None);
    running.settle().await;
    running.settle().await;
    let mut expected = in_epoch(1, &[(1, 0, ""), (2, 10, "b")]);
    expected[0].log = 1;
    assert_eq!(commits(running.consumer.told()), [(2, expected)], "though the sink offers what is committed already");
    assert!(!running.calls().contains(&Call::Committed(offsets(&[(1, 12, "a")]))));
    running.consumer.committed(2, offsets(&[(1, 0, ""), (2, 10, "b")]), None);
    running.settle().await;
    running.request_commit().await;
    assert_eq!(commits(running.consumer.told()), [], "once is enough");
}

#[tokio::test(start_paused = true)]
async fn an_offset_that_was_asked_for_in_a_log_that_is_over_is_forgotten() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::retriable("busy"));
    running.host.timeout(Duration::from_secs(3));
    running.read(1, &[10, 11]);
    running.settle().await;
    running.consumer.begin_anew(vec![new_log(1, 0)]);
    running.host.offset(tp(1), 10);
    running.settle().await;
    // It is sought in the old log, which the consumer knows to be over.
    let told = running.consumer.told();
    assert!(matches!(&told[..], [Command::Seek { generation, .. }] if generation.log == 0), "{told:?}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    running.consumer.read(SECOND_LOG, &[(tp(1), &[0])]);
    running.settle().await;
    assert_eq!(running.calls().last(), Some(&Call::Put(vec![(1, 0)])));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_anew_in_an_assignment_that_is_over_is_not_told() {
    let running = Running::with_two_partitions().await;
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.consumer.assign(2, offsets(&[(1, 12, "c")]));
    running.consumer.begin_anew(vec![new_log(1, 0)]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Close(vec![1]), Call::Open(offsets(&[(1, 12, "c")]))]);
}

#[tokio::test(start_paused = true)]
async fn partitions_can_be_paused_while_they_are_opened_and_their_topics_are_known() {
    let running = Running::start();
    let known: Arc<Mutex<Option<Arc<str>>>> = Arc::default();
    let seen = known.clone();
    running.script().asks_in_open = Some(Box::new(move |context| {
        *seen.lock().unwrap() = context.topic_id("t");
        context.pause(&[tp(1), tp(3)]);
    }));
    running.consumer.assign_with_ids(1, offsets(&[(1, 10, "")]), TopicIds::from([("t".to_owned(), "a".into())]));
    running.settle().await;
    let pause = |partition, paused| Command::Pause { topic_partition: tp(partition), epoch: 1, paused };
    let told = |running: &Running| format!("{:?}", running.consumer.told());
    assert_eq!((told(&running), known.lock().unwrap().as_deref()), (format!("{:?}", [pause(1, true)]), Some("a")));
    running.script().asks_in_open = None;
    // One that comes later in the same epoch has been asked for already.
    running.consumer.assign(1, offsets(&[(3, 0, "")]));
    running.settle().await;
    running.host.resume(&[tp(1)]);
    running.settle().await;
    assert_eq!(told(&running), format!("{:?}", [pause(3, true), pause(1, false)]));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_consumer_hears_which_topic_is_expected_is_dropped_and_read_again() {
    let running = Running::start();
    running.script().asks_in_open = Some(Box::new(|context| context.expect_topic(tp(1), "a".into())));
    running.consumer.assign_with_ids(1, offsets(&[(1, 10, "a")]), TopicIds::from([("t".to_owned(), "b".into())]));
    running.read(1, &[10, 11]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Open(offsets(&[(1, 10, "a")]))]);
    let told = running.consumer.told();
    let [Command::Expect { topic_partition, generation, topic_id }, Command::Seek { generation: then, offset: 10, .. }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((topic_partition, *generation, &**topic_id), (&tp(1), epoch(1), "a"));
    assert_eq!(*then, Generation { seeks: 1, ..epoch(1) });
    running.consumer.read(*then, &[(tp(1), &[10])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)])]);
}

#[tokio::test(start_paused = true)]
async fn which_topic_was_expected_is_forgotten_with_its_log() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::retriable("busy"));
    running.host.timeout(Duration::from_secs(3));
    running.read(1, &[10]);
    running.consumer.begin_anew(vec![new_log(1, 0)]);
    running.settle().await;
    running.consumer.told();
    running.host.expect_topic(tp(1), "a".into());
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.consumer.assign(2, offsets(&[(1, 12, "c")]));
    running.settle().await;
    assert!(running.consumer.told().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_should_be_paused_is_forgotten_with_its_assignment() {
    let running = Running::with_two_partitions().await;
    running.script().put.push_back(Error::retriable("busy"));
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.host.pause(&[tp(1)]);
    running.settle().await;
    let _answer = running.consumer.revoke(vec![tp(1)], true);
    running.consumer.assign(2, offsets(&[(1, 12, "c")]));
    running.settle().await;
    assert!(running.consumer.told().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_cannot_be_read_and_records_that_have_gone_are_counted() {
    let running = Running::with_two_partitions().await;
    running.consumer.happened(Event::Unreadable { topic_partition: tp(1), unreadable: true });
    running.consumer.happened(Event::Gone { topic_partition: tp(2), records: 7 });
    running.settle().await;
    let scrape = running.scrape();
    let of = |partition: i32| format!(r#"{{connector="c",partition="{partition}",task="0",topic="t"}}"#);
    assert!(scrape.contains(&format!("connect_partition_unreadable{} 1", of(1))), "{scrape}");
    assert!(scrape.contains(&format!("connect_partition_unreadable{} 0", of(2))), "{scrape}");
    assert!(scrape.contains(&format!("connect_records_gone_total{} 7", of(2))), "{scrape}");
}

#[tokio::test(start_paused = true)]
async fn brokers_that_refuse_the_size_of_metadata_are_asked_again_with_less() {
    let running = Running::with_two_partitions().await;
    assert_eq!(running.host.metadata_limit(), connect_api::METADATA_LIMIT);
    running.consumer.metadata_too_large();
    running.settle().await;
    assert_eq!(running.host.metadata_limit(), connect_api::METADATA_LIMIT / 2);
    assert!(running.calls().iter().any(|call| matches!(call, Call::PreCommit(..))), "the sink is asked again at once");
    (0..9).for_each(|_| running.consumer.metadata_too_large());
    running.settle().await;
    assert_eq!(running.host.metadata_limit(), 512);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_of_a_paused_partition_is_not_converted_and_read_again_once_it_goes_on() {
    let running = Running::with_two_partitions().await;
    running.host.pause(&[tp(1)]);
    running.settle().await;
    running.consumer.read(epoch(1), &[(tp(1), &[10, 11]), (tp(2), &[10])]);
    running.settle().await;
    assert!(running.calls().contains(&Call::Put(vec![(2, 10)])));
    assert_eq!(seeks(running.consumer.told()), []);
    running.host.resume(&[tp(1)]);
    running.settle().await;
    assert_eq!(seeks(running.consumer.told()), [(1, 10)]);
}
