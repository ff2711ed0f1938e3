//! Accounts.

use clap::{Args, Subcommand};
use cloudmeet_api_server::secret::Secret;
use cloudmeet_api_types::auth::Account;
use cloudmeet_api_types::users::ResetLink;
use cloudmeet_core::account::Email;

use crate::api::{Api, Call, Fields, Read, segment};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::prompt::PasswordSource;
use crate::table::{Table, details, moment};

const USERS: &str = "/api/users";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List accounts, the oldest first
    #[command(visible_alias = "ls")]
    List {
        /// Only those whose address or name holds this
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
        /// So many at most
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Make an account
    Create(Create),
    /// Show an account
    Show {
        /// Their id, or e-mail address
        user: String,
    },
    /// Give an account another name
    Rename {
        /// Their id, or e-mail address
        user: String,
        /// The new name
        name: String,
    },
    /// Set an account's password; ends its sessions
    SetPassword {
        /// Their id, or e-mail address
        user: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Let an account sign in again
    Activate {
        /// Their id, or e-mail address
        user: String,
    },
    /// Let an account sign in no more; ends its sessions
    Deactivate {
        /// Their id, or e-mail address
        user: String,
    },
    /// Delete an account: what it said stays, under a neutral name
    #[command(visible_alias = "rm")]
    Delete {
        /// Their id, or e-mail address
        user: String,
    },
    /// Make somebody an administrator
    GrantAdmin {
        /// Their id, or e-mail address
        user: String,
    },
    /// Make an administrator an ordinary user
    RevokeAdmin {
        /// Their id, or e-mail address
        user: String,
    },
    /// Make a link by which somebody sets a new password, once, within a day
    ResetLink {
        /// Their id, or e-mail address
        user: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The address by which they sign in
    #[arg(long)]
    email: String,
    /// The name that others see
    #[arg(long)]
    name: String,
    /// Make an administrator
    #[arg(long)]
    admin: bool,
    /// Give no password: nobody can sign in before a reset link was used
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
    #[command(flatten)]
    password: PasswordSource,
}

impl Verb {
    pub(super) async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        match self {
            Self::List { query, limit } => {
                let list = api.list(USERS, &Fields::new().maybe("query", query), limit).await?;
                show_all(&list, global)
            }
            Self::Create(create) => create.run(api, global).await,
            Self::Show { user } => show(&find(api, &user).await?, global),
            Self::Rename { user, name } => change(api, global, &user, Fields::new().set("display_name", name)).await,
            Self::SetPassword { user, password } => {
                let account = find(api, &user).await?.value;
                let password = password.new_one(&format!("New password of {}: ", account.email)).await?;
                change_known(api, global, &account, Fields::new().set("password", password.reveal())).await
            }
            Self::Activate { user } => change(api, global, &user, Fields::new().set("is_active", true)).await,
            Self::Deactivate { user } => {
                let account = find(api, &user).await?.value;
                let question =
                    format!("Deactivate {} <{}>, and end their sessions?", account.display_name, account.email);
                global.confirmation().confirm(&question).await?;
                change_known(api, global, &account, Fields::new().set("is_active", false)).await
            }
            Self::Delete { user } => {
                let account = find(api, &user).await?.value;
                let question = format!(
                    "Delete {} <{}> for good? Their rooms go to their oldest moderators, or are closed.",
                    account.display_name, account.email
                );
                global.confirmation().confirm(&question).await?;
                api.tell(&Call::delete(path(&account))).await?;
                global.output.say(&format!("Deleted {}.", account.email))
            }
            Self::GrantAdmin { user } => change(api, global, &user, Fields::new().set("is_admin", true)).await,
            Self::RevokeAdmin { user } => change(api, global, &user, Fields::new().set("is_admin", false)).await,
            Self::ResetLink { user } => {
                let account = find(api, &user).await?.value;
                let link: Read<ResetLink> = api.ask(&Call::post(format!("{}/reset-link", path(&account)))).await?;
                let ResetLink { url, expires_at, .. } = &link.value;
                global.output.show(&Shown {
                    body: &link.body,
                    table: &|| format!("{url}\nGood once, until {expires_at}.\n"),
                    names: &|| vec![url.clone()],
                })
            }
        }
    }
}

impl Create {
    async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        let password = if self.no_password {
            None
        } else {
            Some(self.password.new_one(&format!("Password of {}: ", self.email)).await?)
        };
        let fields = Fields::new()
            .set("email", self.email)
            .set("display_name", self.name)
            .set("is_admin", self.admin)
            .maybe("password", password.as_ref().map(Secret::reveal));
        show(&api.ask(&Call::post(USERS).with(fields)).await?, global)
    }
}

