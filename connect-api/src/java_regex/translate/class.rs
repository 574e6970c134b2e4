//! Character classes.

use super::{Translator, escape::Escape, literal};

/// A member of a class as it was read.
enum Member {
    Char(char),
    Class(String),
}

impl Translator {
    /// What follows `[`, with its brackets: unions, ranges, nested classes and intersections (`&&`), which the engine knows as well. Every
    /// other sign is escaped: `--` and `~~` mean something to the engine and nothing to Java.
    pub(super) fn class(&mut self) -> Result<String, String> {
        let mut class = String::from("[");
        if self.take('^') {
            class.push('^');
        }
        let start = class.len();
        loop {
            let Some(c) = self.next() else { return Err(self.error("Unclosed character class")) };
            match c {
                ']' if class.len() > start => break,
                '&' if self.peek() == Some('&') => {
                    self.at += 1;
                    class.push_str("&&");
                }
                _ if self.flags.comments && c.is_ascii_whitespace() => {}
                _ => self.member(c, &mut class)?,
            }
        }
        class.push(']');
        Ok(class)
    }

    fn member(&mut self, c: char, class: &mut String) -> Result<(), String> {
        if c == '\\' && self.take('Q') {
            self.quoted().into_iter().for_each(|c| class.push_str(&literal(c)));
            return Ok(());
        }
        let first = match self.one(c)? {
            Member::Class(nested) => {
                class.push_str(&nested);
                return Ok(());
            }
            Member::Char(first) => first,
        };
        class.push_str(&literal(first));
        // A hyphen before the end of the class, or before a nested one, means itself.
        if self.peek() != Some('-') || matches!(self.chars.get(self.at + 1), None | Some(']' | '[')) {
            return Ok(());
        }
        self.at += 1;
        let Some(c) = self.next() else { return Err(self.error("Unclosed character class")) };
        match self.one(c)? {
            Member::Char(last) if last >= first => {
                class.push_str(&format!("-{}", literal(last)));
                Ok(())
            }
            _ => Err(self.error("Illegal character range")),
        }
    }

    fn one(&mut self, c: char) -> Result<Member, String> {
        Ok(match c {
            '[' => Member::Class(self.class()?),
            '\\' => match self.escaped()? {
                Escape::Char(c) => Member::Char(c),
                Escape::Class(class) => Member::Class(class),
                Escape::Other(_) => return Err(self.error("Illegal/unsupported escape sequence")),
            },
            _ => Member::Char(c),
        })
    }
}
