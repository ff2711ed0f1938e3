//! What is asked of whoever sits at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use clap::Args;
use cloudmeet_api_server::secret::Secret;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::Failure;

/// The longest password that is read: longer than any that could be right.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// Is where a password comes from: never from an argument, which everybody on the machine could read.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PasswordSource {
    /// Read the password from standard input, up to its first line break.
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

impl PasswordSource {
    /// Reads a password that exists.
    pub(crate) async fn present(self, prompt: &str) -> Result<Secret, Failure> {
        if self.password_stdin { apart(from_stdin).await } else { typed(prompt).await }
    }

    /// Reads a new password; at the terminal twice.
    pub(crate) async fn new_one(self, prompt: &str) -> Result<Secret, Failure> {
        if self.password_stdin {
            return apart(from_stdin).await;
        }
        let password = typed(prompt).await?;
        if typed("Once more: ").await? != password {
            return Err(Failure::Failed(anyhow::anyhow!("the two passwords differ")));
        }
        Ok(password)
    }
}

fn from_stdin() -> Result<Secret, Failure> {
    let mut line = String::new();
    io::BufReader::new(io::stdin().lock().take(MAX_PASSWORD_BYTES))
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    let password = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if password.is_empty() {
        return Err(Failure::Failed(anyhow::anyhow!("there is no password on standard input")));
    }
    Ok(Secret::new(password.to_owned()))
}

/// Waits for somebody on a thread of its own, so that Ctrl-C is heard meanwhile.
pub(crate) async fn apart<T: Send + 'static>(
    wait: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let waited = tokio::task::spawn_blocking(wait).await;
    waited.map_err(|error| anyhow::anyhow!("nobody could be asked: {error}"))?
}

/// Puts the terminal back as it was: whoever is interrupted while nothing is shown must see again what they type.
struct AsItWas(Option<Termios>);

impl AsItWas {
    fn now() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for AsItWas {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

async fn typed(prompt: &str) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("without a terminal the password is read by --password-stdin".to_owned()));
    }
    let _before = AsItWas::now();
    let prompt = prompt.to_owned();
    let password = apart(move || {
        let password = rpassword::prompt_password(prompt).context("cannot read the password")?;
        Ok(password)
    });
    let password = password.await?;
    if password.is_empty() {
        return Err(Failure::Failed(anyhow::anyhow!("no password was typed")));
    }
    Ok(Secret::new(password))
}

/// Reads a line that everybody may see.
pub(crate) async fn line(prompt: &str, otherwise: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(otherwise.to_owned()));
    }
    write!(io::stderr(), "{prompt}")?;
    io::stderr().flush()?;
    apart(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    })
    .await
}

/// Says whether what cannot be taken back is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// Whoever typed the command is asked.
    Ask,
    /// They have said yes (`--yes`).
    Given,
}

impl Confirmation {
    /// Asks whether something is really wanted.
    pub(crate) async fn confirm(self, question: &str) -> Result<(), Failure> {
        if self == Self::Given {
            return Ok(());
        }
        let answer = line(
            &format!("{} [y/N] ", crate::text::on_one_line(question)),
            "this cannot be taken back: without a terminal it needs --yes",
        )
        .await?;
        if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::Failed(anyhow::anyhow!("nothing was done")))
    }
}
