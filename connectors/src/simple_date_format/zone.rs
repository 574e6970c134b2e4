//! Time zones in texts: offsets, and names with the offsets they stand for.

use super::names::longest;

/// Names that Java knows in English, and the minutes they are ahead of UTC. Where zones share a name it is the one that Java takes. This is the part of
/// Java's list whose offsets have been the same since 1970 or nearly so.
const NAMES: [(&str, i32); 82] = [
    ("UTC", 0),
    ("Coordinated Universal Time", 0),
    ("GMT", 0),
    ("Greenwich Mean Time", 0),
    ("PST", -480),
    ("Pacific Standard Time", -480),
    ("PDT", -420),
    ("Pacific Daylight Time", -420),
    ("MST", -420),
    ("Mountain Standard Time", -420),
    ("MDT", -360),
    ("Mountain Daylight Time", -360),
    ("CST", -360),
    ("Central Standard Time", -360),
    ("CDT", -300),
    ("Central Daylight Time", -300),
    ("EST", -300),
    ("Eastern Standard Time", -300),
    ("EDT", -240),
    ("Eastern Daylight Time", -240),
    ("AKST", -540),
    ("Alaska Standard Time", -540),
    ("AKDT", -480),
    ("Alaska Daylight Time", -480),
    ("HST", -600),
    ("Hawaii-Aleutian Standard Time", -600),
    ("AST", -240),
    ("Atlantic Standard Time", -240),
    ("ADT", -180),
    ("Atlantic Daylight Time", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BRT", -180),
    ("COT", -300),
    ("PET", -300),
    ("WET", 0),
    ("Western European Standard Time", 0),
    ("WEST", 60),
    ("Western European Summer Time", 60),
    ("BST", 60),
    ("British Summer Time", 60),
    ("CET", 60),
    ("Central European Standard Time", 60),
    ("CEST", 120),
    ("Central European Summer Time", 120),
    ("MET", 60),
    ("MEST", 120),
    ("EET", 120),
    ("Eastern European Standard Time", 120),
    ("EEST", 180),
    ("Eastern European Summer Time", 180),
    ("MSK", 180),
    ("Moscow Standard Time", 180),
    ("WAT", 60),
    ("CAT", 120),
    ("EAT", 180),
    ("SAST", 120),
    ("South Africa Standard Time", 120),
    ("IST", 120),
    ("Israel Standard Time", 120),
    ("IDT", 180),
    ("Israel Daylight Time", 180),
    ("GST", 240),
    ("Gulf Standard Time", 240),
    ("PKT", 300),
    ("ICT", 420),
    ("HKT", 480),
    ("Hong Kong Standard Time", 480),
    ("SGT", 480),
    ("Singapore Standard Time", 480),
    ("AWST", 480),
    ("JST", 540),
    ("Japan Standard Time", 540),
    ("KST", 540),
    ("Korean Standard Time", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("Australian Eastern Standard Time", 600),
    ("AEDT", 660),
    ("Australian Eastern Daylight Time", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// How hours and minutes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `0230`
    Digits,
    /// `02`
    Hours,
    /// `02:30`
    Colon,
    /// `2:30` or `02:30`
    LooseColon,
}

/// Reads what `z` and `Z` both take: `+0230`, `GMT`, `GMT+2:30`, a name. `blanks` is how many blanks stand before it. Minutes, and what follows.
pub(super) fn read(text: &str, blanks: usize) -> Option<(i32, &str)> {
    if text.starts_with(['+', '-']) {
        return signed(text, Shape::Digits);
    }
    if let Some((_, rest)) = longest(text, ["GMT"]).filter(|_| blanks == 0) {
        return if rest.starts_with(['+', '-']) { signed(rest, Shape::LooseColon) } else { Some((0, rest)) };
    }
    let (index, rest) = longest(text, NAMES.iter().map(|(name, _)| *name))?;
    NAMES.get(index).map(|(_, minutes)| (*minutes, rest))
}

/// Reads what `X`, `XX` and `XXX` take: `Z`, or an offset of just that shape. Minutes, and what follows.
pub(super) fn read_iso(text: &str, count: usize) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    signed(text, [Shape::Hours, Shape::Digits].get(count.checked_sub(1)?).copied().unwrap_or(Shape::Colon))
}

fn signed(text: &str, shape: Shape) -> Option<(i32, &str)> {
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let (minutes, rest) = unsigned(text.strip_prefix(['+', '-'])?, shape)?;
    Some((sign * minutes, rest))
}

fn unsigned(text: &str, shape: Shape) -> Option<(i32, &str)> {
    let (hours, rest) = match two_digits(text) {
        Some(found) => found,
        None if shape == Shape::LooseColon => digit(text)?,
        None => return None,
    };
    let minutes = match shape {
        Shape::Hours => Some((0, rest)),
        Shape::Digits => two_digits(rest),
        Shape::Colon | Shape::LooseColon => rest.strip_prefix(':').and_then(two_digits),
    };
    let (minutes, rest) = minutes?;
    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes, rest))
}

fn two_digits(text: &str) -> Option<(i32, &str)> {
    let (tens, rest) = digit(text)?;
    let (ones, rest) = digit(rest)?;
    Some((tens * 10 + ones, rest))
}

fn digit(text: &str) -> Option<(i32, &str)> {
    let value = text.chars().next()?.to_digit(10)?;
    Some((i32::try_from(value).ok()?, &text[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_offsets_and_names() {
        let cases = [
            ("+0230x", Some((150, "x"))),
            ("-0800", Some((-480, ""))),
            ("+02:30", None),
            ("+2400", None),
            ("+0160", None),
            ("gmt", Some((0, ""))),
            ("GMT-8:00", Some((-480, ""))),
            ("GMT+0800", None),
            ("GMT+8", None),
            ("UTC+1", Some((0, "+1"))),
            ("cest", Some((120, ""))),
            ("XYZ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text, 0), expected, "{text}");
        }
    }

    #[test]
    fn iso_offsets_have_the_shape_of_the_pattern() {
        assert_eq!((read_iso("+0230", 1), read_iso("+0230", 2), read_iso("+0230", 3)), (Some((120, "30")), Some((150, "")), None));
        assert_eq!((read_iso("-02:30", 3), read_iso("Z", 3), read_iso("z", 3)), (Some((-150, "")), Some((0, "")), None));
        assert_eq!(read_iso("+2", 1), None);
    }
}
