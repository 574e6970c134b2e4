//! Java's `.properties` format, as `java.util.Properties.load(InputStream)` reads it.

use std::sync::Arc;

use connect_api::config::{Config, Origin, Problem, Problems};

use super::{client, file::set_twice, validate::is_invisible};

/// Reads ISO-8859-1 bytes. Every key remembers the line on which its logical line begins; one that is set twice is warned of.
///
/// # Errors
/// A `\u` that four hexadecimal digits do not follow, or a secret in UTF-8; nothing else can be wrong with a properties file.
pub(super) fn read(bytes: &[u8], file: &str) -> Result<(Config, Problems), Problem> {
    let file: Arc<str> = file.into();
    let (mut config, mut warnings) = (Config::default(), Problems::default());
    for line in logical_lines(bytes) {
        let origin = Origin { file: file.clone(), line: line.number };
        let (key, value) = split(&line.bytes);
        let malformed = |part: &str| Problem::general(malformed_escape(part)).at(Some(origin.clone()));
        let seen_key = String::from_utf8_lossy(key);
        let of_key = in_escapes(key).map(|escapes| (format!("the key {seen_key}"), escapes));
        let key = unescape(key).ok_or_else(|| malformed("a key"))?;
        if client::is_secret(&key) && is_beyond_ascii_in_utf8(value) {
            let message = format!(
                "the value of `{key}` has characters in UTF-8; a properties file is read as ISO-8859-1, as by Kafka Connect, and each of them would \
                 become two or more others: write each as \\uXXXX, its four hexadecimal digits"
            );
            return Err(Problem::of_key(&key, message).at(Some(origin)));
        }
        let of_value = in_escapes(value).map(|escapes| (seen_key.into_owned(), escapes));
        for (what, escapes) in of_key.into_iter().chain(of_value) {
            let message = format!(
                "{what} has characters in UTF-8; a properties file is read as ISO-8859-1, as by Kafka Connect, and each of them becomes two or more \
                 others: write {escapes}"
            );
            warnings.push(Problem::of_key(&key, message).at(Some(origin.clone())));
        }
        if let Some(escape) = lost_escape(value).filter(|_| key.ends_with("regex")) {
            let message = format!(
                "{key}: Java properties take a single backslash away, and \\{escape} is {escape} to the regular expression: write \\\\{escape}"
            );
            warnings.push(Problem::of_key(&key, message).at(Some(origin.clone())));
        }
        let value = unescape(value).ok_or_else(|| malformed(&format!("the value of `{key}`")))?;
        if let Some(before) = config.entry(&key).and_then(|entry| entry.origin.as_ref()) {
            warnings.push(set_twice(&key, before.line, origin.clone()));
        }
        config.insert(key, value, Some(origin));
    }
    Ok((config, warnings))
}

/// The settings without what is to be said of them.
#[cfg(test)]
pub(super) fn parse(bytes: &[u8], file: &str) -> Result<Config, Problem> {
    read(bytes, file).map(|(config, _)| config)
}

/// Whether the bytes can hardly be meant as ISO-8859-1.
fn is_beyond_ascii_in_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// How the characters of UTF-8 are written, each once and no more than a few; nothing where there are none to be seen.
fn in_escapes(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_beyond_ascii_in_utf8(bytes))?;
    let mut seen = Vec::new();
    for character in text.chars().filter(|c| !c.is_ascii() && !is_invisible(c)) {
        if !seen.contains(&character) {
            seen.push(character);
        }
    }
    let escape = |character: &char| {
        let mut units = [0; 2];
        let escaped: String = character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("{escaped} for {character}")
    };
    let more = if seen.len() > MOST_ESCAPES { ", and so on" } else { "" };
    let escapes: Vec<_> = seen.iter().take(MOST_ESCAPES).map(escape).collect();
    (!escapes.is_empty()).then(|| format!("{}{more}", escapes.join(", ")))
}

/// As many as show what is meant.
const MOST_ESCAPES: usize = 5;

/// What stands after a backslash that would mean something to a regular expression and that Java properties take away.
fn lost_escape(raw: &[u8]) -> Option<char> {
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        let escaped = if *byte == b'\\' { bytes.next() } else { None };
        match escaped {
            Some(b't' | b'n' | b'r' | b'f' | b'u' | b'\\') | None => {}
            Some(escaped) if escaped.is_ascii_alphabetic() || b".*+?()[]{}|^$".contains(escaped) => {
                return Some(char::from(*escaped));
            }
            Some(_) => {}
        }
    }
    None
}

fn malformed_escape(part: &str) -> String {
    format!(
        "Malformed \\uxxxx encoding in {part}: \\u must be followed by four hexadecimal digits; a backslash itself is written \\\\"
    )
}

/// A line with its continuations joined, escapes untouched.
struct LogicalLine {
    number: u32,
    bytes: Vec<u8>,
}

