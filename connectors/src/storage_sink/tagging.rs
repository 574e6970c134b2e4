//! Tags of objects, as Confluent's connector sets them: which records an object has, and what the user adds. They are set after the object has appeared and
//! before its offsets are committed; an owner that finds an object of its past ahead of the committed offset sets them again.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use connect_api::{
    Error, Result,
    config::{AnyConfigKey, Config, ConfigKey, Importance, List},
};
use tracing::{debug, warn};

use super::{
    open_file::Range,
    uploads::{Target, Uploads},
};

pub(super) static TAGGING: ConfigKey<bool> = ConfigKey::with_default(
    "s3.object.tagging",
    "false",
    "Whether objects of values get the tags `startOffset`, `endOffset` (of the last record) and `recordCount`. It costs a request for each object, and needs \
     `s3:PutObjectTagging`. The same is in every object's metadata at no cost.",
)
.importance(Importance::Low);
pub(super) static PAIRS: ConfigKey<List> = ConfigKey::with_default(
    "s3.object.tagging.key.value.pairs",
    "",
    "Further tags, `key:value` with commas between them; they win over the tags of the same name. What follows a second colon is left out. An object has 10 \
     tags at most, these and its own together.",
)
.importance(Importance::Low)
.check(|List(pairs)| fit(pairs));
pub(super) static ON_ERROR: ConfigKey<String> = ConfigKey::with_default(
    "s3.object.behavior.on.tagging.error",
    "ignore",
    "What happens when an object cannot be tagged: `ignore` says so and goes on, `fail` tries `s3.part.retries` times and then fails the task.",
)
.one_of_any_case(&["ignore", "fail"])
.importance(Importance::Low);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

