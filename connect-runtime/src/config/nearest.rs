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
    fn other_words_are_not() {
        assert_eq!(nearest("s3.region", KEYS), None);
        assert_eq!(nearest("max", KEYS), None);
    }
}
