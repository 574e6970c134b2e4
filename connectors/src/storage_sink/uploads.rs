//! Uploads in flight: bounded, beside consumption and beside each other, tried for ever.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connect_api::{
    Body, Budget, Completion, Condition, Error, ErrorKind, MultipartUpload, Reservation, Result, SinkTaskContext, Storage,
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    ledger::CutId,
    metrics::UploadMetrics,
    open_file::ClosedFile,
    parts::Piece,
    provenance::{Claim, Provenance},
};

/// Asks the store until it answers. While it waits for its next attempt an upload gives its place to another.
///
/// A macro, because what is asked borrows, and a future made by a closure that borrows cannot be shown to be `Send`.
macro_rules! until_answered {
    ($uploads:expr, $key:expr, $question:expr) => {{
        let mut attempt = 0;
        loop {
            let permit = $uploads.permits.acquire().await;
            $uploads.metrics.in_flight.inc();
            let answer = $question.await;
            $uploads.metrics.in_flight.dec();
            drop(permit);
            if let Some(answer) = $uploads.settle($key, &mut attempt, answer).await {
                break answer;
            }
        }
    }};
}

pub(super) use until_answered;

/// Identifies the writer of a partition within one assignment: what ends after the assignment ended concerns nobody.
pub(super) type WriterId = u64;

/// What an upload tells the writer it belongs to.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) writer: WriterId,
    pub(super) news: News,
}

/// The news.
#[derive(Debug)]
pub(super) enum News {
    /// One file of the cut is durable under its name.
    Durable(CutId),
    /// The name is taken by an object of the same history with another range: cut where that one was cut.
    CutOtherwise { key: String },
    /// The name is taken by an object of another history: send when a commit at the current generation has shown that the partition is ours.
    ProofWanted(oneshot::Sender<()>),
    /// Trying again cannot help.
    Failed(Error),
}

/// Whose upload it is, and what the object is to say of itself.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) writer: WriterId,
    pub(super) key: String,
    pub(super) provenance: Provenance,
    pub(super) cancelled: CancellationToken,
}

/// Uploads of one task. The permits are shared by all tasks of the connector.
pub(super) struct Uploads {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) context: SinkTaskContext,
    notices: mpsc::UnboundedSender<Notice>,
    pub(super) metrics: UploadMetrics,
    max_backoff: Duration,
    failing: AtomicBool,
    most_lanes: usize,
    queue: Mutex<Queue>,
}

/// Objects that wait for their turn.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Futures that send one object after the other.
    lanes: usize,
}

struct Job {
    body: Body,
    reservation: Reservation,
    target: Target,
    cut: CutId,
}

