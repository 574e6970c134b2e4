//! Topics by a regular expression.

use std::sync::Arc;

use arc_swap::ArcSwap;
use connect_api::{
    Error, JavaRegex, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
};

static REGEX: ConfigKey<String> = ConfigKey::required("regex", "Java regular expression that must match the whole topic.")
    .check(|regex| JavaRegex::new(regex).map(drop).map_err(|reason| format!("Invalid regex: {reason}")));
static REPLACEMENT: ConfigKey<String> =
    ConfigKey::required("replacement", "What takes the place of what was found; `$1` is its first group.");

/// So many topics are remembered with what they became.
const MOST: usize = 64;

/// Gives records another topic.
pub(crate) struct RegexRouter {
    regex: JavaRegex,
    replacement: String,
    known: ArcSwap<Vec<Known>>,
}

/// A topic that was met, and what it became; `None` where it stays.
type Known = (Arc<str>, Option<Arc<str>>);

impl Plugin for RegexRouter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.RegexRouter";
    // What Confluent Cloud has in its place: the same keys, and expressions of RE2, of which Java's are a superset but for the names of groups.
    const ALIASES: &'static [&'static str] = &["io.confluent.connect.cloud.transforms.TopicRegexRouter"];
    const DOCUMENTATION: &'static str = "Replaces the topic, where the whole of it matches a regular expression.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("RegexRouter", &[&REGEX, &REPLACEMENT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let regex = JavaRegex::new(&config.get(&REGEX)?).map_err(Error::config)?;
        let replacement = config.get(&REPLACEMENT)?;
        // On the JVM each record fails.
        let wrong = |reason| Error::config(format!("replacement={replacement} does not fit regex={}: {reason}", regex.as_str()));
        regex.check_replacement(&replacement).map_err(wrong)?;
        Ok(Self { regex, replacement, known: ArcSwap::default() })
    }
}

impl Transformation for RegexRouter {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let known = self.known.load();
        // Records of a batch share their topic.
        let met = known.iter().find(|(topic, _)| Arc::ptr_eq(topic, &record.topic) || *topic == record.topic);
        let routed = match met {
            Some((_, routed)) => routed.clone(),
            None => self.route(&record.topic, &known)?,
        };
        if let Some(routed) = routed {
            record.topic = routed;
        }
        Ok(Some(record))
    }
}

impl RegexRouter {
    fn route(&self, topic: &Arc<str>, known: &[Known]) -> Result<Option<Arc<str>>> {
        let routed = replaced(topic, &self.regex, &self.replacement)?;
        let routed = routed.filter(|routed| **routed != **topic).map(Arc::from);
        let mut all = vec![(Arc::clone(topic), routed.clone())];
        all.extend(known.iter().take(MOST - 1).cloned());
        self.known.store(Arc::new(all));
        Ok(routed)
    }
}

/// What becomes of a topic; `None` where the regular expression does not match the whole of it.
///
/// # Errors
/// `Data` where that cannot be decided, or the replacement names a group that is not there.
pub(super) fn replaced(topic: &str, regex: &JavaRegex, replacement: &str) -> Result<Option<String>> {
    let undecided = |reason| Error::data(format!("the regex {} cannot be decided for the topic {topic}: {reason}", regex.as_str()));
    if !regex.matches(topic).map_err(undecided)? {
        return Ok(None);
    }
    let replaced = regex.replace_first(topic, replacement);
    replaced.map(Some).map_err(|reason| Error::data(reason).with_class("java.lang.IndexOutOfBoundsException"))
}
