//! The bucket is in another region, or the store at another address: what to write is said at the start and later.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, connector_of, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, free_address, scratch};
use crate::s3_server::{Manners, S3Server};

const PATIENCE: Duration = Duration::from_secs(60);

fn elsewhere(status: u16) -> Manners {
    Manners { elsewhere: Some((status, "eu-west-1")), ..Manners::default() }
}

#[test]
fn a_bucket_in_another_region_is_refused_at_the_start_with_the_line_to_write() {
    let Some(cluster) = Cluster::from_environment("region at the start") else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let name = format!("region-{}", std::process::id());
    cluster.create_topic(&name, 1, &[]);
    for status in [301, 400] {
        server.behave(elsewhere(status));
        let file = connector(&name, &name, &bucket, &server.url(), "flush.size=2");
        let mut process = Connect::start(&scratch("region"), &worker(&cluster), &file);
        assert_eq!(process.wait(PATIENCE).code(), Some(3), "{}", process.log());
        assert!(process.log().contains("set `s3.region=eu-west-1`"), "{}", process.log());
    }
    cluster.delete_topic(&name);
}

#[test]
fn a_bucket_that_moves_to_another_region_is_waited_for_with_the_line_to_write() {
    let Some(cluster) = Cluster::from_environment("region later") else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let name = format!("region-later-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, 2);
    let file = connector(&name, &name, &bucket, &server.url(), "flush.size=2");
    let mut process = Connect::start(&scratch("region-later"), &worker(&cluster), &file);
    wait_until("all is committed", PATIENCE, || records.is_committed(&cluster, &group));
    for status in [301, 307] {
        server.behave(elsewhere(status));
        records.write(&cluster, 2);
        wait_until(&format!("readiness names the region after {status}"), PATIENCE, || {
            process.problems().iter().any(|problem| problem.contains("set `s3.region=eu-west-1`"))
        });
        server.behave(Manners::default());
        wait_until("all is committed", PATIENCE, || records.is_committed(&cluster, &group));
    }
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    records.assert_exactly_once(&bucket);
    cluster.delete_topic(&name);
}

/// Answers nothing: whoever speaks to it must have accepted its certificate first.
const TLS_SERVER: &str = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('listening', flush=True)
while True:
    stream, _ = listener.accept()
    try: context.wrap_socket(stream, server_side=True).recv(1)
    except OSError: pass
";

/// A process that ends with the test.
struct TlsServer(std::process::Child);

impl TlsServer {
    /// With a certificate for `localhost` that it has signed itself. Nothing where there is no Python.
    fn start(port: u16, certificate: &str, key: &str) -> Option<Self> {
        let started =
            Command::new("python3").args(["-c", TLS_SERVER, &port.to_string(), certificate, key]).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = started else {
            crate::say("skipped: certificates (python3 is not installed)");
            return None;
        };
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take()?), &mut line).ok()?;
        assert_eq!(line.trim(), "listening");
        Some(Self(child))
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a connector until readiness says `expected` of a store whose certificate is for `localhost` alone.
fn said_of_the_certificate(test: &str, host: &str, is_trusted: bool, expected: &[&str]) {
    let Some(cluster) = Cluster::from_environment(test) else { return };
    let file = |name: &str| format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let (certificate, port) = (file("localhost.pem"), free_address().port());
    let Some(_server) = TlsServer::start(port, &certificate, &file("localhost.key")) else { return };
    let name = format!("{test}-{}", std::process::id());
    cluster.create_topic(&name, 1, &[]);
    let connector = connector_of(&name, &name, "bucket", &format!("https://{host}:{port}"), "flush.size=2");
    // The signer is the certificate itself.
    let trusted = if is_trusted { certificate } else { file("none.pem") };
    let env = [("SSL_CERT_FILE", trusted.as_str())];
    let process = Connect::start_in(&scratch(test), &worker(&cluster), &[&connector], "info", &env);
    wait_until(&format!("readiness says {expected:?}"), PATIENCE, || {
        process.problems().iter().any(|problem| expected.iter().all(|text| problem.contains(text)))
    });
    cluster.delete_topic(&name);
}

#[test]
fn a_host_name_that_the_certificate_lacks_is_said() {
    said_of_the_certificate("tls-name", "127.0.0.1", true, &["127.0.0.1", "is for other host names", "`store.url`"]);
}

#[test]
fn a_certificate_that_nobody_has_signed_is_said() {
    said_of_the_certificate("tls-signer", "localhost", false, &["nobody whom this machine trusts", "SSL_CERT_FILE"]);
}

#[test]
fn a_store_that_speaks_no_tls_is_said() {
    let Some(cluster) = Cluster::from_environment("no tls") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "no tls") else { return };
    let name = format!("no-tls-{}", std::process::id());
    cluster.create_topic(&name, 1, &[]);
    let url = bucket.url().replace("http://", "https://");
    let process =
        Connect::start(&scratch("no-tls"), &worker(&cluster), &connector_of(&name, &name, "bucket", &url, "flush.size=2"));
    wait_until("readiness says that no TLS is spoken", PATIENCE, || {
        process.problems().iter().any(|problem| problem.contains("does not speak TLS"))
    });
    cluster.delete_topic(&name);
}
