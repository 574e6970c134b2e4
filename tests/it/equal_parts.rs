//! Stores that complete an upload only if all of its parts but the last have one length, as Cloudflare R2 does.

use std::io::Read;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::s3_server::{Manners, S3Server};

const PATIENCE: Duration = Duration::from_secs(120);
const MIB: usize = 1 << 20;

/// Lengths and letters at random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn text(&mut self, length: u64) -> String {
        (0..length)
            .map(|_| char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[self.below(64) as usize]))
            .collect()
    }
}

/// One object of `records` records that are longer by what `padding` makes. Returns the lengths of its parts.
fn parts(
    name: &str,
    records: i64,
    worker_keys: &str,
    keys: &str,
    mut padding: impl FnMut(&mut Random) -> String,
) -> Option<Vec<usize>> {
    let cluster = Cluster::from_environment(name)?;
    let server = S3Server::start(Manners { wants_equal_parts: true, ..Manners::default() });
    let bucket = Bucket::at(&server.url());
    let topic = format!("{name}-{}", std::process::id());
    let mut random = Random(7);
    let mut written = Numbered::create(&cluster, &topic, 1);
    written.write_each(&cluster, records, |_| padding(&mut random));
    let file = connector(&topic, &topic, &bucket, &server.url(), &format!("flush.size={records}\n{keys}\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch(name), &format!("{}{worker_keys}\n", worker(&cluster)), &file);
    let group = format!("connect-{topic}");
    wait_until("the object is there and committed", PATIENCE, || {
        assert!(!process.has_failed_task(), "{}", process.log());
        written.is_committed(&cluster, &group)
    });
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    let objects = bucket.objects().into_iter();
    let objects: Vec<_> = objects.map(|(key, object)| (key.clone(), unzipped(&key, object.body))).collect();
    assert_eq!(objects.len(), 1);
    written.assert_exactly_once_in(objects);
    cluster.delete_topic(&topic);
    let parts = server.parts();
    assert_eq!(parts.len(), 1, "the upload was completed at once: {parts:?}");
    Some(parts.concat())
}

fn unzipped(key: &str, body: Vec<u8>) -> Vec<u8> {
    if !key.ends_with(".gz") {
        return body;
    }
    let mut whole = Vec::new();
    flate2::read::GzDecoder::new(&*body).read_to_end(&mut whole).expect("a gzip file");
    whole
}

/// All parts but the last, of which there is more than one, have this length.
fn assert_equal(parts: &[usize], length: usize) {
    let (last, others) = parts.split_last().expect("parts");
    assert!(others.len() > 1, "{parts:?}");
    assert!(others.iter().all(|part| *part == length) && *last <= length, "{parts:?}");
}

#[test]
fn parts_of_records_of_many_lengths_have_one_length() {
    let padding = |random: &mut Random| "y".repeat(500 + random.below(1_000) as usize);
    if let Some(parts) = parts("equal-parts", 20_000, "", "s3.part.size=5242880", padding) {
        assert_equal(&parts, 5 * MIB);
    }
}

#[test]
fn parts_of_large_records_have_one_length() {
    let padding = |random: &mut Random| "y".repeat(1_000_000 + random.below(1_500_000) as usize);
    if let Some(parts) = parts("equal-parts-large", 14, "", "s3.part.size=5242880", padding) {
        assert_equal(&parts, 5 * MIB);
    }
}

#[test]
fn compressed_parts_have_one_length() {
    let padding = |random: &mut Random| {
        let length = 1_000 + random.below(1_000);
        random.text(length)
    };
    if let Some(parts) = parts("equal-parts-gzip", 12_000, "", "s3.part.size=5242880\ns3.compression.type=gzip", padding) {
        assert_equal(&parts, 5 * MIB);
    }
}

#[test]
fn parts_keep_their_length_where_memory_gets_tight() {
    let padding = |random: &mut Random| "y".repeat(500 + random.below(1_000) as usize);
    if let Some(parts) = parts("equal-parts-tight", 30_000, "memory.limit=12M", "s3.part.size=10485760", padding) {
        let length = parts[0];
        assert!(length == 5 * MIB || length == 10 * MIB, "{parts:?}");
        assert_equal(&parts, length);
    }
}
