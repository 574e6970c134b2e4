use connect_api::{
    data::{Data, Decimal, Field, Fields, LogicalType, SchemaType, Text, Value},
    testing::{format, record_of, record_with},
};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    schema::printer::print_schema,
};

use super::*;

fn configured(settings: &[(&str, &str)]) -> ParquetFormat {
    ParquetFormat::configure(&settings.iter().copied().collect()).unwrap()
}

fn required(schema_type: SchemaType) -> Arc<Schema> {
    Arc::new(Schema::required(schema_type))
}

fn array(items: Arc<Schema>) -> Arc<Schema> {
    required(SchemaType::Array(items))
}

fn map(keys: Arc<Schema>, values: Arc<Schema>) -> Arc<Schema> {
    required(SchemaType::Map(keys, values))
}

fn schema(name: &str, fields: &[(&str, Arc<Schema>)]) -> Schema {
    let fields = fields.iter().map(|(name, schema)| Field { name: (*name).into(), schema: Arc::clone(schema) });
    Schema::required(SchemaType::Struct(Fields::new(fields.collect()).unwrap())).named(name)
}

fn text(text: &str) -> Value {
    Value::String(Text::from(text.to_owned()))
}

fn row(schema: &Arc<Schema>, values: Vec<Value>) -> SinkRecord {
    record_of(Data::with_schema(Arc::clone(schema), Value::Struct(values)))
}

