//! Integers of seven bits a byte with the sign in the lowest, as Avro has them, and Confluent's wire format.

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// The bytes end too early.
    Truncated,
    /// It has more bits than 64.
    TooLong,
}

/// The number at the beginning, and how many bytes it has.
///
/// # Errors
/// Where there is none.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Result<(i64, usize), NoNumber> {
    let mut read = 0_u64;
    for place in 0..10 {
        let byte = *bytes.get(place).ok_or(NoNumber::Truncated)?;
        read |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(((read >> 1).cast_signed() ^ -(read & 1).cast_signed(), place + 1));
        }
    }
    Err(NoNumber::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_say() {
        assert_eq!(read(&[3, 9]), Ok((-2, 1)));
        assert_eq!(read(&[0x80, 1, 9]), Ok((64, 2)));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Ok((i64::MIN, 10)));
        assert_eq!(read(&[0x80]), Err(NoNumber::Truncated));
        assert_eq!(read(&[]), Err(NoNumber::Truncated));
        assert_eq!(read(&[0xff; 11]), Err(NoNumber::TooLong));
    }
}
