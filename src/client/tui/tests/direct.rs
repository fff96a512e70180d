//! Speaking with some alone: rooms that are called by the people in them.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::Effect;
use crate::client::tui::script::{Script, entry, nick, presence, room_name};
use crate::protocol::command::{Command, Direct};
use crate::protocol::event::{
    Called, Entry, ErrorCode, Event, Failure, Found, Gap, Hit, Okay, Presence, Renamed, RoomInfo,
};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;

fn info(room: &RoomName, last: u64, members: &[&str]) -> RoomInfo {
    let members = members.iter().map(|name| nick(name)).collect();
    RoomInfo { room: room.clone(), topic: Line::default(), here: 1, last, first: None, members }
}

/// The direct room of these numbers.
fn numbered(numbers: &[u64]) -> RoomName {
    RoomName::direct(&numbers.iter().copied().collect()).unwrap()
}

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

/// Everything that is asked of the server, messages too.
fn submitted(script: &mut Script) -> Vec<Command> {
    let effects = std::mem::take(&mut script.effects);
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Submit(command) => Some(command),
            _ => None,
        })
        .collect()
}

/// The server lets us into a direct room.
fn let_in(script: &mut Script, room: &RoomName, last: u64, members: &[&str], counts: Option<(u64, u64)>) {
    let (read, unread) = counts.unzip();
    let okay =
        Okay { room: Some(info(room, last, members)), read, unread, mentions: Some(0), ..Okay::default() };
    script.hear(Event::Ok(okay));
    let mut here = presence("#x", members);
    here.room = room.clone();
    script.hear(Event::Presence(here));
}

fn says(script: &mut Script, room: &RoomName, seq: u64, from: &str, text: &str) {
    let mut entry = entry("#x", seq, from, text);
    entry.room = room.clone();
    entry.at = script.now.time;
    script.entry(entry);
}

