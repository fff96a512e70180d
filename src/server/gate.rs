//! The way in for connections that do not come from a listener.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;

use super::Context;
use super::listen::{self, Doors, Socket};

/// What can be served: both directions of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// Lets connections in that whoever embeds a server has opened itself. Clones lead to the same server.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(super) context: Arc<Context>,
    pub(super) doors: Arc<Doors>,
    pub(super) sessions: TaskTracker,
}

impl Gate {
    /// Serves a connection in a task of its own, as if a listener had accepted it, and without TLS: how safe the
    /// stream is, is for the caller to know. `from` is what counts as its address, as [`block_of`](super::block::block_of)
    /// says; `None` for one that needs no counting, like a Unix socket. Too many connections are told so; one that comes
    /// after the server has begun to close is dropped.
    pub fn admit(&self, stream: impl Stream + 'static, from: Option<IpAddr>) {
        if self.context.closing.is_cancelled() {
            return;
        }
        self.context.metrics.connected();
        let socket = Socket::Other(Box::new(stream), from);
        listen::admit(socket, &self.context, &self.doors, &self.sessions);
    }
}
