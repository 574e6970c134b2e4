//! `sasl.jaas.config`: how Java clients are given a user and a password.

/// One login module with its options.
pub(super) struct Jaas {
    module: String,
    options: Vec<(String, String)>,
}

impl Jaas {
    /// Reads `<class> required|requisite|sufficient|optional (<name>=<value>)* ;`.
    ///
    /// # Errors
    /// What is wrong with the form, without any of the text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut tokens = tokens(text)?.into_iter();
        let Some(Token::Word(module)) = tokens.next() else { return Err("the login module's class is missing") };
        match tokens.next() {
            Some(Token::Word(flag)) if FLAGS.iter().any(|known| known.eq_ignore_ascii_case(&flag)) => {}
            _ => return Err("after the login module's class comes `required`"),
        }
        let mut options = Vec::new();
        loop {
            match tokens.next() {
                Some(Token::End) => break,
                Some(Token::Word(name)) => match (tokens.next(), tokens.next()) {
                    (Some(Token::Equals), Some(Token::Word(value))) => options.push((name, value)),
                    _ => return Err("an option is not of the form name=\"value\""),
                },
                Some(Token::Equals) => return Err("an option is not of the form name=\"value\""),
                None => return Err("JAAS config entry not terminated by semi-colon"),
            }
        }
        match tokens.next() {
            None => Ok(Self { module, options }),
            Some(_) => Err("there is more than one login module"),
        }
    }

    /// The last part of the login module's class.
    pub(super) fn module(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }
}

const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

enum Token {
    Word(String),
    Equals,
    End,
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            _ if c.is_whitespace() => {}
            '=' => tokens.push(Token::Equals),
            ';' => tokens.push(Token::End),
            '"' | '\'' => tokens.push(Token::Word(quoted(&mut chars, c)?)),
            _ => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '=' | ';' | '"')) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn quoted(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>, quote: char) -> Result<String, &'static str> {
    let mut word = String::new();
    while let Some(c) = chars.next() {
        match c {
            _ if c == quote => return Ok(word),
            '\\' => word.extend(escaped(chars)),
            _ => word.push(c),
        }
    }
    Err("a quotation mark is missing")
}

/// What stands for a character after a backslash, as Java's `StreamTokenizer` reads it.
fn escaped(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> Option<char> {
    let first = chars.next()?;
    Some(match first {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => {
            // Up to 377: a third digit counts after 0 to 3 alone.
            let mut code = first.to_digit(8)?;
            let more = if first <= '3' { 2 } else { 1 };
            for _ in 0..more {
                let Some(digit) = chars.next_if(|c| c.is_digit(8)).and_then(|c| c.to_digit(8)) else { break };
                code = code * 8 + digit;
            }
            char::from_u32(code)?
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_quoted_or_bare() {
        let jaas = Jaas::parse(
            "org.apache.kafka.common.security.scram.ScramLoginModule required\n  username=alice password=\"a;b=\\\"c\\\\\" ;",
        );
        let Ok(jaas) = jaas else { panic!("refused") };
        assert_eq!(jaas.module(), "ScramLoginModule");
        assert_eq!((jaas.option("username"), jaas.option("password")), (Some("alice"), Some("a;b=\"c\\")));
        assert_eq!(jaas.option("tokenauth"), None);
    }

    #[test]
    fn what_is_escaped_is_what_java_makes_of_it() {
        for (written, read) in [("a\\tb", "a\tb"), ("\\101\\0", "A\0"), ("\\4001", " 01"), ("\\x\\\\", "x\\"), ("\\377", "\u{ff}")]
        {
            let Ok(jaas) = Jaas::parse(&format!("PlainLoginModule required password=\"{written}\";")) else { panic!("{written}") };
            assert_eq!(jaas.option("password"), Some(read), "{written}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused_without_showing_it() {
        let cases = [
            ("", "class is missing"),
            ("PlainLoginModule username=\"hunter2\";", "comes `required`"),
            ("PlainLoginModule required username=\"hunter2\"", "not terminated by semi-colon"),
            ("PlainLoginModule required username \"hunter2\";", "name=\"value\""),
            ("PlainLoginModule required password=\"hunter2;", "quotation mark"),
            ("PlainLoginModule required; PlainLoginModule required;", "more than one"),
        ];
        for (text, expected) in cases {
            let Err(reason) = Jaas::parse(text) else { panic!("{text} was accepted") };
            assert!(reason.contains(expected) && !reason.contains("hunter2"), "{text}: {reason}");
        }
    }
}
