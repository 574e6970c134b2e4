//! Which settings count where what one owner has written meets what the next one would write.

use connect_api::config::{AnyConfigKey, Config, ConfigDef};

use super::{
    journal,
    keys::{AFFIX, EXTRACTOR, INFER, ROTATE_ON_SCHEMA_CHANGE, TIME_ZONE},
};
use crate::joda::Zone;

/// Settings that decide neither names nor cuts nor what a record becomes: whatever else changes between a crash and the restart may put records into
/// other files, and makes another fingerprint.
const DECIDE_NOTHING: [&str; 24] = [
    "name",
    "tasks.max",
    "connector.class",
    "topics",
    "topics.regex",
    "config.action.reload",
    "retry.backoff.ms",
    "uploads.in.flight.max",
    "recovery.hold.ms",
    "spill.directory",
    "spill.limit.bytes",
    "s3.part.size",
    "s3.part.retries",
    "s3.retry.backoff.ms",
    "s3.wan.mode",
    "s3.path.style.access.enabled",
    "s3.http.send.expect.continue",
    "s3.elastic.buffer.enable",
    "s3.elastic.buffer.init.capacity",
    "s3.ssea.name",
    "s3.sse.kms.key.id",
    "s3.sse.customer.key",
    "s3.acl.canned",
    "shutdown.timeout.ms",
];
/// As [`DECIDE_NOTHING`], with all that begins like this. How the consumer connects is not what it reads; whether it reads what is not committed is.
const DECIDE_NOTHING_BY_PREFIX: [&str; 9] = [
    "aws.",
    "s3.proxy.",
    "s3.credentials.",
    "errors.log.",
    "errors.retry.",
    "errors.deadletterqueue.",
    "consumer.override.",
    "producer.override.",
    "admin.override.",
];
/// With a prefix of a converter before them: where a registry is, and who asks it.
const DECIDE_NOTHING_OF_CONVERTERS: [&str; 8] =
    ["schema.registry.", "basic.auth.", "bearer.auth.", "http.", "endpoint", "assumeRole", "max.schemas.per.subject", "cacheSize"];
/// The exception.
const ISOLATION_LEVEL: &str = "consumer.override.isolation.level";

/// Everything that may decide which records are where, keys of plugins and converters included. Another release counts as other settings: it may read
/// records otherwise.
pub(super) fn fingerprint(config: &Config) -> u64 {
    let decides = |name: &str| {
        let of_converter = ["key.converter.", "value.converter."].into_iter().find_map(|prefix| name.strip_prefix(prefix));
        let nothing = DECIDE_NOTHING.contains(&name)
            || DECIDE_NOTHING_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
            || of_converter.is_some_and(|key| DECIDE_NOTHING_OF_CONVERTERS.iter().any(|prefix| key.starts_with(prefix)));
        name == ISOLATION_LEVEL || !nothing
    };
    let settings = config.iter().filter(|(name, _)| decides(name)).map(|(name, entry)| (name, entry.value.as_str()));
    let machine = zone_of_machine(config);
    let machine = machine.iter().map(|zone| (MACHINE, zone.name()));
    journal::fingerprint(settings.chain([("release", env!("CARGO_PKG_VERSION"))]).chain(machine))
}

/// Whether plain JSON is read by schemas that are looked up while records come: the same settings may mean others than they did for the last owner.
pub(super) fn schemas_may_differ(config: &Config) -> bool {
    let is_looked_up = |converter: &str| {
        let text = |key: &str| config.text(&format!("{converter}.converter.schema.{key}"));
        text("subject").is_some() || text("file").is_some_and(|path| path.contains("{topic}"))
    };
    config.get(&INFER).unwrap_or_default() || ["key", "value"].into_iter().any(is_looked_up)
}

const MACHINE: &str = "the machine's zone";

/// Where it decides anything: times without an offset are read in it. Machines are in UTC as a rule, which is not mentioned.
fn zone_of_machine(config: &Config) -> Option<Zone> {
    let reads_times = config.text(EXTRACTOR.name()).is_some_and(|extractor| extractor.contains("RecordField"));
    reads_times.then(Zone::of_machine).filter(|zone| zone.name() != "UTC")
}

/// What sorts records into files: the partitioner, and what finds out a record's time for it, with their own keys; and whether each schema has a file of its own.
pub(super) fn layout(config: &Config, plugins: &[(&str, ConfigDef)], file_for_each_schema: bool) -> u64 {
    let values = |def: &ConfigDef| {
        let value = |name, default| Some((name, config.text(name).or(default)?));
        def.keys.iter().filter_map(|key| value(key.name(), key.default())).collect::<Vec<_>>()
    };
    let machine = zone_of_machine(config);
    let machine = machine.iter().map(|zone| (MACHINE, zone.name()));
    // Partitioners by time read it, and none has it among its own keys.
    let zone = config.text(TIME_ZONE.name()).map(|zone| (TIME_ZONE.name(), zone));
    let affix = config.text(AFFIX.name()).filter(|affix| *affix != "NONE").map(|affix| (AFFIX.name(), affix));
    let schemas = file_for_each_schema.then_some((ROTATE_ON_SCHEMA_CHANGE.name(), "false"));
    let plugins = plugins.iter().flat_map(|(class, def)| std::iter::once(("class", *class)).chain(values(def)));
    journal::fingerprint(plugins.chain(machine).chain(zone).chain(affix).chain(schemas))
}

#[cfg(test)]
mod tests {
    use connect_api::config::ConfigKey;

    use super::*;

    static FIELD: ConfigKey<String> = ConfigKey::with_default("field", "a", "The field.");

    #[test]
    fn the_partitioner_and_its_keys_make_the_layout_and_a_default_that_is_written_down_changes_nothing() {
        let def = || ConfigDef { keys: vec![&FIELD], ..ConfigDef::default() };
        let of = |pairs: &[(&str, &str)], partitioner| layout(&pairs.iter().copied().collect(), &[(partitioner, def())], false);
        let plain = of(&[], "ByField");
        assert_eq!(plain, of(&[("flush.size", "3"), ("field", "a")], "ByField"));
        assert_ne!(plain, of(&[("field", "b")], "ByField"));
        assert_ne!(of(&[("timezone", "UTC")], "ByField"), of(&[("timezone", "CET")], "ByField"));
        assert_ne!(plain, of(&[], "ByTime"));
        assert_ne!(plain, layout(&Config::default(), &[("ByField", def())], true));
    }

    #[test]
    fn schemas_that_are_looked_up_may_differ_under_the_same_settings() {
        let may_differ = |pairs: &[(&str, &str)]| schemas_may_differ(&pairs.iter().copied().collect());
        assert!(!may_differ(&[]) && !may_differ(&[("value.converter.schema.file", "/a.avsc"), ("schema.infer", "false")]));
        assert!(may_differ(&[("schema.infer", "true")]));
        assert!(may_differ(&[("key.converter.schema.subject", "a")]));
        assert!(may_differ(&[("value.converter.schema.file", "/{topic}.avsc")]));
    }
}
