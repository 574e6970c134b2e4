//! The order in which copies are sent that could not be sent at once, decided without touching anything.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

/// How many copies are sent together at most, once some had to be sent again.
const GROUP_MAX: usize = 256;

/// How many of those that were sent as they came are sent together when a batch of them was too large.
const FIRST_GROUP: usize = 8;

/// How many rounds pass before more are sent together than were refused.
const CAUTION: u32 = 8;

/// Before the queue is tried again, after the first refusal and at most.
const QUEUE_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Before a copy is tried again that was refused alone: its topic may take it by then. So many are tried in this time.
const MISFIT_PAUSE: (Duration, usize) = (Duration::from_secs(10), 16);

/// Copies that wait to be sent, and what is known of those under way. Copies keep the order in which their records failed, but for
/// those that are refused though they are alone.
pub(super) struct Waiting<L> {
    /// To be sent, by number.
    letters: BTreeMap<u64, L>,
    /// Refused though they were alone, with the time at which each is tried again.
    misfits: BTreeMap<u64, (Instant, L)>,
    /// With the client now.
    in_flight: usize,
    /// Sent together that had to wait; nobody else may send meanwhile.
    round: Option<Round>,
    /// How many are sent together next.
    group: usize,
    /// How many rounds have to pass before more are sent together.
    caution: u32,
    /// The queue is not tried before.
    not_before: Option<Instant>,
    /// How often the queue was tried in vain.
    failures: u32,
    /// Why the queue takes nothing now.
    trouble: Option<Arc<str>>,
}

/// Copies that were sent together.
#[derive(Clone, Copy, Debug)]
struct Round {
    sent: usize,
    refused: bool,
    /// It is one that was refused alone before.
    is_misfit: bool,
}

impl<L> Default for Waiting<L> {
    fn default() -> Self {
        Self {
            letters: BTreeMap::new(),
            misfits: BTreeMap::new(),
            in_flight: 0,
            round: None,
            group: GROUP_MAX,
            caution: 0,
            not_before: None,
            failures: 0,
            trouble: None,
        }
    }
}

impl<L> Waiting<L> {
    /// Whether a copy may be sent at once, which then counts as under way. It may not while others wait that came before it.
    pub(super) fn admit(&mut self) -> bool {
        let admitted = self.letters.is_empty() && self.round.is_none();
        self.in_flight += usize::from(admitted);
        admitted
    }

    /// Keeps a copy that was not admitted.
    pub(super) fn keep(&mut self, number: u64, letter: L) {
        self.letters.insert(number, letter);
    }

    /// A copy has arrived. Returns whether the queue works again.
    pub(super) fn arrived(&mut self, now: Instant) -> bool {
        self.in_flight -= 1;
        self.failures = 0;
        if self.round.is_some_and(|round| round.is_misfit) {
            // What is mended for one may be for the others.
            self.misfits.values_mut().for_each(|(at, _)| *at = now);
        }
        self.trouble.take().is_some()
    }

    /// A copy has come back, and nobody wants it any more.
    pub(super) fn dropped(&mut self) {
        self.in_flight -= 1;
        self.forget_trouble();
    }

    /// A copy was refused for what is in its batch, `is_alone` by the client, which looks at each by itself. Returns it if it was alone: it waits by
    /// itself then.
    pub(super) fn does_not_fit(&mut self, number: u64, letter: L, is_alone: bool, now: Instant) -> Option<&mut L> {
        self.in_flight -= 1;
        let sent = self.round.map_or(GROUP_MAX, |round| round.sent);
        if is_alone || sent == 1 {
            if !is_alone {
                // Whatever was wrong with the queue: it has looked at what is in this one.
                (self.trouble, self.failures) = (None, 0);
            }
            let (pause, tried) = MISFIT_PAUSE;
            let turns = u32::try_from(self.misfits.len() / tried).unwrap_or(u32::MAX);
            let (_, letter) = self.misfits.entry(number).or_insert((now + pause.saturating_mul(turns.saturating_add(1)), letter));
            return Some(letter);
        }
        self.letters.insert(number, letter);
        // What was sent at once came in batches of nobody knows how many.
        self.group = if self.round.is_some() { (sent / 2).max(1) } else { FIRST_GROUP };
        self.caution = CAUTION;
        self.round = self.round.map(|round| Round { refused: true, ..round });
        None
    }

