//! Each way in which a request fails, for each request that the sink makes, for small objects and for objects in parts: the objects are right, nothing is read
//! from Kafka again, no partition moves, no upload is left behind.
//!
//! By default a third of it; `CONNECT_TEST_FAULTS=all` has all of it, with requests that hang.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::proxy::{Kind, Moment, Proxy, Request, Verdict};
use crate::s3_server::{Manners, S3Server};

const PATIENCE: Duration = Duration::from_secs(180);

/// How a request fails: before the store has seen it, or when it is done and nobody learns of it.
const FAULTS: [(Moment, Verdict); 10] = [
    (Moment::Arrived, Verdict::Answer(429, "TooManyRequests")),
    (Moment::Arrived, Verdict::Answer(500, "InternalError")),
    (Moment::Arrived, Verdict::Answer(503, "SlowDown")),
    (Moment::Arrived, Verdict::Answer(403, "AccessDenied")),
    (Moment::Arrived, Verdict::Answer(400, "ExpiredToken")),
    (Moment::Arrived, Verdict::Answer(403, "RequestTimeTooSkewed")),
    (Moment::Arrived, Verdict::Reset),
    (Moment::Done, Verdict::Reset),
    (Moment::Done, Verdict::Truncate),
    (Moment::Arrived, Verdict::Hang(Duration::from_secs(3_600))),
];

/// The requests, and what must have happened before one is made at all.
const REQUESTS: [(Kind, Option<Kind>); 6] = [
    (Kind::PutObject, None),
    (Kind::CreateMultipart, None),
    (Kind::Part, None),
    (Kind::Complete, None),
    // Where the answer to a request that made an object is lost, the sink asks what is there.
    (Kind::HeadObject, Some(Kind::PutObject)),
    // It gives up an upload that has become an object by a request whose answer was lost.
    (Kind::Abort, Some(Kind::Complete)),
];

/// The next requests of a kind fail, so many times.
#[derive(Default)]
struct Trouble {
    lost: Option<Kind>,
    fails: Option<(Kind, Moment, Verdict)>,
    left: u32,
    happened: u32,
}

impl Trouble {
    fn begin(&mut self, (kind, before): (Kind, Option<Kind>), (moment, verdict): (Moment, Verdict)) {
        let times = if matches!(verdict, Verdict::Hang(_)) { 1 } else { 2 };
        *self = Self { lost: before, fails: Some((kind, moment, verdict)), left: times, happened: 0 };
    }

    fn decide(&mut self, request: &Request, at: Moment) -> Verdict {
        if !request.path.contains("/topics/") && request.kind != Kind::List {
            return Verdict::Pass;
        }
        if at == Moment::Done && self.lost == Some(request.kind) {
            self.lost = None;
            return Verdict::Reset;
        }
        match self.fails {
            Some((kind, moment, verdict)) if kind == request.kind && moment == at && self.left > 0 => {
                self.left -= 1;
                self.happened += 1;
                verdict
            }
            _ => Verdict::Pass,
        }
    }
}

/// Whether this one is told: the slow ones only where all are.
fn is_told(fault: usize, request: usize) -> bool {
    let all = std::env::var("CONNECT_TEST_FAULTS").is_ok_and(|value| value == "all");
    let hangs = matches!(FAULTS[fault].1, Verdict::Hang(_));
    all || !hangs && (fault + request).is_multiple_of(3)
}

struct Story {
    cluster: Cluster,
    server: S3Server,
    bucket: Bucket,
    proxy: Proxy,
    trouble: Arc<Mutex<Trouble>>,
    name: String,
}

impl Story {
    fn begin(test: &str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let server = S3Server::start(Manners::default());
        let bucket = Bucket::at(&server.url());
        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let troubled = Arc::clone(&trouble);
        let proxy = Proxy::start(&server.url(), move |request, moment| troubled.lock().expect("no panic").decide(request, moment));
        let name = format!("{test}-{}", std::process::id()).replace(' ', "-");
        Some(Self { cluster, server, bucket, proxy, trouble, name })
    }

