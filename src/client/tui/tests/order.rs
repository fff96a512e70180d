//! Keeping order: what is asked, what is told of it, and who is what.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::script::{Script, nick, person, presence};
use crate::client::tui::theme::{Colours, Theme};
use crate::protocol::command::{Command, Judgement, RuleKind};
use crate::protocol::event::{
    Audit, Decision, ErrorCode, Event, Failure, Okay, Person, Reason, Role, Spread, Stats, TicketInfo,
    Tickets, Whois,
};
use crate::protocol::hex::Hex;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 1, "", &["alice", "bob", "Bartholomew"]);
    script.says("#lobby", 1, "bob", "one");
    script.effects.clear();
    script
}

fn ask(script: &mut Script, line: &str) -> Command {
    script.write(line);
    script.press(KeyCode::Enter);
    script.asked().pop().unwrap()
}

fn done(script: &mut Script, command: &Command) -> String {
    script.hear(Event::Ok(Okay { re: command.request_id(), ..Okay::default() }));
    script.text()
}

fn refuse(script: &mut Script, command: &Command, why: &str) {
    let failure = Failure { re: command.request_id(), ..Failure::new(ErrorCode::NotAllowed, why) };
    script.news(Update::Failed(failure));
}

#[test]
fn an_order_is_told_when_it_is_done_and_not_before() {
    for (line, told) in [
        ("/kick bob be kind", "bob was asked to leave"),
        ("/ban bob 2h flooding", "bob was banned for 2 h"),
        ("/ban 10.0.0.7", "10.0.0.7 was banned: /unban 10.0.0.7 lifts it"),
        ("/unban bob", "bob may come in again"),
        ("/mute bob 10m", "bob was muted in #lobby for 10 min"),
        ("/mute bob everywhere", "bob was muted everywhere"),
        ("/unmute bob", "bob may speak in #lobby again"),
        ("/op bob", "bob is an operator now"),
        ("/deop bob", "bob is no operator any more"),
        ("/topic-lock on", "only the owner and operators set the topic of #lobby now"),
        ("/private off", "#lobby is in everyone's list again"),
        ("/invite-only on", "only those come into #lobby now who are allowed"),
        ("/allow bob", "bob may come into #lobby"),
        ("/disallow bob", "bob is not among those any more who are allowed into #lobby"),
        ("/lock open sesame", "#lobby asks for its passphrase now: /join #lobby WORDS"),
        ("/lock off", "#lobby asks for no passphrase any more"),
        ("/ignore bob", "bob is not heard any more, on all your devices: /unignore bob"),
        ("/unignore bob", "bob is heard again"),
    ] {
        let mut script = room(120, 18);
        let command = ask(&mut script, line);
        assert!(!script.text().contains(told), "{line}");
        let text = done(&mut script, &command);
        assert!(text.contains(told), "{line}: {text}");
    }
}

#[test]
fn an_order_says_on_the_wire_what_it_says() {
    let mut script = room(80, 18);
    let Command::Mute(Judgement { nick: Some(who), room, reason, seconds, .. }) =
        ask(&mut script, "/mute Bartholomew 1d too loud")
    else {
        panic!("no mute")
    };
    assert_eq!((who, room.unwrap().as_str()), (nick("Bartholomew"), "#lobby"));
    assert_eq!((reason.as_str(), seconds), ("too loud", Some(86_400)));
    let Command::Rule(rule) = ask(&mut script, "/allow bob") else { panic!("no rule") };
    assert_eq!((rule.rule, rule.on, rule.nick), (RuleKind::Allowed, true, Some(nick("bob"))));
}

