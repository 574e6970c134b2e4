//! The only way out is a proxy that wants a user and a password, which may have any character in them.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, Record, wait_until};
use crate::files::worker;
use crate::forward_proxy::ForwardProxy;
use crate::process::{Connect, connect, scratch};
use crate::s3_server::{Manners, S3Server};

const PATIENCE: Duration = Duration::from_secs(180);
const FILE: &str = include_str!("../reports/proxy-password.properties");

/// The file of one connector, which writes into a directory of its own.
fn file(name: &str, topic: &str, bucket: &str, urls: (&str, &str), (user, password): (&str, &str)) -> String {
    let unit = |unit: u16| if unit < 0x7f { char::from(unit as u8).to_string() } else { format!("\\u{unit:04x}") };
    let quoted = |text: &str| text.replace('\\', "\\\\").encode_utf16().map(unit).collect::<String>();
    let lines = FILE.lines().filter(|line| !["name=", "topics=", "s3.proxy.user="].iter().any(|key| line.starts_with(key)));
    let filled = lines.collect::<Vec<_>>().join("\n");
    let filled = filled.replace("${BUCKET}", bucket).replace("${STORE_URL}", urls.0).replace("${PROXY_URL}", urls.1);
    let filled = filled.replace("${PASSWORD}", &quoted(password));
    format!(
        "{filled}\nname={name}\ntopics={topic}\ntopics.dir={name}\ns3.proxy.user={}\n\
         consumer.override.heartbeat.interval.ms=500\nconsumer.override.session.timeout.ms=30000\n",
        quoted(user)
    )
}

#[test]
fn user_and_password_reach_the_proxy_byte_by_byte_and_nothing_goes_around_it() {
    let Some(cluster) = Cluster::from_environment("proxy passwords") else { return };
    let store = S3Server::start(Manners::default());
    let bucket = Bucket::at(&store.url());
    let topic = format!("pw-{}", std::process::id());
    cluster.create_topic(&topic, 1, &[]);
    let record = |i: i64| Record { topic: topic.clone(), value: Some(format!("{{\"i\": {i}}}").into_bytes()), ..Record::default() };
    cluster.produce(&(0..5).map(record).collect::<Vec<_>>());
    // Where a part of a password must never be taken for a host.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let with_host = format!("x@{}/", elsewhere.local_addr().unwrap());
    let passwords = [
        "a:b",
        "a+b",
        "a&b",
        "a%b",
        "a@b",
        "a/b",
        "a#b",
        "a?b",
        "a%41b",
        "a b",
        "aéb",
        "a\"b",
        "a\\b",
        "💧\u{a0}",
        with_host.as_str(),
    ];
    let pairs: Vec<_> = passwords.iter().map(|password| ("us", *password)).chain([("u@s", "pw"), ("u/s é%41", ":")]).collect();
    let proxies: Vec<_> = pairs.iter().map(|(user, password)| ForwardProxy::start(user, password)).collect();
    let name = |index: usize| format!("{topic}-{index}");
    let file = |(index, (pair, proxy)): (usize, (&(&str, &str), &ForwardProxy))| {
        file(&name(index), &topic, bucket.name(), (&store.url(), &proxy.url()), *pair)
    };
    let files: Vec<_> = (0..).zip(pairs.iter().zip(&proxies)).map(file).collect();
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let before = store.counts().requests.load(Ordering::SeqCst);
    let mut process = Connect::start_all(&scratch("proxy-passwords"), &worker(&cluster), &files, "debug");
    let key = |index: usize| format!("{}/{topic}/partition=0/{topic}+0+0000000000.json", name(index));
    wait_until("an object of every connector", PATIENCE, || {
        // By name: what a start asks with is an object, too.
        let objects = store.objects(bucket.name());
        (0..pairs.len()).all(|index| objects.contains_key(&key(index)))
    });
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());

    let sent = store.counts().requests.load(Ordering::SeqCst) - before;
    let forwarded: u64 = proxies.iter().map(|proxy| proxy.asked().forwarded.load(Ordering::SeqCst)).sum();
    assert_eq!(sent, forwarded, "requests that the store saw, and those that went through a proxy");
    for (proxy, pair) in proxies.iter().zip(&pairs) {
        assert_eq!(proxy.asked().refused.load(Ordering::SeqCst), 0, "{pair:?}");
    }
    assert!(elsewhere.accept().is_err(), "a part of a password was taken for a host");
    let objects = store.objects(bucket.name());
    for index in 0..pairs.len() {
        let object = &objects[&key(index)];
        assert_eq!(object.iter().filter(|byte| **byte == b'\n').count(), 5, "{:?}", pairs[index]);
    }
    for secret in ["a%41b", "a\"b", "a%40b", "%61%40%62", with_host.as_str()] {
        assert!(!process.log().contains(secret), "the log shows {secret}");
    }
    cluster.delete_topic(&topic);
}

