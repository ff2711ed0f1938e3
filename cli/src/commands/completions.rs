//! What shells and `man` know of this program.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;

/// Prints what a shell needs.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "cloudmeet", &mut script);
        let mut out = std::io::stdout().lock();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}

/// Writes a page for the program and for each of its verbs.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory; made where there is none
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown = self.directory.display();
        std::fs::create_dir_all(&self.directory).with_context(|| format!("cannot make {shown}"))?;
        clap_mangen::generate_to(Cli::command(), &self.directory)
            .with_context(|| format!("cannot write in {shown}"))?;
        Ok(())
    }
}
