//! Cases of the specification (12.9). H1 and so on are its numbers. What the JVM makes a list, a map or a date of is its text here.

use super::{
    tests::{converted, printed},
    *,
};

fn text(input: &str) -> String {
    let data = converted(input);
    assert_eq!(data.schema.map(|schema| schema.schema_type.clone()), Some(SchemaType::String), "{input}");
    printed(&data.value)
}

fn stays(input: &str) {
    assert_eq!(text(input), input);
}

// H1, H2
#[test]
fn words_and_delimiters_are_text_and_so_is_nothing() {
    for input in ["", "simple", r"string with delimiters: <>?,./\=+-!@#$%^&*(){}[]|;':"] {
        stays(input);
    }
}

// H3, H4, H7, H12
#[test]
fn lists_and_maps_of_each_kind_are_recognised_and_printed_without_blanks() {
    for (input, expected) in [
        (r#"{"foo":"123","bar":"baz"}"#, r#"{"foo":"123","bar":"baz"}"#),
        (r#" { "foo" : "123" , "bar" : "baz" } "#, r#"{"foo":"123","bar":"baz"}"#),
        (r#"{ "foo" : 12345, "bar" : 0, "baz" : -4321 }"#, r#"{"foo":12345,"bar":0,"baz":-4321}"#),
        (r#"{ "foo" : 123456789, "bar" : 0 }"#, r#"{"foo":123456789,"bar":0}"#),
        (r#"[ "foo", "bar" ]"#, r#"["foo","bar"]"#),
        ("[1, 2, 3, 2147483647]", "[1,2,3,2147483647]"),
        (r#"[1, "foo", true]"#, r#"[1,"foo",true]"#),
        (r#"{ "foo" : 1, "bar" : "x" }"#, r#"{"foo":1,"bar":"x"}"#),
        (" { } ", "{}"),
        (" [ ] ", "[]"),
        ("[true, false]", "[true,false]"),
        ("{true: false, false: true}", "{true:false,false:true}"),
        ("[[ ]]", "[[]]"),
        ("[{ }]", "[{}]"),
        (r#"{ "a" : {} }"#, r#"{"a":{}}"#),
        (r#"{ "a" : [] }"#, r#"{"a":[]}"#),
    ] {
        assert_eq!(text(input), expected, "{input}");
    }
}

// H5
#[test]
fn words_without_quotes_in_lists_and_maps_make_all_of_it_text() {
    for input in ["{foo: 3}", "{3: foo}", "[foo]", "null=", "true}", "false]"] {
        stays(input);
    }
}

// H6
#[test]
fn blanks_around_true_and_null_do_not_count() {
    for input in [" true ", "\ttrue\n", "true"] {
        let data = converted(input);
        assert_eq!(
            (data.schema.unwrap().schema_type.clone(), data.value),
            (SchemaType::Boolean, Value::Boolean(true)),
            "{input:?}"
        );
    }
    let null = converted(" \t null \n ");
    assert!(null.schema.is_none() && null.value == Value::Null);
}

// H8, H9
#[test]
fn nulls_and_commas_in_the_wrong_place_make_all_of_it_text() {
    for input in ["{6:9 4:20}", "[0 1 2]", "{null: 3}", "[1, null]", "[null, 1]", "[1, 2, 3,,,]"] {
        stays(input);
    }
    assert_eq!((text("{3: null}"), text("[null]")), ("{3:null}".to_owned(), "[null]".to_owned()));
}

// H10
#[test]
fn numbers_in_a_list_are_as_wide_as_the_widest() {
    assert_eq!(text("[1, 2, 32768]"), "[1,2,32768]");
    assert_eq!(text("[1, 2.5]"), "[1.0,2.5]");
    assert_eq!(text("[1, 2.5, 1.0e100]"), "[1.0,2.5,1.0E100]");
}

// H11
#[test]
fn values_of_several_types_in_a_map_keep_their_own() {
    for input in [r#"{1:1, 2:1, 300:300, "four":1}"#, r#"{"four":1, 300:300, 1:1, 2:1}"#] {
        assert_eq!(text(input), input.replace(", ", ","));
    }
}

// H13
#[test]
fn dates_and_times_are_the_text_that_the_jvm_prints_for_them() {
    for input in ["2019-08-23T14:34:54.346Z", "2019-08-23", "14:34:54.346Z"] {
        stays(input);
        assert_eq!(text(&input.replace(':', r"\:")), input);
        for whole in [format!("[{input}]"), format!("[\"{input}\"]")] {
            assert_eq!(text(&whole), format!("[{input}]"), "{whole}");
        }
        assert_eq!(text(&format!("{{\"a\": \"{input}\"}}")), format!("{{\"a\":{input}}}"));
        assert_eq!(text(&format!("{{\"a\": {input}}}")), format!("{{\"a\":{input}}}"));
    }
}

// H14
#[test]
fn a_number_ends_at_a_comma_and_quotes_stay() {
    for (input, expected) in [
        ("1,2", (SchemaType::Int8, Value::Int8(1))),
        ("1.5", (SchemaType::Float32, Value::Float32(1.5))),
        ("1E3", (SchemaType::Int16, Value::Int16(1_000))),
    ] {
        let data = converted(input);
        assert_eq!((data.schema.unwrap().schema_type.clone(), data.value), expected, "{input}");
    }
    stays("\"abc\"");
}
