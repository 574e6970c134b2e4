//! Regular expressions in Java's syntax, as connector files have them.

mod replacement;
mod translate;

use std::{fmt, sync::Arc};

use fancy_regex::Regex;

/// A Java regular expression (`java.util.regex.Pattern`). Cheap to clone.
#[derive(Clone)]
pub struct JavaRegex(Arc<Compiled>);

struct Compiled {
    java: String,
    /// Matches the whole of a text or nothing.
    whole: Regex,
    /// Finds the first place.
    first: Regex,
    groups: usize,
}

impl JavaRegex {
    /// Translates a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in Java's words, or what of Java's syntax cannot be translated.
    pub fn new(java: &str) -> Result<Self, String> {
        let translate::Translated { regex, groups } = translate::translate(java)?;
        let compile = |regex: &str| Regex::new(regex).map_err(|error| format!("Invalid regex: {error}"));
        let (whole, first) = (compile(&format!(r"\A(?:{regex})\z"))?, compile(&regex)?);
        Ok(Self(Arc::new(Compiled { java: java.to_owned(), whole, first, groups })))
    }

    /// Whether the whole text matches, as with Java's `matches()`.
    ///
    /// # Errors
    /// Where it takes too many steps to decide.
    pub fn matches(&self, text: &str) -> Result<bool, String> {
        self.0.whole.is_match(text).map_err(|error| error.to_string())
    }

    /// The text with the first place that matches replaced, as with Java's `replaceFirst`: in the replacement `$1` and `${name}` stand for groups, and
    /// a backslash takes the meaning from what follows it.
    ///
    /// # Errors
    /// A replacement that is wrong or names a group that is not there, in Java's words; too many steps.
    pub fn replace_first(&self, text: &str, replacement: &str) -> Result<String, String> {
        let Some(captures) = self.0.first.captures(text).map_err(|error| error.to_string())? else { return Ok(text.to_owned()) };
        let Some(found) = captures.get(0) else { return Ok(text.to_owned()) };
        let mut replaced = text[..found.start()].to_owned();
        let group = |number: usize| captures.get(number).map_or("", |group| group.as_str());
        let named = |name: &str| {
            let known = self.0.first.capture_names().flatten().any(|known| known == name);
            known.then(|| captures.name(name).map_or("", |group| group.as_str()))
        };
        replacement::expand(replacement, self.0.groups, group, named, &mut replaced)?;
        replaced.push_str(&text[found.end()..]);
        Ok(replaced)
    }

    /// Looks whether a replacement can be filled in.
    ///
    /// # Errors
    /// What is wrong with it, or which group the pattern has not, in Java's words.
    pub fn check_replacement(&self, replacement: &str) -> Result<(), String> {
        let named = |name: &str| self.0.first.capture_names().flatten().any(|known| known == name).then_some("");
        replacement::expand(replacement, self.0.groups, |_| "", named, &mut String::new())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.java
    }
}

impl fmt::Debug for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JavaRegex({})", self.0.java)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, text: &str, replacement: &str) -> Result<String, String> {
        JavaRegex::new(pattern).unwrap().replace_first(text, replacement)
    }

    #[test]
    fn the_first_place_is_replaced_with_its_groups() {
        for (pattern, text, replacement, expected) in [
            ("foo", "foo", "bar", "bar"),
            ("(.*)", "orig", "prefix-$1", "prefix-orig"),
            ("(.*)", "orig", "$1-suffix", "orig-suffix"),
            (r"(.*)-(\d\d\d\d\d\d\d\d)", "index-20160117", "$1", "index"),
            ("(?<db>[^.]+)\\.(?<table>.+)", "shop.users", "${table}_$1", "users_shop"),
            ("a(b)?", "ac", "[$1]", "[]c"),
            ("o", "foo", "0", "f0o"),
            ("(a)", "a", "$12", "a2"),
            (".*", "a", r"\$1\\", r"$1\"),
            ("x", "abc", "y", "abc"),
        ] {
            assert_eq!(replaced(pattern, text, replacement).as_deref(), Ok(expected), "{pattern} {text} {replacement}");
        }
    }

    #[test]
    fn of_two_ways_to_match_all_the_first_that_is_found_is_replaced_as_in_java() {
        let regex = JavaRegex::new("a|ab").unwrap();
        assert_eq!(regex.matches("ab"), Ok(true));
        assert_eq!(regex.replace_first("ab", "x").as_deref(), Ok("xb"));
    }

    #[test]
    fn replacements_that_are_wrong_are_refused_in_java_s_words() {
        for (replacement, expected) in [
            ("$2", "No group 2"),
            ("$", "Illegal group reference: group index is missing"),
            ("$x", "Illegal group reference"),
            ("${x}", "No group with name {x}"),
            ("${1}", "capturing group name {1} starts with digit character"),
            ("${", "named capturing group is missing trailing '}'"),
            ("a\\", "character to be escaped is missing"),
        ] {
            assert_eq!(replaced("(.*)", "t", replacement).unwrap_err(), expected, "{replacement}");
        }
    }
}
