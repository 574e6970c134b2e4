//! What is measured.

use std::{fmt, time::Duration};

use crate::{
    arguments::Arguments,
    layout::{FLUSH_SIZE, Layout},
};

/// Partitions of every topic, and tasks of every sink.
pub(crate) const PARTITIONS: u64 = 3;

/// Another number for other records: topics are kept, and nobody shall measure the old ones.
const RECORDS: u32 = 2;

/// What the mock cluster keeps of a topic, with room to spare: 5 MiB a partition.
const MOCK_TOPIC_BYTES: u64 = PARTITIONS * 4 * 1024 * 1024;

/// Records of the rows by time and by field, and of all files of a partition together.
const LAYOUT_RECORDS: u64 = 720_000;

/// Where the objects go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// A storage inside the sink's process that keeps names only.
    Memory,
    /// Over HTTP to a process that keeps names only and answers after this time.
    Http(Duration),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Http(latency) => write!(f, "HTTP, {} ms", latency.as_millis()),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) target: Target,
    pub(crate) flush_size: u64,
    pub(crate) record_size: u64,
    pub(crate) records: u64,
    pub(crate) layout: Layout,
}

impl Case {
    pub(crate) fn topic(&self) -> String {
        format!("flush-throughput-{RECORDS}-{}-{}{}", self.record_size, self.records, self.layout.topic())
    }

    pub(crate) fn objects(&self) -> u64 {
        self.records / self.flush_size * self.layout.open_files()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.records * self.record_size
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} B, flush.size={}{}", self.target, self.record_size, self.flush_size, self.layout)
    }
}

/// All rows.
pub(crate) struct Plan {
    pub(crate) cases: Vec<Case>,
    /// What does not fit into the mock cluster.
    pub(crate) left_out: Vec<Case>,
    pub(crate) repetitions: u64,
}

impl Plan {
    pub(crate) fn new(arguments: &Arguments, mock: bool) -> Self {
        let quick = arguments.quick;
        let mut cases = Vec::new();
        for target in [Target::Memory, Target::Http(Duration::ZERO), Target::Http(Duration::from_millis(10))] {
            for flush_size in [1, 100, 10_000] {
                for record_size in [100, 1024, 10_240] {
                    let records = if quick || mock { few(flush_size) } else { many(target, flush_size, record_size) };
                    cases.push(Case { target, flush_size, record_size, records, layout: Layout::Partition });
                }
            }
        }
        for layout in Layout::OTHERS {
            let records = if quick || mock { few(FLUSH_SIZE) } else { LAYOUT_RECORDS };
            cases.push(Case { target: Target::Memory, flush_size: layout.flush_size(), record_size: 1024, records, layout });
        }
        cases.retain(|case| case.to_string().contains(&arguments.filter));
        let (cases, left_out) = cases.into_iter().partition(|case| !mock || case.bytes() <= MOCK_TOPIC_BYTES);
        let repetitions = arguments.repetitions.unwrap_or(if quick { 1 } else { 3 });
        Self { cases, left_out, repetitions }
    }
}

/// So many records that a row takes a second or more. Always whole objects in every partition.
fn many(target: Target, flush_size: u64, record_size: u64) -> u64 {
    match (flush_size, target, record_size) {
        (1, Target::Memory, _) => 60_000,
        (1, Target::Http(_), _) => 12_000,
        (_, _, 100) => 6_000_000,
        (_, Target::Memory, 1024) => 3_600_000,
        (_, _, 1024) => 1_200_000,
        _ => 120_000,
    }
}

fn few(flush_size: u64) -> u64 {
    PARTITIONS * if flush_size == 10_000 { 10_000 } else { 300 }
}
