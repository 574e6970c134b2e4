//! Options and roles of this program's processes.

use std::collections::BTreeMap;

use crate::Result;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// Starts the others and prints the table.
    Driver,
    /// A store that keeps names only.
    Store,
    /// Bare consumption with librdkafka: what the sink is compared with.
    Consumption,
}

impl Role {
    /// As the first argument says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Store => "store",
            Self::Consumption => "consumption",
        }
    }
}

/// `--name=value` and `--name`.
pub(crate) struct Arguments {
    options: BTreeMap<String, String>,
}

impl Arguments {
    /// Those that this process was started with. Cargo's own `--bench` is one of them and means nothing.
    pub(crate) fn of_process() -> Self {
        let options = std::env::args().skip(1).filter_map(|argument| {
            let (name, value) = argument.strip_prefix("--")?.split_once('=').map_or_else(
                || (argument.trim_start_matches('-').to_owned(), String::new()),
                |(name, value)| (name.to_owned(), value.to_owned()),
            );
            Some((name, value))
        });
        Self { options: options.collect() }
    }

    pub(crate) fn role(&self) -> Role {
        let name = self.get("role").unwrap_or_default();
        [Role::Store, Role::Consumption].into_iter().find(|role| role.name() == name).unwrap_or(Role::Driver)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The text of an option that this role needs.
    pub(crate) fn text(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| format!("--{name}=… is missing").into())
    }

    /// The number of an option that this role needs.
    pub(crate) fn number(&self, name: &str) -> Result<u64> {
        self.text(name)?.parse().map_err(|_| format!("--{name} is not a number").into())
    }
}
