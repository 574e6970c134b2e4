//! Bytes as text.

/// Appends the bytes in the standard alphabet, padded.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32, shift: u32| ALPHABET[(bits >> shift & 0x3f) as usize];
    let (triples, rest) = bytes.as_chunks::<3>();
    for &[first, second, third] in triples {
        let bits = u32::from_be_bytes([0, first, second, third]);
        out.extend_from_slice(&[letter(bits, 18), letter(bits, 12), letter(bits, 6), letter(bits, 0)]);
    }
    match *rest {
        [first] => {
            let bits = u32::from_be_bytes([0, first, 0, 0]);
            out.extend_from_slice(&[letter(bits, 18), letter(bits, 12), b'=', b'=']);
        }
        [first, second] => {
            let bits = u32::from_be_bytes([0, first, second, 0]);
            out.extend_from_slice(&[letter(bits, 18), letter(bits, 12), letter(bits, 6), b'=']);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_padded_to_whole_groups() {
        let encoded = |bytes: &[u8]| {
            let mut out = Vec::new();
            write_base64(bytes, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(encoded(b""), "");
        assert_eq!(encoded(&[0]), "AA==");
        assert_eq!(encoded(b"\0\x01"), "AAE=");
        assert_eq!(encoded(b"abc"), "YWJj");
        assert_eq!(encoded(b"\0\x01\x02\xff"), "AAEC/w==");
        assert_eq!(encoded(&[0xfb, 0xef, 0xbe]), "++++");
    }
}
