//! Whole numbers as Java's `DecimalFormat` takes them from the beginning of a text.

/// The zero of every set of ten digits in Unicode's first plane; Java takes them all.
const ZEROS: [u32; 37] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0,
    0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900,
    0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// Reads a number: a minus or nothing, digits, an exponent (`E3`) if there is one. What does not fit 32 bits is cut or becomes the limit, as
/// `Number.intValue` has it. `None` where no number is.
pub(super) fn read(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix("NaN") {
        return Some((0, rest));
    }
    let (negative, unsigned) = sign(text);
    if let Some(rest) = unsigned.strip_prefix('∞') {
        return Some((limit(negative), rest));
    }
    let (mantissa, rest) = digits(unsigned)?;
    let (exponent, rest) = rest.strip_prefix('E').and_then(exponent).unwrap_or((0, rest));
    Some((value(negative, mantissa, exponent), rest))
}

/// The value of a decimal digit.
pub(super) fn digit(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let code = u32::from(c);
    let before = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    ZEROS.get(before).map(|zero| code - zero).filter(|value| *value < 10)
}

fn sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// At least one digit. A number too large for 128 bits becomes their maximum.
fn digits(text: &str) -> Option<(u128, &str)> {
    let mut rest = text;
    let mut number = 0_u128;
    while let Some(digit) = rest.chars().next().and_then(digit) {
        number = number.saturating_mul(10).saturating_add(u128::from(digit));
        rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
    }
    (rest.len() < text.len()).then_some((number, rest))
}

fn exponent(text: &str) -> Option<(i32, &str)> {
    let (negative, unsigned) = sign(text);
    let (number, rest) = digits(unsigned)?;
    let number = i64::try_from(number).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "as Java does")]
    let number = number as i32;
    Some((if negative { number.wrapping_neg() } else { number }, rest))
}

fn value(negative: bool, mantissa: u128, exponent: i32) -> i32 {
    let scale = 10_u128.checked_pow(exponent.unsigned_abs());
    let whole = match scale {
        _ if mantissa == 0 => Some(0),
        Some(scale) if exponent >= 0 => mantissa.checked_mul(scale),
        Some(scale) if mantissa.is_multiple_of(scale) => Some(mantissa / scale),
        // A fraction is a floating point number to Java. It loses its fraction, and has limits.
        Some(scale) => {
            return i32::try_from(mantissa / scale).map_or(limit(negative), |whole| if negative { -whole } else { whole });
        }
        None if exponent < 0 => Some(0),
        None => None,
    };
    match whole.map(i64::try_from) {
        #[expect(clippy::cast_possible_truncation, reason = "as Java does")]
        Some(Ok(whole)) => (if negative { -whole } else { whole }) as i32,
        // Beyond 64 bits it is a floating point number as well.
        _ => limit(negative),
    }
}

fn limit(negative: bool) -> i32 {
    if negative { i32::MIN } else { i32::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_java_takes() {
        let cases = [
            ("5x", Some((5, "x"))),
            ("-5", Some((-5, ""))),
            ("007", Some((7, ""))),
            ("5.5E3", Some((5, ".5E3"))),
            ("1E3", Some((1_000, ""))),
            ("1E", Some((1, "E"))),
            ("1E+1", Some((1, "E+1"))),
            ("15E-1", Some((1, ""))),
            ("5E99", Some((i32::MAX, ""))),
            ("5E999999999999", Some((0, ""))),
            ("NaN", Some((0, ""))),
            ("-∞", Some((i32::MIN, ""))),
            ("٣४", Some((34, ""))),
            ("4294967297", Some((1, ""))),
            ("9223372036854775807", Some((-1, ""))),
            ("99999999999999999999", Some((i32::MAX, ""))),
            ("+5", None),
            ("--5", None),
            (".5", None),
            ("-", None),
            ("", None),
            ("E5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
