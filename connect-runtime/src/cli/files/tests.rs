use super::*;
use crate::config::fake;

struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("connect-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn with(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

const CONNECTOR_FILE: &str = "connector.class=FakeSink\ntopics=a\nflush.size=1\ns3.bucket.name=b\n";

fn check(files: &[PathBuf], options: &Options) -> Result<Checked, Refused> {
    Loaded::read(Purpose::Run, files, options)?.check(&fake::plugins(), false)
}

fn brokers() -> Options {
    Options { bootstrap_servers: Some("b:1".to_owned()), ..Options::default() }
}

#[test]
fn the_first_file_is_the_worker_s() {
    let files = Files::new("worker");
    let worker = files.with("worker.properties", "bootstrap.servers=w:1\nkey.converter=String\nvalue.converter=Json\n");
    let connector = files.with("s3.properties", &format!("name=mine\n{CONNECTOR_FILE}"));
    let checked = check(&[worker, connector], &Options::default()).unwrap();
    assert_eq!(checked.worker.bootstrap_servers, "w:1");
    assert_eq!(checked.connectors[0].text("name"), Some("mine"));
}

#[test]
fn with_brokers_every_file_is_a_connector_s_and_is_called_as_the_file_is() {
    let files = Files::new("brokers");
    let paths = [files.with("one.properties", CONNECTOR_FILE), files.with("two.properties", CONNECTOR_FILE)];
    let checked = check(&paths, &brokers()).unwrap();
    let names: Vec<_> = checked.connectors.iter().map(|connector| connector.text("name")).collect();
    assert_eq!(names, [Some("one"), Some("two")]);
    assert_eq!(checked.worker.bootstrap_servers, "b:1");
    assert_eq!(checked.worker.raw.text("value.converter"), Some("org.apache.kafka.connect.storage.StringConverter"));
}

#[test]
fn options_take_the_place_of_keys() {
    let files = Files::new("options");
    let client = files.with("client.properties", "security.protocol=SSL\n");
    let options = Options {
        command_config: Some(client),
        metrics_addr: Some("127.0.0.1:9".to_owned()),
        memory: Some("64M".to_owned()),
        name: Some("other".to_owned()),
        ..brokers()
    };
    let checked = check(&[files.with("s3.properties", CONNECTOR_FILE)], &options).unwrap();
    assert_eq!(checked.worker.listeners[0].address(), "127.0.0.1:9");
    assert_eq!(checked.worker.memory, Some(64 << 20));
    assert_eq!(checked.worker.raw.text("consumer.security.protocol"), Some("SSL"));
    assert_eq!(checked.connectors[0].text("name"), Some("other"));
}

#[test]
fn an_option_s_mistake_is_named_after_the_option() {
    let files = Files::new("option");
    let options = Options { memory: Some("lots".to_owned()), ..brokers() };
    let refused = check(&[files.with("s3.properties", CONNECTOR_FILE)], &options).unwrap_err();
    assert!(refused.text().starts_with("error: --memory: Invalid value lots for configuration memory.limit"), "{}", refused.text());
    assert_eq!(refused.exit_code(), WORKER);
}

#[test]
fn a_connector_file_in_the_worker_s_place_is_recognised() {
    let files = Files::new("place");
    let refused = check(&[files.with("s3.properties", CONNECTOR_FILE)], &Options::default()).unwrap_err();
    assert!(refused.text().contains("s3.properties:1: this is a connector's file"), "{}", refused.text());
}

#[test]
fn a_connector_file_is_recognised_though_its_class_is_misspelt() {
    let files = Files::new("misspelt");
    let path = [files.with("s3.properties", &CONNECTOR_FILE.replace("connector.class", "conector.class"))];
    let refused = Loaded::read(Purpose::Check, &path, &Options::default()).unwrap().check(&fake::plugins(), false).unwrap_err();
    assert!(refused.text().contains("conector.class, it changes nothing (did you mean `connector.class`?)"), "{}", refused.text());
    assert_eq!(refused.exit_code(), CONNECTOR);
    let refused = check(&path, &Options::default()).unwrap_err();
    assert!(refused.text().contains("s3.properties:2: this is a connector's file"), "{}", refused.text());
}

#[test]
fn a_worker_file_without_brokers_may_come_before_connectors() {
    let files = Files::new("msk-worker");
    let worker = files.with("worker.properties", "key.converter=String\nvalue.converter=Json\noffset.flush.interval.ms=7000\n");
    let checked = check(&[worker, files.with("s3.properties", CONNECTOR_FILE)], &brokers()).unwrap();
    assert_eq!((checked.connectors.len(), checked.worker.bootstrap_servers.as_str()), (1, "b:1"));
    assert_eq!(checked.worker.raw.text("value.converter"), Some("Json"));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_lends_no_name() {
    let files = Files::new("pipe");
    let pipe = files.0.join("63");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = |content: String| {
        let (pipe, from) = (pipe.clone(), [pipe.clone()]);
        let writer = std::thread::spawn(move || std::fs::write(pipe, content).unwrap());
        let loaded = Loaded::read(Purpose::Check, &from, &Options::default());
        writer.join().unwrap();
        loaded
    };
    assert_eq!(read(format!("name=mine\n{CONNECTOR_FILE}")).unwrap().connectors[0].text("name"), Some("mine"));
    let refused = read(CONNECTOR_FILE.to_owned()).unwrap_err();
    assert!(refused.text().contains("give it one with --name"), "{}", refused.text());
}

#[test]
fn a_connector_file_alone_can_be_checked() {
    let files = Files::new("connector-alone");
    let path = [files.with("s3.properties", CONNECTOR_FILE)];
    let loaded = Loaded::read(Purpose::Check, &path, &Options::default()).unwrap();
    assert_eq!(loaded.check(&fake::plugins(), false).unwrap().connectors.len(), 1);
}

#[test]
fn a_worker_file_alone_can_be_checked_but_not_run() {
    let files = Files::new("alone");
    let worker = [files.with("worker.properties", "bootstrap.servers=w:1\n")];
    assert!(check(&worker, &Options::default()).unwrap().connectors.is_empty());
    let refused = Loaded::read(Purpose::Run, &worker, &Options::default()).unwrap().has_connectors().unwrap_err();
    assert_eq!(refused.exit_code(), USAGE);
}

#[test]
fn all_files_that_cannot_be_read_are_named() {
    let files = Files::new("unreadable");
    let broken = files.with("broken.properties", "a=\\u12\n");
    let refused = check(&[broken, files.0.join("missing.json")], &brokers()).unwrap_err();
    assert!(refused.text().contains("broken.properties:1: Malformed \\uxxxx encoding"), "{}", refused.text());
    assert!(refused.text().contains("missing.json: there is no such file"), "{}", refused.text());
    assert_eq!(refused.exit_code(), CONNECTOR);
}

#[test]
fn two_connectors_of_one_name_are_refused() {
    let files = Files::new("names");
    let paths =
        [files.with("one.properties", CONNECTOR_FILE), files.with("two.properties", &format!("name=one\n{CONNECTOR_FILE}"))];
    let refused = check(&paths, &brokers()).unwrap_err();
    assert!(refused.text().contains("two.properties:1: Connector one already exists"), "{}", refused.text());
    let blank = [paths[0].clone(), files.with("three.properties", &format!("name=one \n{CONNECTOR_FILE}"))];
    assert!(check(&blank, &brokers()).unwrap_err().text().contains("Connector one already exists"));
}

#[test]
fn strict_refuses_warnings() {
    let files = Files::new("strict");
    let path = files.with("s3.properties", &format!("{CONNECTOR_FILE}flush.sise=1\n"));
    let loaded = Loaded::read(Purpose::Run, std::slice::from_ref(&path), &brokers()).unwrap();
    assert_eq!(loaded.check(&fake::plugins(), false).unwrap().warnings.len(), 1);
    let loaded = Loaded::read(Purpose::Run, &[path], &brokers()).unwrap();
    let refused = loaded.check(&fake::plugins(), true).unwrap_err();
    assert!(refused.text().ends_with("1 error, 0 warnings"), "{}", refused.text());
}

#[test]
fn a_report_for_programs_names_file_line_key_and_suggestion() {
    let files = Files::new("json");
    let path = files.with("s3.properties", "connector.class=FakeSink\ntopics=a\nflush.sise=1\ns3.bucket.name=b\n");
    let refused = check(std::slice::from_ref(&path), &brokers()).unwrap_err();
    let report: serde_json::Value = serde_json::from_str(&refused.report(crate::cli::Output::Json)).unwrap();
    assert_eq!(report["valid"], false);
    let near = report["problems"].as_array().unwrap().iter().find(|problem| problem["key"] == "flush.sise").unwrap();
    assert_eq!(near["severity"], "warning");
    assert_eq!(near["file"], path.display().to_string());
    assert_eq!((&near["line"], &near["suggestion"]), (&3.into(), &"flush.size".into()));
}

#[test]
fn a_truncated_json_file_is_a_broken_connector_and_not_a_worker() {
    let files = Files::new("truncated");
    let path = [files.with("sink.json", "{\"name\":\"j\",")];
    let refused = Loaded::read(Purpose::Check, &path, &Options::default()).err().unwrap();
    assert!(format!("{refused:?}").contains("JSON"), "{refused:?}");
}

#[test]
fn a_malformed_file_is_refused_as_whose_it_looks_in_every_form() {
    let files = Files::new("malformed");
    let code = |paths: &[PathBuf], options: &Options| {
        let loaded = Loaded::read(Purpose::Check, paths, options);
        loaded.and_then(|loaded| loaded.check(&fake::plugins(), false).map(drop)).unwrap_err().exit_code()
    };
    for (name, content) in [
        ("a.properties", "topics=a\nname=\\u12\n"),
        ("a.toml", "topics = \"a\"\nname = {\n"),
        ("a.json", "{\"topics\": \"a\",\n"),
        ("a.yaml", "topics: a\nname: {x}/y\n"),
        ("b.properties", "name=\\u12\n"),
        ("b.toml", "name = {\n"),
        ("b.json", "{\"name\": \"a\",\n"),
        ("b.yaml", "name: {x}/y\n"),
    ] {
        let path = [files.with(name, content)];
        for options in [Options::default(), brokers()] {
            assert_eq!(code(&path, &options), CONNECTOR, "{name}");
        }
    }
    let connector = files.with("s3.properties", CONNECTOR_FILE);
    for (name, content) in [
        ("worker.properties", "bootstrap.servers=a:1\nkey.converter=\\u12\n"),
        ("worker.toml", "\"bootstrap.servers\" = \"a:1\"\nx = {\n"),
    ] {
        let worker = files.with(name, content);
        for options in [Options::default(), brokers()] {
            assert_eq!(code(std::slice::from_ref(&worker), &options), WORKER, "{name}");
            assert_eq!(code(&[worker.clone(), connector.clone()], &options), WORKER, "{name}");
        }
    }
}

const RESOURCE: &str = "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\nmetadata:\n  name: one\nspec:\n  class: FakeSink\n  config:\n    \
                        topics: a\n    flush.size: 1\n    s3.bucket.name: b\n";

#[test]
fn a_file_of_several_resources_is_several_connectors_and_what_is_left_out_is_said() {
    let files = Files::new("resources");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys\n";
    let path = files.with("all.yaml", &format!("{RESOURCE}---\n{}---\n{secret}", RESOURCE.replace("one", "two")));
    let checked = check(std::slice::from_ref(&path), &brokers()).unwrap();
    let names: Vec<_> = checked.connectors.iter().map(|connector| connector.text("name")).collect();
    assert_eq!(names, [Some("one"), Some("two")]);
    for warnings in [&checked.warnings, &checked.unlogged] {
        assert!(warnings.to_string().contains("all.yaml:23: Secret keys is left out"), "{warnings}");
    }
    let strict =
        Loaded::read(Purpose::Check, std::slice::from_ref(&path), &Options::default()).unwrap().check(&fake::plugins(), true);
    assert_eq!(strict.unwrap_err().exit_code(), CONNECTOR);
    let named = check(&[path], &Options { name: Some("x".to_owned()), ..brokers() }).unwrap_err();
    assert!(named.text().contains("--name is for one connector, and there are several"), "{}", named.text());
}

#[test]
fn resources_of_one_name_are_refused_with_both_places() {
    let files = Files::new("resource-names");
    let path = files.with("all.yaml", &format!("{RESOURCE}---\n{RESOURCE}"));
    let refused = check(std::slice::from_ref(&path), &brokers()).unwrap_err().text();
    let file = path.display();
    assert!(refused.contains(&format!("{file}:15: Connector one already exists: {file}:4 has this name, too")), "{refused}");
}

#[test]
fn a_resource_alone_can_be_checked_and_is_no_worker_s_file() {
    let files = Files::new("resource-alone");
    let path = [files.with("s3.yaml", RESOURCE)];
    let loaded = Loaded::read(Purpose::Check, &path, &Options::default()).unwrap();
    assert_eq!(loaded.check(&fake::plugins(), false).unwrap().connectors.len(), 1);
    let refused = check(&path, &Options::default()).unwrap_err();
    assert!(refused.text().contains("s3.yaml: a worker's file is Java properties or TOML, not YAML"), "{}", refused.text());
    assert_eq!(refused.exit_code(), WORKER);
}

#[test]
fn a_key_that_a_worker_s_file_sets_twice_is_warned_of() {
    let files = Files::new("worker-twice");
    let worker = files
        .with("worker.properties", "bootstrap.servers=a:1\nkey.converter=String\nvalue.converter=Json\nbootstrap.servers=b:1\n");
    let checked = check(&[worker, files.with("s3.properties", CONNECTOR_FILE)], &Options::default()).unwrap();
    assert_eq!(checked.worker.bootstrap_servers, "b:1");
    assert!(
        checked.unlogged.to_string().contains("worker.properties:4: bootstrap.servers is set on line 1 as well"),
        "{}",
        checked.unlogged
    );
}

#[test]
fn a_file_of_something_else_is_refused_alone_and_after_a_worker_s() {
    let files = Files::new("something-else");
    let path = [files.with("application.properties", "server.port=8080\n")];
    for options in [Options::default(), brokers()] {
        let loaded = Loaded::read(Purpose::Check, &path, &options).unwrap();
        let refused = loaded.check(&fake::plugins(), false).unwrap_err().text();
        assert!(refused.contains("application.properties: no key of a connector or a worker is in this file"), "{refused}");
    }
    let empty = [files.with("empty.properties", "# later\n")];
    assert!(Loaded::read(Purpose::Check, &empty, &brokers()).unwrap_err().text().contains("there is nothing in this file"));
}

#[test]
fn a_worker_s_file_in_a_connector_s_place_is_recognised() {
    let files = Files::new("second");
    let connector = files.with("s3.properties", CONNECTOR_FILE);
    for (name, content) in [
        ("worker.properties", "bootstrap.servers=w:1\nkey.converter=String\n"),
        ("worker.yaml", "bootstrap.servers: w:1\ngroup.id: connect\n"),
        ("worker.json", "{\"bootstrap.servers\": \"w:1\"}"),
    ] {
        let paths = [connector.clone(), files.with(name, content)];
        let refused = check(&paths, &brokers()).unwrap_err().text();
        assert!(refused.contains(&format!("{name}:1: this is a worker's file")), "{refused}");
    }
}

#[test]
fn a_worker_s_file_with_nothing_in_it_is_named() {
    let files = Files::new("nothing");
    let paths = [files.with("worker.properties", "# all by default\n"), files.with("s3.properties", CONNECTOR_FILE)];
    let options = Options { bootstrap_servers: None, ..Options::default() };
    let said = match check(&paths, &options) {
        Ok(checked) => checked.warnings.to_string(),
        Err(refused) => refused.text(),
    };
    assert!(said.contains("worker.properties: there is nothing in this file"), "{said}");
    let alone = Loaded::read(Purpose::Check, &paths[..1], &options).unwrap_err();
    assert!(alone.text().contains("worker.properties: there is nothing in this file"), "{}", alone.text());
}

#[test]
fn a_client_s_file_that_is_none_is_refused_and_a_placeholder_in_one_is_named_once() {
    let files = Files::new("client");
    let connector = files.with("s3.properties", CONNECTOR_FILE);
    let with = |name: &str, content: &str| {
        let options = Options { command_config: Some(files.with(name, content)), ..brokers() };
        check(std::slice::from_ref(&connector), &options)
    };
    assert!(with("client.json", "{}").unwrap_err().text().contains("client.json: a client's file is Java properties or TOML"));
    assert!(with("other.properties", CONNECTOR_FILE).unwrap_err().text().contains("this is a connector's file"));
    let warnings = with("client.properties", "security.protocol=SSL\nssl.key.password=<password>\n").unwrap().warnings.to_string();
    assert!(warnings.contains("client.properties:2: ssl.key.password still has a placeholder"), "{warnings}");
    assert_eq!(warnings.matches("placeholder").count(), 1, "{warnings}");
}

#[test]
fn connectors_in_one_group_are_named() {
    let files = Files::new("groups");
    let with = |name: &str| files.with(name, &format!("{CONNECTOR_FILE}consumer.override.group.id=g\n"));
    let checked = check(&[with("one.properties"), with("two.properties")], &brokers()).unwrap();
    for warnings in [&checked.warnings, &checked.unlogged] {
        assert!(warnings.to_string().contains("two.properties:5: connectors one and two read a in one consumer group, g"));
    }
}
