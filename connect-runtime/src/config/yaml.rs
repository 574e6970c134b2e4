//! YAML as a tree whose nodes know their lines. What is written once is held once, however often an alias names it.

use std::collections::{HashMap, HashSet, VecDeque};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

/// One document of a stream.
#[derive(Debug, Default)]
pub(super) struct Document {
    nodes: Vec<Stored>,
}

#[derive(Debug)]
struct Stored {
    line: u32,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// `plain`: without quotes, so that YAML may take it for a number, a boolean or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

/// Where a text stops being YAML.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) line: u32,
    pub(super) reason: String,
}

impl Malformed {
    /// What the parser says, and what is the matter as a rule where a value begins with a quote or a brace.
    fn of(text: &str, line: u32, reason: &str) -> Self {
        // It may be noticed on the next line only, or a brace that is not closed where something else cannot be in it.
        let line_of_error = usize::try_from(line).unwrap_or(usize::MAX);
        let looked_at = if reason.contains("flow") { 100 } else { 2 };
        let lines: Vec<_> = text.lines().take(line_of_error).skip(line_of_error.saturating_sub(looked_at)).collect();
        let hint = lines.into_iter().rev().find_map(|line| hint_at(line.split_once(": ")?.1.trim())).unwrap_or_default();
        Self { line, reason: format!("{reason}{hint}") }
    }
}

/// What is to be said of a value that YAML takes for something else than a text, up to where it ends otherwise.
fn hint_at(value: &str) -> Option<&'static str> {
    let after = |begin: char, end: char| value.strip_prefix(begin).map(|rest| rest.split_once(end).map(|(_, after)| after));
    // A comment may follow, and two quotes are one.
    let goes_on = |after: &str| !after.is_empty() && !after.starts_with([' ', '\'', ',']);
    match (after('\'', '\''), after('{', '}'), after('[', ']')) {
        (Some(Some(after)), ..) if goes_on(after) => {
            Some("; a value that begins with a quote ends with it in YAML: put the whole value into \"…\"")
        }
        (_, Some(after), _) if after.is_none_or(goes_on) => {
            Some("; a value that begins with { is an object in YAML, which ends with }: put the whole value into \"…\"")
        }
        (.., Some(after)) if after.is_none_or(goes_on) => {
            Some("; a value that begins with [ is a list in YAML, which ends with ]: put the whole value into \"…\"")
        }
        _ => None,
    }
}

/// A place in a document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    document: &'a Document,
    id: usize,
}

/// The documents of a text, without those that hold nothing.
///
/// # Errors
/// What is not YAML, and a key that a mapping has twice.
pub(super) fn parse(text: &str) -> Result<Vec<Document>, Malformed> {
    let mut documents = Vec::new();
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Malformed::of(text, line(error.marker().line()), error.info()))?;
        if matches!(event, Event::DocumentEnd) {
            let document = std::mem::take(&mut reader).document;
            if document.root().is_some_and(|root| !root.is_null()) {
                documents.push(document);
            }
        } else {
            reader.take(event, line(span.start.line()))?;
        }
    }
    Ok(documents)
}

fn line(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

impl Document {
    /// The whole of it.
    pub(super) fn root(&self) -> Option<Node<'_>> {
        (!self.nodes.is_empty()).then(|| self.node(0))
    }

    fn node(&self, id: usize) -> Node<'_> {
        Node { document: self, id }
    }
}

