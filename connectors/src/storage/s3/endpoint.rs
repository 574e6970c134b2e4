//! The store's address.

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
        if text.contains('@') {
            // Not shown: a password may be in it.
            return Err("must not hold a user or a password: keys are given with `aws.access.key.id` and `aws.secret.access.key`"
                .to_owned());
        }
        if let Some(meant) = with_slips_mended(text) {
            return Err(format!("must begin with http:// or https://: {meant}"));
        }
        let url = match text.split_once("://") {
            Some((scheme, rest)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                format!("{}://{rest}", scheme.to_ascii_lowercase())
            }
            Some((scheme, _)) => return Err(format!("must begin with http:// or https://, not with {scheme}://")),
            None if text.contains(':') => {
                return Err(format!("needs a scheme where a port is given: http://{text} or https://{text}"));
            }
            None => format!("https://{text}"),
        };
        match url.parse::<Uri>() {
            Ok(uri) if names_a_host(&uri) => Ok(Self(url.trim_end_matches('/').to_owned())),
            _ => Err(format!("is not a URL: {text}")),
        }
    }

    /// The same for all ways to write one address: names of hosts have no case, and a scheme has its port.
    pub(super) fn place(&self) -> String {
        let uri = self.0.parse::<Uri>().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let port = uri.port_u16().filter(|port| !matches!((scheme, port), ("http", 80) | ("https", 443)));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{}", uri.host().unwrap_or_default().to_ascii_lowercase(), uri.path().trim_end_matches('/'))
    }

    /// The host's name, and whether a path and a query follow.
    pub(super) fn parts(&self) -> (String, Option<String>, bool) {
        let uri = self.0.parse::<Uri>().unwrap_or_default();
        let path = Some(uri.path().trim_end_matches('/').to_owned()).filter(|path| !path.is_empty());
        (uri.host().unwrap_or_default().to_ascii_lowercase(), path, uri.query().is_some())
    }

    pub(super) fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// Whether it is one of the names of AWS, where a bucket is the same in each.
    pub(super) fn is_aws(&self) -> bool {
        let host = self.0.split_once("://").map_or("", |(_, rest)| rest.split(['/', ':']).next().unwrap_or(rest));
        [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|domain| host.ends_with(domain))
    }

    pub(super) fn url(&self) -> &str {
        &self.0
    }
}

/// What was meant by `http//host:9000`, `http:/host:9000` or `http:host:9000`.
fn with_slips_mended(text: &str) -> Option<String> {
    if text.contains("://") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = ["https", "http"].into_iter().find_map(|scheme| Some((scheme, lower.strip_prefix(scheme)?)))?;
    let host = rest.trim_start_matches([':', '/']);
    // The host may be called http as well.
    let is_slip =
        rest.starts_with("//") || rest.starts_with(":/") || rest.starts_with(':') && host.starts_with(char::is_alphabetic);
    (is_slip && !host.is_empty()).then(|| format!("{scheme}://{}", &text[text.len() - host.len()..]))
}

/// Whether there is a host, and a port only if it is one: the HTTP client takes the default port for one that is none.
pub(super) fn names_a_host(uri: &Uri) -> bool {
    let Some((host, authority)) = uri.host().zip(uri.authority()) else { return false };
    let port = authority.as_str().rsplit('@').next().and_then(|address| address.strip_prefix(host));
    !host.is_empty() && port.is_some_and(|port| port.is_empty() || uri.port_u16().is_some_and(|number| number > 0))
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
    fn a_scheme_has_no_case() {
        assert_eq!(Endpoint::parse("HTTP://minio:9000").unwrap(), Endpoint::parse("http://minio:9000").unwrap());
        assert!(Endpoint::parse("Http://minio").unwrap().is_plain_http());
        assert_eq!(Endpoint::parse("HTTPS://minio").unwrap().url(), "https://minio");
    }

    #[test]
    fn a_slip_in_the_scheme_is_mended_in_the_refusal() {
        for (text, meant) in [
            ("http//minio:9000", "http://minio:9000"),
            ("http:/minio:9000", "http://minio:9000"),
            ("HTTPS:minio:9000", "https://minio:9000"),
            ("https:///10.0.0.1:9000", "is not a URL"),
            ("http:/10.0.0.1:9000", "http://10.0.0.1:9000"),
        ] {
            let reason = Endpoint::parse(text).unwrap_err();
            assert!(reason.ends_with(meant) || reason.starts_with(meant), "{text}: {reason}");
        }
        assert!(Endpoint::parse("http:9000").unwrap_err().starts_with("needs a scheme"));
        assert!(Endpoint::parse("httpbin.example").is_ok());
    }

    #[test]
    fn the_names_of_aws_are_known() {
        let is_aws = |url| Endpoint::parse(url).unwrap().is_aws();
        assert!(
            is_aws("https://s3.eu-west-1.amazonaws.com")
                && is_aws("s3.amazonaws.com")
                && is_aws("https://s3.cn-north-1.amazonaws.com.cn:443/")
        );
        assert!(!is_aws("http://localhost:9000") && !is_aws("https://amazonaws.com.example"));
    }

    #[test]
    fn a_port_without_a_scheme_is_refused_with_what_to_write() {
        let reason = Endpoint::parse("127.0.0.1:9000").unwrap_err();
        assert_eq!(reason, "needs a scheme where a port is given: http://127.0.0.1:9000 or https://127.0.0.1:9000");
        assert!(Endpoint::parse("s3://bucket/object").unwrap_err().contains("not with s3://"));
        assert!(Endpoint::parse("http://").is_err());
    }

    #[test]
    fn a_store_url_with_a_user_is_refused_and_not_shown() {
        for url in
            ["http://alice:hunter2@localhost:9000", "alice:hunter2@localhost", "alice:hunter2@x://y", "https://hunter2@localhost/"]
        {
            let reason = Endpoint::parse(url).unwrap_err();
            assert!(reason.contains("must not hold a user") && !reason.contains("hunter2"), "{url}: {reason}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        for url in ["http://localhost:0", "http://localhost:65536", "http://localhost:9000x", "http://localhost:"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
        for url in ["http://[::1]:9000", "http://[::1]", "http://localhost:65535/path"] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
    }
}
