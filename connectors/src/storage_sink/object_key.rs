//! The name of an object (`spec` of the layout: Confluent's S3 sink).

use connect_api::{RecordView, TopicPartition};

/// The settings that names are made of.
#[derive(Clone, Debug)]
pub(super) struct ObjectKeys {
    pub(super) topics_dir: String,
    pub(super) directory_delimiter: String,
    pub(super) file_delimiter: String,
    pub(super) zero_pad_width: usize,
}

/// Where objects of one topic-partition lie: all names begin with `directory`, and in each of them `name` stands right before the
/// first offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: String,
    pub(super) name: String,
    /// Nothing stands between the two: the encoded partition is part of the directory. Otherwise any encoded partition may.
    pub(super) is_exact: bool,
    /// How offsets are padded there.
    pub(super) zero_pad_width: usize,
}

impl Place {
    /// The first offset in an object's name; `None` where the name is not one of this place.
    pub(super) fn first_offset(&self, key: &str) -> Option<i64> {
        let rest = key.strip_prefix(&self.directory)?;
        let digits = &rest[rest.rfind(&self.name)? + self.name.len()..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok()
    }

    /// The name without the offset: the same for all objects of one directory, one view and one format.
    pub(super) fn slot(&self, key: &str) -> Option<String> {
        let rest = key.strip_prefix(&self.directory)?;
        let before = key.len() - rest.len() + rest.rfind(&self.name)? + self.name.len();
        let digits = key[before..].find(|c: char| !c.is_ascii_digit()).unwrap_or(key.len() - before);
        (digits > 0).then(|| format!("{}{}", &key[..before], &key[before + digits..]))
    }

    /// What every name of this place begins with.
    pub(super) fn prefix(&self) -> String {
        if self.is_exact { format!("{}{}", self.directory, self.name) } else { self.directory.clone() }
    }

    /// A name after which, in byte order, all names come whose first offset is at least `offset`; `None` where the order of names is not
    /// that of offsets.
    pub(super) fn just_before(&self, offset: i64) -> Option<String> {
        let width = self.zero_pad_width;
        let sorted = self.is_exact && offset > 0 && offset.checked_ilog10().is_some_and(|digits| (digits as usize) + 1 < width);
        sorted.then(|| format!("{}{:0width$}", self.prefix(), offset - 1))
    }
}

impl ObjectKeys {
    /// `topics/orders/partition=3/orders+3+`: everything before the first offset. Made once per open file.
    pub(super) fn before_offset(&self, topic_partition: &TopicPartition, encoded_partition: &str) -> String {
        self.place(topic_partition, Some(encoded_partition)).prefix()
    }

    /// The place of a partition's objects: one directory where the encoded partition is known, else all of the topic's.
    pub(super) fn place(&self, topic_partition: &TopicPartition, encoded_partition: Option<&str>) -> Place {
        let Self { directory_delimiter, file_delimiter, .. } = self;
        let TopicPartition { topic, partition } = topic_partition;
        let mut directory = self.directory_of_topic(topic);
        if let Some(encoded_partition) = encoded_partition {
            directory.push_str(encoded_partition);
            directory.push_str(directory_delimiter);
        }
        let name = format!("{topic}{file_delimiter}{partition}{file_delimiter}");
        Place { directory, name, is_exact: encoded_partition.is_some(), zero_pad_width: self.zero_pad_width }
    }

    /// What the names of all objects of a topic begin with, the delimiter included.
    pub(super) fn directory_of_topic(&self, topic: &str) -> String {
        let Self { topics_dir, directory_delimiter, .. } = self;
        let topics_dir = Some(topics_dir.as_str()).filter(|dir| !dir.trim().is_empty());
        topics_dir.into_iter().chain([topic]).flat_map(|part| [part, directory_delimiter]).collect()
    }