impl<'a> Node<'a> {
    fn content(self) -> &'a Content {
        &self.document.nodes[self.id].content
    }

    /// The line on which it begins.
    pub(super) fn line(self) -> u32 {
        self.document.nodes[self.id].line
    }

    /// The text of a scalar, whatever YAML makes of it.
    pub(super) fn text(self) -> Option<&'a str> {
        match self.content() {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_mapping(self) -> bool {
        matches!(self.content(), Content::Mapping(_))
    }

    /// Whether there is nothing, or one of the words for it.
    pub(super) fn is_null(self) -> bool {
        matches!(self.content(), Content::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The items of a sequence.
    pub(super) fn items(self) -> impl Iterator<Item = Node<'a>> {
        let items: &[usize] = match self.content() {
            Content::Sequence(items) => items,
            _ => &[],
        };
        items.iter().map(move |id| self.document.node(*id))
    }

    /// The keys and values of a mapping as they are written.
    fn pairs(self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> {
        let pairs: &[(usize, usize)] = match self.content() {
            Content::Mapping(pairs) => pairs,
            _ => &[],
        };
        pairs.iter().map(move |(key, value)| (self.document.node(*key), self.document.node(*value)))
    }

    /// The keys and values of a mapping, and of those that it merges in with `<<` where it does not have them itself.
    pub(super) fn entries(self) -> Vec<(&'a str, Node<'a>, Node<'a>)> {
        let (mut entries, mut known) = (Vec::new(), HashSet::new());
        // Each mapping is visited once: what a second visit could add is there already.
        let (mut visited, mut rest) = (HashSet::from([self.id]), VecDeque::from([self]));
        while let Some(mapping) = rest.pop_front() {
            for (key, value) in mapping.pairs() {
                match key.text() {
                    Some("<<") => {
                        let merged = value.items().chain(value.is_mapping().then_some(value));
                        rest.extend(merged.filter(|node| visited.insert(node.id)));
                    }
                    Some(text) if known.insert(text) => entries.push((text, key, value)),
                    _ => {}
                }
            }
        }
        entries
    }

    /// The value of a key, if there is one.
    pub(super) fn get(self, name: &str) -> Option<Node<'a>> {
        self.entries().into_iter().find(|(key, _, value)| *key == name && !value.is_null()).map(|(_, _, value)| value)
    }

    fn check_keys(self) -> Result<(), Malformed> {
        let mut lines = HashMap::new();
        for (key, _) in self.pairs() {
            let Some(text) = key.text().filter(|text| *text != "<<") else { continue };
            if let Some(before) = lines.insert(text, key.line()) {
                let reason = format!("{text} is set on line {before} as well: remove one of them");
                return Err(Malformed { line: key.line(), reason });
            }
        }
        Ok(())
    }

    /// The text that Kubernetes makes of a scalar before Kafka Connect gets it: `yes` and `on` are `true` there.
    ///
    /// # Errors
    /// Why this can be no setting.
    pub(super) fn setting(self) -> Result<String, String> {
        match self.content() {
            Content::Mapping(_) => {
                Err("a setting is a text, not an object: write its whole key on each line, as in `value.converter.schemas.enable: false`".to_owned())
            }
            Content::Sequence(_) => Err("a list is written as one text with commas, \"a,b\"".to_owned()),
            Content::Scalar { text, plain: false } => Ok(text.clone()),
            Content::Scalar { .. } if self.is_null() => {
                Err("Null value can not be supplied as the configuration value.".to_owned())
            }
            Content::Scalar { text, .. } => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Ok("true".to_owned()),
                "false" | "no" | "off" => Ok("false".to_owned()),
                _ if is_odd_number(text) => {
                    // Not shown: it may be a secret.
                    Err("YAML takes this for a number that is written otherwise: put it in quotes, or in plain digits".to_owned())
                }
                _ => Ok(text.clone()),
            },
        }
    }
}

/// Whether YAML reads this as a number and prints it with other characters: octal, hexadecimal, with an exponent or underscores.
fn is_odd_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return text.starts_with('+') && digits.parse::<f64>().is_ok();
    }
    let all = |rest: &str, allowed: fn(char) -> bool| !rest.is_empty() && rest.chars().all(|c| allowed(c) || c == '_');
    let prefixed = digits.strip_prefix("0x").is_some_and(|rest| all(rest, |c| c.is_ascii_hexdigit()))
        || digits.strip_prefix("0o").is_some_and(|rest| all(rest, |c| c.is_digit(8)))
        || digits.strip_prefix("0b").is_some_and(|rest| all(rest, |c| c.is_digit(2)))
        || digits.strip_prefix('0').is_some_and(|rest| all(rest, |c| c.is_digit(8)));
    let exponent = digits.contains(['e', 'E']) && digits.parse::<f64>().is_ok();
    let underscores = digits.contains('_') && all(digits, |c| c.is_ascii_digit());
    prefixed || exponent || underscores || text.starts_with('+') && digits.parse::<f64>().is_ok()
}

/// Puts the nodes together as the parser finds them.
#[derive(Default)]
struct Reader {
    document: Document,
    anchors: HashMap<usize, usize>,
    /// The sequences and mappings that are not closed yet; of a mapping the key whose value comes next.
    open: Vec<(usize, Option<usize>)>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Malformed> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !tag.is_some_and(|tag| is_text(&tag));
                let id = self.add(line, anchor, Content::Scalar { text: text.into_owned(), plain });
                self.place(id)
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, Content::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(line, anchor, Content::Mapping(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((id, _)) => self.document.node(id).check_keys(),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(id) => self.place(*id),
                None => Err(Malformed { line, reason: "an alias names no anchor above it".to_owned() }),
            },
            _ => Ok(()),
        }
    }

    fn add(&mut self, line: u32, anchor: usize, content: Content) -> usize {
        let id = self.document.nodes.len();
        self.document.nodes.push(Stored { line, content });
        // 0 stands for none.
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn begin(&mut self, line: u32, anchor: usize, content: Content) -> Result<(), Malformed> {
        let id = self.add(line, anchor, content);
        self.place(id)?;
        self.open.push((id, None));
        Ok(())
    }

    /// Gives a node to the sequence or mapping that is open.
    fn place(&mut self, id: usize) -> Result<(), Malformed> {
        let Some((parent, key)) = self.open.last_mut() else { return Ok(()) };
        match &mut self.document.nodes[*parent].content {
            Content::Scalar { .. } => {}
            Content::Sequence(items) => items.push(id),
            Content::Mapping(pairs) => match key.take() {
                None => *key = Some(id),
                Some(key) => pairs.push((key, id)),
            },
        }
        Ok(())
    }
}

