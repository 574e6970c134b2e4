//! Values that somebody or something was to fill in.

use crate::config::client;

/// What in the value is a placeholder, in words: `, <YOUR_BUCKET>`; nothing of it where it may be a part of a secret. A secret may have
/// anything in it, so one of its quoted or separate words is a placeholder as a whole, or none is.
pub(super) fn placeholder(key: &str, value: &str) -> Option<String> {
    // Transforms fill in their own: `${topic}`, and `${name}` of a group.
    if key.starts_with("transforms.")
        && [".topic.format", ".topic.replacement", ".replacement", ".regex"].iter().any(|own| key.ends_with(own))
    {
        return None;
    }
    // What stands before the host of an address may be a password.
    if client::is_secret(key) || value.contains("://") && value.contains('@') {
        let is_whole = |word: &str| !word.is_empty() && find(key, word) == Some(word);
        let mut words = value.split(['"', '\'', '=', ';', ' ']);
        let mut quoted = value.split(['"', '\'']).map(str::trim);
        return (words.any(is_whole) || quoted.any(is_whole)).then(String::new);
    }
    find(key, value.trim()).map(|found| format!(", {found}"))
}

fn find<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    in_angle_brackets(value)
        .or_else(|| variable(value))
        .or_else(|| in_braces(key, value))
        .or_else(|| nothing(key, value))
        .or_else(|| marker(key, value))
}

/// Whether the value has something like `${file:/a:b}` in it.
pub(super) fn refers_to_provider(value: &str) -> bool {
    let inside =
        |part: &str| part.split_once('}').is_some_and(|(reference, _)| reference.contains(':') && !is_default_of_shell(reference));
    value.split("${").skip(1).any(inside)
}

/// `NAME:-value`, `NAME:?message`: what a shell, or docker compose, puts into braces.
fn is_default_of_shell(inside: &str) -> bool {
    inside.split_once(':').is_some_and(|(name, rest)| is_name(name, b"") && rest.starts_with(['-', '=', '?', '+']))
}

/// From each place where `open` stands to the next `close`: what is before it, what is inside, and all of it with its brackets.
fn brackets<'a>(value: &'a str, open: &'static str, close: &'static str) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    value.match_indices(open).filter_map(move |(start, _)| {
        let inside = &value[start + open.len()..];
        let length = inside.find(close)?;
        let all = &value[start..start + open.len() + length + close.len()];
        Some((&value[..start], &inside[..length], all))
    })
}

/// Letters, digits and what may stand between them; a digit is no beginning.
fn is_name(name: &str, between: &[u8]) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || between.contains(&byte))
}

/// `<TOPIC_ROOT>`, `<your bucket>`. A name of a group in a regular expression, as in `(?<A>.)\k<A>`, is none.
fn in_angle_brackets(value: &str) -> Option<&str> {
    let of_regex = |before: &str| before.ends_with('?') || before.ends_with("\\k");
    let mut found =
        brackets(value, "<", ">").filter(|(before, name, _)| !of_regex(before) && name.len() > 1 && is_name(name, b"-. /"));
    found.next().map(|(_, _, all)| all)
}

/// `${NAME}`, `$(NAME)`, `$NAME`: Kafka Connect fills in none of them, only `${provider:path:key}`.
fn variable(value: &str) -> Option<&str> {
    let braced = brackets(value, "${", "}").find(|(_, name, _)| is_name(name, b".-") || is_default_of_shell(name));
    let in_parentheses = || brackets(value, "$(", ")").find(|(_, name, _)| is_constant(name));
    if let Some((_, _, all)) = braced.or_else(in_parentheses) {
        return Some(all);
    }
    if value.strip_prefix('$').is_some_and(|name| name.len() > 1 && is_name(name, b"")) {
        return Some(value);
    }
    value.match_indices('$').find_map(|(start, _)| {
        // `InsertField$Value`, `\$A` and `$$` are none.
        let before = value[..start].chars().next_back();
        let rest = &value[start + 1..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let apart = before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '\\' | '$'));
        (apart && is_constant(&rest[..length])).then(|| &value[start..start + 1 + length])
    })
}