    /// A copy was refused as every other one would be. Returns whether that is news.
    pub(super) fn queue_refuses(&mut self, number: u64, letter: L, reason: &str, now: Instant) -> bool {
        self.in_flight -= 1;
        self.letters.insert(number, letter);
        self.round = self.round.map(|round| Round { refused: true, ..round });
        // One copy finds out next whether the queue works again.
        self.group = 1;
        // Copies of the same batch say the same.
        if self.not_before.is_none_or(|at| at <= now) {
            let (first, most) = QUEUE_PAUSE;
            self.not_before = Some(now + first.saturating_mul(1 << self.failures.min(8)).min(most));
            self.failures += 1;
        }
        let is_news = self.trouble.is_none();
        if self.trouble.as_deref() != Some(reason) {
            self.trouble = Some(reason.into());
        }
        is_news
    }

    /// What is to be sent now, together and without anything beside it; it counts as under way. Nothing while copies are under way.
    pub(super) fn next_round(&mut self, now: Instant) -> Vec<(u64, L)> {
        if self.in_flight > 0 {
            return Vec::new();
        }
        if let Some(round) = self.round.take()
            && !round.refused
        {
            self.caution = self.caution.saturating_sub(1);
            if self.caution == 0 {
                self.group = (self.group * 2).min(GROUP_MAX);
            }
        }
        let (mut next, mut is_misfit) = (Vec::new(), false);
        if self.not_before.is_none_or(|at| at <= now) {
            next.extend((0..self.group).map_while(|_| self.letters.pop_first()));
        }
        if next.is_empty()
            && let Some(number) = self.misfits.iter().find_map(|(number, (at, _))| (*at <= now).then_some(*number))
        {
            next.extend(self.misfits.remove(&number).map(|(_, letter)| (number, letter)));
            is_misfit = true;
        }
        if !next.is_empty() {
            self.in_flight = next.len();
            self.round = Some(Round { sent: next.len(), refused: false, is_misfit });
        }
        next
    }

    /// Whether copies that had to wait are under way.
    pub(super) fn is_sending_again(&self) -> bool {
        self.round.is_some()
    }

    /// Why the queue takes nothing now.
    pub(super) fn trouble(&self) -> Option<Arc<str>> {
        self.trouble.clone()
    }

    /// Lets go of those that nobody wants any more; their loss is nobody's.
    pub(super) fn retain(&mut self, wanted: impl Fn(&L) -> bool) {
        self.letters.retain(|_, letter| wanted(letter));
        self.misfits.retain(|_, (_, letter)| wanted(letter));
        self.forget_trouble();
    }

