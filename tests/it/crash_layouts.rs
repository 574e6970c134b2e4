//! `kill -9` at random moments where records go to several directories: every record is in one object, in the directory that it belongs to, in the order
//! of the log, and no object changed after it appeared.
//!
//! `CONNECT_TEST_LAYOUTS=all` has every layout with every trigger, with keys and headers and without, plain and compressed; else two of them at random.

use std::collections::BTreeMap;
use std::io::Read;

use crate::crash::{Random, Victim};
use crate::files::NO_HOLD;
use crate::numbered::assert_nothing_changed;
use crate::registry_server::RegistryServer;
use crate::typed::{self, Encoding, records};

/// The partitioner's settings, and the directory of the record with this number, where that is known.
type Layout = (&'static str, Option<fn(i64) -> String>);

const BY_FIELD: Layout =
    ("partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=f", Some(by_field));
const BY_RECORD_FIELD: Layout = (
    "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\npath.format='at'=HH-mm\n\
     partition.duration.ms=60000\nlocale=en\ntimezone=UTC\ntimestamp.extractor=RecordField\ntimestamp.field=t",
    Some(by_minute),
);
const BY_RECORD: Layout = (
    "partitioner.class=io.confluent.connect.storage.partitioner.HourlyPartitioner\nlocale=en\ntimezone=UTC\ntimestamp.extractor=Record",
    None,
);
const BY_CLOCK: Layout = (
    "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\npath.format='at'=HH-mm-ss\n\
     partition.duration.ms=1000\nlocale=en\ntimezone=UTC",
    None,
);

/// Runs of the same value, and changes.
fn by_field(n: i64) -> String {
    format!("f={}", (n / 5 + n * n / 11) % 7)
}

/// A record each eight seconds; every seventh is some minutes late.
fn milliseconds(n: i64) -> i64 {
    let late = if n % 7 == 4 { (n * 7_919) % 400_000 } else { 0 };
    (43_200_000 + n * 8_000 - late).max(0)
}

fn by_minute(n: i64) -> String {
    let minutes = milliseconds(n) / 60_000;
    format!("at={:02}-{:02}", minutes / 60 % 24, minutes % 60)
}

impl Victim {
    /// Its records will be written like this; the registry has their schemas.
    fn encoded(&mut self, encoding: Encoding) -> RegistryServer {
        let registry = RegistryServer::start();
        typed::register(&registry, &self.records.topic);
        self.records.encode_as(encoding);
        registry
    }

    fn write_scattered(&mut self, count: i64) {
        let fields = |n: i64| format!(r#"","t":{},"f":"{}"#, milliseconds(n), &by_field(n)[2..]);
        self.records.write_each(&self.cluster, count, fields);
    }

    fn survives(mut self, (partitioner, directory): Layout, triggers: &str) {
        let settings = format!("{partitioner}\n{triggers}");
        self.suffer_with(|_| settings.clone(), |victim| victim.write_scattered(60));
        // Without the clock the last records would wait for more.
        let last = if triggers.contains("schedule") || triggers.contains("idle") {
            settings
        } else {
            format!("{settings}\nflush.size=1\n{NO_HOLD}")
        };
        self.finish_with(&last, |victim| victim.assert_scattered(directory));
    }

    /// Every record once, each object's in order, and where they belong.
    fn assert_scattered(&self, directory: Option<fn(i64) -> String>) {
        let (mut found, mut wrong) = (BTreeMap::<(i64, i64), Vec<String>>::new(), Vec::new());
        let has_keys = self.records.has_keys();
        let objects = self.bucket.objects();
        let is_beside = |key: &str| key.contains(".keys.") || key.contains(".headers.");
        for (key, object) in objects.iter().filter(|(key, _)| !is_beside(key)) {
            let mut body = object.body.clone();
            if key.ends_with(".gz") {
                body.clear();
                flate2::read::MultiGzDecoder::new(&*object.body).read_to_end(&mut body).expect("gzip");
            }
            let name = [".json", ".avro", ".snappy.parquet", ".zstd.parquet"]
                .iter()
                .find_map(|ending| Some(key.split_once(ending)?.0))
                .expect("an ending");
            let gzip = if key.ends_with(".gz") { ".gz" } else { "" };
            if has_keys && !["keys", "headers"].iter().all(|view| objects.contains_key(&format!("{name}.{view}.json{gzip}"))) {
                wrong.push(format!("{key} has no keys or no headers beside it"));
            }
            let mut before = None;
            for value in records(key, &body) {
                let (partition, n) = (value["partition"].as_i64().expect("a number"), value["n"].as_i64().expect("a number"));
                let first = before.is_none().then(|| format!("+{partition}+{n:010}."));
                if before.is_some_and(|before| before >= n) || first.is_some_and(|first| !key.contains(&first)) {
                    wrong.push(format!("{key} holds {n} after {before:?}"));
                }
                if directory.is_some_and(|directory| !key.contains(&format!("/{}/", directory(n)))) {
                    wrong.push(format!("{key} holds {n}"));
                }
                before = Some(n);
                found.entry((partition, n)).or_default().push(key.clone());
            }
        }
        for (partition, written) in (0..).zip(&self.records.written) {
            for n in 0..*written {
                let objects = found.remove(&(partition, n)).unwrap_or_default();
                if objects.len() != 1 {
                    wrong.push(format!("{partition}: {n} is in {objects:?}"));
                }
            }
        }
        assert!(wrong.is_empty() && found.is_empty(), "{} are wrong: {:?}; {found:?}", wrong.len(), &wrong[..wrong.len().min(20)]);
        assert_nothing_changed(&self.bucket);
    }
}

#[test]
fn killed_at_random_moments_with_directories_by_field_every_record_is_there_once() {
    let Some(victim) = Victim::create("by-field") else { return };
    victim.survives(BY_FIELD, "flush.size=9");
}

#[test]
fn killed_at_random_moments_with_rotation_by_bytes_and_of_idle_files_every_record_is_there_once() {
    let Some(victim) = Victim::create("by-bytes") else { return };
    victim.survives(BY_FIELD, "flush.size=1000\nrotate.size.bytes=900\nrotate.idle.ms=700");
}

#[test]
fn killed_at_random_moments_with_late_records_and_rotation_by_their_time_every_record_is_there_once() {
    let Some(victim) = Victim::create("by-record-field") else { return };
    let triggers = "flush.size=50\nrotate.interval.ms=150000\nrotate.schedule.interval.ms=900\ns3.compression.type=gzip";
    victim.survives(BY_RECORD_FIELD, triggers);
}

#[test]
fn killed_at_random_moments_with_several_directories_open_every_record_is_there_once() {
    let Some(victim) = Victim::create("by-record") else { return };
    victim.survives(BY_RECORD, "flush.size=11\npartitioner.max.open.files=3\nrotate.file.on.partition.change=false");
}

#[test]
fn killed_at_random_moments_with_directories_by_the_wall_clock_every_record_is_there_once() {
    let Some(victim) = Victim::create("by-clock") else { return };
    victim.survives(BY_CLOCK, "flush.size=13\nrotate.schedule.interval.ms=1100\ns3.compression.type=gzip");
}

const BY_HOUR_OF_FIELD: Layout = (
    "partitioner.class=io.confluent.connect.storage.partitioner.HourlyPartitioner\nlocale=en\ntimezone=UTC\ntimestamp.extractor=RecordField\n\
     timestamp.field=t",
    None,
);

/// The last of them cuts nothing before it has to.
const TRIGGERS: [&str; 5] = [
    "flush.size=9",
    "flush.size=40\nrotate.interval.ms=150000",
    "flush.size=40\nrotate.schedule.interval.ms=900\ntimezone=UTC",
    "flush.size=1000\nrotate.idle.ms=700",
    "flush.size=1000\nrotate.size.bytes=900\nrotate.idle.ms=1500",
];

const KEYS_AND_HEADERS: &str = "store.kafka.keys=true\nstore.kafka.headers=true\n\
                                keys.format.class=io.confluent.connect.s3.format.json.JsonFormat\n\
                                headers.format.class=io.confluent.connect.s3.format.json.JsonFormat\n\
                                header.converter=org.apache.kafka.connect.storage.StringConverter";

/// How records are written, and what files are made of them.
const FORMS: [(Encoding, &str); 8] = [
    (Encoding::Plain, "s3.compression.type=none"),
    (Encoding::Plain, "s3.compression.type=gzip"),
    (Encoding::Envelope, "schema.compatibility=NONE"),
    (Encoding::Avro, "s3.compression.type=gzip\nschema.compatibility=FULL"),
    (Encoding::Avro, AVRO_FILES),
    (Encoding::Avro, PARQUET_FILES),
    (Encoding::Avro, FILES_FOR_EACH_SCHEMA),
    (Encoding::Envelope, "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat\nschema.compatibility=NONE"),
];

const AVRO_FILES: &str =
    "format.class=io.confluent.connect.s3.format.avro.AvroFormat\navro.codec=snappy\nschema.compatibility=BACKWARD";

const PARQUET_FILES: &str =
    "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat\nparquet.codec=zstd\nschema.compatibility=FORWARD";

const FILES_FOR_EACH_SCHEMA: &str =
    "format.class=io.confluent.connect.s3.format.avro.AvroFormat\nrotate.file.on.schema.change=false";

/// One for each partition.
const PLAIN: Layout = ("partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner", None);

#[test]
fn killed_at_random_moments_with_an_open_file_for_each_schema_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("each-schema") else { return };
    victim.records = victim.records.with_keys();
    let registry = victim.encoded(Encoding::Avro);
    let settings = Encoding::Avro.settings(&registry);
    victim.survives(PLAIN, &format!("flush.size=20\n{FILES_FOR_EACH_SCHEMA}\n{settings}\n{KEYS_AND_HEADERS}"));
}

#[test]
fn killed_at_random_moments_with_schemas_that_change_in_parquet_files_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("parquet") else { return };
    let registry = victim.encoded(Encoding::Avro);
    victim.survives(BY_FIELD, &format!("flush.size=20\n{PARQUET_FILES}\n{}", Encoding::Avro.settings(&registry)));
}