/// As variables of an environment are called.
fn is_constant(name: &str) -> bool {
    name.len() > 2 && is_name(name, b"") && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// `{Name}`, `{{ .Values.name }}`. `\p{Alpha}` is none, nor what connectors fill in themselves in names of files and directories.
fn in_braces<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    if key.starts_with("file.name.") || key.ends_with(".template") {
        return None;
    }
    let escape = |before: &str| before.len() > 1 && before.as_bytes()[before.len() - 2] == b'\\';
    let template = brackets(value, "{{", "}}").next();
    // Converters of plain JSON fill in this one.
    let is_filled_in = |name: &str| name == "topic" && (key.ends_with("schema.file") || key.ends_with("schema.subject"));
    let single = || {
        brackets(value, "{", "}")
            .filter(|(_, name, _)| !is_filled_in(name))
            .find(|(before, name, _)| !before.ends_with(['$', '{']) && !escape(before) && is_name(name, b" .-"))
    };
    template.or_else(single).map(|(_, _, all)| all)
}

/// What programs write where there is nothing, and this one in place of a secret: `null`, `None`, `undefined`, `[hidden]`.
fn nothing<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    // Others may have such a value: `connector.client.config.override.policy=None`.
    const NAMES: [&str; 12] =
        ["bucket", "region", "url", "topics", "topic.name", "servers", "user", "password", "access.key", "arn", "location", ".dir"];
    let is_name = key == "name" || NAMES.iter().any(|part| key.contains(part));
    let is_nothing = matches!(value, "null" | "None" | "undefined") && is_name;
    (is_nothing || matches!(value, "[hidden]" | "[redacted]" | "[REDACTED]")).then_some(value)
}

/// `CHANGEME`, `REPLACE_ME`, `your-bucket`, `YOUR_KEY`, `insert-bucket-here`, `BUCKET_NAME`, `XXXX`, `****`.
fn marker<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    // What a value is, in the place of one.
    let what =
        ["_NAME", "_BUCKET", "_TOPIC", "_TOPICS", "_REGION", "_PASSWORD", "_SECRET", "_ACCESS_KEY", "_SECRET_KEY", "_ARN", "_URL"];
    if is_constant(value) && what.iter().any(|what| value.ends_with(what)) {
        return Some(value);
    }
    let is_masked =
        |text: &str| text.len() > 2 && text.bytes().all(|byte| byte == b'*') || matches!(text, "..." | "…" | "placeholder");
    if is_masked(value) {
        return Some(value);
    }
    value.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').find(|word| {
        let lower = word.to_ascii_lowercase().replace('-', "_");
        let your = lower.starts_with("your_") || lower.contains("_your_") || word.strip_prefix("your").is_some_and(starts_upper);
        let says = ["replace_me", "replaceme", "replace_with", "replace_this", "change_me", "changeme", "fill_me_in"];
        let told = lower.ends_with("_here") && lower.len() > 5 || lower.starts_with("insert_") && lower.ends_with("_name");
        let wrapped = word.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).is_some_and(is_constant);
        // In a pattern of time, x is a year.
        let masked = word.len() > 3
            && key != "path.format"
            && (word.bytes().all(|byte| byte == b'x') || word.bytes().all(|byte| byte == b'X'));
        your || told
            || masked
            || wrapped
            || says.iter().any(|marker| lower.contains(marker))
            || matches!(*word, "TODO" | "FIXME" | "TBD")
    })
}

