//! Into which directories the records of a row go.

use std::fmt;

use crate::{
    Result,
    typed::{Encoding, Output},
};

/// 2024-01-01T00:00:00Z.
const BEGAN: u64 = 1_704_067_200_000;
const HOUR: u64 = 3_600_000;

/// `flush.size` of layouts with several directories.
pub(crate) const FLUSH_SIZE: u64 = 10_000;

/// Records of a partition that follow each other in one hour, where hours come in order.
const HOUR_OF_RECORDS: u64 = 10_000;

const BY_HOUR: &str = "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\n\
                       path.format='day'=YYYY-MM-dd/'hour'=HH\npartition.duration.ms=3600000\nlocale=en\ntimezone=UTC\n\
                       timestamp.extractor=RecordField\ntimestamp.field=ts";
const BY_FIELD: &str = "partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=kind";
const PLAIN: &str = "value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n\
                     format.class=io.confluent.connect.s3.format.json.JsonFormat";
/// A chain as people have it. The topic must stay: the sink takes no other.
const TRANSFORMS: &str = "transforms=insert,replace,time,route\n\
                          transforms.insert.type=org.apache.kafka.connect.transforms.InsertField$Value\n\
                          transforms.insert.topic.field=_topic\ntransforms.insert.partition.field=_partition\n\
                          transforms.insert.offset.field=_offset\ntransforms.insert.timestamp.field=_timestamp\n\
                          transforms.replace.type=org.apache.kafka.connect.transforms.ReplaceField$Value\n\
                          transforms.replace.exclude=kind\ntransforms.replace.renames=title:name\n\
                          transforms.time.type=org.apache.kafka.connect.transforms.TimestampConverter$Value\n\
                          transforms.time.field=ts\ntransforms.time.target.type=string\n\
                          transforms.time.format=yyyy-MM-dd HH:mm:ss.SSS\n\
                          transforms.route.type=org.apache.kafka.connect.transforms.RegexRouter\n\
                          transforms.route.regex=(.*)\ntransforms.route.replacement=$1";
const BY_PARTITION: &str = "partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner";

/// A partitioner, and in what order its directories come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One directory a partition.
    Partition,
    /// By the hour of a field, one after the other.
    HoursInOrder,
    /// By the hour of a field, 24 of them at the same time.
    HoursShuffled,
    /// Records with ten hours and ten kinds in turns: by neither, by the one and by the other.
    TenTogether,
    TenHours,
    TenKinds,
    /// One directory a partition, of records with schemas.
    Typed(Encoding, Output),
    /// One directory a partition, of the records of [`Layout::HoursInOrder`]: as they are, and changed by a chain of transforms.
    Untransformed,
    Transformed,
}

impl Layout {
    /// All but the plain one.
    pub(crate) const OTHERS: [Self; 13] = [
        Self::HoursInOrder,
        Self::HoursShuffled,
        Self::TenTogether,
        Self::TenHours,
        Self::TenKinds,
        Self::Typed(Encoding::Envelope, Output::Json),
        Self::Typed(Encoding::Envelope, Output::Avro),
        Self::Typed(Encoding::Envelope, Output::Parquet),
        Self::Typed(Encoding::Avro, Output::Json),
        Self::Typed(Encoding::Avro, Output::Avro),
        Self::Typed(Encoding::Avro, Output::Parquet),
        Self::Untransformed,
        Self::Transformed,
    ];

    /// What tells its records from others.
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::Partition => "",
            Self::HoursInOrder | Self::Untransformed | Self::Transformed => "-in-order",
            Self::HoursShuffled => "-shuffled",
            Self::TenTogether | Self::TenHours | Self::TenKinds => "-ten",
            Self::Typed(Encoding::Envelope, _) => "-envelope",
            Self::Typed(Encoding::Avro, _) => "-avro",
        }
    }

    /// Files that are open at the same time, of one partition.
    pub(crate) fn open_files(self) -> u64 {
        match self {
            Self::Partition
            | Self::HoursInOrder
            | Self::TenTogether
            | Self::Typed(..)
            | Self::Untransformed
            | Self::Transformed => 1,
            Self::HoursShuffled => 24,
            Self::TenHours | Self::TenKinds => 10,
        }
    }

    /// Ten directories and one get as many objects of the same size, and none is so large that its file would go to disk meanwhile: the difference is what a
    /// directory for each record costs.
    pub(crate) fn flush_size(self) -> u64 {
        match self {
            Self::TenTogether => FLUSH_SIZE / 50,
            Self::TenHours | Self::TenKinds => FLUSH_SIZE / 5,
            _ => FLUSH_SIZE,
        }
    }

    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Partition | Self::TenTogether | Self::Typed(..) | Self::Untransformed | Self::Transformed => BY_PARTITION,
            Self::HoursInOrder | Self::HoursShuffled | Self::TenHours => BY_HOUR,
            Self::TenKinds => BY_FIELD,
        }
    }

    /// How records are read, and what files are made of them.
    pub(crate) fn conversion(self) -> Result<String> {
        match self {
            Self::Typed(encoding, output) => Ok(format!("{}\n{}", encoding.settings()?, output.settings())),
            Self::Transformed => Ok(format!("{PLAIN}\n{TRANSFORMS}")),
            _ => Ok(PLAIN.to_owned()),
        }
    }

    /// What the record with this number within its partition begins with; the same number of bytes for each, and nothing for the plain one.
    pub(crate) fn fields(self, number: u64) -> String {
        let hour = match self {
            Self::Partition | Self::Typed(..) => return String::new(),
            Self::HoursInOrder | Self::Untransformed | Self::Transformed => number / HOUR_OF_RECORDS,
            Self::HoursShuffled => number * 7_919 % 24,
            Self::TenTogether | Self::TenHours | Self::TenKinds => number % 10,
        };
        // Within the hour.
        let ts = BEGAN + hour * HOUR + number % HOUR_OF_RECORDS;
        format!("\"ts\":{ts},\"kind\":\"k{}\",", number % 10)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partition => "",
            Self::HoursInOrder => ", by hour in order",
            Self::HoursShuffled => ", by hour, 24 in turns",
            Self::TenTogether => ", ten in turns: by partition",
            Self::TenHours => ", ten in turns: by hour",
            Self::TenKinds => ", ten in turns: by field",
            Self::Typed(Encoding::Envelope, Output::Json) => ", JSON with schemas to JSON",
            Self::Typed(Encoding::Envelope, Output::Avro) => ", JSON with schemas to Avro",
            Self::Typed(Encoding::Envelope, Output::Parquet) => ", JSON with schemas to Parquet",
            Self::Typed(Encoding::Avro, Output::Json) => ", Avro to JSON",
            Self::Typed(Encoding::Avro, Output::Avro) => ", Avro to Avro",
            Self::Typed(Encoding::Avro, Output::Parquet) => ", Avro to Parquet",
            Self::Untransformed => ", with fields: as they are",
            Self::Transformed => ", with fields: transformed",
        })
    }
}
