//! What an object says of itself, and what follows when a name is taken.

use connect_api::{ObjectMetadata, TopicPartition};

use super::open_file::Range;

const HISTORY: &str = "connect-history";
const TOPIC: &str = "connect-topic";
const PARTITION: &str = "connect-partition";
const FIRST: &str = "connect-first-offset";
const LAST: &str = "connect-last-offset";
const RECORDS: &str = "connect-records";
const GROUP: &str = "connect-group-first-offset";
const CUT: &str = "connect-cut-offset";
const FILES: &str = "connect-group-files";
const OWNER: &str = "connect-owner";
const TOPIC_ID: &str = "connect-topic-id";
const LAYOUT: &str = "connect-layout";
const SCHEMA: &str = "connect-schema";

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provenance {
    pub(super) history: String,
    /// The connector that wrote it; objects of earlier releases do not say.
    pub(super) owner: Option<u64>,
    /// What tells the topic from earlier ones of its name (KIP-516); brokers before 2.8 and earlier releases do not say.
    pub(super) topic_id: Option<String>,
    pub(super) topic_partition: TopicPartition,
    /// Under which settings records went to this file and no other one; `None` where their partition alone decided.
    pub(super) layout: Option<u64>,
    /// The fingerprint of the schema of its records, where each schema has a file of its own. It tells files of one group in one directory apart.
    pub(super) schema: Option<u64>,
    pub(super) first_offset: i64,
    /// The first offset of the first file of the group that is closed together.
    pub(super) group_first: i64,
    /// Where its file ended; not known yet when the first part of a large object is sent. The cut of such an object is in the journal before it is
    /// completed.
    pub(super) cut: Option<Cut>,
    /// How many files the group has that are closed together, as soon as that is known.
    pub(super) files: Option<usize>,
}

/// The group of files that were closed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The last record of this file and their number.
    pub(super) range: Range,
    /// The next offset after the group's last record.
    pub(super) end: i64,
}

/// Whose object has a name that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The same records: written before a crash.
    Ours,
    /// The same history cut it elsewhere.
    OursCutOtherwise,
    /// Another history, another program, or other settings that sorted the same records into other files.
    Foreign,
}

impl Provenance {
    /// As it is kept with the object.
    pub(super) fn metadata(&self) -> ObjectMetadata {
        let TopicPartition { topic, partition } = &self.topic_partition;
        let mut metadata = ObjectMetadata::new();
        let mut set = |name: &'static str, value: String| metadata.insert(name.into(), value);
        set(HISTORY, self.history.clone());
        if let Some(owner) = self.owner {
            set(OWNER, format!("{owner:x}"));
        }
        if let Some(topic_id) = &self.topic_id {
            set(TOPIC_ID, topic_id.clone());
        }
        set(TOPIC, topic.to_string());
        set(PARTITION, partition.to_string());
        if let Some(layout) = self.layout {
            set(LAYOUT, format!("{layout:x}"));
        }
        if let Some(schema) = self.schema {
            set(SCHEMA, format!("{schema:x}"));
        }
        set(FIRST, self.first_offset.to_string());
        if let Some(files) = self.files {
            set(FILES, files.to_string());
        }
        set(GROUP, self.group_first.to_string());
        if let Some(Cut { range, end }) = self.cut {
            set(LAST, range.last_offset.to_string());
            set(RECORDS, range.records.to_string());
            set(CUT, end.to_string());
        }
        metadata
    }

    /// What an object says of itself; `None` where another program wrote it.
    pub(super) fn read(metadata: &ObjectMetadata) -> Option<Self> {
        let number = |name: &str| metadata.get(name)?.parse::<i64>().ok();
        let first_offset = number(FIRST)?;
        let cut = || {
            let last_offset = number(LAST)?;
            let records = u64::try_from(number(RECORDS)?).ok()?;
            let range = Range { first_offset, last_offset, records };
            Some(Cut { range, end: number(CUT)? })
        };
        let topic_partition = TopicPartition::new(metadata.get(TOPIC)?.as_str(), i32::try_from(number(PARTITION)?).ok()?);
        let files = number(FILES).and_then(|files| usize::try_from(files).ok());
        let group_first = number(GROUP).unwrap_or(first_offset);
        let hash = |name: &str| u64::from_str_radix(metadata.get(name)?, 16).ok();
        let (owner, layout, schema) = (hash(OWNER), hash(LAYOUT), hash(SCHEMA));
        let (history, topic_id) = (metadata.get(HISTORY)?.clone(), metadata.get(TOPIC_ID).cloned());
        let cut = cut();
        Some(Self { history, owner, topic_id, topic_partition, layout, schema, first_offset, group_first, cut, files })
    }

