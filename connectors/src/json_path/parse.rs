//! Texts to paths.

use super::{parse_predicate, predicate::Token};

/// So many steps has a path at most, all conditions in it included: evaluation is a recursion over them.
const MOST_TOKENS: usize = 128;

/// Conditions in conditions.
const DEEPEST: usize = 16;

/// The tokens of a whole path.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn path(text: &str) -> Result<Vec<Token>, String> {
    let text = text.trim();
    let whole = if text.starts_with(['$', '@']) { text.to_owned() } else { format!("$.{text}") };
    let mut parser = Parser::new(&whole);
    if parser.next() == Some('@') {
        return Err(parser.error("'@' stands for what a condition is about: the path must begin with '$'"));
    }
    let tokens = parser.tokens()?;
    match parser.peek() {
        Some('(') => Err(parser.error("functions cannot end the path; length() can be used in [?(…)]")),
        Some(_) => Err(parser.error("unexpected character")),
        None => Ok(tokens),
    }
}

/// A place in the text.
pub(super) struct Parser {
    chars: Vec<char>,
    at: usize,
    tokens: usize,
    depth: usize,
}

impl Parser {
    fn new(text: &str) -> Self {
        Self { chars: text.chars().collect(), at: 0, tokens: 0, depth: 0 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// Goes behind this text, where it is what comes next.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let found = self.chars.get(self.at..self.at + length).is_some_and(|next| next.iter().copied().eq(text.chars()));
        self.at += if found { length } else { 0 };
        found
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(|character| character.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    pub(super) fn error(&self, what: &str) -> String {
        let text: String = self.chars.iter().collect();
        format!("{what}, at position {} of {text}", self.at)
    }

    /// Enters something that may hold others of its kind.
    pub(super) fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(self.error("conditions are nested too deep")) } else { Ok(()) }
    }

    pub(super) fn back(&mut self) {
        self.depth -= 1;
    }

    /// Whether a condition is being read.
    fn is_in_condition(&self) -> bool {
        self.depth > 0
    }

    /// The tokens behind `$` or `@`, up to what belongs to no path.
    pub(super) fn tokens(&mut self) -> Result<Vec<Token>, String> {
        let mut tokens = Vec::new();
        loop {
            let before = tokens.len();
            if self.accept("..") {
                tokens.push(Token::Scan);
                let token = if self.peek() == Some('[') { self.brackets()? } else { self.name()? };
                tokens.push(token);
            } else if self.accept(".") {
                // `$.[…]` is accepted, too.
                let token = if self.peek() == Some('[') { self.brackets()? } else { self.name()? };
                tokens.push(token);
            } else if self.peek() == Some('[') {
                tokens.push(self.brackets()?);
            } else {
                return Ok(tokens);
            }
            if self.is_in_condition() && self.peek() == Some('(') {
                // A function, for whoever reads the condition.
                return Ok(tokens);
            }
            self.tokens += tokens.len() - before;
            if self.tokens > MOST_TOKENS {
                return Err(self.error("the path has too many steps"));
            }
        }
    }

    /// A name behind a dot.
    fn name(&mut self) -> Result<Token, String> {
        let start = self.at;
        let in_condition = self.is_in_condition();
        let ends = |character: char| match character {
            '.' | '[' | '(' => true,
            ' ' | '\t' | '\r' | '\n' | ')' | ']' | '=' | '!' | '<' | '>' | '&' | '|' | ',' | '~' => in_condition,
            _ => false,
        };
        while self.peek().is_some_and(|character| !ends(character)) {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        match name.as_str() {
            "" => Err(self.error("a name is missing")),
            "*" => Ok(Token::Wildcard),
            _ if name.contains(char::is_whitespace) => Err(self.error("names with blanks must stand in brackets and quotes")),
            _ => Ok(Token::Property(vec![name])),
        }
    }

    /// `[…]`
    fn brackets(&mut self) -> Result<Token, String> {
        self.next();
        self.blanks();
        let token = match self.peek() {
            Some('\'' | '"') => Token::Property(self.list(Self::string)?),
            Some('*') => {
                self.next();
                Token::Wildcard
            }
            Some('?') => {
                self.next();
                self.blanks();
                if !self.accept("(") {
                    return Err(self.error("expected ( behind [?"));
                }
                self.deeper()?;
                let predicate = parse_predicate::any(self)?;
                self.blanks();
                if !self.accept(")") {
                    return Err(self.error("expected ) at the end of the condition"));
                }
                self.back();
                Token::Filter(predicate)
            }
            Some('-' | ':' | '0'..='9') => self.indexes()?,
            _ => return Err(self.error("expected a name in quotes, an index, a slice, * or ?( in the brackets")),
        };
        self.blanks();
        if self.accept("]") { Ok(token) } else { Err(self.error("expected ]")) }
    }

    fn indexes(&mut self) -> Result<Token, String> {
        let from = self.index()?;
        self.blanks();
        if self.accept(":") {
            self.blanks();
            return Ok(Token::Slice(from, self.index()?));
        }
        let mut indexes = vec![from.ok_or_else(|| self.error("expected an index"))?];
        while self.accept(",") {
            self.blanks();
            indexes.push(self.index()?.ok_or_else(|| self.error("expected an index"))?);
            self.blanks();
        }
        Ok(Token::Index(indexes))
    }

    /// A whole number; `None` where there is none.
    fn index(&mut self) -> Result<Option<i64>, String> {
        let start = self.at;
        self.accept("-");
        while self.peek().is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_not_a_number| self.error("this is no index"))
    }

    /// One item, or several with commas between them.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        loop {
            self.blanks();
            items.push(item(self)?);
            self.blanks();
            if !self.accept(",") {
                return Ok(items);
            }
        }
    }

    /// A text in single or double quotes; a backslash takes the meaning of what follows it.
    pub(super) fn string(&mut self) -> Result<String, String> {
        let Some(quote @ ('\'' | '"')) = self.next() else { return Err(self.error("expected a text in quotes")) };
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.error("a text has no closing quote")),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some('u') => text.push(self.unicode()?),
                    Some(escaped) => text.push(escaped),
                    None => return Err(self.error("a text has no closing quote")),
                },
                Some(character) if character == quote => return Ok(text),
                Some(character) => text.push(character),
            }
        }
    }

    fn unicode(&mut self) -> Result<char, String> {
        let digits: String = self.chars.get(self.at..self.at + 4).unwrap_or_default().iter().collect();
        let character = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).filter(|_| digits.len() == 4);
        self.at += digits.chars().count();
        character.ok_or_else(|| self.error("four hexadecimal digits must follow \\u"))
    }
}
