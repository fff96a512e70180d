//! Messages on their way, breaks, and what comes back after them.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::Effect;
use crate::client::tui::script::{Script, entry, nick, person, presence};
use crate::protocol::command::{Command, Send};
use crate::protocol::event::{Delayed, ErrorCode, Event, Failure, Okay};
use crate::protocol::text::Line;

fn room() -> Script {
    let mut script = Script::new(80, 16);
    script.online();
    script.join("#a", 2, "", &["alice", "bob"]);
    script.says("#a", 1, "bob", "one");
    script.says("#a", 2, "bob", "two");
    script.effects.clear();
    script
}

fn breaks(script: &mut Script, seconds: u64) {
    let retry_at = script.now.instant + Duration::from_secs(seconds);
    script.news(Update::Offline { why: "the server closed the connection".to_owned(), retry_at });
}

fn sent(script: &Script) -> Vec<Send> {
    let sends = script.effects.iter().filter_map(|effect| match effect {
        Effect::Submit(Command::Send(send)) => Some(send.clone()),
        _ => None,
    });
    sends.collect()
}

fn write(script: &mut Script, line: &str) -> Send {
    script.write(line);
    script.press(KeyCode::Enter);
    sent(script).pop().unwrap()
}

/// The entry that a message of ours becomes.
fn comes_back(script: &mut Script, send: &Send, seq: u64) {
    let mut entry = entry("#a", seq, "alice", send.text.as_str());
    entry.id = send.id;
    entry.at = script.now.time;
    script.entry(entry);
}

#[test]
fn a_message_is_there_at_once_and_then_once() {
    let mut script = room();
    let send = write(&mut script, "ahoy");
    assert!(script.text().contains("◌ ahoy"), "{}", script.text());
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(3), ..Okay::default() }));
    assert!(!script.text().contains('◌') && script.text().contains("ahoy"));
    comes_back(&mut script, &send, 3);
    assert_eq!(script.text().matches("ahoy").count(), 1);
    // Answer and entry come in any order.
    let send = write(&mut script, "land");
    comes_back(&mut script, &send, 4);
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(4), ..Okay::default() }));
    assert_eq!(script.text().matches("land").count(), 1);
    assert!(!script.text().contains('◌'));
}

#[test]
fn a_break_is_calm_and_writing_goes_on() {
    let mut script = room();
    breaks(&mut script, 5);
    write(&mut script, "said into the dark");
    script.pass(Duration::from_millis(1200));
    script.write("and more");
    assert_snapshot!(script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    script.effects.clear();
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::RetryNow]);
}

#[test]
fn the_countdown_asks_to_be_drawn_each_second_and_no_more() {
    let mut script = room();
    breaks(&mut script, 3);
    let mut drawn = Vec::new();
    while let Some(at) = script.state.deadline() {
        script.state.take_changed();
        script.pass(at - script.now.instant);
        drawn.push(script.state.take_changed());
        script.pass(Duration::from_millis(1));
        assert!(drawn.len() < 10, "{drawn:?}");
    }
    assert_eq!(drawn, [true, true, true]);
}

#[test]
fn what_was_missed_comes_behind_the_line_new() {
    let mut script = room();
    breaks(&mut script, 1);
    script.online();
    script.joined("#a", 4, "", &["alice", "bob"]);
    script.says("#a", 3, "bob", "three");
    script.says("#a", 4, "bob", "four, alice");
    script.says("#a", 5, "bob", "five");
    assert_snapshot!(script.text());
    assert!(!script.effects.contains(&Effect::Bell), "old mentions do not ring");
    // The next break moves the line; reconnecting without news does not.
    breaks(&mut script, 1);
    script.online();
    script.joined("#a", 5, "", &["alice", "bob"]);
    let new_behind = |script: &mut Script| {
        let text = script.text();
        let lines: Vec<&str> = text.lines().collect();
        let line = lines.iter().position(|line| line.contains(" new ")).unwrap();
        lines[line - 1].to_owned()
    };
    assert!(new_behind(&mut script).contains("two"));
    breaks(&mut script, 1);
    script.online();
    script.joined("#a", 6, "", &["alice", "bob"]);
    script.says("#a", 6, "bob", "six");
    assert!(new_behind(&mut script).contains("five"));
}

#[test]
fn what_was_refused_says_why_and_can_be_taken_back() {
    let mut script = room();
    let send = write(&mut script, "too much");
    let mut failure = Failure::new(ErrorCode::TextTooLong, "the text is too long");
    failure.re = Some(send.id.into());
    script.news(Update::Failed(failure));
    assert!(script.text().contains("✗ too much"), "{}", script.text());
    assert!(script.text().contains("not sent: the text is too long · ↑ takes it back"));
    script.press(KeyCode::Up);
    assert!(!script.text().contains('✗'));
    assert_eq!(script.state.composer().text(), "too much");
}

