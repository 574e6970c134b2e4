use super::*;
use crate::config::{converters, fake, properties, transformations};

mod predicates;

const GOOD: &str =
    "name=s3\nconnector.class=FakeSink\ntopics=a\nflush.size=1\ns3.bucket.name=b\nkey.converter=String\nvalue.converter=Json\n";

fn check(connector: &str) -> Validation {
    check_with("", connector)
}

fn check_with(worker: &str, connector: &str) -> Validation {
    let parse = |text: &str, file| properties::parse(text.as_bytes(), file).unwrap();
    let worker = parse(worker, "worker.properties");
    let mut validation = validate_worker(&fake::plugins(), &worker);
    validation.append(&validate(&fake::plugins(), &worker, &parse(connector, "s3.properties")));
    validation
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_file_has_neither_problems_nor_warnings() {
    assert_eq!(check(GOOD), Validation::default());
}

#[test]
fn six_mistakes_are_all_named_with_line_and_suggestion() {
    let validation = check(
        "name=s3\nconnector.class=FakeSink\nrotate.schedule.intreval.ms=1000\ntask.max=3\nflush.size=abc\ntopics=a\ntopics.regex=b.*\n\
         format.class=com.example.JsnFormat\nkey.converter=String\nvalue.converter=Json\n",
    );
    let report = lines(&validation.into_result().unwrap_err());
    let expected = [
        "s3.properties:5: Invalid value abc for configuration flush.size: Not a number of type INT; write a whole number of records in \
         digits, such as 1000",
        "s3.properties: Missing required configuration \"s3.bucket.name\" which has no default value. Add s3.bucket.name=…: The bucket.",
        "s3.properties:8: Invalid value com.example.JsnFormat for configuration format.class: Class com.example.JsnFormat could not be \
         found. Known: com.example.JsonFormat, com.example.ByteArrayFormat (did you mean `com.example.JsonFormat`?)",
        "s3.properties:6: topics and topics.regex are mutually exclusive options, but both are set. Remove one of them.",
        "s3.properties:7: topics and topics.regex are mutually exclusive options, but both are set. Remove one of them.",
        "s3.properties:3: unknown key rotate.schedule.intreval.ms, it changes nothing (did you mean `rotate.schedule.interval.ms`?)",
        "s3.properties:4: unknown key task.max, it changes nothing (did you mean `tasks.max`?)",
    ];
    assert_eq!(report.len(), expected.len(), "{report:#?}");
    for line in expected {
        assert!(report.iter().any(|reported| reported == line), "{line} is not in {report:#?}");
    }
}

#[test]
fn what_was_to_be_filled_in_is_named_by_line_and_a_regular_expression_is_none_of_it() {
    let with = |topics: &str| check(&GOOD.replace("topics=a\n", &format!("{topics}\n")));
    for topics in ["topics=<TOPIC>", "topics.regex=<TOPIC_ROOT>.*", "topics.regex=a<B>|<TOPIC>"] {
        let Validation { problems, warnings } = with(topics);
        let key = topics.split('=').next().unwrap();
        // A regular expression with it is one all the same.
        let said = if key == "topics" { lines(&problems) } else { lines(&warnings) };
        let expected = format!("s3.properties:3: {key} still has a placeholder, <TOPIC");
        assert!(said.len() == 1 && said[0].starts_with(&expected), "{said:?}");
    }
    assert!(with("topics.regex=(?<NAME>a)\\\\k<NAME>").warnings.is_empty());
    assert!(!with("topics.regex=a<b>").warnings.to_string().contains("placeholder"));
    let of_worker = |text: &str| lines(&check_with(text, GOOD).warnings);
    assert_eq!(
        of_worker("bootstrap.servers=b:9092\nconsumer.sasl.password=<my-password>\n"),
        ["worker.properties:2: consumer.sasl.password still has a placeholder: fill it in"]
    );
    assert!(of_worker("bootstrap.servers=b:9092\nconsumer.sasl.password=ab<CD>ef\n").is_empty());
    let jaas = |password: &str| {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
        of_worker(&format!("consumer.sasl.jaas.config={module} required username=\"me\" password=\"{password}\";\n")).join("\n")
    };
    assert!(jaas("<MY_PASSWORD>").contains("consumer.sasl.jaas.config still has a placeholder: fill it in"));
    assert!(!jaas("ab<CD>ef").contains("placeholder"));
}

#[test]
fn unknown_keys_only_warn_unless_that_is_not_enough() {
    let validation = check(&format!("{GOOD}flush.sise=1\n"));
    assert!(validation.problems.is_empty());
    assert_eq!(
        lines(&validation.warnings),
        ["s3.properties:8: unknown key flush.sise, it changes nothing (did you mean `flush.size`?)"]
    );
    assert_eq!(validation.strict().problems.len(), 1);
}

#[test]
fn a_worker_s_key_in_a_connector_s_file_is_recognised() {
    let validation = check(&format!("{GOOD}consumer.max.poll.records=5\nbootstrap.servers=a:1\n"));
    assert_eq!(
        lines(&validation.warnings),
        [
            "s3.properties:9: bootstrap.servers changes nothing in a connector's file: it is for the worker's",
            "s3.properties:8: consumer.max.poll.records changes nothing in a connector's file: it is for the worker's (did you mean \
             `consumer.override.max.poll.records`?)",
        ]
    );
}

#[test]
fn config_providers_are_refused_rather_than_ignored() {
    let report = lines(&check_with("config.providers=file\nconfig.providers.file.class=X\n", GOOD).problems);
    assert_eq!(report.len(), 1, "{report:#?}");
    assert!(report[0].contains("not supported yet"), "{report:#?}");
    let refers = "refers to a config provider, ${provider:…}, and there are none yet: write the value itself";
    assert_eq!(
        lines(&check(&GOOD.replace("bucket.name=b", "bucket.name=a-${ssm::/prod/bucket}")).problems),
        [format!("s3.properties:5: s3.bucket.name {refers}")]
    );
    let worker = "consumer.sasl.jaas.config=x required username=\"${file:/etc/x:user}\";\n";
    assert!(
        lines(&check_with(worker, GOOD).problems).contains(&format!("worker.properties:1: consumer.sasl.jaas.config {refers}"))
    );
    assert!(check(&GOOD.replace("bucket.name=b", "bucket.name=a-${b}:c}")).problems.is_empty());
}

#[test]
fn a_key_without_effect_says_why() {
    assert_eq!(check(&format!("{GOOD}tasks.max.enforce=true\n")), Validation::default());
    let validation = check(&format!("{GOOD}s3.part.retries=3\n"));
    assert_eq!(
        lines(&validation.warnings),
        ["s3.properties:8: s3.part.retries changes nothing here: uploads are tried again for ever"]
    );
}

#[test]
fn a_missing_name_and_class_are_reported() {
    let report = lines(&check("topics=a\nkey.converter=String\nvalue.converter=String\n").problems);
    assert_eq!(report.len(), 2, "{report:#?}");
    assert!(report[0].contains("\"name\"") && report[1].contains("\"connector.class\""));
}

#[test]
fn an_unknown_connector_names_those_that_are_known() {
    let validation = check(&format!("{}task.max=1\n", GOOD.replace("FakeSink", "com.example.FakeSnkConnector")));
    assert_eq!(
        lines(&validation.warnings),
        ["s3.properties:8: unknown key task.max, it changes nothing (did you mean `tasks.max`?)"]
    );
    let report = lines(&validation.problems);
    assert_eq!(report.len(), 1);
    assert!(report[0].ends_with("(did you mean `com.example.FakeSinkConnector`?)"), "{report:?}");
}

#[test]
fn a_converter_s_keys_are_those_of_who_names_it() {
    let validation = check_with(
        "value.converter=Json\nvalue.converter.schemas.enable=maybe\n",
        &GOOD.replace("value.converter=Json", "value.converter.schemas.enable=false"),
    );
    assert_eq!(
        lines(&validation.problems),
        [
            "worker.properties:2: Invalid value maybe for configuration value.converter.schemas.enable: Expected value to be either true or \
          false"
        ]
    );
    assert!(lines(&validation.warnings)[0].starts_with("s3.properties:7: value.converter.schemas.enable changes nothing: "));
    let unknown = check(&format!("{GOOD}value.converter.schema.enable=false\n"));
    assert!(lines(&unknown.warnings)[0].ends_with("(did you mean `value.converter.schemas.enable`?)"), "{unknown:?}");
}

#[test]
fn a_converter_that_cannot_be_made_is_refused() {
    let report = lines(&check(&GOOD.replace("key.converter=String", "key.converter=Json")).problems);
    assert_eq!(report, ["s3.properties:6: Invalid value Json for configuration key.converter: keys bring no schema"]);
}

#[test]
fn a_converter_has_to_be_named_somewhere() {
    let report = lines(&check(&GOOD.replace("value.converter=Json\n", "")).problems);
    assert_eq!(report, ["s3.properties: Missing required configuration \"value.converter\" which has no default value."]);
}

#[test]
fn a_class_that_the_worker_names_is_looked_up_once() {
    let connector = GOOD.replace("value.converter=Json\n", "");
    let report = lines(&check_with("value.converter=Jsn\n", &connector).problems);
    assert_eq!(report.len(), 1, "{report:#?}");
    assert!(report[0].starts_with("worker.properties:1: ") && report[0].contains("JsonConverter`?"), "{report:#?}");
}

#[test]
fn the_keys_of_a_named_plugin_are_known_while_it_is_named() {
    let named = check(&format!("{GOOD}format.class=ByteArray\nformat.bytearray.extension=.bin\n"));
    assert_eq!(named, Validation::default());
    let other = check(&format!("{GOOD}format.bytearray.extension=.bin\n"));
    assert_eq!(other.warnings.len(), 1);
}

#[test]
fn transforms_are_checked_with_their_own_keys() {
    let report =
        lines(&check(&format!("{GOOD}transforms=a,b,c\ntransforms.a.type=Unchanged\ntransforms.b.type=Unchngd\n")).problems);
    assert_eq!(report.len(), 3, "{report:#?}");
    assert!(report[0].starts_with("s3.properties: Missing required configuration \"transforms.a.field\""), "{report:#?}");
    assert!(report[1].ends_with("(did you mean `com.example.Unchanged`?)"), "{report:#?}");
    let missing = "s3.properties:8: transforms.c.type: Not a Transformation: no class is named: add transforms.c.type=…, or take c out of transforms";
    assert_eq!(report[2], missing);
}

#[test]
fn overrides_obey_the_worker_s_policy() {
    let worker = "connector.client.config.override.policy=Principal\n";
    let report =
        check_with(worker, &format!("{GOOD}consumer.override.max.poll.interval.ms=1\nadmin.override.security.protocol=SSL\n"));
    let refused = "The 'Principal' policy does not allow 'max.poll.interval.ms' to be overridden in the connector configuration.";
    assert_eq!(lines(&report.problems), [format!("s3.properties:8: {refused}")]);
    let none = "connector.client.config.override.policy=\
                org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy\n";
    let of_nobody = format!("{GOOD}producer.override.acks=all\naws.override.x=1\n");
    assert!(check_with(none, &of_nobody).problems.is_empty(), "there is no producer without a dead letter queue");
    let with_producer = lines(&check_with(none, &format!("{of_nobody}errors.deadletterqueue.topic.name=d\n")).problems);
    assert_eq!(with_producer.len(), 1);
    assert!(with_producer[0].contains("The 'None' policy does not allow 'acks'"), "{with_producer:?}");
}

#[test]
fn client_settings_are_checked_with_the_rest() {
    let validation = check(&format!("{GOOD}consumer.override.auto.offset.reset=middle\nconsumer.override.fetch.mim.bytes=1\n"));
    assert!(lines(&validation.problems)[0].starts_with("s3.properties:8: Invalid value middle"), "{validation:?}");
    assert!(lines(&validation.warnings)[0].ends_with("(did you mean `fetch.min.bytes`?)"), "{validation:?}");
}

#[test]
fn what_the_connector_itself_finds_is_added_unless_the_key_is_reported_already() {
    let taken = check(&GOOD.replace("s3.bucket.name=b", "s3.bucket.name=taken"));
    assert_eq!(lines(&taken.problems), ["s3.properties:5: the bucket is taken"]);
}

#[test]
fn what_the_connector_itself_doubts_is_a_warning() {
    let public = check(&GOOD.replace("s3.bucket.name=b", "s3.bucket.name=public"));
    assert!(public.problems.is_empty());
    assert_eq!(lines(&public.warnings), ["s3.properties:5: everybody reads the bucket"]);
}

#[test]
fn secrets_are_in_no_report() {
    let long = "hunter2".repeat(10);
    let report = check(&format!(
        "{GOOD}aws.secret.access.key={long}\nconsumer.override.sasl.jaas.config={long}\nsasl.jaas.config={long}\n\
         consumer.override.security.protocol=SASL_SSL\nconsumer.override.sasl.mechanism=PLAIN\n"
    ));
    let text = format!("{report:?} {} {}", report.problems, report.warnings);
    assert!(report.problems.len() >= 2 && !text.contains("hunter2"), "{text}");
}

#[test]
fn converters_and_transforms_are_made_of_what_was_checked() {
    let connector = format!("{GOOD}transforms=a\ntransforms.a.type=Unchanged\ntransforms.a.field=x\n");
    let connector = properties::parse(connector.as_bytes(), "s3.properties").unwrap();
    let (worker, connector) = (WorkerConfig::try_from(&Config::default()).unwrap(), ConnectorConfig::try_from(&connector).unwrap());
    let converters = converters(&fake::plugins(), &worker, &connector).unwrap();
    assert_eq!(converters.value_class, "org.apache.kafka.connect.json.JsonConverter");
    assert_eq!(converters.header_class, "org.apache.kafka.connect.storage.SimpleHeaderConverter");
    let chain = transformations(&fake::plugins(), &connector).unwrap();
    assert_eq!(chain.iter().map(|named| named.class).collect::<Vec<_>>(), ["com.example.Unchanged"]);
}

#[test]
fn a_required_value_that_is_empty_is_said_so_once() {
    for (key, line) in [("flush.size=1", 4), ("s3.bucket.name=b", 5), ("connector.class=FakeSink", 2)] {
        let name = key.split('=').next().unwrap();
        let report = lines(&check(&GOOD.replace(key, &format!("{name}= "))).problems);
        assert_eq!(report.len(), 1, "{report:#?}");
        assert!(report[0].starts_with(&format!("s3.properties:{line}: {name} is empty, and it is required: ")), "{report:?}");
    }
    let report = lines(&check(&GOOD.replace("value.converter=Json", "value.converter=")).problems);
    assert_eq!(report, ["s3.properties:7: value.converter is empty: name a class, or remove the line"]);
    let optional = lines(&check(&format!("{GOOD}tasks.max= \n")).problems);
    assert_eq!(optional, ["s3.properties:8: tasks.max is empty: write a value, or remove the line, which means 1"]);
    let report = lines(&check(&GOOD.replace("topics=a", "topics=")).problems);
    assert_eq!(report, ["s3.properties:3: Must configure one of topics or topics.regex: topics=a,b or topics.regex=a.*"]);
}

#[test]
fn transforms_and_predicates_that_no_list_names_are_warned_of_once_each() {
    let validation = check(&format!("{GOOD}transforms.b.type=Unchanged\ntransforms.b.field=x\npredicates.p.type=X\n"));
    assert!(validation.problems.is_empty());
    let expected = [
        "s3.properties:8: transforms.b.* changes nothing: `transforms` does not name b",
        "s3.properties:10: predicates.p.* changes nothing: `predicates` does not name p",
    ];
    assert_eq!(lines(&validation.warnings), expected);
}

#[test]
fn keys_for_confluent_s_services_are_known_and_need_nothing() {
    assert_eq!(check(&format!("{GOOD}confluent.license=\n")), Validation::default());
    let validation = check(&format!("{GOOD}confluent.license=x\nconfluent.topic.bootstrap.servers=b:1\n"));
    let expected = [
        "s3.properties:8: confluent.license changes nothing here: no licence is needed",
        "s3.properties:9: confluent.topic.bootstrap.servers changes nothing here: no licence is needed, and none is kept in a topic",
    ];
    assert_eq!(lines(&validation.warnings), expected);
}

#[test]
fn a_key_that_another_converter_reads_is_known() {
    let validation = check(&format!("{GOOD}key.converter.schemas.enable=false\nkey.converter.schema.registry.url=http://r\n"));
    let expected = [
        "s3.properties:9: key.converter.schema.registry.url changes nothing: StringConverter does not read it",
        "s3.properties:8: key.converter.schemas.enable changes nothing: StringConverter does not read it",
    ];
    assert_eq!(lines(&validation.warnings), expected);
}

#[test]
fn a_client_s_or_converter_s_key_without_its_prefix_gets_it() {
    for (key, right) in [
        ("security.protocol", "consumer.override.security.protocol"),
        ("sasl.mechanism", "consumer.override.sasl.mechanism"),
        ("sasl.client.callback.handler.class", "consumer.override.sasl.client.callback.handler.class"),
        ("ssl.truststore.location", "consumer.override.ssl.truststore.location"),
        ("group.id", "consumer.override.group.id"),
        ("auto.offset.reset", "consumer.override.auto.offset.reset"),
        ("max.poll.records", "consumer.override.max.poll.records"),
        ("max.request.size", "producer.override.max.request.size"),
        ("acks", "producer.override.acks"),
        ("schemas.enable", "value.converter.schemas.enable"),
        ("auto.register.schemas", "value.converter.auto.register.schemas"),
        ("basic.auth.user.info", "value.converter.basic.auth.user.info"),
    ] {
        let warnings = lines(&check(&format!("{GOOD}{key}=hunter2\n")).warnings);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("changes nothing") && warnings[0].ends_with(&format!("(did you mean `{right}`?)")),
            "{warnings:?}"
        );
        assert!(!warnings[0].contains("hunter2"), "{warnings:?}");
    }
}

