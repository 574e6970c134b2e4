//! Two connectors that would write under the same names: refused in one process, noticed across processes.

use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, connector_of, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, connect, free_address, scratch};

const PATIENCE: Duration = Duration::from_secs(60);

/// What `command` says of two connectors of one bucket with these further lines, and whether it is content.
fn said_of(command: &str, one: &str, other: &str) -> (bool, String) {
    let directory = scratch("same-names");
    let file = |name: &str, contents: &str| {
        let path = directory.join(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let worker = format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.storage.StringConverter\n",
        free_address()
    );
    let of = |name: &str, more: &str| {
        connector_of(name, "orders,users", "bucket", "http://localhost:1", &format!("flush.size=3\n{more}"))
    };
    let files = [
        file("worker.properties", &worker),
        file("one.properties", &of("one", one)),
        file("other.properties", &of("other", other)),
    ];
    let output = connect(&[command, &files[0], &files[1], &files[2]]);
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn two_connectors_of_a_process_that_would_write_the_same_names_are_refused_before_anything_starts() {
    for command in ["validate", "run"] {
        let (content, text) = said_of(command, "", "tasks.max=2");
        assert!(!content, "{text}");
        for part in ["other.properties", "connector one", "one.properties", "orders", "topics.dir", "/bucket/topics/<topic>/"] {
            assert!(text.contains(part), "{command} does not say {part}: {text}");
        }
    }
    let (content, text) = said_of("validate", "", "topics.dir=elsewhere");
    assert!(content, "{text}");
}

#[test]
fn two_files_of_a_record_with_one_name_are_refused_before_anything_starts() {
    let clash = "format.bytearray.extension=.keys.json\nstore.kafka.keys=true\n\
                 keys.format.class=io.confluent.connect.s3.format.json.JsonFormat\ntopics.dir=elsewhere";
    let directory = scratch("same-names-of-one");
    let path = directory.join("one.properties");
    let file = connector_of("one", "orders", "bucket", "http://localhost:1", &format!("flush.size=3\n{clash}"));
    std::fs::write(&path, file.replace("json.JsonFormat\nstorage", "bytearray.ByteArrayFormat\nstorage")).unwrap();
    let output = connect(&["validate", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("the same name, which ends with .keys.json"), "{text}");
}

#[test]
fn a_connector_of_another_process_that_writes_the_same_names_is_noticed_and_nothing_of_it_is_lost() {
    let Some(cluster) = Cluster::from_environment("same names across processes") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "same names across processes") else { return };
    let name = format!("same-names-{}", std::process::id());
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, 20);
    let start = |connector_name: &str, flush_size: u32| {
        let more = format!("flush.size={flush_size}\n{PATIENT_GROUP}");
        let file = connector(connector_name, &name, &bucket, bucket.url(), &more);
        Connect::start(&scratch("same-names"), &worker(&cluster), &file)
    };
    let first = format!("{name}-first");
    let mut one = start(&first, 10);
    wait_until("the first one has committed all", PATIENCE, || records.is_committed(&cluster, &format!("connect-{first}")));
    let other = start(&format!("{name}-second"), 4);
    let says_so = |text: &str| text.contains("another connector has written") && text.contains("`topics.dir`");
    wait_until("readiness says who writes there", PATIENCE, || other.problems().iter().any(|problem| says_so(problem)));
    assert!(matches!(other.get("/readyz"), Some((503, _))), "it is not ready");
    assert!(other.log().lines().any(says_so), "{}", other.log());
    records.write(&cluster, 10);
    wait_until("the first one goes on", PATIENCE, || records.is_committed(&cluster, &format!("connect-{first}")));
    drop(other);
    assert!(one.stop(Duration::from_secs(20)).success(), "{}", one.log());
    let whole: Vec<_> = bucket.objects().into_iter().map(|(key, object)| (key, object.body)).collect();
    assert!(
        whole.iter().filter(|(key, _)| key.ends_with("+0000000000.json")).all(|(_, body)| body
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            == 10)
    );
    cluster.delete_topic(&name);
}
