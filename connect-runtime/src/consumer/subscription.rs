//! Which topics a consumer subscribes to.

use std::{collections::BTreeSet, fmt, sync::Arc};

/// Topics that belong to the brokers, as Kafka's `Topic.isInternal` knows them.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// The topics that a connector reads.
#[derive(Clone)]
pub(crate) enum Subscription {
    /// These, whether they exist or not.
    Topics(Vec<String>),
    /// Those of the cluster whose names match.
    Matching {
        /// Whether a name matches.
        matches: Arc<dyn Fn(&str) -> bool + Send + Sync>,
        /// Whether the brokers' own topics may match (`exclude.internal.topics=false`).
        internal: bool,
    },
}

impl Subscription {
    /// The topics among `existing` to subscribe to.
    pub(crate) fn select<'a>(&self, existing: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        match self {
            Self::Topics(topics) => topics.iter().cloned().collect(),
            Self::Matching { matches, internal } => existing
                .into_iter()
                .filter(|name| (*internal || !INTERNAL.contains(name)) && matches(name))
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topics(topics) => f.debug_tuple("Topics").field(topics).finish(),
            Self::Matching { internal, .. } => f.debug_struct("Matching").field("internal", internal).finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(internal: bool) -> Vec<String> {
        let subscription = Subscription::Matching { matches: Arc::new(|name| name.contains('o')), internal };
        subscription.select(["orders", "__consumer_offsets", "visits"]).into_iter().collect()
    }

    #[test]
    fn topics_of_the_brokers_match_only_when_asked_for() {
        assert_eq!(select(false), ["orders"]);
        assert_eq!(select(true), ["__consumer_offsets", "orders"]);
    }

    #[test]
    fn listed_topics_need_not_exist() {
        let subscription = Subscription::Topics(vec!["later".to_owned()]);
        assert_eq!(subscription.select([]), BTreeSet::from(["later".to_owned()]));
    }
}
