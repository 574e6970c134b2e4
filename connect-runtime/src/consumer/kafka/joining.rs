//! Joining a group without librdkafka's pauses.

use std::time::Duration;

use rdkafka::consumer::{Consumer, ConsumerContext, base_consumer::BaseConsumer};
use tokio::time::Instant;

use super::metadata::ask_about;

/// The first pause; later ones are as long as half of what has passed.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Pauses grow no further.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who has no assignment by then has none to expect soon: no partition is left, or the topics do not exist.
const LONGEST: Duration = Duration::from_secs(10);

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_millis(100);

/// A consumer that has no assignment yet.
///
/// Members that join some milliseconds apart, as the tasks of a connector do, disturb each other: who was about to learn its partitions is
/// told to join anew. librdkafka tries again only one or two seconds later, and the whole group waits for it; but whenever the brokers have
/// told it something about topics it tries at once. So they are asked.
#[derive(Debug)]
pub(super) struct Joining {
    since: Instant,
    next: Instant,
}

impl Joining {
    /// Begins now.
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { since: now, next: now + FIRST_PAUSE }
    }

    /// Whether it is time to ask; it is not again for a while.
    pub(super) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if now < self.next || now - self.since > LONGEST {
            return false;
        }
        self.next = now + ((now - self.since) / 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        true
    }
}

/// Asks about one of the topics that are subscribed to.
pub(super) fn ask<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str) {
    if let Err(code) = ask_about(consumer.client(), topic, TIMEOUT) {
        tracing::debug!(topic, %code, "no answer while joining the group");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_asks_often_at_first_then_once_a_second_then_no_more() {
        let mut joining = Joining::begin();
        let mut asked = Vec::new();
        for millisecond in 0..60_000 {
            if joining.is_due() {
                asked.push(millisecond);
            }
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(asked[..4], [50, 100, 150, 225]);
        let [.., before, last] = asked[..] else { panic!("{asked:?}") };
        assert_eq!(last - before, 1_000);
        assert!((9_000..=10_000).contains(&last), "{asked:?}");
    }
}
