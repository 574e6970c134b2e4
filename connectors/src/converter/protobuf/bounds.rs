//! How large the Connect schema of a message type may become.

use connect_api::{
    Error, Result,
    data::{Field, Fields, Schema, SchemaType},
};

/// Fields in a schema, those of a message once for each place where it stands. More could exhaust memory.
const MOST_FIELDS: usize = 100_000;
/// The library looks at all fields of a `oneof` whenever one of them comes.
const MOST_OF_A_UNION: usize = 1_000;
/// Deeper ones could exhaust the stack.
const DEEPEST: usize = 100;

/// What a schema has so far.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    /// The messages around, by full name.
    open: Vec<String>,
    fields: usize,
}

impl Bounds {
    /// Begins a message. [`leave`](Self::leave) ends it.
    ///
    /// # Errors
    /// `Data` where it stands in itself, or too deep.
    pub(super) fn enter(&mut self, name: &str) -> Result<()> {
        if self.open.iter().any(|open| open == name) {
            return Err(Error::data(format!("the message {name} contains itself, and such schemas are not supported")));
        }
        if self.open.len() >= DEEPEST {
            return Err(Error::data(format!("the schema has more than {DEEPEST} levels")));
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    /// Ends the message that was begun last.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// Adds fields or symbols.
    ///
    /// # Errors
    /// `Data` where there are too many.
    pub(super) fn count(&mut self, fields: usize) -> Result<()> {
        self.fields += fields;
        if self.fields > MOST_FIELDS {
            return Err(Error::data(format!("the schema has more than {MOST_FIELDS} fields and symbols")));
        }
        Ok(())
    }
}

/// # Errors
/// `Data` where a `oneof` has too many fields.
pub(super) fn check_union(name: &str, fields: usize) -> Result<()> {
    if fields > MOST_OF_A_UNION {
        return Err(Error::data(format!("the oneof {name} has more than {MOST_OF_A_UNION} fields")));
    }
    Ok(())
}

/// # Errors
/// `Data` where two fields have one name.
pub(super) fn struct_of(fields: Vec<Field>) -> Result<Schema> {
    let fields = Fields::new(fields).map_err(|name| Error::data(format!("two fields would be called {name}")))?;
    Ok(Schema::required(SchemaType::Struct(fields)))
}
