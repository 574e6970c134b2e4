//! The keys that librdkafka knows (its CONFIGURATION.md, version 2.12.1), without callbacks and what is for embedders.

use super::Client;

/// A key of librdkafka.
#[derive(Debug)]
pub(super) struct LibrdkafkaKey {
    /// Its name.
    pub(super) name: &'static str,
    scope: Scope,
    /// The allowed values of a number.
    pub(super) range: Option<(i64, i64)>,
}

#[derive(Clone, Copy, Debug)]
enum Scope {
    Any,
    Consumer,
    Producer,
}

use Scope::{Any, Consumer, Producer};

impl LibrdkafkaKey {
    /// Whether a client of this kind reads it.
    pub(super) fn is_for(&self, client: Client) -> bool {
        match self.scope {
            Any => true,
            Consumer => client == Client::Consumer,
            Producer => client == Client::Producer,
        }
    }
}

const fn key(name: &'static str, scope: Scope, range: Option<(i64, i64)>) -> LibrdkafkaKey {
    LibrdkafkaKey { name, scope, range }
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static LibrdkafkaKey> {
    KEYS.binary_search_by(|key| key.name.cmp(name)).ok().map(|index| &KEYS[index])
}

/// In the order of their names.
pub(super) static KEYS: &[LibrdkafkaKey] = &[
    key("acks", Producer, None),
    key("allow.auto.create.topics", Any, None),
    key("api.version.fallback.ms", Any, Some((0, 604_800_000))),
    key("api.version.request", Any, None),
    key("api.version.request.timeout.ms", Any, Some((1, 300_000))),
    key("auto.commit.enable", Consumer, None),
    key("auto.commit.interval.ms", Consumer, Some((10, 86_400_000))),
    key("auto.offset.reset", Consumer, None),
    key("batch.num.messages", Producer, Some((1, 1_000_000))),
    key("batch.size", Producer, Some((1, 2_147_483_647))),
    key("bootstrap.servers", Any, None),
    key("broker.address.family", Any, None),
    key("broker.address.ttl", Any, Some((0, 86_400_000))),
    key("broker.version.fallback", Any, None),
    key("check.crcs", Consumer, None),
    key("client.dns.lookup", Any, None),
    key("client.id", Any, None),
    key("client.rack", Any, None),
    key("compression.codec", Producer, None),
    key("compression.level", Producer, Some((-1, 12))),
    key("compression.type", Producer, None),
    key("connections.max.idle.ms", Any, Some((0, 2_147_483_647))),
    key("consume.callback.max.messages", Consumer, Some((0, 1_000_000))),
    key("coordinator.query.interval.ms", Consumer, Some((1, 3_600_000))),
    key("debug", Any, None),
    key("delivery.report.only.error", Producer, None),
    key("delivery.timeout.ms", Producer, Some((0, 2_147_483_647))),
    key("enable.auto.commit", Consumer, None),
    key("enable.auto.offset.store", Consumer, None),
    key("enable.gapless.guarantee", Producer, None),
    key("enable.idempotence", Producer, None),
    key("enable.metrics.push", Any, None),
    key("enable.partition.eof", Consumer, None),
    key("enable.random.seed", Any, None),
    key("enable.sasl.oauthbearer.unsecure.jwt", Any, None),
    key("enable.ssl.certificate.verification", Any, None),
    key("fetch.error.backoff.ms", Consumer, Some((0, 300_000))),
    // Its own range begins at 0, but an answer has to hold a message, which may be no smaller than 1,000.
    key("fetch.max.bytes", Consumer, Some((1000, 2_147_483_135))),
    key("fetch.message.max.bytes", Consumer, Some((1, 1_000_000_000))),
    key("fetch.min.bytes", Consumer, Some((1, 100_000_000))),
    key("fetch.queue.backoff.ms", Consumer, Some((0, 300_000))),
    key("fetch.wait.max.ms", Consumer, Some((0, 300_000))),
    key("group.id", Consumer, None),
    key("group.instance.id", Consumer, None),
    key("group.protocol", Consumer, None),
    key("group.protocol.type", Consumer, None),
    key("group.remote.assignor", Consumer, None),
    key("heartbeat.interval.ms", Consumer, Some((1, 3_600_000))),
    key("https.ca.location", Any, None),
    key("https.ca.pem", Any, None),
    key("isolation.level", Consumer, None),
    key("linger.ms", Producer, Some((0, 900_000))),
    key("log.connection.close", Any, None),
    key("log.queue", Any, None),
    key("log.thread.name", Any, None),
    key("log_level", Any, Some((0, 7))),
    key("max.in.flight", Any, Some((1, 1_000_000))),
    key("max.in.flight.requests.per.connection", Any, Some((1, 1_000_000))),
    key("max.partition.fetch.bytes", Consumer, Some((1, 1_000_000_000))),
    key("max.poll.interval.ms", Consumer, Some((1, 86_400_000))),
    key("message.copy.max.bytes", Any, Some((0, 1_000_000_000))),
    key("message.max.bytes", Any, Some((1000, 1_000_000_000))),
    key("message.send.max.retries", Producer, Some((0, 2_147_483_647))),
    key("message.timeout.ms", Producer, Some((0, 2_147_483_647))),
    key("metadata.broker.list", Any, None),
    key("metadata.max.age.ms", Any, Some((1, 86_400_000))),
    key("metadata.recovery.rebootstrap.trigger.ms", Any, Some((0, 2_147_483_647))),
    key("metadata.recovery.strategy", Any, None),
    key("offset.store.method", Consumer, None),
    key("offset.store.path", Consumer, None),
    key("offset.store.sync.interval.ms", Consumer, Some((-1, 86_400_000))),
    key("partition.assignment.strategy", Consumer, None),
    key("partitioner", Producer, None),
    key("produce.offset.report", Producer, None),
    key("queue.buffering.backpressure.threshold", Producer, Some((1, 1_000_000))),
    key("queue.buffering.max.kbytes", Producer, Some((1, 2_147_483_647))),
    key("queue.buffering.max.messages", Producer, Some((0, 2_147_483_647))),
    key("queue.buffering.max.ms", Producer, Some((0, 900_000))),
    key("queued.max.messages.kbytes", Consumer, Some((1, 2_097_151))),
    key("queued.min.messages", Consumer, Some((1, 10_000_000))),
    key("receive.message.max.bytes", Any, Some((1000, 2_147_483_647))),
    key("reconnect.backoff.jitter.ms", Any, Some((0, 3_600_000))),
    key("reconnect.backoff.max.ms", Any, Some((0, 3_600_000))),
    key("reconnect.backoff.ms", Any, Some((0, 3_600_000))),
    key("request.required.acks", Producer, None),
    key("request.timeout.ms", Producer, Some((1, 900_000))),
    key("retries", Producer, Some((0, 2_147_483_647))),
    key("retry.backoff.max.ms", Any, Some((1, 300_000))),
    key("retry.backoff.ms", Any, Some((1, 300_000))),
    key("sasl.kerberos.keytab", Any, None),
    key("sasl.kerberos.kinit.cmd", Any, None),
    key("sasl.kerberos.min.time.before.relogin", Any, Some((0, 86_400_000))),
    key("sasl.kerberos.principal", Any, None),
    key("sasl.kerberos.service.name", Any, None),
    key("sasl.mechanism", Any, None),
    key("sasl.mechanisms", Any, None),
    key("sasl.oauthbearer.assertion.algorithm", Any, None),
    key("sasl.oauthbearer.assertion.claim.aud", Any, None),
    key("sasl.oauthbearer.assertion.claim.exp.seconds", Any, Some((1, 2_147_483_647))),
    key("sasl.oauthbearer.assertion.claim.iss", Any, None),
    key("sasl.oauthbearer.assertion.claim.jti.include", Any, None),
    key("sasl.oauthbearer.assertion.claim.nbf.seconds", Any, Some((0, 2_147_483_647))),
    key("sasl.oauthbearer.assertion.claim.sub", Any, None),
    key("sasl.oauthbearer.assertion.file", Any, None),
    key("sasl.oauthbearer.assertion.jwt.template.file", Any, None),
    key("sasl.oauthbearer.assertion.private.key.file", Any, None),
    key("sasl.oauthbearer.assertion.private.key.passphrase", Any, None),
    key("sasl.oauthbearer.assertion.private.key.pem", Any, None),
    key("sasl.oauthbearer.client.credentials.client.id", Any, None),
    key("sasl.oauthbearer.client.credentials.client.secret", Any, None),
    key("sasl.oauthbearer.client.id", Any, None),
    key("sasl.oauthbearer.client.secret", Any, None),
    key("sasl.oauthbearer.config", Any, None),
    key("sasl.oauthbearer.extensions", Any, None),
    key("sasl.oauthbearer.grant.type", Any, None),
    key("sasl.oauthbearer.metadata.authentication.type", Any, None),
    key("sasl.oauthbearer.method", Any, None),
    key("sasl.oauthbearer.scope", Any, None),
    key("sasl.oauthbearer.token.endpoint.url", Any, None),
    key("sasl.password", Any, None),
    key("sasl.username", Any, None),
    key("security.protocol", Any, None),
    key("session.timeout.ms", Consumer, Some((1, 3_600_000))),
    key("socket.blocking.max.ms", Any, Some((1, 60_000))),
    key("socket.connection.setup.timeout.ms", Any, Some((1000, 2_147_483_647))),
    key("socket.keepalive.enable", Any, None),
    key("socket.max.fails", Any, Some((0, 1_000_000))),
    key("socket.nagle.disable", Any, None),
    key("socket.receive.buffer.bytes", Any, Some((0, 100_000_000))),
    key("socket.send.buffer.bytes", Any, Some((0, 100_000_000))),
    key("socket.timeout.ms", Any, Some((10, 300_000))),
    key("ssl.ca.certificate.stores", Any, None),
    key("ssl.ca.location", Any, None),
    key("ssl.ca.pem", Any, None),
    key("ssl.certificate.location", Any, None),
    key("ssl.certificate.pem", Any, None),
    key("ssl.cipher.suites", Any, None),
    key("ssl.crl.location", Any, None),
    key("ssl.curves.list", Any, None),
    key("ssl.endpoint.identification.algorithm", Any, None),
    key("ssl.engine.id", Any, None),
    key("ssl.engine.location", Any, None),
    key("ssl.key.location", Any, None),
    key("ssl.key.password", Any, None),
    key("ssl.key.pem", Any, None),
    key("ssl.keystore.location", Any, None),
    key("ssl.keystore.password", Any, None),
    key("ssl.providers", Any, None),
    key("ssl.sigalgs.list", Any, None),
    key("statistics.interval.ms", Any, Some((0, 86_400_000))),
    key("sticky.partitioning.linger.ms", Producer, Some((0, 900_000))),
    key("topic.metadata.propagation.max.ms", Any, Some((0, 3_600_000))),
    key("topic.metadata.refresh.fast.cnt", Any, Some((0, 1000))),
    key("topic.metadata.refresh.fast.interval.ms", Any, Some((1, 60_000))),
    key("topic.metadata.refresh.interval.ms", Any, Some((-1, 3_600_000))),
    key("topic.metadata.refresh.sparse", Any, None),
    key("transaction.timeout.ms", Producer, Some((1000, 2_147_483_647))),
    key("transactional.id", Producer, None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_so_that_each_is_found() {
        assert!(KEYS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("fetch.min.bytes").is_some_and(|key| key.is_for(Client::Consumer) && !key.is_for(Client::Admin)));
    }
}
