//! Numbers in headers.

use super::parsed::Parsed;

/// The number that the token is, by the rules of Java's `BigDecimal`: an integer if it is whole, whatever it is written like.
pub(super) fn parse(token: &str) -> Option<Parsed> {
    let decimal = Decimal::parse(token)?;
    if let Some(integer) = decimal.integer() {
        return Some(Parsed::Integer(integer));
    }
    let unsigned = token.strip_prefix('+').unwrap_or(token);
    Some(match (unsigned.parse::<f32>(), unsigned.parse::<f64>()) {
        _ if decimal.scale == 0 => Parsed::Decimal(decimal.to_string()),
        (Ok(value), _) if value.is_finite() => Parsed::Float32(value),
        (_, Ok(value)) if value.is_finite() => Parsed::Float64(value),
        _ => Parsed::Decimal(decimal.to_string()),
    })
}

/// `digits` × 10^-`scale`.
struct Decimal {
    negative: bool,
    /// Without leading zeros.
    digits: String,
    scale: i64,
}

impl Decimal {
    fn parse(token: &str) -> Option<Self> {
        let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
        i32::try_from(scale).ok()?;
        let digits = digits.trim_start_matches('0').to_owned();
        Some(Self { negative: token.starts_with('-'), digits, scale })
    }

    /// Its value, if it is whole and has no more than 64 bits.
    fn integer(&self) -> Option<i64> {
        let significant = self.digits.trim_end_matches('0');
        if significant.is_empty() {
            return Some(0);
        }
        let zeros = i64::try_from(self.digits.len() - significant.len()).ok()? - self.scale;
        let zeros = usize::try_from(zeros).ok().filter(|&zeros| zeros <= 19)?;
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{significant}{}", "0".repeat(zeros)).parse().ok()
    }
}

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

impl std::fmt::Display for Decimal {
    /// `BigDecimal.toString` of anything but 0, which is an integer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let len = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let exponent = len - 1 - self.scale;
        if self.scale >= 0 && exponent >= -6 {
            let zeros = usize::try_from(self.scale - len + 1).unwrap_or(0);
            let padded = format!("{}{}", "0".repeat(zeros), self.digits);
            let (whole, fraction) = padded.split_at(padded.len() - usize::try_from(self.scale).unwrap_or(0));
            return if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") };
        }
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}")?;
        if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
    }
}
