//! Keys of the JVM connector whose features are not here yet, or never had a reason to be: known, so that nobody looks for a slip of the finger.

use connect_api::config::{AnyConfigKey, ConfigKey, Importance};

macro_rules! known {
    ($($key:literal $type:ty = $default:literal, $reason:expr, $documentation:literal;)*) => {
        &[$(&ConfigKey::<$type>::with_default($key, $default, $documentation).importance(Importance::Low).no_effect($reason)),*]
    };
}

/// Each with its default on the JVM: who writes that down asks for nothing.
pub(super) static KEYS: &[&dyn AnyConfigKey] = known! {
    "max.files.scan.limit" i32 = "100", "every object is created only where none is", "How many names the JVM connector looks at.";
    "schema.generator.class" String = "", "the JVM's S3 connector does not read it either", "A key of older releases and of the HDFS connector.";
};