#[test]
fn what_was_said_alone_is_found_under_the_names_of_people() {
    let mut script = lobby(80, 24);
    let (known, unknown) = (numbered(&[3, 17]), numbered(&[3, 40]));
    script.hear(Event::Direct(Called { info: info(&known, 1, &["alice", "bob"]) }));
    let_in(&mut script, &known, 1, &["alice", "bob"], Some((1, 0)));
    submitted(&mut script);
    type_line(&mut script, "/search in:@bob build");
    let asked = submitted(&mut script);
    let [Command::Search(search)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((search.room.as_ref(), search.text.as_str()), (Some(&known), "build*"));
    let hit = |room: &RoomName, seq: u64| {
        let said = Entry { room: room.clone(), ..entry("#x", seq, "bob", "the build passed") };
        Hit { entry: said, before: None, after: None }
    };
    let hits = vec![hit(&unknown, 7), hit(&known, 1)];
    script.hear(Event::Found(Found { re: search.id.clone(), hits, more: None, behind: 0 }));
    let text = script.text();
    assert!(text.contains("▌direct  ") && text.contains(" @bob  ") && !text.contains("+"), "{text}");
    script.press(KeyCode::Enter);
    let asked = submitted(&mut script);
    assert!(matches!(asked.as_slice(), [Command::Join(join)] if join.room == unknown), "{asked:?}");
    assert!(script.text().contains("Joining @… …"), "{}", script.text());
    let_in(&mut script, &unknown, 7, &["alice", "dora"], Some((7, 0)));
    script.hear(Event::Gap(Gap { room: unknown.clone(), from: 1, to: 6 }));
    says(&mut script, &unknown, 7, "dora", "the build passed");
    assert!(script.text().contains("▌@dora"), "{}", script.text());
    type_line(&mut script, "/search in:@nobody build");
    assert!(script.text().contains("you do not speak with @nobody alone"), "{}", script.text());
}

#[test]
fn a_word_to_somebody_alone() {
    let mut script = lobby(80, 24);
    type_line(&mut script, "/msg bob are you there?");
    let asked = submitted(&mut script);
    let [Command::Direct(Direct { id, with })] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(with, &[nick("bob")]);
    let room = numbered(&[3, 17]);
    let okay = Okay { re: id.clone(), room: Some(info(&room, 0, &["alice", "bob"])), ..Okay::default() };
    script.hear(Event::Ok(okay));
    let asked = submitted(&mut script);
    let [Command::Join(join), Command::Send(send)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((&join.room, &send.room, send.text.as_str()), (&room, &room, "are you there?"));
    let_in(&mut script, &room, 0, &["alice", "bob"], None);
    script.hear(Event::Ok(Okay { re: Some(send.id.into()), seq: Some(1), ..Okay::default() }));
    let mut own = entry("#x", 1, "alice", "are you there?");
    (own.room, own.id) = (room.clone(), send.id);
    script.entry(own);
    // Whether they are here makes no difference.
    let mut news = presence("#x", &["bob"]);
    (news.room, news.joined) = (room.clone(), news.people.take().unwrap_or_default());
    news.left = vec![nick("bob")];
    script.hear(Event::Presence(Presence { joined: Vec::new(), ..news.clone() }));
    script.pass(std::time::Duration::from_secs(60));
    script.hear(Event::Presence(Presence { left: Vec::new(), ..news }));
    says(&mut script, &room, 2, "bob", "yes!");
    let text = script.text();
    assert!(!text.contains("3+17"), "{text}");
    assert_snapshot!(text);
    assert_eq!(script.state.title(), "@bob · parlor");
    // The same people again: no question, and with any capitals.
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    type_line(&mut script, "/m Bob good");
    let asked = submitted(&mut script);
    assert!(matches!(asked.as_slice(), [Command::Send(send)] if send.room == room), "{asked:?}");
    // To turn to somebody, nothing need be said.
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    type_line(&mut script, "/query bob");
    assert_eq!(submitted(&mut script), []);
    assert_eq!(script.state.title(), "@bob · parlor");
}

#[test]
fn whoever_may_not_gets_the_line_back() {
    let mut script = lobby(80, 24);
    type_line(&mut script, "/msg bob hi");
    let re = submitted(&mut script)[0].request_id();
    script.news(Update::Failed(Failure {
        re,
        ..Failure::new(ErrorCode::NotAllowed, "guests have no direct messages")
    }));
    assert_eq!(script.state.composer().text(), "/msg bob hi");
    assert!(script.text().contains("guests have no direct messages"));
}

#[test]
fn those_with_whom_one_speaks_stand_under_a_heading() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = lobby(columns, rows);
        script.press(KeyCode::F(2));
        script.press(KeyCode::F(2));
        let (bob, many, notes) = (numbered(&[1, 2]), numbered(&[1, 2, 3]), numbered(&[1]));
        script.hear(Event::Direct(Called { info: info(&bob, 1, &["alice", "bob"]) }));
        script.hear(Event::Direct(Called { info: info(&many, 1, &["carol", "alice", "bob"]) }));
        script.hear(Event::Direct(Called { info: info(&notes, 0, &["alice"]) }));
        let_in(&mut script, &bob, 1, &["alice", "bob"], Some((0, 1)));
        says(&mut script, &bob, 1, "bob", "psst");
        let_in(&mut script, &many, 1, &["alice", "bob", "carol"], Some((1, 0)));
        let_in(&mut script, &notes, 0, &["alice"], None);
        // A room with a name comes before them.
        script.join("#rust", 0, "", &["alice"]);
        script.key(KeyCode::Char('1'), KeyModifiers::ALT);
        let text = script.text();
        assert!(!text.contains("1+2"), "{text}");
        assert_snapshot!(format!("direct_rooms_at_{columns}_by_{rows}"), text);
    }
}

