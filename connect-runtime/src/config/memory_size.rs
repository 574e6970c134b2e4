//! An amount of memory.

use connect_api::config::{ConfigType, ConfigValue};

/// Bytes, written as a number with or without a suffix: `1073741824`, `512M`, `2GiB`. All suffixes are powers of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemorySize(pub(super) usize);

impl ConfigValue for MemorySize {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, suffix) = text.split_at(digits);
        let shift = match suffix.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err(EXPECTED.to_owned()),
        };
        let number: usize = number.parse().map_err(|_not_a_number| EXPECTED.to_owned())?;
        match number.checked_mul(1 << shift) {
            Some(bytes) if bytes >= LEAST => Ok(Self(bytes)),
            Some(_) => Err("Value must be at least 8M".to_owned()),
            None => Err(EXPECTED.to_owned()),
        }
    }
}

const EXPECTED: &str = "expected a number of bytes, such as 1073741824, 512M or 2GiB";
/// Less does not hold the largest message of a few partitions.
const LEAST: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_powers_of_1024() {
        for text in ["536870912", "512M", "512 MiB", "512mb", "524288k"] {
            assert_eq!(MemorySize::parse(text), Ok(MemorySize(512 << 20)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_of_memory_is_refused() {
        for text in ["", "M", "-1", "1.5G", "12 parsecs", "99999999999999999999", "99999999999G", "4096"] {
            assert!(MemorySize::parse(text).is_err(), "{text}");
        }
    }
}
