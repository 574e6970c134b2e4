//! The same keys in TOML: quoted and flat, or in tables.

use std::sync::Arc;

use connect_api::config::{Config, Origin, Problem};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// Names that are both a value and a prefix: in a table of theirs, `class` is the value.
const WITH_CLASS: [&str; 3] = ["key.converter", "value.converter", "header.converter"];

/// Reads keys as they are, or `[table]` and `key` as `table.key`; in the table of a converter, `class` is the converter itself.
/// Numbers and booleans are what they are in text; items of an array get commas between them.
///
/// # Errors
/// What is not TOML, and values that can be no setting.
pub(super) fn parse(text: &str, file: &str) -> Result<Config, Problem> {
    let mut reader = Reader { text, file: file.into(), config: Config::default() };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Problem::general(format!("this is not TOML: {}{HINT}", error.message())).at(reader.origin(at))
    })?;
    reader.table("", table.get_ref())?;
    Ok(reader.config)
}

const HINT: &str = "; a key with another below it, such as topics and topics.dir, is written in quotes: \"topics.dir\" = \"…\"";

struct Reader<'a> {
    text: &'a str,
    file: Arc<str>,
    config: Config,
}

impl Reader<'_> {
    fn origin(&self, at: usize) -> Option<Origin> {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Some(Origin { file: self.file.clone(), line: line.try_into().unwrap_or(u32::MAX) })
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) -> Result<(), Problem> {
        for (name, value) in table.iter() {
            self.entry(prefix, name, value)?;
        }
        Ok(())
    }

    fn entry(&mut self, prefix: &str, name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Result<(), Problem> {
        let is_class = name.get_ref() == "class" && WITH_CLASS.contains(&prefix);
        let key = match prefix {
            "" => name.get_ref().to_string(),
            _ if is_class => prefix.to_owned(),
            _ => format!("{prefix}.{}", name.get_ref()),
        };
        if let DeValue::Table(table) = value.get_ref() {
            return self.table(&key, table);
        }
        let origin = self.origin(name.span().start);
        let Some(text) = setting(value.get_ref()) else {
            let message = format!("{key} is an array of tables or of arrays, which no setting is");
            return Err(Problem::of_key(&key, message).at(origin));
        };
        if self.config.entry(&key).is_some() {
            return Err(Problem::of_key(&key, format!("{key} is there twice, in quotes and in a table")).at(origin));
        }
        self.config.insert(key, text, origin);
        Ok(())
    }
}

/// The text of a value, without that of its quotes.
fn setting(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str().to_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string()),
        DeValue::Float(float) => Some(float.as_str().to_owned()),
        DeValue::Boolean(boolean) => Some(boolean.to_string()),
        DeValue::Datetime(datetime) => Some(datetime.to_string()),
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| setting(item.get_ref())).collect();
            Some(items?.join(","))
        }
        DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let config = parse(text, "x.toml").unwrap();
        config.iter().map(|(key, entry)| (key.to_owned(), entry.value.clone())).collect()
    }

    fn as_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flat_keys_and_tables_are_the_same() {
        let flat =
            pairs("\"connector.class\" = 'S3Sink'\n\"value.converter\" = \"Json\"\n\"value.converter.schemas.enable\" = false\n");
        let tables = pairs("connector.class = 'S3Sink'\n[value.converter]\nclass = \"Json\"\nschemas.enable = false\n");
        assert_eq!(flat, tables);
        let expected = [("connector.class", "S3Sink"), ("value.converter", "Json"), ("value.converter.schemas.enable", "false")];
        assert_eq!(flat, as_pairs(&expected));
    }

    #[test]
    fn values_are_what_they_are_in_text() {
        let pairs_read = pairs("a = 1_000\nb = 1.50\nc = true\nd = ['x', 2]\ne = 0x10\nf = '''\\d'''\ng = -7");
        let expected = [("a", "1000"), ("b", "1.50"), ("c", "true"), ("d", "x,2"), ("e", "16"), ("f", "\\d"), ("g", "-7")];
        assert_eq!(pairs_read, as_pairs(&expected));
    }

    #[test]
    fn keys_remember_their_lines() {
        let config = parse("a = 1\n\n[b]\nc = 2\n", "x.toml").unwrap();
        assert_eq!(config.entry("b.c").unwrap().origin.as_ref().unwrap().to_string(), "x.toml:4");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let broken = parse("a = 1\nb = = 2\n", "x.toml").unwrap_err().to_string();
        assert!(broken.starts_with("x.toml:2: this is not TOML: "), "{broken}");
        let both = parse("topics = 'a'\ntopics.dir = 'b'\n", "x.toml").unwrap_err().to_string();
        assert!(both.starts_with("x.toml:2: ") && both.contains("\"topics.dir\" ="), "{both}");
        let twice = parse("a.b = 1\n\"a.b\" = 2\n", "x.toml").unwrap_err().to_string();
        assert!(twice.starts_with("x.toml:2: a.b is there twice"), "{twice}");
        let tables = parse("[[a]]\nb = 1\n", "x.toml").unwrap_err().to_string();
        assert!(tables.contains("no setting"), "{tables}");
    }
}
