use connect_api::config::{Config, Origin};

use super::*;

fn worker(pairs: &[(&str, &str)]) -> WorkerConfig {
    WorkerConfig::try_from(&pairs.iter().copied().collect::<Config>()).unwrap()
}

fn connector(pairs: &[(&str, &str)]) -> ConnectorConfig {
    let mut config: Config = [("name", "s3"), ("connector.class", "S3Sink"), ("topics", "a")].into_iter().collect();
    for (key, value) in pairs {
        config.insert(*key, *value, None);
    }
    ConnectorConfig::try_from(&config).unwrap()
}

fn get<'a>(properties: &'a ClientProperties, key: &str) -> Option<&'a str> {
    properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn consumer(pairs: &[(&str, &str)]) -> Result<ClientProperties, String> {
    consumer_properties(&worker(pairs), &connector(&[]), 2).map_err(|problems| problems.to_string())
}

#[test]
fn a_consumer_begins_with_what_kafka_connect_and_java_say() {
    let properties = consumer(&[("bootstrap.servers", "a:1 , b:2")]).unwrap();
    let expected = [
        ("bootstrap.servers", "a:1,b:2"),
        ("group.id", "connect-s3"),
        ("client.id", "connector-consumer-s3-2"),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_uncommitted"),
        ("allow.auto.create.topics", "true"),
        ("check.crcs", "true"),
        ("partition.assignment.strategy", "range"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
    ];
    for (key, value) in expected {
        assert_eq!(get(&properties, key), Some(value), "{key}");
    }
}

#[test]
fn the_brokers_of_one_client_are_checked_as_those_of_the_worker() {
    for servers in ["<your-broker>:9092", "broker", "$BROKER:9092", "{host}:9092", " , "] {
        let connector = connector(&[("consumer.override.bootstrap.servers", servers)]);
        let problems = consumer_properties(&worker(&[]), &connector, 0).unwrap_err().to_string();
        assert!(problems.contains("consumer.override.bootstrap.servers") && problems.contains("host:port"), "{problems}");
        assert!(check_server(servers).is_err(), "{servers}");
    }
    let connector = connector(&[("consumer.override.bootstrap.servers", "SSL://b-1.example:9092, [fe80::1%eth0]:9092")]);
    let properties = consumer_properties(&worker(&[]), &connector, 0).unwrap();
    assert_eq!(get(&properties, "bootstrap.servers"), Some("SSL://b-1.example:9092,[fe80::1%eth0]:9092"));
}

#[test]
fn keys_of_java_without_a_counterpart_are_known_and_nothing_like_them_is_suggested() {
    let keys = [
        "sasl.login.refresh.buffer.seconds",
        "sasl.oauthbearer.jwks.endpoint.url",
        "sasl.oauthbearer.jwt.validator.class",
        "sasl.kerberos.ticket.renew.jitter",
        "compression.zstd.level",
        "partitioner.ignore.keys",
        "metadata.max.idle.ms",
    ];
    for key in keys {
        let warnings =
            translate_for(Client::Producer, &worker(&[]), &connector(&[(&format!("producer.override.{key}"), "1")]), 0).warnings;
        let said = warnings.to_string();
        assert!(said.starts_with(&format!("producer.override.{key} changes nothing here: ")), "{said}");
        assert!(warnings.len() == 1 && !said.contains("did you mean"), "{said}");
    }
    assert_eq!(reader_of("partitioner.ignore.keys"), Some(Client::Producer));
    assert_eq!(reader_of("metadata.max.idle.ms"), Some(Client::Consumer));
}

#[test]
fn overrides_of_the_connector_win_over_the_worker_s() {
    let worker = worker(&[("consumer.fetch.min.bytes", "2"), ("consumer.group.id", "w"), ("fetch.min.bytes", "9")]);
    let connector = connector(&[("consumer.override.group.id", "c")]);
    let properties = consumer_properties(&worker, &connector, 0).unwrap();
    assert_eq!(get(&properties, "fetch.min.bytes"), Some("2"));
    assert_eq!(get(&properties, "group.id"), Some("c"));
}

#[test]
fn a_worker_s_own_security_keys_reach_admin_clients_and_not_consumers() {
    let worker = worker(&[("security.protocol", "SSL"), ("ssl.truststore.location", "/ca.pem"), ("ssl.truststore.type", "PEM")]);
    let connector = connector(&[("errors.deadletterqueue.topic.name", "dlq")]);
    let admin = admin_properties(&worker, &connector).unwrap();
    assert_eq!(get(&admin, "security.protocol"), Some("ssl"));
    assert_eq!(get(&admin, "ssl.ca.location"), Some("/ca.pem"));
    assert_eq!(get(&admin, "listeners"), None);
    assert_eq!(get(&consumer_properties(&worker, &connector, 0).unwrap(), "security.protocol"), None);
}

#[test]
fn the_dead_letter_queue_s_producer_waits_for_all_replicas() {
    let properties = producer_properties(&worker(&[("producer.linger.ms", "5")]), &connector(&[]), 1).unwrap();
    assert_eq!(get(&properties, "client.id"), Some("connector-dlq-producer-s3-1"));
    assert_eq!(get(&properties, "acks"), Some("all"));
    assert_eq!(get(&properties, "delivery.timeout.ms"), Some("2147483647"));
    assert_eq!(get(&properties, "linger.ms"), Some("5"));
    assert_eq!(get(&properties, "message.max.bytes"), Some("1048576"), "Java's max.request.size");
    assert_eq!(get(&properties, "group.id"), None);
}

#[test]
fn java_s_spellings_are_translated() {
    let properties = consumer(&[
        ("consumer.fetch.max.wait.ms", "100"),
        ("consumer.metadata.max.age.ms", "3000"),
        ("consumer.auto.offset.reset", "none"),
        ("consumer.max.poll.records", "500"),
        ("consumer.key.deserializer", "X"),
        ("consumer.partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
    ]);
    let properties = properties.unwrap();
    assert_eq!(get(&properties, "fetch.wait.max.ms"), Some("100"));
    assert_eq!(get(&properties, "topic.metadata.refresh.interval.ms"), Some("3000"));
    assert_eq!(get(&properties, "metadata.max.age.ms"), Some("3000"));
    assert_eq!(get(&properties, "auto.offset.reset"), Some("error"));
    assert_eq!(get(&properties, "partition.assignment.strategy"), Some("cooperative-sticky"));
    assert_eq!(get(&properties, "max.poll.records"), None);
    assert_eq!(get(&properties, "key.deserializer"), None);
}

#[test]
fn java_s_default_list_of_assignors_is_range() {
    let list = "org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let properties = consumer(&[("consumer.partition.assignment.strategy", list)]).unwrap();
    assert_eq!(get(&properties, "partition.assignment.strategy"), Some("range"));
}

#[test]
fn each_of_several_tasks_is_a_static_member_of_its_own_and_one_alone_keeps_the_id() {
    let worker = worker(&[]);
    let id = |tasks_max: &str, task| {
        let connector = connector(&[("tasks.max", tasks_max), ("consumer.override.group.instance.id", "node-1")]);
        get(&consumer_properties(&worker, &connector, task).unwrap(), "group.instance.id").map(str::to_owned)
    };
    assert_eq!([id("1", 0), id("2", 0), id("2", 1)], ["node-1", "node-1-0", "node-1-1"].map(|id| Some(id.to_owned())));
    let none = consumer_properties(&worker, &connector(&[("tasks.max", "2")]), 1).unwrap();
    assert_eq!(get(&none, "group.instance.id"), None);
}

#[test]
fn under_kip_848_the_broker_assigns() {
    let properties = consumer(&[("consumer.group.protocol", "consumer")]).unwrap();
    assert_eq!(get(&properties, "partition.assignment.strategy"), None);
}

#[test]
fn offsets_are_never_committed_by_the_client() {
    let properties = consumer(&[("consumer.enable.auto.commit", "true"), ("consumer.enable.auto.offset.store", "true")]).unwrap();
    assert_eq!(get(&properties, "enable.auto.commit"), Some("false"));
    assert_eq!(get(&properties, "enable.auto.offset.store"), Some("false"));
}

#[test]
fn unknown_settings_warn_and_go_no_further() {
    let worker = worker(&[("consumer.fetch.mim.bytes", "1"), ("consumer.whatever", "x")]);
    let translation = translate_for(Client::Consumer, &worker, &connector(&[]), 0);
    let warnings: Vec<_> = translation.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "unknown client setting consumer.fetch.mim.bytes, it changes nothing (did you mean `fetch.min.bytes`?)",
            "unknown client setting consumer.whatever, it changes nothing",
        ]
    );
    assert_eq!(get(&translation.into_properties().unwrap(), "whatever"), None);
}

