//! Classes that people's files name and that are not here: what to say of them, and what to do until then.

use connect_api::{
    Plugins,
    config::{Entry, PluginKind, Problem},
    plugins::{self, PluginEntry},
};

use super::nearest;

/// Classes of one family, and what an operator does while they are missing.
struct Family {
    kind: Kind,
    /// Their packages, or what else their names begin with.
    begins: &'static str,
    /// The classes themselves, without `$Key` and `$Value`; empty for all that begin like this.
    classes: &'static [&'static str],
    until_then: &'static str,
}

/// What kinds of plugins may have these classes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connector,
    /// Of keys, values and headers.
    Converter,
    Transformation,
    Predicate,
    Partitioner,
    TimestampExtractor,
    Format,
}

const JSON: &str = "until then write JSON with io.confluent.connect.s3.format.json.JsonFormat, and convert it where it is read";
const BYTES: &str = "until then keep the bytes as they are, with org.apache.kafka.connect.converters.ByteArrayConverter and \
                     io.confluent.connect.s3.format.bytearray.ByteArrayFormat, and decode them where they are read";
const LEAVE_OUT: &str = "until then take it out of `transforms`, and change the records where they are read";
const OTHER_CONNECTOR: &str = "it is another connector, with keys of its own: write a file for io.confluent.connect.s3.S3SinkConnector, whose \
                               keys `connect config-reference` lists";

const CONFLUENT_CLOUD: &str = "it is the connector that Confluent Cloud runs, with keys of its own (input.data.format, time.interval): write a file \
                               for io.confluent.connect.s3.S3SinkConnector, whose keys `connect config-reference` lists";

