//! Who is here, and for those who keep order from where.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::script::{Script, nick, person, presence, room_name, session_info};
use crate::protocol::command::Command;
use crate::protocol::event::{ErrorCode, Event, Failure, People, Person, Presence, Role, SessionInfo, Whois};
use crate::protocol::text::Line;

/// A room with the host, an operator, a guest and somebody who is away; we are alice.
fn room(columns: u16, rows: u16, role: Option<Role>) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "", &[]);
    let people = vec![
        Person { role: Some(Role::Host), ..person("Zoe") },
        Person { role, ..person("alice") },
        Person { role: Some(Role::Operator), ..person("bob") },
        Person { away: Some(Line::lossy("lunch")), ..person("carol") },
        Person { guest: true, ..person("dave") },
    ];
    script.hear(Event::Presence(Presence { here: 5, people: Some(people), ..presence("#lobby", &[]) }));
    script.effects.clear();
    script
}

fn ask(script: &mut Script, line: &str) -> Vec<Command> {
    script.write(line);
    script.press(KeyCode::Enter);
    script.asked()
}

/// From where they are here.
fn sessions(script: &Script) -> Vec<SessionInfo> {
    let at = |name: &str, address: Option<&str>, agent: &str, ago: i64| SessionInfo {
        address: address.map(|address| address.parse().unwrap()),
        agent: Line::lossy(agent),
        ..session_info(name, script.now.time.shifted(-ago * 60_000))
    };
    vec![
        at("Zoe", None, "parlor 0.1.0 (host)", 90),
        at("bob", Some("10.0.0.7"), "parlor 0.1.0", 30),
        at("bob", Some("2001:db8:1:2:3:4:5:6"), "parlor 0.1.0", 3 * 24 * 60),
        at("dave", Some("fe80::1"), "", 1),
    ]
}

fn answer(asked: &[Command], sessions: Vec<SessionInfo>) -> Event {
    let re = asked[0].request_id();
    let people = vec![person("dave"), person("Bert")];
    let room = match &asked[0] {
        Command::Who(who) => who.room.clone(),
        other => panic!("{other:?}"),
    };
    Event::People(People { re, room, here: 7, people, sessions })
}

#[test]
fn who_is_here_is_known_without_asking() {
    let mut script = room(80, 24, None);
    for command in ["/names", "/who", "/n"] {
        assert_eq!(ask(&mut script, command), []);
        assert!(script.text().contains("#lobby: 5 here") && script.text().contains("away: lunch"));
        script.press(KeyCode::Esc);
    }
    ask(&mut script, "/who #lobby");
    assert_snapshot!(script.text());
    // It is as it is now.
    script.hear(Event::Presence(Presence {
        here: 4,
        people: None,
        left: vec![nick("dave")],
        ..presence("#lobby", &[])
    }));
    assert!(script.text().contains("#lobby: 4 here") && !script.text().contains("~ dave"));
}

#[test]
fn another_room_is_asked_about() {
    let mut script = room(80, 24, None);
    let asked = ask(&mut script, "/who #other");
    assert!(script.text().contains("asking the server"), "{}", script.text());
    script.hear(answer(&asked, Vec::new()));
    assert_snapshot!(script.text());
    script.press(KeyCode::Esc);
    let asked = ask(&mut script, "/who #nowhere");
    let failure = Failure::new(ErrorCode::NoSuchRoom, "there is no room #nowhere");
    script.news(Update::Failed(Failure { re: asked[0].request_id(), ..failure }));
    let text = script.text();
    assert!(text.contains("there is no room #nowhere") && !text.contains("asking"), "{text}");
    assert!(script.state.overlay.is_none() && script.state.asked.is_empty());
    // Without a connection there is nobody to ask, and what is known is known.
    script.press(KeyCode::Esc);
    script.state.composer_mut().set("");
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at: script.now.instant });
    assert_eq!(ask(&mut script, "/who #other"), []);
    assert!(script.text().contains("no connection to ask"), "{}", script.text());
    assert_eq!(ask(&mut script, "/who"), []);
    assert!(script.text().contains("#lobby: 5 here"), "{}", script.text());
}

#[test]
fn those_who_keep_order_see_from_where() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = room(columns, rows, Some(Role::Operator));
        let asked = ask(&mut script, "/who");
        assert!(script.text().contains("○ carol"), "what is known is shown meanwhile");
        let told = sessions(&script);
        script.hear(answer(&asked, told));
        assert_snapshot!(format!("from_where_at_{columns}"), script.text());
        script.press(KeyCode::Esc);
        assert!(script.state.asked.is_empty());
    }
    // Broken off, what is known stays.
    let mut script = room(80, 24, Some(Role::Operator));
    ask(&mut script, "/who");
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at: script.now.instant });
    let text = script.text();
    assert!(text.contains("#lobby: 5 here") && !text.contains("asking the server"), "{text}");
    script.resize(1, 1);
    script.text();
}

#[test]
fn whois_says_from_where_by_what_and_since_when() {
    for (columns, rows) in [(80, 24), (50, 12)] {
        let mut script = room(columns, rows, Some(Role::Operator));
        let asked = ask(&mut script, "/whois bob");
        let theirs: Vec<SessionInfo> =
            sessions(&script).into_iter().filter(|session| session.nick == nick("bob")).collect();
        script.hear(Event::Whois(Whois {
            re: asked[0].request_id(),
            nick: nick("bob"),
            here: true,
            guest: false,
            role: Some(Role::Operator),
            away: None,
            keys: Vec::new(),
            names: Vec::new(),
            addresses: theirs.iter().filter_map(|session| session.address).collect(),
            sessions: theirs,
        }));
        assert_snapshot!(format!("whois_at_{columns}"), script.text());
    }
}

#[test]
fn a_room_that_is_not_in_sight_is_known_too() {
    let mut script = room(80, 24, None);
    script.join("#b", 0, "", &["alice"]);
    script.effects.clear();
    assert_eq!(ask(&mut script, "/who lobby"), []);
    assert!(script.text().contains("#lobby: 5 here"), "{}", script.text());
    assert_eq!(script.state.place_of(&room_name("#lobby")), Some(0));
}
