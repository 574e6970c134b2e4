//! The data formats of Glue's schemas.

use connect_api::{Error, Result};

use crate::registry::schemas::RegisteredSchema;

/// What the messages of a schema are, as Glue calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataFormat {
    /// `AVRO`
    Avro,
    /// `JSON`
    Json,
    /// `PROTOBUF`
    #[cfg_attr(not(feature = "protobuf"), expect(dead_code, reason = "nothing reads it then"))]
    Protobuf,
}

impl DataFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }

    /// The class that reads it.
    pub(crate) const fn converter(self) -> &'static str {
        match self {
            Self::Avro => "com.amazonaws.services.schemaregistry.kafkaconnect.AWSKafkaAvroConverter",
            Self::Json => "com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.JsonSchemaConverter",
            Self::Protobuf => "com.amazonaws.services.schemaregistry.kafkaconnect.protobuf.ProtobufSchemaConverter",
        }
    }

    /// # Errors
    /// `Data` where the schema is of another format, with the converter that reads it.
    pub(super) fn check(self, schema: &RegisteredSchema) -> Result<()> {
        let (found, expected) = (schema.schema_type.as_str(), self.name());
        if found == expected {
            return Ok(());
        }
        let other = [Self::Avro, Self::Json, Self::Protobuf].into_iter().find(|format| format.name() == found);
        let reads = other.map_or_else(String::new, |other| format!(": {} reads that", other.converter()));
        Err(Error::data(format!("the schema is one of the data format {found}, and not of {expected}{reads}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_schema_of_another_format_the_converter_is_named_that_reads_it() {
        let schema = |schema_type: &str| RegisteredSchema {
            schema_type: schema_type.to_owned(),
            schema: String::new(),
            references: Vec::new(),
        };
        DataFormat::Json.check(&schema("JSON")).unwrap();
        let refused = |format: DataFormat, found: &str| format.check(&schema(found)).unwrap_err().to_string();
        assert_eq!(
            refused(DataFormat::Avro, "PROTOBUF"),
            "the schema is one of the data format PROTOBUF, and not of AVRO: \
             com.amazonaws.services.schemaregistry.kafkaconnect.protobuf.ProtobufSchemaConverter reads that"
        );
        assert!(refused(DataFormat::Protobuf, "AVRO").ends_with("AWSKafkaAvroConverter reads that"));
        assert!(refused(DataFormat::Protobuf, "JSON").ends_with("jsonschema.JsonSchemaConverter reads that"));
        assert_eq!(refused(DataFormat::Json, "XML"), "the schema is one of the data format XML, and not of JSON");
    }
}
