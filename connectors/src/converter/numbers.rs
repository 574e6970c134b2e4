//! Numbers of a fixed width, big-endian.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Error, Plugin, RawHeader, Result,
    config::{Config, ConfigDef},
    data::{Data, Schema, SchemaType, Value},
};

use super::converts_headers;

macro_rules! number_converter {
    ($converter:ident, $type:ty, $kind:ident, $class:literal, $name:literal, $documentation:literal) => {
        #[doc = $documentation]
        #[derive(Debug)]
        pub(crate) struct $converter {
            schema: Arc<Schema>,
        }

        impl Plugin for $converter {
            const NAME: &'static str = concat!("org.apache.kafka.connect.converters.", $class, "Converter");
            const DOCUMENTATION: &'static str = $documentation;

            fn config_def() -> ConfigDef {
                ConfigDef::new(concat!($class, "Converter"), &[])
            }

            fn configure(_config: &Config) -> Result<Self> {
                Ok(Self { schema: Schema::optional(SchemaType::$kind) })
            }
        }

        impl Converter for $converter {
            fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
                let value = match bytes {
                    None => Value::Null,
                    Some(bytes) => Value::$kind(<$type>::from_be_bytes(fixed_width(bytes, $class, $name)?)),
                };
                Ok(Data::with_schema(self.schema.clone(), value))
            }
        }

        converts_headers!($converter);
    };
}

number_converter!(ShortConverter, i16, Int16, "Short", "short", "A signed integer in two bytes, big-endian.");
number_converter!(IntegerConverter, i32, Int32, "Integer", "integer", "A signed integer in four bytes, big-endian.");
number_converter!(LongConverter, i64, Int64, "Long", "long", "A signed integer in eight bytes, big-endian.");
number_converter!(FloatConverter, f32, Float32, "Float", "float", "A floating-point number in four bytes, big-endian.");
number_converter!(DoubleConverter, f64, Float64, "Double", "double", "A floating-point number in eight bytes, big-endian.");

fn fixed_width<const WIDTH: usize>(bytes: &[u8], class: &str, name: &str) -> Result<[u8; WIDTH]> {
    bytes.try_into().map_err(|_wrong_width| {
        let reason = format!("Size of data received by {class}Deserializer is not {WIDTH}");
        Error::data(format!("Failed to deserialize {name}: ")).with_source(reason)
    })
}

#[cfg(test)]
mod tests {
    use connect_api::testing::converter;

    use super::*;

    fn converted<C: Converter + Plugin>(bytes: &'static [u8]) -> Result<Value> {
        let converter = C::configure(&Config::default()).unwrap();
        converter.to_connect_data("t", &[], Some(&Bytes::from_static(bytes))).map(|data| data.value)
    }

    #[test]
    fn they_keep_the_contract() {
        fn check<C: Converter + Plugin>() {
            let inputs = [&b""[..], b"\0\x01", b"\0\0\0\x01", b"\0\0\0\0\0\0\0\x01", b"\0\0\0"].map(Bytes::from_static);
            converter::keeps_the_contract(&C::configure(&Config::default()).unwrap(), &inputs);
        }
        check::<ShortConverter>();
        check::<IntegerConverter>();
        check::<LongConverter>();
        check::<FloatConverter>();
        check::<DoubleConverter>();
    }

    #[test]
    fn numbers_are_big_endian() {
        assert!(matches!(converted::<ShortConverter>(b"\xff\xfe"), Ok(Value::Int16(-2))));
        assert!(matches!(converted::<IntegerConverter>(b"\0\0\0\x2a"), Ok(Value::Int32(42))));
        assert!(matches!(converted::<LongConverter>(b"\0\0\0\0\0\0\x01\0"), Ok(Value::Int64(256))));
        assert!(matches!(converted::<FloatConverter>(b"\x3f\x80\0\0"), Ok(Value::Float32(1.0))));
        assert!(matches!(converted::<DoubleConverter>(b"\x3f\xf0\0\0\0\0\0\0"), Ok(Value::Float64(1.0))));
    }

    #[test]
    fn another_width_is_refused() {
        let error = converted::<IntegerConverter>(b"\0\0\0").unwrap_err();
        assert_eq!(error.to_string(), "Failed to deserialize integer: ");
        assert_eq!(error.report(), "Failed to deserialize integer: Size of data received by IntegerDeserializer is not 4");
    }
}
