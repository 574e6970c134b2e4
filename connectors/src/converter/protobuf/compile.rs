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
/// Schemas import these without a reference: they come with the serializers of Confluent and of AWS.
const KNOWN: [(&str, &str); 18] = [
    ("additionalTypes/decimal.proto", include_str!("types/additional_decimal.proto")),
    ("metadata/metadata.proto", include_str!("types/metadata.proto")),
    ("confluent/meta.proto", include_str!("types/meta.proto")),
    ("confluent/type/decimal.proto", include_str!("types/decimal.proto")),
    ("google/type/calendar_period.proto", include_str!("types/calendar_period.proto")),
    ("google/type/color.proto", include_str!("types/color.proto")),
    ("google/type/date.proto", include_str!("types/date.proto")),
    ("google/type/datetime.proto", include_str!("types/datetime.proto")),
    ("google/type/dayofweek.proto", include_str!("types/dayofweek.proto")),
    ("google/type/expr.proto", include_str!("types/expr.proto")),
    ("google/type/fraction.proto", include_str!("types/fraction.proto")),
    ("google/type/interval.proto", include_str!("types/interval.proto")),
    ("google/type/latlng.proto", include_str!("types/latlng.proto")),
    ("google/type/money.proto", include_str!("types/money.proto")),
    ("google/type/month.proto", include_str!("types/month.proto")),
    ("google/type/quaternion.proto", include_str!("types/quaternion.proto")),
    ("google/type/timeofday.proto", include_str!("types/timeofday.proto")),
    ("google/type/decimal.proto", include_str!("types/text_decimal.proto")),
];
/// The parser of options goes as deep as they are.
const DEEPEST: usize = 100;

/// A schema that was compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    file: FileDescriptor,
    /// Where fields have what Confluent's serializers add.
    pub(super) field_meta: Option<ExtensionDescriptor>,
    /// The same of Glue's: a name, and what has it.
    pub(super) field_metadata: Option<(ExtensionDescriptor, ExtensionDescriptor)>,
}

impl Compiled {
    /// # Errors
    /// `Data` where the schema is one of another kind, or none of Protobuf.
    pub(super) fn new(text: &SchemaText) -> Result<Self> {
        let mut texts = HashMap::new();
        for (name, referenced) in &text.referenced {
            texts.insert(name.clone(), protobuf(referenced)?.to_owned());
        }
        texts.insert(ITSELF.to_owned(), protobuf(&text.schema)?.to_owned());
        let mut files = ChainFileResolver::new();
        files.add(Texts(texts));
        files.add(GoogleFileResolver::new());
        files.add(Texts(KNOWN.map(|(name, text)| (name.to_owned(), text.to_owned())).into()));
        let mut compiler = Compiler::with_file_resolver(files);
        let failed = |error: protox::Error| Error::data("the schema is none of Protobuf").with_source(error);
        compiler.include_imports(true).open_file(ITSELF).map_err(failed)?;
        let pool = compiler.descriptor_pool();
        let file = pool.get_file_by_name(ITSELF).ok_or_else(|| Error::data("the schema is none of Protobuf"))?;
        let extension = |name| pool.get_extension_by_name(name);
        let field_metadata = extension("metadata.metadataKey").zip(extension("metadata.metadataValue"));
        Ok(Self { file, field_meta: extension("confluent.field_meta"), field_metadata })
    }

    /// All message types of the file, also those in others and the entries of maps, by full name: Glue's serializers count like this.
    pub(super) fn messages_by_name(&self) -> Vec<MessageDescriptor> {
        let mut messages: Vec<_> = self.file.messages().collect();
        let mut next = 0;
        while let Some(message) = messages.get(next) {
            let inner: Vec<_> = message.child_messages().collect();
            messages.extend(inner);
            next += 1;
        }
        messages.sort_by(|left, right| left.full_name().cmp(right.full_name()));
        messages
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
    let text = schema.text("PROTOBUF")?;
    if is_too_deep(text) {
        return Err(Error::data(format!("the schema has more than {DEEPEST} levels of brackets")));
    }
    Ok(text)
}

/// Whether brackets stand in each other too deep, outside of texts and comments.
fn is_too_deep(text: &str) -> bool {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(at) = rest.find(['"', '\'', '/', '{', '[', '<', '}', ']', '>']) {
        let (found, behind) = rest.split_at(at).1.split_at(1);
        rest = match found {
            "\"" | "'" => end_of_text(behind, found),
            "/" if behind.starts_with('/') => behind.split_once('\n').map_or("", |(_, behind)| behind),
            "/" if behind.starts_with('*') => behind.split_once("*/").map_or("", |(_, behind)| behind),
            "{" | "[" | "<" => {
                depth += 1;
                behind
            }
            "}" | "]" | ">" => {
                depth = depth.saturating_sub(1);
                behind
            }
            _ => behind,
        };
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// What follows a text in quotes, of which the first is behind us.
fn end_of_text<'a>(mut rest: &'a str, quote: &str) -> &'a str {
    while let Some(at) = rest.find(['\\', '"', '\'']) {
        let (found, behind) = rest.split_at(at).1.split_at(1);
        rest = match found {
            "\\" => behind.get(behind.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default(),
            found if found == quote => return behind,
            _ => behind,
        };
    }
    ""
}

/// Files by name.
struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}