#[test]
fn a_refused_order_says_why_and_comes_back_to_be_changed() {
    for line in ["/ban bob 2h flooding", "/topic new rules", "/whois bob", "/audit", "/stats"] {
        let mut script = room(80, 18);
        let command = ask(&mut script, line);
        refuse(&mut script, &command, "that is for operators");
        assert!(script.text().contains("that is for operators"), "{}", script.text());
        assert_eq!(script.state.composer().text(), line);
        assert!(script.state.overlay.is_none());
        // Not over what was written since.
        script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
        let command = ask(&mut script, "/kick bob");
        script.write("hm");
        refuse(&mut script, &command, "no");
        assert_eq!(script.state.composer().text(), "hm");
    }
}

#[test]
fn an_order_that_needs_a_room_stays_in_the_input_without_one() {
    let mut script = Script::new(80, 18);
    script.online();
    script.write("/mute bob 10m");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("you are in no room"), "{}", script.text());
    assert!(script.asked().is_empty());
    assert_eq!(script.state.composer().text(), "/mute bob 10m");
}

#[test]
fn an_order_without_an_answer_is_noticed() {
    let mut script = room(80, 18);
    ask(&mut script, "/kick bob");
    script.pass(Duration::from_secs(5));
    assert!(script.text().contains("no answer for 5 s"), "{}", script.text());
}

#[test]
fn what_follows_a_command_is_completed() {
    for (written, completed) in [
        ("/wh", "/whois "),
        ("/kick b", "/kick Bartholomew "),
        ("/topic-lock o", "/topic-lock on "),
        ("/passphrase ", "/passphrase new "),
        ("/invite lo", "/invite #lobby "),
        ("/mute bob ev", "/mute bob ev"),
    ] {
        let mut script = room(80, 18);
        script.says("#lobby", 2, "Bartholomew", "two");
        script.write(written);
        script.press(KeyCode::Tab);
        assert_eq!(script.state.composer().text(), completed);
    }
}

fn bob() -> Whois {
    Whois {
        re: None,
        nick: nick("bob"),
        here: true,
        guest: false,
        role: Some(Role::Operator),
        away: None,
        keys: vec![Hex(std::array::from_fn(|n| u8::try_from(n).unwrap())), Hex([7; 32])],
        names: vec![nick("rob"), nick("robert")],
        addresses: vec!["10.0.0.7".parse().unwrap()],
        sessions: Vec::new(),
    }
}

#[test]
fn somebody_is_known_by_words() {
    let mut script = room(80, 24);
    let command = ask(&mut script, "/whois bob");
    assert!(script.text().contains("asking the server"));
    script.hear(Event::Whois(Whois { re: command.request_id(), ..bob() }));
    assert_snapshot!(script.text());
    script.resize(40, 10);
    assert_snapshot!(script.text());
    script.press(KeyCode::Esc);
    let command = ask(&mut script, "/whois carol");
    let carol = Whois {
        re: command.request_id(),
        nick: nick("carol"),
        guest: true,
        here: false,
        role: None,
        away: None,
        keys: Vec::new(),
        names: Vec::new(),
        addresses: Vec::new(),
        sessions: Vec::new(),
    };
    script.hear(Event::Whois(carol));
    let text = script.text();
    assert!(
        text.contains("a guest, whose name is not") && text.contains("not here now") && !text.contains("key"),
        "{text}"
    );
    assert_eq!(script.state.asked.len(), 0);
}

fn decision(number: u64) -> Decision {
    let minutes = i64::try_from(number).unwrap();
    Decision {
        number,
        at: Time::from_millis(crate::client::tui::script::BEGIN - 600_000_000 + 60_000 * minutes),
        by: Line::lossy("alice"),
        act: Line::lossy(if number.is_multiple_of(2) { "ban" } else { "topic_lock" }),
        subject: Line::lossy(&format!("mallory{number}")),
        particulars: Line::lossy(if number.is_multiple_of(2) { "banned: flooding" } else { "" }),
    }
}

