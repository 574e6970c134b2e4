//! Names of objects as paths, and back, without losing a character.
//!
//! The paths of `object_store` refuse empty parts, `.` and `..`, and its local directories give `#` a meaning. All else stays as it is, so that people
//! find their files; `%` too, for names of directories in Hive's fashion are full of it.

use object_store::path::Path;

/// The folder of uploads that are not complete.
pub(super) const STAGING: &str = ".connect-uploads";

/// Begins what stands for another character.
const ESCAPE: char = '~';

/// Stands for an empty part: no other part becomes a lone `~`.
const EMPTY: &str = "~";

/// The path of a name.
pub(super) fn path_of(name: &str) -> Path {
    let parts = name.split('/').enumerate().map(|(index, part)| match part {
        STAGING if index == 0 => format!("~2E{}", &STAGING[1..]),
        _ => written(part),
    });
    let path = parts.collect::<Vec<_>>().join("/");
    // Nothing is left that it refuses; if there were, the encoded form would still be one path per name.
    Path::parse(&path).unwrap_or_else(|_refused| Path::from(path))
}

/// How many bytes a part of a name has in a path.
pub(in crate::storage) fn length_of(part: &str) -> usize {
    written(part).len()
}

fn written(part: &str) -> String {
    match part {
        "" => EMPTY.to_owned(),
        "." => "~2E".to_owned(),
        ".." => "~2E~2E".to_owned(),
        _ => escape(part),
    }
}

fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for character in part.chars() {
        match character {
            ESCAPE | '#' | '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("{ESCAPE}{:02X}", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The name of a path; nothing for what belongs to incomplete uploads.
pub(super) fn name_of(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.as_ref().split('/').collect();
    if parts.first() == Some(&STAGING) {
        return None;
    }
    Some(parts.into_iter().map(unescape).collect::<Vec<_>>().join("/"))
}

fn unescape(part: &str) -> String {
    if part == EMPTY {
        return String::new();
    }
    let mut pieces = part.split(ESCAPE);
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let decoded = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match decoded {
            Some(byte) => {
                name.push(char::from(byte));
                name.push_str(&piece[2..]);
            }
            // A file that somebody else put there.
            None => {
                name.push(ESCAPE);
                name.push_str(piece);
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_their_own_paths() {
        for name in ["topics/orders/partition=0/orders+0+0000000000.json.gz", "a b/ü😀.bin", "x{}[]^`|<>\"*?\\", "a%2Fb/50%25"] {
            assert_eq!(path_of(name).as_ref(), name);
        }
    }

    #[test]
    fn every_name_comes_back_and_no_two_share_a_path() {
        let names = [
            "",
            "/",
            "a//b",
            "a/b",
            "/a",
            "a/",
            "a/.",
            "a/..",
            "./a",
            "a%b",
            "a%2Fb",
            "%",
            "%25",
            "a/%/b",
            "a~b",
            "a~2Fb",
            "~",
            "~7E",
            "a/~/b",
            "a#1",
            "tab\there",
            STAGING,
        ];
        let mut paths: Vec<_> = names.iter().map(|name| path_of(name)).collect();
        for (name, path) in names.iter().zip(&paths) {
            assert_eq!(name_of(path).as_deref(), Some(*name), "{path}");
        }
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), names.len());
    }

    #[test]
    fn incomplete_uploads_have_no_name() {
        assert_eq!(name_of(&Path::from_iter([STAGING, "a", "0"])), None);
        assert_eq!(name_of(&path_of(".connect-uploads/a")).as_deref(), Some(".connect-uploads/a"));
    }
}
