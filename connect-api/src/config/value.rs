//! Texts to typed values, by the rules of Kafka's `ConfigDef`.

use std::fmt;

/// The type of a key as Kafka Connect names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean,
    /// Any text.
    String,
    /// 16 bits.
    Short,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// Texts with commas between them.
    List,
    /// The name of a plugin.
    Class,
    /// Text that is never shown.
    Password,
}

impl ConfigType {
    /// The name in Kafka Connect's REST API and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Short => "SHORT",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// A type that a key's value can have.
pub trait ConfigValue: Sized {
    /// The type's name.
    const TYPE: ConfigType;

    /// Reads a text that has been trimmed.
    ///
    /// # Errors
    /// The reason, as it follows `Invalid value … for configuration …: `.
    fn parse(text: &str) -> Result<Self, String>;
}

impl ConfigValue for bool {
    const TYPE: ConfigType = ConfigType::Boolean;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(true),
            _ if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("Expected value to be either true or false".to_owned()),
        }
    }
}

impl ConfigValue for String {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

macro_rules! number {
    ($type:ty, $config_type:ident, $name:literal) => {
        impl ConfigValue for $type {
            const TYPE: ConfigType = ConfigType::$config_type;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_not_a_number| concat!("Not a number of type ", $name).to_owned())
            }
        }
    };
}

number!(i16, Short, "SHORT");
number!(i32, Int, "INT");
number!(i64, Long, "LONG");
number!(f64, Double, "DOUBLE");

/// Items between commas. Empty items are kept, as Kafka keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub Vec<String>);

impl ConfigValue for List {
    const TYPE: ConfigType = ConfigType::List;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(text.split(',').map(|item| item.trim().to_owned()).collect()))
    }
}

/// Text that no log, error, metric or API may show: it prints as stars.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl ConfigValue for Secret {
    const TYPE: ConfigType = ConfigType::Password;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_ignore_case_and_refuse_everything_else() {
        assert_eq!(bool::parse("TRUE"), Ok(true));
        assert_eq!(bool::parse("False"), Ok(false));
        assert!(bool::parse("yes").is_err());
    }

    #[test]
    fn numbers_take_a_sign_and_nothing_else() {
        assert_eq!(i32::parse("+5"), Ok(5));
        assert_eq!(i32::parse("-5"), Ok(-5));
        assert_eq!(i32::parse("2147483648"), Err("Not a number of type INT".to_owned()));
        assert!(i64::parse("1.0").is_err());
    }

    #[test]
    fn empty_items_of_a_list_are_kept() {
        assert_eq!(List::parse("a , b,,"), Ok(List(["a", "b", "", ""].map(str::to_owned).to_vec())));
        assert_eq!(List::parse(""), Ok(List::default()));
    }

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?}"), "******** ********");
    }
}
