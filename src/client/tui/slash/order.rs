//! The commands of those who look after the parlor. Whoever may not is told so by the server: who may what is its
//! to say.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{Completes, Entry, Slash, nick};
use crate::protocol::command::RuleKind;
use crate::protocol::limits::KEPT_SHORTEST;
use crate::protocol::name::Nick;
use crate::protocol::proof::Passphrase;
use crate::protocol::text::Line;
use crate::protocol::ticket::TicketId;
use crate::protocol::words::Role;

/// An order, understood. Where it says nothing of a room, the room in sight is meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    Kick {
        nick: Nick,
        reason: Line,
    },
    Ban {
        whom: Whom,
        seconds: Option<u64>,
        reason: Line,
    },
    Unban(Whom),
    Mute {
        nick: Nick,
        everywhere: bool,
        seconds: Option<u64>,
        reason: Line,
    },
    Unmute {
        nick: Nick,
        everywhere: bool,
    },
    Role(Nick, Role),
    Rule(RuleKind, bool),
    Allow(Nick, bool),
    Passphrase,
    /// The words of the room in sight; `None` takes them away.
    Lock(Option<Passphrase>),
    /// For how many seconds is kept what is said in the room in sight; `None` as elsewhere.
    Retention(Option<u64>),
    Ticket {
        uses: Option<NonZeroU32>,
        seconds: Option<u64>,
    },
    Ignore(Nick, bool),
    Revoke(TicketId),
    ShowCode,
    Link(Line),
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Whom {
    Nick(Nick),
    Address(IpAddr),
}

impl std::fmt::Display for Whom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nick(nick) => nick.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Where a mute holds that holds in all rooms.
const EVERYWHERE: &str = "everywhere";

/// A hundred years. Whoever wants more means for ever, and says so by saying nothing.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

const SWITCH: Completes = Completes::Words(&["on", "off"]);

const fn entry(
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    completes: Completes,
    parse: fn(&str) -> Result<Slash, String>,
) -> Entry {
    Entry { name, short: &[], arguments, help, completes, parse }
}

use Completes::Names;