/// The file of these records, in row groups of so many.
fn file(format: &ParquetFormat, view: RecordView, records: &[SinkRecord], rows_of_a_group: usize) -> Vec<u8> {
    let mut writer = format.record_writer(view).unwrap();
    let mut out = Vec::new();
    for group in records.chunks(rows_of_a_group) {
        let mut rows = Vec::new();
        group.iter().for_each(|record| writer.write(record, &mut rows).unwrap());
        writer.write_block(&[rows.into()], &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    out
}

/// The schema of a file and its rows, as text. This reader shows a list of two levels that is not empty inside one more list.
fn read(file: Vec<u8>) -> (String, Vec<String>) {
    let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
    let mut schema = Vec::new();
    print_schema(&mut schema, reader.metadata().file_metadata().schema());
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string());
    (String::from_utf8(schema).unwrap(), rows.collect())
}

fn read_rows(schema: &Arc<Schema>, rows: Vec<Vec<Value>>) -> (String, Vec<String>) {
    let records: Vec<_> = rows.into_iter().map(|values| row(schema, values)).collect();
    read(file(&configured(&[("parquet.codec", "none")]), RecordView::Value, &records, 1_000))
}

fn refused(schema: Schema) -> Error {
    let schema = Arc::new(schema);
    let record = record_of(Data::with_schema(Arc::clone(&schema), Value::Struct(Vec::new())));
    configured(&[]).record_writer(RecordView::Value).unwrap().write(&record, &mut Vec::new()).unwrap_err()
}

#[test]
fn it_keeps_the_contract_for_every_view_and_codec() {
    let pin = Arc::new(schema("pin", &[("id", required(SchemaType::Int64)), ("tags", array(required(SchemaType::String)))]));
    let other = Arc::new(schema("other", &[("id", required(SchemaType::Int64))]));
    let key = || Data::with_schema(Schema::optional(SchemaType::String), text("k"));
    let good = |id| {
        let value = Data::with_schema(Arc::clone(&pin), Value::Struct(vec![Value::Int64(id), Value::Array(vec![text("a")])]));
        record_with(key(), value, &[("h", Data::with_schema(required(SchemaType::String), text("v")))])
    };
    let wrong = row(&pin, vec![Value::Int64(1), Value::Array(vec![Value::Null])]);
    let null_header = record_with(key(), good(2).value, &[("n", Data::default())]);
    let schemaless = record_of(Data::schemaless(Value::Int32(1)));
    let number = record_of(Data::with_schema(required(SchemaType::Int32), Value::Int32(1)));
    let records = [good(1), schemaless, number, null_header, wrong, row(&other, vec![Value::Int64(7)]), good(3)];
    for codec in CODECS {
        for view in [RecordView::Value, RecordView::Key, RecordView::Headers] {
            format::keeps_the_contract(&configured(&[("parquet.codec", codec)]), view, &records);
        }
    }
}

#[test]
fn rows_are_the_same_with_every_codec_and_in_any_number_of_row_groups() {
    let schema = Arc::new(schema("r", &[("n", required(SchemaType::Int32)), ("s", Schema::optional(SchemaType::String))]));
    let values = |n: i32| vec![Value::Int32(n), if n % 3 == 0 { Value::Null } else { text(&"é".repeat(n as usize % 50)) }];
    let records: Vec<_> = (0..3_000).map(|n| row(&schema, values(n))).collect();
    let expected = read(file(&configured(&[("parquet.codec", "none")]), RecordView::Value, &records, 5_000));
    assert_eq!(expected.1.len(), 3_000);
    for (codec, extension) in [
        ("none", ".parquet"),
        ("gzip", ".gz.parquet"),
        ("snappy", ".snappy.parquet"),
        ("lz4", ".lz4hadoop.parquet"),
        ("brotli", ".br.parquet"),
        ("lz4_raw", ".lz4raw.parquet"),
        ("zstd", ".zstd.parquet"),
    ] {
        let format = configured(&[("parquet.codec", codec)]);
        assert_eq!(format.extension(), extension);
        assert!(read(file(&format, RecordView::Value, &records, 700)) == expected, "{codec}");
    }
}

#[test]
fn codecs_that_nobody_has_are_refused() {
    for codec in ["lzo", "uncompressed"] {
        let settings: Config = [("parquet.codec", codec)].into_iter().collect();
        let error = ParquetFormat::configure(&settings).unwrap_err().to_string();
        assert!(error.contains("must be one of none, gzip, snappy, lz4, brotli, lz4_raw, zstd"), "{error}");
    }
}

#[test]
fn each_type_is_what_parquet_calls_it() {
    let of = |name: LogicalType, schema_type| Arc::new(Schema::required(schema_type).named(name.name()));
    let decimal = |parameters: &[(&str, &str)]| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Arc::new(Schema { parameters, ..Schema::required(SchemaType::Bytes) }.named(LogicalType::Decimal.name()))
    };
    let schema = Arc::new(schema(
        "n.all",
        &[
            ("i8", required(SchemaType::Int8)),
            ("b", required(SchemaType::Boolean)),
            ("f", required(SchemaType::Float32)),
            ("d", required(SchemaType::Float64)),
            ("by", required(SchemaType::Bytes)),
            ("dec", decimal(&[("scale", "2"), ("connect.decimal.precision", "9")])),
            ("fix", decimal(&[("scale", "2"), ("connect.decimal.precision", "9"), ("connect.fixed.size", "5")])),
            ("day", of(LogicalType::Date, SchemaType::Int32)),
            ("tm", of(LogicalType::Time, SchemaType::Int32)),
            ("ts", of(LogicalType::Timestamp, SchemaType::Int64)),
            ("os", Schema::optional(SchemaType::String)),
        ],
    ));
    let number = || Value::Decimal(Decimal::new(Bytes::from_static(&[0xff, 0x85]), 2));
    let (text, rows) = read_rows(
        &schema,
        vec![vec![
            Value::Int8(-1),
            Value::Boolean(true),
            Value::Float32(1.5),
            Value::Float64(-2.25),
            Value::Bytes(Bytes::from_static(&[0, 1])),
            number(),
            number(),
            Value::Date(1),
            Value::Time(1_000),
            Value::Timestamp(0),
            Value::Null,
        ]],
    );
    for field in [
        "message n.all {",
        "REQUIRED INT32 i8;",
        "REQUIRED BOOLEAN b;",
        "REQUIRED FLOAT f;",
        "REQUIRED DOUBLE d;",
        "REQUIRED BYTE_ARRAY by;",
        "REQUIRED BYTE_ARRAY dec (DECIMAL(9,2));",
        "REQUIRED FIXED_LEN_BYTE_ARRAY (5) fix (DECIMAL(9,2));",
        "REQUIRED INT32 day (DATE);",
        "REQUIRED INT32 tm (TIME(MILLIS,true));",
        "REQUIRED INT64 ts (TIMESTAMP(MILLIS,true));",
        "OPTIONAL BYTE_ARRAY os (STRING);",
    ] {
        assert!(text.contains(field), "{field} in {text}");
    }
    let expected = "i8: -1, b: true, f: 1.5, d: -2.25E0, by: [0, 1], dec: -1.23, fix: -1.23";
    assert!(rows[0].starts_with(&format!("{{{expected}, ")), "{rows:?}");
    assert!(rows[0].ends_with("os: null}"), "{rows:?}");
}

