//! Fields of structs.

use connect_api::{
    Error, Result,
    data::{Data, Fields, Schema, Value},
};

/// The fields of a struct with their values; `None` where the data is none.
pub(super) fn fields_of(data: &Data) -> Option<(&Fields, &[Value])> {
    match (data.schema.as_ref()?.fields(), &data.value) {
        (Some(fields), Value::Struct(values)) => Some((fields, values)),
        _ => None,
    }
}

/// The value that these names lead to, with its schema. A null on the way is null, and null becomes the default of its field, where it has one.
///
/// # Errors
/// `Data` where the schema has no such field.
pub(super) fn find<'a>((mut fields, mut values): (&'a Fields, &'a [Value]), path: &[String]) -> Result<(&'a Schema, &'a Value)> {
    let mut names = path.iter();
    let Some(mut name) = names.next() else { return Err(missing("")) };
    loop {
        let place = fields.find(name, 0).ok_or_else(|| missing(name))?;
        let schema = &*fields[place].schema;
        let value = match (values.get(place).unwrap_or(&Value::Null), &schema.default) {
            (Value::Null, Some(default)) => default,
            (value, _) => value,
        };
        let Some(next) = names.next() else { return Ok((schema, value)) };
        (fields, values) = match (schema.fields(), value) {
            (Some(fields), Value::Struct(values)) => (fields, &values[..]),
            (Some(fields), _) => (fields, &[][..]),
            (None, _) => {
                let what = schema.schema_type.name();
                return Err(Error::data(format!("The field '{name}' is of type {what} and has no fields")));
            }
        };
        name = next;
    }
}

fn missing(name: &str) -> Error {
    Error::data(format!("The field '{name}' does not exist in the schema of the value"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_api::data::{Field, SchemaType};

    use super::*;

    fn field(name: &str, schema: Schema) -> Field {
        Field { name: name.into(), schema: Arc::new(schema) }
    }

    fn found(path: &[&str], nested: Value) -> Result<Value> {
        let defaulted = Schema { default: Some(Value::Int32(7)), ..Schema::required(SchemaType::Int32) };
        let inner = Fields::new(vec![field("i", Schema::required(SchemaType::Int32)), field("d", defaulted)]).unwrap();
        let outer = Fields::new(vec![
            field("s", Schema::required(SchemaType::String)),
            field("n", Schema { optional: true, ..Schema::required(SchemaType::Struct(inner)) }),
        ]);
        let values = [Value::String("text".into()), nested];
        let path: Vec<_> = path.iter().map(|name| (*name).to_owned()).collect();
        find((&outer.unwrap(), &values), &path).map(|(_, value)| value.clone())
    }

    #[test]
    fn names_lead_into_structs_and_nulls_become_defaults() {
        let nested = || Value::Struct(vec![Value::Int32(1), Value::Null]);
        assert_eq!(found(&["s"], nested()).unwrap(), Value::String("text".into()));
        assert_eq!(found(&["n", "i"], nested()).unwrap(), Value::Int32(1));
        assert_eq!(found(&["n", "d"], nested()).unwrap(), Value::Int32(7));
        assert_eq!(found(&["n", "i"], Value::Null).unwrap(), Value::Null);
    }

    #[test]
    fn what_the_schema_does_not_have_is_refused() {
        for path in [&["x"][..], &["n", "x"], &["s", "x"], &["x", "i"]] {
            assert_eq!(found(path, Value::Null).unwrap_err().kind(), connect_api::ErrorKind::Data, "{path:?}");
        }
    }
}
