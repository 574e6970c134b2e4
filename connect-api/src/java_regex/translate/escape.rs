//! What a backslash begins.

use super::{END, Translator};

/// A translated escape.
pub(super) enum Escape {
    /// A character that means itself.
    Char(char),
    /// A character class with its brackets.
    Class(String),
    /// Something that is no member of a class.
    Other(String),
}

const HORIZONTAL: &str = r"\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
const VERTICAL: &str = r"\n\x{b}\x{c}\r\x{85}\x{2028}\x{2029}";

impl Translator {
    /// An escape outside of classes.
    pub(super) fn escape(&mut self) -> Result<(), String> {
        if self.peek() == Some('Q') {
            self.at += 1;
            for c in self.quoted() {
                self.literal(c);
            }
            return Ok(());
        }
        match self.escaped()? {
            Escape::Char(c) => self.literal(c),
            Escape::Class(translated) | Escape::Other(translated) => self.atom(&translated),
        }
        Ok(())
    }

    /// What follows `\Q`, to `\E` or the end.
    pub(super) fn quoted(&mut self) -> Vec<char> {
        let rest = &self.chars[self.at..];
        let end = rest.windows(2).position(|pair| pair == ['\\', 'E']);
        let quoted = rest[..end.unwrap_or(rest.len())].to_vec();
        self.at += quoted.len() + if end.is_some() { 2 } else { 0 };
        quoted
    }

    /// What follows a backslash.
    pub(super) fn escaped(&mut self) -> Result<Escape, String> {
        let c = self.next().ok_or_else(|| self.error("Unexpected internal error"))?;
        let class = |members: &str| Ok(Escape::Class(format!("[{members}]")));
        let unicode = self.flags.unicode_classes;
        match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' if unicode => Ok(Escape::Class(format!("[\\{c}]"))),
            'd' => class("0-9"),
            'D' => class("^0-9"),
            'w' => class("a-zA-Z0-9_"),
            'W' => class("^a-zA-Z0-9_"),
            's' => class(r"\t-\r "),
            'S' => class(r"^\t-\r "),
            'h' => class(HORIZONTAL),
            'H' => class(&format!("^{HORIZONTAL}")),
            'v' => class(VERTICAL),
            'V' => class(&format!("^{VERTICAL}")),
            'R' => Ok(Escape::Other(format!(r"(?:\r\n|[{VERTICAL}])"))),
            't' => Ok(Escape::Char('\t')),
            'n' => Ok(Escape::Char('\n')),
            'r' => Ok(Escape::Char('\r')),
            'f' => Ok(Escape::Char('\u{c}')),
            'a' => Ok(Escape::Char('\u{7}')),
            'e' => Ok(Escape::Char('\u{1b}')),
            'c' => {
                let control = self.next().filter(char::is_ascii).ok_or_else(|| self.error("Illegal control escape sequence"))?;
                Ok(Escape::Char(char::from(u8::try_from(control).unwrap_or(0) ^ 64)))
            }
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            '0' => self.octal(),
            'A' | 'G' => Ok(Escape::Other(r"\A".to_owned())),
            'z' => Ok(Escape::Other(r"\z".to_owned())),
            'Z' => Ok(Escape::Other(END.to_owned())),
            'b' | 'B' if self.peek() != Some('{') => Ok(Escape::Other(format!("\\{c}"))),
            'p' | 'P' => self.property(c == 'P'),
            '1'..='9' => Ok(self.back_reference(c)),
            'k' if self.take('<') => self.name().map(|name| Escape::Other(format!(r"\k<{name}>"))),
            'X' | 'N' | 'b' | 'B' => Err(self.untranslatable(&format!("\\{c}"))),
            _ if c.is_ascii_alphabetic() => Err(self.error("Illegal/unsupported escape sequence")),
            _ => Ok(Escape::Char(c)),
        }
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<Escape, String> {
        let text: String = if digits == 2 && self.take('{') {
            let text = self.chars[self.at..].iter().take_while(|c| **c != '}').collect();
            self.at += 1;
            text
        } else {
            self.chars[self.at..].iter().take(digits).collect()
        };
        self.at += text.chars().count();
        let complete = text.len() >= digits || self.chars.get(self.at - 1) == Some(&'}');
        let code = u32::from_str_radix(&text, 16).ok().filter(|_| complete);
        code.and_then(char::from_u32).map(Escape::Char).ok_or_else(|| self.error("Illegal hexadecimal or Unicode escape sequence"))
    }

    /// `\0n`, `\0nn` or `\0mnn` with m no more than 3.
    fn octal(&mut self) -> Result<Escape, String> {
        let (mut code, mut digits) = (0, 0);
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) {
            if digits == 3 || code * 8 + digit > 0o377 {
                break;
            }
            (code, digits) = (code * 8 + digit, digits + 1);
            self.at += 1;
        }
        let c = char::from_u32(code).filter(|_| digits > 0);
        c.map(Escape::Char).ok_or_else(|| self.error("Illegal octal escape sequence"))
    }

    /// As many digits as there are groups for.
    fn back_reference(&mut self, first: char) -> Escape {
        let mut group = first.to_digit(10).unwrap_or_default() as usize;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        // A group that does not exist matches nothing.
        Escape::Other(if group > self.groups { "(?!)".to_owned() } else { format!(r"(?:\{group})") })
    }

    fn property(&mut self, negated: bool) -> Result<Escape, String> {
        let name: String = if self.take('{') {
            let name: String = self.chars[self.at..].iter().take_while(|c| **c != '}').collect();
            self.at += name.chars().count();
            if !self.take('}') {
                return Err(self.error("Unclosed character family"));
            }
            name
        } else {
            self.next().map(String::from).ok_or_else(|| self.error("Unclosed character family"))?
        };
        let Some(class) = property(&name) else {
            let p = if negated { 'P' } else { 'p' };
            return Err(self.untranslatable(&format!("\\{p}{{{name}}}")));
        };
        Ok(Escape::Class(if negated { format!("[^{class}]") } else { class }))
    }
}

/// A property of characters as a class; `None` where the engine knows none such.
fn property(name: &str) -> Option<String> {
    let ascii = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x{0}-\x{7f}",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"!-/:-@\[-`{-\x{7e}",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => r"\t ",
        "Cntrl" => r"\x{0}-\x{1f}\x{7f}",
        "XDigit" => "0-9a-fA-F",
        "Space" => r"\t-\r ",
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaLetter" => r"\p{L}",
        "javaDigit" => r"\p{Nd}",
        "javaLetterOrDigit" => r"\p{L}\p{Nd}",
        _ => return script_or_category(name),
    };
    Some(format!("[{ascii}]"))
}

/// `L`, `Lu`, `IsL`, `IsGreek`, `script=Greek`, `general_category=Lu`. Blocks (`InGreek`) are unknown to the engine.
fn script_or_category(name: &str) -> Option<String> {
    let bare = match name.split_once('=') {
        Some(("script" | "sc" | "general_category" | "gc", value)) => value,
        Some(_) => return None,
        None if name.len() <= 2 => name,
        None => name.strip_prefix("Is")?,
    };
    let class = format!(r"[\p{{{bare}}}]");
    fancy_regex::Regex::new(&class).is_ok().then_some(class)
}
