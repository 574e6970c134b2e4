//! What a store turned out not to understand, so that it is asked otherwise from then on.

use std::sync::{Mutex, PoisonError};

use tracing::warn;

use super::error::Refusal;

/// What a store does with the conditions of new objects (`If-None-Match`, `If-Match`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conditions {
    /// They hold.
    Heeded,
    /// They are sent, and names are looked at first, until it is known what becomes of them.
    Unknown,
    /// Refused or not heeded: names are looked at first.
    Ignored,
}

/// How requests are made. Every store begins with all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Content goes unsigned (`UNSIGNED-PAYLOAD`): its SHA-256 costs more than all else that is done to it.
    pub(super) unsigned: bool,
    /// Content goes with its CRC-64.
    pub(super) checksums: bool,
    pub(super) conditions: Conditions,
}

impl Ways {
    pub(super) fn sends_conditions(self) -> bool {
        self.conditions != Conditions::Ignored
    }

    /// Whether what is there is looked at before anything is put there.
    pub(super) fn looks(self) -> bool {
        self.conditions != Conditions::Heeded
    }

    /// The next thing to do without after a refusal, the least important first; nothing where the refusal has other reasons.
    pub(super) fn without_what_is_refused(self, refusal: &Refusal) -> Option<Self> {
        if !refusal.is_feature_missing() {
            return None;
        }
        if refusal.wants_signed_content() {
            // Where it is signed, it was mangled on its way.
            return self.unsigned.then_some(Self { unsigned: false, ..self });
        }
        match self {
            Self { checksums: true, .. } => Some(Self { checksums: false, ..self }),
            Self { conditions: Conditions::Heeded | Conditions::Unknown, .. } => Some(self.without_conditions()),
            _ => None,
        }
    }

    pub(super) fn without_conditions(self) -> Self {
        Self { conditions: Conditions::Ignored, ..self }
    }
}

/// The ways of one store.
#[derive(Debug)]
pub(super) struct Means {
    ways: Mutex<Ways>,
}

impl Means {
    pub(super) fn new(conditions: Conditions) -> Self {
        Self { ways: Mutex::new(Ways { unsigned: true, checksums: true, conditions }) }
    }

    pub(super) fn ways(&self) -> Ways {
        *self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps to the ways that succeeded.
    pub(super) fn learn(&self, succeeded: Ways) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        // A request that began before another one learned something knows less.
        ways.unsigned &= succeeded.unsigned;
        ways.checksums &= succeeded.checksums;
        let ignored = succeeded.conditions == Conditions::Ignored && ways.conditions != Conditions::Ignored;
        drop(ways);
        if ignored {
            self.settle(Conditions::Ignored);
        }
    }

    /// Keeps what was found out about conditions.
    pub(super) fn settle(&self, conditions: Conditions) {
        if conditions == Conditions::Ignored {
            warn!("the store does not heed conditional writes: looking before writing, which a stale writer can slip through");
        }
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).conditions = conditions;
    }

    pub(super) fn limits(&self) -> &'static str {
        match self.ways().conditions {
            Conditions::Heeded => "",
            Conditions::Unknown => {
                "it is not known yet whether the store heeds conditional writes: \
                 until then names are looked at before they are written, which a stale writer can slip through"
            }
            Conditions::Ignored => {
                "the store does not heed conditional writes: names are looked at before they are written, which a stale writer can slip through"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal { status: Some(status), code: code.to_owned() }
    }

    #[test]
    fn conditions_are_given_up_last_and_only_for_a_missing_feature() {
        let all = Means::new(Conditions::Heeded).ways();
        assert_eq!(all.without_what_is_refused(&refusal(503, "SlowDown")), None);
        assert_eq!(all.without_what_is_refused(&refusal(400, "InvalidArgument")), None);

        let fewer = all.without_what_is_refused(&refusal(501, "NotImplemented")).unwrap();
        assert_eq!(fewer, Ways { checksums: false, ..all });
        let fewest = fewer.without_what_is_refused(&refusal(501, "NotImplemented")).unwrap();
        assert_eq!(fewest, fewer.without_conditions());
        assert_eq!(fewest.without_what_is_refused(&refusal(501, "NotImplemented")), None);

        let signed = all.without_what_is_refused(&refusal(400, "XAmzContentSHA256Mismatch")).unwrap();
        assert_eq!(signed, Ways { unsigned: false, ..all });
        assert_eq!(signed.without_what_is_refused(&refusal(400, "XAmzContentSHA256Mismatch")), None);
    }

    #[test]
    fn the_weaker_promise_is_stated_once_it_is_known() {
        let means = Means::new(Conditions::Heeded);
        assert_eq!(means.limits(), "");
        means.learn(means.ways().without_conditions());
        assert!(means.limits().contains("does not heed conditional writes"));
    }

    #[test]
    fn until_it_is_known_conditions_are_sent_and_not_relied_on() {
        let means = Means::new(Conditions::Unknown);
        let before = means.ways();
        assert!(before.looks() && before.sends_conditions());
        assert!(means.limits().contains("not known yet"));
        means.settle(Conditions::Heeded);
        means.learn(before);
        assert!(!means.ways().looks());
        assert_eq!(means.limits(), "");
    }
}
