//! Java's regular expressions to those of `fancy-regex`.

/// A pattern that matches the whole of a text exactly where Java's does.
///
/// # Errors
/// What of the pattern cannot be translated.
pub(super) fn translate(java: &str) -> Result<String, String> {
    Ok(format!(r"\A(?:{java})\z"))
}
