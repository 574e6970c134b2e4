//! Credentials of a role, as Confluent's own provider assumes it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, worker};
use crate::process::{Connect, scratch};
use crate::proxy::{Kind, Moment, Proxy, Verdict};
use crate::reports::{committed, produce};

const PATIENCE: Duration = Duration::from_secs(60);

const ROLE: &str = "flush.size=1\n\
    s3.credentials.provider.class=io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider\n\
    s3.credentials.provider.sts.role.arn=arn:aws:iam::111122223333:role/sink\n\
    s3.credentials.provider.sts.role.session.name=sink\n\
    s3.credentials.provider.sts.role.external.id=id-7\n";

/// Runs a connector until its record is committed: which keys have signed requests to the store, and which those to STS.
fn signers(test: &str, more: &str, env: &[(&str, &str)]) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let (cluster, bucket) = (Cluster::from_environment(test)?, Bucket::create(Server::Moto, test)?);
    let seen = Arc::new(Mutex::new((BTreeSet::new(), BTreeSet::new())));
    let telling = Arc::clone(&seen);
    let proxy = Proxy::start(bucket.url(), move |request, moment| {
        if moment == Moment::Arrived {
            let (of_store, of_sts) = &mut *telling.lock().unwrap();
            let is_sts = request.kind == Kind::Other && request.path == "/";
            if is_sts { of_sts } else { of_store }.insert(request.access_key.clone());
        }
        Verdict::Pass
    });
    let (topic, directory) = (format!("{test}-{}", std::process::id()), scratch(test));
    cluster.create_topic(&topic, 1, &[]);
    produce(&cluster, &topic, [br#"{"i":0}"#.to_vec()]);
    let url = proxy.url();
    let env = [&[("AWS_ENDPOINT_URL_STS", url.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")], env].concat();
    let file = connector(&topic, &topic, &bucket, &url, &format!("{ROLE}{more}"));
    let mut process = Connect::start_in(&directory, &worker(&cluster), &[&file], "info", &env);
    wait_until("everything is committed", PATIENCE, || committed(&cluster, &format!("connect-{topic}"), &topic) == Some(1));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!(bucket.keys().len(), 1);
    let seen = seen.lock().unwrap().clone();
    Some(seen)
}

#[test]
fn a_role_is_assumed_with_the_keys_of_the_file_and_signs_every_request() {
    let keys = "aws.access.key.id=AKSTATIC\naws.secret.access.key=hunter2\ns3.credentials.provider.sts.region=eu-west-1\n";
    let Some((of_store, of_sts)) = signers("role-of-keys", keys, &[]) else { return };
    assert_eq!(of_sts, BTreeSet::from(["AKSTATIC/eu-west-1/sts".to_owned()]));
    assert!(of_store.iter().all(|key| key.starts_with("ASIA") && key.ends_with("/us-east-1/s3")), "{of_store:?}");
}

#[test]
fn a_role_is_assumed_with_what_the_default_chain_has() {
    let env = [("AWS_ACCESS_KEY_ID", "AKCHAIN"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_REGION", "eu-west-2")];
    let Some((of_store, of_sts)) = signers("role-of-chain", "", &env) else { return };
    assert_eq!(of_sts, BTreeSet::from(["AKCHAIN/eu-west-2/sts".to_owned()]));
    assert!(of_store.iter().all(|key| key.starts_with("ASIA")), "{of_store:?}");
}
