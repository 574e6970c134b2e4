//! Values that somebody or something was to fill in.

use crate::config::client;

/// Whether the value has something like `<TOPIC_ROOT>` in it. A name of a group in a regular expression, as in `(?<A>.)\k<A>`, is none; and a
/// secret may have anything in it, so one of its quoted or separate words is one as a whole, or none is.
pub(super) fn has_placeholder(key: &str, value: &str) -> bool {
    let is_name = |name: &str| name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if client::is_secret(key) {
        let mut words = value.split(['"', '\'', '=', ';', ' ']);
        return words.any(|word| word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).is_some_and(is_name));
    }
    let mut parts = value.split('<');
    let mut before = parts.next().unwrap_or_default();
    parts.any(|part| {
        let of_regex = before.ends_with('?') || before.ends_with("\\k");
        before = part;
        !of_regex && part.split_once('>').is_some_and(|(name, _)| is_name(name))
    })
}

/// Whether the value has something like `${file:/a:b}` in it.
pub(super) fn refers_to_provider(value: &str) -> bool {
    let inside = |part: &str| part.split_once('}').is_some_and(|(reference, _)| reference.contains(':'));
    value.split("${").skip(1).any(inside)
}
