//! Who is writing, who is away, who comes and goes, and what one wants to hear of.

use std::time::Duration;

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use crate::client::tui::known_rooms::{RoomChange, Rule, What};
use crate::client::tui::script::{Script, entry, nick, person, presence, room_name};
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::Command;
use crate::protocol::event::{Event, Okay, Person, Presence, Renamed, Role, Typing};
use crate::protocol::limits::{TYPING_EVERY, TYPING_SHOWN};
use crate::protocol::text::Line;

fn lobby(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob", "carol"]);
    script.effects.clear();
    script
}

fn type_line(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

fn types(script: &mut Script, who: &str) {
    script.hear(Event::Typing(Typing { room: room_name("#lobby"), nick: nick(who) }));
}

/// Who came and who left.
fn moves(script: &mut Script, came: &[&str], left: &[&str], here: usize) {
    let mut news = presence("#lobby", &[]);
    news.people = None;
    news.here = here;
    news.joined = came.iter().map(|name| person(name)).collect();
    news.left = left.iter().map(|name| nick(name)).collect();
    script.hear(Event::Presence(news));
}

fn bells(script: &mut Script) -> usize {
    let bells = script.effects.iter().filter(|effect| **effect == Effect::Bell).count();
    script.effects.clear();
    bells
}

#[test]
fn others_are_told_that_one_is_writing() {
    let mut script = lobby(80, 24);
    let written = |script: &mut Script| {
        script.passing.drain(..).filter(|command| matches!(command, Command::Typing(_))).count()
    };
    script.write("hel");
    assert_eq!(written(&mut script), 1);
    script.pass(TYPING_EVERY);
    script.write("lo");
    assert_eq!(written(&mut script), 1);
    script.press(KeyCode::Enter);
    script.pass(TYPING_EVERY);
    script.write("/topic something");
    assert_eq!(written(&mut script), 0, "a command is nobody's");
    script.press(KeyCode::Enter);
    type_line(&mut script, "/typing off");
    assert!(script.effects.contains(&Effect::Keep(Change::Set("typing", Some(Value::Switch(false))))));
    script.write("hello");
    assert_eq!(written(&mut script), 0);
}

#[test]
fn who_is_writing_is_seen_until_they_have_said_it() {
    let mut script = lobby(80, 24);
    let rows = |script: &mut Script| script.text().lines().filter(|line| line.contains("typing …")).count();
    types(&mut script, "alice");
    assert_eq!(rows(&mut script), 0, "oneself");
    types(&mut script, "carol");
    assert!(script.text().contains("─ carol is typing … ─"), "{}", script.text());
    types(&mut script, "bob");
    assert!(script.text().contains("carol and bob are typing …"));
    script.says("#lobby", 1, "carol", "there");
    assert!(script.text().contains("─ bob is typing … ─"));
    types(&mut script, "carol");
    types(&mut script, "dave");
    assert_snapshot!(script.text());
    let due = script.state.deadline().unwrap();
    assert!(due <= script.now.instant + TYPING_SHOWN);
    script.state.take_changed();
    script.pass(TYPING_SHOWN);
    assert!(script.state.take_changed());
    assert_eq!(rows(&mut script), 0);
}

#[test]
fn who_comes_and_goes_is_one_dim_row() {
    let mut script = lobby(80, 24);
    script.says("#lobby", 1, "bob", "good morning");
    moves(&mut script, &["dave"], &[], 4);
    moves(&mut script, &[], &["carol"], 3);
    script.says("#lobby", 2, "bob", "so");
    moves(&mut script, &["e1", "e2", "e3", "e4"], &["bob"], 6);
    assert_snapshot!(script.text());
    type_line(&mut script, "/noise off");
    assert!(!script.text().contains("came"), "{}", script.text());
    moves(&mut script, &["f1"], &[], 7);
    type_line(&mut script, "/noise on");
    let text = script.text();
    assert!(text.contains("4 people came, 1 left") && !text.contains("f1 came"), "{text}");
}

#[test]
fn nobody_follows_the_crowd_or_a_blink() {
    let mut script = lobby(100, 24);
    moves(&mut script, &["dave"], &[], 51);
    moves(&mut script, &[], &["dave"], 3);
    moves(&mut script, &[], &["carol"], 2);
    script.pass(Duration::from_secs(3));
    moves(&mut script, &["carol"], &[], 3);
    // Who is away is here as before.
    let mut news = presence("#lobby", &[]);
    (news.people, news.here) = (None, 3);
    news.joined = vec![Person { away: Some(Line::default()), ..person("bob") }];
    script.hear(Event::Presence(news));
    assert!(!script.text().contains(" came") && !script.text().contains(" left"), "{}", script.text());
    script.join("#b", 0, "", &["alice"]);
    moves(&mut script, &["eve"], &[], 4);
    assert_eq!(script.state.rooms[0].unread, 0);
}

#[test]
fn away_is_seen_by_oneself_and_others() {
    let mut script = lobby(120, 20);
    type_line(&mut script, "/away lunch, back at two");
    let asked = script.asked();
    let [Command::Away(away)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(away.text, Some(Line::lossy("lunch, back at two")));
    script.hear(Event::Ok(Okay { re: away.id.clone(), ..Okay::default() }));
    let mut people = presence("#lobby", &["alice", "bob", "carol"]);
    if let Some(people) = &mut people.people {
        people[0].away = Some(Line::lossy("lunch, back at two"));
        people[2].away = Some(Line::lossy("at the dentist"));
    }
    script.hear(Event::Presence(people));
    type_line(&mut script, "hm");
    assert_snapshot!(script.text());
    type_line(&mut script, "/names");
    assert!(script.text().contains("carol  away: at the dentist"), "{}", script.text());
    script.press(KeyCode::Esc);
    type_line(&mut script, "/whois carol");
    let asked = script.asked();
    assert!(matches!(asked.last(), Some(Command::Whois(_))), "{asked:?}");
    let re = asked.last().and_then(Command::request_id);
    let answer = serde_json::json!({"type": "whois", "re": re, "nick": "carol", "here": true});
    script.hear(Event::decode(answer.to_string().as_bytes()).unwrap());
    assert!(script.text().contains("away  at the dentist"), "{}", script.text());
    script.press(KeyCode::Esc);
    // A server that has forgotten it is told again.
    script.online();
    assert!(matches!(script.asked().as_slice(), [Command::Away(_)]));
    type_line(&mut script, "/back");
    let asked = script.asked();
    let [Command::Away(away)] = asked.as_slice() else { panic!("{asked:?}") };
    script.hear(Event::Ok(Okay { re: away.id.clone(), ..Okay::default() }));
    assert!(!script.text().contains("alice (away)"), "{}", script.text());
}

#[test]
fn a_room_rings_for_what_one_wants_to_hear() {
    let mut script = lobby(80, 24);
    script.join("#b", 0, "", &["alice"]);
    script.effects.clear();
    let mut seq = 0;
    let mut rings = |script: &mut Script, from: &str, text: &str| {
        seq += 1;
        script.pass(Duration::from_secs(5));
        script.effects.clear();
        script.says("#lobby", seq, from, text);
        bells(script)
    };
    assert_eq!((rings(&mut script, "bob", "well"), rings(&mut script, "bob", "@Alice")), (0, 1));
    let all = |script: &mut Script, rule: &str| {
        type_line(script, "/join #lobby");
        type_line(script, &format!("/notify {rule}"));
        type_line(script, "/join #b");
    };
    all(&mut script, "all");
    let kept = RoomChange { parlor: uuid::Uuid::nil(), what: What::Rule(room_name("#lobby"), Rule::All) };
    assert!(script.remembered.contains(&kept), "{:?}", script.remembered);
    assert_eq!((rings(&mut script, "bob", "well"), rings(&mut script, "alice", "mine")), (1, 0));
    all(&mut script, "nothing");
    assert_eq!(rings(&mut script, "bob", "alice!"), 0);
    all(&mut script, "mentions");
    type_line(&mut script, "/highlight ferris");
    assert_eq!((rings(&mut script, "bob", "Ferris!"), rings(&mut script, "bob", "ferrisy")), (1, 0));
    type_line(&mut script, "/highlight -ferris");
    assert_eq!(rings(&mut script, "bob", "Ferris!"), 0);
    // All who are here are called by those who keep order, and by nobody else.
    assert_eq!(rings(&mut script, "bob", "@here lunch"), 0);
    let mut people = presence("#lobby", &["alice", "bob", "carol"]);
    if let Some(people) = &mut people.people {
        people[1].role = Some(Role::Operator);
    }
    script.hear(Event::Presence(people));
    assert_eq!((rings(&mut script, "bob", "@here lunch"), rings(&mut script, "carol", "@here")), (1, 0));
}

#[test]
fn a_notice_says_who_and_what_and_not_too_often() {
    let mut script = lobby(80, 24);
    script.feed(Happening::Focus(false));
    script.says("#lobby", 1, "bob", "alice,\nlook");
    script.says("#lobby", 2, "bob", "alice!");
    let (title, body) = ("bob in #lobby".to_owned(), "alice,\nlook".to_owned());
    assert_eq!(script.effects, [Effect::Bell, Effect::Notice { title, body }]);
    script.effects.clear();
    script.pass(Duration::from_secs(1));
    type_line(&mut script, "/notify desktop off");
    script.feed(Happening::Focus(false));
    script.effects.clear();
    script.says("#lobby", 3, "bob", "alice?");
    assert_eq!(script.effects, [Effect::Bell]);
    // Whoever looks needs no bell, also further up.
    script.feed(Happening::Focus(true));
    script.pass(Duration::from_secs(5));
    for seq in 4..60 {
        script.says("#lobby", seq, "bob", "well");
    }
    script.press(KeyCode::PageUp);
    script.effects.clear();
    script.says("#lobby", 60, "bob", "alice!");
    assert_eq!(bells(&mut script), 0);
}

#[test]
fn what_one_says_under_another_name_is_ones_own() {
    let mut script = lobby(80, 24);
    script.join("#b", 0, "", &["alice"]);
    let mut own = entry("#lobby", 1, "laptop", "alice, remember the milk");
    own.author = Some(1);
    script.entry(own);
    let mut other = entry("#lobby", 2, "alice", "not her");
    other.author = Some(2);
    assert_eq!((bells(&mut script), script.state.rooms[0].unread), (0, 0));
    script.entry(other);
    assert_eq!(script.state.rooms[0].unread, 1);
}

#[test]
fn what_is_not_heard_is_counted() {
    let mut script = lobby(100, 20);
    script.state.ignored.insert(&nick("bob"));
    for seq in 1..=3 {
        script.says("#lobby", seq, "bob", "spam");
    }
    script.says("#lobby", 4, "carol", "so");
    script.says("#lobby", 5, "bob", "spam");
    let text = script.text();
    assert!(
        text.contains("3 messages of bob not shown") && text.contains("a message of bob not shown"),
        "{text}"
    );
    assert!(!text.contains("spam"));
}

#[test]
fn what_is_set_is_shown() {
    let mut script = lobby(100, 20);
    type_line(&mut script, "/notify");
    assert!(script.text().contains("#lobby rings for what says your name"), "{}", script.text());
    type_line(&mut script, "/highlight");
    assert!(script.text().contains("/highlight WORD adds one"));
    type_line(&mut script, "/highlight Ferris");
    type_line(&mut script, "/highlight");
    assert!(script.text().contains("these count as your name: ferris"));
    script.says("#lobby", 1, "bob", "is ferris here?");
    assert!(script.text().contains('▎'), "{}", script.text());
    type_line(&mut script, "/typing");
    assert!(script.text().contains("others see that you are typing"));
}

#[test]
fn a_presence_without_people_is_fine() {
    let mut script = lobby(60, 12);
    script.hear(Event::Presence(Presence { here: 0, people: Some(Vec::new()), ..presence("#lobby", &[]) }));
    types(&mut script, "carol");
    moves(&mut script, &["bob"], &["carol"], 1);
    assert!(script.text().contains("bob came"), "{}", script.text());
    assert!(!script.text().contains("carol"), "{}", script.text());
}

/// All of it at once: somebody away, somebody writing, people who come, somebody who is not heard, and one's own word.
#[test]
fn an_evening_in_company() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = lobby(columns, rows);
        script.state.ignored.insert(&nick("dave"));
        let mut people = presence("#lobby", &["alice", "bob", "carol", "dave"]);
        if let Some(people) = &mut people.people {
            people[1].role = Some(Role::Operator);
            people[2].away = Some(Line::lossy("dinner"));
        }
        script.hear(Event::Presence(people));
        type_line(&mut script, "/highlight ferris");
        script.press(KeyCode::Esc);
        script.says("#lobby", 1, "bob", "good evening");
        script.says("#lobby", 2, "dave", "spam");
        script.says("#lobby", 3, "dave", "spam");
        moves(&mut script, &["erin", "frank"], &[], 6);
        script.feed(Happening::Focus(false));
        script.says("#lobby", 4, "bob", "who has seen ferris?");
        script.says("#lobby", 5, "bob", "@here the demo begins");
        moves(&mut script, &[], &["erin"], 5);
        script.feed(Happening::Focus(true));
        types(&mut script, "frank");
        assert_snapshot!(format!("an_evening_at_{columns}_by_{rows}"), script.text());
    }
}