#[test]
fn what_sink_consumers_do_not_inherit_of_a_worker_is_said_where_the_worker_says_it() {
    const JAAS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"hunter2\";";
    let worker = format!("bootstrap.servers=b:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config={JAAS}\n");
    let said = lines(&check_with(&worker, GOOD).warnings);
    let expected = "worker.properties:2: security.protocol is for admin clients alone: a connector's consumers do not inherit it, and connect \
                    without encryption and authentication; set consumer.security.protocol, consumer.sasl.mechanism, \
                    consumer.sasl.jaas.config too";
    assert_eq!(said, [expected]);
    let own =
        format!("{worker}consumer.security.protocol=SASL_SSL\nconsumer.sasl.mechanism=PLAIN\nconsumer.sasl.jaas.config={JAAS}\n");
    assert_eq!(check_with(&own, GOOD), Validation::default());
    let overrides = "consumer.override.security.protocol=SASL_SSL\nconsumer.override.sasl.mechanism=PLAIN\n";
    assert_eq!(
        check_with(&worker, &format!("{GOOD}{overrides}consumer.override.sasl.jaas.config={JAAS}\n")),
        Validation::default()
    );
    let part = "bootstrap.servers=b:1\nconsumer.security.protocol=SSL\nsecurity.protocol=SSL\nssl.truststore.location=/ca.pem\n";
    let said = lines(&check_with(part, GOOD).warnings);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("worker.properties:4: ssl.truststore.location is for admin clients alone")
            && said[0].ends_with("set consumer.ssl.truststore.location too"),
        "{said:?}"
    );
    let queue = format!("{GOOD}errors.deadletterqueue.topic.name=d\n");
    assert!(lines(&check_with(&own, &queue).warnings)[0].contains("a connector's producers do not inherit it"));
    assert_eq!(
        check_with("bootstrap.servers=b:1\nsecurity.protocol=PLAINTEXT\nssl.truststore.location=/ca.pem\n", GOOD),
        Validation::default()
    );
}

