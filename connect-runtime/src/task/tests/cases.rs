//! Further cases of the specification (12.3 to 12.6).

use connect_api::Transformation;

use super::*;

/// Gives each record to another topic and partition.
struct Elsewhere;

impl Transformation for Elsewhere {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        (record.topic, record.partition) = (format!("newtopic_{}", record.topic).into(), 9);
        Ok(Some(record))
    }
}

// T24
#[tokio::test(start_paused = true)]
async fn what_a_transform_gave_to_another_partition_is_committed_where_it_was_read() {
    let chain = vec![NamedTransformation { class: "Elsewhere", transformation: Arc::new(Elsewhere), guard: None }];
    let running = Running::with_chain(Arc::new(Verbatim), Some(Duration::ZERO), chain);
    running.assign_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    let asked = Call::PreCommit(offsets(&[(1, 11, "a"), (2, 10, "b")]), CommitReason::Due);
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10)]), asked]);
    assert_eq!(commits(running.consumer.told()), [(1, in_epoch(1, &[(1, 11, "a"), (2, 10, "b")]))]);
}

// T26; rates and percentages are left to whoever asks for them.
#[tokio::test(start_paused = true)]
async fn a_commit_that_succeeds_is_counted_as_such_and_leaves_no_failure() {
    let running = Running::with_two_partitions().await;
    running.read(1, &[10]);
    running.settle().await;
    running.request_commit().await;
    running.consumer.committed(1, offsets(&[(1, 11, "a"), (2, 10, "b")]), None);
    running.settle().await;
    let scrape = running.scrape();
    let count = |outcome| scrape.contains(&format!("connect_commits_total{{connector=\"c\",outcome=\"{outcome}\",task=\"0\"}} 1"));
    assert_eq!(["succeeded", "failed", "skipped"].map(count), [true, false, false], "{scrape}");
    assert!(scrape.contains("connect_commit_duration_seconds_count{connector=\"c\",task=\"0\"} 1"), "{scrape}");
}

// T37
#[tokio::test(start_paused = true)]
async fn an_offset_that_is_asked_for_while_partitions_are_opened_is_sought_before_anything_is_delivered() {
    let running = Running::start();
    running.script().asks_in_open = Some(Box::new(|context| context.offset(tp(1), 5)));
    running.consumer.assign(1, offsets(&[(1, 10, "")]));
    running.read(1, &[10]);
    running.settle().await;
    assert_eq!(seeks(running.consumer.told()), [(1, 5)]);
    assert_eq!(running.calls(), [Call::Open(offsets(&[(1, 10, "")]))]);
    running.consumer.read(Generation { epoch: 1, log: 0, seeks: 1 }, &[(tp(1), &[5])]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 5)])]);
}

// T38; a partition that is not assigned is no error, and paused once it is.
#[tokio::test(start_paused = true)]
async fn a_sink_pauses_and_resumes_exactly_what_it_names() {
    let running = Running::with_two_partitions().await;
    let pause = |partition, paused| Command::Pause { topic_partition: tp(partition), epoch: 1, paused };
    let both = |paused| format!("{:?}", [pause(1, paused), pause(2, paused)]);
    running.host.pause(&[tp(1), tp(2)]);
    running.settle().await;
    assert_eq!(format!("{:?}", running.consumer.told()), both(true));
    running.host.resume(&[tp(1), tp(2)]);
    running.settle().await;
    assert_eq!(format!("{:?}", running.consumer.told()), both(false));
    running.host.pause(&[tp(9)]);
    running.settle().await;
    assert!(running.consumer.told().is_empty());
}

// T46
#[tokio::test(start_paused = true)]
async fn partitions_that_are_assigned_are_counted_until_they_go() {
    let running = Running::with_two_partitions().await;
    let count = || {
        let scrape = running.scrape();
        let line = "connect_assigned_partitions{connector=\"c\",task=\"0\"} ";
        scrape.split_once(line).and_then(|(_, rest)| rest.lines().next().map(str::to_owned)).unwrap()
    };
    assert_eq!(count(), "2");
    let _answer = running.consumer.revoke(vec![tp(1)], false);
    running.settle().await;
    assert_eq!(count(), "1");
    let registry = running.registry.clone();
    running.stop().await.0.unwrap();
    assert!(registry.scrape().contains("connect_assigned_partitions{connector=\"c\",task=\"0\"} 0"));
}

/// Always asks for another try.
struct NotYet;

impl Converter for NotYet {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Result<Data> {
        Err(Error::retriable("not yet"))
    }
}

// R8
#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_another_try() {
    let running = Running::with_chain(Arc::new(NotYet), None, Vec::new());
    running.assign_two_partitions().await;
    running.read(1, &[10]);
    // Amid the fourth pause, which takes 2400 ms after 300, 600 and 1200.
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    let begun = Instant::now();
    let (ended, calls, told) = running.stop().await;
    ended.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(100));
    assert!(!calls.iter().any(|call| matches!(call, Call::Put(_))), "{calls:?}");
    let begin = in_epoch(1, &[(1, 10, "a"), (2, 10, "b")]);
    assert!(matches!(&told[..], [Command::Stop { offsets, .. }] if offsets.is_empty() || *offsets == begin), "{told:?}");
}
