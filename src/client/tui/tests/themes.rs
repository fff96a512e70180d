//! Themes: looked through, kept, told of; and whose name has which colour.

use crossterm::event::KeyCode;
use insta::assert_snapshot;
use ratatui::style::Color;

use crate::client::tui::script::{Script, entry, nick, person, presence, room_name};
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::theme::{AUTO, Background, Colours, Found, OwnThemes, Theme, Themes};
use crate::client::tui::{Effect, Event};
use crate::protocol::event::{Entry, Event as News, Renamed, Typing};

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "Friday: demo at 15:00", &["alice", "bob", "carol"]);
    script.says("#lobby", 1, "bob", "good morning");
    script.says("#lobby", 2, "carol", "did the build pass?");
    script.effects.clear();
    script
}

fn enter(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

fn named(name: &str) -> Theme {
    Themes::new(Found { colours: Colours::Many, ..Found::default() }).pick(name).unwrap()
}

/// The colour in which a text stands on the screen, the first time behind column `from`.
fn colour(script: &mut Script, text: &str, from: u16) -> Color {
    let (buffer, _) = script.screen();
    for y in 0..buffer.area.height {
        for x in from..buffer.area.width {
            let cells = (x..buffer.area.width).take(text.chars().count());
            if cells.map(|x| buffer[(x, y)].symbol()).collect::<String>() == text {
                return buffer[(x, y)].fg;
            }
        }
    }
    panic!("{text} is not on the screen")
}

#[test]
fn the_list_at_120_by_36() {
    let mut script = room(120, 36);
    enter(&mut script, "/theme");
    assert_snapshot!(script.text());
}

#[test]
fn the_list_at_80_by_24() {
    let mut script = room(80, 24);
    enter(&mut script, "/theme");
    for _ in 0..9 {
        script.press(KeyCode::Down);
    }
    assert_snapshot!(script.text());
}

#[test]
fn the_list_at_50_by_12() {
    let mut script = room(50, 12);
    enter(&mut script, "/theme");
    script.press(KeyCode::End);
    assert_snapshot!(script.text());
}

#[test]
fn the_smallest_screens_bear_it() {
    for (columns, rows) in [(1, 1), (3, 2), (12, 5), (20, 6)] {
        let mut script = room(columns, rows);
        enter(&mut script, "/theme");
        script.press(KeyCode::Down);
        script.screen();
        script.press(KeyCode::Enter);
        assert_eq!(script.state.company.settings.theme, "parlor-dark");
    }
}

#[test]
fn a_theme_is_seen_before_it_is_kept() {
    let mut script = room(80, 24);
    enter(&mut script, "/theme");
    assert_eq!(script.effects, [Effect::ReadThemes]);
    script.effects.clear();
    for _ in 0..3 {
        script.press(KeyCode::Down);
    }
    assert_eq!(script.state.theme, named("ember"));
    let painted = named("ember").text().bg.unwrap();
    let (buffer, _) = script.screen();
    // All of it but what has a ground of its own: the chosen row.
    let others = buffer.content.iter().filter(|cell| cell.bg != painted).count();
    assert!((1..=72).contains(&others), "{others}");
    script.press(KeyCode::Esc);
    assert_eq!((script.state.theme, script.effects.len()), (Theme::new(Colours::Many), 0));

    enter(&mut script, "/theme");
    script.press(KeyCode::End);
    script.press(KeyCode::Up);
    script.press(KeyCode::Enter);
    assert_eq!(script.state.theme, named("terminal"));
    let kept = Effect::Keep(Change::Set("theme", Some(Value::Text("terminal".to_owned()))));
    assert_eq!(script.effects, [Effect::ReadThemes, kept]);
    assert!(script.text().contains("theme: terminal"), "{}", script.text());
    // The list begins where one is.
    enter(&mut script, "/theme");
    assert_eq!(script.state.theme, named("terminal"));
}

#[test]
fn a_theme_is_set_by_its_name() {
    let mut script = room(80, 24);
    script.write("/theme let");
    script.press(KeyCode::Tab);
    script.press(KeyCode::Enter);
    assert_eq!(script.state.theme, named("letterpress"));
    script.effects.clear();
    enter(&mut script, "/theme lettuce");
    assert_eq!(script.state.theme, named("letterpress"));
    assert!(script.text().contains("there is no theme lettuce: /theme lists them"), "{}", script.text());
    assert_eq!((script.effects.len(), script.state.composer().text()), (0, "/theme lettuce"));
}

#[test]
fn themes_of_ones_own_are_told_of_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("fog.toml"),
        "background = 'light'\ndim = '#dddddd'\nabout = 'too thin'",
    )
    .unwrap();
    std::fs::write(folder.path().join("broken.toml"), "\naccent = 'blu'").unwrap();
    let mut script = room(80, 24);
    enter(&mut script, "/theme");
    script.feed(Event::Themes(OwnThemes::read(folder.path())));
    script.press(KeyCode::End);
    assert_snapshot!(script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("fog is hard to read: dim (1.2 to 1)"), "{}", script.text());
    // It was changed, and is what it is now; it is gone, and the usual one is shown.
    let before = script.state.theme;
    std::fs::write(folder.path().join("fog.toml"), "background = 'light'\ndim = '#444444'").unwrap();
    script.feed(Event::Themes(OwnThemes::read(folder.path())));
    assert_ne!(script.state.theme, before);
    script.feed(Event::Themes(OwnThemes::default()));
    assert_eq!(script.state.theme, Theme::new(Colours::Many));
    assert!(script.text().contains("there is no theme fog"), "{}", script.text());
}

#[test]
fn without_colours_the_list_says_why_nothing_changes() {
    let mut script = room(80, 24);
    script.state.themes = Themes::new(Found { colours: Colours::None, ..Found::default() });
    enter(&mut script, "/theme");
    assert_snapshot!(script.text());
}

#[test]
fn what_the_terminal_says_late_is_followed_unless_a_theme_is_named() {
    let mut script = room(80, 24);
    script.feed(Event::Background(Background::Light));
    assert_eq!(script.state.theme, named("parlor-light"));
    enter(&mut script, "/theme ember");
    script.feed(Event::Background(Background::Dark));
    assert_eq!(script.state.theme, named("ember"));
    enter(&mut script, &format!("/theme {AUTO}"));
    assert_eq!(script.state.theme, named("parlor-dark"));
}

#[test]
fn a_person_has_one_colour_everywhere_and_keeps_it() {
    let mut script = room(120, 36);
    let by = |seq, from, author| Entry { author: Some(author), ..entry("#lobby", seq, from, "a word") };
    script.entry(by(3, "bob", 4));
    script.entry(by(4, "carol", 5));
    let (bob, carol) = (script.state.theme.author(4).fg.unwrap(), script.state.theme.author(5).fg.unwrap());
    assert_ne!(bob, carol);
    assert_eq!(colour(&mut script, "carol", 100), carol);
    script.hear(News::Typing(Typing { room: room_name("#lobby"), nick: nick("bob") }));
    assert_eq!(colour(&mut script, "bob is typing", 0), bob);
    let mut news = presence("#lobby", &[]);
    (news.people, news.here) = (None, 3);
    (news.joined, news.left) = (vec![person("rob")], vec![nick("bob")]);
    news.renamed = vec![Renamed { from: nick("bob"), to: nick("rob") }];
    script.hear(News::Presence(news));
    assert_eq!(colour(&mut script, "rob", 100), bob);
    script.entry(by(5, "rob", 4));
    assert_eq!((colour(&mut script, "rob", 0), colour(&mut script, "bob", 0)), (bob, bob));
}