#[test]
fn whoever_is_called_hears_it_once() {
    let mut script = lobby(80, 24);
    script.says("#lobby", 1, "carol", "well");
    let room = numbered(&[1, 2]);
    let call = Event::Direct(Called { info: info(&room, 1, &["alice", "bob"]) });
    script.hear(call.clone());
    script.hear(call);
    assert_eq!(script.effects.iter().filter(|effect| **effect == Effect::Bell).count(), 1);
    let joins = submitted(&mut script);
    assert!(matches!(joins.as_slice(), [Command::Join(join)] if join.room == room), "{joins:?}");
    // It was never read: what was said is news, and does not ring again.
    let_in(&mut script, &room, 1, &["alice", "bob"], None);
    says(&mut script, &room, 1, "bob", "psst");
    assert!(!script.effects.contains(&Effect::Bell));
    assert!(script.text().contains("1!"), "{}", script.text());
    assert!(script.text().contains("#lobby"), "what is read stays in sight");
    script.key(KeyCode::Char('a'), KeyModifiers::ALT);
    assert!(script.text().contains("psst") && !script.text().contains("1!"), "{}", script.text());
}

#[test]
fn nobody_is_called_by_whom_they_do_not_hear() {
    let mut script = lobby(80, 24);
    script.state.ignored.insert(&nick("bob"));
    script.hear(Event::Direct(Called { info: info(&numbered(&[1, 2]), 1, &["alice", "bob"]) }));
    assert!(!script.effects.contains(&Effect::Bell));
}

#[test]
fn the_latest_are_open_from_the_start() {
    let mut script = Script::new(80, 24);
    let mut online = script.online_update();
    if let Update::Online { ready, .. } = &mut online {
        ready.direct =
            (2..40).map(|other| info(&numbered(&[1, other]), other % 3, &["alice", "bob"])).collect();
    }
    script.news(online);
    let joins = script.asked();
    assert_eq!(joins.len(), 13, "of the first 20 those in which something was said");
    script.join("#lobby", 0, "", &["alice"]);
    assert_eq!(script.state.rooms[0].name, room_name("#lobby"));
    assert_eq!(script.state.title(), "#lobby · parlor");
}

#[test]
fn what_is_closed_opens_when_somebody_speaks() {
    let mut script = lobby(80, 24);
    let room = numbered(&[1, 2]);
    script.hear(Event::Direct(Called { info: info(&room, 1, &["alice", "bob"]) }));
    let_in(&mut script, &room, 1, &["alice", "bob"], None);
    says(&mut script, &room, 1, "bob", "psst");
    submitted(&mut script);
    type_line(&mut script, "/part @BOB");
    let asked = submitted(&mut script);
    assert!(matches!(asked.as_slice(), [Command::Leave(leave)] if leave.room == room), "{asked:?}");
    assert!(!script.text().contains("@bob"));
    // Back after a break: nothing was said since.
    let again = |script: &mut Script, last: u64| {
        let mut online = script.online_update();
        if let Update::Online { ready, .. } = &mut online {
            ready.direct = vec![info(&room, last, &["alice", "bob"])];
        }
        script.news(online);
        submitted(script).len()
    };
    assert_eq!(again(&mut script, 1), 0);
    assert_eq!(again(&mut script, 2), 1);
    type_line(&mut script, "/part @dave");
    assert!(script.text().contains("nothing is open with dave"), "{}", script.text());
}

#[test]
fn a_room_follows_the_names_of_its_people() {
    let mut script = lobby(80, 24);
    let room = numbered(&[1, 2]);
    script.hear(Event::Direct(Called { info: info(&room, 0, &["alice", "bob"]) }));
    let renamed = vec![Renamed { from: nick("bob"), to: nick("bobby") }];
    let news = presence("#lobby", &["alice", "bobby", "carol"]);
    script.hear(Event::Presence(Presence { people: None, left: vec![nick("bob")], renamed, ..news }));
    assert!(script.text().contains("@bobby"), "{}", script.text());
    // What the server says of the room by its number is read by its name.
    let failure = Failure::new(ErrorCode::NotAllowed, &format!("{room} is not for you"));
    script.news(Update::Failed(failure));
    assert!(script.text().contains("@bobby is not for you"), "{}", script.text());
}

