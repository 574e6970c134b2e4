//! Durations as Java reads and writes them: `P1DT2H3M4.5S`.

use std::time::Duration;

/// The units and how many seconds each has, in the order in which they may follow each other; all but the first after a `T`.
const UNITS: [(char, u64); 4] = [('D', 86_400), ('H', 3_600), ('M', 60), ('S', 1)];

/// Reads a duration that is not negative, in any case of letters.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    const MALFORMED: &str = "after by_duration: comes a duration such as PT1H, PT30M or P1DT12H";
    let text = text.to_ascii_uppercase();
    if text.contains('-') {
        return Err("a negative duration is not supported");
    }
    let rest = text.strip_prefix('P').ok_or(MALFORMED)?;
    let (days, times) = match rest.split_once('T') {
        Some((_, "")) => return Err(MALFORMED),
        Some((days, times)) => (days, times),
        None => (rest, ""),
    };
    let days = amounts(days, &UNITS[..1]).ok_or(MALFORMED)?;
    let times = amounts(times, &UNITS[1..]).ok_or(MALFORMED)?;
    match days.or(times) {
        None => Err(MALFORMED),
        Some(_) => Ok(days.unwrap_or_default().saturating_add(times.unwrap_or_default())),
    }
}

/// The sum of what stands there, each unit once and in order: `Some(None)` where nothing does, `None` where it is something else.
fn amounts(text: &str, units: &[(char, u64)]) -> Option<Option<Duration>> {
    let (mut rest, mut sum) = (text, None);
    for (unit, seconds) in units {
        let Some((amount, after)) = rest.split_once(*unit) else { continue };
        let duration = match amount.split_once('.') {
            Some((whole, part)) if *unit == 'S' => number(whole)?.saturating_add(fraction(part)?),
            Some(_) => return None,
            None => number(amount)?,
        };
        let factor = u32::try_from(*seconds).ok()?;
        sum = Some(sum.unwrap_or(Duration::ZERO).saturating_add(duration.saturating_mul(factor)));
        rest = after;
    }
    rest.is_empty().then_some(sum)
}

fn number(digits: &str) -> Option<Duration> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(Duration::from_secs)
}

fn fraction(digits: &str) -> Option<Duration> {
    let is_fraction = (1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_fraction.then(|| format!("{digits:0<9}").parse().ok()).flatten().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        let seconds = |text| parse(text).map(|duration| duration.as_secs_f64());
        for (text, expected) in
            [("PT1H", 3_600.0), ("P1D", 86_400.0), ("p1dt2h3m4.5s", 93_784.5), ("PT0S", 0.0), ("PT90M", 5_400.0)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "1H", "P", "PT", "P1DT", "PT1H1H", "PT1M1H", "P1H", "PT1.5H", "PT1", "PT-1H", "PTxS"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
