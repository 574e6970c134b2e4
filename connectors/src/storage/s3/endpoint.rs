//! Addresses: the store's and the proxy's.

use std::fmt;

use http::Uri;

/// Where a store other than AWS answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint(String);

/// Where every AWS SDK looks for the endpoint of S3, in this order.
const VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// Set to `true` where those variables are for others.
const IGNORE_VARIABLES: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

impl Endpoint {
    /// Reads `store_url`, the value of `key`, or else the first of the environment's variables that says anything.
    ///
    /// # Errors
    /// Which of them is wrong, and the reason, as it follows the name.
    pub(super) fn find(
        key: &'static str,
        store_url: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, (&'static str, String)> {
        if let Some(url) = store_url {
            return Self::parse(url).map(Some).map_err(|reason| (key, reason));
        }
        if variable(IGNORE_VARIABLES).is_some_and(|ignore| ignore.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let said = VARIABLES.iter().find_map(|name| Some((*name, variable(name).filter(|url| !url.trim().is_empty())?)));
        said.map(|(name, url)| Self::parse(url.trim()).map_err(|reason| (name, reason))).transpose()
    }

    /// Reads `store.url`: what has no scheme gets `https://`, as on the JVM.
    ///
    /// # Errors
    /// The reason, as it follows the key's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = match text.split_once("://") {
            Some(("http" | "https", _)) => text.to_owned(),
            Some((scheme, _)) => return Err(format!("must begin with http:// or https://, not with {scheme}://")),
            None if text.contains(':') => {
                return Err(format!("needs a scheme where a port is given: http://{text} or https://{text}"));
            }
            None => format!("https://{text}"),
        };
        match url.parse::<Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(Self(url.trim_end_matches('/').to_owned())),
            _ => Err(format!("is not a URL: {text}")),
        }
    }

    pub(super) fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    pub(super) fn url(&self) -> &str {
        &self.0
    }
}

/// An HTTP proxy. Its `Debug` hides who speaks to it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Without user and path.
    pub(super) url: String,
    pub(super) user: String,
    pub(super) password: String,
}

impl Proxy {
    /// Reads `s3.proxy.url`. What is before the first colon of the user part is the user; the path means nothing.
    ///
    /// # Errors
    /// The reason, as it follows the key's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else {
            return Err("must begin with http:// or https://".to_owned());
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let url = format!("{scheme}://{address}");
        match url.parse::<Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => {
                Ok(Self { url, user: user.to_owned(), password: password.to_owned() })
            }
            // The text may hold a password.
            _ => Err("must name a host".to_owned()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_url_comes_before_the_variables_of_every_aws_sdk() {
        let find = |store_url, variables: &[(&str, &str)]| {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Endpoint::find("store.url", store_url, variable).map(|found| found.map(|endpoint| endpoint.url().to_owned()))
        };
        let (s3, all) = (("AWS_ENDPOINT_URL_S3", "http://s3:1"), ("AWS_ENDPOINT_URL", "http://all:2"));
        assert_eq!(find(Some("http://own:3"), &[s3, all]), Ok(Some("http://own:3".to_owned())));
        assert_eq!(find(None, &[all, s3]), Ok(Some("http://s3:1".to_owned())));
        assert_eq!(find(None, &[("AWS_ENDPOINT_URL_S3", " "), all]), Ok(Some("http://all:2".to_owned())));
        assert_eq!(find(None, &[all, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")]), Ok(None));
        assert_eq!(find(None, &[]), Ok(None));
        let (name, reason) = find(None, &[("AWS_ENDPOINT_URL", "localhost:9000")]).unwrap_err();
        assert_eq!(name, "AWS_ENDPOINT_URL");
        assert!(reason.contains("needs a scheme"), "{reason}");
    }

    #[test]
    fn a_store_without_a_scheme_is_spoken_to_over_tls() {
        assert_eq!(Endpoint::parse("s3.amazonaws.com").unwrap().url(), "https://s3.amazonaws.com");
        assert_eq!(Endpoint::parse("https://s3.amazonaws.com/").unwrap().url(), "https://s3.amazonaws.com");
        assert!(Endpoint::parse("http://localhost:9000").unwrap().is_plain_http());
    }

    #[test]
    fn a_port_without_a_scheme_is_refused_with_what_to_write() {
        let reason = Endpoint::parse("127.0.0.1:9000").unwrap_err();
        assert_eq!(reason, "needs a scheme where a port is given: http://127.0.0.1:9000 or https://127.0.0.1:9000");
        assert!(Endpoint::parse("s3://bucket/object").unwrap_err().contains("not with s3://"));
        assert!(Endpoint::parse("http://").is_err());
    }

    #[test]
    fn a_proxy_must_have_a_known_scheme_and_a_host() {
        for url in ["localhost", "unknown://localhost", "http://"] {
            assert!(Proxy::parse(url).is_err(), "{url}");
        }
        for url in ["http://localhost", "http://127.0.0.1", "http://255.255.255.255", "https://localhost:8080"] {
            assert_eq!(Proxy::parse(url), Ok(Proxy { url: url.to_owned(), ..Proxy::default() }));
        }
        assert_eq!(Proxy::parse("http://localhost:8080/current").unwrap().url, "http://localhost:8080");
    }

    #[test]
    fn user_and_password_of_a_proxy_are_read_from_its_url() {
        let parts = |url| Proxy::parse(url).map(|proxy| (proxy.user, proxy.password)).unwrap();
        assert_eq!(parts("http://user@localhost:8080"), ("user".to_owned(), String::new()));
        assert_eq!(parts("http://user:@localhost:8080"), ("user".to_owned(), String::new()));
        assert_eq!(parts("http://user:pa:ss@localhost:8080"), ("user".to_owned(), "pa:ss".to_owned()));
    }

    #[test]
    fn a_proxy_never_shows_who_speaks_to_it() {
        let shown = format!("{:?}", Proxy::parse("http://alice:hunter2@localhost").unwrap());
        assert!(!shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
    }
}
