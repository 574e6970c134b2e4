//! When open files go to disk, and what happens where the disk does not take them.

use std::sync::Arc;

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
}

impl Spilling {
    /// Moves open files to disk where memory is full, those first that nothing was written to since the last time. Where the disk does not take them,
    /// reading stops until it does.
    pub(super) fn make_room<'a>(&mut self, shared: &Arc<Shared>, writers: impl Iterator<Item = &'a mut TopicPartitionWriter>) {
        let budget = &shared.context.budget;
        let more = budget.parked().saturating_sub(self.left);
        if !self.is_full && (!budget.is_full() || more < budget.share() / 16) {
            self.left = self.left.min(budget.parked());
            return;
        }
        let mut writers: Vec<_> = writers.collect();
        let mut spilled = Ok(());
        for only_cold in [true, false] {
            let files = writers.iter_mut().flat_map(|writer| writer.files.iter_mut());
            for file in files.filter(|file| !only_cold || file.is_cold) {
                spilled = file.spill(&shared.config.spill);
                if spilled.is_err() || !budget.is_full() {
                    break;
                }
            }
            if spilled.is_err() || !budget.is_full() {
                break;
            }
        }
        writers.iter_mut().flat_map(|writer| writer.files.iter_mut()).for_each(|file| file.is_cold = true);
        self.left = budget.parked();
        let problem = spilled.err().map(|error| {
            let directory = shared.config.spill.directory().display();
            format!(
                "memory is full of open files, and {directory} does not take them ({error}): nothing is read until it does; make room there, set \
                 spill.directory to another disk, or raise memory.limit"
            )
        });
        if self.is_full != problem.is_some() {
            self.is_full = problem.is_some();
            budget.stop_reading(self.is_full);
            match &problem {
                Some(problem) => tracing::warn!("{problem}"),
                None => tracing::info!("open files find room on disk again: reading goes on"),
            }
            shared.context.report_problem(PROBLEM, problem);
        }
    }
}
