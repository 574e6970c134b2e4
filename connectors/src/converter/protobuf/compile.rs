//! The texts of a registry to descriptors.

use std::collections::HashMap;

use connect_api::{Error, Result};
use prost_reflect::{ExtensionDescriptor, FileDescriptor, MessageDescriptor};
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver},
};

use crate::registry::{RegisteredSchema, SchemaText};

/// Under which name the schema itself is compiled: no import can mean it.
const ITSELF: &str = "default.connect.proto";
/// Schemas import these without a reference: they come with Confluent's serializers.
const KNOWN: [(&str, &str); 4] = [
    ("confluent/meta.proto", include_str!("types/meta.proto")),
    ("confluent/type/decimal.proto", include_str!("types/decimal.proto")),
    ("google/type/date.proto", include_str!("types/date.proto")),
    ("google/type/timeofday.proto", include_str!("types/timeofday.proto")),
];

/// A schema that was compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    file: FileDescriptor,
    /// Where fields have what Confluent's serializers add.
    pub(super) field_meta: Option<ExtensionDescriptor>,
}

impl Compiled {
    /// # Errors
    /// `Data` where the schema is one of another kind, or none of Protobuf.
    pub(super) fn new(text: &SchemaText) -> Result<Self> {
        let mut texts = HashMap::from([(ITSELF.to_owned(), protobuf(&text.schema)?.to_owned())]);
        for (name, referenced) in &text.referenced {
            texts.insert(name.clone(), protobuf(referenced)?.to_owned());
        }
        let mut files = ChainFileResolver::new();
        files.add(Texts(texts));
        files.add(GoogleFileResolver::new());
        files.add(Texts(KNOWN.map(|(name, text)| (name.to_owned(), text.to_owned())).into()));
        let mut compiler = Compiler::with_file_resolver(files);
        let failed = |error: protox::Error| Error::data("the schema is none of Protobuf").with_source(error);
        compiler.include_imports(true).open_file(ITSELF).map_err(failed)?;
        let pool = compiler.descriptor_pool();
        let file = pool.get_file_by_name(ITSELF).ok_or_else(|| Error::data("the schema is none of Protobuf"))?;
        Ok(Self { file, field_meta: pool.get_extension_by_name("confluent.field_meta") })
    }

    /// The message type at this place: its number in the file, then its number in the one around it, and so on.
    pub(super) fn message(&self, place: &[usize]) -> Option<MessageDescriptor> {
        let (first, inner) = place.split_first()?;
        let first = self.file.messages().nth(*first)?;
        inner
            .iter()
            .try_fold(first, |around, number| around.child_messages().filter(|message| !message.is_map_entry()).nth(*number))
    }
}

/// # Errors
/// `Data` where the schema is one of another kind.
fn protobuf(schema: &RegisteredSchema) -> Result<&str> {
    match schema.schema_type.as_str() {
        "PROTOBUF" => Ok(&schema.schema),
        other => Err(Error::data(format!("the schema is of type {other}, and not of Protobuf"))),
    }
}

/// Files by name.
struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}
