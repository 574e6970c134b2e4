//! Uploads in flight: bounded, beside consumption and beside each other, tried for ever.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_api::{Body, Budget, Error, Reservation, Result, SinkTaskContext, Storage};
use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc, oneshot},
    time::Instant,
};

use super::{
    asking::Retrying,
    claim::Object,
    file_buffer::Content,
    lease::{Clock, Lease},
    ledger::CutId,
    metrics::UploadMetrics,
    open_file::ClosedFile,
    parts::Piece,
    provenance::Provenance,
    tagging::Tagging,
    upload_queue::UploadQueue,
    writer_state::{WaitingBytes, WriterId, WriterState},
};

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
    CutOtherwise { key: String, there: Box<Provenance> },
    /// The name is taken by an object of another history: send when a commit at the current generation has shown that the partition is ours.
    ProofWanted(oneshot::Sender<()>),
    /// Trying again cannot help.
    Failed(Error),
}

/// Whose upload it is, and what the object is to say of itself.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) writer: Arc<WriterState>,
    pub(super) key: String,
    pub(super) provenance: Provenance,
    /// How it is tagged, once it is there.
    pub(super) tagging: Option<Arc<Tagging>>,
}

/// Requests that all tasks of a connector make at the same time, at most.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    /// To write objects.
    pub(super) uploads: Arc<Semaphore>,
    /// To find out what is there.
    pub(super) survey: Arc<Semaphore>,
}

impl Permits {
    /// So many requests to write objects.
    pub(crate) fn new(uploads: usize) -> Self {
        Self { uploads: Arc::new(Semaphore::new(uploads)), survey: Arc::new(Semaphore::new(SURVEY_REQUESTS)) }
    }
}

/// Three thousand objects a second, if each answer takes ten milliseconds: a store takes some five thousand a prefix, and is wanted for uploads meanwhile.
pub(super) const SURVEY_REQUESTS: usize = 32;

/// How much is read back from disk at once.
const READ_BACK: usize = 64 * 1024;

/// Between two lines of the log about what is refused.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Uploads of one task.
pub(super) struct Uploads {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) permits: Permits,
    pub(super) context: SinkTaskContext,
    notices: mpsc::UnboundedSender<Notice>,
    pub(super) metrics: UploadMetrics,
    pub(super) lease: Lease,
    max_backoff: Duration,
    /// Requests that are refused and tried again.
    refused: AtomicUsize,
    /// When the log was told of a refusal, and of tags that were refused.
    told: Mutex<Option<Instant>>,
    told_of_tags: Mutex<Option<Instant>>,
    /// Room for what is read back from disk, in blocks of [`READ_BACK`], and how many there are.
    room: Semaphore,
    blocks: usize,
    queue: Mutex<UploadQueue<Job>>,
}

#[derive(Debug)]
struct Job {
    content: Content,
    bytes: WaitingBytes,
    target: Target,
    cut: CutId,
}

