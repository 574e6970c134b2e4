//! As the README of JsonPath and its `PropertyPathToken`, `PathToken`, `PredicatePathToken`, `ValueNodes` and `EvaluatorFactory` say.

use bytes::Bytes;
use connect_api::data::JsonText;

use super::*;

fn data(text: &str) -> Data {
    Data::schemaless(JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().map_or(Value::Null, Value::Json))
}

fn matches(path: &str, text: &str) -> Result<bool, Failure> {
    JsonPath::new(path).unwrap_or_else(|reason| panic!("{path}: {reason}")).matches(&data(text))
}

const STORE: &str = r#"{"store":{"book":[{"title":"Moby Dick","price":8.99,"isbn":"0-553"},{"title":"Sayings","price":12,"tags":["a","b"]}],
    "open":true},"limit":10,"shop":"x","none":null}"#;

#[test]
fn paths_lead_to_names_indexes_slices_wildcards_and_all_levels() {
    for path in [
        "$.shop",
        "shop",
        "$['shop']",
        "$[\"store\"]['book'][0].title",
        "$.store.book[-1].tags[0:1]",
        "$.store.book[:1]",
        "$.store.book[1:]",
        "$.store.book[-1:]",
        "$.store.book[0,1].isbn",
        "$.store.*",
        "$.store.book[*].tags",
        "$..isbn",
        "$..book[0]",
        "$..[?(@.isbn)]",
        "$.store['book','open'][0]",
        "$.none",
    ] {
        assert_eq!(matches(path, STORE), Ok(true), "{path}");
    }
    for path in ["$.store.book[5:]", "$.store.book[*].nothing", "$..nothing", "$.*.nothing", "$..title[0]"] {
        assert_eq!(matches(path, STORE), Ok(false), "{path}");
    }
}

#[test]
fn what_a_definite_path_misses_is_a_failure_and_of_others_nothing() {
    for path in [
        "$.nothing",
        "$.nothing.more",
        "$.shop.more",
        "$.store.book[7]",
        "$.shop[0]",
        "$.none.more",
        "$.nothing[?(@.a)]",
        "$.none[?(@.a)]",
    ] {
        assert_eq!(matches(path, STORE), Err(Failure::Missing), "{path}");
    }
    assert_eq!(matches("$.shop[?(@.a)]", STORE), Err(Failure::NotAContainer));
    assert_eq!(matches("$.store.book[*].nothing.more", STORE), Ok(false));
}

#[test]
fn a_condition_is_about_an_object_itself_and_about_the_elements_of_an_array() {
    for (path, expected) in [
        ("$[?(@.shop == 'x')]", true),
        ("$.[?(@.shop == 'x')]", true),
        ("$[?(@.shop == 'y')]", false),
        ("$.store[?(@.open == true)].book[1]", true),
        ("$.store.book[?(@.price < 10)]", true),
        ("$.store.book[?(@.price < $.limit)].isbn", true),
        ("$.store.book[?(@.price > $.limit)].isbn", false),
    ] {
        assert_eq!(matches(path, STORE), Ok(expected), "{path}");
    }
}