impl Uploads {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        permits: Arc<Semaphore>,
        context: SinkTaskContext,
        max_backoff: Duration,
        most_lanes: usize,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Notice>) {
        let (notices, receiver) = mpsc::unbounded_channel();
        let metrics = UploadMetrics::new(&context);
        let (failing, queue) = (AtomicBool::new(false), Mutex::default());
        let uploads = Self { storage, permits, context, notices, metrics, max_backoff, failing, most_lanes, queue };
        (Arc::new(uploads), receiver)
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.context.budget
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Sends a closed file: in one request, or the rest of its parts.
    pub(super) fn send(self: &Arc<Self>, file: ClosedFile, target: Target, cut: CutId) {
        let ClosedFile { body, parts, reservation, .. } = file;
        match parts {
            Some(parts) => {
                parts.finish(Piece::Last { body, reservation, target, cut });
            }
            None => self.enqueue(Job { body, reservation, target, cut }),
        }
    }

    /// Objects wait in a queue and not in futures of their own, which weigh ten times as much.
    fn enqueue(self: &Arc<Self>, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.push_back(job);
        if queue.lanes < self.most_lanes {
            queue.lanes += 1;
            let uploads = Arc::clone(self);
            self.context.spawn(async move {
                while let Some(job) = uploads.next_job() {
                    uploads.run(job).await;
                }
            });
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.lanes -= 1;
        }
        job
    }

    async fn run(&self, Job { body, reservation, target, cut }: Job) {
        let claimed = target.cancelled.run_until_cancelled(self.claim(&target, &Object::Whole(body), cut)).await;
        drop(reservation);
        self.tell(target.writer, claimed);
    }

    pub(super) fn tell(&self, writer: WriterId, news: Option<News>) {
        let Some(news) = news else { return };
        let urgent = !matches!(news, News::Durable(_));
        let _task_is_gone = self.notices.send(Notice { writer, news });
        if urgent {
            self.context.wake();
        }
    }

    /// Makes the object under its name, or finds out who has the name and what follows from it.
    pub(super) async fn claim(&self, target: &Target, object: &Object, cut: CutId) -> News {
        match self.try_claim(target, object).await {
            Ok(Claimed::Created) => {
                self.metrics.object_written(object.bytes());
                News::Durable(cut)
            }
            Ok(Claimed::Adopted) => {
                self.metrics.adopted.inc();
                News::Durable(cut)
            }
            Ok(Claimed::CutOtherwise) => News::CutOtherwise { key: target.key.clone() },
            Err(error) => News::Failed(error),
        }
    }

    async fn try_claim(&self, target: &Target, object: &Object) -> Result<Claimed> {
        let mut condition = Condition::NameFree;
        loop {
            if self.create(target, object, &condition).await? == Completion::Created {
                if condition != Condition::NameFree {
                    warn!(key = target.key, "an object of another history with other content was in the way: replaced");
                    self.metrics.replaced.inc();
                }
                return Ok(Claimed::Created);
            }
            let Some(seen) = until_answered!(self, &target.key, self.storage.head(&target.key))? else {
                // It has been deleted since.
                condition = Condition::NameFree;
                continue;
            };
            match target.provenance.compare(&seen.metadata) {
                Claim::Ours => {
                    debug!(key = target.key, "the object is there already, from before a restart: adopted");
                    return Ok(Claimed::Adopted);
                }
                Claim::OursCutOtherwise => return Ok(Claimed::CutOtherwise),
                Claim::Foreign => {}
            }
            self.prove_ownership(target.writer).await;
            if self.holds_the_same(target, object).await? {
                info!(key = target.key, "an object of another history has the same content: adopted");
                return Ok(Claimed::Adopted);
            }
            condition = Condition::Unchanged(seen.version);
        }
    }

    async fn create(&self, target: &Target, object: &Object, condition: &Condition) -> Result<Completion> {
        match object {
            Object::Whole(body) => {
                let metadata = target.provenance.metadata();
                until_answered!(self, &target.key, self.storage.put(&target.key, body.clone(), &metadata, condition))
            }
            Object::InParts { upload, .. } => until_answered!(self, &target.key, upload.complete(condition)),
        }
    }

    /// Whether the object that has the name has this content. Of an object in parts the bytes are gone: it counts as different.
    async fn holds_the_same(&self, target: &Target, object: &Object) -> Result<bool> {
        let Object::Whole(body) = object else { return Ok(false) };
        let Some(there) = until_answered!(self, &target.key, self.storage.get(&target.key))? else { return Ok(false) };
        let mut rest = &there[..];
        let all = body.iter().all(|block| rest.strip_prefix(&block[..]).map(|tail| rest = tail).is_some());
        Ok(all && rest.is_empty())
    }

    /// Returns when a commit at the current generation has succeeded; never, where the partition is no longer ours.
    async fn prove_ownership(&self, writer: WriterId) {
        let (proven, proof) = oneshot::channel();
        self.tell(writer, Some(News::ProofWanted(proven)));
        if proof.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The answer, or nothing after a pause where the question is to be asked again. The environment never needs a human.
    pub(super) async fn settle<T>(&self, key: &str, attempt: &mut u32, answer: Result<T>) -> Option<Result<T>> {
        match answer {
            Err(error) if matches!(error.kind(), ErrorKind::Retriable | ErrorKind::Config) => {
                *attempt += 1;
                let (attempt, pause) = (*attempt, self.backoff(*attempt));
                self.metrics.retries.inc();
                self.failing.store(true, Ordering::Relaxed);
                self.context.report_problem("storage", Some(error.report()));
                warn!(key, attempt, ?pause, error = error.report(), "the store does not take it, retrying");
                tokio::time::sleep(pause).await;
                None
            }
            answer => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    self.context.report_problem("storage", None);
                    info!("the store answers again");
                }
                Some(answer.map_err(|error| error.context(format!("object {key}"))))
            }
        }
    }

    /// Nobody waits for an upload any more, so none will tell that the store answers again.
    pub(super) fn forget_trouble(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            self.context.report_problem("storage", None);
        }
    }

    /// Doubles from 100 ms up to `retry.backoff.ms`, with half of it random so that uploads do not come back all at once.
    fn backoff(&self, attempt: u32) -> Duration {
        let full = Duration::from_millis(100).saturating_mul(1 << attempt.min(10)).min(self.max_backoff);
        let random = RandomState::new().hash_one(attempt) % 1_000;
        full / 2 + full.mul_f64(0.000_5 * f64::from(u32::try_from(random).unwrap_or_default()))
    }
}

/// What is to appear under a name.
pub(super) enum Object {
    Whole(Body),
    InParts { upload: Arc<dyn MultipartUpload>, bytes: u64 },
}

impl Object {
    fn bytes(&self) -> u64 {
        match self {
            Self::Whole(body) => length(body),
            Self::InParts { bytes, .. } => *bytes,
        }
    }
}

/// What became of it.
enum Claimed {
    Created,
    Adopted,
    CutOtherwise,
}

pub(super) fn length(body: &Body) -> u64 {
    body.iter().map(|block| block.len() as u64).sum()
}
