//! When open files go to disk, and what happens where the disk does not take them.

use std::{io, sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::{info, warn};

use super::topic_partition_writer::{Shared, TopicPartitionWriter};

/// Under which name readiness says it.
const PROBLEM: &str = "spill";

/// What a task remembers of the last time.
#[derive(Debug, Default)]
pub(super) struct Spilling {
    /// What could not leave memory then: looking again is worth it when there is more.
    left: usize,
    /// The disk takes nothing.
    is_full: bool,
    tried: Option<Instant>,
}

/// How often a disk that took nothing is tried again.
const TRIED_EVERY: Duration = Duration::from_secs(1);

/// So many files that the disk does not take are enough to know.
const REFUSALS: usize = 8;

impl Spilling {
    /// Moves open files to disk where memory is full, those first that nothing was written to since the last time. Where the disk does not take them,
    /// reading stops until it does, or memory has room.
    pub(super) fn make_room<'a>(&mut self, shared: &Arc<Shared>, writers: impl Iterator<Item = &'a mut TopicPartitionWriter>) {
        let budget = &shared.context.budget;
        if !budget.is_full() {
            self.left = 0;
            self.tell(shared, None);
            return;
        }
        let more = budget.parked().saturating_sub(self.left);
        let waits = self.tried.is_some_and(|tried| tried.elapsed() < TRIED_EVERY);
        let is_worth_it = if self.is_full { !waits } else { more >= budget.share() / 16 };
        if !is_worth_it || !shared.config.spill.is_there() {
            return;
        }
        let mut writers: Vec<_> = writers.collect();
        let refused = spill(shared, &mut writers);
        writers.iter_mut().flat_map(|writer| writer.files.iter_mut()).for_each(|file| file.is_cold = true);
        self.left = if budget.is_full() { budget.parked() } else { 0 };
        self.tried = Some(Instant::now());
        self.tell(shared, refused.filter(|_| budget.is_full()));
    }

    fn tell(&mut self, shared: &Arc<Shared>, refused: Option<io::Error>) {
        if self.is_full == refused.is_some() {
            return;
        }
        self.is_full = refused.is_some();
        shared.context.budget.stop_reading(self.is_full);
        let problem = refused.map(|error| {
            if error.kind() == io::ErrorKind::QuotaExceeded {
                return "memory is full of open files, and spill.limit.bytes is reached: nothing is read until files are closed; raise the limit or \
                        memory.limit, or have files closed by the clock, with rotate.idle.ms"
                    .to_owned();
            }
            let directory = shared.config.spill.directory().display();
            format!(
                "memory is full of open files, and {directory} does not take them ({error}): nothing is read until it does; make room there, set \
                 spill.directory to another disk, or raise memory.limit"
            )
        });
        match &problem {
            Some(problem) => warn!("{problem}"),
            None => info!("open files find room again: reading goes on"),
        }
        shared.context.report_problem(PROBLEM, problem);
    }
}

/// Returns why the disk did not take a file, if it did not.
fn spill(shared: &Arc<Shared>, writers: &mut [&mut TopicPartitionWriter]) -> Option<io::Error> {
    let (mut refused, mut refusals) = (None, 0);
    for only_cold in [true, false] {
        let files = writers.iter_mut().flat_map(|writer| writer.files.iter_mut());
        for file in files.filter(|file| !only_cold || file.is_cold) {
            if let Err(error) = file.spill(&shared.config.spill) {
                refused = Some(error);
                refusals += 1;
            }
            if refusals >= REFUSALS || !shared.context.budget.is_full() {
                return refused;
            }
        }
    }
    refused
}
