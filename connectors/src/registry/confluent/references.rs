//! What a schema refers to, directly and through others.

use std::collections::HashSet;

use connect_api::{Error, Result};

use super::client::{Answer, Client};
use crate::registry::schemas::{Reference, RegisteredSchema, SchemaText};

/// More could exhaust memory, and the registry's patience.
const MOST: usize = 200;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A schema with all that it refers to, those that refer to no others first.
///
/// # Errors
/// `Data` where one of them is not there, or there are too many.
pub(super) async fn with_references(schema: RegisteredSchema, client: &Client) -> Result<SchemaText> {
    let mut referenced = Vec::new();
    let (mut met, mut bytes) = (HashSet::new(), 0);
    // From each schema that is being looked at, what is left of its references.
    let mut open = vec![(None, schema.references.clone().into_iter())];
    while let Some((_, references)) = open.last_mut() {
        let Some(reference) = references.next() else {
            let done = open.pop().and_then(|(done, _)| done);
            referenced.extend(done);
            continue;
        };
        // By name, as on the JVM: the first one counts.
        if !met.insert(reference.name.clone()) {
            continue;
        }
        if met.len() > MOST || bytes > MOST_BYTES {
            return Err(Error::data(format!(
                "the schema refers to more than {MOST} others, or to more than {MOST_BYTES} bytes of them"
            )));
        }
        match client.referenced(&reference).await? {
            Answer::Found(schema) => {
                bytes += schema.schema.len();
                let references = schema.references.clone().into_iter();
                open.push((Some((reference.name, schema)), references));
            }
            Answer::Unknown(words) => {
                let Reference { name, subject, version } = reference;
                return Err(Error::data(format!("the registry lacks {name} (version {version} of {subject}): {words}")));
            }
        }
    }
    Ok(SchemaText { schema, referenced })
}