#[test]
fn a_file_without_one_known_key_is_an_error_that_says_what_is_read() {
    let spring = "server.port=8080\nspring.application.name=x\n";
    let report = lines(&check(spring).problems);
    assert_eq!(report.len(), 1, "{report:#?}");
    assert!(
        report[0].starts_with("s3.properties: no key of a connector or a worker is in this file; connector files are"),
        "{report:?}"
    );
    let worker = properties::parse(spring.as_bytes(), "worker.properties").unwrap();
    assert_eq!(validate_worker(&fake::plugins(), &worker).problems.len(), 1);
    assert!(lines(&check("flush.sise=1\n").problems).len() > 1, "a slip is no other file");
}

#[test]
fn a_placeholder_is_an_error_where_it_cannot_be_a_value_and_one_line_in_any_case() {
    let bucket = check(&GOOD.replace("s3.bucket.name=b", "s3.bucket.name=your-bucket"));
    assert!(bucket.problems.is_empty());
    assert_eq!(lines(&bucket.warnings), ["s3.properties:5: s3.bucket.name still has a placeholder, your-bucket: fill it in"]);
    for (written, filled) in [("flush.size=1", "flush.size=${SIZE}"), ("topics=a", "topics=<your topic>"), ("FakeSink", "$CLASS")] {
        let validation = check(&GOOD.replace(written, filled));
        let report = lines(&validation.problems);
        assert_eq!((report.len(), validation.warnings.len()), (1, 0), "{report:#?} {:?}", validation.warnings);
        assert!(report[0].contains(" still has a placeholder, "), "{report:?}");
    }
    let referred = check(&GOOD.replace("flush.size=1", "flush.size=${file:/a:b}"));
    assert_eq!(lines(&referred.problems).len(), 1, "{referred:?}");
    let unknown = check(&format!("{GOOD}table.name.format=${{topic}}\n"));
    assert_eq!(lines(&unknown.warnings), ["s3.properties:8: table.name.format changes nothing here: it is for the JDBC connector"]);
}

