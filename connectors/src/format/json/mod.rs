//! One JSON value a line.

mod typed;
#[cfg(test)]
mod vectors;

use connect_api::{
    Error, Format, Header, Plugin, RecordView, RecordWriter, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, SchemaType, Value, json::Rendering},
};

use super::header_text::header_text;

static JSON_RENDERING: ConfigKey<Rendering> = ConfigKey::with_default(
    "json.rendering",
    "lossless",
    "How schemaless JSON is written: `lossless` keeps the producer's order of keys and text of numbers, `jvm` writes byte for byte what the \
     connector on the JVM writes: keys in hash order, integers cut to 64 bits, other numbers as doubles. Of objects that transforms have \
     changed the order of keys may be another one than the JVM's.",
)
.one_of(&["lossless", "jvm"])
.extension();

static JSON_DECIMAL_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "json.decimal.format",
    "BASE64",
    "How decimals of structs are written: the bytes of the unscaled number, or a number.",
)
.one_of_any_case(&["BASE64", "NUMERIC"]);

/// One JSON value a line, in UTF-8.
#[derive(Debug)]
pub(crate) struct JsonFormat(Json);

/// How values are written.
#[derive(Clone, Copy, Debug)]
struct Json {
    rendering: Rendering,
    decimals_are_numbers: bool,
}

impl Plugin for JsonFormat {
    const NAME: &'static str = "io.confluent.connect.s3.format.json.JsonFormat";
    const DOCUMENTATION: &'static str = "One JSON value a line; the extension is `.json`.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("JsonFormat", &[&JSON_RENDERING, &JSON_DECIMAL_FORMAT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let decimals_are_numbers = config.get(&JSON_DECIMAL_FORMAT)?.eq_ignore_ascii_case("NUMERIC");
        Ok(Self(Json { rendering: config.get(&JSON_RENDERING)?, decimals_are_numbers }))
    }
}

impl Format for JsonFormat {
    fn extension(&self) -> &str {
        ".json"
    }

    fn allows_stream_compression(&self) -> bool {
        true
    }

    fn record_writer(&self, view: RecordView) -> Result<Box<dyn RecordWriter>> {
        Ok(Box::new(JsonWriter { view, json: self.0 }))
    }
}

struct JsonWriter {
    view: RecordView,
    json: Json,
}

impl RecordWriter for JsonWriter {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        match self.view {
            RecordView::Value => self.json.write(&record.value, out)?,
            RecordView::Key => self.json.write(&record.key, out)?,
            RecordView::Headers => self.json.write_headers(&record.headers, out)?,
        }
        out.push(b'\n');
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

impl Json {
    /// As on the JVM, a struct is written by its schema, and anything else as if it had none.
    fn write(&self, data: &Data, out: &mut Vec<u8>) -> Result<()> {
        match (&data.schema, &data.value) {
            (Some(schema), value @ Value::Struct(_)) if matches!(schema.schema_type, SchemaType::Struct(_)) => {
                self.write_typed(schema, value, out)
            }
            (_, value) => self.rendering.write_plain(value, out),
        }
    }

