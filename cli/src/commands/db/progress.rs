//! A bar that shows how far the work has come: on standard error, and only on a terminal.

use std::time::Duration;

use cloudmeet_store::data::{Part, Progress, Unit, Work};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often it is drawn at least, so that somebody sees that it goes on.
const TICK: Duration = Duration::from_millis(200);

const IN_BYTES: &str = "{msg:28} {bar:24} {bytes}/{total_bytes} {eta}";
const IN_ROWS: &str = "{msg:28} {bar:24} {human_pos}/{human_len} rows {eta}";
const OPEN: &str = "{msg:28} {spinner} {human_pos}";

/// Is the bar of the piece of work that goes on.
pub(super) struct Bar {
    bar: ProgressBar,
    work: Option<Work>,
}

impl Bar {
    /// Shows nothing yet; off a terminal it never does.
    pub(super) fn new() -> Self {
        Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()), work: None }
    }

    /// Shows how far the work has come.
    pub(super) fn show(&mut self, progress: Progress) {
        if self.work != Some(progress.work) {
            self.work = Some(progress.work);
            let template = match (progress.total, progress.unit) {
                (None, _) => OPEN,
                (Some(_), Unit::Bytes) => IN_BYTES,
                (Some(_), Unit::Rows) => IN_ROWS,
            };
            self.bar.reset();
            self.bar.set_style(ProgressStyle::with_template(template).expect("a constant that is well formed"));
            self.bar.set_message(words(progress.work));
            self.bar.enable_steady_tick(TICK);
        }
        if let Some(total) = progress.total {
            // What was estimated too low grows.
            self.bar.set_length(total.max(progress.done));
        }
        self.bar.set_position(progress.done);
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

const fn words(work: Work) -> &'static str {
    match work {
        Work::Snapshot(Part::Auth) => "Reading accounts",
        Work::Snapshot(Part::Conference) => "Reading rooms",
        Work::Write(Part::Auth) => "Writing accounts",
        Work::Write(Part::Conference) => "Writing rooms",
        Work::Verify => "Verifying the backup",
        Work::Restore(Part::Auth) => "Restoring accounts",
        Work::Restore(Part::Conference) => "Restoring rooms",
        Work::Copy(Part::Auth) => "Copying accounts",
        Work::Copy(Part::Conference) => "Copying rooms",
        Work::Compare(Part::Auth) => "Comparing accounts",
        Work::Compare(Part::Conference) => "Comparing rooms",
    }
}
