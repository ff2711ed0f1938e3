//! Tables for people: aligned by what is seen, wide signs too, and fitted to the terminal.

use std::io::IsTerminal as _;

use cloudmeet_api_types::WireTime;
use comfy_table::{ContentArrangement, Table as Grid, presets};

use crate::text::on_one_line;

/// Is a table to be printed.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Has a head and no rows yet.
    pub(crate) fn new<const N: usize>(head: [&'static str; N]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as the head has.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.head.len(), "a row has a cell under each head");
        self.rows.push(cells.map(|cell| on_one_line(&cell)).to_vec());
    }

    /// Writes it out. What does not fit a terminal's width is wrapped; anywhere else nothing is.
    pub(crate) fn render(&self) -> String {
        self.render_in(terminal_width())
    }

    fn render_in(&self, width: Option<u16>) -> String {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_header(&self.head).add_rows(&self.rows);
        if let Some(width) = width {
            grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        let last = self.head.len().saturating_sub(1);
        for (place, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, if place == last { 0 } else { 2 }));
        }
        let mut text = String::new();
        for line in grid.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Is the width of the terminal that standard output is; `None` when it is none.
fn terminal_width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(terminal_size::Width(width), _)| width.max(20))
}

/// Is a time for a table: to the minute, UTC.
pub(crate) fn moment(time: WireTime) -> String {
    let text = time.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{}Z", minute.replace('T', " ")))
}

/// Writes names and values under each other.
pub(crate) fn details(values: &[(&str, String)]) -> String {
    let width = values.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    let mut text = String::new();
    for (name, value) in values {
        text.push_str(format!("{:width$}{}", format!("{name}:"), on_one_line(value)).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Table {
        let mut table = Table::new(["ID", "NAME", "ROLE"]);
        table.row(["1".to_owned(), "田中さん".to_owned(), "owner".to_owned()]);
        table.row(["20".to_owned(), "Ann\u{1b}[31m".to_owned(), "moderator".to_owned()]);
        table
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_signs_are_wide() {
        let text = people().render_in(None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ID  NAME      ROLE");
        assert_eq!(lines[1], "1   田中さん  owner");
        assert_eq!(lines[2], "20  Ann�[31m  moderator");
    }

    #[test]
    fn a_narrow_terminal_wraps_and_loses_nothing() {
        let mut table = Table::new(["ID", "NAME"]);
        table.row(["1".to_owned(), "a name that is longer than the terminal is wide".to_owned()]);
        let text = table.render_in(Some(24));
        assert!(text.lines().all(|line| line.chars().count() <= 24), "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words.len(), 2 + 1 + 10, "{text}");
    }
}
