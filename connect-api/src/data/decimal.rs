//! Decimals of any precision.

use std::{fmt, str::FromStr};

use bytes::{Buf, Bytes};
use num_bigint::{BigInt, Sign};

/// So many zeros are added to a number at most, or taken away: exponents can ask for gigabytes.
const MOST_ZEROS: u32 = 5_000;

/// A decimal as Java's `BigDecimal` has it: an unscaled integer of any length, and a scale. `1.0` and `1.00` differ.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Big-endian, in two's complement, as few bytes as possible: how every format of Connect stores it.
    unscaled: Bytes,
    scale: i32,
}

impl Decimal {
    /// The decimal `unscaled`·10^-`scale`. `unscaled`: big-endian, in two's complement; no byte at all is zero.
    pub fn new(mut unscaled: Bytes, scale: i32) -> Self {
        let is_needless = |pair: &&[u8]| matches!(pair, [0x00, 0x00..=0x7f] | [0xff, 0x80..=0xff]);
        let needless = unscaled.windows(2).take_while(is_needless).count();
        unscaled.advance(needless);
        if unscaled.is_empty() {
            unscaled = Bytes::from_static(&[0]);
        }
        Self { unscaled, scale }
    }

    /// The unscaled value: big-endian, in two's complement, as few bytes as possible.
    pub fn unscaled(&self) -> &Bytes {
        &self.unscaled
    }

    /// The low 64 bits of what stands before the point, as Java's `BigDecimal.longValue()`.
    pub fn low_bits(&self) -> i64 {
        // What has 64 zeros at its end has 64 bits of zero there, too.
        const ALL_ZERO: i32 = -64;
        let unscaled = BigInt::from_signed_bytes_be(&self.unscaled);
        let whole = match self.scale {
            0 => unscaled,
            ..=ALL_ZERO => return 0,
            // No number of so many bytes has as many digits: three and no more of them are a byte.
            scale @ 1.. if scale as usize > 3 * self.unscaled.len() => return 0,
            scale @ 1.. => unscaled / BigInt::from(10).pow(scale.unsigned_abs()),
            scale => unscaled * BigInt::from(10).pow(scale.unsigned_abs()),
        };
        let low = whole.iter_u64_digits().next().unwrap_or_default().cast_signed();
        if whole.sign() == Sign::Minus { low.wrapping_neg() } else { low }
    }

    /// How many digits stand behind the point; negative where zeros are left out before it.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The same number with another scale; `None` where digits would be lost, or more than some thousand zeros added.
    #[must_use]
    pub fn rescaled(&self, scale: i32) -> Option<Self> {
        if scale == self.scale {
            return Some(self.clone());
        }
        let (unscaled, more) = (BigInt::from_signed_bytes_be(&self.unscaled), i64::from(scale) - i64::from(self.scale));
        if unscaled == BigInt::ZERO {
            return Some(Self::new(Bytes::new(), scale));
        }
        let digits = u32::try_from(more.unsigned_abs()).ok().filter(|digits| *digits <= MOST_ZEROS)?;
        let factor = BigInt::from(10).pow(digits);
        let unscaled = match more {
            1.. => unscaled * factor,
            _ if (&unscaled % &factor) == BigInt::ZERO => unscaled / factor,
            _ => return None,
        };
        Some(Self::new(unscaled.to_signed_bytes_be().into(), scale))
    }
}

/// A text that is no decimal, or whose scale has more than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDecimal;

impl fmt::Display for NoDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no decimal")
    }
}

impl std::error::Error for NoDecimal {}

impl FromStr for Decimal {
    type Err = NoDecimal;

    /// As `new BigDecimal(text)` reads what JSON calls a number.
    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().map_err(|_| NoDecimal)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if !digits.bytes().skip_while(|byte| matches!(byte, b'-' | b'+')).all(|byte| byte.is_ascii_digit()) {
            return Err(NoDecimal);
        }
        let unscaled: BigInt = digits.parse().map_err(|_| NoDecimal)?;
        let scale = i64::try_from(fraction.len()).ok().and_then(|digits| digits.checked_sub(exponent)).ok_or(NoDecimal)?;
        let scale = i32::try_from(scale).map_err(|_| NoDecimal)?;
        Ok(Self::new(unscaled.to_signed_bytes_be().into(), scale))
    }
}