#[test]
fn a_full_disk_is_a_banner_and_the_message_waits() {
    let mut script = room();
    let send = write(&mut script, "hi");
    let failure = Failure::new(ErrorCode::StorageFull, "the server's disk is full");
    let retry_at = script.now.instant + Duration::from_secs(8);
    script.news(Update::Held { failure, retry_at });
    let text = script.text();
    assert!(text.contains("The server's disk is full. Your messages wait here"), "{text}");
    assert!(text.contains("in 8 s") && text.contains("◌ hi"), "{text}");
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(3), ..Okay::default() }));
    assert!(!script.text().contains("disk"));
}

#[test]
fn a_message_of_ours_that_lies_in_a_gap_is_not_shown_twice() {
    let mut script = room();
    let send = write(&mut script, "hi");
    breaks(&mut script, 1);
    script.online();
    script.joined("#a", 500, "", &["alice", "bob"]);
    script.gap("#a", 3, 499);
    script.says("#a", 500, "bob", "late");
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(3), ..Okay::default() }));
    let text = script.text();
    assert!(!text.contains("◌") && text.contains("497 messages not shown"), "{text}");
}

#[test]
fn another_log_begins_with_an_empty_screen() {
    let mut script = room();
    breaks(&mut script, 1);
    let Update::Online { welcome, ready, met, news, .. } = script.online_update() else { panic!() };
    script.news(Update::Online { welcome, ready, met, news, new_log: true });
    script.joined("#a", 1, "", &["alice"]);
    script.says("#a", 1, "bob", "first");
    let text = script.text();
    assert!(text.contains("first") && !text.contains("two") && !text.contains("─ new ─"), "{text}");
    assert!(text.contains("begins a new history"));
}

#[test]
fn an_end_that_is_final_says_so_and_keeps_what_was_written() {
    let mut script = room();
    write(&mut script, "hi");
    script.news(Update::Ended {
        barrier: None,
        why: "you connected from elsewhere".to_owned(),
        unsent: Vec::new(),
        wanted: false,
    });
    let text = script.text();
    assert!(text.contains("You connected from elsewhere. There will be no further attempt"), "{text}");
    assert!(text.contains("✗ hi"));
    script.write("more");
    script.press(KeyCode::Enter);
    assert_eq!(script.state.composer().text(), "more");
}

#[test]
fn a_room_that_is_refused_is_not_kept() {
    let mut script = room();
    script.write("/join #full");
    script.press(KeyCode::Enter);
    let Some(Effect::Submit(join @ Command::Join(_))) = script.effects.pop() else { panic!() };
    let mut failure = Failure::new(ErrorCode::RoomFull, "the room is full");
    failure.re = join.request_id();
    script.news(Update::Failed(failure));
    let text = script.text();
    assert!(text.contains("#full: the room is full") && text.contains("two"), "{text}");
}

#[test]
fn leaving_with_something_unsent_asks_first() {
    let mut script = room();
    breaks(&mut script, 9);
    write(&mut script, "hi");
    script.effects.clear();
    script.write("/quit");
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, []);
    assert!(script.text().contains("One message is not sent yet"));
    script.press(KeyCode::Left);
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn who_decided_to_leave_does_once_all_is_sent() {
    for decided in [true, false] {
        let mut script = room();
        let send = write(&mut script, "hi");
        script.effects.clear();
        if decided {
            script.write("/quit");
            script.press(KeyCode::Enter);
        } else {
            script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
        }
        assert!(script.text().contains("One message is not sent yet"));
        script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(3), ..Okay::default() }));
        assert_eq!(script.effects.contains(&Effect::Quit), decided);
    }
}

#[test]
fn whoever_is_too_fast_is_told() {
    let mut script = room();
    let message = Line::lossy("your messages are sent one after another");
    script.hear(Event::Delayed(Delayed { re: None, ms: 1200, message }));
    assert!(script.text().contains("slow down: your messages are sent one after another"));
    assert!(script.state.deadline().is_some());
    script.pass(Duration::from_secs(11));
    assert!(!script.text().contains("slow down"));
    assert_eq!(script.state.deadline(), None);
}