static FAMILIES: &[Family] = &[
    Family {
        kind: Kind::Format,
        begins: "io.confluent.connect.s3.format.",
        classes: &["avro.AvroFormat", "parquet.ParquetFormat"],
        until_then: JSON,
    },
    Family {
        kind: Kind::Converter,
        begins: "io.confluent.connect.",
        classes: &["protobuf.ProtobufConverter", "json.JsonSchemaConverter"],
        until_then: BYTES,
    },
    Family { kind: Kind::Converter, begins: "com.amazonaws.services.schemaregistry.", classes: &[], until_then: BYTES },
    Family { kind: Kind::Converter, begins: "io.apicurio.registry.", classes: &[], until_then: BYTES },
    Family { kind: Kind::Converter, begins: "com.blueapron.connect.protobuf.", classes: &[], until_then: BYTES },
    Family { kind: Kind::Converter, begins: "io.debezium.converters.", classes: &[], until_then: BYTES },
    Family { kind: Kind::Converter, begins: "io.confluent.kafka.serializers.", classes: &[], until_then: BYTES },
    Family { kind: Kind::Transformation, begins: "io.debezium.transforms.", classes: &[], until_then: LEAVE_OUT },
    Family { kind: Kind::Transformation, begins: "io.debezium.connector.", classes: &[], until_then: LEAVE_OUT },
    Family { kind: Kind::Transformation, begins: "io.aiven.kafka.connect.transforms.", classes: &[], until_then: LEAVE_OUT },
    Family { kind: Kind::Transformation, begins: "io.confluent.connect.transforms.", classes: &[], until_then: LEAVE_OUT },
    Family { kind: Kind::Connector, begins: "", classes: &["S3_SINK"], until_then: CONFLUENT_CLOUD },
    Family {
        kind: Kind::Connector,
        begins: "",
        classes: &["JdbcSinkConnector", "JdbcSink", "FileStreamSinkConnector", "FileStreamSink", "S3SourceConnector", "S3Source"],
        until_then: OTHER_CONNECTOR,
    },
    Family { kind: Kind::Connector, begins: "io.confluent.connect.s3.source.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "io.aiven.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "io.lenses.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "com.datamountaineer.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "org.apache.camel.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "io.debezium.connector.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "org.apache.kafka.connect.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "org.apache.iceberg.", classes: &[], until_then: OTHER_CONNECTOR },
    Family { kind: Kind::Connector, begins: "io.tabular.", classes: &[], until_then: OTHER_CONNECTOR },
];

/// Of more classes of a kind a message does not name all.
const MOST_NAMED: usize = 20;

/// What is wrong with the class in this entry, if it names no plugin of `known`.
pub(super) fn class_problem<C: ?Sized>(
    key: &str,
    entry: &Entry,
    kind: PluginKind,
    known: &[PluginEntry<C>],
    plugins: &Plugins,
) -> Option<Problem> {
    let class = entry.value.trim();
    let error = plugins::find(known, class).err()?;
    if let Some(is) = other_kind(class, kind, plugins) {
        let names: Vec<_> = known.iter().map(|entry| entry.name).collect();
        let wanted = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let message = format!("{key}: {class} is {is}, and {} is wanted here{wanted}", word(kind.into()));
        return Some(Problem::of_key(key, message).at(entry.origin.clone()));
    }
    // A transform of keys and of values is named without saying which.
    let variants: Vec<_> =
        ["$Key", "$Value"].iter().filter_map(|variant| plugins::find(known, &format!("{class}{variant}")).ok()).collect();
    if kind == PluginKind::Transformation
        && let [of_keys, of_values] = variants[..]
    {
        let message = format!("{key}: {class} is one of keys or one of values: there are {} and {}", of_keys.name, of_values.name);
        return Some(Problem::of_key(key, message).at(entry.origin.clone()).suggest(of_values.name));
    }
    if let Some(until_then) = until_then(kind.into(), class) {
        return Some(Problem::of_key(key, format!("{key}: {class} is not supported yet; {until_then}")).at(entry.origin.clone()));
    }
    // A name in a package that is known is a slip rather than another class.
    let is_in_known_package = known.iter().any(|entry| package(entry.name) == package(class));
    if is_foreign_class(class) && !is_in_known_package {
        if kind == PluginKind::SinkConnector {
            let message = format!("{key}: {class} is not built in, and Java classes are not loaded; {OTHER_CONNECTOR}");
            return Some(Problem::of_key(key, message).at(entry.origin.clone()));
        }
        if matches!(kind, PluginKind::Converter | PluginKind::HeaderConverter) {
            let message = format!(
                "{key}: {class} is not built in, and Java classes are not loaded; {BYTES}; or write it in Rust as a plugin"
            );
            return Some(Problem::of_key(key, message).at(entry.origin.clone()));
        }
        let names: Vec<_> = known.iter().map(|entry| entry.name).collect();
        let instead = match names.len() {
            0 => "leave it out".to_owned(),
            1..=MOST_NAMED => format!("use {}", names.join(" or ")),
            _ => "use one that `connect plugins` lists".to_owned(),
        };
        let message =
            format!("{key}: {class} is not built in, and Java classes are not loaded: {instead}, or write it in Rust as a plugin");
        return Some(Problem::of_key(key, message).at(entry.origin.clone()));
    }
    let mut problem = Problem::of_entry(key, entry, false, &error);
    if known.len() > MOST_NAMED
        && let Some((refused, _)) = problem.message.split_once(" Known: ")
    {
        problem.message = format!("{refused} `connect plugins` lists those that there are.");
    }
    Some(nearest::unknown_class(problem, class, known))
}

/// What a class is that is one of another kind, here or on the JVM.
fn other_kind(class: &str, wanted: PluginKind, plugins: &Plugins) -> Option<&'static str> {
    // By its full name: simple ones may mean something of each kind.
    if !class.contains('.') {
        return None;
    }
    let is_wanted = |kind: Kind| kind == wanted.into();
    if let Some(plugin) = plugins.describe().iter().find(|plugin| plugin.names.contains(&class)) {
        // Those for headers and those for the rest are mostly the same on the JVM.
        let is_other = !is_wanted(plugin.kind.into()) || plugin.kind == PluginKind::HeaderConverter;
        return is_other
            .then(|| if is_wanted(plugin.kind.into()) { "a converter of headers alone" } else { word(plugin.kind.into()) });
    }
    let begins = |starts: &[&str]| starts.iter().any(|start| class.starts_with(start));
    let ours = begins(&["io.confluent.connect.", "org.apache.kafka.connect."]);
    let ends = |end: &str| simple(class).rsplit('$').next().is_some_and(|name| name.ends_with(end));
    let (is, kind) = match () {
        () if begins(&["org.apache.kafka.connect.transforms.predicates."]) => (word(Kind::Predicate), Some(Kind::Predicate)),
        () if begins(&["org.apache.kafka.common.serialization."]) => ("a serializer of Kafka clients", None),
        () if begins(&["io.confluent.connect.storage.hive.schema.", "io.confluent.connect.storage.schema."]) => {
            ("of schemas", None)
        }
        () if begins(&["org.apache.kafka.connect.transforms."]) && wanted != PluginKind::Predicate => {
            (word(Kind::Transformation), Some(Kind::Transformation))
        }
        () if ours && ends("Storage") => ("a storage", None),
        () if ours && ends("Converter") && !class.contains(".transforms.") => (word(Kind::Converter), Some(Kind::Converter)),
        () if ours && ends("Format") => (word(Kind::Format), Some(Kind::Format)),
        () if ours && ends("Partitioner") => (word(Kind::Partitioner), Some(Kind::Partitioner)),
        () if ours && ends("TimestampExtractor") => (word(Kind::TimestampExtractor), Some(Kind::TimestampExtractor)),
        () if ours && ends("Connector") => (word(Kind::Connector), Some(Kind::Connector)),
        () => return None,
    };
    (!kind.is_some_and(is_wanted)).then_some(is)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Connector => "a connector",
        Kind::Converter => "a converter",
        Kind::Transformation => "a transform",
        Kind::Predicate => "a predicate of transforms",
        Kind::Partitioner => "a partitioner",
        Kind::TimestampExtractor => "a timestamp extractor",
        Kind::Format => "a format",
    }
}