fn logical_lines(bytes: &[u8]) -> Vec<LogicalLine> {
    let mut lines = Vec::new();
    let mut continued: Option<LogicalLine> = None;
    for (number, natural) in (1..).zip(natural_lines(without_last_terminator(bytes))) {
        let natural = trim_start(natural);
        let mut line = match continued.take() {
            // What continues a line is never a comment, unless there is nothing yet to be continued.
            Some(line) if !line.bytes.is_empty() => line,
            _ if matches!(natural, [] | [b'#' | b'!', ..]) => continue,
            _ => LogicalLine { number, bytes: Vec::new() },
        };
        let backslashes = natural.iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 1 {
            line.bytes.extend_from_slice(&natural[..natural.len() - 1]);
            continued = Some(line);
        } else {
            line.bytes.extend_from_slice(natural);
            lines.push(line);
        }
    }
    // Java finds an empty key where nothing but a backslash ends the file.
    lines.extend(continued);
    lines
}

/// Java looks for the end of the file after LF and CR, before the LF of a CRLF.
fn without_last_terminator(bytes: &[u8]) -> &[u8] {
    match bytes {
        [.., b'\r', b'\n'] => bytes,
        [before @ .., b'\r' | b'\n'] => before,
        _ => bytes,
    }
}

/// Lines end at LF, CR or CRLF.
fn natural_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            rest = None;
            return Some(bytes);
        };
        let terminator = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&bytes[end + terminator..]);
        Some(&bytes[..end])
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0c)
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The key ends at the first unescaped `=`, `:` or blank; one separator and the blanks around it are skipped.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = line.iter().position(|&byte| {
        let ends = !escaped && (matches!(byte, b'=' | b':') || is_blank(byte));
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let value = match trim_start(rest) {
        [b'=' | b':', value @ ..] => trim_start(value),
        value => value,
    };
    (key, value)
}

/// `None` where a `\u` is malformed. A lone half of a surrogate pair becomes `?`, as when
/// Java sends it anywhere.
fn unescape(bytes: &[u8]) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            units.push(byte.into());
            continue;
        }
        match rest.next() {
            Some(b'u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit << 4 | char::from(rest.next()?).to_digit(16)?;
                }
                units.push(u16::try_from(unit).ok()?);
            }
            Some(b't') => units.push(b'\t'.into()),
            Some(b'n') => units.push(b'\n'.into()),
            Some(b'r') => units.push(b'\r'.into()),
            Some(b'f') => units.push(0x0c),
            Some(other) => units.push(other.into()),
            None => {}
        }
    }
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or('?')).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::vectors::{base64, lines};

    #[test]
    fn every_vector_reads_as_java_reads_it() {
        let vectors = lines("properties.jsonl");
        assert_eq!(vectors.len(), 819);
        for vector in &vectors {
            let parsed = parse(&base64(vector["input_b64"].as_str().unwrap()), "vector");
            match vector["expected"].as_object() {
                Some(expected) => {
                    let parsed = parsed.unwrap_or_else(|problem| panic!("{vector}: {problem}"));
                    let parsed: BTreeMap<_, _> = parsed.iter().map(|(key, entry)| (key, entry.value.as_str())).collect();
                    let expected: BTreeMap<_, _> =
                        expected.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
                    assert_eq!(parsed, expected, "{vector}");
                }
                None => assert!(parsed.unwrap_err().message.starts_with("Malformed \\uxxxx encoding"), "{vector}"),
            }
        }
    }

    /// P1 to P16 of the specification.
    #[test]
    fn the_cases_of_the_specification_read_as_java_reads_them() {
        type Read = [(&'static str, &'static str)];
        let cases: &[(&[u8], &Read)] = &[
            (b"a = b ", &[("a", "b ")]),
            (b"a b=c", &[("a", "b=c")]),
            (b"a  =  : b", &[("a", ": b")]),
            (b"a==b", &[("a", "=b")]),
            (b"a= =b", &[("a", "=b")]),
            (b"a", &[("a", "")]),
            (b"=b", &[("", "b")]),
            (b"a\n=b", &[("", "b"), ("a", "")]),
            (b"  # c\n!x\n", &[]),
            (b"a=b # c", &[("a", "b # c")]),
            (b"a=b\\\n   c", &[("a", "bc")]),
            (b"a=b\\\r\n   c", &[("a", "bc")]),
            (b"a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]),
            (b"# c\\\na=b", &[("a", "b")]),
            (b"a=b\\\n# c", &[("a", "b# c")]),
            (br"a\ b=c", &[("a b", "c")]),
            (br"a\=b=c", &[("a=b", "c")]),
            (br"a\:b:c", &[("a:b", "c")]),
            (br"a=\u0041\u00e9", &[("a", "A\u{e9}")]),
            (br#"a=\q\z\"\'"#, &[("a", "qz\"'")]),
            (br"a=\t\n\r\f\b\0", &[("a", "\t\n\r\u{c}b0")]),
            (br"a=\U0041", &[("a", "U0041")]),
            (b"a=1\na=2", &[("a", "2")]),
            (b"a=\xe9", &[("a", "\u{e9}")]),
            (b"\xef\xbb\xbfa=b", &[("\u{ef}\u{bb}\u{bf}a", "b")]),
            (br"key=C:\temp\new", &[("key", "C:\temp\new")]),
            (br"topics.regex=foo\.bar\d+", &[("topics.regex", "foo.bard+")]),
            (b"a=x\\\n\n b=c", &[("a", "x"), ("b", "c")]),
        ];
        for (content, expected) in cases {
            let parsed = parse(content, "x.properties").unwrap();
            let parsed: Vec<_> = parsed.iter().map(|(key, entry)| (key, entry.value.as_str())).collect();
            assert_eq!(parsed, *expected, "{:?}", String::from_utf8_lossy(content));
        }
        for content in [br"a=\u004".as_slice(), br"a=\uzzzz"] {
            assert!(parse(content, "x.properties").unwrap_err().message.starts_with("Malformed"));
        }
    }

    #[test]
    fn a_key_remembers_where_its_logical_line_begins() {
        let config = parse(b"# c\r\na=1\\\n  2\n\nb=3\rc=4", "x.properties").unwrap();
        let line = |key| config.entry(key).unwrap().origin.as_ref().unwrap().to_string();
        assert_eq!([line("a"), line("b"), line("c")], ["x.properties:2", "x.properties:5", "x.properties:6"]);
    }

    #[test]
    fn a_secret_in_utf8_is_refused_and_not_shown_for_java_would_read_another_one() {
        let problem = parse("a=1\ns3.proxy.password=hunté2".as_bytes(), "s3.properties").unwrap_err().to_string();
        assert!(problem.starts_with("s3.properties:2: ") && problem.contains("`s3.proxy.password`"), "{problem}");
        assert!(!problem.contains("hunt"), "{problem}");
        for (bytes, read) in [(b"password=hunt\xe92".as_slice(), "hunt\u{e9}2"), (b"password=hunt\\u00e92", "hunt\u{e9}2")] {
            assert_eq!(parse(bytes, "s3.properties").unwrap().text("password"), Some(read));
        }
        assert!(parse("topics=é".as_bytes(), "s3.properties").is_ok(), "what is no secret is read as Java reads it");
    }

    #[test]
    fn characters_of_utf8_are_named_with_their_escapes_and_those_of_iso_8859_1_are_not() {
        let said = |content: &[u8]| read(content, "s3.properties").unwrap().1.to_string();
        assert_eq!(
            said("a=1\ntopics.dir=caf\u{e9}s d'\u{e9}t\u{e9} \u{1f600}".as_bytes()),
            "s3.properties:2: topics.dir has characters in UTF-8; a properties file is read as ISO-8859-1, as by Kafka Connect, and each of them becomes \
             two or more others: write \\u00e9 for \u{e9}, \\ud83d\\ude00 for \u{1f600}"
        );
        let of_key = said("transforms.\u{fc}.type=x".as_bytes());
        assert!(
            of_key.starts_with("s3.properties:1: the key transforms.\u{fc}.type has")
                && of_key.ends_with("write \\u00fc for \u{fc}"),
            "{of_key}"
        );
        assert!(said("a=\u{e0}\u{e1}\u{e2}\u{e3}\u{e4}\u{e5}".as_bytes()).ends_with("for \u{e4}, and so on"));
        for content in [b"a=caf\xe9".as_slice(), b"a=caf\\u00e9", "# caf\u{e9}\na=1".as_bytes(), "a=\u{200b}".as_bytes()] {
            assert_eq!(said(content), "", "{content:?}");
        }
    }

    #[test]
    fn a_key_that_is_set_twice_counts_where_it_is_last_and_both_lines_are_named() {
        let (config, warnings) = read(b"topics=a\n# topics=c\n\ntopics: b\n", "x.properties").unwrap();
        assert_eq!(config.text("topics"), Some("b"));
        assert_eq!(warnings.to_string(), "x.properties:4: topics is set on line 1 as well: what is set last counts");
    }

    #[test]
    fn a_backslash_that_a_regular_expression_loses_is_named() {
        let said = |line: &str| read(line.as_bytes(), "x.properties").unwrap().1.to_string();
        assert_eq!(
            said(r"topics.regex=shop-\d+"),
            r"x.properties:1: topics.regex: Java properties take a single backslash away, and \d is d to the regular expression: write \\d"
        );
        assert!(said(r"transforms.r.regex=(.*)\.v1").contains(r"write \\."));
        for line in [r"topics.regex=shop-\\d+\\.a", r"topics.regex=a\:b\u0041", r"other=\d", r"topics.regex=a.*"] {
            assert_eq!(said(line), "", "{line}");
        }
    }

    #[test]
    fn a_malformed_escape_names_file_line_and_key_but_no_value() {
        let problem = parse(b"a=b\npath=C:\\users\\hunter2", "worker.properties").unwrap_err();
        assert_eq!(
            problem.to_string(),
            "worker.properties:2: Malformed \\uxxxx encoding in the value of `path`: \\u must be followed by four hexadecimal digits; \
             a backslash itself is written \\\\"
        );
    }
}