#[test]
fn names_are_completed_wherever_people_are() {
    let mut script = lobby(80, 24);
    script.join("#rust", 0, "", &["alice", "dave"]);
    script.write("/msg car");
    script.press(KeyCode::Tab);
    assert_eq!(script.state.composer().text(), "/msg carol ");
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.write("/msg bob,da");
    script.press(KeyCode::Tab);
    assert_eq!(script.state.composer().text(), "/msg bob,dave ");
    let people: Vec<Nick> = script.state.rooms[0].people.iter().map(|person| person.nick.clone()).collect();
    assert_eq!(people.len(), 3);
}

#[test]
fn nobody_is_invited_into_it() {
    let mut script = lobby(80, 24).hosting("parlor://10.0.0.5/#?p=amber-otter-river-stone");
    let room = numbered(&[1, 2]);
    script.hear(Event::Direct(Called { info: info(&room, 0, &["alice", "bob"]) }));
    let_in(&mut script, &room, 0, &["alice", "bob"], None);
    script.key(KeyCode::Char('2'), KeyModifiers::ALT);
    let text = script.text();
    assert!(text.contains("Only you and bob can come in here.") && !text.contains("Others join"), "{text}");
    type_line(&mut script, "/invite");
    assert!(script.text().contains("nobody else can come in here"), "{}", script.text());
}

#[test]
fn what_was_said_before_one_ever_looked_is_unread() {
    let mut script = Script::new(80, 24);
    let room = numbered(&[1, 2]);
    let mut online = script.online_update();
    if let Update::Online { ready, .. } = &mut online {
        ready.direct = vec![info(&room, 2, &["alice", "bob"])];
    }
    script.news(online);
    script.join("#lobby", 0, "", &["alice"]);
    let_in(&mut script, &room, 2, &["alice", "bob"], None);
    says(&mut script, &room, 1, "bob", "psst");
    says(&mut script, &room, 2, "bob", "hello?");
    assert!(script.text().contains("2!"), "{}", script.text());
    assert!(!script.effects.contains(&Effect::Bell), "it was said before");
}

#[test]
fn who_is_not_here_is_seen_and_told_once_for_each_absence() {
    let mut script = lobby(100, 24);
    let room = numbered(&[1, 2, 3]);
    script.hear(Event::Direct(Called { info: info(&room, 0, &["alice", "carol", "dave"]) }));
    let here = |script: &mut Script, dave: bool| {
        let names: &[&str] = if dave { &["alice", "carol", "dave"] } else { &["alice", "carol"] };
        let mut news = presence("#x", names);
        news.room = room.clone();
        for person in news.people.iter_mut().flatten().filter(|person| person.nick.as_str() == "carol") {
            person.away = Some(Line::lossy("lunch"));
        }
        script.hear(Event::Presence(news));
    };
    let okay = Okay { room: Some(info(&room, 0, &["alice", "carol", "dave"])), ..Okay::default() };
    script.hear(Event::Ok(okay));
    here(&mut script, false);
    script.key(KeyCode::Char('2'), KeyModifiers::ALT);
    assert!(script.text().contains("○ dave"), "{}", script.text());
    type_line(&mut script, "hello");
    let told = "dave is not here: it waits · carol is away: lunch";
    assert!(script.text().contains(told), "{}", script.text());
    type_line(&mut script, "once more");
    assert!(!script.text().contains("it waits"), "{}", script.text());
    here(&mut script, true);
    assert!(script.text().contains("● dave"), "{}", script.text());
    let mut news = presence("#x", &[]);
    (news.room, news.people, news.here, news.left) = (room.clone(), None, 2, vec![nick("dave")]);
    script.hear(Event::Presence(news));
    type_line(&mut script, "and now");
    let text = script.text();
    assert!(text.contains("dave is not here: it waits") && !text.contains("lunch"), "{text}");
}
