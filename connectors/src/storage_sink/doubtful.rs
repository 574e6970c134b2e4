//! Keys of a storage sink that do not do what their author probably meant: they mean to the JVM connector what they mean here.

use connect_api::{
    Plugins,
    config::{AnyConfigKey, Config, Problem, Problems},
    plugins::find,
};

use super::keys::{PARTITIONER, ROTATE, STORE_HEADERS};

/// Headers that are stored as other text than they were sent, and a rotation that never comes.
pub(crate) fn warnings(config: &Config, plugins: &Plugins) -> Problems {
    let mut warnings = Problems::default();
    if config.get(&ROTATE).is_ok_and(|interval| interval > 0) && goes_by_time(config, plugins) == Some(false) {
        let key = ROTATE.name();
        let message = format!(
            "{key} changes nothing here: it needs a partitioner that goes by time; rotate.schedule.interval.ms closes files by the clock with every one"
        );
        warnings.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    }
    if config.get(&STORE_HEADERS).unwrap_or_default() && config.entry("header.converter").is_none() {
        let key = STORE_HEADERS.name();
        let message = format!(
            "{key}=true without header.converter: the default one, SimpleHeaderConverter, takes text that looks like a number or a time for one, and \
             007 is stored as 7; set header.converter=org.apache.kafka.connect.storage.StringConverter to store text as it is"
        );
        warnings.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    }
    warnings
}

/// Whether directories, or `rotate.interval.ms`, go by time; `None` where the partitioner cannot be made.
fn goes_by_time(config: &Config, plugins: &Plugins) -> Option<bool> {
    let partitioner = find(plugins.partitioners(), &config.get(&PARTITIONER).ok()?).ok()?.configure(config).ok()?;
    Some(partitioner.partitioned_by().is_by_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_by_record_time_is_doubtful_without_a_partitioner_by_time() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &crate::plugins()).len();
        let (rotate, daily) = (("rotate.interval.ms", "60000"), "io.confluent.connect.storage.partitioner.DailyPartitioner");
        assert_eq!(doubts(&[rotate]), 1);
        assert_eq!(doubts(&[rotate, ("partitioner.class", daily), ("locale", "en"), ("timezone", "UTC")]), 0);
        assert_eq!(doubts(&[("rotate.interval.ms", "-1")]), 0);
    }

    #[test]
    fn the_default_converter_of_headers_is_doubtful_where_they_are_stored() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &Plugins::default()).len();
        let stored = ("store.kafka.headers", "true");
        assert_eq!(doubts(&[stored]), 1);
        assert_eq!(
            doubts(&[stored, ("header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter")]),
            0,
            "it is meant"
        );
        assert_eq!(doubts(&[("store.kafka.headers", "false")]), 0);
        assert_eq!(doubts(&[]), 0);
    }
}