#[test]
fn numbers_are_checked_and_java_s_for_ever_is_limited() {
    let refused = consumer(&[("consumer.max.poll.interval.ms", "soon")]).unwrap_err();
    assert_eq!(refused, "Invalid value soon for configuration consumer.max.poll.interval.ms: Not a number of type LONG");
    let properties = consumer(&[("consumer.max.poll.interval.ms", "2147483647")]).unwrap();
    assert_eq!(get(&properties, "max.poll.interval.ms"), Some("86400000"));
}

#[test]
fn what_java_takes_and_librdkafka_does_not_becomes_the_nearest_that_it_takes() {
    let properties = consumer(&[
        ("consumer.receive.buffer.bytes", "-1"),
        ("consumer.send.buffer.bytes", "-1"),
        ("consumer.connections.max.idle.ms", "-1"),
        ("consumer.fetch.min.bytes", "0"),
        ("consumer.max.poll.interval.ms", "1000"),
    ]);
    let properties = properties.unwrap();
    for key in ["socket.receive.buffer.bytes", "socket.send.buffer.bytes", "connections.max.idle.ms"] {
        assert_eq!(get(&properties, key), Some("0"), "{key}");
    }
    assert_eq!(get(&properties, "fetch.min.bytes"), Some("1"));
    assert_eq!(get(&properties, "max.poll.interval.ms"), Some("45000"), "a session's time");
    assert!(consumer(&[("consumer.fetch.min.bytes", "-1")]).is_err());
    let both = consumer(&[("consumer.max.poll.interval.ms", "30000"), ("consumer.session.timeout.ms", "10000")]).unwrap();
    assert_eq!(get(&both, "max.poll.interval.ms"), Some("30000"));
    let long = consumer(&[("consumer.session.timeout.ms", "600000"), ("consumer.metadata.max.age.ms", "0")]).unwrap();
    assert_eq!(get(&long, "max.poll.interval.ms"), Some("600000"));
    assert_eq!(get(&long, "topic.metadata.refresh.interval.ms"), Some("1000"));
}