#[test]
fn conditions_are_joined_negated_and_grouped() {
    for (condition, expected) in [
        ("@.a == 1 && @.b == 'y' || @.c", true),
        ("@.a == 2 || @.b == 'y' && @.n == null", true),
        ("(@.a == 2 || @.b == 'y') && @.missing", false),
        ("!(@.a == 2)", true),
        ("!@.missing", true),
        ("!@.n", false),
        ("@.a==1&&@.b=='y'", true),
    ] {
        let path = format!("$[?({condition})]");
        assert_eq!(matches(&path, r#"{"a":1,"b":"y","n":null}"#), Ok(expected), "{condition}");
    }
}

#[test]
fn values_are_compared_as_jsonpath_does() {
    for (condition, expected) in [
        ("@.i == 5", true),
        ("@.i == 5.0", true),
        ("@.i == '5'", true),
        ("@.i === '5'", false),
        ("@.i !== '5'", true),
        ("@.s == \"it's\"", true),
        (r"@.s == 'it\'s'", true),
        ("@.d >= 1.5", true),
        ("@.d < 1.5", false),
        ("'a' < @.s", true),
        ("@.n == null", true),
        ("@.n != null", false),
        // What is missing equals nothing, and so differs from all.
        ("@.missing == null", false),
        ("@.missing != null", true),
        ("@.missing < 1", false),
        ("@.t == true", true),
        ("@.t == 'true'", false),
        ("@.s =~ /IT.s/i", true),
        // The whole must match.
        ("@.s =~ /it/", false),
        ("@.l =~ /b.*/", true),
        ("/5/ =~ @.i", true),
        ("@.s in ['x', 'it\\'s']", true),
        ("@.i in [1, 5]", true),
        ("@.i nin [1, 5]", false),
        ("@.i IN []", false),
        ("@.missing nin ['a']", true),
        ("@.l contains 'b'", true),
        ("@.s contains 't\\''", true),
        // Whatever is looked for is compared with each element, and not the other way round: a text among numbers with their texts.
        ("'5.0' in [5]", false),
        ("'5' in [5]", true),
        ("@.i in ['5.0']", true),
        ("['5.0'] anyof [5]", false),
        ("[5] anyof ['5.0']", true),
        ("[5] all ['5.0']", false),
        ("['5.0'] all [5]", true),
        ("[5] contains '5.0'", false),
        ("['5.0'] contains 5", true),
        // Numbers keep the digits that they are written with.
        ("@.m == 10.00", true),
        ("@.m == 10.0", false),
        ("10.0 == @.m", true),
        ("@.big == 12345678901234567891", true),
        ("@.big == 12345678901234567890", false),
        ("@.big > 12345678901234567890", true),
        ("@.big < 12345678901234567892.5", true),
        ("-12345678901234567890 > -12345678901234567891", true),
        ("'12345678901234567891' == @.big", true),
        ("9007199254740993 == 9007199254740992.0", false),
        ("0.001e3 == 1", true),
        ("0e5 == -0.0", true),
        ("@.d == 1.50", true),
        ("@.l size 2", true),
        ("@.s size 4", true),
        ("@.l.length() == 2", true),
        ("@.e empty true", true),
        ("@.l empty false", true),
        ("@.l subsetof ['a','b','c']", true),
        ("@.l anyof ['b','z']", true),
        ("@.l noneof ['y','z']", true),
        ("@.l all ['a']", true),
        ("@.l == ['a','b']", true),
        ("@.l == ['b','a']", false),
        ("@['i'] == 5", true),
        ("@.o.k == 1", true),
        ("@.l[0] == 'a'", true),
        ("@.o[?(@.k == 1)]", true),
    ] {
        let text = r#"{"i":5,"d":1.5,"s":"it's","n":null,"t":true,"l":["a","bc"],"e":[],"o":{"k":1},
            "m":"10.00","big":12345678901234567891}"#;
        let text = text.replace("bc", if condition.contains("/b") { "bc" } else { "b" });
        assert_eq!(matches(&format!("$[?({condition})]"), &text), Ok(expected), "{condition}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place() {
    for (path, said) in [
        ("$.", "a name is missing, at position 2 of $."),
        ("$..", "a name is missing"),
        ("$[", "expected a name in quotes"),
        ("$['a'", "expected ]"),
        ("$['a", "no closing quote"),
        ("$[?(@.a == )]", "expected a path, a number"),
        ("$[?(@.a = 1)]", "expected an operator"),
        ("$[?(@.a == b)]", "b is no value: texts stand in quotes"),
        ("$[?(@.a is 1)]", "is is no operator"),
        ("$[?(@.a =~ 'x')]", "goes with =~"),
        ("$[?(@.a =~ /(/)]", "Unclosed group"),
        ("$[?(@.a =~ /x/q)]", "q is no flag"),
        ("$[?(@.a == 1]", "expected )"),
        ("$[?(@.a.sum() == 1)]", "the function sum() is not supported"),
        ("$.a.length()", "functions cannot end the path"),
        ("$.a b", "names with blanks"),
        ("$[99999999999999999999]", "no index"),
        ("@.a", "must begin with '$'"),
        ("$a", "unexpected character"),
    ] {
        let reason = JsonPath::new(path).unwrap_err();
        assert!(reason.contains(said), "{path}: {reason}");
    }
}

#[test]
fn hostile_conditions_and_records_end() {
    let deep = |open: &str, close: &str| format!("$[?({}@.a{})]", open.repeat(5000), close.repeat(5000));
    assert!(JsonPath::new(&deep("(", ")")).unwrap_err().contains("nested too deep"));
    assert!(JsonPath::new(&deep("!", "")).unwrap_err().contains("nested too deep"));
    assert!(JsonPath::new(&format!("${}", ".a".repeat(5000))).unwrap_err().contains("too many steps"));
    assert!(JsonPath::new(&format!("$[?(@.a in {}", "[".repeat(5000))).unwrap_err().contains("nested too deep"));
    let nested = format!("{}1{}", "{\"a\":[".repeat(450), "]}".repeat(450));
    assert_eq!(matches("$..b", &nested), Ok(false));
    assert_eq!(matches("$..a..a..a..a..b", &nested), Err(Failure::TooManySteps));
    let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(5000));
    assert_eq!(matches("$[?(@.a anyof $.a)]", &wide), Err(Failure::TooManySteps));
    assert!(matches!(
        matches("$[?(@.s =~ /(a|aa|aaa)*(?=b)c/)]", &format!("{{\"s\":\"{}\"}}", "a".repeat(3000))),
        Ok(false) | Err(Failure::Regex(_))
    ));
}

#[test]
fn a_long_list_is_not_read_again_for_each_value_that_is_compared_with_it() {
    let long = "\"a\",".repeat(20_000);
    let lists = format!(
        r#"{{"role":[{long}1],"allowed":[{long}2],"nested":[{}0],"same":[{}0]}}"#,
        "[1],".repeat(20_000),
        "[1],".repeat(999)
    );
    assert_eq!(matches("$[?(@.role in @.allowed)]", &lists), Ok(false));
    // Of lists of one length the elements must be looked at, and are counted.
    assert_eq!(matches("$[?(@.same in $.nested)]", &lists), Ok(false));
    let wide = format!("[{}0]", "0,".repeat(999));
    let nested = format!(r#"{{"l":{wide},"n":[{}0]}}"#, format!("{wide},").repeat(2_000));
    assert_eq!(matches("$[?(@.l in @.n[1:])]", &nested), Ok(true));
    let other = nested.replacen(r#""l":[0"#, r#""l":[1"#, 1);
    assert_eq!(matches("$[?(@.l in @.n)]", &other), Err(Failure::TooManySteps));
}

#[test]
fn an_element_is_found_without_the_others() {
    let numbers = data(&format!("[{}0]", "0,".repeat(2_500_000)));
    let first = |path: &str| JsonPath::new(path).unwrap().matches(&numbers);
    for path in ["$[0]", "$[-1]", "$[1:3]", "$[0,2500000]", "$[*]"] {
        assert_eq!(first(path), Ok(true), "{path}");
    }
    // Each that is looked at is a step.
    assert_eq!(first("$[?(@.a)]"), Err(Failure::TooManySteps));
    for (path, expected) in [("$[-3:-1]", true), ("$[-9:-4]", false), ("$[-1]", true), ("$[2:1]", false), ("$[1,-4]", true)] {
        assert_eq!(matches(path, "[1,2,3]"), Ok(expected), "{path}");
    }
    assert_eq!(matches("$[-4]", "[1,2,3]"), Err(Failure::Missing));
}

#[test]
fn thousands_of_slow_matches_end() {
    let texts = |count| format!(r#"{{"l":[{}"b"]}}"#, r#""a","#.repeat(count));
    assert_eq!(matches("$[?(@.l =~ /b/)]", &texts(2_000)), Ok(true));
    assert_eq!(matches("$[?(@.l =~ /b/)]", &texts(5_000)), Err(Failure::TooManySteps));
    assert_eq!(matches("$.l[?(@ =~ /b/)]", &texts(5_000)), Err(Failure::TooManySteps));
    let longer = |length: usize| format!(r#"{{"l":[{}"b"]}}"#, format!(r#""{}","#, "a".repeat(length)).repeat(3_000));
    assert_eq!(matches("$[?(@.l =~ /b/)]", &longer(1)), Ok(true));
    assert_eq!(matches("$[?(@.l =~ /b/)]", &longer(4_000)), Err(Failure::TooManySteps));
}

#[test]
fn any_beginning_of_a_path_is_a_path_or_refused() {
    let path =
        r#"$.a['b',"c"][-1:2]..[*][?((@.x[0,1].length() >= -1.5e3 || !($.y =~ /a\/b/i)) && @['z'] in ["\u0041", null, [true]])].d"#;
    assert!(JsonPath::new(path).is_ok());
    for end in path.char_indices().map(|(at, _)| at) {
        if let Ok(path) = JsonPath::new(&path[..end]) {
            drop(path.matches(&data(STORE)));
        }
    }
}

#[test]
fn the_value_of_a_definite_path_is_decoded() {
    let value = |path: &str| JsonPath::new(path).unwrap().value(&data(STORE));
    assert_eq!(value("$.store.book[0]['title']"), Ok(Value::String("Moby Dick".into())));
    assert_eq!(value("$.none"), Ok(Value::Null));
    assert_eq!(value("$.nothing"), Err(Failure::Missing));
    assert!(JsonPath::new("$.a['b'][0]").unwrap().is_definite());
    assert!(!JsonPath::new("$.a[?(@.b)]").unwrap().is_definite());
}
