//! Numbers.

use super::JsonError;

/// Digits that a number may have, its exponent included.
const MAX_DIGITS: usize = 1000;

/// A number in the text.
#[derive(Debug)]
pub(super) struct Number {
    /// Leading zeros that no JSON may have: this many bytes from the first digit on.
    pub(super) leading_zeros: usize,
    /// Where the first digit is.
    pub(super) first_digit: usize,
    /// The byte after it.
    pub(super) end: usize,
}

/// The number that begins at `start`, with a sign or a digit.
pub(super) fn number(input: &[u8], start: usize) -> Result<Number, JsonError> {
    let first_digit = start + usize::from(input[start] == b'-');
    let mut end = skip_digits(input, first_digit);
    if end == first_digit {
        return Err(JsonError { reason: "a digit must follow the sign", at: end });
    }
    let integer = &input[first_digit..end];
    let leading_zeros = match integer {
        [b'0', _, ..] => integer.iter().take(integer.len() - 1).take_while(|&&digit| digit == b'0').count(),
        _ => 0,
    };
    let mut digits = integer.len() - leading_zeros;
    if matches!(input.get(end), Some(b'.' | b'e' | b'E')) {
        let (fraction_digits, exponent_digits);
        (end, fraction_digits, exponent_digits) = fraction_and_exponent(input, end)?;
        digits += fraction_digits + exponent_digits;
    }
    if digits > MAX_DIGITS {
        return Err(JsonError { reason: "the number has more than 1000 digits", at: start });
    }
    Ok(Number { leading_zeros, first_digit, end })
}

/// Where the number ends, the digits of its fraction, and those of its exponent.
fn fraction_and_exponent(input: &[u8], mut at: usize) -> Result<(usize, usize, usize), JsonError> {
    let mut fraction_digits = 0;
    if input[at] == b'.' {
        let end = skip_digits(input, at + 1);
        fraction_digits = end - at - 1;
        if fraction_digits == 0 {
            return Err(JsonError { reason: "a digit must follow the decimal point", at: end });
        }
        at = end;
    }
    if !matches!(input.get(at), Some(b'e' | b'E')) {
        return Ok((at, fraction_digits, 0));
    }
    let negative = input.get(at + 1) == Some(&b'-');
    let first = at + 1 + usize::from(matches!(input.get(at + 1), Some(b'+' | b'-')));
    let end = skip_digits(input, first);
    if end == first {
        return Err(JsonError { reason: "a digit must follow the exponent's sign", at: end });
    }
    check_exponent(&input[first..end], negative, fraction_digits).map_err(|reason| JsonError { reason, at: first })?;
    Ok((end, fraction_digits, end - first))
}

/// The JVM's converter reads such numbers as `BigDecimal` first, whose exponent and scale are 32-bit integers.
fn check_exponent(digits: &[u8], negative: bool, fraction_digits: usize) -> Result<(), &'static str> {
    const OUT_OF_RANGE: &str = "the exponent is out of range";
    if digits.len() < 9 {
        return Ok(());
    }
    let significant = digits.iter().position(|&digit| digit != b'0').map_or(&[][..], |first| &digits[first..]);
    if significant.len() > 10 {
        return Err(OUT_OF_RANGE);
    }
    let exponent = significant.iter().fold(0i64, |value, &digit| value * 10 + i64::from(digit - b'0'));
    let exponent = if negative { -exponent } else { exponent };
    let scale = i64::try_from(fraction_digits).unwrap_or(i64::MAX).saturating_sub(exponent);
    if i32::try_from(exponent).is_err() || i32::try_from(scale).is_err() {
        return Err(OUT_OF_RANGE);
    }
    Ok(())
}

fn skip_digits(input: &[u8], mut at: usize) -> usize {
    while matches!(input.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    at
}