#[test]
fn lists_have_two_levels_and_three_where_one_of_them_can_hold_null() {
    let numbers = || required(SchemaType::Int32);
    let nested = Arc::new(schema("r", &[("a", array(array(numbers()))), ("b", array(numbers()))]));
    let list = |values: Vec<Value>| Value::Array(values);
    let one = |n| Value::Int32(n);
    let (text, rows) = read_rows(
        &nested,
        vec![
            vec![list(vec![list(vec![one(1), one(2)]), list(vec![]), list(vec![one(3)])]), list(vec![])],
            vec![list(vec![]), list(vec![one(4)])],
        ],
    );
    assert!(text.contains("REPEATED group array (LIST)") && text.contains("REPEATED INT32 array;"), "{text}");
    assert_eq!(rows, ["{a: [[1, 2], [], [3]], b: []}", "{a: [], b: [[4]]}"]);

    // One list deep in a map is enough for all of them.
    let deep = map(required(SchemaType::String), Arc::new(schema("d", &[("l", array(Schema::optional(SchemaType::Int32)))])));
    let three = Arc::new(schema("r", &[("a", array(array(numbers()))), ("m", deep)]));
    let entry = |values| Value::Map(vec![(Value::String("k".into()), Value::Struct(vec![list(values)]))]);
    let (text, rows) = read_rows(
        &three,
        vec![
            vec![list(vec![list(vec![one(1), one(2)]), list(vec![])]), entry(vec![Value::Null, one(5), Value::Null])],
            vec![list(vec![]), Value::Map(vec![])],
        ],
    );
    assert!(text.contains("REPEATED group list") && text.contains("OPTIONAL INT32 element;"), "{text}");
    assert!(text.contains("REQUIRED INT32 element;"), "{text}");
    assert_eq!(rows, ["{a: [[1, 2], []], m: {\"k\" -> {l: [null, 5, null]}}}", "{a: [], m: {}}"]);
}

#[test]
fn optional_structs_lists_and_maps_are_null_or_empty_and_not_the_same() {
    let optional = |schema: Arc<Schema>| Arc::new(Schema { optional: true, ..Schema::clone(&schema) });
    let inner = Arc::new(schema("i", &[("x", Schema::optional(SchemaType::Int32))]));
    let schema = Arc::new(schema(
        "r",
        &[
            ("s", optional(inner)),
            ("l", optional(array(required(SchemaType::Int32)))),
            ("m", optional(map(required(SchemaType::String), Schema::optional(SchemaType::Int32)))),
        ],
    ));
    let (_, rows) = read_rows(
        &schema,
        vec![
            vec![Value::Null, Value::Null, Value::Null],
            vec![Value::Struct(vec![Value::Null]), Value::Array(vec![]), Value::Map(vec![])],
            vec![
                Value::Struct(vec![Value::Int32(1)]),
                Value::Array(vec![Value::Int32(2)]),
                Value::Map(vec![(text("k"), Value::Null)]),
            ],
        ],
    );
    assert_eq!(rows, ["{s: null, l: null, m: null}", "{s: {x: null}, l: [], m: {}}", "{s: {x: 1}, l: [[2]], m: {\"k\" -> null}}"]);
}

#[test]
fn a_union_is_a_group_in_which_one_member_is_there() {
    let optional = |schema| Schema::optional(schema);
    let fields = [("int", optional(SchemaType::Int32)), ("string", optional(SchemaType::String))];
    let union = schema("io.confluent.connect.avro.Union", &fields);
    let nullable = Schema { optional: true, ..union.clone() };
    let schema = Arc::new(schema("r", &[("u", Arc::new(nullable)), ("v", Arc::new(union))]));
    let number = |n| Value::Struct(vec![Value::Int32(n), Value::Null]);
    let word = |word| Value::Struct(vec![Value::Null, text(word)]);
    let (_, rows) = read_rows(&schema, vec![vec![Value::Null, number(1)], vec![word("a"), word("b")], vec![number(2), number(3)]]);
    let union = |number: &str, word: &str| format!("{{member0: {number}, member1: {word}}}");
    let word = |word: &str| union("null", &format!("\"{word}\""));
    assert_eq!(
        rows,
        [
            format!("{{u: null, v: {}}}", union("1", "null")),
            format!("{{u: {}, v: {}}}", word("a"), word("b")),
            format!("{{u: {}, v: {}}}", union("2", "null"), union("3", "null"))
        ]
    );
}