#[test]
fn a_key_that_nobody_knows_may_be_one_of_a_class_that_is_not_built_in() {
    let foreign = format!("{GOOD}format.class=org.example.OwnFormat\nown.key=1\nflush.sise=1\n");
    let warnings = lines(&check(&foreign).warnings);
    let of_class = "s3.properties:9: own.key changes nothing here: it may be a key of org.example.OwnFormat, which is not built in";
    let slip = "s3.properties:10: unknown key flush.sise, it changes nothing (did you mean `flush.size`?)";
    assert_eq!(warnings, [of_class, slip]);
    assert_eq!(lines(&check(&format!("{GOOD}own.key=1\n")).warnings), ["s3.properties:8: unknown key own.key, it changes nothing"]);
}

#[test]
fn a_value_in_quotes_is_an_error_where_it_cannot_be_one_and_a_real_class_is_found_in_them() {
    for (written, quoted) in
        [("FakeSink", "\"com.example.FakeSinkConnector\""), ("topics=a", "topics=\"a\""), ("flush.size=1", "flush.size=\"1\"")]
    {
        let validation = check(&GOOD.replace(written, quoted));
        let report = lines(&validation.problems);
        assert_eq!((report.len(), validation.warnings.len()), (1, 0), "{report:#?} {:?}", validation.warnings);
        assert!(report[0].ends_with(": the quotes are a part of the value: write it without them"), "{report:?}");
    }
    let validation = check(&GOOD.replace("s3.bucket.name=b", "s3.bucket.name=\"b\""));
    assert_eq!(
        lines(&validation.warnings),
        ["s3.properties:5: s3.bucket.name: the quotes are a part of the value: write it without them"]
    );
}

