//! What a connector is to the runtime.

use crate::{
    Result, SinkTask,
    config::{Config, Problems},
    plugins::Plugins,
};

/// A kind of sink: checks its configuration and makes tasks.
pub trait SinkConnector: Send + Sync {
    /// Checks what the definitions of single keys cannot show, such as two keys that exclude each other. Every problem, not the
    /// first.
    fn validate(&self, _config: &Config, _plugins: &Plugins) -> Problems {
        Problems::default()
    }

    /// What works and is probably not meant, or does less than it seems to: each is said once, and only `--strict` refuses it.
    fn warnings(&self, _config: &Config, _plugins: &Plugins) -> Problems {
        Problems::default()
    }

    /// Where the connector writes. Two connectors of one process that have a place in common, and read a topic in common, would write under the same
    /// names: the second one is refused before anything starts.
    fn destinations(&self, _config: &Config, _plugins: &Plugins) -> Vec<Destination> {
        Vec::new()
    }

    /// Makes one task. Does no I/O: that is for [`SinkTask::start`].
    ///
    /// # Errors
    /// `Config` where the configuration cannot work.
    fn task(&self, config: &Config, plugins: &Plugins) -> Result<Box<dyn SinkTask>>;
}

/// What a connector's names are made of, with a word in the topic's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The same text for the same names: `s3://bucket/topics/<topic>/…`. It is shown.
    pub place: String,
    /// The key to change where somebody else writes there.
    pub key: &'static str,
}