#[test]
fn values_that_librdkafka_refuses_are_found_before_anything_starts() {
    for (key, value) in [("client.dns.lookup", "default"), ("allow.auto.create.topics", "yes"), ("debug", "foo")] {
        let key = format!("consumer.{key}");
        let refused = consumer(&[(&key, value)]).unwrap_err();
        assert!(refused.starts_with(&format!("Invalid value {value} for configuration {key}: ")), "{refused}");
    }
}

#[test]
fn scram_credentials_come_out_of_the_jaas_configuration() {
    let properties = consumer(&[
        ("consumer.security.protocol", "SASL_SSL"),
        ("consumer.sasl.mechanism", "SCRAM-SHA-512"),
        (
            "consumer.sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"secret\";",
        ),
    ]);
    let properties = properties.unwrap();
    assert_eq!(get(&properties, "security.protocol"), Some("sasl_ssl"));
    assert_eq!(get(&properties, "sasl.mechanisms"), Some("SCRAM-SHA-512"));
    assert_eq!(get(&properties, "sasl.username"), Some("alice"));
    assert_eq!(get(&properties, "sasl.password"), Some("secret"));
    assert_eq!(get(&properties, "ssl.ca.location"), Some("probe"));
    assert_eq!(get(&properties, "sasl.jaas.config"), None);
}

