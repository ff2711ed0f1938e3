//! Looking for what is wrong, and saying what to do.

mod local;
mod remote;

use bytes::Bytes;
use serde::Serialize;

use self::remote::Way;
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::profile::Profile;
use crate::target::{self, Target};

/// Is how much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// As it should be.
    Ok,
    /// It works, and should not stay so.
    Warning,
    /// It does not work.
    Error,
}

/// Is one thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    level: Level,
    message: String,
    /// What to do.
    remedy: Option<String>,
}

/// Is what was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, message: message.into(), remedy: None });
    }

    fn warn(&mut self, check: &'static str, message: impl Into<String>, remedy: &str) {
        self.add(check, Level::Warning, message.into(), remedy);
    }

    fn fail(&mut self, check: &'static str, message: impl Into<String>, remedy: &str) {
        self.add(check, Level::Error, message.into(), remedy);
    }

    fn add(&mut self, check: &'static str, level: Level, message: String, remedy: &str) {
        self.0.push(Finding { check, level, message, remedy: Some(remedy.to_owned()) });
    }
}

/// Looks at the side that other verbs would ask, and on the databases' side at the server in front of them, too.
/// Exits 1 where something does not work.
pub(super) async fn run(global: &Global) -> Result<(), Failure> {
    let mut findings = Findings::default();
    match target::choose(global)? {
        Target::Server { url, .. } => {
            let profile = Profile::new(&global.profile)?;
            let login = profile.read()?.filter(|login| login.server == url);
            remote::look(&mut findings, url, Way::Peoples(login.map(|_| profile))).await;
        }
        Target::Direct { .. } => local::look(&mut findings, global).await,
    }
    let body = serde_json::to_vec(&findings.0).map_err(std::io::Error::from)?;
    global.output.show(&Shown {
        body: &Bytes::from(body),
        table: &|| findings.0.iter().map(line).collect(),
        names: &|| findings.0.iter().map(|finding| finding.check.to_owned()).collect(),
    })?;
    if findings.0.iter().any(|finding| finding.level == Level::Error) { Err(Failure::No) } else { Ok(()) }
}

fn line(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Ok => "ok",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
    };
    let remedy = finding.remedy.as_ref().map(|remedy| format!("         -> {remedy}\n")).unwrap_or_default();
    format!("{level:<8} {}: {}\n{remedy}", finding.check, finding.message)
}