/// What to do while a class is missing that Confluent, Apache or a well-known third party has.
fn until_then(kind: Kind, class: &str) -> Option<&'static str> {
    let outer = class.strip_suffix("$Key").or_else(|| class.strip_suffix("$Value")).unwrap_or(class);
    let is_named = |family: &&Family| {
        let full = outer.strip_prefix(family.begins);
        full.is_some_and(|name| family.classes.is_empty() || family.classes.contains(&name))
            // Converters and transforms may be called by their simple names.
            || family.takes_simple_names() && family.classes.iter().any(|listed| simple(listed) == outer)
            || family.kind == Kind::Converter && family.classes.iter().any(|listed| simple(listed).strip_suffix("Converter") == Some(outer))
    };
    FAMILIES.iter().filter(|family| family.kind == kind).find(is_named).map(|family| family.until_then)
}

impl Family {
    fn takes_simple_names(&self) -> bool {
        matches!(self.kind, Kind::Converter | Kind::Transformation)
    }
}

fn simple(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn package(class: &str) -> &str {
    class.rsplit_once('.').map_or("", |(package, _)| package)
}

/// Whether this is the full name of a Java class in a package that Apache's and Confluent's S3 connector do not use: those are known one by one.
pub(super) fn is_foreign_class(class: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    let ours = ["io.confluent.connect.s3.", "io.confluent.connect.storage.", "org.apache.kafka.connect."];
    class.contains('.')
        && class.split('.').all(is_name)
        && simple(class).starts_with(|c: char| c.is_ascii_uppercase())
        && !ours.iter().any(|package| class.starts_with(package))
}

impl From<PluginKind> for Kind {
    fn from(kind: PluginKind) -> Self {
        match kind {
            PluginKind::SinkConnector => Self::Connector,
            PluginKind::Converter | PluginKind::HeaderConverter => Self::Converter,
            PluginKind::Transformation => Self::Transformation,
            PluginKind::Predicate => Self::Predicate,
            PluginKind::Partitioner => Self::Partitioner,
            PluginKind::TimestampExtractor => Self::TimestampExtractor,
            PluginKind::Format => Self::Format,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake;

    fn said(kind: PluginKind, class: &str) -> String {
        let none: &[PluginEntry<dyn connect_api::Format>] = &[];
        let entry = Entry { value: class.to_owned(), origin: None };
        class_problem("x.class", &entry, kind, none, &fake::plugins()).unwrap().to_string()
    }

    #[test]
    fn classes_that_exist_are_not_supported_yet_and_something_can_be_done() {
        for (kind, class) in [
            (PluginKind::Converter, "com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.JsonSchemaConverter"),
            (PluginKind::Transformation, "io.confluent.connect.transforms.ReplaceField$Value"),
            (PluginKind::Transformation, "io.aiven.kafka.connect.transforms.Hash$Value"),
            (PluginKind::Transformation, "io.debezium.transforms.outbox.EventRouter"),
            (PluginKind::SinkConnector, "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector"),
            (PluginKind::SinkConnector, "S3_SINK"),
            (PluginKind::SinkConnector, "JdbcSinkConnector"),
            (PluginKind::SinkConnector, "io.confluent.connect.s3.source.S3SourceConnector"),
        ] {
            let said = said(kind, class);
            assert!(said.contains(&format!("{class} is not supported yet; ")), "{said}");
        }
    }

    #[test]
    fn a_class_of_another_kind_says_what_it_is() {
        let (json, string) = ("com.example.JsonFormat", "org.apache.kafka.connect.storage.StringConverter");
        for (kind, class, is) in [
            (PluginKind::Converter, json, "a format, and a converter is wanted here"),
            (PluginKind::Format, string, "a converter, and a format is wanted here"),
            (
                PluginKind::SinkConnector,
                "io.confluent.connect.s3.format.parquet.ParquetFormat",
                "a format, and a connector is wanted",
            ),
            (PluginKind::SinkConnector, "io.confluent.connect.s3.storage.S3Storage", "a storage"),
            (PluginKind::Format, "io.confluent.connect.storage.partitioner.DailyPartitioner", "a partitioner"),
            (PluginKind::Partitioner, "io.confluent.connect.avro.AvroConverter", "a converter"),
            (
                PluginKind::Transformation,
                "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
                "a predicate of transforms",
            ),
            (PluginKind::Converter, "org.apache.kafka.common.serialization.StringDeserializer", "a serializer of Kafka clients"),
            (PluginKind::Converter, "org.apache.kafka.connect.transforms.InsertField$Value", "a transform"),
            (
                PluginKind::Partitioner,
                "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordTimestampExtractor",
                "a timestamp",
            ),
        ] {
            let said = said(kind, class);
            assert!(said.starts_with(&format!("x.class: {class} is {is}")), "{said}");
        }
    }

    #[test]
    fn converters_of_third_parties_are_never_replaced_by_one_of_text() {
        for class in [
            "com.blueapron.connect.protobuf.ProtobufConverter",
            "io.debezium.converters.ByteArrayConverter",
            "io.confluent.kafka.serializers.KafkaAvroDeserializer",
            "com.example.AvroConverter",
        ] {
            let said = said(PluginKind::Converter, class);
            assert!(said.contains("ByteArrayFormat") && !said.contains("StringConverter"), "{said}");
        }
        for class in [
            "io.debezium.connector.mongodb.transforms.ExtractNewDocumentState",
            "io.confluent.connect.transforms.Anything$Value",
            "io.aiven.kafka.connect.transforms.ExtractTimestamp",
        ] {
            assert!(said(PluginKind::Transformation, class).contains("is not supported yet; until then take it out"), "{class}");
        }
    }

    #[test]
    fn a_class_of_a_third_party_is_not_called_unknown() {
        let said = said(PluginKind::Transformation, "com.example.transforms.TombstoneFilter");
        assert!(said.contains("is not built in, and Java classes are not loaded"), "{said}");
    }

    #[test]
    fn a_full_name_in_another_package_is_not_taken_for_a_slip() {
        let known: &[PluginEntry<dyn connect_api::SinkConnector>] = &[];
        for class in ["io.confluent.connect.gcs.GcsSinkConnector", "com.spredfast.kafka.connect.s3.sink.S3SinkConnector"] {
            let entry = Entry { value: class.to_owned(), origin: None };
            let problem = class_problem("connector.class", &entry, PluginKind::SinkConnector, known, &Plugins::default()).unwrap();
            assert!(problem.suggestion.is_none() && problem.message.contains("it is another connector"), "{problem}");
        }
    }

    #[test]
    fn a_name_that_no_class_can_have_could_not_be_found() {
        for class in ["JsonFormatt", "io.confluent.connect.s3.format.orc.OrcFormat", "your.class here"] {
            let said = said(PluginKind::Format, class);
            assert!(said.contains("could not be found"), "{said}");
        }
    }
}