    /// Whose the object with this metadata is, to the one that wanted to write `self` under the same name. The same offsets are the same object, also
    /// where records in between are gone from the log since.
    pub(super) fn compare(&self, there: Option<&Self>) -> Claim {
        let Some(there) = there else { return Claim::Foreign };
        if there.history != self.history || there.topic_partition != self.topic_partition {
            return Claim::Foreign;
        }
        let same_cut = match (self.cut, there.cut) {
            (Some(ours), Some(theirs)) => ours.end == theirs.end && self.group_first == there.group_first,
            // The cut of an object in parts was in the journal before it was completed, and the journal was obeyed.
            _ => true,
        };
        if !same_cut || self.first_offset != there.first_offset {
            return Claim::OursCutOtherwise;
        }
        match there.files {
            _ if there.layout == self.layout => Claim::Ours,
            // Everything of the group is in it, whoever asks for a part of that.
            Some(1) if there.cut.is_some() => Claim::OursCutOtherwise,
            // Other settings had sorted the records: nobody knows which of them are in it.
            _ => Claim::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance(history: &str, end: i64) -> Provenance {
        let range = Range { first_offset: 3, last_offset: end - 1, records: 2 };
        let (cut, files) = (Some(Cut { range, end }), Some(1));
        let (topic_partition, owner, topic_id) = (TopicPartition::new("t", 1), Some(0x5e), Some("8Rv_o0aXTa6".to_owned()));
        Provenance {
            history: history.to_owned(),
            owner,
            topic_id,
            topic_partition,
            layout: None,
            schema: None,
            first_offset: 3,
            group_first: 3,
            cut,
            files,
        }
    }

    #[test]
    fn an_object_says_what_was_said_of_it() {
        let provenance = provenance("h", 6);
        assert_eq!(Provenance::read(&provenance.metadata()), Some(provenance.clone()));
        let of_schema = Provenance { schema: Some(0x5c), ..provenance };
        assert_eq!(Provenance::read(&of_schema.metadata()), Some(of_schema));
    }

    #[test]
    fn a_taken_name_is_judged_by_history_and_range() {
        let wanted = provenance("h", 6);
        let compare = |there: &Provenance| wanted.compare(Some(there));
        assert_eq!(compare(&provenance("h", 6)), Claim::Ours);
        assert_eq!(compare(&Provenance { cut: None, ..provenance("h", 9) }), Claim::Ours);
        assert_eq!(compare(&provenance("h", 9)), Claim::OursCutOtherwise);
        assert_eq!(compare(&provenance("other", 6)), Claim::Foreign);
        assert_eq!(wanted.compare(None), Claim::Foreign);
        assert_eq!(compare(&Provenance { topic_partition: TopicPartition::new("t", 2), ..provenance("h", 6) }), Claim::Foreign);
    }

    #[test]
    fn a_file_that_other_settings_have_filled_is_not_taken_for_the_one_that_is_wanted() {
        let of = |layout, files| Provenance { layout: Some(layout), files: Some(files), ..provenance("h", 6) };
        assert_eq!(Provenance::read(&of(1, 2).metadata()), Some(of(1, 2)));
        let wanted = of(1, 2);
        assert_eq!(wanted.compare(Some(&of(1, 2))), Claim::Ours);
        assert_eq!(wanted.compare(Some(&of(2, 2))), Claim::Foreign);
        assert_eq!(wanted.compare(Some(&of(2, 1))), Claim::OursCutOtherwise, "all of the group is in it");
        assert_eq!(wanted.compare(Some(&Provenance { cut: None, ..of(2, 1) })), Claim::Foreign);
    }

    #[test]
    fn records_that_are_gone_from_the_log_since_do_not_make_it_another_object() {
        let wanted = provenance("h", 6);
        let fewer = Cut { range: Range { first_offset: 3, last_offset: 3, records: 1 }, end: 6 };
        assert_eq!(wanted.compare(Some(&Provenance { cut: Some(fewer), ..wanted.clone() })), Claim::Ours);
    }
}