#[test]
fn what_rings_for_nothing_is_said_once() {
    let mut script = lobby(120, 24);
    type_line(&mut script, "/notify nothing");
    type_line(&mut script, "/notify");
    let text = script.text();
    assert!(text.contains("#lobby rings for nothing; notices"), "{text}");
    // It says nothing of what is opened next.
    script.press(KeyCode::F(1));
    assert!(!script.text().contains("rings for nothing; notices"), "{}", script.text());
}

#[test]
fn whoever_is_called_otherwise_is_one_dim_row() {
    let mut script = lobby(80, 24);
    let rename = |script: &mut Script, from: &str, to: &str| {
        let mut news = presence("#lobby", &[]);
        (news.people, news.here) = (None, 3);
        (news.left, news.joined) = (vec![nick(from)], vec![person(to)]);
        news.renamed = vec![Renamed { from: nick(from), to: nick(to) }];
        script.hear(Event::Presence(news));
    };
    script.says("#lobby", 1, "bob", "good morning");
    rename(&mut script, "bob", "rob");
    rename(&mut script, "rob", "robert");
    moves(&mut script, &["dave"], &[], 4);
    assert!(script.text().contains("dave came · bob is robert now"), "{}", script.text());
    rename(&mut script, "robert", "bob");
    assert!(!script.text().contains(" now"), "{}", script.text());
    // Oneself is told otherwise.
    rename(&mut script, "alice", "alicia");
    assert!(!script.text().contains("alice is"), "{}", script.text());
}
