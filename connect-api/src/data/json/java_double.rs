//! `Double.toString` and `Float.toString` of Java up to 18: nearly the shortest digits, and sometimes one more.
//!
//! The digits follow the JDK's `FloatingDecimal`: an estimate of the decimal exponent, then digit by digit until what is left is within
//! half a unit of the last binary place. Its stopping rule differs slightly with the width of the integers it can use, so the widths are
//! kept: 32 bits with overflow, 64 bits with overflow, any.

use std::cmp::Ordering;

/// The text of a double.
pub fn double_to_string(value: f64) -> String {
    const FRACTION_BITS: u32 = 52;
    if !value.is_finite() || value == 0.0 {
        return special(value);
    }
    let fraction = value.to_bits() & ((1 << FRACTION_BITS) - 1);
    let exponent = (value.to_bits() >> FRACTION_BITS & 0x7ff) as i32;
    Binary::new(fraction, exponent, FRACTION_BITS, 1023).to_string(value < 0.0)
}

/// The text of a float.
pub fn float_to_string(value: f32) -> String {
    const FRACTION_BITS: u32 = 23;
    if !value.is_finite() || value == 0.0 {
        return special(value.into());
    }
    let fraction = value.to_bits() & ((1 << FRACTION_BITS) - 1);
    let exponent = (value.to_bits() >> FRACTION_BITS & 0xff) as i32;
    Binary::new(fraction.into(), exponent, FRACTION_BITS, 127).to_string(value < 0.0)
}

fn special(value: f64) -> String {
    let text = match value {
        _ if value.is_nan() => "NaN",
        _ if value == 0.0 && value.is_sign_negative() => "-0.0",
        _ if value == 0.0 => "0.0",
        _ if value < 0.0 => "-Infinity",
        _ => "Infinity",
    };
    text.to_owned()
}

/// Bits to the right of the leading one, wherever the value came from.
const SHIFT: u32 = 52;

/// A positive number: `mantissa` × 2^(`exponent` - 52), its bit 52 set.
struct Binary {
    mantissa: u64,
    exponent: i32,
    significant_bits: i32,
}

impl Binary {
    fn new(fraction: u64, biased: i32, fraction_bits: u32, bias: i32) -> Self {
        let widen = SHIFT - fraction_bits;
        if biased == 0 {
            // Subnormal: as many bits as the number has.
            let significant_bits = 64 - fraction.leading_zeros();
            let shift = fraction_bits + 1 - significant_bits;
            let exponent = 1 - shift.cast_signed() - bias;
            return Self { mantissa: fraction << shift << widen, exponent, significant_bits: significant_bits.cast_signed() };
        }
        let mantissa = (fraction | 1 << fraction_bits) << widen;
        Self { mantissa, exponent: biased - bias, significant_bits: fraction_bits.cast_signed() + 1 }
    }

    fn to_string(&self, negative: bool) -> String {
        let mut text = String::with_capacity(26);
        if negative {
            text.push('-');
        }
        self.decimal().write(&mut text);
        text
    }

    fn fraction_bits(&self) -> i32 {
        53 - self.mantissa.trailing_zeros().cast_signed()
    }

    fn decimal(&self) -> Decimal {
        let tiny_bits = (self.fraction_bits() - self.exponent - 1).max(0);
        if tiny_bits == 0 && self.exponent <= 62 {
            return self.integer();
        }
        let scaled = self.scale(tiny_bits);
        let fits = |bits: i32| scaled.value_bits < bits && scaled.ten_bits < bits;
        if fits(32) {
            scaled.narrow_digits(|wide| i64::from(wide as i32))
        } else if fits(64) {
            scaled.narrow_digits(|wide| wide)
        } else {
            scaled.wide_digits()
        }
    }

    /// A whole number of at most 63 bits: its digits without those that the mantissa cannot tell.
    fn integer(&self) -> Decimal {
        let mut value = match self.exponent - SHIFT.cast_signed() {
            left @ 0.. => self.mantissa << left,
            right => self.mantissa >> -right,
        };
        let spare_bits = self.exponent - self.significant_bits - 1;
        let mut dropped = 0;
        if spare_bits > 1 {
            // As many digits as 2^spare_bits has, less one.
            dropped = (1u64 << spare_bits).ilog10();
            let power = 10u64.pow(dropped);
            value = value / power + u64::from(value % power >= power / 2 && dropped > 0);
        }
        let digits = value.to_string();
        let exponent = (digits.len() + dropped as usize) as i32;
        let mut digits: Vec<u8> = digits.trim_end_matches('0').bytes().map(|digit| digit - b'0').collect();
        if digits.is_empty() {
            digits.push(0);
        }
        Decimal { digits, exponent }
    }

