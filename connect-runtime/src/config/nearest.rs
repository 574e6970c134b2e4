//! What was probably meant.

use connect_api::{config::Problem, plugins::PluginEntry};

/// No key and no class is as long.
const LONGEST: usize = 120;

/// The name that differs from `name` by a slip or two; none where only longer guesses are left.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody slips in what is so long, and looking costs more with each letter.
    if name.len() > LONGEST {
        return None;
    }
    let slips = (1 + name.chars().count() / 5).min(3);
    let distance = |candidate: &&str| strsim::damerau_levenshtein(name, candidate);
    known
        .into_iter()
        .map(|candidate| (distance(&candidate), candidate))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, near)| near)
}

/// The class whose full name differs from `class` by a slip or two, else the first whose simple name does: people leave out the package.
pub(super) fn nearest_class(class: &str, known: &[&'static str]) -> Option<&'static str> {
    nearest(class, known.iter().copied()).or_else(|| {
        let simple = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
        let simple_names: Vec<_> = known.iter().map(|name| simple(name)).collect();
        let near = nearest(&simple(class), simple_names.iter().map(String::as_str))?;
        simple_names.iter().position(|name| name == near).map(|index| known[index])
    })
}

/// Adds to the refusal of a class which known one was probably meant.
pub(super) fn unknown_class<C: ?Sized>(mut problem: Problem, class: &str, known: &[PluginEntry<C>]) -> Problem {
    if known.is_empty() {
        problem.message = problem.message.replace("Known: ", "There is none of this kind yet");
    }
    let simple = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let given = simple(class);
    let names = known.iter().flat_map(|entry| entry.names().into_iter().map(|name| (simple(name), entry.name)));
    let names: Vec<_> = names.collect();
    let Some(near) = nearest(&given, names.iter().map(|(simple, _)| simple.as_str())) else { return problem };
    match names.iter().find(|(simple, _)| simple == near) {
        Some((_, full)) => problem.suggest(*full),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["tasks.max", "rotate.schedule.interval.ms", "rotate.interval.ms", "flush.size", "topics"];

    #[test]
    fn slips_of_the_finger_are_recognised() {
        assert_eq!(nearest("task.max", KEYS), Some("tasks.max"));
        assert_eq!(nearest("rotate.schedule.intreval.ms", KEYS), Some("rotate.schedule.interval.ms"));
        assert_eq!(nearest("flushsize", KEYS), Some("flush.size"));
        assert_eq!(nearest("topic", KEYS), Some("topics"));
    }

    #[test]
    fn a_class_is_recognised_without_its_package_and_in_another_one() {
        let known = ["com.example.a.ProfileProvider", "com.example.b.ProfileProvider", "com.example.b.TokenProvider"];
        for (given, near) in [
            ("com.example.b.ProfileProvider", known[1]),
            ("com.example.b.ProfilProvider", known[1]),
            ("ProfileProvider", known[0]),
            ("tokenprovidr", known[2]),
            ("org.else.where.TokenProvider", known[2]),
        ] {
            assert_eq!(nearest_class(given, &known), Some(near), "{given}");
        }
        assert_eq!(nearest_class("com.example.a.Anything", &known), None);
    }

    #[test]
    fn other_words_are_not() {
        assert_eq!(nearest("s3.region", KEYS), None);
        assert_eq!(nearest("max", KEYS), None);
    }
}
