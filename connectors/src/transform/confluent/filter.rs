//! Records that a condition chooses.

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Value},
};

use crate::{
    json_path::{Failure, JsonPath},
    transform::operand::{OperandTransformation, classes, no_object, no_struct},
};

static FILTER_CONDITION: ConfigKey<String> = ConfigKey::required(
    "filter.condition",
    "The condition: a path in the dialect of Java's JsonPath, such as `$[?(@.shop == 'a' && @.price > 10)]` or `$.after.name`. A record matches where the path \
     leads to anything. Unlike there, `[?(@.a[*])]` is true only where there is any, and `size` also counts the members of objects.",
)
.check(|condition| JsonPath::new(condition).map(drop).map_err(|reason| format!("Invalid json path defined: {reason}")));
static FILTER_TYPE: ConfigKey<String> = ConfigKey::required(
    "filter.type",
    "What becomes of records that match. include: they stay, and no others; exclude: they are dropped.",
)
.one_of_any_case(&["include", "exclude"]);
static MISSING_OR_NULL_BEHAVIOR: ConfigKey<String> = ConfigKey::with_default(
    "missing.or.null.behavior",
    "fail",
    "What becomes of a record that lacks a field which the path names outside of `[?(…)]`. fail: it fails; include: it stays; exclude: it is dropped.",
)
.one_of_any_case(&["fail", "include", "exclude"]);

/// Keeps or drops records. Those without an operand stay.
pub(crate) struct Filter {
    condition: JsonPath,
    includes: bool,
    missing: Missing,
}

enum Missing {
    Fail,
    Include,
    Exclude,
}

impl OperandTransformation for Filter {
    classes!("io.confluent.connect.transforms.", "Filter");
    const DOCUMENTATION: &'static str = "Keeps or drops the records that match a condition.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Filter", &[&FILTER_CONDITION, &FILTER_TYPE, &MISSING_OR_NULL_BEHAVIOR])
    }

    fn configure(config: &Config) -> Result<Self> {
        let missing = match &*config.get(&MISSING_OR_NULL_BEHAVIOR)?.to_ascii_lowercase() {
            "include" => Missing::Include,
            "exclude" => Missing::Exclude,
            _ => Missing::Fail,
        };
        let condition = JsonPath::new(&config.get(&FILTER_CONDITION)?).map_err(Error::config)?;
        Ok(Self { condition, includes: config.get(&FILTER_TYPE)?.eq_ignore_ascii_case("include"), missing })
    }

    fn keeps(&self, operand: &Data) -> Result<bool> {
        match (&operand.schema, &operand.value) {
            (_, Value::Null) => return Ok(true),
            (None, Value::Object(_) | Value::Map(_)) | (Some(_), Value::Struct(_)) => {}
            (None, Value::Json(json)) if json.as_bytes().starts_with(b"{") => {}
            (None, other) => return Err(no_object(other.type_name(), "filtering record without schema")),
            (Some(_), other) => return Err(no_struct(other, "filtering record with schema")),
        }
        match (self.condition.matches(operand), &self.missing) {
            (Ok(matches), _) => Ok(matches == self.includes),
            (Err(Failure::Missing), Missing::Include) => Ok(true),
            (Err(Failure::Missing), Missing::Exclude) => Ok(false),
            (Err(Failure::Missing), Missing::Fail) => Err(self.failed(
                "the path could not be found in the record. Set `missing.or.null.behavior` to `include` or `exclude` to change how the transform handles this \
                 condition",
            )
            .with_class("com.jayway.jsonpath.PathNotFoundException")),
            (Err(failure), _) => Err(self.failed(&failure.to_string()).with_class("com.jayway.jsonpath.InvalidPathException")),
        }
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        Ok(operand)
    }
}

impl Filter {
    fn failed(&self, why: &str) -> Error {
        Error::data(format!("Unable to apply the JSON Path filter condition `{}` because {why}", self.condition.as_str()))
    }
}