/// Finds an account by its id or its address.
///
/// # Errors
/// [`Failure`]: there is none, or one may not look.
pub(crate) async fn find(api: &Api, user: &str) -> Result<Read<Account>, Failure> {
    if is_id(user) {
        return api.ask(&Call::get(format!("{USERS}/{}", segment(user)))).await;
    }
    let found: Read<Vec<Account>> = api.ask(&Call::get(USERS).with(Fields::new().set("email", user))).await?;
    let body = found.body.slice_ref(crate::api::inside(&found.body));
    let wanted = Email::parse(user).ok();
    match found.value.into_iter().next() {
        Some(account) if wanted == Email::parse(&account.email).ok() => Ok(Read { body, value: account }),
        // An earlier release passes over what it does not know, and lists everybody.
        Some(_) => Err(anyhow::anyhow!("the server finds nobody by an address: it is of an earlier version").into()),
        None => Err(anyhow::anyhow!("there is no account with the address {user}").into()),
    }
}

/// Finds an account's id; a number is believed to be one, so that whoever may not look at accounts can say whom they
/// mean.
///
/// # Errors
/// As [`find`].
pub(crate) async fn find_id(api: &Api, user: &str) -> Result<i64, Failure> {
    match user.parse() {
        Ok(id) if is_id(user) => Ok(id),
        _ => Ok(find(api, user).await?.value.id),
    }
}

fn is_id(user: &str) -> bool {
    !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit())
}

fn path(account: &Account) -> String {
    format!("{USERS}/{}", account.id)
}

async fn change(api: &Api, global: &Global, user: &str, fields: Fields) -> Result<(), Failure> {
    let account = find(api, user).await?.value;
    change_known(api, global, &account, fields).await
}

async fn change_known(api: &Api, global: &Global, account: &Account, fields: Fields) -> Result<(), Failure> {
    show(&api.ask(&Call::patch(path(account)).with(fields)).await?, global)
}

fn show(account: &Read<Account>, global: &Global) -> Result<(), Failure> {
    let Account { id, email, display_name, is_active, is_admin, created_at } = &account.value;
    global.output.show(&Shown {
        body: &account.body,
        table: &|| {
            details(&[
                ("Id", id.to_string()),
                ("E-mail", email.clone()),
                ("Name", display_name.clone()),
                ("Active", yes_or_no(*is_active)),
                ("Administrator", yes_or_no(*is_admin)),
                ("Created", created_at.to_string()),
            ])
        },
        names: &|| vec![email.clone()],
    })
}

fn show_all(accounts: &Read<Vec<Account>>, global: &Global) -> Result<(), Failure> {
    global.output.show(&Shown {
        body: &accounts.body,
        table: &|| {
            let mut table = Table::new(["ID", "E-MAIL", "NAME", "ACTIVE", "ADMIN", "CREATED"]);
            for account in &accounts.value {
                table.row([
                    account.id.to_string(),
                    account.email.clone(),
                    account.display_name.clone(),
                    yes_or_no(account.is_active),
                    yes_or_no(account.is_admin),
                    moment(account.created_at),
                ]);
            }
            table.render()
        },
        names: &|| accounts.value.iter().map(|account| account.email.clone()).collect(),
    })
}

/// Is a truth value for people.
pub(crate) fn yes_or_no(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}
