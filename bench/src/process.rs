//! Programs that are started for a measurement, each in its own directory, and ended with it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// How long a program may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Is a running program. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Its directory, which goes with it.
    _directory: TempDir,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How long it took until it listened.
    pub(crate) started_in: Duration,
}

impl Process {
    /// Starts a program that says in its log where it listens: in a line with `address=` after `listening`.
    pub(crate) async fn announced(
        program: &Path,
        arguments: &[&str],
        settings: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let log = directory.path().join("log");
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PORT", "0").env("DATA_DIR", directory.path().join("data"));
        command.envs(settings.iter().map(|(name, value)| (*name, value)));
        let (child, began) = (start(command, &log)?, Instant::now());
        let mut process =
            Self { child, _directory: directory, address: ([127, 0, 0, 1], 0).into(), started_in: Duration::ZERO };
        let deadline = began + START_TIMEOUT;
        loop {
            let text = fs::read_to_string(&log)?;
            if let Some(address) =
                text.split_once("listening address=").and_then(|(_, rest)| rest.split_whitespace().next())
            {
                process.address = address.parse().with_context(|| format!("{address} is no address"))?;
                process.started_in = began.elapsed();
                return Ok(process);
            }
            process.check(&log, deadline)?;
            sleep(LOOK_EVERY).await;
        }
    }

    /// Starts a program that is told its port: `command` makes it for a directory and a port.
    pub(crate) async fn told(command: impl FnOnce(&Path, u16) -> io::Result<Command>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let log = directory.path().join("log");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (child, began) = (start(command(directory.path(), port)?, &log)?, Instant::now());
        let mut process =
            Self { child, _directory: directory, address: ([127, 0, 0, 1], port).into(), started_in: Duration::ZERO };
        while tokio::net::TcpStream::connect(process.address).await.is_err() {
            process.check(&log, began + START_TIMEOUT)?;
            sleep(LOOK_EVERY).await;
        }
        process.started_in = began.elapsed();
        Ok(process)
    }

    fn check(&mut self, log: &Path, deadline: Instant) -> anyhow::Result<()> {
        let text = || fs::read_to_string(log).unwrap_or_default();
        if let Some(status) = self.child.try_wait()? {
            bail!("it ended with {status}: {}", text());
        }
        ensure!(Instant::now() < deadline, "it does not start: {}", text());
        Ok(())
    }

    /// Is how much memory it holds, in bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// Is how long it has computed, on all cores together.
    pub(crate) fn computed(&self) -> anyhow::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.id()?))?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
        let fields: Vec<&str> = text.rsplit_once(')').context("no name")?.1.split_whitespace().collect();
        let ticks = |index: usize| -> anyhow::Result<u64> { Ok(fields.get(index).context("too short")?.parse()?) };
        // Linux counts these in hundredths of a second for every process.
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("it has ended")
    }
}

fn start(mut command: Command, log: &Path) -> anyhow::Result<Child> {
    let log = fs::File::create(log)?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    let name = command.as_std().get_program().display().to_string();
    command.spawn().with_context(|| format!("cannot start {name}"))
}
