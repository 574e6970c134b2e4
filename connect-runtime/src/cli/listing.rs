//! The list of plugins.

use connect_api::{Plugins, config::PluginKind, plugins::PluginDescription};
use serde_json::json;

fn kind(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::SinkConnector => "sink",
        PluginKind::Converter => "converter",
        PluginKind::HeaderConverter => "header_converter",
        PluginKind::Transformation => "transformation",
        PluginKind::Predicate => "predicate",
        PluginKind::Partitioner => "partitioner",
        PluginKind::TimestampExtractor => "timestamp extractor",
        PluginKind::Format => "format",
    }
}

/// For people: a line each.
pub(super) fn text(plugins: &Plugins) -> String {
    let line = |plugin: &PluginDescription| {
        let (name, aliases) = plugin.names.split_first().unwrap_or((&"", &[]));
        format!("{:<17} {name} ({}): {}\n", kind(plugin.kind), aliases.join(", "), plugin.documentation)
    };
    plugins.describe().iter().map(line).collect()
}

/// For programs.
pub(super) fn json(plugins: &Plugins) -> String {
    let all: Vec<_> = plugins
        .describe()
        .iter()
        .map(|plugin| {
            let (name, aliases) = plugin.names.split_first().unwrap_or((&"", &[]));
            json!({"class": name, "type": kind(plugin.kind), "aliases": aliases, "documentation": plugin.documentation})
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake;

    #[test]
    fn both_lists_name_every_plugin() {
        let plugins = fake::plugins();
        let listed: serde_json::Value = serde_json::from_str(&json(&plugins)).unwrap();
        for plugin in plugins.describe() {
            assert!(text(&plugins).contains(plugin.names[0]));
            assert!(listed.as_array().unwrap().iter().any(|entry| entry["class"] == plugin.names[0]));
        }
        assert_eq!(listed[0]["aliases"], json!(["FakeSinkConnector", "FakeSink"]));
    }
}
