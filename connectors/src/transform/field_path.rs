//! Paths to fields (KIP-821): `field.syntax.version`.

use connect_api::{Error, Result, config::ConfigKey};

pub(super) static FIELD_SYNTAX_VERSION: ConfigKey<String> = ConfigKey::with_default(
    "field.syntax.version",
    "V1",
    "How a field is named. V1: by its name. V2: by a path, with dots between names; a name that holds dots stands in backticks.",
)
.one_of_any_case(&["V1", "V2"]);

/// The names that lead to a field, from the outside inwards.
#[derive(Debug, PartialEq)]
pub(super) struct FieldPath {
    written: String,
    pub(super) steps: Vec<String>,
}

impl FieldPath {
    /// That of a text. `version`: [`FIELD_SYNTAX_VERSION`].
    ///
    /// # Errors
    /// `Config` where a backtick has no counterpart.
    pub(super) fn new(path: &str, version: &str) -> Result<Self> {
        let steps = if version.eq_ignore_ascii_case("V2") { steps(path)? } else { vec![path.to_owned()] };
        Ok(Self { written: path.to_owned(), steps })
    }

    /// What is said where a schema has no such field.
    pub(super) fn unknown(&self) -> Error {
        Error::data(format!("Unknown field: {}", self.written)).with_class("java.lang.IllegalArgumentException")
    }
}

fn steps(path: &str) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    if path.is_empty() {
        return Ok(steps);
    }
    let mut start = 0;
    loop {
        let rest = &path[start..];
        let (step, length) = match rest.strip_prefix('`') {
            Some(wrapped) => {
                let end = closing(wrapped).ok_or_else(|| incomplete(path, start))?;
                (wrapped[..end].replace("\\`", "`"), end + 2)
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                // A backslash before a backtick at the beginning takes its meaning.
                let step = &rest[..end];
                (step.strip_prefix("\\`").map_or_else(|| step.to_owned(), |literal| format!("`{literal}")), end)
            }
        };
        steps.push(step);
        start += length;
        if start >= path.len() {
            return Ok(steps);
        }
        // Behind the dot.
        start += 1;
    }
}

/// Where the backtick stands that ends a wrapped name: before a dot or at the end, and not escaped.
fn closing(wrapped: &str) -> Option<usize> {
    let ends = |at: &usize| matches!(wrapped.as_bytes().get(at + 1), None | Some(b'.'));
    let escaped = |at: usize| at > 0 && wrapped.as_bytes()[at - 1] == b'\\';
    wrapped.match_indices('`').map(|(at, _)| at).find(|at| ends(at) && !escaped(*at))
}

fn incomplete(path: &str, at: usize) -> Error {
    let message = format!(
        "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position {at} to escape it"
    );
    Error::config(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(path: &str) -> Vec<String> {
        FieldPath::new(path, "V2").unwrap().steps
    }

    #[test]
    fn a_name_of_the_first_version_is_one_step_verbatim() {
        for path in ["foo.bar.baz", "foo.`bar.baz`", ""] {
            assert_eq!(FieldPath::new(path, "V1").unwrap().steps, [path]);
        }
    }

    #[test]
    fn dots_separate_the_steps_of_a_path() {
        assert_eq!(v2("foo.bar.baz"), ["foo", "bar", "baz"]);
        assert_eq!(v2(".."), ["", "", ""]);
        assert_eq!(v2("foo.."), ["foo", "", ""]);
        assert_eq!(v2("foo`bar`baz"), ["foo`bar`baz"]);
        assert!(v2("").is_empty());
    }

    #[test]
    fn backticks_around_a_step_keep_its_dots() {
        assert_eq!(v2("`foo.bar`.baz"), ["foo.bar", "baz"]);
        assert_eq!(v2("foo.`bar`.baz"), ["foo", "bar", "baz"]);
        assert_eq!(v2("foo.ba`r.baz"), ["foo", "ba`r", "baz"]);
        assert_eq!(v2("foo.``bar``.baz"), ["foo", "`bar`", "baz"]);
        assert_eq!(v2("foo.`bar\\`.baz`"), ["foo", "bar`.baz"]);
    }

    #[test]
    fn a_backtick_without_a_counterpart_is_refused_with_its_place() {
        for (path, at) in [("`foo.bar.baz", 0), ("foo.`bar.baz", 4), ("foo.bar.`baz", 8)] {
            let error = FieldPath::new(path, "V2").unwrap_err().to_string();
            let expected = format!(
                "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position {at} to"
            );
            assert!(error.contains(&expected), "{error}");
        }
    }
}
