//! What stands in place of what was found (`Matcher.appendReplacement`).

use std::{iter::Peekable, str::Chars};

/// Appends the replacement with its references filled in. `groups`: how many there are.
///
/// # Errors
/// What is wrong with it, in Java's words.
pub(super) fn expand<'t>(
    replacement: &str,
    groups: usize,
    group: impl Fn(usize) -> &'t str,
    named: impl Fn(&str) -> Option<&'t str>,
    out: &mut String,
) -> Result<(), String> {
    let mut chars = replacement.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\\' => out.push(chars.next().ok_or("character to be escaped is missing")?),
            '$' => match chars.peek() {
                None => return Err("Illegal group reference: group index is missing".to_owned()),
                Some('{') => {
                    let name = name(&mut chars)?;
                    out.push_str(named(&name).ok_or_else(|| format!("No group with name {{{name}}}"))?);
                }
                Some(_) => out.push_str(group(number(&mut chars, groups)?)),
            },
            _ => out.push(character),
        }
    }
    Ok(())
}

/// The name in braces.
fn name(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    chars.next();
    let mut name = String::new();
    while let Some(letter) = chars.next_if(char::is_ascii_alphanumeric) {
        name.push(letter);
    }
    if chars.next() != Some('}') {
        return Err("named capturing group is missing trailing '}'".to_owned());
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("capturing group name {{{name}}} starts with digit character"));
    }
    Ok(name)
}

/// The first digit, and those after it with which it is still a group that there is.
fn number(chars: &mut Peekable<Chars<'_>>, groups: usize) -> Result<usize, String> {
    let digit = |character: &char| character.to_digit(10).map(|digit| digit as usize);
    let mut number = chars.next().as_ref().and_then(digit).ok_or("Illegal group reference")?;
    if number > groups {
        return Err(format!("No group {number}"));
    }
    while let Some(longer) = chars.peek().and_then(digit).map(|digit| number * 10 + digit).filter(|longer| *longer <= groups) {
        number = longer;
        chars.next();
    }
    Ok(number)
}