#[test]
fn a_type_that_is_named_twice_is_the_same_twice() {
    let inner = Arc::new(schema("n.Inner", &[("x", required(SchemaType::Int32))]));
    let schema = Arc::new(schema("n.Outer", &[("a", Arc::clone(&inner)), ("b", array(inner))]));
    let one = |n| Value::Struct(vec![Value::Int32(n)]);
    let (_, rows) = read_rows(&schema, vec![vec![one(1), Value::Array(vec![one(2), one(3)])]]);
    assert_eq!(rows, ["{a: {x: 1}, b: [[{x: 2}, {x: 3}]]}"]);
}

#[test]
fn a_struct_that_may_be_null_is_a_row_all_the_same() {
    let schema = Arc::new(Schema { optional: true, ..schema("r", &[("x", required(SchemaType::Int32))]) });
    let (text, rows) = read_rows(&schema, vec![vec![Value::Int32(1)]]);
    assert!(text.starts_with("message r {"), "{text}");
    assert_eq!(rows, ["{x: 1}"]);
}

#[test]
fn schemas_that_parquet_does_not_have_are_errors_of_the_record() {
    let empty = schema("e", &[]);
    let error = refused(empty.clone());
    assert_eq!(error.class(), "org.apache.parquet.schema.InvalidSchemaException");
    assert_eq!(error.to_string(), "Cannot write a schema with an empty group: message e {\n}\n");
    let error = refused(schema("o", &[("e", Arc::new(empty))]));
    assert_eq!(error.to_string(), "Cannot write a schema with an empty group: required group e {\n}");
    let nothing = Schema { parameters: vec![("connect.fixed.size".into(), "0".into())], ..Schema::required(SchemaType::Bytes) };
    assert_eq!(refused(schema("f", &[("f", Arc::new(nothing.named("n.F")))])).class(), "java.lang.IllegalArgumentException");
    let number = refused(Schema::required(SchemaType::Int32));
    assert_eq!(number.to_string(), "Avro schema must be a record. ParquetFormat writes structs, and this is of type INT32");
}

#[test]
fn rows_that_the_disk_has_changed_are_no_rows() {
    let schema = Arc::new(schema("r", &[("s", required(SchemaType::String))]));
    let mut writer = configured(&[]).record_writer(RecordView::Value).unwrap();
    let mut rows = Vec::new();
    writer.write(&row(&schema, vec![text("abc")]), &mut rows).unwrap();
    for changed in [&rows[..2], &[rows.clone(), rows.clone()].concat(), &[0x01], &[0xff; 12]] {
        let mut writer = configured(&[]).record_writer(RecordView::Value).unwrap();
        writer.write(&row(&schema, vec![text("abc")]), &mut Vec::new()).unwrap();
        let error = writer.write_block(&[Bytes::copy_from_slice(changed)], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), connect_api::ErrorKind::Fatal, "{changed:?}");
    }
}