/// Runs a connector with a password that the proxy does not take until readiness says so.
fn refused_by_the_proxy(test: &str, store_url: &str) {
    let Some(cluster) = Cluster::from_environment(test) else { return };
    let topic = format!("{test}-{}", std::process::id());
    cluster.create_topic(&topic, 1, &[]);
    let proxy = ForwardProxy::start("us", "right");
    let file = file(&topic, &topic, "b", (store_url, &proxy.url()), ("us", "hunter2"));
    let process = Connect::start_saying(&scratch(test), &worker(&cluster), &file, "debug");
    let says_so = |text: &String| text.contains("the proxy refuses the user or password") && text.contains("s3.proxy.password");
    wait_until("readiness says who refuses", PATIENCE, || process.problems().iter().any(says_so));
    assert!(process.log().lines().any(|line| says_so(&line.to_owned())), "{}", process.log());
    assert!(!process.log().contains("hunter2"));
    assert!(proxy.asked().refused.load(Ordering::SeqCst) > 0);
    cluster.delete_topic(&topic);
}

#[test]
fn a_password_that_the_proxy_refuses_is_said_to_be_so() {
    refused_by_the_proxy("proxy-refuses", &S3Server::start(Manners::default()).url());
}

#[test]
fn a_password_that_the_proxy_refuses_is_said_to_be_so_over_tls() {
    refused_by_the_proxy("proxy-refuses-tls", "https://localhost:1");
}

#[test]
fn what_cannot_reach_the_proxy_as_it_is_is_refused_before_anything_starts_and_not_shown() {
    let directory = scratch("proxy-refused");
    let validate = |url: &str, user: &str, password: &str| {
        let path = directory.join("connector.properties");
        std::fs::write(&path, file("n", "t", "b", ("http://localhost:1", url), (user, password))).unwrap();
        let output = connect(&["validate", path.to_str().unwrap()]);
        (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    };
    let (valid, text) = validate("http://localhost:1", "us", "a@b");
    assert!(valid, "{text}");
    for (url, user, password, key) in [
        ("http://us:hunter2/x@localhost:1", "", "", "s3.proxy.url"),
        ("http://us:hunter2%40x@localhost:1", "", "", "s3.proxy.url"),
        ("http://localhost:1", "us:hunter2", "pw", "s3.proxy.user"),
        ("http://localhost:1", "", "hunter2", "s3.proxy.password"),
    ] {
        let (valid, text) = validate(url, user, password);
        assert!(!valid && text.contains(key) && !text.contains("hunter2"), "{url} {user}: {text}");
    }
    for store_url in ["http://us:hunter2@localhost:1", "us:hunter2@localhost:1"] {
        let path = directory.join("store.properties");
        std::fs::write(&path, file("n", "t", "b", (store_url, "http://localhost:1"), ("us", "pw"))).unwrap();
        let output = connect(&["validate", path.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains("store.url") && !text.contains("hunter2"), "{text}");
    }
}
