//! What goes to standard output: tables for people, the API's own bodies for programs.

use std::io::{self, IsTerminal as _, Write};

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::failure::Failure;
use crate::text::{plain, steers};

/// Is how results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// The API's own bodies.
    Json,
    /// The same as YAML.
    Yaml,
    /// One name a line, as other verbs take it.
    Name,
}

/// Is a result in each of its forms.
pub(crate) struct Shown<'a> {
    /// The API's own body.
    pub(crate) body: &'a Bytes,
    /// For people.
    pub(crate) table: &'a dyn Fn() -> String,
    /// The names in it.
    pub(crate) names: &'a dyn Fn() -> Vec<String>,
}

impl Format {
    /// Prints a result.
    pub(crate) fn show(self, shown: &Shown<'_>) -> Result<(), Failure> {
        match self {
            Self::Table => print(&(shown.table)()),
            Self::Json => json(shown.body),
            Self::Yaml => yaml(shown.body),
            Self::Name => print(&lines(&(shown.names)())),
        }
    }

    /// Prints a sentence to people, and nothing to programs: there is no body.
    pub(crate) fn say(self, sentence: &str) -> Result<(), Failure> {
        match self {
            Self::Table => print(&format!("{sentence}\n")),
            Self::Json | Self::Yaml | Self::Name => Ok(()),
        }
    }
}

fn lines(names: &[String]) -> String {
    names.iter().flat_map(|name| [name.as_str(), "\n"]).collect()
}

/// Prints a text for people, in plain signs.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(plain(text).as_bytes())?;
    Ok(out.flush()?)
}

/// Prints bytes of somebody else's text, harmless where a terminal shows them; anywhere else as they are.
pub(crate) struct Verbatim {
    /// What has come of a sign that is not whole yet.
    begun: Vec<u8>,
    is_terminal: bool,
}

impl Verbatim {
    /// Looks at where standard output goes.
    pub(crate) fn new() -> Self {
        Self { begun: Vec::new(), is_terminal: io::stdout().is_terminal() }
    }

    /// Prints what has come.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if !self.is_terminal {
            return Ok(out.write_all(bytes)?);
        }
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.begun.split_off(whole);
        let text = String::from_utf8_lossy(&self.begun);
        out.write_all(plain(&text).as_bytes())?;
        self.begun = rest;
        Ok(())
    }

    /// Ends it.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(plain(&String::from_utf8_lossy(&self.begun)).as_bytes())?;
        Ok(out.flush()?)
    }
}

/// Prints a body as it came, indented.
fn json(body: &Bytes) -> Result<(), Failure> {
    write_json(body, Harmless(PrettyFormatter::new()))
}

/// Prints a body as it came, on one line.
pub(crate) fn json_line(body: &[u8]) -> Result<(), Failure> {
    write_json(body, Harmless(CompactFormatter))
}

fn write_json(body: &[u8], formatter: impl Formatter) -> Result<(), Failure> {
    let mut text = rewritten(body, formatter)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    Ok(out.flush()?)
}

fn rewritten(body: &[u8], formatter: impl Formatter) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::with_capacity(body.len() * 2);
    let mut from = serde_json::Deserializer::from_slice(body);
    let mut to = Serializer::with_formatter(&mut text, formatter);
    serde_transcode::transcode(&mut from, &mut to).map_err(io::Error::from)?;
    Ok(text)
}

fn yaml(body: &Bytes) -> Result<(), Failure> {
    // JSON is YAML, too, and can say in words what steers a terminal.
    if String::from_utf8_lossy(body).chars().any(steers) || body.windows(2).any(|two| two == b"\\u") {
        return json(body);
    }
    let mut text = String::new();
    let mut from = serde_json::Deserializer::from_slice(body);
    let mut to = serde_saphyr::Serializer::new(&mut text);
    serde_transcode::transcode(&mut from, &mut to).map_err(|error| anyhow::anyhow!("{error}"))?;
    print(if text.ends_with('\n') {
        &text
    } else {
        text.push('\n');
        &text
    })
}

/// Writes JSON whose texts do not steer a terminal: what JSON itself lets stand is escaped too.
struct Harmless<F>(F);

macro_rules! handed_on {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$method(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    handed_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
        write_char_escape(escape: CharEscape);
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for sign in fragment.chars() {
            if steers(sign) {
                write!(writer, "\\u{:04x}", u32::from(sign))?;
            } else {
                writer.write_all(sign.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_order_and_means_the_same() {
        let body = "{\"b\":1,\"a\":\"x\u{9b}2J\u{202e} я\"}";
        let text = String::from_utf8(rewritten(body.as_bytes(), Harmless(CompactFormatter)).unwrap()).unwrap();
        assert_eq!(text, "{\"b\":1,\"a\":\"x\\u009b2J\\u202e я\"}");
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(body).unwrap(), serde_json::from_str(&text).unwrap());
        assert_eq!(before, after);
    }
}
