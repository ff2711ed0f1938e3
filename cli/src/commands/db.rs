//! The databases themselves.

use clap::Subcommand;
use cloudmeet_api_server::roles;

use crate::args::Global;
use crate::failure::Failure;
use crate::target;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a new key that signs access tokens, for every server of the databases
    RotateKeys,
}

impl Verb {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        if global.server.is_some() {
            return Err(Failure::Usage("the databases are worked on directly, not by way of a server".to_owned()));
        }
        let (config, ..) = target::databases(global)?;
        match self {
            Self::RotateKeys => global.output.say(&roles::rotate_keys(&config).await?),
        }
    }
}
