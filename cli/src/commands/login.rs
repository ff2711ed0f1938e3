//! Logging in and out, and who one is.

use anyhow::Context as _;
use axum::http::StatusCode;
use bytes::Bytes;
use clap::Args;
use cloudmeet_api_server::secret::Secret;
use cloudmeet_api_types::auth::{Account, Tokens};
use cloudmeet_api_types::problem::ProblemBody;
use serde_json::json;

use crate::api::{Answer, Api, Call, Fields, Http, Read, Server, parse};
use crate::args::Global;
use crate::commands::users;
use crate::failure::{Failure, tell};
use crate::output::Shown;
use crate::profile::{Login as Kept, Profile};
use crate::prompt::{PasswordSource, line};
use crate::target::{self, Target};

/// Logs in.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The account's address; asked for at the terminal
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

impl Login {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let profile = Profile::new(&global.profile)?;
        let known = profile.read().ok().flatten();
        let url = match (&global.server, known) {
            (Some(url), _) => target::server_url(url)?,
            (None, Some(login)) => login.server,
            (None, None) => match target::choose(global)? {
                Target::Server { url, .. } => url,
                Target::Direct { .. } => {
                    return Err(Failure::Usage("say where: cloudmeet login --server URL".to_owned()));
                }
            },
        };
        if url.scheme() == "http" && !target::is_here(&url) {
            tell(&format!("{url} is not https: the password crosses the network in the clear"));
        }
        let email = match self.email {
            Some(email) => email,
            None => line("E-mail: ", "without a terminal the address is given by --email").await?,
        };
        let password = self.password.present("Password: ").await?;
        let http = Http::new(url.clone())?;
        let fields = Fields::new().set("email", email).set("password", password.reveal());
        let answer = http.send(&Call::post("/api/auth/login?refresh=body").with(fields), None).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(answer).await);
        }
        let granted: Tokens = parse(answer).await?.value;
        let me = Call::get("/api/auth/me");
        let access_token = Secret::new(granted.access_token.clone());
        let account: Account = parse(http.send(&me, Some(&access_token)).await?).await?.value;
        let login = Kept::granted(url.clone(), account.email.clone(), granted)?;
        let turn = profile.lock().await?;
        let before = profile.load().ok().flatten();
        profile.write(&login)?;
        drop(turn);
        if let Some(before) = before {
            // Nobody can use it any more; a server that is away ends it in its time.
            let _ = Http::new(before.server)?.send(&Call::post("/api/auth/logout"), Some(&before.access_token)).await;
        }
        let shown = url.as_str().trim_end_matches('/');
        global.output.say(&format!("Logged in at {shown} as {} <{}>.", account.display_name, account.email))
    }
}

/// Reads why a login was refused.
async fn refusal(answer: Answer) -> Failure {
    let status = answer.status;
    match parse::<ProblemBody>(answer).await {
        Ok(problem) => Failure::Refused(Box::new(problem.value)),
        Err(_) => anyhow::anyhow!("the answer is {status}, and not CloudMeet's").into(),
    }
}

/// Ends the login, at the server and here. A server that is away is told nothing; what is kept here goes anyway.
pub(super) async fn logout(global: &Global) -> Result<(), Failure> {
    let profile = Profile::new(&global.profile)?;
    let login = match profile.load() {
        Ok(Some(login)) => login,
        Ok(None) => return global.output.say("Nobody was logged in."),
        Err(error) => {
            profile.forget()?;
            return Err(error.context("the login was removed, but its session was not ended").into());
        }
    };
    // What others could read until now is for its owner alone while it is used once more.
    profile.write(&login)?;
    let shown = login.server.as_str().trim_end_matches('/').to_owned();
    let api = Api::Server(Server::new(Http::new(login.server)?, profile.clone()));
    let told = api.tell(&Call::post("/api/auth/logout")).await;
    let turn = profile.lock().await?;
    profile.forget().context("the login is still here")?;
    drop(turn);
    match told {
        Ok(()) => global.output.say(&format!("Logged out of {shown}.")),
        Err(failure) => {
            let why = failure.message().unwrap_or_default();
            global.output.say(&format!("Forgot the login at {shown}; the server was not told: {why}"))
        }
    }
}

/// Says who asks.
pub(super) async fn whoami(api: &Api, global: &Global) -> Result<(), Failure> {
    if let Api::Direct(direct) = api
        && !direct.is_person()
    {
        let console =
            json!({ "id": null, "email": null, "display_name": "console", "is_active": true, "is_admin": true });
        let sentence = "Whoever works at this machine, with an administrator's rights (--as USER changes that).\n";
        return global.output.show(&Shown {
            body: &Bytes::from(console.to_string()),
            table: &|| sentence.to_owned(),
            names: &|| vec!["console".to_owned()],
        });
    }
    let account: Read<Account> = match (api, &global.as_user) {
        (Api::Direct(_), Some(user)) => users::find(api, user).await?,
        _ => api.ask(&Call::get("/api/auth/me")).await?,
    };
    let Account { email, display_name, is_admin, .. } = &account.value;
    let place = match api {
        Api::Server(server) => format!(" at {}", server.base().as_str().trim_end_matches('/')),
        Api::Direct(_) => String::new(),
    };
    let rank = if *is_admin { ", administrator" } else { "" };
    global.output.show(&Shown {
        body: &account.body,
        table: &|| format!("{display_name} <{email}>{rank}{place}\n"),
        names: &|| vec![email.clone()],
    })
}
