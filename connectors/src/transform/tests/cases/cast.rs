//! Casts.

use super::*;

fn cast_whole(to: &str, of_type: Schema, whole: Value) -> Result<Value> {
    let schemaless = value("Cast", &[("spec", to)], Data::schemaless(whole.clone()));
    let with_schema = value("Cast", &[("spec", to)], Data::with_schema(Arc::new(of_type), whole))?;
    assert_eq!(with_schema.schema.unwrap().schema_type.name(), to.to_ascii_uppercase());
    if let Ok(schemaless) = schemaless {
        assert_eq!((schemaless.schema, &schemaless.value), (None, &with_schema.value));
    }
    Ok(with_schema.value)
}

#[test]
fn casts_that_cannot_be_are_refused() {
    for spec in ["", "foo:faketype", "foo:array", "array", "foo:bytes", "foo:int8:extra", "foo:int8,int32"] {
        assert!(is_refused("Cast", &[("spec", spec)]), "{spec}");
    }
    assert!(is_refused("Cast", &[]));
}

#[test]
fn a_whole_number_is_cast_to_every_type() {
    for (to, expected) in [
        ("int8", Value::Int8(42)),
        ("int16", Value::Int16(42)),
        ("int32", Value::Int32(42)),
        ("int64", Value::Int64(42)),
        ("float32", Value::Float32(42.0)),
        ("float64", Value::Float64(42.0)),
        ("boolean", Value::Boolean(true)),
        ("string", Value::String("42".into())),
    ] {
        assert_eq!(cast_whole(to, Schema::required(SchemaType::Int32), Value::Int32(42)).unwrap(), expected);
    }
    assert_eq!(cast_whole("boolean", Schema::required(SchemaType::Int32), Value::Int32(0)).unwrap(), Value::Boolean(false));
}

#[test]
fn logical_types_are_cast_to_texts_and_to_what_they_are_stored_as() {
    let decimal = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    let of_decimal = || Schema::required(SchemaType::Bytes).named(LogicalType::Decimal.name());
    let time = |logical_type| of_time(logical_type, false);
    for (schema, whole, to, expected) in [
        (of_decimal(), decimal("42"), "string", Value::String("42".into())),
        (time(LogicalType::Timestamp), Value::Timestamp(DAY + 1), "string", Value::String("1970-01-02T00:00:00.001Z".into())),
        (time(LogicalType::Date), Value::Date(1), "string", Value::String("1970-01-02".into())),
        (time(LogicalType::Time), Value::Time(3_600_000), "string", Value::String("01:00:00.000Z".into())),
        (time(LogicalType::Date), Value::Date(1), "int32", Value::Int32(1)),
        (time(LogicalType::Timestamp), Value::Timestamp(0), "int64", Value::Int64(0)),
        (time(LogicalType::Time), Value::Time(1), "int64", Value::Int64(1)),
        (of_decimal(), decimal("2147483648"), "int32", Value::Int32(i32::MIN)),
        (time(LogicalType::Timestamp), Value::Timestamp(i64::MAX), "float64", Value::Float64(9.223_372_036_854_776e18)),
    ] {
        assert_eq!(cast_whole(to, schema, whole.clone()).unwrap(), expected, "{whole:?}");
    }
    let null = value("Cast", &[("spec", "int64")], Data::with_schema(Arc::new(of_time(LogicalType::Date, true)), Value::Null));
    assert_eq!(null.unwrap().value, Value::Null);
}

#[test]
fn defaults_are_cast_with_their_fields() {
    let schema = Schema { default: Some(Value::Float32(-42.125)), ..Schema::required(SchemaType::Float32) };
    let cast = value("Cast", &[("spec", "int32")], Data::with_schema(Arc::new(schema), Value::Float32(42.125))).unwrap();
    assert_eq!((cast.schema.unwrap().default.as_ref(), cast.value), (Some(&Value::Int32(-42)), Value::Int32(42)));
}

#[test]
fn what_holds_other_values_is_not_cast() {
    let error = value("Cast", &[("spec", "int8")], object(&json!([1, 2]))).unwrap_err();
    assert!(error.to_string().starts_with("Cast transformation does not support casting from ARRAY"), "{error}");
}