/// A row group of these rows, in pieces of so many.
fn row_group(format: &ParquetFormat, records: &[SinkRecord], rows_of_a_piece: usize) -> Vec<u8> {
    let mut writer = format.record_writer(RecordView::Value).unwrap();
    let mut pieces: Vec<Bytes> = Vec::new();
    for records in records.chunks(rows_of_a_piece) {
        let mut piece = Vec::new();
        records.iter().for_each(|record| writer.write(record, &mut piece).unwrap());
        pieces.push(piece.into());
    }
    let mut out = Vec::new();
    writer.write_block(&pieces, &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    out
}

#[test]
fn in_which_pieces_rows_come_decides_nothing() {
    let schema = Arc::new(schema("r", &[("n", required(SchemaType::Int64)), ("s", Schema::optional(SchemaType::String))]));
    let values = |n: i64| vec![Value::Int64(n * n), if n % 5 == 0 { Value::Null } else { text(&format!("{n:07}-{}", n * 7_919)) }];
    let records: Vec<_> = (0..100_000).map(|n| row(&schema, values(n))).collect();
    for codec in ["none", "lz4"] {
        let format = configured(&[("parquet.codec", codec)]);
        let whole = row_group(&format, &records, 100_000);
        assert!(whole.len() > 1_000_000, "{}", whole.len());
        assert!(row_group(&format, &records, 7_001) == whole, "{codec}");
    }
}

#[test]
fn large_values_are_read_back_with_every_codec() {
    let schema = Arc::new(schema("r", &[("s", required(SchemaType::String))]));
    let long: String = (0..200_000).map(|n| format!("{n:x}")).collect();
    let records = [row(&schema, vec![text(&long)]), row(&schema, vec![text("short")])];
    // This reader stumbles over a block of LZ4 that is smaller than the one before it.
    for codec in CODECS.iter().filter(|codec| **codec != "lz4") {
        let (_, rows) = read(file(&configured(&[("parquet.codec", codec)]), RecordView::Value, &records, 10));
        assert!(rows[0].len() > long.len() && rows[1] == "{s: \"short\"}", "{codec}");
    }
}

#[test]
fn a_block_is_full_when_its_nulls_would_be_too_many() {
    let wide: Vec<_> = (0..1_000).map(|n| (format!("c{n}"), Schema::optional(SchemaType::Int32))).collect();
    let wide: Vec<_> = wide.iter().map(|(name, schema)| (name.as_str(), Arc::clone(schema))).collect();
    let inner = Schema { optional: true, ..schema("wide", &wide) };
    let schema = Arc::new(schema("r", &[("w", Arc::new(inner))]));
    let mut writer = configured(&[]).record_writer(RecordView::Value).unwrap();
    let (record, mut rows) = (row(&schema, vec![Value::Null]), Vec::new());
    while !writer.is_block() {
        writer.write(&record, &mut rows).unwrap();
    }
    assert!(rows.len() * 1_000 <= VALUES_OF_A_GROUP + 1_000, "{} rows", rows.len());
}

#[test]
fn more_columns_than_memory_should_hold_are_refused() {
    let many: Vec<_> = (0..20_001).map(|n| (format!("c{n}"), required(SchemaType::Boolean))).collect();
    let many: Vec<_> = many.iter().map(|(name, schema)| (name.as_str(), Arc::clone(schema))).collect();
    assert!(refused(schema("r", &many)).to_string().contains("20001 columns"));
    let (_, rows) = read_rows(&Arc::new(schema("r", &many[..2_000])), vec![vec![Value::Boolean(true); 2_000]]);
    assert_eq!(rows.len(), 1);
}

#[test]
fn files_of_one_schema_share_what_follows_from_it() {
    let format = configured(&[]);
    let pin = || Arc::new(schema("pin", &[("id", required(SchemaType::Int64))]));
    let table = |schema: &Arc<Schema>, view| format.0.table(schema, view).unwrap();
    let first = table(&pin(), RecordView::Value);
    assert!(Arc::ptr_eq(&first, &table(&pin(), RecordView::Value)));
    assert!(!Arc::ptr_eq(&first, &table(&pin(), RecordView::Key)));
    for n in 0..100 {
        table(&Arc::new(schema(&format!("t{n}"), &[("id", required(SchemaType::Int64))])), RecordView::Value);
    }
    assert_eq!(format.0.tables.lock().unwrap().len(), SHARED);
}

#[test]
fn a_struct_named_after_a_type_is_no_such_type() {
    let named = Arc::new(schema("n.string", &[("a", required(SchemaType::String)), ("b", required(SchemaType::Int32))]));
    let outer = Arc::new(schema("n.Outer", &[("x", Arc::clone(&named)), ("y", named)]));
    let one = |n| Value::Struct(vec![text("t"), Value::Int32(n)]);
    let (_, rows) = read_rows(&outer, vec![vec![one(1), one(2)]]);
    assert_eq!(rows, ["{x: {a: \"t\", b: 1}, y: {a: \"t\", b: 2}}"]);
    let bare = Arc::new(schema("string", &[("a", required(SchemaType::String))]));
    assert_eq!(refused(schema("Outer", &[("x", bare)])).class(), "org.apache.avro.SchemaParseException");
}

#[test]
fn symbols_of_an_enum_are_those_of_the_file() {
    let colors = |symbols: [&str; 2]| {
        let mut parameters = vec![("io.confluent.connect.avro.Enum".into(), "n.E".into())];
        parameters.extend(symbols.map(|symbol| (format!("io.confluent.connect.avro.Enum.{symbol}").into(), symbol.into())));
        Arc::new(Schema { parameters, ..Schema::required(SchemaType::String).named("n.E") })
    };
    let one = Arc::new(schema("r", &[("c", colors(["RED", "BLUE"]))]));
    let other = Arc::new(schema("r", &[("c", colors(["BLUE", "RED"]))]));
    let records = [row(&one, vec![text("BLUE")]), row(&other, vec![text("BLUE")])];
    let (_, rows) = read(file(&configured(&[]), RecordView::Value, &records, 10));
    assert_eq!(rows, ["{c: \"BLUE\"}", "{c: \"BLUE\"}"]);
    let both = schema("r", &[("c", colors(["RED", "BLUE"])), ("d", colors(["BLUE", "RED"]))]);
    assert_eq!(refused(both).to_string(), "Can't redefine: n.E");
}