    fn write_headers(&self, headers: &[Header], out: &mut Vec<u8>) -> Result<()> {
        let rendering = self.rendering;
        out.extend_from_slice(b"{\"headers\":[");
        for (index, header) in headers.iter().enumerate() {
            let Some(text) = header_text(&header.value, rendering) else {
                return Err(Error::data("Invalid value: null used for required field: \"value\", schema type: STRING"));
            };
            out.extend_from_slice(if index == 0 { b"{\"key\":" } else { b",{\"key\":" });
            rendering.write_text(&header.key, out);
            out.extend_from_slice(b",\"value\":");
            rendering.write_text(&text, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use connect_api::{
        data::{Data, JsonText, Text},
        testing::{format, record_of, record_with},
    };

    use super::*;

    fn format_with(rendering: &str) -> JsonFormat {
        JsonFormat::configure(&[("json.rendering", rendering)].into_iter().collect()).unwrap()
    }

    fn line(rendering: &str, view: RecordView, record: &SinkRecord) -> Result<String> {
        let mut out = Vec::new();
        format_with(rendering).record_writer(view).unwrap().write(record, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn value_line(rendering: &str, value: Value) -> String {
        line(rendering, RecordView::Value, &record_of(Data::schemaless(value))).unwrap()
    }

    fn json(text: &'static str) -> Value {
        Value::Json(JsonText::parse(&Bytes::from_static(text.as_bytes())).unwrap().unwrap())
    }

    fn text(text: &'static str) -> Data {
        Data::schemaless(Value::String(Text::from(text)))
    }

    #[test]
    fn it_keeps_the_contract_for_every_view() {
        let value = Data::schemaless(json("{\"b\":1,\"a\":[1.50,null]}"));
        let good = record_with(text("k"), value.clone(), &[("h", text("v")), ("h", text("w"))]);
        let null_header = record_with(text("k"), value, &[("h", text("v")), ("n", Data::default())]);
        let records = [good.clone(), null_header, record_of(Data::default()), good];
        for rendering in ["lossless", "jvm"] {
            for view in [RecordView::Value, RecordView::Key, RecordView::Headers] {
                format::keeps_the_contract(&format_with(rendering), view, &records);
            }
        }
    }

    #[test]
    fn lossless_json_is_the_producers_text() {
        let text = "{\"b\":1.10,\"a\":12345678901234567890,\"e\":\"\\u00e9😀\"}";
        assert_eq!(value_line("lossless", json(text)), format!("{text}\n"));
    }

    #[test]
    fn jvm_json_is_what_the_jvm_writes() {
        let line = value_line("jvm", json("{\"b\":1.10,\"a\":12345678901234567890,\"e\":\"\\u00e9😀\"}"));
        assert_eq!(line, "{\"a\":-6101065172474983726,\"b\":1.1,\"e\":\"é\\uD83D\\uDE00\"}\n");
    }

    #[test]
    fn text_is_quoted_even_if_it_is_json() {
        let value = || Value::String(Text::from("{\"a\":\n\u{1f}/\\é😀\u{2028}}"));
        assert_eq!(value_line("lossless", value()), "\"{\\\"a\\\":\\n\\u001F/\\\\é😀\u{2028}}\"\n");
        assert_eq!(value_line("jvm", value()), "\"{\\\"a\\\":\\n\\u001F/\\\\é\\uD83D\\uDE00\u{2028}}\"\n");
    }

    #[test]
    fn scalars_print_as_in_java() {
        let lines = [
            (Value::Null, "null\n"),
            (Value::Boolean(true), "true\n"),
            (Value::Int8(-1), "-1\n"),
            (Value::Int64(i64::MIN), "-9223372036854775808\n"),
            (Value::Float32(3.4e38), "3.4E38\n"),
            (Value::Float64(1e10), "1.0E10\n"),
            (Value::Float64(-0.0), "-0.0\n"),
            (Value::Float64(f64::NAN), "\"NaN\"\n"),
            (Value::Float32(f32::NEG_INFINITY), "\"-Infinity\"\n"),
            (Value::Bytes(Bytes::from_static(b"\0\x01\x02\xff")), "\"AAEC/w==\"\n"),
        ];
        for (value, expected) in lines {
            assert_eq!(value_line("lossless", value.clone()), expected);
            assert_eq!(value_line("jvm", value), expected);
        }
    }

    #[test]
    fn keys_are_written_like_values() {
        let record = record_with(text("é\""), Data::default(), &[]);
        assert_eq!(line("lossless", RecordView::Key, &record).unwrap(), "\"é\\\"\"\n");
    }

    #[test]
    fn headers_are_one_object_a_record_with_text_for_values() {
        let headers = [
            ("s", text("two words")),
            ("n", Data::schemaless(Value::Int8(12))),
            ("b", Data::schemaless(Value::Bytes(Bytes::from_static(b"abc")))),
            ("j", Data::schemaless(json("{\"k\": 1}"))),
            ("t", Data::schemaless(json("\"a\\nb\""))),
        ];
        let record = record_with(Data::default(), Data::default(), &headers);
        let expected = "{\"headers\":[{\"key\":\"s\",\"value\":\"two words\"},{\"key\":\"n\",\"value\":\"12\"},\
                        {\"key\":\"b\",\"value\":\"YWJj\"},{\"key\":\"j\",\"value\":\"{\\\"k\\\":1}\"},\
                        {\"key\":\"t\",\"value\":\"a\\nb\"}]}\n";
        assert_eq!(line("lossless", RecordView::Headers, &record).unwrap(), expected);
    }

    #[test]
    fn a_header_without_a_value_is_refused() {
        let record = record_with(Data::default(), Data::default(), &[("n", Data::default())]);
        let error = line("lossless", RecordView::Headers, &record).unwrap_err();
        assert_eq!(error.to_string(), "Invalid value: null used for required field: \"value\", schema type: STRING");
    }

    #[test]
    fn another_rendering_is_refused() {
        let error = JsonFormat::configure(&[("json.rendering", "pretty")].into_iter().collect()).unwrap_err();
        assert!(error.to_string().contains("must be one of lossless, jvm"), "{error}");
    }

    #[test]
    fn decimals_have_two_formats_and_base64_is_the_usual_one() {
        use connect_api::config::AnyConfigKey;

        assert_eq!(JSON_DECIMAL_FORMAT.default(), Some("BASE64"));
        assert!(JSON_DECIMAL_FORMAT.parse("NUMERIC").is_ok() && JSON_DECIMAL_FORMAT.parse("Random").is_err());
    }
}
