//! The HTTP proxy: its address, and who speaks to it.

use std::fmt;

use http::Uri;

use super::endpoint::names_a_host;

/// An HTTP proxy. Its `Debug` hides who speaks to it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Without user and path.
    pub(super) url: String,
    /// Not empty where there is a password.
    user: String,
    password: String,
}

/// The part of the settings that a reason not to start is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Url,
    User,
    Password,
}

/// What ends the address in a URL.
const ENDS_OF_ADDRESS: [char; 3] = ['/', '?', '#'];

/// Where a user or a password can have any character.
const USE_KEYS: &str = "give them with `s3.proxy.user` and `s3.proxy.password`, where nothing is escaped";

impl Proxy {
    /// Reads `s3.proxy.url`, with the user and the password of the other two keys in place of those in the URL. What is before the first colon of the
    /// URL's user part is the user; the path means nothing.
    ///
    /// # Errors
    /// What is wrong with which of them, as it follows the key's name. The texts are never shown: each may hold a password.
    pub(super) fn new(url: &str, user: Option<&str>, password: Option<&str>) -> Result<Self, (Part, String)> {
        let mut proxy = Self::parse(url).map_err(|reason| (Part::Url, reason))?;
        if let Some(user) = user {
            user.clone_into(&mut proxy.user);
        }
        if let Some(password) = password {
            password.clone_into(&mut proxy.password);
        }
        if proxy.user.contains(':') {
            let reason = "must not hold a colon: a proxy takes what follows the first colon for the password".to_owned();
            return Err((Part::User, reason));
        }
        if proxy.user.is_empty() && !proxy.password.is_empty() {
            let part = if password.is_some() { Part::Password } else { Part::Url };
            return Err((part, "has a password, and no user that it belongs to: set `s3.proxy.user`".to_owned()));
        }
        // The HTTP client makes such a URL of them, and leaves out a proxy whose URL it cannot read.
        let (scheme, address) = proxy.url.split_once("://").unwrap_or_default();
        let whole = match proxy.credentials() {
            Some((user, password)) => format!("{scheme}://{user}:{password}@{address}/").parse::<Uri>(),
            None => proxy.url.parse(),
        };
        match whole {
            Ok(uri) if uri.host().is_some_and(|host| address.starts_with(host)) => Ok(proxy),
            _ => Err((Part::Url, "cannot be used with this user and password: they are too long".to_owned())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else {
            return Err("must begin with http:// or https://".to_owned());
        };
        let end = rest.find(ENDS_OF_ADDRESS).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('@') {
            // Or else a part of the password would be taken for the host.
            return Err(format!("has a user or a password with one of the characters / ? # in it: {USE_KEYS}"));
        }
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        if has_escape(user) {
            return Err(format!(
                "has a user or a password with a percent escape, which could be meant or be a part of it: {USE_KEYS}"
            ));
        }
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let url = format!("{scheme}://{address}");
        match url.parse::<Uri>() {
            Ok(uri) if names_a_host(&uri) => Ok(Self { url, user: user.to_owned(), password: password.to_owned() }),
            _ => Err("must name a host, and a port from 1 to 65535 or none".to_owned()),
        }
    }

    /// User and password as they stand in a URL, with every byte escaped so that none means anything there; nothing where there is no user.
    pub(super) fn credentials(&self) -> Option<(String, String)> {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        (!self.user.is_empty()).then(|| (escaped(&self.user), escaped(&self.password)))
    }
}

/// Whether there is a `%` with two hexadecimal digits.
fn has_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(|bytes| bytes[0] == b'%' && bytes[1..].iter().all(u8::is_ascii_hexdigit))
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Proxy, (Part, String)> {
        Proxy::new(url, None, None)
    }

    fn parts(url: &str, user: Option<&str>, password: Option<&str>) -> (String, String) {
        Proxy::new(url, user, password).map(|proxy| (proxy.user, proxy.password)).unwrap()
    }

    #[test]
    fn a_proxy_must_have_a_known_scheme_and_a_host() {
        for url in ["localhost", "unknown://localhost", "http://", "http://localhost:0", "http://localhost:99999", "http://a b"] {
            assert!(parse(url).is_err(), "{url}");
        }
        for url in ["http://localhost", "http://127.0.0.1", "http://255.255.255.255", "https://localhost:8080", "http://[::1]:8080"]
        {
            assert_eq!(parse(url), Ok(Proxy { url: url.to_owned(), ..Proxy::default() }));
        }
        assert_eq!(parse("http://localhost:8080/current").unwrap().url, "http://localhost:8080");
    }

    #[test]
    fn user_and_password_of_a_proxy_are_read_from_its_url() {
        let parts = |url| parts(url, None, None);
        assert_eq!(parts("http://user@localhost:8080"), ("user".to_owned(), String::new()));
        assert_eq!(parts("http://user:@localhost:8080"), ("user".to_owned(), String::new()));
        assert_eq!(parts("http://user:pa:ss@localhost:8080"), ("user".to_owned(), "pa:ss".to_owned()));
        assert_eq!(parts("http://user:p@s s%é@localhost:8080"), ("user".to_owned(), "p@s s%é".to_owned()));
    }

    #[test]
    fn the_keys_come_before_the_url_each_by_itself() {
        let url = "http://user:pass@localhost:8080";
        assert_eq!(parts(url, Some("other"), None), ("other".to_owned(), "pass".to_owned()));
        assert_eq!(parts(url, None, Some("other")), ("user".to_owned(), "other".to_owned()));
    }

    #[test]
    fn what_the_client_makes_of_any_user_and_password_is_the_same_proxy_and_the_same_bytes() {
        for (user, password) in [
            ("us", "a@b"),
            ("us", "a/b#c?d"),
            ("us", "a%41b"),
            ("u@s", "a b\\\"é"),
            ("us", "x@127.0.0.1:1/"),
            ("a/b", ":"),
            ("ü\u{7f}", "\n"),
        ] {
            let proxy = Proxy::new("http://proxy:8080", Some(user), Some(password)).unwrap();
            let (escaped_user, escaped_password) = proxy.credentials().unwrap();
            let uri: Uri = format!("http://{escaped_user}:{escaped_password}@proxy:8080/").parse().unwrap();
            assert_eq!((uri.host(), uri.port_u16()), (Some("proxy"), Some(8080)));
            let (authority, _) = uri.authority().unwrap().as_str().split_once('@').unwrap();
            let byte = |escape: &str| u8::from_str_radix(escape, 16).unwrap();
            let decoded = authority.split(':').map(|text| text.split('%').skip(1).map(byte).collect());
            assert_eq!(decoded.collect::<Vec<Vec<u8>>>(), [user, password].map(|text| text.as_bytes().to_vec()));
        }
        assert_eq!(parse("http://proxy:8080").unwrap().credentials(), None);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_key_and_without_the_secret() {
        let long = "hunter2".repeat(10_000);
        for (url, user, password, part) in [
            ("http://us:hunter2/x@proxy:8080", None, None, Part::Url),
            ("http://us:80/hunter2@proxy:8080", None, None, Part::Url),
            ("http://us:hunter2?@proxy:8080", None, None, Part::Url),
            ("http://us:hunter2#@proxy:8080", None, None, Part::Url),
            ("http://us:hunter2%40@proxy:8080", None, None, Part::Url),
            ("http://us:hunter2@proxy:hunter2", None, None, Part::Url),
            ("http://:hunter2@proxy:8080", None, None, Part::Url),
            ("http://proxy:8080", Some("us:hunter2"), None, Part::User),
            ("http://proxy:8080", None, Some("hunter2"), Part::Password),
            ("http://proxy:8080", Some("us"), Some(long.as_str()), Part::Url),
        ] {
            let (of, reason) = Proxy::new(url, user, password).unwrap_err();
            assert_eq!(of, part, "{url}: {reason}");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }

    #[test]
    fn a_proxy_never_shows_who_speaks_to_it() {
        let shown = format!("{:?}", parse("http://alice:hunter2@localhost").unwrap());
        assert!(!shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
    }
}
