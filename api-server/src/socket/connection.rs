//! A socket's life: frames in, frames out, heartbeats, and its end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use cloudmeet_api_types::socket::{MAX_FRAME_BYTES, ServerFrame};
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::HoldEnd;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::Client;
use super::requests::{Handled, Requests};
use crate::conference::Conference;
use crate::hub::{CloseReason, Outbound, Remaining, SocketCap, SocketId, SocketLink, encode};
use crate::rate_limit::RateLimits;
use crate::sessions::Sessions;

/// How often the server pings.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How long a socket may be silent: three pings without a pong.
const SILENCE: Duration = Duration::from_secs(60);

/// How many frames may wait for a client.
const QUEUE: usize = 1024;

/// How long writing one frame may take, and how long what is queued at the end with the goodbye.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many frames a client may send at once, and how many a second.
const FLOOD_BURST: u32 = 300;
const FLOOD_PER_SECOND: u32 = 100;

/// Says how a socket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed it in order.
    Closed,
    /// It broke, or fell silent.
    Lost,
    /// The server closed it.
    Server(u16, &'static str),
}

impl End {
    const BAD_FRAME: Self = Self::Server(4400, "bad frame");
    const SESSION_OVER: Self = Self::Server(4401, "session over");
    const TOO_SLOW: Self = Self::Server(4408, "too slow");
    const FLOODING: Self = Self::Server(4429, "flooding");
    const RESTARTING: Self = Self::Server(1012, "restarting");
    const TOO_BIG: Self = Self::Server(1009, "frame too big");
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Restarting => Self::RESTARTING,
            CloseReason::SessionOver => Self::SESSION_OVER,
            CloseReason::TooSlow => Self::TOO_SLOW,
        }
    }
}

/// Is a client with a place among the sockets; dropped, it gives the place back.
pub(super) struct Admitted {
    conference: Arc<Conference>,
    sessions: Sessions,
    client: Client,
    link: SocketLink,
    id: SocketId,
    outbound: Option<mpsc::Receiver<Outbound>>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        // Without effect when the socket ended in the usual way.
        self.conference.hub.close_socket(self.id);
    }
}

impl Admitted {
    /// Takes a place.
    pub(super) fn new(conference: Arc<Conference>, sessions: Sessions, client: Client) -> Result<Self, SocketCap> {
        let (queue, outbound) = mpsc::channel(QUEUE);
        let link = SocketLink {
            key: Uuid::now_v7().to_string().into(),
            user_id: client.identity.user_id,
            standing: client.identity.standing,
            session_id: client.session_id.clone(),
            address: client.address,
            caps: conference.limits.switch(),
            queue,
            closing: watch::Sender::new(None),
        };
        let id = conference.hub.open_socket(link.clone())?;
        Ok(Self { conference, sessions, client, link, id, outbound: Some(outbound) })
    }

    /// Runs the socket to its end.
    pub(super) async fn run(mut self, socket: WebSocket) {
        let Some(outbound) = self.outbound.take() else { return };
        let (sink, mut stream) = socket.split();
        self.link.send(encode(&ServerFrame::Welcome {
            session_id: self.client.session_id.to_string(),
            user_id: self.client.identity.user_id.get(),
            heartbeat_s: HEARTBEAT.as_secs(),
        }));
        // The session may have ended between the ticket and the place in the hub. While nobody can be
        // asked, what was known of it a moment ago holds.
        if matches!(Box::pin(self.sessions.holder_now(&self.client.session_id)).await, Ok(None)) {
            self.conference.hub.end_session(&self.client.session_id);
        }
        let (say_goodbye, goodbye) = oneshot::channel();
        let mut writer = AbortOnDropHandle::new(tokio::spawn(write(sink, outbound, goodbye)));
        let mut last_sign = Instant::now();
        let end = tokio::select! {
            biased;
            // From then on nothing is obeyed any more, whatever still comes.
            reason = self.link.closed() => End::from(reason),
            end = &mut writer => end.unwrap_or(End::Lost),
            end = self.read(&mut stream, &mut last_sign) => end,
        };
        if say_goodbye.send(end).is_ok() {
            let _ = timeout(GOODBYE_TIMEOUT, writer).await;
        }
        Box::pin(self.part(end, last_sign)).await;
        // Reads on without listening until the client has closed too (RFC 6455, 7.1.1): a connection
        // with bytes unread is reset, and the client might never see why.
        let _ = timeout(GOODBYE_TIMEOUT, async { while let Some(Ok(_)) = stream.next().await {} }).await;
    }

