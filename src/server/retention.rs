//! What is older than it shall be kept is taken out of the log: by the rule of its room, or else by that of the parlor.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize as _, Deserializer, de};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::Context;
use super::steady::Steady;
use crate::protocol::limits::{EXPIRE_EVERY, EXPIRE_PARTS, EXPIRE_PAUSE, KEPT_LONGEST, KEPT_SHORTEST};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;

/// For how long the parlor keeps what is said.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Where the room has no rule of its own; `None`: for ever.
    pub keep: Option<Duration>,
    /// How often it is looked for what is older, at least.
    pub every: Duration,
    /// How long it is not looked again, however short the rule.
    pub pause: Duration,
}

impl Retention {
    /// How long after the last time it is looked again in a room that keeps what is said for `keep`.
    fn next(&self, keep: Duration) -> Duration {
        (keep / EXPIRE_PARTS).max(self.pause).min(self.every)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep: None, every: EXPIRE_EVERY, pause: EXPIRE_PAUSE }
    }
}

/// The setting, and a bell for when a room's rule has changed.
#[derive(Debug)]
pub(super) struct Keeping {
    setting: Mutex<Retention>,
    bell: Notify,
}

impl Keeping {
    pub(super) fn new(setting: Retention) -> Self {
        Self { setting: Mutex::new(setting), bell: Notify::new() }
    }

    /// What holds now.
    pub(super) fn setting(&self) -> Retention {
        *self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a room has no rule of its own, what is said is kept for so long from now on.
    pub(super) fn keep(&self, keep: Option<Duration>) {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner).keep = keep;
        self.changed();
    }

    /// A rule has changed: it holds from now on.
    pub(super) fn changed(&self) {
        self.bell.notify_one();
    }
}

/// Takes out what has expired, at once and then again and again.
pub(super) async fn run(context: &Context) {
    let mut looked = BTreeMap::new();
    let mut clock = Steady::new(Time::now(), Instant::now());
    loop {
        let (setting, now) = (context.retention.setting(), clock.tell(Time::now(), Instant::now()));
        expire(context, &setting, now, &mut looked).await;
        // Of all rules, also of rooms where nothing was said yet: what is said there next expires by them.
        let shortest = context.registry.lock().shortest_retention().into_iter().chain(setting.keep).min();
        let next = shortest.map_or(setting.every, |keep| setting.next(keep));
        tokio::select! {
            biased;
            () = context.retention.bell.notified() => looked.clear(),
            () = sleep(next) => {}
        }
    }
}

/// Takes out what has expired, in one room after the other: in those where it was not just `looked`, by their rules.
async fn expire(context: &Context, setting: &Retention, now: Time, looked: &mut BTreeMap<RoomName, Instant>) {
    let rooms = context.hub.lock().spoken_in();
    for (room, published) in rooms {
        let rule = context.registry.lock().rules(&room).retention;
        let Some(keep) = rule.or(setting.keep) else { continue };
        if looked.get(&room).is_some_and(|at| at.elapsed() < setting.next(keep)) {
            continue;
        }
        looked.insert(room.clone(), Instant::now());
        let milliseconds = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = now.shifted(-milliseconds);
        // The last one stays: whoever comes next must find the log where the channel is.
        match context.log.expire(&room, before, published - 1).await {
            Ok(first) => {
                // Also what an earlier server took out, and could not tell the index of.
                context.search.forget(&room, first);
                let mut hub = context.hub.lock();
                if hub.room(&room).is_ok_and(|known| known.first() < first) {
                    info!(%room, first, "what came before this entry has expired");
                    hub.set_first(&room, first);
                    context.search.forget(&room, first);
                }
            }
            Err(error) => warn!(%room, %error, "what has expired could not be taken out"),
        }
    }
}

/// A time as people write it: `90d`, `12h`.
///
/// # Errors
/// A sentence that says how to write it.
pub fn parse(typed: &str) -> Result<Duration, String> {
    let wrong = || "write for how long as in 90d, 8w, 12h or 30m".to_owned();
    let (number, unit) = typed.split_at(typed.find(|c: char| !c.is_ascii_digit()).unwrap_or(typed.len()));
    let unit = match unit {
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let kept = Duration::from_secs(number.saturating_mul(unit));
    if kept < KEPT_SHORTEST {
        Err(format!("keep what is said for {} seconds at least", KEPT_SHORTEST.as_secs()))
    } else if kept > KEPT_LONGEST {
        Err("that is more than a hundred years: leave it out, and all is kept for ever".to_owned())
    } else {
        Ok(kept)
    }
}

/// The same in a configuration file.
pub(super) fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let typed = String::deserialize(deserializer)?;
    parse(&typed).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_rule_is_kept_as_exactly_as_a_long_one() {
        let (setting, minute) = (Retention::default(), Duration::from_secs(60));
        assert_eq!(setting.next(minute), EXPIRE_PAUSE);
        assert_eq!(setting.next(20 * minute), 2 * minute);
        assert_eq!(setting.next(30 * 24 * 60 * minute), EXPIRE_EVERY);
    }

    #[test]
    fn a_time_is_written_with_its_unit() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(parse("90d"), Ok(90 * day));
        assert_eq!(parse("2w"), Ok(14 * day));
        assert_eq!(parse("36h"), Ok(day * 3 / 2));
        assert_eq!(parse("1m"), Ok(KEPT_SHORTEST));
        for wrong in
            ["", "d", "90", "90 d", "-1d", "0d", "36501d", "99999999999999999999d", "9999999999999999999w"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