#[test]
fn what_was_decided_is_read_back_to_the_first() {
    let mut script = room(80, 24);
    let first = ask(&mut script, "/audit");
    let Command::Audit(asked) = &first else { panic!("{first:?}") };
    assert_eq!(asked.before, None);
    let page = |command: &Command, numbers: std::ops::Range<u64>| {
        let decisions = numbers.rev().map(decision).collect();
        Event::Audit(Audit { re: command.request_id(), decisions })
    };
    script.hear(page(&first, 31..61));
    assert_snapshot!(script.text());
    assert!(script.asked().is_empty(), "there is enough to read");
    script.press(KeyCode::End);
    let next = script.asked().pop().unwrap();
    let Command::Audit(asked) = &next else { panic!("{next:?}") };
    assert_eq!(asked.before, Some(31));
    script.press(KeyCode::End);
    assert!(script.asked().is_empty(), "it is asked once");
    assert!(script.text().contains("asking the server"), "{}", script.text());
    script.hear(page(&next, 1..31));
    assert!(script.text().contains("mallory31") && script.asked().is_empty(), "{}", script.text());
    script.press(KeyCode::End);
    assert!(script.text().contains("That is all."), "{}", script.text());
    assert!(script.asked().is_empty());
    script.resize(40, 10);
    script.press(KeyCode::Home);
    assert_snapshot!(script.text());
}

#[test]
fn a_break_keeps_what_was_read_and_a_server_cannot_keep_us_reading() {
    let mut script = room(80, 24);
    let first = ask(&mut script, "/audit");
    let decisions: Vec<Decision> = (50..53).rev().map(decision).collect();
    script.hear(Event::Audit(Audit { re: first.request_id(), decisions: decisions.clone() }));
    // All of it is in sight, so what comes before is asked for at once.
    let next = script.asked().pop().unwrap();
    let retry_at = script.now.instant + Duration::from_secs(3);
    script.news(Update::Offline { why: "the connection broke".to_owned(), retry_at });
    assert!(script.text().contains("mallory50") && !script.text().contains("asking"), "{}", script.text());
    script.online();
    script.effects.clear();
    script.press(KeyCode::Down);
    let again = script.asked().pop().unwrap();
    assert_ne!(again.request_id(), next.request_id());
    script.hear(Event::Audit(Audit { re: again.request_id(), decisions }));
    assert!(script.asked().is_empty() && script.text().contains("That is all."), "{}", script.text());
}

fn stats() -> Stats {
    Stats {
        re: None,
        uptime_seconds: 273_600,
        connections: 1_204,
        connections_in_all: 98_310,
        connections_refused: 12,
        sessions: 1_198,
        people: 960,
        rooms: 41,
        entries: 1_310_224,
        duplicates: 315,
        failed: 2,
        deliveries: 88_123_456,
        bytes_written: 19_812_345_678,
        lagged: 77,
        pages_read: 4_010,
        commits: 610_300,
        commit_entries: Spread { p50: 1, p90: 4, p99: 27, max: 1024 },
        commit_micros: Spread { p50: 447, p90: 1_791, p99: 14_335, max: 2_310_441 },
        log_waiting: 3,
        endings: [(Reason::Quit, 90_001), (Reason::Gone, 7_040), (Reason::HandshakeTimeout, 65)].into(),
        memory_bytes: Some(183 << 20),
        open_files: Some(1_239),
    }
}

fn counted(columns: u16, rows: u16) -> Script {
    let mut script = room(columns, rows);
    let command = ask(&mut script, "/stats");
    assert!(script.text().contains("asking the server"), "{}", script.text());
    script.hear(Event::Stats(Box::new(Stats { re: command.request_id(), ..stats() })));
    assert_eq!(script.state.asked.len(), 0);
    script
}

#[test]
fn what_the_server_counts_at_120_by_36() {
    assert_snapshot!(counted(120, 36).text());
}

#[test]
fn what_the_server_counts_at_80_by_24() {
    assert_snapshot!(counted(80, 24).text());
}

#[test]
fn what_the_server_counts_at_50_by_12() {
    let mut script = counted(50, 12);
    assert_snapshot!(script.text());
    script.press(KeyCode::End);
    assert_snapshot!(script.text());
}