#[test]
fn killed_at_random_moments_with_schemas_that_change_in_avro_files_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("avro") else { return };
    let registry = victim.encoded(Encoding::Avro);
    victim.survives(BY_FIELD, &format!("flush.size=20\n{AVRO_FILES}\n{}", Encoding::Avro.settings(&registry)));
}

#[test]
fn killed_at_random_moments_in_any_layout_with_any_trigger_every_record_is_there_once() {
    let layouts = [BY_FIELD, BY_RECORD, BY_RECORD_FIELD, BY_CLOCK, BY_HOUR_OF_FIELD];
    let mut all: Vec<_> = (0..layouts.len() * TRIGGERS.len() * FORMS.len() * 2).collect();
    if std::env::var("CONNECT_TEST_LAYOUTS").is_ok_and(|value| value == "all") {
        crate::say(&format!("{} layouts", all.len()));
    } else {
        let mut random = Random::new();
        all = (0..2).map(|_| usize::try_from(random.below(all.len() as u64)).expect("small")).collect();
    }
    for number in all {
        let (with_keys, rest) = (number % 2 == 1, number / 2);
        let ((encoding, form), rest) = (FORMS[rest % FORMS.len()], rest / FORMS.len());
        let (trigger, layout) = (TRIGGERS[rest % TRIGGERS.len()], layouts[rest / TRIGGERS.len()]);
        let Some(mut victim) = Victim::create(&format!("layout-{number}")) else { return };
        if with_keys {
            victim.records = victim.records.with_keys();
        }
        let views = if with_keys { KEYS_AND_HEADERS } else { "" };
        let said = format!("{trigger} {form}").replace('\n', " ");
        crate::say(&format!("layout {number}: {} {said} {encoding:?} keys={with_keys}", &layout.0[..90]));
        let registry = victim.encoded(encoding);
        victim.survives(layout, &format!("{trigger}\n{form}\n{}\n{views}", encoding.settings(&registry)));
    }
}
