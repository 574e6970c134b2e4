//! What records look like, one after the other: the most general of all that were seen.

use std::collections::HashMap;

use connect_api::data::json::{Cursor, Kind, decode_string};

/// Objects in objects. What is deeper is kept as text.
const DEEPEST: usize = 30;
/// Members of one object. What has more is a map by its nature, and is kept as text.
const MOST_MEMBERS: usize = 1_000;
/// Members of all objects of a record.
const MOST_IN_ALL: usize = 20_000;
/// Up to it every whole number is a double.
const EXACT_IN_A_DOUBLE: u64 = 1 << 53;

/// What values at one place look like.
#[derive(Debug, Default)]
pub(super) enum Shape {
    /// Nothing but null.
    #[default]
    Null,
    Boolean,
    /// Whole numbers of 64 bits; whether one of them is no double.
    Integer {
        is_large: bool,
    },
    Fraction,
    Text,
    Array(Box<Shape>),
    Object(Members),
    /// Of several kinds, or of one that no type of a file has.
    Any,
}

impl Shape {
    /// How many members it has, with those of its members.
    fn members(&self) -> usize {
        match self {
            Self::Object(members) => members.all.iter().map(|(_, shape)| 1 + shape.members()).sum(),
            Self::Array(items) => items.members(),
            _ => 0,
        }
    }

    /// Whether it is an object, or an array of them.
    pub(super) fn has_object(&self) -> bool {
        match self {
            Self::Object(_) => true,
            Self::Array(items) => items.has_object(),
            _ => false,
        }
    }
}

/// In the order in which they were seen first.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) all: Vec<(String, Shape)>,
    places: HashMap<String, usize>,
}

/// Looks at records.
#[derive(Debug, Default)]
pub(super) struct Observer {
    members: usize,
}

impl Observer {
    /// Looks at the next value, and makes the shape one that it fits.
    pub(super) fn see(&mut self, shape: &mut Shape, cursor: &mut Cursor<'_>, level: usize) {
        let kind = cursor.kind();
        if kind == Kind::Null || matches!(shape, Shape::Any) || level > DEEPEST {
            cursor.value();
            if kind != Kind::Null {
                self.give_up(shape);
            }
            return;
        }
        if matches!(shape, Shape::Null) {
            *shape = match kind {
                Kind::Object => Shape::Object(Members::default()),
                Kind::Array => Shape::Array(Box::default()),
                Kind::String => Shape::Text,
                Kind::Boolean => Shape::Boolean,
                Kind::Number | Kind::Null => Shape::Null,
            };
        }
        match (&mut *shape, kind) {
            (Shape::Object(members), Kind::Object) => {
                if self.members_fit(members, cursor, level) {
                    return;
                }
                self.give_up(shape);
            }
            (Shape::Array(items), Kind::Array) => {
                let mut goes_on = cursor.enter();
                while goes_on {
                    self.see(items, cursor, level + 1);
                    goes_on = cursor.goes_on();
                }
            }
            (Shape::Text, Kind::String) | (Shape::Boolean, Kind::Boolean) => drop(cursor.value()),
            (Shape::Null | Shape::Integer { .. } | Shape::Fraction, Kind::Number) => {
                let found = number(cursor.value());
                *shape = match (&*shape, found) {
                    (Shape::Null, found) => found,
                    (Shape::Integer { is_large }, Shape::Integer { is_large: other }) => {
                        Shape::Integer { is_large: *is_large || other }
                    }
                    (Shape::Fraction, Shape::Fraction | Shape::Integer { is_large: false })
                    | (Shape::Integer { is_large: false }, Shape::Fraction) => Shape::Fraction,
                    // A double would lose digits of one of them.
                    _ => Shape::Any,
                };
            }
            _ => {
                cursor.value();
                self.give_up(shape);
            }
        }
    }

    /// It may be anything: its members are no longer looked at, and others may take their places.
    fn give_up(&mut self, shape: &mut Shape) {
        self.members -= shape.members();
        *shape = Shape::Any;
    }

    /// Whether the object is one of few members.
    fn members_fit(&mut self, members: &mut Members, cursor: &mut Cursor<'_>, level: usize) -> bool {
        // What is outermost stays an object in any case.
        let most = if level == 0 { usize::MAX } else { MOST_MEMBERS };
        let (mut fits, mut goes_on) = (true, cursor.enter());
        while goes_on {
            let name = decode_string(cursor.name());
            let place = members.places.get(&*name).copied();
            match place.or_else(|| self.add(members, &name, most)) {
                Some(place) => self.see(&mut members.all[place].1, cursor, level + 1),
                None => {
                    cursor.value();
                    fits = false;
                }
            }
            goes_on = cursor.goes_on();
        }
        // Members of the record beyond the limit are such as its schema does not know.
        fits || level == 0
    }

    fn add(&mut self, members: &mut Members, name: &str, most: usize) -> Option<usize> {
        if members.all.len() >= most || self.members >= MOST_IN_ALL {
            return None;
        }
        self.members += 1;
        members.places.insert(name.to_owned(), members.all.len());
        members.all.push((name.to_owned(), Shape::Null));
        Some(members.all.len() - 1)
    }
}

fn number(text: &[u8]) -> Shape {
    let text = std::str::from_utf8(text).unwrap_or_default();
    if !text.contains(['.', 'e', 'E']) {
        return match text.parse::<i64>() {
            Ok(whole) => Shape::Integer { is_large: whole.unsigned_abs() > EXACT_IN_A_DOUBLE },
            Err(_) => Shape::Any,
        };
    }
    match text.parse::<f64>() {
        // What a double does not hold would be another number in the files.
        Ok(number) if number.is_finite() && digits(text).eq(digits(&format!("{number:e}"))) => Shape::Fraction,
        _ => Shape::Any,
    }
}

/// The digits that count: without the zeros at both ends.
fn digits(number: &str) -> impl Iterator<Item = char> {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let is_digit = |character: &char| character.is_ascii_digit();
    mantissa.trim_end_matches(['0', '.']).chars().filter(is_digit).skip_while(|digit| *digit == '0')
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use connect_api::data::JsonText;

    use super::*;

    #[test]
    fn members_of_what_became_a_text_are_given_back() {
        let members = |from: usize, to: usize| {
            let members: Vec<_> = (from..to).map(|member| format!("\"m{member}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        let (mut observer, mut shape) = (Observer::default(), Shape::default());
        for map in 0..60 {
            // Too many members, or something of another kind in their place.
            let first = if map % 2 == 0 { members(0, 1_001) } else { format!("[{{\"a\":{}}}]", members(0, 900)) };
            for value in [first, "1".to_owned()] {
                let record = Bytes::from(format!("{{\"map{map}\":{value}}}"));
                observer.see(&mut shape, &mut Cursor::new(&JsonText::parse(&record).unwrap().unwrap()), 0);
            }
        }
        assert_eq!((observer.members, shape.members()), (60, 60));
    }
}