#[test]
fn the_help_has_a_part_for_it() {
    let mut script = room(80, 24);
    script.press(KeyCode::F(1));
    while !script.text().contains("Keeping order") {
        script.press(KeyCode::PageDown);
    }
    assert_snapshot!(script.text());
}

#[test]
fn who_is_what_is_seen_without_colours() {
    for columns in [120, 80] {
        let mut script = room(columns, 16);
        script.state.theme = Theme::new(Colours::None);
        let mut news = presence("#lobby", &[]);
        let with = |name: &str, guest, role| Person { guest, role, ..person(name) };
        news.people = Some(vec![
            with("alice", false, Some(Role::Host)),
            with("bob", false, None),
            with("carol", false, Some(Role::Operator)),
            with("zoë", true, None),
            with("李雷", true, None),
        ]);
        news.here = 5;
        script.hear(Event::Presence(news));
        if columns == 80 {
            script.write("/names");
            script.press(KeyCode::Enter);
        }
        let text = script.text();
        for line in ["& alice", "● bob", "@ carol", "~ zoë", "~ 李雷"] {
            assert!(text.contains(line), "{text}");
        }
    }
    let mut script = room(80, 24);
    script.press(KeyCode::F(1));
    script.press(KeyCode::End);
    let text = script.text();
    assert!(text.contains("a guest: somebody without a key") && text.contains("& @ "), "{text}");
}

#[test]
fn who_was_asked_to_leave_reads_why_and_can_do_no_more() {
    for why in ["you were asked to leave: be kind", "you may not come in here any more: flooding"] {
        let mut script = room(80, 18);
        script.news(Update::Ended { why: why.to_owned(), barrier: None, unsent: Vec::new(), wanted: false });
        let text = script.text();
        let (_, reason) = why.split_once(": ").unwrap();
        assert!(text.contains(&format!("{reason}. There will be no further attempt")), "{text}");
        assert!(text.contains("one"), "what was said can still be read");
        script.effects.clear();
        script.write("/whois bob");
        script.press(KeyCode::Enter);
        assert!(script.asked().is_empty() && script.state.overlay.is_none());
        assert_eq!(script.state.composer().text(), "/whois bob");
    }
}

#[test]
fn whom_we_ignore_takes_one_line_and_rings_no_bell() {
    let mut script = room(80, 18);
    let ignore = ask(&mut script, "/ignore bob");
    assert!(script.text().contains(" one"), "not before the server has said so");
    done(&mut script, &ignore);
    script.says("#lobby", 2, "bob", "alice: listen!");
    script.says("#lobby", 3, "bob", "alice: listen to me!");
    script.says("#lobby", 4, "Bartholomew", "quiet here");
    assert!(!script.effects.contains(&crate::client::tui::Effect::Bell));
    let text = script.text();
    assert!(!text.contains("listen") && text.contains("quiet here"), "{text}");
    assert_eq!(text.matches("3 messages of bob not shown: /unignore bob").count(), 1, "{text}");
    // Under another name they are the same.
    let mut news = presence("#lobby", &[]);
    news.people = None;
    news.left = vec![nick("bob")];
    news.joined = vec![person("rob")];
    news.renamed = vec![crate::protocol::event::Renamed { from: nick("bob"), to: nick("rob") }];
    script.hear(Event::Presence(news));
    script.says("#lobby", 5, "rob", "it is me");
    assert!(!script.text().contains("it is me"));
    let unignore = ask(&mut script, "/unignore bob");
    assert!(done(&mut script, &unignore).contains("listen to me!"));
}

#[test]
fn whom_we_ignore_may_be_written_with_any_capitals() {
    let mut script = room(80, 18);
    let ignore = ask(&mut script, "/ignore BOB");
    assert!(done(&mut script, &ignore).contains("not shown"));
    script.says("#lobby", 2, "bob", "listen!");
    assert!(!script.text().contains("listen!"), "{}", script.text());
    let unignore = ask(&mut script, "/unignore Bob");
    assert!(done(&mut script, &unignore).contains("listen!"));
}

