//! What to do about a partition that cannot be read, decided without touching anything.

use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode;

use super::offsets::Reset;

/// How often the same offset is read before it counts as unreadable: damage on the wire heals, damage on a disk does not.
const ATTEMPTS: u32 = 5;

/// The pause before the first repetition; each next one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What an error in the place of a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Records cannot be understood, and librdkafka is about to skip them, or has: read again from the last good one.
    ReadAgain,
    /// The log does not have the offset: find out what became of it.
    LookUp,
    /// The brokers do not let us read now. librdkafka goes on asking and has not moved.
    Report,
    /// Says nothing about the partition.
    Ignore,
    /// The client has ended.
    Fatal,
}

/// Judges an error by its code. What nobody has thought of is read again: nothing may be skipped.
pub(super) fn verdict(code: RDKafkaErrorCode) -> Verdict {
    use RDKafkaErrorCode as Code;
    match code {
        Code::AutoOffsetReset => Verdict::LookUp,
        Code::Fatal => Verdict::Fatal,
        Code::PartitionEOF | Code::PollExceeded => Verdict::Ignore,
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::BrokerNotAvailable
        | Code::ReplicaNotAvailable
        | Code::OffsetNotAvailable
        | Code::RequestTimedOut
        | Code::NotEnoughReplicas
        | Code::Unknown
        | Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::Authentication => Verdict::Report,
        _ => Verdict::ReadAgain,
    }
}

/// How long to wait before an offset is read again that could not be read so many times; `None` where it has been tried often enough.
pub(super) fn pause_after(failures: u32) -> Option<Duration> {
    (failures < ATTEMPTS).then(|| FIRST_PAUSE * 4_u32.pow(failures.saturating_sub(1)))
}

/// How long to wait before a question about offsets is asked again.
pub(super) fn ask_again_after(failures: u32) -> Duration {
    (Duration::from_millis(100) * 2_u32.pow(failures.min(4))).min(Duration::from_secs(1))
}

/// How long to wait before an offset is read that the log was said so many times not to have, and has.
pub(super) fn pause_before_following(contradictions: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.pow(contradictions.saturating_sub(1).min(8))).min(Duration::from_secs(10))
}

/// Where to go on when the log does not have the next offset that is expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It has it after all.
    Follow,
    /// So many records have gone from it; go on here.
    Gone { missing: i64, at: i64 },
    /// So many records have gone from it, and nobody has said where to go on.
    Refuse { missing: i64 },
    /// It is another log, or was cut off: all of it is new.
    BeganAnew { at: i64 },
}

/// Decides by where the log begins and ends now, and where a reset begins in it. `truncated`: librdkafka knows that records which were read are no
/// longer there.
pub(super) fn resolve(next: i64, (low, high): (i64, i64), truncated: bool, (reset, begin): (Reset, i64)) -> Resolution {
    if truncated || next > high {
        return Resolution::BeganAnew { at: low };
    }
    if next >= low {
        return Resolution::Follow;
    }
    match reset {
        Reset::Earliest | Reset::Latest | Reset::Since(_) => Resolution::Gone { missing: begin - next, at: begin },
        Reset::Error => Resolution::Refuse { missing: low - next },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_cannot_be_understood_is_read_again_and_never_skipped() {
        use RDKafkaErrorCode as Code;
        for code in [Code::BadMessage, Code::BadCompression, Code::NotImplemented, Code::InvalidMessage, Code::Underflow] {
            assert_eq!(verdict(code), Verdict::ReadAgain, "{code:?}");
        }
    }

    #[test]
    fn what_the_brokers_refuse_is_reported() {
        use RDKafkaErrorCode as Code;
        for code in [Code::TopicAuthorizationFailed, Code::UnknownTopicOrPartition, Code::UnknownPartition] {
            assert_eq!(verdict(code), Verdict::Report, "{code:?}");
        }
        assert_eq!(verdict(Code::AutoOffsetReset), Verdict::LookUp);
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<_> = (1..=ATTEMPTS).map(|failures| pause_after(failures).map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(50), Some(200), Some(800), Some(3200), None]);
        assert_eq!([0, 1, 9].map(|failures| ask_again_after(failures).as_millis()), [100, 200, 1000]);
        assert_eq!([1, 2, 8, 99].map(|times| pause_before_following(times).as_millis()), [50, 100, 6_400, 10_000]);
    }

    #[test]
    fn records_that_have_gone_are_counted_and_the_policy_says_where_to_go_on() {
        let log = (100, 250);
        assert_eq!(resolve(40, log, false, (Reset::Earliest, 100)), Resolution::Gone { missing: 60, at: 100 });
        assert_eq!(resolve(40, log, false, (Reset::Latest, 250)), Resolution::Gone { missing: 210, at: 250 });
        assert_eq!(resolve(40, log, false, (Reset::Error, 100)), Resolution::Refuse { missing: 60 });
    }

    #[test]
    fn a_log_that_ends_before_what_was_read_is_another_one() {
        for reset in [Reset::Earliest, Reset::Latest, Reset::Error] {
            assert_eq!(resolve(251, (3, 250), false, (reset, 3)), Resolution::BeganAnew { at: 3 });
            assert_eq!(resolve(200, (3, 250), true, (reset, 3)), Resolution::BeganAnew { at: 3 });
        }
    }

    #[test]
    fn an_offset_that_is_there_is_followed() {
        for next in [100, 180, 250] {
            assert_eq!(resolve(next, (100, 250), false, (Reset::Error, 100)), Resolution::Follow);
        }
    }
}
