//! English names, as CLDR 39 has them in Java 17.

pub(super) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

pub(super) const SHORT_MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Sunday first, as `Calendar` counts them.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) const SHORT_DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

pub(super) const HALVES: [&str; 2] = ["AM", "PM"];

pub(super) const ERAS: [&str; 2] = ["BC", "AD"];

/// Names of eras that are read, but never written.
pub(super) const LONG_ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];

/// The name at an index that counts from 0; nothing if there is none.
pub(super) fn at(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// The index of the longest name that a text begins with in any case, and what follows it.
pub(super) fn longest(text: &str, names: impl IntoIterator<Item = &'static str>) -> Option<(usize, &str)> {
    let after = |name: &str| text.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name)).and(text.get(name.len()..));
    names.into_iter().enumerate().filter_map(|(index, name)| Some((index, after(name)?))).min_by_key(|(_, rest)| rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_is_taken_whatever_its_case() {
        assert_eq!(longest("juneau", ["Jun", "June"]), Some((1, "au")));
        assert_eq!(longest("JUN", ["Jun", "June"]), Some((0, "")));
        assert_eq!(longest("ju", ["Jun", "June"]), None);
        assert_eq!(longest("é", ["x"]), None, "a name may end within a character of the text");
    }
}
