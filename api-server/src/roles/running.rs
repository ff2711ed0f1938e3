//! What goes on beside a server's requests, and how it ends.

use std::time::Duration;

use cloudmeet_store::{AuthStore, ConferenceStore};
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::hub::Hub;
use crate::tasks::Tasks;

/// Is what goes on beside the requests.
#[derive(Clone)]
pub struct Running {
    /// Who tells load balancers that it goes down.
    pub health: Health,
    /// Cancelled, it ends the standing tasks.
    pub stop: CancellationToken,
    pub(super) tasks: Tasks,
    pub(super) hub: Option<Hub>,
    pub(super) auth: Option<AuthStore>,
    pub(super) conference: Option<ConferenceStore>,
}

impl Running {
    /// Says goodbye to every socket, and waits until they have gone.
    pub async fn close_sockets(&self) {
        if let Some(hub) = &self.hub {
            hub.close_all().await;
        }
    }

    /// Waits for the standing tasks, the writer among them, and closes the databases. The router must
    /// be gone: it hands messages to the writer.
    pub async fn end(self, timeout: Duration) {
        self.stop.cancel();
        let ending = async {
            self.tasks.end().await;
            if let Some(store) = &self.auth {
                store.close().await;
            }
            if let Some(store) = &self.conference {
                store.close().await;
            }
        };
        if tokio::time::timeout(timeout, ending).await.is_err() {
            tracing::warn!("some tasks did not end");
        }
    }
}
