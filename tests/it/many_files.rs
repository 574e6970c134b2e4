//! More open files than memory holds: they go to disk, and the objects are the same as where there is memory for all.
//!
//! `CONNECT_TEST_MANY_FILES=400x10000` has so many partitions, and so many records of a KiB in each of them. `CONNECT_TEST_CGROUP` is the directory of a control
//! group that the process with little memory is put into.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::s3_server::{Manners, S3Server};
use crate::typed::Encoding;

const PATIENCE: Duration = Duration::from_secs(1_800);
/// What the program takes beside its budget: the clients of Kafka and the store, threads, the allocator's reserves.
const PROGRAM: u64 = 96 << 20;
/// What stays in memory of a file that is on disk, and what names it.
const FILE: u64 = 12 << 10;
const HOURS: i64 = 24;

/// Partitions, and records of each.
fn size() -> (i32, i64) {
    let text = std::env::var("CONNECT_TEST_MANY_FILES").unwrap_or_else(|_| "16x1200".to_owned());
    let (partitions, records) = text.split_once('x').expect("partitions x records");
    (partitions.parse().expect("a number"), records.parse().expect("a number"))
}

/// The hours follow each other in no order.
fn fields(n: i64) -> String {
    let hour = n * 7_919 % HOURS;
    let mut noise = u64::try_from(n).expect("a number") | 1;
    let mut text = String::with_capacity(960);
    while text.len() < 900 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(["north ", "south ", "east of ", "west of ", "near ", "far "][usize::try_from(noise >> 33).unwrap_or(0) % 6]);
        text.push_str(&(noise >> 52).to_string());
    }
    format!(r#" {text}","t":{},"u":""#, hour * 3_600_000)
}

#[test]
fn open_files_that_memory_cannot_hold_lie_on_disk_and_become_the_same_objects() {
    spilled_and_held_are_the_same("many-files", Encoding::Plain, "s3.compression.type=gzip");
}

#[test]
fn open_parquet_files_that_memory_cannot_hold_lie_on_disk_and_become_the_same_objects() {
    let form = "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat\nschema.compatibility=BACKWARD\n\
                value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=true";
    spilled_and_held_are_the_same("many-parquet-files", Encoding::Envelope, form);
}

/// With little memory and with much, a topic becomes the same objects.
fn spilled_and_held_are_the_same(name: &str, encoding: Encoding, form: &str) {
    let Some(cluster) = Cluster::from_environment(name) else { return };
    let (partitions, records) = size();
    // All files are open when the last record comes, however slow this is.
    let idle = (i64::from(partitions) * records / 8).max(8_000);
    let files = u64::try_from(i64::from(partitions) * HOURS).expect("a count");
    let server = S3Server::start(Manners::default());
    let name = format!("{name}-{}", std::process::id());
    let mut numbered = Numbered::create(&cluster, &name, partitions);
    numbered.encode_as(encoding);
    while numbered.written[0] < records {
        numbered.write_each(&cluster, (records - numbered.written[0]).min(50), fields);
    }
    let mut objects = Vec::new();
    for (run, limit, spills) in [("spilled", 8 << 20, true), ("held", 8 << 30, false)] {
        let bucket = Bucket::at(&server.url());
        let settings = format!(
            "{PATIENT_GROUP}\nflush.size=1000000\nrotate.idle.ms={idle}\n{form}\n\
             partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\npath.format='at'=HH\n\
             partition.duration.ms=3600000\nlocale=en\ntimezone=UTC\ntimestamp.extractor=RecordField\ntimestamp.field=t"
        );
        let (name, topic) = (format!("{name}-{run}"), &numbered.topic);
        let file = connector(&name, topic, &bucket, &server.url(), &settings);
        let worker = format!("{}memory.limit={limit}\n", worker(&cluster));
        let mut process = Connect::start_all(&scratch(&name), &worker, &[&file], "info");
        if let Ok(group) = std::env::var("CONNECT_TEST_CGROUP").map(PathBuf::from)
            && spills
        {
            std::fs::write(group.join("cgroup.procs"), process.id().to_string()).expect("the control group takes it");
        }
        let (began, mut most, mut most_on_disk) = (Instant::now(), 0, 0.0_f64);
        wait_until("everything is committed", PATIENCE, || {
            most = most.max(process.memory().unwrap_or(0));
            let on_disk = process.series("connect_sink_spilled_bytes").iter().map(|(_, value)| value).sum();
            most_on_disk = most_on_disk.max(on_disk);
            numbered.is_committed(&cluster, &format!("connect-{name}"))
        });
        let took = began.elapsed().as_secs_f64();
        crate::say(&format!(
            "{run}: {files} files, {} MiB of memory, {:.0} MiB on disk, {took:.1} s",
            most >> 20,
            most_on_disk / 1e6
        ));
        assert_eq!(most_on_disk > 0.0, spills, "{run}: {most_on_disk} bytes on disk");
        if spills {
            let bound = limit + PROGRAM + files * FILE;
            assert!(most <= bound, "{} MiB of memory, {} MiB are its bound", most >> 20, bound >> 20);
        }
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        let stored: BTreeMap<String, Vec<u8>> = server.objects(bucket.name()).into_iter().collect();
        // A schema that changes cuts files, in both runs at the same records.
        let is_one_each = stored.len() as u64 == files || (encoding != Encoding::Plain && stored.len() as u64 > files);
        assert!(is_one_each, "{} objects for {files} files", stored.len());
        objects.push(stored);
    }
    let (spilled, held) = (&objects[0], &objects[1]);
    assert!(spilled.keys().eq(held.keys()), "the names differ");
    let differ: Vec<_> = spilled.iter().filter(|(key, body)| held.get(*key) != Some(body)).map(|(key, _)| key).take(5).collect();
    assert!(differ.is_empty(), "contents differ: {differ:?}");
}
