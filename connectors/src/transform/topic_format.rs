//! Topics that are put together for each record.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::simple_date_format::SimpleDateFormat;

/// The last topic that was made, which the next record mostly has as well.
#[derive(Debug, Default)]
pub(super) struct LastTopic(ArcSwapOption<Arc<str>>);

impl LastTopic {
    /// The topic with this name.
    pub(super) fn of(&self, name: &str) -> Arc<str> {
        match &*self.0.load() {
            Some(last) if ***last == *name => Arc::clone(last),
            _ => {
                let topic: Arc<str> = name.into();
                self.0.store(Some(Arc::new(Arc::clone(&topic))));
                topic
            }
        }
    }
}

/// A topic with `${topic}` and `${timestamp}` in it.
pub(super) struct TopicFormat {
    format: String,
    timestamp_format: SimpleDateFormat,
    /// What became of the last record, and so mostly becomes of the next.
    last: ArcSwapOption<Routed>,
}

/// The topic that came of another one and of a time.
struct Routed {
    from: Arc<str>,
    time: String,
    to: Arc<str>,
}

impl TopicFormat {
    pub(super) fn new(format: String, timestamp_format: SimpleDateFormat) -> Self {
        Self { format, timestamp_format, last: ArcSwapOption::empty() }
    }

    /// The topic in place of another one. `millis`: since 1970.
    pub(super) fn topic(&self, topic: &Arc<str>, millis: i64) -> Arc<str> {
        let mut time = String::new();
        self.timestamp_format.format(millis, &mut time);
        if let Some(last) = &*self.last.load()
            // Records of a batch share their topic.
            && (Arc::ptr_eq(&last.from, topic) || last.from == *topic)
            && last.time == time
        {
            return Arc::clone(&last.to);
        }
        let to: Arc<str> = self.format.replace("${topic}", topic).replace("${timestamp}", &time).into();
        self.last.store(Some(Arc::new(Routed { from: Arc::clone(topic), time, to: Arc::clone(&to) })));
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_made_once_for_each_day_and_topic_that_follow_each_other() {
        const DAY: i64 = 86_400_000;
        let format = TopicFormat::new("${topic}-${timestamp}".to_owned(), SimpleDateFormat::new("dd").unwrap());
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        for (topic, millis, expected, is_new) in [
            (&a, 0, "a-01", true),
            (&a, DAY - 1, "a-01", false),
            (&a, DAY, "a-02", true),
            (&b, DAY, "b-02", true),
            (&Arc::from("b"), DAY + 1, "b-02", false),
        ] {
            let before = format.last.load_full();
            assert_eq!(&*format.topic(topic, millis), expected);
            let after = format.last.load_full().unwrap();
            assert_eq!(before.is_none_or(|before| !Arc::ptr_eq(&before, &after)), is_new, "{expected}");
        }
    }
}
