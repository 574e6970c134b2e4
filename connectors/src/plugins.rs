//! The registration list: one line a plugin.

use connect_api::Plugins;

/// Every plugin of this crate.
pub fn plugins() -> Plugins {
    Plugins::default()
}
