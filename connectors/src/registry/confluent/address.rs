//! The registry's URLs.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Uri;

/// Where a registry answers. Neither `Display` nor `Debug` shows the user and the password in its URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// `http://host:8081/path`, without a slash at its end, a user and a query.
    url: String,
    /// `user:password`, with escapes undone.
    user_info: Option<String>,
}

impl Address {
    /// The addresses in the value of `schema.registry.url`.
    ///
    /// # Errors
    /// What is wrong with one of them, as it follows the key's name. The text is not shown: it may hold a password.
    pub(super) fn list(text: &str) -> Result<Vec<Self>, String> {
        let all = text.split(',').map(str::trim).filter(|url| !url.is_empty());
        let all: Vec<_> = all.map(Self::parse).collect::<Result<_, _>>()?;
        if all.is_empty() { Err("names no URL".to_owned()) } else { Ok(all) }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else { return Err("must begin with http:// or https://".to_owned()) };
        let scheme = scheme.to_ascii_lowercase();
        if !["http", "https"].contains(&scheme.as_str()) {
            return Err(format!("must begin with http:// or https://, not with {scheme}://"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if path.contains('@') {
            return Err("must not have an @ in its path: in a user or a password / is written as %2F".to_owned());
        }
        if path.contains(['?', '#']) {
            return Err("must not have a query or a fragment".to_owned());
        }
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(unescaped(user_info)), host),
            None => (None, authority),
        };
        let url = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
        match url.parse::<Uri>() {
            Ok(uri) if has_host(&uri, host) => Ok(Self { url, user_info }),
            _ => Err("is not a URL".to_owned()),
        }
    }

    /// The address of what is there under `path`, which begins with a slash.
    pub(super) fn with(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(super) fn user_info(&self) -> Option<&str> {
        self.user_info.as_deref()
    }
}

/// Whether there is a host, and what stands behind its colon is a port.
fn has_host(uri: &Uri, authority: &str) -> bool {
    let has_port = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest).contains(':');
    uri.host().is_some_and(|host| !host.is_empty()) && (!has_port || uri.port_u16().is_some())
}

/// The header's value for a user and a password between which there is a colon.
pub(super) fn basic(user_info: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_info))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.url)
    }
}

/// `%41` becomes `A`.
fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_addresses_stand_between_commas() {
        let all = Address::list("http://one:8081/, https://two/apis/ccompat/v7").unwrap();
        let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["http://one:8081", "https://two/apis/ccompat/v7"]);
        assert_eq!(all[1].with("/schemas/ids/1"), "https://two/apis/ccompat/v7/schemas/ids/1");
    }

    #[test]
    fn the_user_and_the_password_of_an_address_are_never_shown() {
        let all = Address::list("http://user:p%40ss@host:8081").unwrap();
        assert_eq!(all[0].user_info(), Some("user:p@ss"));
        assert_eq!(format!("{} {:?}", all[0], all[0]), "http://host:8081 Address(http://host:8081)");
        assert_eq!(basic("user:p@ss"), "Basic dXNlcjpwQHNz");
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for (text, reason) in [
            ("", "names no URL"),
            (" , ", "names no URL"),
            ("user:secret@host:8081", "must begin with http:// or https://"),
            ("mock://user:secret@a", "must begin with http:// or https://, not with mock://"),
            ("http://user:1/secret@host", "must not have an @ in its path: in a user or a password / is written as %2F"),
            ("http://user:secret@", "is not a URL"),
            ("http://user:secret@host:port", "is not a URL"),
            ("http://user:secret@[::1]:99999", "is not a URL"),
            ("http://user:secret@a b", "is not a URL"),
            ("http://host?secret", "must not have a query or a fragment"),
        ] {
            assert_eq!(Address::list(text).unwrap_err(), reason, "{text}");
        }
    }
}