/// The table, in the order in which the help shows it.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[Entry] = &[
    entry("kick", "NAME [REASON]", "end somebody's stay; they may come back", Names, |rest| {
        let (who, reason) = first(rest);
        Ok(Slash::Order(Order::Kick { nick: named(who, "/kick bob please read the topic")?, reason: line(reason)? }))
    }),
    entry("ban", "NAME|ADDRESS [FOR] [REASON]", "keep somebody out, for a time as 10m, 2h or 7d, or until you lift it", Names, |rest| {
        let (who, rest) = first(rest);
        let whom = whom(who, "/ban bob 2h flooding")?;
        let (seconds, reason) = for_how_long(rest)?;
        Ok(Slash::Order(Order::Ban { whom, seconds, reason }))
    }),
    entry("unban", "NAME|ADDRESS", "let them in again", Names, |rest| {
        Ok(Slash::Order(Order::Unban(whom(rest, "/unban bob")?)))
    }),
    entry("mute", "NAME [everywhere] [FOR] [REASON]", "let somebody read but not speak: in this room, or in all", Names, |rest| {
        let (who, rest) = first(rest);
        let nick = named(who, "/mute bob 10m")?;
        let (everywhere, rest) = place(rest);
        let (seconds, reason) = for_how_long(rest)?;
        Ok(Slash::Order(Order::Mute { nick, everywhere, seconds, reason }))
    }),
    entry("unmute", "NAME [everywhere]", "let them speak again", Names, |rest| {
        let (who, rest) = first(rest);
        let nick = named(who, "/unmute bob")?;
        match place(rest) {
            (everywhere, "") => Ok(Slash::Order(Order::Unmute { nick, everywhere })),
            _ => Err(format!("/unmute {nick} lifts it in this room, /unmute {nick} {EVERYWHERE} in all")),
        }
    }),
    entry("op", "NAME", "make somebody an operator, who keeps order too; for the host", Names, |rest| {
        Ok(Slash::Order(Order::Role(named(rest, "/op bob")?, Role::Operator)))
    }),
    entry("deop", "NAME", "make an operator a member again", Names, |rest| {
        Ok(Slash::Order(Order::Role(named(rest, "/deop bob")?, Role::Member)))
    }),
    entry("topic-lock", "on|off", "whether only the room's owner and operators set its topic", SWITCH, |rest| {
        let wrong = "say /topic-lock on or /topic-lock off: on, only the owner and operators set the topic";
        Ok(Slash::Order(Order::Rule(RuleKind::TopicLocked, switch(rest, wrong)?)))
    }),
    entry("private", "on|off", "whether the room is left out of the lists of those who are not in it", SWITCH, |rest| {
        let wrong = "say /private on, which hides this room from lists, or /private off; parlor has no private messages yet";
        Ok(Slash::Order(Order::Rule(RuleKind::Private, switch(rest, wrong)?)))
    }),
    entry("invite-only", "on|off", "whether only those come into the room who are allowed", SWITCH, |rest| {
        let wrong = "say /invite-only on or /invite-only off: on, only those come into this room whom /allow lets in";
        Ok(Slash::Order(Order::Rule(RuleKind::InviteOnly, switch(rest, wrong)?)))
    }),
    entry("allow", "NAME", "let somebody into this invite-only room", Names, |rest| {
        Ok(Slash::Order(Order::Allow(named(rest, "/allow bob")?, true)))
    }),
    entry("disallow", "NAME", "let them into it no more", Names, |rest| {
        Ok(Slash::Order(Order::Allow(named(rest, "/disallow bob")?, false)))
    }),
    entry("passphrase", "new", "make a new passphrase, for the host; those who are in stay", Completes::Words(&["new"]), |rest| match rest {
        "new" => Ok(Slash::Order(Order::Passphrase)),
        _ => Err("/passphrase new makes another one, which everyone needs who comes later; /invite shows the one there is".to_owned()),
    }),
    entry("lock", "WORDS|off", "give this room a passphrase of its own, or take it away", Completes::Words(&["off"]), |rest| match rest {
        "" => Err("say the words: /lock open sesame please; /lock off takes them away".to_owned()),
        "off" => Ok(Slash::Order(Order::Lock(None))),
        words => Passphrase::new(words).map(|words| Slash::Order(Order::Lock(Some(words)))).map_err(|error| error.to_string()),
    }),
    entry("retention", "FOR|off", "for how long this room keeps what is said, as 90d; off: as elsewhere in the parlor", Completes::Words(&["off"]), |rest| {
        let wrong = || "say for how long this room keeps what is said, as in /retention 90d, or /retention off".to_owned();
        match (rest, seconds(rest)?) {
            ("off", _) => Ok(Slash::Order(Order::Retention(None))),
            (_, Some(kept)) if Duration::from_secs(kept) < KEPT_SHORTEST => {
                Err(format!("a room keeps what is said for {} at least", spoken_time(KEPT_SHORTEST.as_secs())))
            }
            (_, Some(kept)) => Ok(Slash::Order(Order::Retention(Some(kept)))),
            _ => Err(wrong()),
        }
    }),
    entry("ticket", "[USES] [FOR]", "an invitation that is counted, as /ticket 3 2d; one use unless you say more", Names, |rest| {
        let wrong = "say how often, and for how long if you wish: /ticket 3 2d";
        let (uses, rest) = first(rest);
        let uses = if uses.is_empty() { Some(NonZeroU32::MIN) } else { uses.parse().ok() };
        let (seconds, rest) = for_how_long(rest)?;
        match uses {
            Some(_) if rest.is_empty() => Ok(Slash::Order(Order::Ticket { uses, seconds })),
            _ => Err(wrong.to_owned()),
        }
    }),
    entry("tickets", "", "the counted invitations that hold", Names, |_| Ok(Slash::Tickets)),
    entry("revoke", "TICKET", "make one of them void, by its digits", Names, |rest| {
        let wrong = |_| "say which, by its 16 digits: /tickets shows them".to_owned();
        rest.parse().map(|ticket| Slash::Order(Order::Revoke(ticket))).map_err(wrong)
    }),
    entry("audit", "", "what was decided here, by whom, and when", Names, |_| Ok(Slash::Audit)),
    entry("stats", "", "what the server counts: who is here, what is stored and sent, how fast", Names, |_| Ok(Slash::Stats)),
];

