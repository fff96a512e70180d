//! Ctrl-C and SIGTERM.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` when this process is asked to end. Listens from the call on, not from the first poll: whoever says
/// afterwards that it has started can be asked at once.
pub(crate) fn cancel_on_signal(shutdown: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    let listening = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt())
            .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)))
    };
    async move {
        #[cfg(unix)]
        let asked = match listening {
            Ok((mut interrupt, mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        #[cfg(not(unix))]
        let asked = tokio::signal::ctrl_c().await;
        if let Err(error) = asked {
            tracing::warn!(%error, "cannot listen for signals; ending only when killed");
            return;
        }
        shutdown.cancel();
    }
}