    async fn read(&self, stream: &mut SplitStream<WebSocket>, last_sign: &mut Instant) -> End {
        let mut requests = Requests::new(self.conference.clone(), &self.client, self.link.clone(), self.id);
        let mut flood = Flood::new();
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                () = requests.answer_next(), if requests.are_pending() => continue,
                _ = heartbeat.tick() => {
                    let _ = self.link.queue.try_send(Outbound::Ping);
                    continue;
                }
                // To the moment: a heartbeat may come twenty seconds after the lease is over.
                () = sleep_until(*last_sign + SILENCE) => match stream.next().now_or_never() {
                    // It spoke while a request of its own was waited for.
                    Some(message) => message,
                    None => return End::Lost,
                },
            };
            let text = match message {
                None | Some(Err(_)) => return if too_big(message.as_ref()) { End::TOO_BIG } else { End::Lost },
                Some(Ok(Message::Close(_))) => return End::Closed,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    *last_sign = Instant::now();
                    continue;
                }
                Some(Ok(Message::Binary(bytes))) if bytes.len() > MAX_FRAME_BYTES => return End::TOO_BIG,
                Some(Ok(Message::Binary(_))) => {
                    requests.refuse_frame();
                    return End::BAD_FRAME;
                }
                Some(Ok(Message::Text(text))) => text,
            };
            *last_sign = Instant::now();
            if text.len() > MAX_FRAME_BYTES {
                return End::TOO_BIG;
            }
            if self.link.caps == RateLimits::On && !flood.admits(Instant::now()) {
                return End::FLOODING;
            }
            // On the heap while it is handled: idle, a socket has no room for it.
            if Box::pin(requests.handle(&text)).await == Handled::BadFrame {
                return End::BAD_FRAME;
            }
        }
    }

    /// Lets go of every room: in order if the socket ended in order, by the lease if it broke, and
    /// not at all when the server restarts, for then the client is about to come back.
    async fn part(&self, end: End, last_sign: Instant) {
        let rooms = self.conference.hub.close_socket(self.id);
        let release = match end {
            End::RESTARTING => return,
            End::Closed | End::SESSION_OVER => HoldEnd::Closed,
            End::Lost | End::Server(..) => {
                let silent_ms = i64::try_from(last_sign.elapsed().as_millis()).unwrap_or(i64::MAX);
                let now = self.conference.store.now();
                HoldEnd::Lapsed(Timestamp::from_millis(now.as_millis().saturating_sub(silent_ms)))
            }
        };
        for (room_id, remaining) in rooms {
            if remaining == Remaining::None {
                self.conference.release(room_id, self.client.identity.user_id, release).await;
            }
        }
    }
}

impl Conference {
    /// Lets go of a room for a person who has no socket of this server there any more. One that
    /// fails is found by the next look at all holds.
    pub(super) async fn release(&self, room_id: RoomId, user_id: UserId, end: HoldEnd) {
        if let Err(error) = self.hub.release(&self.store, &self.server_id, (room_id, user_id), end).await {
            tracing::warn!(error = &error as &dyn std::error::Error, room.id = room_id.get(), "hold not released");
        }
    }
}

/// Writes what is queued until it is told how the socket ends; then what is still queued, and the
/// end. Gives how the socket ended if it is the first to know.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut outbound: mpsc::Receiver<Outbound>,
    mut goodbye: oneshot::Receiver<End>,
) -> End {
    let end = loop {
        let next = tokio::select! {
            biased;
            end = &mut goodbye => break end.unwrap_or(End::Lost),
            next = outbound.recv() => next,
        };
        let Some(next) = next else { break End::Lost };
        let written = tokio::select! {
            biased;
            written = timeout(WRITE_TIMEOUT, sink.send(next.into())) => written,
            end = &mut goodbye => break end.unwrap_or(End::Lost),
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(_)) => break End::Lost,
            Err(_) => break End::TOO_SLOW,
        }
    };
    let close = match end {
        End::Server(code, reason) => Some(CloseFrame { code, reason: reason.into() }),
        End::Closed | End::Lost => None,
    };
    let _ = timeout(GOODBYE_TIMEOUT, async {
        // Whoever reads too slowly hears why, and nothing else first.
        while end != End::TOO_SLOW
            && let Ok(next) = outbound.try_recv()
        {
            sink.feed(next.into()).await?;
        }
        sink.send(Message::Close(close)).await?;
        sink.close().await
    })
    .await;
    end
}

impl From<Outbound> for Message {
    fn from(outbound: Outbound) -> Self {
        match outbound {
            Outbound::Frame(text) => Self::Text(text),
            Outbound::Ping => Self::Ping(bytes::Bytes::new()),
        }
    }
}

fn too_big(message: Option<&Result<Message, axum::Error>>) -> bool {
    message.is_some_and(|message| {
        message.as_ref().is_err_and(|error| error.to_string().to_lowercase().contains("message too long"))
    })
}

/// Counts a client's frames: a bucket of [`FLOOD_BURST`] that fills by [`FLOOD_PER_SECOND`].
struct Flood {
    left: f64,
    counted_at: Instant,
}

impl Flood {
    fn new() -> Self {
        Self { left: f64::from(FLOOD_BURST), counted_at: Instant::now() }
    }

    fn admits(&mut self, now: Instant) -> bool {
        let earned = now.duration_since(self.counted_at).as_secs_f64() * f64::from(FLOOD_PER_SECOND);
        self.left = (self.left + earned).min(f64::from(FLOOD_BURST));
        self.counted_at = now;
        self.left -= 1.0;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_seen_and_a_steady_stream_is_not() {
        let mut flood = Flood::new();
        let start = flood.counted_at;
        assert!((0..FLOOD_BURST).all(|_| flood.admits(start)));
        assert!(!flood.admits(start));
        let mut steady = Flood::new();
        assert!((0..2000_u64).all(|n| steady.admits(start + Duration::from_millis(10 * n))));
    }
}
