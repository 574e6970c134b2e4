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
    last: LastTopic,
}

impl TopicFormat {
    pub(super) fn new(format: String, timestamp_format: SimpleDateFormat) -> Self {
        Self { format, timestamp_format, last: LastTopic::default() }
    }

    /// The topic in place of another one. `millis`: since 1970.
    pub(super) fn topic(&self, topic: &str, millis: i64) -> Arc<str> {
        let mut time = String::new();
        self.timestamp_format.format(millis, &mut time);
        self.last.of(&self.format.replace("${topic}", topic).replace("${timestamp}", &time))
    }
}