#[test]
fn fields_of_structs_are_cast_and_stay_optional() {
    let number = |name: &str, default: Option<Json>| {
        let mut schema = json!({ "type": name });
        default.into_iter().for_each(|default| schema["default"] = default);
        schema
    };
    for (schema, payload, to, expected, default) in [
        (number("int8", None), json!(8), "int16", Value::Int16(8), None),
        (json!({ "type": "int16", "optional": true }), json!(16), "int32", Value::Int32(16), None),
        (number("int32", Some(json!(2))), json!(32), "int64", Value::Int64(32), Some(Value::Int64(2))),
        (number("int64", None), json!(64), "boolean", Value::Boolean(true), None),
        (number("float", None), json!(32.0), "float64", Value::Float64(32.0), None),
        (number("double", Some(json!(-1.125))), json!(64.0), "boolean", Value::Boolean(true), Some(Value::Boolean(true))),
        (json!({ "type": "boolean" }), json!(true), "int8", Value::Int8(1), None),
        (json!({ "type": "string" }), json!("42"), "int32", Value::Int32(42), None),
        (json!({ "type": "bytes" }), json!("/ty6mHZUMhA="), "string", Value::String("/ty6mHZUMhA=".into()), None),
    ] {
        let optional = schema["optional"] == json!(true);
        let (cast, value) = field("Cast", &[("spec", &format!("magic:{to}"))], schema, &payload);
        assert_eq!((value, cast.default, cast.optional), (expected, default, optional), "{to}");
    }
}

#[test]
fn texts_are_cast_as_java_reads_them() {
    let text = |text: &'static str| (Schema::required(SchemaType::String), Value::String(text.into()));
    for (to, (schema, whole), expected) in [
        ("int8", (Schema::required(SchemaType::Float64), Value::Float64(300.7)), Value::Int8(44)),
        ("boolean", text("TRUE"), Value::Boolean(true)),
        ("boolean", text("yes"), Value::Boolean(false)),
        ("float64", text(" 1.5 "), Value::Float64(1.5)),
        ("int32", text("+7"), Value::Int32(7)),
    ] {
        assert_eq!(cast_whole(to, schema, whole).unwrap(), expected);
    }
    for (to, whole) in [("int32", "1.5"), ("int8", "128"), ("int64", " 1"), ("float64", "x")] {
        let (schema, string) = text(whole);
        let error = cast_whole(to, schema, string).unwrap_err().to_string();
        assert_eq!(error, format!("Value ({whole}) was out of range for requested data type"));
    }
}

#[test]
fn a_cast_of_the_whole_keeps_its_name_unless_that_is_one_of_a_logical_type() {
    let named = |name: &str| Schema { version: Some(3), ..Schema::required(SchemaType::Int64).named(name) };
    let cast = |schema| value("Cast", &[("spec", "string")], Data::with_schema(Arc::new(schema), Value::Int64(1))).unwrap();
    let id = cast(named("com.x.Id")).schema.unwrap();
    assert_eq!((id.name.as_deref(), id.version), (Some("com.x.Id"), Some(3)));
    assert_eq!(cast(named(LogicalType::Timestamp.name())).schema.unwrap().name, None);
}

#[test]
fn a_long_value_is_shortened_in_messages() {
    let long = Value::String("é".repeat(500_000).into());
    let error = cast_whole("int32", Schema::required(SchemaType::String), long).unwrap_err().to_string();
    assert!(error.len() < 400 && error.contains("é… (1000000 bytes)"), "{error}");
}

#[test]
fn a_whole_number_of_many_digits_keeps_them_as_a_text() {
    let whole = || object(&serde_json::from_str("{\"id\":12345678901234567890}").unwrap());
    assert_eq!(plain(&value("Cast", &[("spec", "id:string")], whole()).unwrap().value), json!({ "id": "12345678901234567890" }));
    assert_eq!(
        plain(&value("Cast", &[("spec", "id:int64")], whole()).unwrap().value),
        json!({ "id": -6_101_065_172_474_983_726_i64 })
    );
}
