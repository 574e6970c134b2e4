//! Other programs read Avro and Parquet files with the values that were written.
//!
//! Told where `CONNECT_TEST_READERS` names a Python that has them: `scripts/readers.sh` makes one and runs this.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::{Cluster, Record, wait_until};
use crate::files::worker;
use crate::process::{Connect, scratch};

/// A field, its schema, and its values in three records: as they are in the message, and as readers have them.
struct Column {
    name: &'static str,
    schema: Value,
    written: [Value; 3],
    read: [Value; 3],
}

fn column(name: &'static str, schema: Value, written: [Value; 3]) -> Column {
    Column { name, schema, read: written.clone(), written }
}

fn of(kind: &str) -> Value {
    json!({ "type": kind, "optional": false })
}

fn logical(kind: &str, name: &str) -> Value {
    json!({ "type": kind, "optional": false, "version": 1, "name": format!("org.apache.kafka.connect.data.{name}") })
}

fn columns() -> Vec<Column> {
    let optional = |kind: &str| json!({ "type": kind, "optional": true });
    let array = |items: Value| json!({ "type": "array", "optional": false, "items": items });
    let map = |values: Value| json!({ "type": "map", "optional": false, "keys": of("string"), "values": values });
    let point = json!({ "type": "struct", "optional": false, "name": "n.Point", "fields": [
        { "field": "x", "type": "int32", "optional": false }, { "field": "label", "type": "string", "optional": true },
    ] });
    let mut decimal = logical("bytes", "Decimal");
    decimal["parameters"] = json!({ "scale": "2", "connect.decimal.precision": "10" });
    vec![
        column("n", of("int64"), [json!(0), json!(1), json!(2)]),
        column("i8", of("int8"), [json!(-128), json!(127), json!(0)]),
        column("i32", of("int32"), [json!(i32::MIN), json!(i32::MAX), json!(0)]),
        column("i64", of("int64"), [json!(i64::MIN), json!(i64::MAX), json!(0)]),
        column("f32", of("float"), [json!(1.5), json!(-0.25), json!(0.0)]),
        column("f64", of("double"), [json!(1e300), json!(-5e-324), json!(0.1)]),
        column("b", of("boolean"), [json!(true), json!(false), json!(true)]),
        column("s", of("string"), [json!("é😀/\" \n"), json!(""), json!("日本")]),
        column("os", optional("string"), [json!(null), json!("x"), json!("")]),
        Column {
            read: [json!("000102ff"), json!(""), json!("61")],
            ..column("by", of("bytes"), [json!("AAEC/w=="), json!(""), json!("YQ==")])
        },
        Column {
            read: [json!("-1.23"), json!("0.00"), json!("12345678.90")],
            ..column("dec", decimal, [json!("hQ=="), json!("AA=="), json!("SZYC0g==")])
        },
        Column {
            read: [json!("1969-12-31"), json!("1970-01-01"), json!("2026-11-30")],
            ..column("day", logical("int32", "Date"), [json!(-1), json!(0), json!(20_787)])
        },
        column("tm", logical("int32", "Time"), [json!(0), json!(86_399_999), json!(1)]),
        column("ts", logical("int64", "Timestamp"), [json!(-1), json!(0), json!(1_709_157_600_123_i64)]),
        column(
            "p",
            point.clone(),
            [json!({ "x": 1, "label": null }), json!({ "x": 2, "label": "l" }), json!({ "x": 3, "label": "" })],
        ),
        column("l", array(of("int32")), [json!([1, 2]), json!([]), json!([3])]),
        column("ll", array(array(of("string"))), [json!([["a"], []]), json!([]), json!([["b", "c"]])]),
        column("lp", array(point), [json!([{ "x": 1, "label": "a" }]), json!([]), json!([{ "x": 2, "label": null }])]),
        column("m", map(of("int32")), [json!({ "a": 1, "b": 2 }), json!({}), json!({ "ü": 3 })]),
        column("ln", array(optional("int32")), [json!([null, 1, null]), json!([]), json!([2])]),
    ]
}

