//! Transforms that exist for keys (`…$Key`) and for values (`…$Value`): what they work on is their operand.

use std::{borrow::Cow, mem};

use connect_api::{
    Error, Plugin, Plugins, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Field, Fields, JsonObject, JsonText, Schema, Value},
};

pub(super) static REPLACE_NULL_WITH_DEFAULT: ConfigKey<bool> = ConfigKey::with_default(
    "replace.null.with.default",
    "true",
    "Whether a field that is null becomes the default of its schema, where it has one.",
);

/// A transform of keys or of values.
pub(crate) trait OperandTransformation: Sized + Send + Sync + 'static {
    /// The class for keys.
    const KEY: &'static str;

    /// The class for values.
    const VALUE: &'static str;

    /// Further names of the class for keys.
    const KEY_ALIASES: &'static [&'static str] = &[];

    /// Further names of the class for values.
    const VALUE_ALIASES: &'static [&'static str] = &[];

    /// See [`Plugin::DOCUMENTATION`].
    const DOCUMENTATION: &'static str;

    /// See [`Plugin::config_def`].
    fn config_def() -> ConfigDef;

    /// See [`Plugin::configure`].
    ///
    /// # Errors
    /// `Config` where it cannot work like this.
    fn configure(config: &Config) -> Result<Self>;

    /// Whether the record stays: looked at first.
    ///
    /// # Errors
    /// `Data` where it cannot be said of the operand.
    fn keeps(&self, _operand: &Data) -> Result<bool> {
        Ok(true)
    }

    /// What becomes of the operand. The record has none in the meantime; everything else of it may be changed.
    ///
    /// # Errors
    /// `Data` where it can never be transformed.
    fn apply(&self, operand: Data, record: &mut SinkRecord) -> Result<Data>;
}

/// The classes of a transform, of Apache Kafka where no other package is named.
macro_rules! classes {
    ($name:literal) => {
        classes!("org.apache.kafka.connect.transforms.", $name);
    };
    ($package:literal, $name:literal) => {
        const KEY: &'static str = concat!($package, $name, "$Key");
        const VALUE: &'static str = concat!($package, $name, "$Value");
    };
}
pub(super) use classes;

/// Adds transforms to a registry.
pub(crate) trait KeyAndValue: Sized {
    /// Adds both variants of a transform.
    #[must_use]
    fn key_and_value<T: OperandTransformation>(self) -> Self;
}

impl KeyAndValue for Plugins {
    fn key_and_value<T: OperandTransformation>(self) -> Self {
        self.transformation::<OnKey<T>>().transformation::<OnValue<T>>()
    }
}

macro_rules! variant {
    ($variant:ident, $name:ident, $aliases:ident, $operand:ident) => {
        /// A transform of one part of records.
        pub(crate) struct $variant<T>(T);

        impl<T: OperandTransformation> Plugin for $variant<T> {
            const NAME: &'static str = T::$name;
            const ALIASES: &'static [&'static str] = T::$aliases;
            const DOCUMENTATION: &'static str = T::DOCUMENTATION;

            fn config_def() -> ConfigDef {
                T::config_def()
            }

            fn configure(config: &Config) -> Result<Self> {
                T::configure(config).map(Self)
            }
        }

        impl<T: OperandTransformation> Transformation for $variant<T> {
            fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
                if !self.0.keeps(&record.$operand)? {
                    return Ok(None);
                }
                let operand = mem::take(&mut record.$operand);
                record.$operand = self.0.apply(operand, &mut record)?;
                Ok(Some(record))
            }
        }
    };
}

variant!(OnKey, KEY, KEY_ALIASES, key);
variant!(OnValue, VALUE, VALUE_ALIASES, value);

/// The members of an operand without a schema. `purpose`: what for, as the JVM says it.
///
/// # Errors
/// `Data` where it is no object.
pub(super) fn object(value: Value, purpose: &str) -> Result<Box<JsonObject>> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Json(json) => JsonObject::of(&json).map(Box::new).ok_or_else(|| no_object(json.type_name(), purpose)),
        other => Err(no_object(other.type_name(), purpose)),
    }
}

/// What is said of a value that is no object.
pub(super) fn no_object(found: &str, purpose: &str) -> Error {
    Error::data(format!("Only Map objects supported in absence of schema for [{purpose}], found: {found}"))
}

/// The fields of an operand with a schema, and their values.
///
/// # Errors
/// `Data` where it is no struct.
pub(super) fn fields<'a>(schema: &'a Schema, value: Value, purpose: &str) -> Result<(&'a Fields, Vec<Value>)> {
    match (schema.fields(), value) {
        (Some(fields), Value::Struct(mut values)) => {
            values.resize(fields.len(), Value::Null);
            Ok((fields, values))
        }
        (_, other) => Err(no_struct(&other, purpose)),
    }
}

/// What is said of a value that is no struct.
pub(super) fn no_struct(found: &Value, purpose: &str) -> Error {
    Error::data(format!("Only Struct objects supported for [{purpose}], found: {}", found.type_name()))
}

/// The value of a field. `replaces_null`: [`REPLACE_NULL_WITH_DEFAULT`].
pub(super) fn field_value(field: &Field, value: Value, replaces_null: bool) -> Value {
    match (value, &field.schema.default) {
        (Value::Null, Some(default)) if replaces_null => default.clone(),
        (value, _) => value,
    }
}

/// The value of a member as it is passed on: the producer's text where nobody has changed it.
pub(super) fn passed_on(object: &JsonObject, name: &str) -> Option<Value> {
    object.find(name).map(|at| object.unread(at))
}

/// A value for a message. Messages go to logs and to headers of the dead letter queue, where a value of many bytes would leave no room for the record.
pub(super) fn shortened(value: &str) -> Cow<'_, str> {
    const MOST: usize = 100;
    match value.char_indices().nth(MOST) {
        None => Cow::Borrowed(value),
        Some((end, _)) => Cow::Owned(format!("{}… ({} bytes)", &value[..end], value.len())),
    }
}

/// A value without a schema as Java has it: scalars of JSON are decoded.
pub(super) fn decoded(value: Value) -> Value {
    match value {
        Value::Json(json) => JsonText::to_value(&json),
        other => other,
    }
}
