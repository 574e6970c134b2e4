# Shortcuts for people; everything here is one plain command.

# Every check and test, with real servers.
test:
    scripts/test.sh

# Unit tests and whatever needs no servers.
quick:
    cargo test --workspace

# The formatter and the lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Writes the generated references again.
docs:
    cargo run --quiet -- config-reference > docs/configuration.md
    cargo run --quiet -- metrics-reference > docs/metrics.md

# Kafka to S3 on this machine, without Kafka and without AWS.
quickstart:
    cargo run --release --example quickstart

# Licences, sources and duplicates of dependencies.
deny:
    cargo deny check
