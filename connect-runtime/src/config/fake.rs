//! A small sink with its converters and formats, for tests.

use bytes::Bytes;
use connect_api::{
    Converter, Destination, Error, Format, HeaderConverter, Plugin, Plugins, Predicate, RawHeader, RecordView, RecordWriter,
    Result, SinkConnector, SinkRecord, SinkTask, Transformation,
    config::{Config, ConfigDef, ConfigKey, PluginKind, Problem, Problems, Secret},
    data::Data,
};

/// All of this module.
pub(crate) fn plugins() -> Plugins {
    Plugins::default()
        .sink_connector::<FakeSink>()
        .converter::<FakeConverter>()
        .converter::<FakeStringConverter>()
        .header_converter::<FakeHeaderConverter>()
        .format::<JsonFormat>()
        .format::<ByteArrayFormat>()
        .transformation::<Unchanged>()
        .predicate::<TopicIs>()
}

static FLUSH_SIZE: ConfigKey<i32> = ConfigKey::required("flush.size", "Records in a file. More is better.").unit("records");
static BUCKET: ConfigKey<String> = ConfigKey::required("s3.bucket.name", "The bucket.");
static SECRET: ConfigKey<Secret> = ConfigKey::optional("aws.secret.access.key", "The secret key.")
    .check(|secret: &Secret| if secret.expose().len() > 40 { Err("too long".to_owned()) } else { Ok(()) });
static FORMAT: ConfigKey<String> =
    ConfigKey::with_default("format.class", "com.example.JsonFormat", "The file format.").plugin(PluginKind::Format);
static SCHEDULE: ConfigKey<i64> =
    ConfigKey::with_default("rotate.schedule.interval.ms", "-1", "Time between cuts.").unit("milliseconds");
static PART_RETRIES: ConfigKey<i32> =
    ConfigKey::optional("s3.part.retries", "Tries of an upload.").no_effect("uploads are tried again for ever");

pub(crate) struct FakeSink;

impl Plugin for FakeSink {
    const NAME: &'static str = "com.example.FakeSinkConnector";
    const DOCUMENTATION: &'static str = "Writes nowhere.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Fake sink", &[&FLUSH_SIZE, &BUCKET, &SECRET, &FORMAT, &SCHEDULE, &PART_RETRIES])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl SinkConnector for FakeSink {
    fn validate(&self, config: &Config, _plugins: &Plugins) -> Problems {
        let mut problems = Problems::default();
        if config.text("s3.bucket.name") == Some("taken") {
            problems.push(Problem::of_key("s3.bucket.name", "the bucket is taken"));
        }
        problems
    }

    fn warnings(&self, config: &Config, _plugins: &Plugins) -> Problems {
        let mut warnings = Problems::default();
        if config.text("s3.bucket.name") == Some("public") {
            warnings.push(Problem::of_key("s3.bucket.name", "everybody reads the bucket"));
        }
        warnings
    }

    fn destinations(&self, config: &Config, _plugins: &Plugins) -> Vec<Destination> {
        let place = config.text("sink.place").filter(|place| !place.is_empty());
        place.map(|place| Destination { place: place.to_owned(), key: "sink.place" }).into_iter().collect()
    }

    fn task(&self, _config: &Config, _plugins: &Plugins) -> Result<Box<dyn SinkTask>> {
        Err(Error::config("a fake has no tasks"))
    }
}

static SCHEMAS_ENABLE: ConfigKey<bool> = ConfigKey::with_default("schemas.enable", "true", "Whether values bring a schema.");

pub(crate) struct FakeConverter;

impl Plugin for FakeConverter {
    const NAME: &'static str = "org.apache.kafka.connect.json.JsonConverter";
    const DOCUMENTATION: &'static str = "Refuses all.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Fake converter", &[&SCHEMAS_ENABLE])
    }

    fn configure(config: &Config) -> Result<Self> {
        match (config.get(&SCHEMAS_ENABLE)?, config.text("converter.type")) {
            (true, Some("key")) => Err(Error::config("keys bring no schema")),
            _ => Ok(Self),
        }
    }
}

impl Converter for FakeConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Result<Data> {
        Err(Error::data("refused"))
    }
}

pub(crate) struct FakeStringConverter;

impl Plugin for FakeStringConverter {
    const NAME: &'static str = "org.apache.kafka.connect.storage.StringConverter";
    const DOCUMENTATION: &'static str = "Refuses all.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Fake string converter", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl Converter for FakeStringConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Result<Data> {
        Err(Error::data("refused"))
    }
}

pub(crate) struct FakeHeaderConverter;

impl Plugin for FakeHeaderConverter {
    const NAME: &'static str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    const DOCUMENTATION: &'static str = "Refuses all.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Fake header converter", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl HeaderConverter for FakeHeaderConverter {
    fn to_connect_header(&self, _topic: &str, _name: &str, _bytes: Option<&Bytes>) -> Result<Data> {
        Err(Error::data("refused"))
    }
}

static EXTENSION: ConfigKey<String> = ConfigKey::optional("format.bytearray.extension", "The extension.");

macro_rules! format {
    ($type:ident, $name:literal, $keys:expr) => {
        pub(crate) struct $type;

        impl Plugin for $type {
            const NAME: &'static str = $name;
            const DOCUMENTATION: &'static str = "Holds nothing.";

            fn config_def() -> ConfigDef {
                ConfigDef::new(stringify!($type), $keys)
            }

            fn configure(_config: &Config) -> Result<Self> {
                Ok(Self)
            }
        }

        impl Format for $type {
            fn extension(&self) -> &str {
                ".x"
            }

            fn allows_stream_compression(&self) -> bool {
                true
            }

            fn record_writer(&self, _view: RecordView) -> Result<Box<dyn RecordWriter>> {
                Err(Error::fatal("a fake writes nothing"))
            }
        }
    };
}

format!(JsonFormat, "com.example.JsonFormat", &[]);
format!(ByteArrayFormat, "com.example.ByteArrayFormat", &[&EXTENSION]);

static FIELD: ConfigKey<String> = ConfigKey::required("field", "The field.");

pub(crate) struct Unchanged;

impl Plugin for Unchanged {
    const NAME: &'static str = "com.example.Unchanged";
    const DOCUMENTATION: &'static str = "Changes nothing.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Unchanged", &[&FIELD])
    }

    fn configure(config: &Config) -> Result<Self> {
        config.get(&FIELD).map(|_| Self)
    }
}

impl Transformation for Unchanged {
    fn apply(&self, record: SinkRecord) -> Result<Option<SinkRecord>> {
        Ok(Some(record))
    }
}

static TOPIC: ConfigKey<String> = ConfigKey::required("topic", "The topic.");

pub(crate) struct TopicIs(String);

impl Plugin for TopicIs {
    const NAME: &'static str = "com.example.TopicIs";
    const DOCUMENTATION: &'static str = "Holds of records of one topic.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TopicIs", &[&TOPIC])
    }

    fn configure(config: &Config) -> Result<Self> {
        config.get(&TOPIC).map(Self)
    }
}

impl Predicate for TopicIs {
    fn test(&self, record: &SinkRecord) -> Result<bool> {
        Ok(*record.topic == *self.0)
    }
}