    /// Value and half a unit as fractions whose denominator makes the value's first digit its whole part.
    fn scale(&self, tiny_bits: i32) -> Scaled {
        let exponent = self.estimate_exponent();
        let fraction_bits = self.fraction_bits();
        let value_5 = (-exponent).max(0);
        let mut value_2 = value_5 + tiny_bits + self.exponent;
        let unit_5 = exponent.max(0);
        let mut unit_2 = unit_5 + tiny_bits;
        let mut half_2 = value_2 - self.significant_bits;
        value_2 -= fraction_bits - 1;
        let common = value_2.min(unit_2);
        value_2 -= common;
        unit_2 -= common;
        half_2 -= common;
        if fraction_bits == 1 {
            // The next smaller number is only half as far away.
            half_2 -= 1;
        }
        if half_2 < 0 {
            value_2 -= half_2;
            unit_2 -= half_2;
            half_2 = 0;
        }
        Scaled {
            mantissa: self.mantissa >> self.mantissa.trailing_zeros(),
            exponent,
            value: (value_5, value_2),
            unit: (unit_5, unit_2),
            half: (value_5, half_2),
            value_bits: fraction_bits + value_2 + bits_of_power_of_5(value_5),
            ten_bits: unit_2 + 1 + bits_of_power_of_5(unit_5 + 1),
        }
    }

    /// The decimal exponent or one too many.
    #[expect(clippy::approx_constant, reason = "the JDK's constant, which decides how many digits there are")]
    fn estimate_exponent(&self) -> i32 {
        let leading = f64::from_bits(self.mantissa & ((1 << SHIFT) - 1) | 1023 << SHIFT);
        let estimate = (leading - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(self.exponent) * 0.301_029_995_663_981;
        estimate.floor() as i32
    }
}

/// Bits of 5^`exponent`; for large ones the JDK's guess.
fn bits_of_power_of_5(exponent: i32) -> i32 {
    match exponent {
        0 => 0,
        1..27 => 5u64.pow(exponent.unsigned_abs()).ilog2().cast_signed() + 1,
        _ => exponent * 3,
    }
}

/// The number is `mantissa` × `value` / `unit` × 10^`exponent`, and `half` / `unit` is half a unit of its last place; each a pair of exponents, of 5 and of 2.
struct Scaled {
    mantissa: u64,
    exponent: i32,
    value: (i32, i32),
    unit: (i32, i32),
    half: (i32, i32),
    value_bits: i32,
    ten_bits: i32,
}

impl Scaled {
    fn narrow_digits(&self, wrap: fn(i64) -> i64) -> Decimal {
        let power = |(five, two): (i32, i32)| 5i64.wrapping_pow(five.unsigned_abs()).wrapping_shl(two.unsigned_abs());
        let mut value = wrap(self.mantissa.cast_signed().wrapping_mul(power(self.value)));
        let unit = wrap(power(self.unit));
        let mut half = wrap(power(self.half));
        let ten = wrap(unit.wrapping_mul(10));
        let mut next = |first: bool| {
            let digit = (value / unit) as u8;
            value = wrap((value % unit).wrapping_mul(10));
            half = wrap(half.wrapping_mul(10));
            let overflow = half <= 0 && !first;
            let low = overflow || value < half;
            let high = overflow || wrap(value.wrapping_add(half)) > ten;
            Step { digit, low, high, middle: wrap((value << 1).wrapping_sub(ten)).cmp(&0) }
        };
        develop(self.exponent, &mut next)
    }

