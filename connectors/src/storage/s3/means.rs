//! What a store turned out not to understand, so that it is asked otherwise from then on.

use std::sync::{Mutex, PoisonError};

use tracing::warn;

use super::error::Refusal;

/// How requests are made. Every store begins with all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Content goes unsigned (`UNSIGNED-PAYLOAD`): its SHA-256 costs more than all else that is done to it.
    pub(super) unsigned: bool,
    /// Content goes with its CRC-64.
    pub(super) checksums: bool,
    /// New objects are made under conditions (`If-None-Match`, `If-Match`).
    pub(super) conditional: bool,
}

impl Ways {
    /// The next thing to do without after a refusal, the least important first; nothing where the refusal has other reasons.
    pub(super) fn without_what_is_refused(self, refusal: &Refusal) -> Option<Self> {
        if !refusal.is_feature_missing() {
            return None;
        }
        match self {
            Self { unsigned: true, .. } if refusal.wants_signed_content() => Some(Self { unsigned: false, ..self }),
            Self { checksums: true, .. } => Some(Self { checksums: false, ..self }),
            Self { conditional: true, .. } => Some(Self { conditional: false, ..self }),
            _ => None,
        }
    }
}

/// The ways of one store.
#[derive(Debug)]
pub(super) struct Means {
    ways: Mutex<Ways>,
}

impl Default for Means {
    fn default() -> Self {
        Self { ways: Mutex::new(Ways { unsigned: true, checksums: true, conditional: true }) }
    }
}

impl Means {
    pub(super) fn ways(&self) -> Ways {
        *self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps to the ways that succeeded.
    pub(super) fn learn(&self, succeeded: Ways) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if ways.conditional && !succeeded.conditional {
            warn!("the store does not heed conditional writes: looking before writing, which a stale writer can slip through");
        }
        // A request that began before another one learned something knows less.
        ways.unsigned &= succeeded.unsigned;
        ways.checksums &= succeeded.checksums;
        ways.conditional &= succeeded.conditional;
    }

    pub(super) fn limits(&self) -> &'static str {
        if self.ways().conditional {
            ""
        } else {
            "the store does not heed conditional writes: names are looked at before they are written, which a stale writer can slip through"
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
        let all = Means::default().ways();
        assert_eq!(all.without_what_is_refused(&refusal(503, "SlowDown")), None);
        assert_eq!(all.without_what_is_refused(&refusal(400, "InvalidArgument")), None);

        let fewer = all.without_what_is_refused(&refusal(501, "NotImplemented")).unwrap();
        assert_eq!(fewer, Ways { checksums: false, ..all });
        let fewest = fewer.without_what_is_refused(&refusal(501, "NotImplemented")).unwrap();
        assert_eq!(fewest, Ways { conditional: false, ..fewer });
        assert_eq!(fewest.without_what_is_refused(&refusal(501, "NotImplemented")), None);

        let signed = all.without_what_is_refused(&refusal(400, "XAmzContentSHA256Mismatch")).unwrap();
        assert_eq!(signed, Ways { unsigned: false, ..all });
    }

    #[test]
    fn the_weaker_promise_is_stated_once_it_is_known() {
        let means = Means::default();
        assert_eq!(means.limits(), "");
        means.learn(Ways { conditional: false, ..means.ways() });
        assert!(means.limits().contains("conditional writes"));
    }
}