    /// The whole name.
    pub(super) fn key(&self, before_offset: &str, first_offset: i64, view: RecordView, extension: &str) -> String {
        let width = self.zero_pad_width;
        format!("{before_offset}{first_offset:0width$}{}{extension}", view.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(topics_dir: &str, directory_delimiter: &str, file_delimiter: &str, zero_pad_width: usize) -> ObjectKeys {
        let [topics_dir, directory_delimiter, file_delimiter] =
            [topics_dir, directory_delimiter, file_delimiter].map(str::to_owned);
        ObjectKeys { topics_dir, directory_delimiter, file_delimiter, zero_pad_width }
    }

    fn key(keys: &ObjectKeys, topic: &str, partition: i32, offset: i64, view: RecordView) -> String {
        let topic_partition = TopicPartition::new(topic, partition);
        let before = keys.before_offset(&topic_partition, &format!("partition={partition}"));
        keys.key(&before, offset, view, ".json")
    }

    #[test]
    fn names_are_those_of_the_worked_examples() {
        let default = keys("topics", "/", "+", 10);
        assert_eq!(key(&default, "orders", 0, 0, RecordView::Value), "topics/orders/partition=0/orders+0+0000000000.json");
        assert_eq!(key(&default, "t", 0, 7, RecordView::Key), "topics/t/partition=0/t+0+0000000007.keys.json");
        assert_eq!(key(&default, "t", 0, 7, RecordView::Headers), "topics/t/partition=0/t+0+0000000007.headers.json");
        assert_eq!(key(&keys("", "/", "+", 2), "orders", 0, 12345, RecordView::Value), "orders/partition=0/orders+0+12345.json");
        assert_eq!(key(&keys("a/", "/", "+", 2), "t", 1, 3, RecordView::Value), "a//t/partition=1/t+1+03.json");
        let dotted = keys("this.is.json.dir", "/", "+", 10);
        let expected = "this.is.json.dir/other.json.topic.json/partition=0/other.json.topic.json+0+0000000003.json";
        assert_eq!(key(&dotted, "other.json.topic.json", 0, 3, RecordView::Value), expected);
        let parquet = keys("a.snappy.parquet", "/", "+", 10);
        let before = parquet.before_offset(&TopicPartition::new("t.parquet", 0), "partition=0");
        assert_eq!(
            parquet.key(&before, 3, RecordView::Headers, ".snappy.parquet"),
            "a.snappy.parquet/t.parquet/partition=0/t.parquet+0+0000000003.headers.snappy.parquet"
        );
        let odd = keys("topics", "_", "#", 10);
        assert_eq!(
            key(&odd, "test-topic", 12, 0, RecordView::Value),
            "topics_test-topic_partition=12_test-topic#12#0000000000.json"
        );
    }

    #[test]
    fn a_place_finds_the_first_offset_in_its_own_names_only() {
        let place = keys("topics", "/", "+", 10).place(&TopicPartition::new("orders", 3), None);
        assert_eq!(place.first_offset("topics/orders/partition=3/orders+3+0000000042.json.gz"), Some(42));
        assert_eq!(place.first_offset("topics/orders/partition=3/orders+3+0000000042.keys.json"), Some(42));
        assert_eq!(place.first_offset("topics/orders/partition=30/orders+30+0000000042.json"), None);
        assert_eq!(place.first_offset("topics/other/partition=3/orders+3+0000000042.json"), None);
    }

    #[test]
    fn an_object_beside_the_files_of_a_topic_is_none_of_them() {
        let keys = keys("topics", "/", "+", 10);
        let beside = format!("{}_schema.avsc", keys.directory_of_topic("orders"));
        assert_eq!(beside, "topics/orders/_schema.avsc");
        let place = keys.place(&TopicPartition::new("orders", 3), None);
        assert!(beside.starts_with(&place.directory) && place.first_offset(&beside).is_none() && place.slot(&beside).is_none());
    }

    #[test]
    fn a_slot_is_the_name_without_its_offset() {
        let place = keys("topics", "/", "+", 10).place(&TopicPartition::new("orders", 3), None);
        let slot = |key| place.slot(key);
        let expected = Some("topics/orders/d=1/orders+3+.keys.json.gz".to_owned());
        assert_eq!(slot("topics/orders/d=1/orders+3+0000000042.keys.json.gz"), expected);
        assert_eq!(slot("topics/orders/d=1/orders+30+0000000042.json"), None);
        assert_eq!(slot("topics/orders/d=1/orders+3+x.json"), None);
    }

    #[test]
    fn names_are_skipped_in_a_listing_only_where_their_order_is_that_of_offsets() {
        let place = |width| keys("topics", "/", "+", width).place(&TopicPartition::new("t", 0), Some("partition=0"));
        assert_eq!(place(10).just_before(42).as_deref(), Some("topics/t/partition=0/t+0+0000000041"));
        assert_eq!(place(10).just_before(0), None);
        assert_eq!(place(2).just_before(42), None);
    }
}
