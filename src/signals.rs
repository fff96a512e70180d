//! Ctrl-C and SIGTERM.

use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` when this process is asked to end.
pub(crate) async fn cancel_on_signal(shutdown: CancellationToken) {
    let asked = async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted,
                _ = terminate.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    };
    if let Err(error) = asked.await {
        tracing::warn!(%error, "cannot listen for signals; ending only when killed");
        return;
    }
    shutdown.cancel();
}
