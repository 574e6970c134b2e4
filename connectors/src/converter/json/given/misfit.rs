//! Values that are none of their schema, in words that lead to the member.

use std::{borrow::Cow, fmt::Write};

use connect_api::{
    Error,
    data::{
        LogicalType, Schema, SchemaType,
        json::{Kind, decode_string},
    },
};

/// Of what a record holds, in characters: it goes into logs and headers.
const LONGEST_EXCERPT: usize = 40;
const LONGEST_NAME: usize = 100;

/// Either a value, or why there is none. In a box: values are many, and misfits few.
pub(super) type Fits<T> = Result<T, Box<Misfit>>;

/// A value that is none of its schema.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Where it is, from the inside out.
    path: Vec<Step>,
    what: What,
}

#[derive(Debug)]
enum Step {
    Member(Box<str>),
    Element(usize),
}

#[derive(Debug)]
enum What {
    Other { found: String, wanted: Cow<'static, str> },
    Missing { wanted: Cow<'static, str> },
    Unknown,
    Unfit(Error),
}

impl Misfit {
    /// What was found is no value of the schema.
    pub(super) fn other(schema: &Schema, kind: Kind, text: &[u8]) -> Box<Self> {
        Self::because(kind, text, wanted(schema))
    }

    /// The same, with what is wanted in words.
    pub(super) fn because(kind: Kind, text: &[u8], wanted: impl Into<Cow<'static, str>>) -> Box<Self> {
        Self::new(What::Other { found: found(kind, text), wanted: wanted.into() })
    }

    /// A member is not there that must be.
    pub(super) fn missing(schema: &Schema) -> Box<Self> {
        Self::new(What::Missing { wanted: wanted(schema) })
    }

    /// A member is there that the schema does not know.
    pub(super) fn unknown() -> Box<Self> {
        Self::new(What::Unknown)
    }

    /// It fits, and something else is wrong.
    pub(super) fn unfit(error: Error) -> Box<Self> {
        Self::new(What::Unfit(error))
    }

    fn new(what: What) -> Box<Self> {
        Box::new(Self { path: Vec::new(), what })
    }

    /// It is in the member with this name.
    pub(super) fn in_member(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.path.push(Step::Member(excerpt(name, LONGEST_NAME).into()));
        self
    }

    /// It is in this element of an array, counted from 0.
    pub(super) fn in_element(mut self: Box<Self>, element: usize) -> Box<Self> {
        self.path.push(Step::Element(element));
        self
    }

    /// How far inside it is.
    pub(super) fn depth(&self) -> usize {
        self.path.len()
    }

    /// Whether another schema would not help.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.what, What::Unfit(_))
    }

    /// `images[2].size`; empty where it is the record itself.
    fn place(&self) -> String {
        let mut place = String::new();
        for step in self.path.iter().rev() {
            // Writing to a String cannot fail.
            let _infallible = match step {
                Step::Member(name) if place.is_empty() => write!(place, "{name}"),
                Step::Member(name) => write!(place, ".{name}"),
                Step::Element(element) => write!(place, "[{element}]"),
            };
        }
        place
    }
}

impl From<Box<Misfit>> for Error {
    fn from(misfit: Box<Misfit>) -> Self {
        let place = misfit.place();
        let value = if place.is_empty() { "the record".to_owned() } else { format!("the member {place}") };
        match misfit.what {
            What::Other { found, wanted } => {
                Error::data(format!("{value} does not fit the schema: found {found}, and the schema wants {wanted}"))
            }
            What::Missing { wanted } => {
                Error::data(format!("{value} is missing: the schema wants {wanted}, and neither allows null nor has a default"))
            }
            What::Unknown => Error::data(format!(
                "{value} does not fit the schema, which has no such field (`schema.unknown.fields=ignore` leaves such members out)"
            )),
            What::Unfit(error) => error,
        }
    }
}

/// The misfit, with a word on where the schema is that it does not fit.
pub(crate) fn with_place(error: &Error, place: &str) -> Error {
    Error::data(format!("{}; the schema is {place}", error.report()))
}

fn found(kind: Kind, text: &[u8]) -> String {
    let scalar = || excerpt(&String::from_utf8_lossy(text), LONGEST_EXCERPT);
    match kind {
        Kind::Object => "an object".to_owned(),
        Kind::Array => "an array".to_owned(),
        Kind::String => format!("the text \"{}\"", excerpt(&decode_string(text), LONGEST_EXCERPT)),
        Kind::Number => format!("the number {}", scalar()),
        Kind::Boolean => scalar(),
        Kind::Null => "null".to_owned(),
    }
}

/// The beginning of a text, with a mark where it goes on.
fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn wanted(schema: &Schema) -> Cow<'static, str> {
    let json = match (schema.logical_type(), &schema.schema_type) {
        (Some(LogicalType::Date), _) => "a Date: days since 1970, or a text such as 2023-11-14",
        (Some(LogicalType::Time), _) => "a Time: milliseconds since midnight, or a text such as 22:13:20.5",
        (Some(LogicalType::Timestamp), _) => {
            "a Timestamp: milliseconds since 1970, or a text such as 2023-11-14T22:13:20Z or 2023-11-14 22:13:20"
        }
        (Some(LogicalType::Decimal), _) => {
            let scale = schema.parameter("scale").unwrap_or_default();
            return format!("a Decimal: a number, or a text that is one, with at most {scale} digits behind the point").into();
        }
        (_, SchemaType::Struct(_)) => "STRUCT: an object",
        (_, SchemaType::Map(..)) => "MAP: an object",
        (_, SchemaType::Array(_)) => "ARRAY: an array",
        (_, SchemaType::Bytes) => "BYTES: a text in Base64",
        (_, SchemaType::Boolean) => "BOOLEAN: true or false",
        (_, SchemaType::String) => "STRING: a text",
        (_, SchemaType::Float32) => "FLOAT32: a number in its range",
        (_, SchemaType::Float64) => "FLOAT64: a number in its range",
        (_, number) => return format!("{}: a whole number in its range", number.name()).into(),
    };
    json.into()
}