    fn connect(&self, name: &str, topic: &str, settings: &str) -> Connect {
        let file = connector(name, topic, &self.bucket, &self.proxy.url(), &format!("{PATIENT_GROUP}\n{settings}"));
        Connect::start(&scratch(name), &worker(&self.cluster), &file)
    }

    fn begin_trouble(&self, request: (Kind, Option<Kind>), fault: (Moment, Verdict)) {
        self.trouble.lock().expect("no panic").begin(request, fault);
    }

    fn happened(&self) -> u32 {
        self.trouble.lock().expect("no panic").happened
    }
}

/// Writes an object for each request that fails, through one process.
fn every_request_fails(test: &str, settings: &str, records: i64, padding: usize, concerns: impl Fn(Kind) -> bool) {
    let Some(story) = Story::begin(test) else { return };
    let mut numbered = Numbered::create(&story.cluster, &story.name, 1).padded(padding);
    let group = format!("connect-{}", story.name);
    let mut process = story.connect(&story.name, &story.name, settings);
    numbered.write(&story.cluster, records);
    wait_until("the first object", PATIENCE, || numbered.is_committed(&story.cluster, &group));
    let rebalances = process.metric("connect_rebalances_total");
    for (index, request) in REQUESTS.into_iter().enumerate().filter(|(_, (kind, _))| concerns(*kind)) {
        for fault in (0..FAULTS.len()).filter(|fault| is_told(*fault, index)).map(|fault| FAULTS[fault]) {
            story.begin_trouble(request, fault);
            numbered.write(&story.cluster, records);
            let what = format!("{:?} fails as {fault:?}", request.0);
            wait_until(&format!("{what}: it is made up for"), PATIENCE, || numbered.is_committed(&story.cluster, &group));
            assert!(story.happened() > 0, "{what}: it never did");
        }
    }
    assert_eq!(process.metric("connect_records_read_total"), Some(numbered.written[0] as f64), "something was read again");
    assert_eq!(process.metric("connect_rebalances_total"), rebalances, "a partition moved");
    assert_eq!(process.metric("connect_task_restarts_total").unwrap_or(0.0), 0.0, "a task was restarted");
    wait_until("no upload is left behind", Duration::from_secs(60), || story.server.unfinished() == 0);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    numbered.assert_exactly_once_in(story.server.objects(story.bucket.name()));
    assert_eq!(story.server.replaced(), 0, "an object was replaced");
}

#[test]
fn requests_for_small_objects_that_fail_in_any_way_are_made_up_for() {
    every_request_fails("faults small", "flush.size=3", 3, 10, |kind| matches!(kind, Kind::PutObject | Kind::HeadObject));
}

#[test]
fn requests_for_objects_in_parts_that_fail_in_any_way_are_made_up_for() {
    let settings = "flush.size=13\ns3.part.size=5242880";
    every_request_fails("faults parts", settings, 13, 900_000, |kind| !matches!(kind, Kind::PutObject | Kind::HeadObject));
}

#[test]
fn a_listing_that_fails_in_any_way_is_asked_for_again_and_nothing_is_written_twice() {
    let Some(story) = Story::begin("faults list") else { return };
    let mut numbered = Numbered::create(&story.cluster, &story.name, 1);
    numbered.write(&story.cluster, 9);
    let write = |name: String| {
        let mut process = story.connect(&name, &story.name, "flush.size=3");
        wait_until("all is committed", PATIENCE, || numbered.is_committed(&story.cluster, &format!("connect-{name}")));
        assert_eq!(process.metric("connect_task_restarts_total").unwrap_or(0.0), 0.0, "a task was restarted");
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        numbered.assert_exactly_once_in(story.server.objects(story.bucket.name()));
        assert_eq!(story.server.replaced(), 0, "an object was replaced");
    };
    write(format!("{}-first", story.name));
    for fault in (0..FAULTS.len()).filter(|fault| is_told(*fault, 0)) {
        // Groups without offsets look at what is there.
        story.begin_trouble((Kind::List, None), FAULTS[fault]);
        write(format!("{}-{fault}", story.name));
        assert!(story.happened() > 0, "{:?}: it never did", FAULTS[fault]);
    }
}
