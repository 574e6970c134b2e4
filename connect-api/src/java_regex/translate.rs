//! Java's regular expressions (`java.util.regex.Pattern`) to those of `fancy-regex`.
//!
//! Case-insensitivity within character classes is left to the engine, which also folds the few letters beyond ASCII that Java folds only
//! under `(?u)`: what is matched are names of topics, which are ASCII.

mod class;
mod escape;

/// A pattern that finds what Java's finds, with the same groups.
///
/// # Errors
/// What is wrong with the pattern in Java's words, or what of it cannot be translated.
pub(super) fn translate(java: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        chars: java.chars().collect(),
        at: 0,
        out: String::new(),
        flags: Flags::default(),
        open: Vec::new(),
        groups: 0,
        last: Last::Nothing,
    };
    while let Some(c) = translator.next() {
        translator.element(c)?;
    }
    if !translator.open.is_empty() {
        return Err(translator.error("Unclosed group"));
    }
    Ok(Translated { regex: translator.out, groups: translator.groups })
}

/// A translated pattern.
#[derive(Debug)]
pub(super) struct Translated {
    /// For `fancy-regex`.
    pub(super) regex: String,
    /// How many groups it captures, besides all that it matches.
    pub(super) groups: usize,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    case_insensitive: bool,
    unix_lines: bool,
    multiline: bool,
    dot_all: bool,
    unicode_case: bool,
    comments: bool,
    unicode_classes: bool,
}

/// What a quantifier would repeat.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Atom,
    Quantified,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    flags: Flags,
    /// The flags outside of each open group.
    open: Vec<Flags>,
    groups: usize,
    last: Last,
}

const LINE_TERMINATORS: &str = r"\n\r\x{85}\x{2028}\x{2029}";
/// Java's `$` and `\Z`: the end, or before the line terminator at the end.
const END: &str = r"(?=(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)";

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn error(&self, what: &str) -> String {
        let pattern: String = self.chars.iter().collect();
        format!("{what} near index {} of {pattern}", self.at.saturating_sub(1))
    }

    fn untranslatable(&self, what: &str) -> String {
        self.error(&format!("{what} of Java's regular expressions is not supported here,"))
    }

    fn atom(&mut self, translated: &str) {
        self.out.push_str(translated);
        self.last = Last::Atom;
    }

    fn element(&mut self, c: char) -> Result<(), String> {
        match c {
            '(' => self.group()?,
            ')' => {
                self.flags = self.open.pop().ok_or_else(|| self.error("Unmatched closing ')'"))?;
                self.atom(")");
            }
            '|' => {
                self.out.push('|');
                self.last = Last::Nothing;
            }
            '*' | '+' | '?' => match self.last {
                Last::Atom => self.quantifier(&c.to_string()),
                Last::Nothing | Last::Quantified => return Err(self.error(&format!("Dangling meta character '{c}'"))),
            },
            '{' => self.repetition()?,
            '.' => {
                let dot = match self.flags {
                    Flags { dot_all: true, .. } => "(?s:.)".to_owned(),
                    Flags { unix_lines: true, .. } => r"[^\n]".to_owned(),
                    _ => format!("[^{LINE_TERMINATORS}]"),
                };
                self.atom(&dot);
            }
            '^' if self.flags.multiline => self.atom("(?m:^)"),
            '^' => self.atom(r"\A"),
            '$' if self.flags.multiline => self.atom("(?m:$)"),
            '$' => self.atom(END),
            '[' => {
                let class = self.class()?;
                self.atom(&class);
            }
            '\\' => self.escape()?,
            '#' if self.flags.comments => while self.next().is_some_and(|c| !matches!(c, '\n' | '\r')) {},
            _ if self.flags.comments && c.is_ascii_whitespace() => {}
            _ => self.literal(c),
        }
        Ok(())
    }

    /// A character that means itself.
    fn literal(&mut self, c: char) {
        let only_ascii = self.flags.case_insensitive && !self.flags.unicode_case && !c.is_ascii();
        let literal = literal(c);
        if only_ascii { self.atom(&format!("(?-i:{literal})")) } else { self.atom(&literal) }
    }

    fn quantifier(&mut self, quantifier: &str) {
        self.out.push_str(quantifier);
        // Reluctant and possessive.
        if let Some(mode @ ('?' | '+')) = self.peek() {
            self.at += 1;
            self.out.push(mode);
        }
        self.last = Last::Quantified;
    }

    fn repetition(&mut self) -> Result<(), String> {
        let least = self.digits();
        if least.is_empty() {
            return Err(self.error("Illegal repetition"));
        }
        let most = if self.take(',') { Some(self.digits()) } else { None };
        if !self.take('}') {
            return Err(self.error("Unclosed counted closure"));
        }
        let quantifier = match most {
            None => format!("{{{least}}}"),
            Some(most) => format!("{{{least},{most}}}"),
        };
        if self.last != Last::Atom {
            return Err(self.untranslatable("A repetition of nothing"));
        }
        self.quantifier(&quantifier);
        Ok(())
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            self.at += 1;
            digits.push(digit);
        }
        digits
    }

    fn group(&mut self) -> Result<(), String> {
        let outside = self.flags;
        self.last = Last::Nothing;
        if !self.take('?') {
            self.groups += 1;
            self.out.push('(');
            self.open.push(outside);
            return Ok(());
        }
        match self.next() {
            Some(kind @ (':' | '=' | '!' | '>')) => self.out.push_str(&format!("(?{kind}")),
            Some('<') => match self.peek() {
                Some(kind @ ('=' | '!')) => {
                    self.at += 1;
                    self.out.push_str(&format!("(?<{kind}"));
                }
                _ => {
                    let name = self.name()?;
                    self.groups += 1;
                    self.out.push_str(&format!("(?<{name}>"));
                }
            },
            Some(_) => {
                self.at -= 1;
                return self.inline_flags(outside);
            }
            None => return Err(self.error("Unknown inline modifier")),
        }
        self.open.push(outside);
        Ok(())
    }

    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some(c) if c.is_ascii_alphabetic() || (c.is_ascii_digit() && !name.is_empty()) => name.push(c),
                _ => return Err(self.error("named capturing group is missing trailing '>'")),
            }
        }
    }

    /// `(?i)` to the end of the group, or `(?i:…)`.
    fn inline_flags(&mut self, outside: Flags) -> Result<(), String> {
        let mut on = true;
        loop {
            let flags = &mut self.flags;
            match self.chars.get(self.at) {
                Some('-') => on = false,
                Some('i') => flags.case_insensitive = on,
                Some('d') => flags.unix_lines = on,
                Some('m') => flags.multiline = on,
                Some('s') => flags.dot_all = on,
                Some('u') => flags.unicode_case = on,
                Some('x') => flags.comments = on,
                Some('U') => (flags.unicode_classes, flags.unicode_case) = (on, on),
                Some(end @ (')' | ':')) => {
                    // The other flags are written out where they matter.
                    let case = if flags.case_insensitive { "i" } else { "-i" };
                    self.out.push_str(&format!("(?{case}{end}"));
                    if *end == ':' {
                        self.open.push(outside);
                    }
                    self.at += 1;
                    return Ok(());
                }
                _ => {
                    self.at += 1;
                    return Err(self.error("Unknown inline modifier"));
                }
            }
            self.at += 1;
        }
    }
}