    fn wide_digits(&self) -> Decimal {
        let unit = Big::power(1, self.unit);
        let ten = Big::power(10, self.unit);
        let mut value = Big::power(self.mantissa, self.value);
        let mut half = Big::power(1, self.half);
        let mut next = |_first: bool| {
            let digit = value.divide(&unit);
            value.multiply(10);
            half.multiply(10);
            let low = value.compare(&half).is_lt();
            let mut sum = value.clone();
            sum.add(&half);
            let high = sum.compare(&ten).is_ge();
            let mut double = value.clone();
            double.multiply(2);
            Step { digit, low, high, middle: double.compare(&ten) }
        };
        develop(self.exponent, &mut next)
    }
}

/// One digit, and whether the digits so far, or these plus one, are close enough. `middle` says on which side of the middle the number is.
struct Step {
    digit: u8,
    low: bool,
    high: bool,
    middle: Ordering,
}

fn develop(mut exponent: i32, next: &mut dyn FnMut(bool) -> Step) -> Decimal {
    let mut digits = Vec::with_capacity(18);
    let mut step = next(true);
    if step.digit == 0 && !step.high {
        // The estimate was one too many.
        exponent -= 1;
    } else {
        digits.push(step.digit);
    }
    // There is always a digit after the point, so these need two.
    if !(-3..8).contains(&exponent) {
        (step.low, step.high) = (false, false);
    }
    while !step.low && !step.high {
        step = next(false);
        digits.push(step.digit);
    }
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    let up = step.high && (!step.low || step.middle.is_gt() || step.middle.is_eq() && odd);
    let mut decimal = Decimal { digits, exponent: exponent + 1 };
    if up {
        decimal.round_up();
    }
    decimal
}

/// 0.`digits` × 10^`exponent`.
struct Decimal {
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    fn round_up(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.exponent += 1;
        if let Some(first) = self.digits.first_mut() {
            *first = 1;
        }
    }

    fn write(&self, text: &mut String) {
        let digit = |index: usize| char::from(b'0' + self.digits.get(index).copied().unwrap_or_default());
        let (whole, scientific) = match self.exponent {
            1..8 => (self.exponent.unsigned_abs() as usize, None),
            -2..=0 => (0, None),
            exponent => (1, Some(exponent - 1)),
        };
        if whole == 0 {
            text.push_str("0.");
            (self.exponent..0).for_each(|_| text.push('0'));
        } else {
            text.extend((0..whole).map(digit));
            text.push('.');
        }
        text.extend((whole..self.digits.len().max(whole + 1)).map(digit));
        if let Some(exponent) = scientific {
            text.push('E');
            text.push_str(&exponent.to_string());
        }
    }
}

/// A natural number of any size: 32 bits a limb, the low ones first, the last not 0.
#[derive(Clone)]
struct Big(Vec<u32>);

impl Big {
    /// `factor` × 5^five × 2^two.
    fn power(factor: u64, (five, two): (i32, i32)) -> Self {
        let mut big = Self(vec![factor as u32, (factor >> 32) as u32]);
        for _ in 0..five / 13 {
            big.multiply(5u32.pow(13));
        }
        big.multiply(5u32.pow(five.unsigned_abs() % 13));
        big.multiply(1 << (two.unsigned_abs() % 32));
        big.0.splice(..0, (0..two / 32).map(|_| 0));
        big
    }

    fn multiply(&mut self, factor: u32) {
        let mut carry = 0u64;
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        self.0.push(carry as u32);
        self.trim();
    }

    fn add(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()) + 1, 0);
        let mut carry = 0u64;
        for (index, limb) in self.0.iter_mut().enumerate() {
            carry += u64::from(*limb) + u64::from(other.0.get(index).copied().unwrap_or_default());
            *limb = carry as u32;
            carry >>= 32;
        }
        self.trim();
    }

    /// Leaves the remainder. The quotient is a decimal digit, so subtracting is quick enough.
    fn divide(&mut self, divisor: &Self) -> u8 {
        let mut quotient = 0;
        while self.compare(divisor).is_ge() {
            let mut borrow = 0i64;
            for (index, limb) in self.0.iter_mut().enumerate() {
                borrow += i64::from(*limb) - i64::from(divisor.0.get(index).copied().unwrap_or_default());
                *limb = borrow as u32;
                borrow >>= 32;
            }
            self.trim();
            quotient += 1;
        }
        quotient
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_len = self.0.len().cmp(&other.0.len());
        by_len.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}