#[test]
fn keys_of_source_connectors_and_of_storage_classes_are_told_from_slips() {
    for key in ["exactly.once.support", "offsets.storage.topic", "transaction.boundary", "transaction.boundary.interval.ms"] {
        let said = lines(&check(&format!("{GOOD}{key}=x\n")).warnings);
        assert_eq!(said, [format!("s3.properties:8: {key} changes nothing here: it is for source connectors")]);
    }
    let said = lines(&check(&format!("{GOOD}s3.storage.class=STANDARD_IA\n")).warnings);
    assert!(said.len() == 1 && said[0].contains("a lifecycle rule") && !said[0].contains("did you mean"), "{said:?}");
}

#[test]
fn what_people_call_the_dead_letter_queue_and_the_topics_is_known() {
    for (key, meant) in [
        ("errors.deadletterqueue.topic", "errors.deadletterqueue.topic.name"),
        ("errors.deadletterqueue.name", "errors.deadletterqueue.topic.name"),
        ("errors.dlq.topic.name", "errors.deadletterqueue.topic.name"),
        ("dead.letter.queue.topic.name", "errors.deadletterqueue.topic.name"),
        ("topics.list", "topics"),
    ] {
        let said = lines(&check(&format!("{GOOD}{key}=x\n")).warnings);
        assert!(said.len() == 1 && said[0].ends_with(&format!("(did you mean `{meant}`?)")), "{said:?}");
    }
}

#[test]
fn an_example_of_a_number_is_one_that_does_something() {
    let said = lines(&check(&format!("{GOOD}rotate.schedule.interval.ms=10 minutes\n")).problems);
    assert!(said.len() == 1 && said[0].ends_with("such as 600000 for ten minutes"), "{said:?}");
}