#[test]
fn a_room_with_a_passphrase_is_entered_with_its_words() {
    let mut script = room(80, 18);
    let Command::Join(join) = ask(&mut script, "/join #vault open sesame please") else { panic!() };
    assert_eq!(join.words.unwrap().reveal(), "open-sesame-please");
    let Command::Rule(rule) = ask(&mut script, "/lock Open Sesame") else { panic!() };
    assert_eq!(
        (rule.rule, rule.on, rule.words.unwrap().reveal()),
        (RuleKind::Passphrase, true, "open-sesame")
    );
}

#[test]
fn another_device_is_told_what_to_type_and_says_whose_it_is() {
    let mut script = room(80, 18);
    let show = ask(&mut script, "/device add");
    let code = Some(Line::lossy("ABCD-EFGH"));
    script.hear(Event::Ok(Okay { re: show.request_id(), code, ..Okay::default() }));
    assert!(script.text().contains("/device ABCD-EFGH"), "{}", script.text());
    let Command::Link(link) = ask(&mut script, "/device abcd-efgh") else { panic!() };
    assert_eq!(link.code.as_str(), "abcd-efgh");
    done(&mut script, &Command::Link(link));
    let retry_at = script.now.instant + Duration::from_secs(1);
    script.news(Update::Offline { why: "this device is yours now".to_owned(), retry_at });
    script.online();
    assert!(script.text().contains("this device is yours now: you are alice"), "{}", script.text());
}

#[test]
fn a_ticket_is_shown_as_an_invite() {
    let mut script = room(120, 40).hosting("parlor://10.0.0.5:7878/#?p=amber-otter-river-stone");
    let Command::Ticket(ticket) = ask(&mut script, "/ticket 3 2d") else { panic!() };
    assert_eq!((ticket.uses.map(std::num::NonZeroU32::get), ticket.seconds), (Some(3), Some(2 * 86_400)));
    let secret = Some(Hex([7; 16]).into());
    script.hear(Event::Ok(Okay { re: ticket.id, ticket: secret, ..Okay::default() }));
    let text = script.text();
    assert!(text.contains("t=BwcHBwcHBwcHBwcHBwcHBw") && !text.contains("&p="), "{text}");
    for wrong in ["/ticket many", "/ticket 3 2d please", "/ticket 0"] {
        let mut script = room(120, 40);
        script.write(wrong);
        script.press(KeyCode::Enter);
        assert!(script.asked().is_empty() && script.text().contains("/ticket 3 2d"), "{wrong}");
    }
}

#[test]
fn invitations_are_listed_and_made_void() {
    let mut script = room(80, 18);
    let asked = ask(&mut script, "/tickets");
    assert!(script.text().contains("asking"), "{}", script.text());
    let ticket = |digit, uses, until| TicketInfo {
        ticket: Hex([digit; 8]),
        by: Line::lossy("alice"),
        at: Time::from_millis(0),
        uses,
        until,
        room: None,
    };
    let tickets = vec![ticket(1, Some(1), None), ticket(2, None, Some(Time::from_millis(0)))];
    script.hear(Event::Tickets(Tickets { re: asked.request_id(), tickets }));
    let text = script.text();
    for line in
        ["0101010101010101", "lets in once more; made by alice", "any number of times, until 1 Jan 00:00"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    script.press(KeyCode::Esc);
    let revoke = ask(&mut script, "/revoke 0101010101010101");
    assert!(matches!(&revoke, Command::Revoke(of) if of.ticket == Hex([1; 8])));
    assert!(done(&mut script, &revoke).contains("lets nobody in any more"));
    let asked = ask(&mut script, "/tickets");
    script.hear(Event::Tickets(Tickets { re: asked.request_id(), tickets: Vec::new() }));
    assert!(script.text().contains("There are none"), "{}", script.text());
}