    /// Where nobody is left to find out whether there still is any.
    fn forget_trouble(&mut self) {
        if self.letters.is_empty() && self.misfits.is_empty() && self.in_flight == 0 {
            self.trouble = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies are as large as they say; a batch has everything that is sent together.
    fn deliver(waiting: &mut Waiting<usize>, limit: usize, now: &mut Instant) -> (Vec<u64>, Vec<u64>) {
        let (mut arrived, mut misfits) = (Vec::new(), Vec::new());
        for _ in 0..1_000 {
            let round = waiting.next_round(*now);
            let bytes: usize = round.iter().map(|(_, bytes)| bytes).sum();
            for (number, letter) in round {
                if bytes <= limit {
                    waiting.arrived(*now);
                    arrived.push(number);
                } else if waiting.does_not_fit(number, letter, false, *now).is_some() {
                    misfits.push(number);
                }
            }
        }
        (arrived, misfits)
    }

    fn refused_batch(sizes: &[usize], now: Instant) -> Waiting<usize> {
        let mut waiting = Waiting::default();
        for _ in sizes {
            assert!(waiting.admit());
        }
        for (number, size) in (0..).zip(sizes) {
            assert!(waiting.does_not_fit(number, *size, false, now).is_none());
        }
        waiting
    }

    #[test]
    fn a_batch_that_is_too_large_is_divided_until_all_fit_in_their_order() {
        let mut now = Instant::now();
        let mut waiting = refused_batch(&[30; 20], now);
        assert!(!waiting.admit(), "others wait");
        let (arrived, misfits) = deliver(&mut waiting, 70, &mut now);
        assert_eq!(arrived, (0..20).collect::<Vec<_>>());
        assert!(misfits.is_empty());
        assert!(waiting.admit(), "nobody waits any more");
    }

    #[test]
    fn what_does_not_fit_alone_waits_by_itself_and_is_tried_again() {
        let mut now = Instant::now();
        let mut sizes = [30; 20];
        sizes[7] = 100;
        let mut waiting = refused_batch(&sizes, now);
        let (arrived, misfits) = deliver(&mut waiting, 70, &mut now);
        assert_eq!((arrived.len(), misfits), (19, vec![7]));
        assert!(waiting.admit(), "it is in nobody's way");
        waiting.arrived(now);
        now += MISFIT_PAUSE.0;
        assert_eq!(deliver(&mut waiting, 100, &mut now), (vec![7], Vec::new()), "the topic takes more by then");
    }

    #[test]
    fn of_many_that_do_not_fit_a_few_are_tried_and_all_once_one_fits() {
        let mut now = Instant::now();
        let mut waiting = refused_batch(&[100; 200], now);
        assert_eq!(deliver(&mut waiting, 70, &mut now).1.len(), 200);
        now += MISFIT_PAUSE.0;
        let (_, tried) = deliver(&mut waiting, 70, &mut now);
        assert!(tried.len() <= MISFIT_PAUSE.1 + 1, "{}", tried.len());
        now += MISFIT_PAUSE.0;
        let arrived = deliver(&mut waiting, 100, &mut now).0.len() + deliver(&mut waiting, 100, &mut now).0.len();
        assert_eq!(arrived, 200);
    }

    #[test]
    fn while_the_queue_refuses_one_copy_asks_after_a_pause_and_the_others_keep_their_order() {
        let mut now = Instant::now();
        let mut waiting: Waiting<&str> = Waiting::default();
        assert!(waiting.admit() && waiting.admit());
        assert!(waiting.queue_refuses(1, "b", "no such topic", now), "news");
        assert!(!waiting.queue_refuses(0, "a", "no such topic", now), "no news");
        assert!(!waiting.admit());
        waiting.keep(2, "c");
        assert!(waiting.next_round(now).is_empty(), "it pauses");
        now += QUEUE_PAUSE.1;
        assert_eq!(waiting.next_round(now), [(0, "a")]);
        assert!(waiting.next_round(now).is_empty(), "it waits for the answer");
        assert!(waiting.arrived(now), "it works again");
        assert_eq!(waiting.next_round(now), [(1, "b"), (2, "c")]);
        assert!(waiting.trouble().is_none());
    }

    #[test]
    fn what_nobody_wants_is_not_sent_again() {
        let now = Instant::now();
        let mut waiting: Waiting<&str> = Waiting::default();
        assert!(waiting.admit());
        waiting.queue_refuses(0, "lost", "not allowed", now);
        waiting.keep(1, "kept");
        waiting.retain(|letter| *letter == "kept");
        assert_eq!(waiting.next_round(now + QUEUE_PAUSE.1), [(1, "kept")]);
    }
}