impl Uploads {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        permits: Permits,
        context: SinkTaskContext,
        max_backoff: Duration,
        most_lanes: usize,
        clock: Clock,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Notice>) {
        let (notices, receiver) = mpsc::unbounded_channel();
        let metrics = UploadMetrics::new(&context);
        let blocks = (context.budget.share() / 4 / READ_BACK).clamp(1, Semaphore::MAX_PERMITS);
        let (refused, queue) = (AtomicUsize::new(0), Mutex::new(UploadQueue::new(most_lanes)));
        let uploads = Self {
            storage,
            permits,
            context,
            notices,
            metrics,
            lease: Lease::new(clock),
            max_backoff,
            refused,
            told: Mutex::default(),
            told_of_tags: Mutex::default(),
            room: Semaphore::new(blocks),
            blocks,
            queue,
        };
        (Arc::new(uploads), receiver)
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.context.budget
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// What is to be sent, in memory for as long as one request takes. What lies on disk is counted, and waits where too much of it is in memory already.
    pub(super) async fn read_back(&self, content: &Content) -> Result<ReadBack<'_>> {
        let on_disk = content.bytes_on_disk();
        // Who needs more than there is goes alone.
        let blocks = on_disk.div_ceil(READ_BACK).min(self.blocks);
        let room = match u32::try_from(blocks) {
            Ok(0) | Err(_) => None,
            Ok(blocks) => self.room.acquire_many(blocks).await.ok(),
        };
        let reservation = self.budget().reserve(on_disk);
        Ok(ReadBack { body: content.read()?, _room: room, _reservation: reservation })
    }

    /// Sends a closed file: in one request, or the rest of its parts.
    pub(super) fn send(self: &Arc<Self>, file: ClosedFile, target: Target, cut: CutId) {
        let ClosedFile { content, parts, bytes, .. } = file;
        match parts {
            Some(parts) => parts.finish(Piece::Last { content, bytes, target: Box::new(target), cut }),
            None => self.enqueue(Job { content, bytes, target, cut }),
        }
    }

    /// Objects wait in a queue and not in futures of their own, which weigh ten times as much.
    fn enqueue(self: &Arc<Self>, job: Job) {
        let mut queue = self.queue();
        let writer = (job.target.writer.id, job.target.writer.is_refused());
        let begins = queue.push(writer, job);
        drop(queue);
        self.run_lane(begins);
    }

    fn run_lane(self: &Arc<Self>, begins: bool) {
        if !begins {
            return;
        }
        let uploads = Arc::clone(self);
        self.context.spawn(async move {
            while let Some((writer, job)) = uploads.next_job() {
                let running = Running { uploads: &uploads, writer };
                uploads.run(job).await;
                drop(running);
            }
        });
    }

    fn next_job(&self) -> Option<(WriterId, Job)> {
        self.queue().next()
    }

    async fn run(self: &Arc<Self>, Job { content, bytes, target, cut }: Job) {
        let claimed = target.writer.while_open(self.claim(&target, &Object::Whole(content), cut)).await;
        drop(bytes);
        self.tell(target.writer.id, claimed.map(|claim| claim.news));
    }

    pub(super) fn tell(&self, writer: WriterId, news: Option<News>) {
        let Some(news) = news else { return };
        let urgent = !matches!(news, News::Durable(_));
        let _task_is_gone = self.notices.send(Notice { writer, news });
        if urgent {
            self.context.wake();
        }
    }

    /// A lane waits for the store: another one may begin.
    pub(super) fn pause_lane(self: &Arc<Self>) {
        let begins = self.queue().pause_lane();
        self.run_lane(begins);
    }

    pub(super) fn resume_lane(&self) {
        self.queue().resume_lane();
    }

    /// A request is refused and will be tried again.
    pub(super) fn refuse(&self, writer: &WriterState) {
        // One step for the writer, the queue and the budget, lest they contradict each other for good.
        let mut queue = self.queue();
        if writer.refuse() {
            queue.set_refused(writer.id, true);
        }
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            self.context.budget.set_refused(true);
        }
    }

    /// It is not refused any more, or nobody wants it any more.
    pub(super) fn forgive(self: &Arc<Self>, writer: &WriterState) {
        let mut queue = self.queue();
        let is_taken = writer.forgive();
        if is_taken {
            queue.set_refused(writer.id, false);
        }
        let begins = is_taken && queue.begin_lane();
        if self.refused.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.context.budget.set_refused(false);
            self.context.report_problem("storage", None);
        }
        drop(queue);
        self.run_lane(begins);
    }

    /// How something that waits for the store's answer tries again.
    pub(super) fn retrying<'a>(self: &'a Arc<Self>, key: &'a str, writer: &'a WriterState, in_lane: bool) -> Retrying<'a> {
        Retrying::new(self, key, writer, in_lane)
    }

    /// Whether it is time for another line about what is refused.
    pub(super) fn may_tell(&self) -> bool {
        may_tell(&self.told)
    }

    /// The same of tags.
    pub(super) fn may_tell_of_tags(&self) -> bool {
        may_tell(&self.told_of_tags)
    }

    /// Doubles from 100 ms up to `retry.backoff.ms`, with half of it random so that uploads do not come back all at once.
    pub(super) fn backoff(&self, attempt: u32) -> Duration {
        let full = Duration::from_millis(100).saturating_mul(1 << attempt.min(10)).min(self.max_backoff);
        // A test tells the same story twice.
        let random = if cfg!(test) { 500 } else { RandomState::new().hash_one(attempt) % 1_000 };
        full / 2 + full.mul_f64(0.000_5 * f64::from(u32::try_from(random).unwrap_or_default()))
    }

    #[cfg(test)]
    pub(super) fn describe(&self) -> String {
        format!("lease={} permits={} {:?}", self.lease.holds(), self.permits.uploads.available_permits(), self.queue())
    }

    fn queue(&self) -> MutexGuard<'_, UploadQueue<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_tell(told: &Mutex<Option<Instant>>) -> bool {
    let now = Instant::now();
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let may = told.is_none_or(|told| now - told >= TOLD_EVERY);
    if may {
        *told = Some(now);
    }
    may
}

/// What is sent, and the room that it takes.
pub(super) struct ReadBack<'a> {
    pub(super) body: Body,
    _room: Option<SemaphorePermit<'a>>,
    _reservation: Reservation,
}

/// A job that a lane works on, however it ends.
struct Running<'a> {
    uploads: &'a Arc<Uploads>,
    writer: WriterId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.uploads.queue().ended(self.writer);
    }
}

/// Bytes that a part of an object weighs.
pub(super) fn length(body: &Body) -> u64 {
    body.iter().map(|block| block.len() as u64).sum()
}