#[test]
fn what_is_wrong_with_credentials_is_said_without_them() {
    let jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"hunter2\"";
    let refused = consumer(&[
        ("consumer.security.protocol", "SASL_PLAINTEXT"),
        ("consumer.sasl.mechanism", "PLAIN"),
        ("consumer.sasl.jaas.config", jaas),
    ]);
    let expected =
        "Invalid value [hidden] for configuration consumer.sasl.jaas.config: JAAS config entry not terminated by semi-colon";
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn mechanisms_that_are_missing_name_what_to_use_instead() {
    let iam = consumer(&[
        ("consumer.security.protocol", "SASL_SSL"),
        ("consumer.sasl.mechanism", "AWS_MSK_IAM"),
        ("consumer.sasl.jaas.config", "software.amazon.msk.auth.iam.IAMLoginModule required;"),
        ("consumer.sasl.client.callback.handler.class", "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
    ]);
    let iam = iam.unwrap_err();
    assert!(iam.contains("AWS_MSK_IAM") && iam.contains("not supported yet") && iam.contains("SCRAM-SHA-512"), "{iam}");
    let kerberos = consumer(&[("consumer.security.protocol", "SASL_SSL")]).unwrap_err();
    assert!(kerberos.contains("GSSAPI"), "{kerberos}");
    let no_password = consumer(&[("consumer.security.protocol", "SASL_SSL"), ("consumer.sasl.mechanism", "PLAIN")]).unwrap_err();
    assert!(no_password.contains("set consumer.sasl.jaas.config"), "{no_password}");
    let checked = |pairs: &[(&str, &str)]| {
        let protocol = [("consumer.security.protocol", "SASL_SSL"), ("consumer.sasl.mechanism", "PLAIN")];
        let worker = worker(&[&protocol, pairs].concat());
        translate_for(Client::Consumer, &worker, &connector(&[]), 0).checked_as_a_whole(Client::Consumer).problems
    };
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let jaas = format!("{module} username=\"\" password=\"\";");
    for (pairs, said) in [
        ([("consumer.sasl.username", ""), ("consumer.sasl.password", "")].as_slice(), "PLAIN needs a user and a password"),
        (&[("consumer.sasl.jaas.config", &jaas)], "the option username=\"…\" is empty"),
    ] {
        let problems = checked(pairs);
        assert!(problems.len() == 1 && problems.to_string().contains(said), "{problems}");
    }
}

#[test]
fn java_key_stores_name_how_to_convert_them() {
    let refused = consumer(&[("consumer.security.protocol", "SSL"), ("consumer.ssl.truststore.location", "/x.jks")]).unwrap_err();
    assert!(refused.contains("/x.jks") && refused.contains("keytool"), "{refused}");
}

#[test]
fn a_client_s_own_file_is_for_every_client() {
    let mut worker_keys = Config::default();
    let client_file = [("security.protocol", "SSL"), ("fetch.min.bytes", "7"), ("bootstrap.servers", "b:9")];
    assert!(add_command_config(&mut worker_keys, &written(&client_file)).unwrap().is_empty());
    let worker = WorkerConfig::try_from(&worker_keys).unwrap();
    let connector = connector(&[]);
    let consumer = consumer_properties(&worker, &connector, 0).unwrap();
    assert_eq!(get(&consumer, "security.protocol"), Some("ssl"));
    assert_eq!(get(&consumer, "fetch.min.bytes"), Some("7"));
    assert_eq!(get(&consumer, "bootstrap.servers"), Some("b:9"));
    for client in [Client::Producer, Client::Admin] {
        let translation = translate_for(client, &worker, &connector, 0);
        assert!(translation.warnings.is_empty(), "{:?}", translation.warnings);
        assert_eq!(get(&translation.into_properties().unwrap(), "security.protocol"), Some("ssl"));
    }
}

/// A file with one of these on each line.
fn written(pairs: &[(&str, &str)]) -> Config {
    let mut config = Config::default();
    for (line, (key, value)) in (1..).zip(pairs) {
        config.insert(*key, *value, Some(Origin { file: "client.properties".into(), line }));
    }
    config
}

#[test]
fn what_is_wrong_with_a_client_s_own_file_names_its_keys_as_they_stand_there() {
    let mut worker_keys: Config = [("bootstrap.servers", "b:9")].into_iter().collect();
    let pairs = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "GSSAPI"),
        ("acks", "all"),
        ("schema.registry.url", "http://r"),
        ("fetch.min.byte", "1"),
    ];
    let warnings = add_command_config(&mut worker_keys, &written(&pairs)).unwrap().to_string();
    let expected = [
        "client.properties:4: schema.registry.url changes nothing here: it is for converters, as value.converter.schema.registry.url",
        "client.properties:5: unknown client setting fetch.min.byte, it changes nothing",
    ];
    assert!(expected.iter().all(|line| warnings.contains(line)), "{warnings}");
    let translation = translate_for(Client::Consumer, &WorkerConfig::try_from(&worker_keys).unwrap(), &connector(&[]), 0);
    let refused = translation.problems.to_string();
    assert!(refused.starts_with("client.properties:2: ") && !refused.contains("consumer."), "{refused}");
    assert!(translation.warnings.is_empty(), "{}", translation.warnings);
}