/// The three records of these columns.
fn values(columns: &[&Column], of: impl Fn(&Column) -> &[Value; 3]) -> Vec<Value> {
    (0..3)
        .map(|n| {
            columns.iter().map(|column| (column.name.to_owned(), of(column)[n].clone())).collect::<serde_json::Map<_, _>>().into()
        })
        .collect()
}

fn rows(python: &str, reader: &str, directory: &Path, columns: &[&Column]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/rows.py");
    let names = columns.iter().map(|column| column.name);
    let output = Command::new(python).arg(script).arg(reader).arg(directory).args(names).output().expect("Python runs");
    assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// What files have: readers differ in what they can have of it, whoever wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// No list can hold null, so that lists have two levels in Parquet files. Polars takes a map beside such a list for one.
    TwoLevels,
    /// One can, so that they have three.
    ThreeLevels,
    /// A time of the day in milliseconds, for which Spark has no type.
    Times,
}

impl Variant {
    fn has(self, column: &Column) -> bool {
        match (self, column.name) {
            (_, "n") => true,
            (Self::Times, name) => name == "tm",
            (_, "tm") | (Self::TwoLevels, "ln") => false,
            _ => true,
        }
    }

    fn is_read(self, reader: &str, column: &Column) -> bool {
        (self, reader, column.name) != (Self::TwoLevels, "polars", "m")
    }
}

#[test]
fn readers_find_the_values_of_avro_and_parquet_files() {
    let Ok(python) = std::env::var("CONNECT_TEST_READERS") else {
        crate::say("skipped: typed readers: CONNECT_TEST_READERS is not set, see scripts/readers.sh");
        return;
    };
    let Some(cluster) = Cluster::from_environment("typed readers") else { return };
    for variant in [Variant::TwoLevels, Variant::ThreeLevels, Variant::Times] {
        let columns: Vec<_> = columns().into_iter().filter(|column| variant.has(column)).collect();
        let topic = format!("typed-readers-{variant:?}-{}", std::process::id());
        cluster.create_topic(&topic, 1, &[]);
        let fields: Vec<_> = columns
            .iter()
            .map(|column| {
                let mut field = column.schema.clone();
                field["field"] = json!(column.name);
                field
            })
            .collect();
        let schema = json!({ "type": "struct", "optional": false, "name": "n.Row", "fields": fields });
        let record = |payload: Value| Record {
            topic: topic.clone(),
            value: Some(json!({ "schema": schema, "payload": payload }).to_string().into_bytes()),
            ..Record::default()
        };
        cluster.produce(
            &values(&columns.iter().collect::<Vec<_>>(), |column| &column.written).into_iter().map(record).collect::<Vec<_>>(),
        );
        for (format, readers) in
            [("avro.AvroFormat", &["fastavro"][..]), ("parquet.ParquetFormat", &["arrow", "duckdb", "polars", "spark"])]
        {
            let name = format!("{topic}-{}", readers[0]);
            let directory = scratch(&format!("{name}-store"));
            let file = format!(
                "name={name}\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics={topic}\nflush.size=3\n\
                 format.class=io.confluent.connect.s3.format.{format}\nstorage.class=local\ns3.bucket.name=b\nstore.url=file://{}\n\
                 value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=true\n",
                directory.display()
            );
            let mut process = Connect::start(&scratch(&name), &worker(&cluster), &file);
            wait_until("all is committed", Duration::from_secs(60), || {
                cluster.committed(&format!("connect-{name}"), &[(topic.clone(), 0)]).values().sum::<i64>() == 3
            });
            assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
            for reader in readers.iter().filter(|reader| variant != Variant::Times || **reader != "spark") {
                let read: Vec<_> = columns.iter().filter(|column| variant.is_read(reader, column)).collect();
                assert_eq!(rows(&python, reader, &directory, &read), values(&read, |column| &column.read), "{reader}");
                crate::say(&format!("{reader} reads {} columns of {format}, {variant:?}", read.len()));
            }
        }
    }
}