fn is_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "str"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of<T>(text: &str, read: impl Fn(Node<'_>) -> T) -> T {
        let documents = parse(text).unwrap_or_else(|malformed| panic!("{malformed:?}"));
        read(documents[0].root().unwrap())
    }

    fn setting(value: &str) -> Result<String, String> {
        root_of(&format!("a: {value}\n"), |root| root.get("a").unwrap().setting())
    }

    #[test]
    fn scalars_are_what_kubernetes_makes_of_them() {
        for (written, read) in [
            ("1000", "1000"),
            ("-1", "-1"),
            ("0", "0"),
            ("1.50", "1.50"),
            ("true", "true"),
            ("Yes", "true"),
            ("off", "false"),
            ("\"yes\"", "yes"),
            ("'010'", "010"),
            ("!!str 010", "010"),
            ("a.b:c", "a.b:c"),
            ("12ab", "12ab"),
            ("2024-01-02", "2024-01-02"),
            ("0001-topic", "0001-topic"),
            ("\"a\\\\.b\"", "a\\.b"),
            ("'a\\.b'", "a\\.b"),
        ] {
            assert_eq!(setting(written).as_deref(), Ok(read), "{written}");
        }
        for written in ["010", "0x1F", "1_000", "1e3", "+5"] {
            assert!(setting(written).unwrap_err().contains("put it in quotes"), "{written}");
        }
        assert!(root_of("a: ~\nb:\n", |root| root.get("a").is_none() && root.get("b").is_none()));
        assert!(setting("[a, b]").unwrap_err().contains("one text with commas"));
    }

    #[test]
    fn documents_that_hold_nothing_are_left_out_and_the_rest_knows_its_lines() {
        let documents = parse("---\n# nothing\n---\na: 1\n---\n\nb:\n  c: 2\n").unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].root().unwrap().get("b").unwrap().get("c").unwrap().line(), 8);
    }

    #[test]
    fn what_is_no_yaml_and_a_key_that_is_there_twice_are_named_with_their_lines() {
        let twice = parse("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n").unwrap_err();
        assert_eq!((twice.line, twice.reason.as_str()), (5, "c is set on line 3 as well: remove one of them"));
        let broken = parse("a: 1\n  b: 2\n").unwrap_err();
        assert_eq!(broken.line, 2, "{broken:?}");
        assert!(parse("a: *x\n").is_err());
        let quoted = parse("a: 1\npath.format: 'year'=YYYY/'month'=MM\nb: 2\n").unwrap_err();
        assert!(quoted.reason.contains("put the whole value into \"…\""), "{quoted:?}");
    }

    #[test]
    fn a_value_that_begins_with_a_brace_and_goes_on_behind_it_is_said_to_need_quotes() {
        for (value, said) in [
            ("{field.country}/{time:yyyy}", "begins with { is an object in YAML"),
            ("{time:yyyy", "begins with { is an object in YAML"),
            ("[a-z]+", "begins with [ is a list in YAML"),
        ] {
            let malformed = parse(&format!("a: 1\npartition.template: {value}\nb: 2\n")).unwrap_err();
            assert!(
                malformed.reason.contains(said) && malformed.reason.ends_with("put the whole value into \"…\""),
                "{malformed:?}"
            );
        }
        for text in ["a: {b: 1} # c\nb: c: d\n", "a: [b, c]\nb: c: d\n"] {
            assert!(!parse(text).unwrap_err().reason.contains('…'), "{text}");
        }
    }

    #[test]
    fn mappings_are_merged_and_their_own_keys_win() {
        let text = "base: &base {a: 1, b: 2}\nthis:\n  <<: *base\n  b: 3\n";
        let entries = root_of(text, |root| {
            let this = root.get("this").unwrap();
            this.entries().into_iter().map(|(key, _, value)| (key.to_owned(), value.text().unwrap().to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(entries, [("b".to_owned(), "3".to_owned()), ("a".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn aliases_of_aliases_cost_no_more_than_their_text() {
        let mut sequences = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        let mut merges = String::from("m0: &m0 {k: v}\n");
        for level in 1..40 {
            let below = level - 1;
            sequences.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 9].join(", ")));
            merges.push_str(&format!("m{level}: &m{level} {{<<: [{}]}}\n", vec![format!("*m{below}"); 9].join(", ")));
        }
        assert_eq!(root_of(&sequences, |root| root.get("a39").unwrap().items().count()), 9);
        assert_eq!(
            root_of(&merges, |root| root.get("m39").unwrap().get("k").and_then(Node::text).map(str::to_owned)),
            Some("v".to_owned())
        );
        assert_eq!(root_of("a: &a\n  <<: *a\n  b: 1\n", |root| root.get("a").unwrap().entries().len()), 1);
    }

    #[test]
    fn what_is_nested_a_hundred_thousand_times_is_refused_or_read_and_ends_nothing() {
        drop(parse(&"[".repeat(100_000)));
        let deep: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(parse(&deep).is_ok());
    }
}
