//! The pattern language: letters are fields of a date, their number is the width, anything else is itself.

use std::time::{SystemTime, UNIX_EPOCH};

use super::parse::Century;

/// A pattern, compiled, with what two-digit years mean.
#[derive(Clone, Debug)]
pub(crate) struct SimpleDateFormat {
    pub(super) items: Vec<Item>,
    pub(super) century: Century,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Literal(String),
    Field(Spec),
}

/// A run of one letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) letter: Letter,
    pub(super) count: usize,
    /// A number follows at once: reading takes as many characters as there are letters.
    pub(super) is_abutting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    Era,
    Year,
    WeekYear,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayName,
    /// 1 is Monday.
    DayNumber,
    Half,
    /// 0 to 23.
    Hour23,
    /// 1 to 24.
    Hour24,
    /// 0 to 11.
    Hour11,
    /// 1 to 12.
    Hour12,
    Minute,
    Second,
    Milli,
    ZoneName,
    ZoneOffset,
    IsoOffset,
}

impl SimpleDateFormat {
    /// Compiles a pattern. Two-digit years are those from 80 years ago on.
    ///
    /// # Errors
    /// What is wrong with the pattern, in Java's words.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(pattern, i64::try_from(now.as_millis()).unwrap_or_default())
    }

    /// As `new`, at another time (milliseconds since 1970).
    pub(crate) fn at(pattern: &str, now: i64) -> Result<Self, String> {
        Ok(Self { items: compile(pattern)?, century: Century::ending_around(now) })
    }
}

fn compile(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\'' => quoted(after, &mut items)?,
            letter if letter.is_ascii_alphabetic() => {
                let after = rest.trim_start_matches(letter);
                let letter = Letter::of(letter).ok_or_else(|| illegal(letter))?;
                let count = rest.len() - after.len();
                // Java looks up the letter that ends a run before it checks the run.
                if let Some(next) = after.chars().next().filter(|c| c.is_ascii_alphabetic() && Letter::of(*c).is_none()) {
                    return Err(illegal(next));
                }
                push_field(letter, count, &mut items)?;
                after
            }
            other => {
                push_literal(other, &mut items);
                after
            }
        };
    }
    Ok(items)
}

fn illegal(letter: char) -> String {
    format!("Illegal pattern character '{letter}'")
}

/// What follows the closing quote. Two quotes are a quote, within quotes as well as outside of them.
fn quoted<'p>(after_quote: &'p str, items: &mut Vec<Item>) -> Result<&'p str, String> {
    if let Some(rest) = after_quote.strip_prefix('\'') {
        push_literal('\'', items);
        return Ok(rest);
    }
    let mut rest = after_quote;
    loop {
        let Some(next) = rest.chars().next() else { return Err("Unterminated quote".to_owned()) };
        rest = &rest[next.len_utf8()..];
        if next == '\'' {
            match rest.strip_prefix('\'') {
                Some(after) => rest = after,
                None => return Ok(rest),
            }
        }
        push_literal(next, items);
    }
}

fn push_literal(c: char, items: &mut Vec<Item>) {
    if let Some(Item::Literal(text)) = items.last_mut() {
        text.push(c);
    } else {
        items.push(Item::Literal(c.to_string()));
    }
}

fn push_field(letter: Letter, count: usize, items: &mut Vec<Item>) -> Result<(), String> {
    if letter == Letter::IsoOffset && count > 3 {
        return Err(format!("invalid ISO 8601 format: length={count}"));
    }
    if let Some(Item::Field(previous)) = items.last_mut() {
        previous.is_abutting = letter.is_number(count);
    }
    items.push(Item::Field(Spec { letter, count, is_abutting: false }));
    Ok(())
}

impl Letter {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            // `L` is a month that stands alone, which is the same in English.
            'M' | 'L' => Self::Month,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'D' => Self::DayOfYear,
            'd' => Self::DayOfMonth,
            'F' => Self::DayOfWeekInMonth,
            'E' => Self::DayName,
            'u' => Self::DayNumber,
            'a' => Self::Half,
            'H' => Self::Hour23,
            'k' => Self::Hour24,
            'K' => Self::Hour11,
            'h' => Self::Hour12,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Milli,
            'z' => Self::ZoneName,
            'Z' => Self::ZoneOffset,
            'X' => Self::IsoOffset,
            _ => return None,
        })
    }

    fn is_number(self, count: usize) -> bool {
        match self {
            Self::Month => count <= 2,
            Self::Era | Self::DayName | Self::Half | Self::ZoneName | Self::ZoneOffset | Self::IsoOffset => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_java() {
        let error = |pattern| SimpleDateFormat::at(pattern, 0).unwrap_err();
        assert_eq!(error("bad-format"), "Illegal pattern character 'b'");
        assert_eq!(error("XXXXb"), "Illegal pattern character 'b'");
        assert_eq!(error("XXXX bb"), "invalid ISO 8601 format: length=4");
        assert_eq!(error("y'"), "Unterminated quote");
        assert_eq!(error("'''"), "Unterminated quote");
    }

    #[test]
    fn a_field_abuts_only_the_number_right_behind_it() {
        let abutting = |pattern| -> Vec<bool> {
            let items = compile(pattern).unwrap().into_iter();
            items.filter_map(|item| if let Item::Field(spec) = item { Some(spec.is_abutting) } else { None }).collect()
        };
        assert_eq!(abutting("yyyyMMdd"), [true, true, false]);
        assert_eq!(abutting("yyyyMMMdd"), [false, true, false]);
        assert_eq!(abutting("yyyy'T'dd"), [false, false]);
    }

    #[test]
    fn two_quotes_are_a_quote_inside_and_outside() {
        let literal = |text: &str| vec![Item::Literal(text.to_owned())];
        assert_eq!(compile("''").unwrap(), literal("'"));
        assert_eq!(compile("'o''clock' é, '1'").unwrap(), literal("o'clock é, 1"));
    }
}
