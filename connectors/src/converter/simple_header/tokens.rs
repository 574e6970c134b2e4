//! The pieces of a header's text, cut as Connect cuts them.

/// Cuts a text at brackets, commas, colons and quotes, unless a backslash is before them. Each of these is a token of its own.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// Where the token after `peeked` begins.
    at: usize,
    peeked: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, peeked: None }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.peeked.is_none() && self.at == self.text.len()
    }

    /// Where the next token begins, for [`rewind`](Self::rewind).
    pub(super) fn mark(&self) -> usize {
        self.at - self.peeked.map_or(0, str::len)
    }

    pub(super) fn rewind(&mut self, mark: usize) {
        (self.at, self.peeked) = (mark, None);
    }

    pub(super) fn next(&mut self) -> &'a str {
        self.peeked.take().unwrap_or_else(|| self.cut())
    }

    /// The next `count` tokens in one piece, or `None` where there are fewer.
    pub(super) fn next_together(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if self.is_empty() {
                self.rewind(start);
                return None;
            }
            self.next();
        }
        Some(&self.text[start..self.at])
    }

    /// Takes the next token if it is this one; tokens of blanks before it, and blanks around it, do not count.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut token = self.next();
        while trim(token).is_empty() && self.at < self.text.len() {
            token = self.cut();
        }
        let taken = trim(token) == expected;
        self.peeked = (!taken).then_some(token);
        taken
    }

    /// Takes the next token if it is exactly this one.
    pub(super) fn take_exactly(&mut self, expected: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let token = self.next();
        let taken = token == expected;
        self.peeked = (!taken).then_some(token);
        taken
    }

    fn cut(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let delimiter = rest.bytes().position(|byte| {
            let delimits = !escaped && matches!(byte, b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"');
            escaped = byte == b'\\' && !escaped;
            delimits
        });
        let token = match delimiter {
            Some(0) => &rest[..1],
            Some(len) => &rest[..len],
            None => rest,
        };
        self.at += token.len();
        token
    }
}

/// `String.trim`.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}