fn starts_upper(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_every_fashion_are_found() {
        for (value, found) in [
            ("<your bucket>", "<your bucket>"),
            ("a-<BUCKET_NAME>-b", "<BUCKET_NAME>"),
            ("${BUCKET}", "${BUCKET}"),
            ("data/${topic}/x", "${topic}"),
            ("$BUCKET", "$BUCKET"),
            ("$bucketName", "$bucketName"),
            ("s3-$STAGE_NAME-x", "$STAGE_NAME"),
            ("$(BUCKET)", "$(BUCKET)"),
            ("{Placeholder}", "{Placeholder}"),
            ("https://{host name}/x", "{host name}"),
            ("{{ .Values.bucket }}", "{{ .Values.bucket }}"),
            ("REPLACE_ME", "REPLACE_ME"),
            ("changeme", "changeme"),
            ("your-bucket", "your-bucket"),
            ("http://your_host:9000", "your_host"),
            ("yourBucketName", "yourBucketName"),
            ("s3-your-bucket", "s3-your-bucket"),
            ("YOUR_ACCESS_KEY", "YOUR_ACCESS_KEY"),
            ("XXXXXXXX", "XXXXXXXX"),
            ("***", "***"),
            ("TODO", "TODO"),
            ("insert-bucket-here", "insert-bucket-here"),
            ("BUCKET_NAME", "BUCKET_NAME"),
            ("MY_BUCKET", "MY_BUCKET"),
            ("__BUCKET__", "__BUCKET__"),
            ("[hidden]", "[hidden]"),
            ("null", "null"),
            ("None", "None"),
            ("undefined", "undefined"),
            ("${BUCKET:-dev}", "${BUCKET:-dev}"),
        ] {
            assert_eq!(placeholder("s3.bucket.name", value), Some(format!(", {found}")), "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for (key, value) in [
            ("topics.regex", r"(?<NAME>a)\k<NAME>"),
            ("topics.regex", "^orders$|^A$"),
            ("topics.regex", r"a{2,3}\p{Alpha}[x]{4}\$AB"),
            ("path.format", "'year'=YYYY/'month'=MM"),
            ("path.format", "'dt'=YYYY-MM-dd"),
            ("transforms.a.type", "org.apache.kafka.connect.transforms.InsertField$Value"),
            ("s3.bucket.name", "${ssm::/prod/bucket}"),
            ("topics", "yourapp-events,todo,todos"),
            ("topics.regex", "a<b>"),
            ("file.name.template", "{{topic}}-{{partition}}"),
            ("partition.template", "country={field.country}/{key}/{time:yyyy}"),
            ("value.converter.schema.file", "/etc/connect/{topic}.avsc"),
            ("key.converter.schema.subject", "{topic}-key"),
            ("consumer.sasl.password", "ab<CD>ef$GH{ij}"),
            ("aws.secret.access.key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY$EXAMPLE"),
            ("s3.region", "us-east-1"),
            ("topics", "insert-events,there,here"),
            ("connector.client.config.override.policy", "None"),
            ("avro.codec", "null"),
            ("errors.tolerance", "None"),
            ("path.format", "xxxx/ww"),
            ("topics", "__consumer_offsets"),
            ("security.protocol", "SASL_SSL"),
            ("s3.storage.class", "STANDARD_IA"),
        ] {
            assert_eq!(placeholder(key, value), None, "{key}={value}");
        }
    }

    #[test]
    fn a_default_of_a_shell_is_no_reference_to_a_provider() {
        assert!(!refers_to_provider("${ENV:-dev}") && !refers_to_provider("a-${ENV:?not set}"));
        assert!(refers_to_provider("${file:/etc/x:user}") && refers_to_provider("${ssm::/prod/bucket}"));
    }

    #[test]
    fn of_a_secret_nothing_is_shown() {
        for value in [
            "<my-secret>",
            "${SECRET}",
            "$SECRET",
            "CHANGEME",
            "YOUR_SECRET",
            "x required username=\"a\" password=\"{Password}\";",
            "x required password=\"{{ .Values.password }}\";",
        ] {
            assert_eq!(placeholder("consumer.sasl.jaas.config", value).as_deref(), Some(""), "{value}");
        }
        assert_eq!(placeholder("value.converter.basic.auth.user.info", "me:$SECRET_WORD"), None);
    }
}