#[test]
fn a_server_that_hangs_does_not_look_healthy() {
    let mut script = room();
    script.pass(Duration::from_secs(60));
    assert!(script.text().contains("● connected 2 ms"), "who asks nothing waits for nothing");
    let send = write(&mut script, "anybody?");
    script.pass(Duration::from_millis(2999));
    assert!(script.text().contains("● connected 2 ms"));
    let due = script.state.deadline().unwrap();
    script.pass(due - script.now.instant);
    assert!(script.text().contains("○ no answer for 3 s"), "{}", script.text());
    assert!(!script.text().contains("2 ms"));
    // It is counted, a drawing for each second.
    for seconds in 4..10 {
        script.state.take_changed();
        script.pass(script.state.deadline().unwrap() - script.now.instant);
        assert!(script.state.take_changed());
        assert!(script.text().contains(&format!("no answer for {seconds} s")));
    }
    // Whatever it says, it is there.
    script.hear(Event::Presence(crate::client::tui::script::presence("#a", &["alice"])));
    assert!(script.text().contains("● connected") && !script.text().contains(" ms"));
    script.pass(Duration::from_secs(4));
    assert!(script.text().contains("no answer for 4 s"), "but not to that");
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(3), ..Okay::default() }));
    script.pass(Duration::from_secs(60));
    assert!(script.text().contains("● connected"));
    assert_eq!(script.state.deadline(), None);
}

#[test]
fn a_question_without_an_answer_is_noticed_too() {
    let mut script = room();
    script.write("/list");
    script.press(KeyCode::Enter);
    script.pass(Duration::from_secs(6));
    assert!(script.text().contains("○ no answer for 6 s"), "{}", script.text());
    breaks(&mut script, 5);
    assert!(script.text().contains("○ no connection"));
}

#[test]
fn the_first_reason_of_a_break_stays_and_the_countdown_is_never_cut() {
    let mut script = room();
    let why = "the server was shut down".to_owned();
    script.news(Update::Offline { why, retry_at: script.now.instant + Duration::from_secs(1) });
    script.pass(Duration::from_secs(120));
    script.news(Update::Connecting { attempt: 1 });
    let why = "cannot connect to 127.0.0.1:7878: nothing listens there".to_owned();
    script.news(Update::Offline { why, retry_at: script.now.instant + Duration::from_secs(5) });
    for (columns, rows) in [(80, 16), (40, 8)] {
        script.resize(columns, rows);
        let text = script.text();
        assert!(text.contains("Trying again in 5 s; Enter on an empty"), "{text}");
    }
    script.resize(100, 16);
    let text = script.text();
    let wanted = "tries now. No connection since 11:02: the server was shut down.";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(wanted), "{text}");
}

#[test]
fn a_wished_nick_that_was_taken_at_the_start_is_told_until_it_is_read() {
    let mut script = Script::new(80, 16);
    script.state.wished = Some(nick("bob"));
    script.online();
    script.join("#a", 0, "", &["alice", "bob"]);
    script.pass(Duration::from_secs(600));
    assert!(script.text().contains("bob is taken: you are alice. /nick NAME changes it"));
    script.press(KeyCode::Esc);
    assert!(!script.text().contains("taken"));
    // Given as wished, there is nothing to tell.
    let mut script = Script::new(80, 16);
    script.state.wished = Some(nick("alice"));
    script.online();
    assert!(!script.text().contains("you are"), "{}", script.text());
}

#[test]
fn a_nick_that_is_refused_comes_back_to_be_changed() {
    let mut script = room();
    for (written_since, left) in [("", "/nick ada"), ("hm", "hm")] {
        script.write("/nick ada");
        script.press(KeyCode::Enter);
        let asked = script.asked().pop().unwrap();
        script.write(written_since);
        let mut failure = Failure::new(ErrorCode::NickTaken, "that nick is taken");
        failure.re = asked.request_id();
        script.news(Update::Failed(failure));
        assert!(script.text().contains("that nick is taken"));
        assert_eq!(script.state.composer().text(), left);
        script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    }
}

#[test]
fn who_was_here_before_a_break_does_not_come_after_it() {
    let mut script = Script::new(80, 16);
    script.online();
    script.join("#a", 0, "", &["alice", "bob", "carol"]);
    breaks(&mut script, 5);
    breaks(&mut script, 10);
    script.online();
    // The server began anew: the others find it one after the other.
    script.joined("#a", 0, "", &["alice"]);
    let comes = |script: &mut Script, who: &str| {
        let mut news = presence("#a", &[]);
        (news.people, news.here) = (None, 2);
        news.joined = vec![person(who)];
        script.hear(Event::Presence(news));
    };
    comes(&mut script, "bob");
    comes(&mut script, "dave");
    let text = script.text();
    assert!(text.contains("dave came") && !text.contains("bob came"), "{text}");
    // Who leaves after that and comes again has left and come.
    let mut news = presence("#a", &[]);
    (news.people, news.here, news.left) = (None, 2, vec![nick("bob")]);
    script.hear(Event::Presence(news));
    assert!(script.text().contains("bob left"), "{}", script.text());
    comes(&mut script, "bob");
    assert!(!script.text().contains("bob left"), "{}", script.text());
    // Much later it is news again.
    script.pass(Duration::from_secs(600));
    comes(&mut script, "carol");
    assert!(script.text().contains("dave came · carol came"), "{}", script.text());
}
