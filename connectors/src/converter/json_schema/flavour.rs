//! Where the converters of Confluent and of AWS Glue differ.

/// Whose converter of JSON Schemas it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// `io.confluent.connect.json.JsonSchemaConverter`
    Confluent,
    /// `com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.JsonSchemaConverter`
    Glue,
}

impl Flavour {
    /// What a union is called: a struct of one field for each of its schemas.
    pub(super) const fn union(self) -> &'static str {
        match self {
            Self::Confluent => "io.confluent.connect.json.OneOf",
            Self::Glue => "oneOf",
        }
    }

    /// The field of a union's schema at this place.
    pub(super) fn union_field(self, place: usize) -> String {
        match self {
            Self::Confluent => format!("{}.field.{place}", self.union()),
            Self::Glue => format!("field{}", place + 1),
        }
    }

    /// The parameter of an enum.
    pub(super) const fn enumeration(self) -> &'static str {
        match self {
            Self::Confluent => "io.confluent.connect.json.Enum",
            Self::Glue => "com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.Enum",
        }
    }

    /// The member that names a schema.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confluent => "title",
            Self::Glue => "connect.name",
        }
    }

    /// The member that describes a schema.
    pub(super) const fn doc(self) -> &'static str {
        match self {
            Self::Confluent => "description",
            Self::Glue => "connect.doc",
        }
    }

    /// Whether null and one other schema in the member of this name are that schema, which may be null then, and no union.
    pub(super) fn has_null_beside(self, member: &str) -> bool {
        self == Self::Confluent || member == "oneOf"
    }

    /// In which place a property without `connect.index` comes, if it is written in this one.
    pub(super) const fn without_index(self, place: usize) -> usize {
        match self {
            Self::Confluent => place,
            Self::Glue => usize::MAX,
        }
    }
}