/// The first word, and what follows it.
fn first(rest: &str) -> (&str, &str) {
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    (word, rest.trim_start())
}

/// Somebody, or how to name them.
pub(super) fn named(typed: &str, example: &str) -> Result<Nick, String> {
    if typed.is_empty() { Err(format!("say whom you mean: {example}")) } else { nick(typed) }
}

/// Somebody, or an address.
fn whom(typed: &str, example: &str) -> Result<Whom, String> {
    match typed.parse() {
        Ok(address) => Ok(Whom::Address(address)),
        Err(_) => named(typed, example).map(Whom::Nick),
    }
}

fn place(rest: &str) -> (bool, &str) {
    match first(rest) {
        (EVERYWHERE, rest) => (true, rest),
        _ => (false, rest),
    }
}

fn line(reason: &str) -> Result<Line, String> {
    Line::new(reason).map_err(|error| error.to_string())
}

/// `[FOR] [REASON]`.
fn for_how_long(rest: &str) -> Result<(Option<u64>, Line), String> {
    let (word, behind) = first(rest);
    Ok(match seconds(word)? {
        None => (None, line(rest)?),
        time => (time, line(behind)?),
    })
}

/// A time; `None` for a word that is none, and so begins a reason. A number alone could be either, and one of the
/// two would be for ever: it is asked about.
fn seconds(word: &str) -> Result<Option<u64>, String> {
    let (number, unit) = word.split_at(word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len()));
    if number.is_empty() {
        return Ok(None);
    }
    let unit = match unit {
        "" => return Err(format!("{number} what? Write a time as {number}m, {number}h or {number}d")),
        "s" | "sec" | "secs" => 1,
        "m" | "min" | "mins" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => 24 * 60 * 60,
        "w" | "week" | "weeks" => 7 * 24 * 60 * 60,
        _ => return Ok(None),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match seconds {
        Some(0) => Err("a time is longer than nothing: write it as 10m, 2h or 7d".to_owned()),
        Some(seconds @ ..=LONGEST) => Ok(Some(seconds)),
        _ => Err("that is more than a hundred years: leave the time out, and it holds until it is lifted"
            .to_owned()),
    }
}

/// A time as people say it.
pub(crate) fn spoken_time(seconds: u64) -> String {
    let units = [(24 * 60 * 60, "days"), (60 * 60, "h"), (60, "min"), (1, "s")];
    let fits = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = fits.unwrap_or((1, "s"));
    match (seconds / unit, name) {
        (1, "days") => "1 day".to_owned(),
        (number, name) => format!("{number} {name}"),
    }
}

