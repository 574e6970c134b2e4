//! Bytes to data.

mod avro;
mod boolean;
mod byte_array;
mod charset;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod glue;
mod json;
mod json_schema;
mod numbers;
#[cfg(feature = "protobuf")]
mod protobuf;
mod registered;
mod repeated_keys;
mod simple_header;
mod string;
mod temporal;

pub(crate) use avro::{AvroConverter, AwsKafkaAvroConverter, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, UNION};
pub(crate) use boolean::BooleanConverter;
pub(crate) use byte_array::ByteArrayConverter;
pub(crate) use json::{Inference, JsonConverter, LONGEST_SCHEMA, UnknownFields, read_by_schema, schema_from_text, with_place};
pub(crate) use json_schema::{AwsKafkaJsonSchemaConverter, JsonSchemaConverter};
pub(crate) use numbers::{DoubleConverter, FloatConverter, IntegerConverter, LongConverter, ShortConverter};
#[cfg(feature = "protobuf")]
pub(crate) use protobuf::{AwsKafkaProtobufSchemaConverter, ProtobufConverter};
pub(crate) use simple_header::SimpleHeaderConverter;
pub(crate) use string::StringConverter;
pub(crate) use temporal::{print as print_java_date, print_date};

/// Makes a converter convert headers too, as if they were keys or values.
macro_rules! converts_headers {
    ($converter:ty) => {
        impl connect_api::HeaderConverter for $converter {
            fn to_connect_header(
                &self,
                topic: &str,
                _name: &str,
                bytes: Option<&bytes::Bytes>,
            ) -> connect_api::Result<connect_api::data::Data> {
                connect_api::Converter::to_connect_data(self, topic, &[], bytes)
            }
        }
    };
}
use converts_headers;
