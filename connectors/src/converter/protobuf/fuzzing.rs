//! Protobuf messages for fuzzers.

use std::sync::LazyLock;

use super::*;
use crate::converter::fuzzing::text;

const CONFLUENT: Dialect = Dialect {
    enhanced_protobuf_schema_support: true,
    int_for_enums: false,
    optional_for_nullables: true,
    optional_for_proto2: false,
    wrapper_for_nullables: true,
    wrapper_for_raw_primitives: true,
    generate_index_for_unions: true,
    flatten_unions: false,
};
const KNOWN: &str = r#"syntax = "proto3"; package p;
    import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/type/date.proto";
    import "google/type/timeofday.proto"; import "confluent/type/decimal.proto"; import "additionalTypes/decimal.proto";
    message M { int32 a = 1; Inner i = 2; repeated sint64 l = 3; map<string, Color> m = 4; oneof o { string s = 5; bytes b = 6; }
        google.protobuf.Timestamp t = 7; google.protobuf.StringValue w = 8; optional google.type.Date d = 9; google.type.TimeOfDay y = 10;
        optional confluent.type.Decimal e = 11; additionalTypes.Decimal f = 12; repeated Inner r = 13; fixed32 x = 14; double z = 15; }
    message Inner { optional bool a = 1; Color c = 2; } enum Color { RED = 0; BLUE = 7; }"#;

static SCHEMAS: LazyLock<[Option<ProtobufSchema>; 2]> =
    LazyLock::new(|| [Flavour::Confluent(CONFLUENT), Flavour::Glue].map(|flavour| read(flavour, KNOWN)));

fn read(flavour: Flavour, schema: &str) -> Option<ProtobufSchema> {
    ProtobufReader(flavour).read(&text("PROTOBUF", schema), Some(1)).ok()
}

fn data(schema: &ProtobufSchema, message: &Bytes) -> Option<Data> {
    match schema.flavour {
        Flavour::Confluent(_) => schema.data(message).ok(),
        Flavour::Glue => schema.glue_data(message).ok(),
    }
}

/// What a message is by a schema.
pub(crate) fn protobuf(schema: &str, message: &Bytes) -> Vec<Data> {
    let flavours = [Flavour::Confluent(CONFLUENT), Flavour::Glue];
    flavours.into_iter().filter_map(|flavour| data(&read(flavour, schema)?, message)).collect()
}

/// What a message is by a known schema.
pub(crate) fn protobuf_message(number: usize, message: &Bytes) -> Option<Data> {
    data(SCHEMAS.get(number % 2)?.as_ref()?, message)
}
