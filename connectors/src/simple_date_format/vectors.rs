//! What Java 17 (17.0.15, locale `en`) answers, as data: `vectors.tsv` has what is asked, the pattern, the instant or the text, and the answer. `-` is a
//! text that does not fit, or a pattern that is fine. Two-digit years are those of 24 April 2024.

use super::*;

const VECTORS: &str = include_str!("vectors.tsv");
const NOW: i64 = 1_713_957_753_000;

fn answer(question: &str, pattern: &str, input: &str) -> String {
    let format = match SimpleDateFormat::at(pattern, NOW) {
        Ok(format) => format,
        Err(error) => return error,
    };
    let mut out = String::new();
    match question {
        "format" => format.format(input.parse().unwrap(), &mut out),
        "parse" => out = format.parse(input).map_or("-".to_owned(), |millis| millis.to_string()),
        _ => out.push('-'),
    }
    out
}

#[test]
fn every_vector_of_java_holds() {
    let differing = VECTORS.lines().filter_map(|line| {
        let fields: Vec<String> = line.split('\t').map(|field| field.replace("\\t", "\t")).collect();
        let [question, pattern, input, expected] = fields.as_slice() else { return Some(line.to_owned()) };
        let ours = answer(question, pattern, input);
        (ours != *expected).then(|| format!("{line}: {ours}"))
    });
    assert_eq!(differing.collect::<Vec<_>>(), [""; 0]);
}
