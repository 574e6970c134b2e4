//! A converter that lacks something.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use connect_api::Fetch;

use super::*;

/// Lacks something until an attempt to get it has succeeded.
#[derive(Default)]
struct Lacking(Arc<State>);

#[derive(Default)]
struct State {
    is_there: AtomicBool,
    attempts: AtomicUsize,
    /// How the next attempts end; well, where there is none.
    errors: Mutex<VecDeque<Error>>,
    takes: Duration,
}

impl Converter for Lacking {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Result<Data> {
        let is_there = self.0.is_there.load(Ordering::Relaxed);
        if is_there { Ok(Data::default()) } else { Err(Error::retriable("not here yet")) }
    }

    fn fetch(&self, _topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Option<Fetch> {
        let state = Arc::clone(&self.0);
        Some(Box::pin(async move {
            state.attempts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(state.takes).await;
            if let Some(error) = state.errors.lock().unwrap().pop_front() {
                return Err(error);
            }
            state.is_there.store(true, Ordering::Relaxed);
            Ok(())
        }))
    }
}

async fn lacking(takes: Duration, errors: impl IntoIterator<Item = Error>) -> (Running, Arc<State>) {
    let state = Arc::new(State { takes, errors: Mutex::new(errors.into_iter().collect()), ..State::default() });
    let running = Running::with_converter(Arc::new(Lacking(Arc::clone(&state))));
    running.assign_two_partitions().await;
    (running, state)
}

fn puts(running: &Running) -> Vec<Call> {
    running.calls().into_iter().filter(|call| matches!(call, Call::Put(_))).collect()
}

fn problems(running: &Running) -> String {
    running.health.readiness(Instant::now()).1.to_string()
}

#[tokio::test(start_paused = true)]
async fn what_a_converter_lacks_is_got_once_and_the_batch_goes_on() {
    let (running, state) = lacking(Duration::ZERO, []).await;
    running.read(1, &[10, 11]);
    running.settle().await;
    assert_eq!(running.calls(), [Call::Put(vec![(1, 10), (1, 11)])]);
    assert_eq!(state.attempts.load(Ordering::Relaxed), 1);
    assert!(
        !running.scrape().contains("connect_task_error_failures_total{connector=\"c\",stage=\"VALUE_CONVERTER\",task=\"0\"} 1")
    );
}

#[tokio::test(start_paused = true)]
async fn while_it_cannot_be_got_it_is_tried_for_ever_and_readiness_says_why() {
    let errors = (0..20).map(|_| Error::retriable("the registry does not answer"));
    let (running, state) = lacking(Duration::ZERO, errors).await;
    running.read(1, &[10]);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(puts(&running), []);
    assert!(problems(&running).contains("the registry does not answer"), "{}", problems(&running));
    assert!((10..20).contains(&state.attempts.load(Ordering::Relaxed)), "{:?}", state.attempts);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(puts(&running), [Call::Put(vec![(1, 10)])]);
    assert!(!problems(&running).contains("registry"), "{}", problems(&running));
}

#[tokio::test(start_paused = true)]
async fn the_loop_goes_on_while_an_answer_takes_minutes() {
    let (running, _state) = lacking(Duration::from_secs(200), []).await;
    let before = running.script().empty_puts;
    running.read(1, &[10]);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(running.is_alive() && running.script().empty_puts > before);
    running.calls();
    running.request_commit().await;
    assert!(running.calls().iter().any(|call| matches!(call, Call::PreCommit(..))));
    tokio::time::sleep(Duration::from_secs(101)).await;
    assert_eq!(puts(&running), [Call::Put(vec![(1, 10)])]);
}

#[tokio::test(start_paused = true)]
async fn partitions_that_go_while_something_is_missing_are_given_back_and_the_others_go_on() {
    let (running, _state) = lacking(Duration::from_secs(10), []).await;
    running.consumer.read(epoch(1), &[(tp(1), &[10]), (tp(2), &[10])]);
    running.settle().await;
    let answer = running.consumer.revoke(vec![tp(1)], false);
    running.settle().await;
    assert_eq!(answer.try_recv().unwrap(), [], "nothing of it was accepted");
    assert!(running.calls().contains(&Call::Close(vec![1])));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(running.calls(), [Call::Put(vec![(2, 10)])]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_stops_at_once() {
    let (running, _state) = lacking(Duration::from_secs(1_000), []).await;
    running.read(1, &[10]);
    running.settle().await;
    let begun = Instant::now();
    let (ended, calls, _) = running.stop().await;
    assert!(ended.is_ok() && !calls.iter().any(|call| matches!(call, Call::Put(_))));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_got_at_all_fails_the_task() {
    let (running, _state) = lacking(Duration::ZERO, [Error::config("no such file")]).await;
    running.read(1, &[10]);
    let (error, _) = running.failed().await;
    assert!(error.report().contains("no such file"), "{}", error.report());
}