fn switch(rest: &str, wrong: &str) -> Result<bool, String> {
    match rest {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(wrong.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::slash::{Input, parse};

    fn order(text: &str) -> Order {
        match parse(text) {
            Ok(Input::Command(Slash::Order(order))) => order,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn bob() -> Nick {
        Nick::new("bob").unwrap()
    }

    #[test]
    fn an_order_says_whom_where_for_how_long_and_why() {
        let (nick, reason) = (bob(), Line::lossy("read the topic"));
        assert_eq!(
            order("/kick bob  read the topic"),
            Order::Kick { nick: nick.clone(), reason: reason.clone() }
        );
        let ban = |seconds, reason: &str| Order::Ban {
            whom: Whom::Nick(bob()),
            seconds,
            reason: Line::lossy(reason),
        };
        assert_eq!(order("/ban bob"), ban(None, ""));
        assert_eq!(order("/ban bob 2h"), ban(Some(7200), ""));
        assert_eq!(order("/ban @bob 7days read the topic"), ban(Some(604_800), "read the topic"));
        assert_eq!(order("/ban bob 3rd warning"), ban(None, "3rd warning"));
        assert_eq!(order("/BAN bob no"), ban(None, "no"));
        let address = |text: &str| Whom::Address(text.parse().unwrap());
        assert_eq!(order("/unban 10.0.0.5"), Order::Unban(address("10.0.0.5")));
        assert_eq!(order("/unban ::1"), Order::Unban(address("::1")));
        assert_eq!(order("/unban @10.0.0.5"), Order::Unban(Whom::Nick(Nick::new("10.0.0.5").unwrap())));
        let mute = |everywhere, seconds, reason: &str| Order::Mute {
            nick: bob(),
            everywhere,
            seconds,
            reason: Line::lossy(reason),
        };
        assert_eq!(order("/mute bob"), mute(false, None, ""));
        assert_eq!(order("/mute bob everywhere 90s too loud"), mute(true, Some(90), "too loud"));
        assert_eq!(order("/unmute bob everywhere"), Order::Unmute { nick, everywhere: true });
        assert_eq!(order("/deop bob"), Order::Role(bob(), Role::Member));
        assert_eq!(order("/invite-only on"), Order::Rule(RuleKind::InviteOnly, true));
        assert_eq!(order("/disallow bob"), Order::Allow(bob(), false));
        assert_eq!(order("/retention 2w"), Order::Retention(Some(1_209_600)));
        assert_eq!(order("/retention off"), Order::Retention(None));
    }

    #[test]
    fn an_order_that_is_wrong_says_what_to_do() {
        let wrong = |text| parse(text).unwrap_err();
        insta::assert_snapshot!([
            wrong("/kick"), wrong("/ban"), wrong("/ban bob 10 spam"), wrong("/mute bob 0m"), wrong("/ban bob 1000000d"),
            wrong("/ban bob 99999999999999999999h"), wrong("/unmute bob 2h"), wrong("/op bob carol"), wrong("/topic-lock"),
            wrong("/private bob hi"), wrong("/invite-only maybe"), wrong("/passphrase"), wrong("/passphrase correct horse"),
            wrong("/whois"), wrong("/bann bob"), wrong("/topiclock on"), wrong("/operator bob"),
            wrong("/retention"), wrong("/retention 90"), wrong("/retention 59s"), wrong("/retention for ever"),
        ].join("\n"), @r#"
        say whom you mean: /kick bob please read the topic
        say whom you mean: /ban bob 2h flooding
        10 what? Write a time as 10m, 10h or 10d
        a time is longer than nothing: write it as 10m, 2h or 7d
        that is more than a hundred years: leave the time out, and it holds until it is lifted
        that is more than a hundred years: leave the time out, and it holds until it is lifted
        /unmute bob lifts it in this room, /unmute bob everywhere in all
        a space cannot be part of a name: use letters, digits, - _ and .
        say /topic-lock on or /topic-lock off: on, only the owner and operators set the topic
        say /private on, which hides this room from lists, or /private off; parlor has no private messages yet
        say /invite-only on or /invite-only off: on, only those come into this room whom /allow lets in
        /passphrase new makes another one, which everyone needs who comes later; /invite shows the one there is
        /passphrase new makes another one, which everyone needs who comes later; /invite shows the one there is
        say whom you mean: /whois bob
        there is no command /bann: did you mean /ban?
        there is no command /topiclock: did you mean /topic-lock?
        there is no command /operator: /help lists them all; to say it as it is, begin with //
        say for how long this room keeps what is said, as in /retention 90d, or /retention off
        90 what? Write a time as 90m, 90h or 90d
        a room keeps what is said for 1 min at least
        say for how long this room keeps what is said, as in /retention 90d, or /retention off
        "#);
    }

    #[test]
    fn times_are_said_in_the_largest_unit_that_fits() {
        let spoken = [1, 90, 600, 5400, 7200, 86_400, 604_800].map(spoken_time);
        assert_eq!(spoken, ["1 s", "90 s", "10 min", "90 min", "2 h", "1 day", "7 days"]);
    }
}