impl fmt::Display for Decimal {
    /// As `BigDecimal.toString()`: `12.340`, `1E+3`, `0E-10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unscaled = BigInt::from_signed_bytes_be(&self.unscaled).to_string();
        let (sign, digits) = unscaled.strip_prefix('-').map_or(("", &*unscaled), |digits| ("-", digits));
        let (scale, count) = (i64::from(self.scale), i64::try_from(digits.len()).unwrap_or(i64::MAX));
        // The exponent of the first digit.
        let adjusted = count - 1 - scale;
        f.write_str(sign)?;
        if scale == 0 {
            return f.write_str(digits);
        }
        if scale > 0 && adjusted >= -6 {
            let point = usize::try_from(count - scale).unwrap_or(0);
            return match point {
                0 => {
                    f.write_str("0.")?;
                    // Not by a width: more than 65,535 are a panic.
                    (count..scale).try_for_each(|_| f.write_str("0"))?;
                    f.write_str(digits)
                }
                _ => write!(f, "{}.{}", &digits[..point], &digits[point..]),
            };
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}")?;
        if adjusted == 0 { Ok(()) } else { write!(f, "E{adjusted:+}") }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_bits_are_those_before_the_point() {
        for (text, expected) in [
            ("42", 42),
            ("-1.9", -1),
            ("0.99", 0),
            ("2147483648", 2_147_483_648),
            ("9223372036854775808", i64::MIN),
            ("-9223372036854775809", i64::MAX),
            ("12e3", 12_000),
            ("1e64", 0),
            ("1e-1000000000", 0),
            ("5e1000000000", 0),
            ("255.5e-1", 25),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().low_bits(), expected, "{text}");
        }
    }

    #[test]
    fn decimals_print_as_java_prints_them() {
        for (text, expected) in [
            ("12.340", "12.340"),
            ("-0.5", "-0.5"),
            ("1e3", "1E+3"),
            ("12e3", "1.2E+4"),
            ("0e-10", "0E-10"),
            ("0.0000012", "0.0000012"),
            ("0.00000012", "1.2E-7"),
            ("1.2E-9", "1.2E-9"),
            ("-0", "0"),
            ("007", "7"),
            ("0.05", "0.05"),
            ("-0.000001", "-0.000001"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn another_scale_takes_no_digit_away() {
        let rescaled = |text: &str, scale| text.parse::<Decimal>().unwrap().rescaled(scale).map(|decimal| decimal.to_string());
        for (text, scale, expected) in [
            ("12.3", 2, Some("12.30")),
            ("12.340", 2, Some("12.34")),
            ("-1e3", 0, Some("-1000")),
            ("1200", -2, Some("1.2E+3")),
            ("0e-100000", 2, Some("0.00")),
            ("12.345", 2, None),
            ("1201", -2, None),
            ("1e2147483647", 2, None),
        ] {
            assert_eq!(rescaled(text, scale).as_deref(), expected, "{text} {scale}");
        }
    }

    #[test]
    fn decimals_of_any_scale_print() {
        let unscaled = format!("1{}", "0".repeat(69_995));
        let printed = format!("{unscaled}e-70000").parse::<Decimal>().unwrap().to_string();
        assert_eq!(printed, format!("0.0000{unscaled}"));
    }

    #[test]
    fn unscaled_values_have_no_needless_bytes() {
        for (bytes, expected) in [
            (&[][..], &[0][..]),
            (&[0, 0, 1], &[1]),
            (&[0, 0x80], &[0, 0x80]),
            (&[0xff, 0xff, 0x80], &[0x80]),
            (&[0xff, 0x7f], &[0xff, 0x7f]),
            (&[0xff, 0xff], &[0xff]),
        ] {
            assert_eq!(&**Decimal::new(Bytes::copy_from_slice(bytes), 0).unscaled(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", "-", ".", "1.2.3", "1e", "e1", "x", "1e99999999999", "1e-2147483648"] {
            assert_eq!(text.parse::<Decimal>(), Err(NoDecimal), "{text}");
        }
    }
}
