//! What is said of a configuration, for people and for programs.

use connect_api::config::{Problem, Problems};
use serde_json::json;

use super::arguments::Output;
use crate::config::Validation;

/// Why nothing is started.
#[derive(Debug, Default)]
pub(super) struct Refused {
    validation: Validation,
    exit_code: u8,
}

impl Refused {
    /// Problems that are found at this stage.
    pub(super) fn of(exit_code: u8, problems: Problems) -> Self {
        Self { validation: Validation::of_problems(problems), exit_code }
    }

    /// Adds a problem; the first one decides the exit code.
    pub(super) fn push(&mut self, exit_code: u8, problem: Problem) {
        let mut problems = Problems::default();
        problems.push(problem);
        self.append(exit_code, &Validation::of_problems(problems));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.validation.problems.is_empty()
    }

    /// Adds what came of a check.
    pub(super) fn append(&mut self, exit_code: u8, validation: &Validation) {
        if self.exit_code == 0 && !validation.problems.is_empty() {
            self.exit_code = exit_code;
        }
        self.validation.append(validation);
    }

    /// The value, or an empty one for the time being and its problems.
    pub(super) fn unless<T: Default>(&mut self, exit_code: u8, result: Result<T, Problems>) -> T {
        result.unwrap_or_else(|problems| {
            self.append(exit_code, &Validation::of_problems(problems));
            T::default()
        })
    }

    /// The warnings, where nothing is wrong.
    pub(super) fn into_result(self) -> Result<Problems, Self> {
        if self.validation.problems.is_empty() { Ok(self.validation.warnings) } else { Err(self) }
    }

    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// For people: one line each, in the order of files and lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (severity, problem) in self.sorted() {
            text.push_str(&format!("{severity}: {problem}\n"));
        }
        let (problems, warnings) = (self.validation.problems.len(), self.validation.warnings.len());
        let count = |number, what| if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") };
        text.push_str(&format!("{}, {}", count(problems, "error"), count(warnings, "warning")));
        text
    }

    pub(super) fn report(&self, output: Output) -> String {
        match output {
            Output::Text => format!("{}\n", self.text()),
            Output::Json => as_json(false, &self.sorted()),
        }
    }

    fn sorted(&self) -> Vec<(&'static str, &Problem)> {
        let problems = self.validation.problems.iter().map(|problem| ("error", problem));
        let warnings = self.validation.warnings.iter().map(|problem| ("warning", problem));
        let mut all: Vec<_> = problems.chain(warnings).collect();
        in_order_of_lines(&mut all);
        all
    }
}

fn in_order_of_lines(lines: &mut [(&str, &Problem)]) {
    lines.sort_by_key(|(_, problem)| problem.origin.as_ref().map(|origin| (origin.file.clone(), origin.line)));
}

/// Nothing is wrong, but there may be warnings.
pub(super) fn valid(warnings: &Problems, output: Output) -> String {
    let mut lines: Vec<_> = warnings.iter().map(|problem| ("warning", problem)).collect();
    in_order_of_lines(&mut lines);
    match output {
        Output::Json => as_json(true, &lines),
        Output::Text => {
            let mut text: String = lines.iter().map(|(severity, problem)| format!("{severity}: {problem}\n")).collect();
            text.push_str("valid\n");
            text
        }
    }
}

fn as_json(valid: bool, lines: &[(&str, &Problem)]) -> String {
    let lines: Vec<_> = lines.iter().map(|(severity, problem)| line(severity, problem)).collect();
    format!("{:#}\n", json!({"valid": valid, "problems": lines}))
}

fn line(severity: &str, problem: &Problem) -> serde_json::Value {
    let origin = problem.origin.as_ref();
    json!({
        "severity": severity,
        "file": origin.map(|origin| &*origin.file),
        "line": origin.map(|origin| origin.line).filter(|line| *line > 0),
        "key": problem.key,
        "message": problem.message,
        "suggestion": problem.suggestion,
    })
}
