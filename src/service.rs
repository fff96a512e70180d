//! A server as a service: it takes new settings at SIGHUP, and tells its service manager how it goes, if there is one
//! (sd_notify(3)): that it is ready, that it reads its settings again, that it ends, and that it still lives.
//!
//! The variables that lead to the manager stay in the environment: to take them out is unsafe once there are threads, and
//! a server starts no programs.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use parlor::server::Server;

/// Takes SIGHUP from now on, and gives what attends to the service until `shutdown`: run it when the server answers.
///
/// # Errors
/// When the system gives no signals.
#[cfg(unix)]
pub(crate) fn attend(
    server: &Server,
    args: Serve,
    shutdown: &CancellationToken,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    unix::attend(server, args, shutdown)
}

/// There are neither such signals nor such managers.
#[cfg(not(unix))]
pub(crate) fn attend(
    _: &Server,
    _: Serve,
    _: &CancellationToken,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(std::future::ready(()))
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::future::Future;
    use std::io::{self, IsTerminal as _};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use sd_notify::NotifyState;
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::time::{MissedTickBehavior, interval};
    use tokio_util::sync::CancellationToken;
    use tracing::{info, warn};

    use crate::cli::Serve;
    use crate::hosting::config;
    use parlor::protocol::event::Stats;
    use parlor::protocol::stats::grouped;
    use parlor::protocol::text::Line;
    use parlor::server::Server;
    use parlor::server::config::FileError;
    use parlor::server::pulse::Pulse;
    use parlor::server::reload::Reloader;

    /// How often the manager is told who is here, at least: people look at it now and then.
    const TOLD_EVERY: Duration = Duration::from_secs(30);
    /// The manager hears that we live so many times in the time after which it takes us for dead. At two of them, one that fails
    /// or is late would be the end of a server that is only slow for a moment; of four, it may miss two in a row.
    const BEATS: u32 = 4;
    /// The shortest time between two of them, whatever the manager wants.
    const SHORTEST_BEAT: Duration = Duration::from_millis(100);

    pub(super) fn attend(
        server: &Server,
        args: Serve,
        shutdown: &CancellationToken,
    ) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let mut hangups = signal(SignalKind::hangup())?;
        let (reloader, pulse, shutdown) = (server.reloader(), server.pulse(), shutdown.clone());
        // There it says that the terminal is gone, and whoever closed the window did not mean to leave a server behind.
        let in_terminal = io::stdin().is_terminal();
        let manager = Manager::find();
        Ok(async move {
            manager.tell(&[NotifyState::Ready]);
            let reloads = async {
                while hangups.recv().await.is_some() {
                    if in_terminal {
                        shutdown.cancel();
                    } else {
                        reload(&reloader, &args, &manager);
                    }
                }
            };
            beside(&shutdown, reloads, beats(&manager, pulse)).await;
            manager.tell(&[NotifyState::Stopping]);
        })
    }

    /// Does both until `shutdown`. What takes its time in one of them holds up neither the other nor the end.
    async fn beside(
        shutdown: &CancellationToken,
        reloads: impl Future<Output = ()>,
        beats: impl Future<Output = ()>,
    ) {
        let both = async { tokio::join!(reloads, beats) };
        tokio::select! {
            () = shutdown.cancelled() => {}
            // There is nothing more to attend to, and the server goes on.
            _ = both => shutdown.cancelled().await,
        }
    }

    /// Tells the manager, if there is one, that the server lives for as long as it does.
    async fn beats(manager: &Manager, mut pulse: Pulse) {
        if !manager.is_there {
            return;
        }
        let mut beat = interval(manager.beat());
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            match pulse.feel().await {
                Some(stats) => {
                    let status = status(&stats);
                    manager.tell(&[NotifyState::Status(&status)]);
                    if manager.is_watching {
                        manager.tell(&[NotifyState::Watchdog]);
                    }
                }
                None => warn!("the server is stuck: the service manager is not told that it lives"),
            }
        }
    }

    /// Reads the configuration and the certificate again. With a mistake in them everything stays as it was.
    fn reload(reloader: &Reloader, args: &Serve, manager: &Manager) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => manager.tell(&[NotifyState::Reloading, now]),
            Err(error) => warn!(%error, "the service manager is not told of the reload"),
        }
        let taken = config(args).and_then(|config| Ok(reloader.reload(&config)?));
        match taken {
            Ok(later) => {
                info!("settings read again");
                if !later.is_empty() {
                    warn!("start the server again for what else has changed: {}", later.join(", "));
                }
                manager.tell(&[NotifyState::Ready]);
            }
            Err(error) => {
                let what = match error.downcast_ref::<FileError>() {
                    Some(error) => error.in_one_line(),
                    None => format!("{error:#}"),
                };
                let sentence = Line::lossy(&format!("nothing was changed: {what}"));
                warn!("{sentence}");
                manager.tell(&[NotifyState::Ready, NotifyState::Status(sentence.as_str())]);
            }
        }
    }

    /// One line for `systemctl status`.
    fn status(stats: &Stats) -> String {
        let [people, rooms, connections] = [stats.people, stats.rooms, stats.connections].map(grouped);
        format!("people: {people}, rooms: {rooms}, connections: {connections}")
    }

    /// Who started us, if it wants to know how it goes.
    struct Manager {
        is_there: bool,
        /// It starts us again when it does not hear that we live.
        is_watching: bool,
        /// It was said that it does not listen.
        complained: AtomicBool,
    }

    impl Manager {
        fn find() -> Self {
            let (is_there, is_watching) =
                (env::var_os("NOTIFY_SOCKET").is_some(), sd_notify::watchdog_enabled().is_some());
            Self { is_there, is_watching, complained: AtomicBool::new(false) }
        }

        /// How often it hears of us.
        fn beat(&self) -> Duration {
            let asked = sd_notify::watchdog_enabled().map_or(TOLD_EVERY, |dead_after| dead_after / BEATS);
            asked.clamp(SHORTEST_BEAT, TOLD_EVERY)
        }

        /// Tells it, if it is there. A server whose manager does not listen goes on all the same.
        fn tell(&self, news: &[NotifyState<'_>]) {
            if let Err(error) = sd_notify::notify(news)
                && !self.complained.swap(true, Ordering::Relaxed)
            {
                warn!(%error, "the service manager cannot be told how it goes");
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::future::pending;

        use tokio::sync::mpsc;
        use tokio::time::timeout;

        use super::*;

        #[tokio::test(start_paused = true)]
        async fn a_pulse_that_is_felt_for_long_holds_up_neither_settings_nor_the_end() {
            let shutdown = CancellationToken::new();
            let (hang_up, mut hangups) = mpsc::channel(1);
            let reloads = async {
                // What comes here as a hangup ends it: so it was attended to beside a pulse that is never felt.
                hangups.recv().await.unwrap();
                shutdown.cancel();
            };
            hang_up.send(()).await.unwrap();
            let attending = beside(&shutdown, reloads, pending());
            timeout(TOLD_EVERY, attending).await.expect("it waits for the pulse");
        }

        #[test]
        fn a_manager_reads_who_is_here_in_one_line() {
            let stats = Stats { people: 1_200, rooms: 4, connections: 1_300, ..Stats::default() };
            assert_eq!(status(&stats), "people: 1,200, rooms: 4, connections: 1,300");
        }
    }
}
