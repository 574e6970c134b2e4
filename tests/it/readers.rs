//! DuckDB, Arrow, Polars and Spark read the layouts, with the partition columns as they were written.
//!
//! Told where `CONNECT_TEST_READERS` names a Python that has them: `scripts/readers.sh` makes one and runs this.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cluster::{Cluster, Record, wait_until};
use crate::files::worker;
use crate::process::{Connect, scratch};

const READERS: [&str; 4] = ["duckdb", "arrow", "polars", "spark"];
const RECORDS: i64 = 240;
const HOUR: i64 = 3_600_000;
/// 2024-02-28T22:00:00Z: some hours before a leap day.
const BEGAN: i64 = 1_709_157_600_000;

/// The text of each column, or null; how many records, and the sum of their numbers.
type Rows = BTreeMap<Vec<Option<String>>, (i64, i64)>;

struct Layout {
    settings: &'static str,
    columns: &'static [&'static str],
    /// The columns of the record with this number.
    of: fn(i64) -> Vec<Option<String>>,
}

/// What is in the field `country`: text that a directory cannot hold as it is, and nothing.
fn country(n: i64) -> Option<&'static str> {
    [Some("DE"), Some("a/b 50%"), None, Some("07"), Some("日本=?"), Some("..")][usize::try_from(n % 6).expect("small")]
}

fn time(n: i64) -> i64 {
    BEGAN + n / 10 * HOUR
}

fn day_and_hour(n: i64) -> (String, String) {
    let at = jiff::Timestamp::from_millisecond(time(n)).expect("a time").strftime("%Y-%m-%d %H").to_string();
    let (day, hour) = at.split_once(' ').expect("both");
    (day.to_owned(), hour.to_owned())
}

const TIME: &str = "partition.duration.ms=3600000\nlocale=en\ntimezone=UTC\ntimestamp.extractor=RecordField\ntimestamp.field=t";

const LAYOUTS: [Layout; 4] = [
    Layout {
        settings: "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\npath.format='day'=YYYY-MM-dd/'hour'=HH",
        columns: &["day", "hour"],
        of: |n| {
            let (day, hour) = day_and_hour(n);
            vec![Some(day), Some(hour)]
        },
    },
    Layout {
        settings: "partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=kind,odd",
        columns: &["kind", "odd"],
        of: |n| vec![Some(format!("k{}", n % 4)), Some((n % 2 == 1).to_string())],
    },
    Layout {
        settings: "partitioner.class=com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner\npartition.field.name=kind\npath.format='day'=YYYY-MM-dd",
        columns: &["kind", "day"],
        of: |n| vec![Some(format!("k{}", n % 4)), Some(day_and_hour(n).0)],
    },
    Layout {
        settings: "partitioner.class=TemplatePartitioner\npartition.template=country={field.country}/{time:'day'=yyyy-MM-dd}/part={partition}",
        columns: &["country", "day", "part"],
        of: |n| vec![country(n).map(str::to_owned), Some(day_and_hour(n).0), Some((n % 2).to_string())],
    },
];

fn records(topic: &str) -> Vec<Record> {
    let record = |n: i64| {
        let value = serde_json::json!({
            "n": n, "t": time(n), "country": country(n), "kind": format!("k{}", n % 4), "odd": (n % 2 == 1).to_string(),
        });
        let partition = i32::try_from(n % 2).expect("small");
        Record { topic: topic.to_owned(), partition, value: Some(value.to_string().into_bytes()), ..Record::default() }
    };
    (0..RECORDS).map(record).collect()
}

fn expected(layout: &Layout) -> Rows {
    let mut rows = Rows::new();
    for n in 0..RECORDS {
        let (count, sum) = rows.entry((layout.of)(n)).or_default();
        (*count, *sum) = (*count + 1, *sum + n);
    }
    rows
}

fn read(python: &str, reader: &str, directory: &Path, columns: &[&str]) -> Rows {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/read.py");
    let output = Command::new(python).arg(script).arg(reader).arg(directory).args(columns).output().expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_default();
    let parsed: Result<Vec<Vec<Option<String>>>, _> = serde_json::from_str(last);
    let rows = parsed.unwrap_or_else(|_| panic!("{reader}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok()).expect("a number");
    rows.into_iter()
        .map(|mut row| {
            let (sum, count) = (number(&row.pop().expect("a sum")), number(&row.pop().expect("a count")));
            (row, (count, sum))
        })
        .collect()
}

#[test]
fn readers_of_hive_layouts_find_the_columns_as_they_were_written() {
    let Ok(python) = std::env::var("CONNECT_TEST_READERS") else {
        crate::say("skipped: readers: CONNECT_TEST_READERS is not set, see scripts/readers.sh");
        return;
    };
    let Some(cluster) = Cluster::from_environment("readers") else { return };
    let topic = format!("readers-{}", std::process::id());
    cluster.create_topic(&topic, 2, &[]);
    cluster.produce(&records(&topic));
    let partitions = [(topic.clone(), 0), (topic.clone(), 1)];
    for (index, layout) in LAYOUTS.iter().enumerate() {
        let (name, directory) = (format!("{topic}-{index}"), scratch(&format!("readers-store-{index}")));
        let file = format!(
            "name={name}\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics={topic}\nflush.size=50\nrotate.idle.ms=500\n\
             format.class=io.confluent.connect.s3.format.json.JsonFormat\nstorage.class=local\ns3.bucket.name=b\nstore.url=file://{}\n{}\n{TIME}\n",
            directory.display(),
            layout.settings
        );
        let mut process = Connect::start(&scratch(&name), &worker(&cluster), &file);
        wait_until("all is committed", Duration::from_secs(60), || {
            cluster.committed(&format!("connect-{name}"), &partitions).values().sum::<i64>() == RECORDS
        });
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        for reader in READERS {
            let found = read(&python, reader, &directory.join("topics").join(&topic), layout.columns);
            assert_eq!(found, expected(layout), "{reader} with {}", layout.settings);
            crate::say(&format!("{reader} reads {}", layout.columns.join(", ")));
        }
    }
}
