//! Keys of a storage sink that do not do what their author probably meant: they mean to the JVM connector what they mean here.

use connect_api::config::{AnyConfigKey, Config, Problem, Problems};

use super::keys::STORE_HEADERS;

/// Headers that are stored as other text than they were sent.
pub(crate) fn warnings(config: &Config) -> Problems {
    let mut warnings = Problems::default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_converter_of_headers_is_doubtful_where_they_are_stored() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect()).len();
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
