//! The side of this process itself: the server's own handlers, on the databases.

use axum::body::Body;
use axum::http::{Request, header};
use cloudmeet_api_server::roles::Direct as Handlers;
use cloudmeet_api_server::sessions::Vouched;
use cloudmeet_api_types::auth::Account;
use cloudmeet_core::account::Standing;
use cloudmeet_core::id::UserId;
use cloudmeet_store::Identity;

use super::{Answer, Call, boxed};
use crate::failure::Failure;
use crate::text::on_one_line;

/// Answers in this process, as whoever works at the machine or as a person.
pub(crate) struct Direct {
    handlers: Handlers,
    who: Vouched,
}

impl Direct {
    /// Acts as whoever works at the machine.
    pub(crate) fn at_console(handlers: Handlers) -> Self {
        Self { handlers, who: Vouched { identity: Identity::console(), place: place() } }
    }

    /// Acts as a person from now on.
    ///
    /// # Errors
    /// When their account is not active.
    pub(crate) fn act_as(&mut self, account: &Account) -> Result<(), Failure> {
        let user_id = UserId::new(account.id).filter(|_| account.is_active);
        let Some(user_id) = user_id else {
            return Err(anyhow::anyhow!("{} is deactivated", account.email).into());
        };
        let standing = Standing::from_flag(account.is_admin);
        self.who.identity = Identity { user_id, display_name: account.display_name.clone(), standing };
        Ok(())
    }

    /// Says whether it acts as a person.
    pub(crate) fn is_person(&self) -> bool {
        self.who.identity.user_id != UserId::CONSOLE
    }

    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(call.method.clone()).uri(&call.path);
        let body = match &call.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|error| anyhow::anyhow!("{error}"))?;
        let response = self.handlers.answer(self.who.clone(), request).await;
        Ok(Answer { status: response.status(), body: boxed(response.into_body().into_data_stream()) })
    }

    pub(super) async fn close(self) {
        self.handlers.close().await;
    }
}

/// Says for the record from where something is done: by which of this machine's users, as the system knows them.
fn place() -> String {
    let id = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let machine = rustix::system::uname();
    on_one_line(&format!("{}@{}", name_of(&id, &users).unwrap_or(&id), machine.nodename().to_string_lossy()))
}

/// Finds a user's name among the lines of `passwd(5)`.
fn name_of<'u>(id: &str, users: &'u str) -> Option<&'u str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_names_that_the_system_gives_them() {
        let users = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!((name_of("1000", users), name_of("1", users)), (Some("ann"), None));
    }
}
