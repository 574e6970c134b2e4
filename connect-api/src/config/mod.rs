//! Configuration: as typed ([`Config`]), as defined ([`ConfigKey`], [`ConfigDef`]), and what is wrong with it ([`Problems`]).

mod def;
mod key;
mod only_with;
mod problem;
mod value;
mod values;

pub use def::{AnyConfigKey, ConfigDef};
pub use key::{ConfigKey, Importance, PluginKind};
pub use only_with::OnlyWith;
pub use problem::{Problem, Problems};
pub use value::{ConfigType, ConfigValue, List, Secret};
pub use values::{Config, Entry, Origin};
