//! Maps in which a key occurs twice.

use std::collections::HashMap;

use connect_api::data::Value;

/// Of so few, comparing each with each is faster than hashing.
const FEW: usize = 8;

/// Of keys that are repeated the last value stays, at the place of the first.
pub(super) fn without_repeated_keys(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let is_new = |(place, (key, _)): (usize, &(Value, Value))| entries.iter().take(place).all(|(earlier, _)| earlier != key);
    if entries.len() <= FEW && entries.iter().enumerate().all(is_new) {
        return entries;
    }
    let (mut places, mut kept) = (HashMap::with_capacity(entries.len()), Vec::<(Value, Value)>::with_capacity(entries.len()));
    for (key, value) in entries {
        let place = *places.entry(key.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some((_, earlier)) => *earlier = value,
            None => kept.push((key, value)),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i32, value: i32) -> (Value, Value) {
        (Value::Int32(key), Value::Int32(value))
    }

    #[test]
    fn of_keys_that_are_repeated_the_last_value_stays() {
        assert_eq!(without_repeated_keys(vec![entry(1, 1), entry(2, 2), entry(1, 3)]), [entry(1, 3), entry(2, 2)]);
        let many = || (0..20).map(|key| entry(key, key));
        let expected: Vec<_> = std::iter::once(entry(0, 7)).chain(many().skip(1)).collect();
        assert_eq!(without_repeated_keys(many().chain([entry(0, 7)]).collect()), expected);
    }
}