fn tag(pair: &str) -> Result<(String, String), String> {
    let mut pieces = pair.split(':');
    match (pieces.next(), pieces.next()) {
        (Some(key), Some(value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("a tag is written as key:value, and {pair} is not")),
    }
}

/// The tags that an object has of its own.
const OWN: [&str; 3] = ["startOffset", "endOffset", "recordCount"];

/// What S3 takes: so many tags of an object, and characters of a key and of a value.
const MOST_TAGS: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Whether S3 takes these tags beside an object's own.
fn fit(pairs: &[String]) -> Result<(), String> {
    let mut keys = BTreeSet::from(OWN.map(str::to_owned));
    for pair in pairs {
        let (key, value) = tag(pair)?;
        for (what, text, most) in [("key", &key, LONGEST_KEY), ("value", &value, LONGEST_VALUE)] {
            let characters = text.chars().count();
            if characters > most {
                let begins: String = key.chars().take(20).collect();
                return Err(format!("the {what} of the tag {begins}… has {characters} characters, and S3 takes {most}"));
            }
        }
        keys.insert(key);
    }
    if keys.len() > MOST_TAGS {
        let more = MOST_TAGS - OWN.len();
        return Err(format!(
            "these are {} tags with {}, and S3 takes {MOST_TAGS} of an object: leave {more} beside those",
            keys.len(),
            OWN.join(", ")
        ));
    }
    Ok(())
}

/// Pairs that set nothing, or not what they seem to.
pub(super) fn doubts(config: &Config) -> Vec<String> {
    let (key, Ok(List(pairs))) = (PAIRS.name(), config.get(&PAIRS)) else { return Vec::new() };
    if pairs.is_empty() {
        return Vec::new();
    }
    if config.get(&TAGGING).is_ok_and(|is_on| !is_on) {
        return vec![format!("{key} changes nothing without {}=true", TAGGING.name())];
    }
    let (mut doubts, mut known) = (Vec::new(), BTreeSet::new());
    for pair in &pairs {
        let Ok((tag, value)) = tag(pair) else { continue };
        if pair.matches(':').count() > 1 {
            doubts.push(format!(
                "{key}: {pair} makes the tag {tag} with the value {value}: what follows the second colon is left out, as by the JVM connector"
            ));
        }
        if !known.insert(tag.clone()) {
            doubts.push(format!("{key}: the tag {tag} is there more than once, and the last one counts"));
        }
    }
    doubts
}

/// How objects are tagged.
#[derive(Debug)]
pub(super) struct Tagging {
    pairs: Vec<(String, String)>,
    /// After so many attempts the task fails; never, where errors are ignored.
    attempts: Option<u32>,
    pause: Duration,
}

impl Tagging {
    /// What the keys say; nothing where objects are not tagged.
    ///
    /// # Errors
    /// `Config` where a key is refused.
    pub(super) fn new(config: &Config) -> Result<Option<Arc<Self>>> {
        if !config.get(&TAGGING)? {
            return Ok(None);
        }
        let pairs = config.get(&PAIRS)?.0.iter().filter_map(|pair| tag(pair).ok()).collect();
        let fails = config.get(&ON_ERROR)?.eq_ignore_ascii_case("fail");
        // The storage's own keys, where it has them.
        let number = |key: &str, default: u64| config.text(key).and_then(|text| text.trim().parse().ok()).unwrap_or(default);
        let attempts = fails.then(|| u32::try_from(number("s3.part.retries", 3)).unwrap_or(u32::MAX).max(1));
        Ok(Some(Arc::new(Self { pairs, attempts, pause: Duration::from_millis(number("s3.retry.backoff.ms", 200)) })))
    }

    /// The tags of an object with these records.
    fn tags(&self, range: Range) -> Vec<(String, String)> {
        let values = [range.first_offset.to_string(), range.last_offset.to_string(), range.records.to_string()];
        let own = OWN.into_iter().map(str::to_owned).zip(values);
        let mut tags: Vec<(String, String)> = Vec::new();
        for (key, value) in own.chain(self.pairs.iter().cloned()) {
            match tags.iter_mut().find(|(known, _)| *known == key) {
                Some((_, before)) => *before = value,
                None => tags.push((key, value)),
            }
        }
        tags
    }

    fn pause(&self, attempt: u32) -> Duration {
        self.pause.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
    }
}

impl Uploads {
    /// Tags an object that is there, if it is to have tags.
    pub(super) async fn tag_claimed(&self, target: &Target) -> Result<()> {
        match (&target.tagging, target.provenance.cut) {
            (Some(tagging), Some(cut)) => self.tag(&target.key, tagging, cut.range).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Tags an object; false where it cannot be tagged and that is to be ignored.
    ///
    /// # Errors
    /// `Fatal` where it cannot be tagged and that is not to be ignored.
    pub(super) async fn tag(&self, key: &str, tagging: &Tagging, range: Range) -> Result<bool> {
        let tags = tagging.tags(range);
        let mut attempt = 0;
        loop {
            let answer = {
                let _permit = self.permits.uploads.acquire().await;
                self.storage.tag(key, &tags).await
            };
            let Err(error) = answer else { return Ok(true) };
            attempt += 1;
            match tagging.attempts {
                Some(attempts) if attempt >= attempts => {
                    return Err(Error::fatal(format!("Unable to tag S3 object {key}")).with_source(error));
                }
                Some(_) => tokio::time::sleep(tagging.pause(attempt)).await,
                None => {
                    let error = error.report();
                    if self.may_tell_of_tags() {
                        warn!(
                            key,
                            error,
                            "the object could not be tagged, and goes without; s3.object.behavior.on.tagging.error=fail does not ignore it"
                        );
                    } else {
                        debug!(key, error, "the object could not be tagged, and goes without");
                    }
                    return Ok(false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagging(pairs: &[(&str, &str)]) -> Result<Option<Arc<Tagging>>> {
        Tagging::new(&[("s3.object.tagging", "true")].iter().chain(pairs).copied().collect())
    }

    #[test]
    fn an_object_says_its_offsets_and_its_number_of_records_and_further_pairs_win() {
        let range = Range { first_offset: 3, last_offset: 5, records: 2 };
        let tags = |pairs| {
            let tags = tagging(&[("s3.object.tagging.key.value.pairs", pairs)]).unwrap().unwrap().tags(range);
            tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(tags(""), "startOffset=3 endOffset=5 recordCount=2");
        assert_eq!(tags("team:data,env:prod:x,recordCount:mine"), "startOffset=3 endOffset=5 recordCount=mine team=data env=prod");
    }

    #[test]
    fn a_pair_without_a_value_is_refused_before_anything_starts() {
        for pair in ["team", "team:", ":data", "a:b,team"] {
            let refused = tagging(&[("s3.object.tagging.key.value.pairs", pair)]).unwrap_err().to_string();
            assert!(refused.contains("key:value"), "{refused}");
        }
        assert!(Tagging::new(&Config::default()).unwrap().is_none());
    }

    #[test]
    fn tags_that_s3_refuses_are_refused_before_anything_starts() {
        let refused = |pairs: &str| PAIRS.parse(pairs).map(drop).unwrap_err();
        let several = |most: usize| (0..most).map(|number| format!("k{number}:v")).collect::<Vec<_>>().join(",");
        assert!(PAIRS.parse(&several(7)).is_ok() && PAIRS.parse(&format!("{},recordCount:mine", several(7))).is_ok());
        assert!(refused(&several(8)).starts_with("these are 11 tags with startOffset, endOffset, recordCount, and S3 takes 10"));
        let (key, value) = ("\u{e9}".repeat(128), "v".repeat(256));
        assert!(PAIRS.parse(&format!("{key}:{value}")).is_ok());
        assert!(refused(&format!("{key}k:v")).ends_with("has 129 characters, and S3 takes 128"));
        assert!(refused(&format!("k:{value}v")).contains("the value of the tag k… has 257 characters"));
    }

    #[test]
    fn pairs_that_set_nothing_or_something_else_are_doubtful() {
        let doubts = |tagging, pairs| {
            doubts(&[("s3.object.tagging", tagging), ("s3.object.tagging.key.value.pairs", pairs)].into_iter().collect())
        };
        assert_eq!(doubts("false", "a:b"), ["s3.object.tagging.key.value.pairs changes nothing without s3.object.tagging=true"]);
        assert!(doubts("true", "aws:x:y")[0].contains("aws:x:y makes the tag aws with the value x"));
        assert!(doubts("true", "a:b,c:d,a:e")[0].contains("the tag a is there more than once"));
        assert!(doubts("true", "a:b,c:d").is_empty() && doubts("false", "").is_empty());
    }

    #[test]
    fn errors_are_ignored_unless_they_are_to_fail_the_task_and_pauses_double() {
        assert_eq!(tagging(&[]).unwrap().unwrap().attempts, None);
        let fails = tagging(&[("s3.object.behavior.on.tagging.error", "FAIL"), ("s3.part.retries", "4")]).unwrap().unwrap();
        assert_eq!(fails.attempts, Some(4));
        let pauses = [1, 2, 3, 40].map(|attempt| fails.pause(attempt).as_millis());
        assert_eq!(pauses, [200, 400, 800, 60_000]);
    }
}
