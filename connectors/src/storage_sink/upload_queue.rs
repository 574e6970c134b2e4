//! Objects that wait for their turn: fair between partitions, and one whose store refuses it holds up nobody else.

use std::collections::{HashMap, VecDeque};

use super::writer_state::WriterId;

/// So many objects of a partition are tried at the same time while the store refuses them; the others wait behind.
const TRIED_WHILE_REFUSED: usize = 2;

/// Jobs by writer, and how many futures work on them.
#[derive(Debug)]
pub(super) struct UploadQueue<J> {
    writers: HashMap<WriterId, Waiting<J>>,
    /// Writers with a job that may begin, each once.
    turns: VecDeque<WriterId>,
    /// Futures that send one object after the other. Those that pause are not counted.
    lanes: usize,
    most_lanes: usize,
}

#[derive(Debug)]
struct Waiting<J> {
    jobs: VecDeque<J>,
    running: usize,
    /// Some object of this writer was refused, and was not taken since.
    is_refused: bool,
    has_turn: bool,
}

impl<J> UploadQueue<J> {
    pub(super) fn new(most_lanes: usize) -> Self {
        Self { writers: HashMap::new(), turns: VecDeque::new(), lanes: 0, most_lanes }
    }

    /// Adds a job of a writer, which may be refused elsewhere. True: begin another lane.
    pub(super) fn push(&mut self, (writer, is_refused): (WriterId, bool), job: J) -> bool {
        let new = || Waiting { jobs: VecDeque::new(), running: 0, is_refused, has_turn: false };
        self.writers.entry(writer).or_insert_with(new).jobs.push_back(job);
        self.give_turn(writer);
        self.begin_lane()
    }

    /// The next job for a lane; the lane ends where there is none.
    pub(super) fn next(&mut self) -> Option<(WriterId, J)> {
        while let Some(writer) = self.turns.pop_front() {
            let Some(waiting) = self.writers.get_mut(&writer) else { continue };
            waiting.has_turn = false;
            if let Some(job) = waiting.jobs.pop_front() {
                waiting.running += 1;
                self.give_turn(writer);
                return Some((writer, job));
            }
        }
        self.lanes -= 1;
        None
    }

    /// A job has ended.
    pub(super) fn ended(&mut self, writer: WriterId) {
        let Some(waiting) = self.writers.get_mut(&writer) else { return };
        waiting.running = waiting.running.saturating_sub(1);
        if waiting.running == 0 && waiting.jobs.is_empty() {
            self.writers.remove(&writer);
        } else {
            self.give_turn(writer);
        }
    }

    /// The store refuses objects of this writer, or takes them again.
    pub(super) fn set_refused(&mut self, writer: WriterId, is_refused: bool) {
        if let Some(waiting) = self.writers.get_mut(&writer) {
            waiting.is_refused = is_refused;
            self.give_turn(writer);
        }
    }

    /// A lane waits before it tries again. True: begin another lane in its place.
    pub(super) fn pause_lane(&mut self) -> bool {
        self.lanes -= 1;
        self.begin_lane()
    }

    /// A lane goes on after a pause; for a moment there may be one too many.
    pub(super) fn resume_lane(&mut self) {
        self.lanes += 1;
    }

    /// Whether there is work and room for another lane; if so, it counts as begun.
    pub(super) fn begin_lane(&mut self) -> bool {
        let begins = !self.turns.is_empty() && self.lanes < self.most_lanes;
        self.lanes += usize::from(begins);
        begins
    }

    fn give_turn(&mut self, writer: WriterId) {
        let Some(waiting) = self.writers.get_mut(&writer) else { return };
        let may_begin = !waiting.is_refused || waiting.running < TRIED_WHILE_REFUSED;
        if may_begin && !waiting.has_turn && !waiting.jobs.is_empty() {
            waiting.has_turn = true;
            self.turns.push_back(writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut UploadQueue<u32>) -> Vec<(WriterId, u32)> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    #[test]
    fn writers_take_turns() {
        let mut queue = UploadQueue::new(1);
        for (writer, job) in [(1, 0), (1, 1), (1, 2), (2, 10), (2, 11)] {
            queue.push((writer, false), job);
        }
        assert_eq!(drain(&mut queue), [(1, 0), (2, 10), (1, 1), (2, 11), (1, 2)]);
    }

    #[test]
    fn a_writer_that_is_refused_keeps_to_a_few_tries_and_leaves_the_lanes_to_others() {
        let mut queue = UploadQueue::new(1);
        assert!(queue.push((1, false), 0));
        for job in 1..200 {
            queue.push((1, false), job);
        }
        assert_eq!(queue.next(), Some((1, 0)));
        queue.set_refused(1, true);
        assert!(queue.pause_lane(), "another lane for who waits");
        // What was given its turn before is the second and last try.
        assert_eq!(queue.next(), Some((1, 1)));
        assert_eq!(queue.next(), None);
        assert!(queue.push((2, false), 7));
        assert_eq!(drain(&mut queue), [(2, 7)]);
        queue.set_refused(1, false);
        assert!(queue.begin_lane());
        queue.resume_lane();
        queue.ended(1);
        assert_eq!(drain(&mut queue).len(), 198);
    }

    #[test]
    fn a_writer_that_is_refused_before_its_first_object_waits_keeps_to_a_few_tries_too() {
        let mut queue = UploadQueue::new(8);
        for job in 0..8 {
            queue.push((1, true), job);
        }
        assert_eq!(drain(&mut queue).len(), TRIED_WHILE_REFUSED);
    }

    #[test]
    fn no_more_lanes_are_begun_than_there_may_be() {
        let mut queue = UploadQueue::new(2);
        let begun = (0..5).filter(|job| queue.push((1, false), *job)).count();
        assert_eq!(begun, 2);
        assert_eq!(drain(&mut queue).len(), 5);
    }
}
