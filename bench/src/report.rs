//! What was measured, as a table, and on what machine.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

const BEGIN: &str = "<!-- bench -->";
const END: &str = "<!-- /bench -->";

/// Is what was measured so far.
pub(crate) struct Report {
    rows: Vec<[String; 5]>,
}

impl Report {
    pub(crate) const fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a ratio of two rates, ours by the reference's.
    pub(crate) fn ratio(&mut self, what: &str, (ours, reference): (f64, f64), against: &str, unit: &str, target: &str) {
        let shown = |value: f64| format!("{} {unit}", number(value));
        let relation = format!("{:.2}", ours / reference);
        self.add([
            what.to_owned(),
            shown(ours),
            format!("{against}: {}", shown(reference)),
            relation,
            target.to_owned(),
        ]);
    }

    /// Adds a figure that is compared with nothing but its target.
    pub(crate) fn figure(&mut self, what: &str, value: String, target: &str) {
        self.add([what.to_owned(), value, "–".to_owned(), "–".to_owned(), target.to_owned()]);
    }

    /// Adds a row with its own words.
    pub(crate) fn add(&mut self, row: [String; 5]) {
        eprintln!("  {}", row.join(" | "));
        self.rows.push(row);
    }

    /// Is the table in Markdown, with the machine above it.
    pub(crate) fn table(&self) -> String {
        let mut text =
            format!("{}\n\n| What | CloudMeet | Reference | Ratio | Target |\n|---|---|---|---|---|\n", machine());
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    /// Replaces the table in a file.
    pub(crate) fn write_into(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = parts.with_context(|| format!("{name} has no {BEGIN} … {END}"))?;
        ensure!(!self.rows.is_empty(), "nothing was measured");
        fs::write(file, format!("{before}{BEGIN}\n{}{END}{after}", self.table()))
            .with_context(|| format!("cannot write {name}"))
    }
}

/// Is a number with as many digits as anybody reads.
pub(crate) fn number(value: f64) -> String {
    if value >= 100.0 {
        let digits = format!("{value:.0}");
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        text
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// Says where and when it was measured.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory_gib = field("/proc/meminfo", "MemTotal")
        .and_then(|kib| kib.split(' ').next()?.parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1_048_576.0);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .unwrap_or("Linux")
        .trim_matches('"')
        .to_owned();
    let date = output("date", &["-u", "+%Y-%m-%d"]);
    format!(
        "{date}, {cores} cores ({processor}), {memory_gib:.0} GiB, {system}; server, load, Postgres, Redis and nginx share them."
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
