//! The table.

use std::{fmt, fs, process::Command};

use crate::{
    Result,
    arguments::Arguments,
    plan::{Case, PARTITIONS, Target},
    process::Measurement,
};

const MEGABYTE: f64 = 1e6;
const GIGABYTE: f64 = 1e9;

/// All repetitions of one case.
pub(crate) struct Row {
    case: Case,
    runs: Vec<Measurement>,
    bare: Vec<Measurement>,
}

impl Row {
    pub(crate) fn new(case: &Case) -> Self {
        Self { case: case.clone(), runs: Vec::new(), bare: Vec::new() }
    }

    /// One repetition: bare consumption, and the sink right after it.
    pub(crate) fn add(&mut self, bare: &Measurement, run: &Measurement) {
        self.bare.push(bare.clone());
        self.runs.push(run.clone());
    }

    fn median_of(&self, figure: impl Fn(&Measurement) -> f64) -> f64 {
        median(self.runs.iter().map(figure).collect())
    }

    fn most_of(&self, figure: impl Fn(&Measurement) -> f64) -> f64 {
        self.runs.iter().map(figure).fold(0.0, f64::max)
    }

    /// How fast the sink was beside bare consumption, in the same repetition.
    fn ratio(&self) -> f64 {
        median(self.bare.iter().zip(&self.runs).map(|(bare, run)| bare.seconds / run.seconds).collect())
    }

    fn cells(&self) -> Vec<String> {
        let Case { target, flush_size, record_size, records, layout } = &self.case;
        let (records, objects, bytes) = (*records as f64, self.case.objects() as f64, self.case.bytes() as f64);
        let seconds = self.median_of(|run| run.seconds);
        let cpu = self.median_of(|run| run.cpu_seconds);
        vec![
            format!("{target}{layout}"),
            record_size.to_string(),
            flush_size.to_string(),
            format!("{:.0}", records / seconds),
            format!("{:.1}", bytes / seconds / MEGABYTE),
            format!("{:.2}", self.ratio()),
            format!("{:.0}", objects / seconds),
            format!("{:.2}", cpu / (bytes / GIGABYTE)),
            format!("{:.3}", cpu * 1000.0 / objects),
            match target {
                Target::Memory => "–".to_owned(),
                Target::Http(_) => format!("{:.2}", self.median_of(|run| run.requests) / objects),
            },
            format!("{:.0}", self.most_of(|run| run.peak_memory) / MEGABYTE),
            format!("{:.0}", self.most_of(|run| run.first_object)),
        ]
    }

    /// What librdkafka did with the same records.
    fn bare_cells(&self) -> Vec<String> {
        let (records, bytes) = (self.case.records as f64, self.case.bytes() as f64);
        let of = |figure: fn(&Measurement) -> f64| median(self.bare.iter().map(figure).collect());
        let seconds = of(|run| run.seconds);
        vec![
            self.case.record_size.to_string(),
            format!("{records:.0}"),
            format!("{:.0}", records / seconds),
            format!("{:.1}", bytes / seconds / MEGABYTE),
            format!("{:.2}", of(|run| run.cpu_seconds) / (bytes / GIGABYTE)),
            format!("{:.0}", of(|run| run.peak_memory) / MEGABYTE),
        ]
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_row(f, &self.cells())
    }
}

/// All rows, and where they were measured.
pub(crate) struct Report {
    text: String,
    rows: Vec<Row>,
    left_out: Vec<String>,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, mock: bool) -> Self {
        let broker = if mock { "librdkafka's mock cluster: not a measurement of throughput" } else { "a real one beside it" };
        let quick = if arguments.quick { "\n- `--quick`: too short to mean anything but that it runs" } else { "" };
        let text = format!(
            "# flush_throughput\n\n- machine: {}\n- commit: {}\n- date: {}\n- broker: {broker}; {PARTITIONS} partitions, {PARTITIONS} tasks{quick}\n",
            machine(),
            output("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
            output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        );
        Self { text, rows: Vec::new(), left_out: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn left_out(&mut self, case: &Case) {
        self.left_out.push(case.to_string());
    }

    /// Prints the tables, and writes them to `--output`.
    pub(crate) fn print(&self, arguments: &Arguments) -> Result<()> {
        println!("{self}");
        if let Some(path) = &arguments.output {
            fs::write(path, self.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        write_header(
            f,
            &[
                "store",
                "record, B",
                "flush.size",
                "records/s",
                "MB/s",
                "× librdkafka",
                "objects/s",
                "CPU s/GB",
                "CPU ms/object",
                "requests/object",
                "peak MB",
                "first object, ms",
            ],
        )?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        writeln!(f, "\nBare librdkafka consumption of the same topics, in turns with the rows above:\n")?;
        write_header(f, &["record, B", "records", "records/s", "MB/s", "CPU s/GB", "peak MB"])?;
        let mut seen = Vec::new();
        for row in self.rows.iter().rev() {
            if !seen.contains(&row.case.topic()) {
                seen.push(row.case.topic());
                write_row(f, &row.bare_cells())?;
                writeln!(f)?;
            }
        }
        if !self.left_out.is_empty() {
            writeln!(f, "\nLeft out, because the mock cluster cannot hold the records: {}.", self.left_out.join("; "))?;
        }
        Ok(())
    }
}

fn write_header(f: &mut fmt::Formatter<'_>, cells: &[&str]) -> fmt::Result {
    let dashes = vec!["---:"; cells.len()];
    writeln!(f, "| {} |\n| {} |", cells.join(" | "), dashes.join(" | "))
}

fn write_row(f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
    write!(f, "| {} |", cells.join(" | "))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn machine() -> String {
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let value =
            text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim().to_owned()));
        value.unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores, {} memory", field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
