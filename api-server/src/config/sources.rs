//! Where settings come from: flags, environment, files of secrets, the configuration file.
//!
//! All but the flags are put into the command's defaults, weakest first, so that one parser judges
//! every value by the same rules and the flags win by being flags.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Command as Clap, CommandFactory as _, FromArgMatches as _};

use super::settings::{Cli, Command, Settings};
use crate::data_dir;

/// The settings that may be read from the file that `NAME_FILE` names.
const FROM_FILES: [&str; 7] = [
    "JWT_SECRET_KEY",
    "INTERNAL_TOKEN",
    "POSTGRES_PASSWORD",
    "DATABASE_URL",
    "AUTH_DATABASE_URL",
    "CONFERENCE_DATABASE_URL",
    "REDIS_URL",
];

/// Says whether a variable says where a database is.
pub(super) fn names_database(name: &str) -> bool {
    let setting = name.strip_suffix("_FILE").unwrap_or(name);
    setting.starts_with("POSTGRES_")
        || ["DATABASE_URL", "AUTH_DATABASE_URL", "CONFERENCE_DATABASE_URL"].contains(&setting)
}

/// Reads everything that is wanted, and all flags. Help and version end the process; so does a flag that cannot be parsed.
pub(super) fn read(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
    is_wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<(Command, Settings)> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // An empty variable is how Compose and charts say "not set".
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let command = Cli::command().mut_args(|argument| argument.global(true));
    let names: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_value_names()?.first().map(ToString::to_string))
        .collect();

    let mut values: BTreeMap<String, OsString> = BTreeMap::new();
    let file = config_flag(&arguments).or_else(|| variable("CONFIG_FILE").map(PathBuf::from));
    if let Some(path) = file {
        values.extend(read_config_file(&path, &names)?);
        values.retain(|name, _| is_wanted(name));
    }
    for name in &names {
        if let Some(value) = variable(name) {
            values.insert(name.clone(), value);
        }
    }
    for name in FROM_FILES {
        let Some(path) = variable(&format!("{name}_FILE")) else { continue };
        ensure!(variable(name).is_none(), "{name} and {name}_FILE are both set: keep one");
        values.insert(name.to_owned(), read_secret(name, Path::new(&path))?);
    }

    let matches = match with_defaults(command, values).try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => bail!("{}", first_paragraph(&error.to_string())),
    };
    let cli = Cli::from_arg_matches(&matches).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((cli.command.unwrap_or_default(), cli.settings))
}

fn with_defaults(command: Clap, values: BTreeMap<String, OsString>) -> Clap {
    command.mut_args(move |argument| {
        let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        match name.and_then(|name| values.get(&name).cloned()) {
            Some(value) => argument.default_value(value),
            None => argument,
        }
    })
}

/// Finds `--config` before anything else is judged.
fn config_flag(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == OsStr::new("--config") {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

fn read_config_file(path: &Path, names: &[String]) -> anyhow::Result<BTreeMap<String, OsString>> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the configuration file {shown}"))?;
    let table: toml::Table = text.parse().with_context(|| format!("the configuration file {shown} is not TOML"))?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let name = key.to_uppercase();
        ensure!(
            key == key.to_lowercase() && names.contains(&name) && name != "CONFIG_FILE",
            "the configuration file {shown} has an unknown setting: {key}"
        );
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Array(items) => {
                let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
                items.with_context(|| format!("{key} in {shown} must be a list of texts"))?.join(",")
            }
            _ => bail!("{key} in {shown} must be a text, a whole number or a list of texts"),
        };
        if FROM_FILES.contains(&name.as_str()) {
            data_dir::check_private(path).context("the configuration file holds secrets")?;
        }
        values.insert(name, value.into());
    }
    Ok(values)
}

fn read_secret(name: &str, path: &Path) -> anyhow::Result<OsString> {
    data_dir::check_private(path).with_context(|| format!("{name}_FILE"))?;
    let text = fs::read_to_string(path).with_context(|| format!("{name}_FILE: cannot read {}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    ensure!(!secret.is_empty(), "{name}_FILE: {} is empty", path.display());
    Ok(secret.into())
}

/// Takes the parser's sentence without its hints on usage, which speak of flags only.
fn first_paragraph(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or(message);
    let line: Vec<&str> = paragraph.lines().map(str::trim).collect();
    line.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn parsed(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let arguments = std::iter::once("cloudmeet-api-server").chain(arguments.iter().copied()).map(OsString::from);
        let lookup =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        read(arguments, lookup, |_| true).map(|(_, settings)| settings)
    }

    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("writes");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("chmod");
        file
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let config = file("port = 1\nhost = \"127.0.0.9\"\ntrusted_proxies = [\"10.0.0.1\"]\n", 0o644);
        let path = config.path().to_str().expect("a path");
        let settings = parsed(&["serve", "--port", "3", "--config", path], &[("PORT", "2"), ("RUST_LOG", "debug")]);
        let settings = settings.expect("sound");
        assert_eq!((settings.port, settings.host.to_string().as_str()), (Some(3), "127.0.0.9"));
        assert_eq!((settings.rust_log.as_str(), settings.trusted_proxies.len()), ("debug", 1));
        let settings = parsed(&[], &[("PORT", "2"), ("CONFIG_FILE", path)]).expect("sound");
        assert_eq!(settings.port, Some(2));
    }

    #[test]
    fn an_unknown_entry_of_the_file_is_refused_by_name() {
        let config = file("prot = 1\n", 0o644);
        let error = parsed(&["--config", config.path().to_str().expect("a path")], &[]).expect_err("unknown");
        assert!(error.to_string().contains("prot"), "{error}");
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(parsed(&[], &[("PORT", ""), ("PUBLIC_URL", "")]).expect("sound").port, None);
    }

    #[test]
    fn a_secret_comes_from_a_private_file_and_from_one_place() {
        let secret = file("from-a-file\n", 0o600);
        let path = secret.path().to_str().expect("a path");
        let settings = parsed(&[], &[("JWT_SECRET_KEY_FILE", path)]).expect("sound");
        assert_eq!(settings.jwt_secret_key.map(|s| s.reveal().to_owned()).as_deref(), Some("from-a-file"));
        assert!(parsed(&[], &[("JWT_SECRET_KEY_FILE", path), ("JWT_SECRET_KEY", "x")]).is_err());
        let open = file("secret", 0o644);
        assert!(parsed(&[], &[("JWT_SECRET_KEY_FILE", open.path().to_str().expect("a path"))]).is_err());
    }
}