#[test]
fn what_signs_in_and_whom_to_trust_without_a_protocol_that_does_is_doubted() {
    let warned = |pairs: &[(&str, &str)]| {
        let translation = translate_for(Client::Consumer, &worker(pairs), &connector(&[]), 0);
        translation.warnings.to_string()
    };
    let mechanism = ("consumer.sasl.mechanism", "PLAIN");
    let expected = "consumer.sasl.mechanism changes nothing with consumer.security.protocol=PLAINTEXT, which is used: \
                    set consumer.security.protocol=SASL_SSL";
    assert_eq!(warned(&[mechanism]), expected);
    assert!(warned(&[mechanism, ("consumer.security.protocol", "SSL")]).contains("consumer.security.protocol=SSL, which is used"));
    assert!(warned(&[("consumer.ssl.truststore.location", "/x.jks")]).contains("set consumer.security.protocol=SSL"));
    assert_eq!(warned(&[("consumer.security.protocol", "SSL"), ("consumer.ssl.truststore.location", "/x.pem")]), "");
}

#[test]
fn a_mechanism_that_is_missing_is_said_where_the_protocol_stands() {
    let refused = consumer(&[("consumer.security.protocol", "SASL_SSL")]).unwrap_err();
    assert!(
        refused.starts_with("consumer.security.protocol") && refused.contains("GSSAPI, the default of sasl.mechanism"),
        "{refused}"
    );
}

#[test]
fn copies_for_the_dead_letter_queue_are_never_sent_without_an_answer() {
    for (key, value) in [("producer.override.acks", "0"), ("producer.override.delivery.report.only.error", "true")] {
        let connector = connector(&[(key, value), ("errors.deadletterqueue.topic.name", "dlq")]);
        let refused = producer_properties(&worker(&[]), &connector, 0).unwrap_err().to_string();
        assert!(refused.contains(key) && refused.contains("remove it"), "{refused}");
    }
}

#[test]
fn thousands_of_unknown_keys_of_a_client_are_answered_without_a_guess_for_each() {
    let keys: Vec<_> = (0..300).map(|number| format!("consumer.override.fetch.min.byte{number:03}")).collect();
    let pairs: Vec<_> = keys.iter().map(|key| (key.as_str(), "1")).collect();
    let said = translate_for(Client::Consumer, &worker(&[]), &connector(&pairs), 0).warnings.to_string();
    assert_eq!(said.matches("unknown client setting").count(), 300, "{said}");
    assert!((1..=100).contains(&said.matches("did you mean").count()), "{said}");
}
