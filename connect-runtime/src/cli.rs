//! The command line: `run`, `validate`, `plugins`, `config-reference`, `metrics-reference`.
