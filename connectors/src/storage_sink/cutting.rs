//! When the files of a partition are closed, and what becomes of them then.

use std::sync::Arc;

use connect_api::{RecordView, Result};

use super::{
    config::NullValues,
    gate::HeldCut,
    metrics::Reason,
    open_file::Range,
    provenance::{Cut, Provenance},
    topic_partition_writer::TopicPartitionWriter,
    uploads::Target,
};

/// Parts of this size are the smallest that stores take.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

impl TopicPartitionWriter {
    /// What the clock asks for. At most one cut, before the records of a batch, as on the JVM.
    pub(super) fn tick(&mut self, now: i64) -> Result<()> {
        let config = &self.shared.config;
        if config.schedule.is_none() && !config.rotation.goes_by_clock() {
            return Ok(());
        }
        if now < self.last_tick {
            // The clock was set back: the next cut would be as late as it had been ahead.
            let next = config.schedule.as_ref().map_or(i64::MAX, |schedule| schedule.next_after(now));
            self.next_rotation = self.next_rotation.min(next);
            self.group.clock_was_set_back(now);
        }
        self.last_tick = now;
        let due = self.next_rotation;
        let reason = config.rotation.at(&self.group, now, due);
        if now < due && reason.is_none() || self.must_survey || self.boundaries.decide(self.next_to_read) {
            return Ok(());
        }
        if let Some(schedule) = config.schedule.as_ref().filter(|_| now >= due) {
            self.next_rotation = schedule.next_after(now);
        }
        match reason {
            Some(reason) => self.cut(reason, self.last_written + 1),
            None => Ok(()),
        }
    }

    /// Closes all open files at one offset. If one stayed open, a crash would redeliver records of its uploaded siblings and cut them into other
    /// objects.
    pub(super) fn cut(&mut self, reason: Reason, end: i64) -> Result<()> {
        if self.group.records == 0 {
            return Ok(());
        }
        let files = self.files.take();
        self.shared.metrics.open_files.sub(i64::try_from(files.len()).unwrap_or_default());
        let mut there = 0;
        let mut closed = Vec::with_capacity(files.len());
        for file in files {
            there += file.there();
            closed.extend(file.close(&self.shared.uploads, &self.state, &self.shared.config.spill)?);
            self.shared.uploads.lease.works();
        }
        // Objects in parts said what they are before their end was known: the journal says it for them.
        let is_planned = self.gate.journal.every || closed.iter().any(|file| file.parts.is_some());
        let (count, group_files) = (closed.len(), closed.len() + there);
        let files = closed.into_iter().map(|file| {
            let tagging = self.shared.config.tagging.clone().filter(|_| file.view == RecordView::Value);
            let target = Target { tagging, ..self.target(&file.key, (file.range, file.only_schema), Some(end), Some(group_files)) };
            (file, target)
        });
        let files = files.collect();
        let id = self.ledger.cut(end, count);
        // Where all files of the group are there already, nothing is sent that the next owner would have to know of.
        if count > 0 {
            self.gate.hold(HeldCut { id, first: self.group.first, end, is_planned, group_files, files });
        }
        self.group.end();
        self.shared.metrics.rotated(reason);
        self.release();
        Ok(())
    }

    /// What the object of this name says of itself: which records it has, and the schema of all of them, where each schema has a file of its own. `end`: where its
    /// group ends; `files`: how many the group has.
    fn target(&self, key: &str, (range, schema): (Range, Option<u64>), end: Option<i64>, files: Option<usize>) -> Target {
        let provenance = Provenance {
            history: self.gate.journal.history.clone(),
            owner: Some(self.shared.owner),
            topic_id: self.gate.journal.topic_id.clone(),
            topic_partition: self.topic_partition.clone(),
            layout: self.shared.config.layout,
            schema,
            first_offset: range.first_offset,
            group_first: self.group.first,
            cut: end.map(|end| Cut { range, end }),
            files,
        };
        Target { writer: Arc::clone(&self.state), key: key.to_owned(), provenance, tagging: None }
    }

    /// Uploads what may be; asks for a commit where something must wait for it.
    pub(super) fn release(&mut self) {
        while let Some(cut) = self.gate.release() {
            self.send(cut);
        }
        if self.gate.wants_commit() {
            self.shared.context.request_commit();
        }
    }

    /// Uploads everything: no owner after this one will read these records.
    pub(super) fn release_all(&mut self) {
        let cuts: Vec<_> = self.gate.release_all().collect();
        cuts.into_iter().for_each(|cut| self.send(cut));
    }

    fn send(&mut self, HeldCut { id, files, .. }: HeldCut) {
        self.uploading += files.len();
        for (file, target) in files {
            self.shared.uploads.send(file, target, id);
        }
    }

    /// Memory has become tight: sends what it can of all files, also of those that nothing is written to.
    pub(super) fn send_parts_of_all(&mut self) -> Result<()> {
        self.files.touch_all();
        self.send_parts()
    }

    /// Sends parts of files that have outgrown one, smaller ones where memory is tight. Once per batch, and only of files that were written to.
    pub(super) fn send_parts(&mut self) -> Result<()> {
        let is_tight = self.shared.context.budget.is_tight();
        let part_size = if is_tight { SMALLEST_PART } else { self.shared.config.part_size };
        // Null values, other directories and other schemas may still join the group.
        let config = &self.shared.config;
        let only_views =
            self.directories.only().is_some() && config.null_values != NullValues::Write && !config.file_for_each_schema;
        let group_files = only_views.then(|| config.formats.len());
        let mut files = std::mem::take(&mut self.files);
        let mut sent = Ok(());
        files.for_each_touched(|file| {
            let target = |key: &str, range: Range, schema: Option<u64>| self.target(key, (range, schema), None, group_files);
            if let Err(error) = file.send_parts((part_size, is_tight), &self.shared.uploads, target) {
                sent = Err(error);
            }
        });
        self.files = files;
        sent
    }
}
