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

/// Says for the record from where something is done: by whom of this machine's users.
fn place() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| rustix::process::getuid().as_raw().to_string());
    let machine = rustix::system::uname();
    format!("{user}@{}", machine.nodename().to_string_lossy())
}
