//! The fields of a struct.

use std::sync::Arc;

use super::Schema;

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Unique within its struct.
    pub name: Arc<str>,
    /// The schema of its values.
    pub schema: Arc<Schema>,
}

/// The fields of a struct, in their order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Fields(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    fields: Vec<Field>,
    /// The fields' places, by their names.
    by_name: Vec<usize>,
}

impl Fields {
    /// These fields, in this order.
    ///
    /// # Errors
    /// The first name that occurs twice.
    pub fn new(fields: Vec<Field>) -> Result<Self, Arc<str>> {
        let mut by_name: Vec<usize> = (0..fields.len()).collect();
        by_name.sort_by(|left, right| fields[*left].name.cmp(&fields[*right].name));
        let repeated = by_name.windows(2).filter(|pair| fields[pair[0]].name == fields[pair[1]].name);
        match repeated.map(|pair| pair[1]).min() {
            Some(repeated) => Err(Arc::clone(&fields[repeated].name)),
            None => Ok(Self(Arc::new(Inner { fields, by_name }))),
        }
    }

    /// The place of the field with this name. `near`: where it probably is, which is looked at first.
    pub fn find(&self, name: &str, near: usize) -> Option<usize> {
        let Inner { fields, by_name } = &*self.0;
        if fields.get(near).is_some_and(|field| *field.name == *name) {
            return Some(near);
        }
        let found = by_name.binary_search_by(|place| (*fields[*place].name).cmp(name)).ok()?;
        by_name.get(found).copied()
    }

    /// The field with this name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.fields.get(self.find(name, 0)?)
    }
}

impl std::ops::Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.0.fields
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.fields == other.0.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SchemaType;

    fn fields(names: &[&str]) -> Result<Fields, Arc<str>> {
        let schema = Schema::optional(SchemaType::Int32);
        Fields::new(names.iter().map(|name| Field { name: (*name).into(), schema: Arc::clone(&schema) }).collect())
    }

    #[test]
    fn fields_are_found_by_their_names_wherever_they_are_looked_for_first() {
        let fields = fields(&["b", "a", "", "é", "c"]).unwrap();
        for near in 0..6 {
            for (place, field) in fields.iter().enumerate() {
                assert_eq!(fields.find(&field.name, near), Some(place));
            }
            assert_eq!(fields.find("x", near), None);
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        assert_eq!(&*fields(&["a", "b", "c", "b", "a"]).unwrap_err(), "b");
    }
}