/// A character as an element or a member of a class.
fn literal(c: char) -> String {
    match c {
        _ if c.is_ascii_alphanumeric() || !c.is_ascii() => c.to_string(),
        _ => format!(r"\x{{{:x}}}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::JavaRegex;

    const VECTORS: &str = include_str!("../../../tests/golden/vectors/java-regex.jsonl");

    /// What Java knows and we refuse.
    const UNTRANSLATABLE: [&str; 3] = [r"\X", r"\N{LATIN SMALL LETTER A}", r"\p{InGreek}+"];

    #[test]
    fn every_vector_matches_what_java_matches_or_is_refused_by_name() {
        let vectors: Vec<serde_json::Value> = VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(vectors.len(), 65);
        let mut refused = Vec::new();
        for vector in &vectors {
            let pattern = vector["pattern"].as_str().unwrap();
            let regex = match JavaRegex::new(pattern) {
                Ok(regex) => regex,
                Err(reason) => {
                    match vector["error"].as_str() {
                        Some(error) => assert!(reason.contains(error), "{pattern}: {reason}, not {error}"),
                        None => {
                            assert!(reason.contains("is not supported here"), "{pattern}: {reason}");
                            refused.push(pattern);
                        }
                    }
                    continue;
                }
            };
            assert!(vector["error"].is_null(), "{pattern} was accepted");
            for (names, expected) in [("matches", true), ("rejects", false)] {
                for name in vector[names].as_array().unwrap() {
                    let name = name.as_str().unwrap();
                    assert_eq!(regex.matches(name), Ok(expected), "{pattern} on {name:?}, as {:?}", super::translate(pattern));
                }
            }
        }
        refused.sort_unstable();
        let mut expected = UNTRANSLATABLE;
        expected.sort_unstable();
        assert_eq!(refused, expected);
    }

    #[test]
    fn further_patterns_match_what_java_matches() {
        let cases = [
            (r"(?i:abc)\.x", "ABC.x", "ABC.X"),
            (r"a(?i)b(?-i)c", "aBc", "aBC"),
            (r"[a\-z]+", "a-z", "b"),
            (r"[--a~~]+", "a~", "b"),
            (r"[\d&&[^5]]+", "46", "5"),
            (r"[^\w]", ".", "a"),
            (r"[\Q^]\E]+", "^]", "\\"),
            (r"(a|b)\11", "aa1", "aa"),
            (r"\p{Upper}\p{Lower}\P{Digit}", "Aba", "Ab1"),
            (r"(?<env>dev|prod)\.\k<env>", "dev.dev", "dev.prod"),
            (r"(?s)a.b", "a\nb", "ab"),
            (r"a.b", "a-b", "a\rb"),
            (r"[ab]++c", "abc", "ab"),
        ];
        for (pattern, matched, rejected) in cases {
            let regex = JavaRegex::new(pattern).unwrap();
            assert_eq!(regex.matches(matched), Ok(true), "{pattern} on {matched}, as {:?}", super::translate(pattern));
            assert_eq!(regex.matches(rejected), Ok(false), "{pattern} on {rejected}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_java_s_words_with_its_place() {
        let cases = [
            ("a)", "Unmatched closing ')' near index 1 of a)"),
            (r"a\y", "Illegal/unsupported escape sequence near index 2"),
            ("[b-a]", "Illegal character range near index"),
            ("a{2", "Unclosed counted closure"),
            (r"\", "Unexpected internal error"),
            ("(?<1>a)", "named capturing group is missing trailing '>'"),
            (r"\p{IsNowhere}", r"\p{IsNowhere} of Java's regular expressions is not supported here"),
        ];
        for (pattern, expected) in cases {
            let reason = JavaRegex::new(pattern).unwrap_err();
            assert!(reason.contains(expected), "{pattern}: {reason}");
        }
    }
}
