//! A door for fuzzers: parsers of files.

use std::path::Path;

use connect_api::testing::FuzzTarget;

use crate::config::SettingsFile;

/// All of them.
pub const TARGETS: &[FuzzTarget] = &[
    FuzzTarget {
        name: "properties",
        run: |bytes| file("x.properties", bytes),
        seeds: &[
            b"name=sink\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics = a, b\n# word\nflush.size: 3\n",
            b"a\\ b = \\u00e9\\\n   goes on\r\n! word\nk\\=v w\\t\\\\\n",
        ],
    },
    FuzzTarget {
        name: "toml",
        run: |bytes| file("x.toml", bytes),
        seeds: &[b"name = \"sink\"\n\"flush.size\" = 3\n[transforms]\na.type = 'X'\nlist = [1, \"b\", true]\n[[x]]\ny = 1979-05-27\n"],
    },
    FuzzTarget {
        name: "json_file",
        run: |bytes| file("x.json", bytes),
        seeds: &[
            br#"{"name":"sink","config":{"topics":"a","flush.size":3,"x":true,"\u00e9":null},"initial_state":"RUNNING"}"#,
            br#"{"connector.class":"S3","tasks.max":"1"}"#,
        ],
    },
    FuzzTarget {
        name: "yaml",
        run: |bytes| file("x.yaml", bytes),
        seeds: &[
            b"apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\nmetadata:\n  name: sink\nspec:\n  class: S3\n  tasksMax: 2\n  config:\n    topics: a\n    flush.size: 3\n---\n",
            b"a: &x {b: [1, 'c', \"d\"]}\ne: *x\nf: |\n  text\n  more\n",
        ],
    },
];

/// A file that is a worker's, and connectors'.
fn file(name: &str, bytes: &[u8]) {
    let file = SettingsFile::of(name.to_owned(), Path::new(name), bytes.to_vec());
    drop((file.of_worker(), file.of_connectors(), file.words().count()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_bytes_come_no_parser_of_files_panics() {
        TARGETS.iter().for_each(|target| target.run_with_random_bytes(2_000));
    }
}
