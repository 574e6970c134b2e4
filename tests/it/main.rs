//! The integration tests: one binary, because each one links librdkafka.
//!
//! Tests that need servers find them through the environment (`scripts/test.sh` starts them and sets it) and say so
//! on standard error when they are skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    reason = "helpers of tests: a failure is a panic, and the servers are found through the environment"
)]

mod account;
mod assumed_role;
mod broker;
mod broker_restart;
mod bucket;
mod client_log;
mod client_settings;
mod clock_skew;
mod cluster;
mod configs;
mod corpus;
mod corrupt_fetch;
mod crash;
mod crash_layouts;
mod dead_letters;
mod equal_parts;
mod fault_matrix;
mod files;
mod forward_proxy;
mod golden;
mod gone_records;
mod kafka_proxy;
mod licences;
mod many_files;
mod memory;
mod metrics;
mod mixed_losses;
mod numbered;
mod offsets_reset;
mod other_writers;
#[path = "../../examples/pinterest/mod.rs"]
#[allow(dead_code, reason = "the quickstart uses the rest of it")]
mod pinterest;
mod plain_json;
mod process;
mod proxy;
mod proxy_password;
mod readers;
mod readers_typed;
mod real_registry;
mod rebalance;
mod redelivery;
mod references;
mod refusals;
mod registry;
mod registry_server;
mod reports;
mod s3_manners;
mod s3_request;
mod s3_server;
mod same_names;
mod schema_files;
mod secrets;
mod seed;
mod shapes;
mod spec_cases;
mod static_members;
mod store_faults;
mod survey;
mod tagging;
mod tidy;
mod typed;
mod vanishing;
mod wrong_address;

/// A line on standard error that the test runner does not swallow.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    // Written to the handle: `eprintln!` would be captured with the output of tests that pass.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Names a test that cannot run here, and what it needs.
pub(crate) fn skipped(test: &str, variable: &str) {
    say(&format!("skipped: {test} ({variable} is not set; scripts/test.sh starts the servers and sets it)"));
}
