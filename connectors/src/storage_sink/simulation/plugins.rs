//! A format that writes offsets, and a partitioner that keeps several files open.

use std::ops::Range;

use connect_api::{
    Error, Format, PartitionedBy, Partitioner, Plugin, Plugins, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
};

use super::records::{bytes_of, log_of};

/// Those of the crate, and two that show what happens to each record.
pub(super) fn plugins() -> Plugins {
    crate::plugins().format::<Offset>().partitioner::<Digit>()
}

static BLANKS: [u8; 1 << 16] = [b' '; 1 << 16];

/// A line per record: its log and its offset, padded to the record's size.
#[derive(Clone, Copy)]
pub(super) struct Offset {
    /// It does not take the record at this offset.
    refuses: Option<i64>,
    /// The same, of values alone.
    refuses_value: Option<i64>,
}

static REFUSES: ConfigKey<String> = ConfigKey::optional("refuses", "The offset of a record that is not taken.");
static REFUSES_VALUE: ConfigKey<String> = ConfigKey::optional("refuses.of.values", "The same, in files of values alone.");

impl Plugin for Offset {
    const NAME: &'static str = "Offset";
    const DOCUMENTATION: &'static str = "the record's log and offset";

    fn config_def() -> ConfigDef {
        ConfigDef::new("offset", &[&REFUSES, &REFUSES_VALUE])
    }

    fn configure(config: &Config) -> Result<Self> {
        let offset = |key: &str| config.text(key).and_then(|offset| offset.parse().ok());
        Ok(Self { refuses: offset("refuses"), refuses_value: offset("refuses.of.values") })
    }
}

impl Format for Offset {
    fn extension(&self) -> &'static str {
        ".txt"
    }

    fn allows_stream_compression(&self) -> bool {
        true
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        let refuses = self.refuses.or(self.refuses_value.filter(|_| view == RecordView::Value));
        Ok(Box::new(Self { refuses, ..*self }))
    }
}

impl RecordWriter for Offset {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        if self.refuses == Some(record.offset()) {
            return Err(Error::data("it is refused"));
        }
        let mut blanks = bytes_of(&record.value).ok_or_else(|| Error::data("not a size"))?;
        let log = log_of(record);
        out.extend_from_slice(format!("{log}:{}", record.offset()).as_bytes());
        // Copied, not filled: without optimisation that takes a hundredth of the time.
        while blanks > 0 {
            let some = blanks.min(BLANKS.len());
            out.extend_from_slice(&BLANKS[..some]);
            blanks -= some;
        }
        out.push(b'\n');
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// By the offset's remainder, and by the wall clock: several files are open at once.
pub(super) struct Digit {
    digits: u64,
    by_clock: bool,
}

static DIGITS: ConfigKey<String> = ConfigKey::with_default("digits", "1", "How many directories.");
static BY_CLOCK: ConfigKey<String> = ConfigKey::optional("by.clock", "Whether the clock has directories, too.");

/// How long a bucket of the clock is.
const BUCKET: i64 = 700;

impl Plugin for Digit {
    const NAME: &'static str = "Digit";
    const DOCUMENTATION: &'static str = "the offset's remainder";

    fn config_def() -> ConfigDef {
        ConfigDef { keys: vec![&DIGITS, &BY_CLOCK], ..ConfigDef::default() }
    }

    fn configure(config: &Config) -> Result<Self> {
        let digits = config.text("digits").and_then(|digits| digits.parse().ok()).unwrap_or(1);
        Ok(Self { digits, by_clock: config.text("by.clock").is_some() })
    }
}

impl Partitioner for Digit {
    fn partitioned_by(&self) -> PartitionedBy {
        match self {
            Self { by_clock: true, .. } => PartitionedBy::RecordAndTime,
            Self { digits: 1, .. } => PartitionedBy::TopicPartition,
            _ => PartitionedBy::Record,
        }
    }

    fn bucket(&self, time: i64) -> Range<i64> {
        let first = time / BUCKET * BUCKET;
        first..first + BUCKET
    }

    fn encode_partition(&self, record: &SinkRecord, now: i64, encoded: &mut String) -> Result<()> {
        *encoded = format!("digit={}", record.offset().unsigned_abs() % self.digits);
        if self.by_clock {
            *encoded = format!("{encoded}/bucket={now}");
        }
        Ok(())
    }
}
