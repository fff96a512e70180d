//! The launcher, driven by scripts: keys and news in, screens and effects out. Nothing sleeps, and nothing is sent.

mod choosing;
mod screens;
mod storm;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::time::Instant;
use uuid::Uuid;

use super::Choice;
use super::probe::Reach;
use super::recent::Recent;
use super::state::{self, FADES, Item, PATIENCE, Setup, State};
use super::update::{Effect, Event, update};
use crate::client::find::{Heard, PARLORS, Parlor};
use crate::client::tui::keymap::Keymap;
use crate::client::tui::script::BEGIN;
use crate::client::tui::theme::{Colours, Found, Themes};
use crate::client::tui::{Event as Input, Now, wrap};
use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;
use crate::protocol::hex::Hex;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// A launcher under control of a script.
struct Script {
    state: State,
    now: Now,
    effects: Vec<Effect>,
}

fn address(raw: &str) -> Address {
    raw.parse().unwrap()
}

/// A parlor with a certificate of this digit; 0: it has none.
fn parlor(id: u128, name: &str, people: u32, digit: u8, places: &[&str]) -> Parlor {
    let fingerprint = (digit > 0).then_some(Hex([digit; 32]));
    let (id, name, open) = (Uuid::from_u128(id), Line::lossy(name), people.is_multiple_of(2));
    let said = Announcement { id, name, port: 7878, people, open, fingerprint };
    Parlor { said, addresses: places.iter().map(|place| address(place)).collect() }
}

/// What stands for a parlor in the list, wherever it is heard.
fn item(parlor: &Parlor) -> Item {
    state::Found { parlor: parlor.clone(), gone: None }.item()
}

fn recent(name: &str, place: &str, digit: u8, days_ago: i64) -> Recent {
    Recent {
        name: Line::lossy(name),
        address: address(place),
        plain: digit == 0,
        fingerprint: (digit > 0).then_some(Hex([digit; 32])),
        at: Some(Time::from_millis(BEGIN - days_ago * 86_400_000)),
    }
}

impl Script {
    fn new(columns: u16, rows: u16, recent: Vec<Recent>) -> Self {
        let now = Now { instant: Instant::now(), time: Time::from_millis(BEGIN) };
        let state = State::new(Setup {
            size: (columns, rows),
            themes: Themes::new(Found { colours: Colours::Many, ..Found::default() }),
            theme: "auto".to_owned(),
            keymap: Keymap::default(),
            mouse: true,
            zone: TimeZone::UTC,
            now,
            looks: true,
            recent,
            own: ["192.168.1.2", "fe80::2"].map(|ip| ip.parse().unwrap()).to_vec(),
            hosts: true,
        });
        Self { state, now, effects: Vec::new() }
    }

    fn feed(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        self.effects.extend(effects);
    }

    fn hear(&mut self, parlor: Parlor) {
        self.feed(Event::Heard(Heard::Here(parlor)));
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.feed(Event::Input(Input::Tick(self.now)));
    }

    fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.feed(Event::Input(Input::Key(KeyEvent::new(code, modifiers))));
    }

    fn press(&mut self, code: KeyCode) {
        self.key(code, KeyModifiers::NONE);
    }

    fn write(&mut self, text: &str) {
        text.chars().for_each(|c| self.press(KeyCode::Char(c)));
    }

    fn click(&mut self, column: u16, row: u16) {
        let (kind, modifiers) = (MouseEventKind::Down(MouseButton::Left), KeyModifiers::NONE);
        self.feed(Event::Input(Input::Mouse(MouseEvent { kind, column, row, modifiers })));
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.feed(Event::Input(Input::Resize(columns, rows)));
    }

    /// The characters, a line for each row, and where the cursor is.
    fn screen(&mut self) -> (String, (u16, u16)) {
        let (columns, rows) = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let frame = terminal.draw(|frame| super::view::draw(&self.state, frame)).unwrap();
        let mut text = String::new();
        for y in 0..rows {
            let (mut row, mut x) = (String::new(), 0);
            while x < columns {
                let symbol = frame.buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(wrap::columns(symbol).max(1)).unwrap();
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        let cursor = terminal.backend().cursor_position();
        (text, (cursor.x, cursor.y))
    }

    fn text(&mut self) -> String {
        self.screen().0
    }

    /// Where this stands on the screen.
    fn find(&mut self, wanted: &str) -> (u16, u16) {
        let text = self.text();
        let found = text.lines().enumerate().find_map(|(y, line)| Some((line.find(wanted)?, y, line)));
        let (at, y, line) = found.unwrap_or_else(|| panic!("no {wanted} on this screen:\n{text}"));
        (u16::try_from(wrap::columns(&line[..at])).unwrap(), u16::try_from(y).unwrap())
    }

    fn names(&self) -> Vec<String> {
        self.state.rows().into_iter().map(|row| row.name).collect()
    }

    /// Where Enter leads.
    fn enter(&mut self) -> Option<Choice> {
        self.effects.clear();
        self.press(KeyCode::Enter);
        match self.effects.pop() {
            Some(Effect::Go(choice)) => Some(choice),
            _ => None,
        }
    }
}

/// A network with three parlors, two others that were visited, and one that is both.
fn busy(columns: u16, rows: u16) -> Script {
    let visited = vec![
        recent("den", "10.0.0.9", 4, 1),
        recent("attic", "attic.example:9000", 0, 18),
        recent("study", "192.168.1.30", 5, 400),
        recent("", "192.168.7.7", 6, 0),
    ];
    let mut script = Script::new(columns, rows, visited);
    script.hear(parlor(1, "lab", 3, 1, &["192.168.1.7", "[fe80::7%eth0]:7878"]));
    script.hear(parlor(2, "会議室 two", 12, 2, &["192.168.1.9"]));
    script.hear(parlor(3, "printer room", 2, 0, &["192.168.1.11:7000"]));
    script.hear(parlor(4, "den", 1, 4, &["192.168.1.21"]));
    for (place, reach) in [
        ("attic.example:9000", Reach::Nothing),
        ("192.168.1.30", Reach::Here),
        ("192.168.7.7", Reach::Silent),
    ] {
        script.feed(Event::Seen(address(place), reach));
    }
    script
}

#[test]
fn what_comes_and_goes_leaves_the_choice_where_it_is() {
    let mut script = Script::new(80, 24, vec![recent("attic", "attic.example", 7, 1)]);
    assert_eq!(script.names(), ["host one here", "attic"]);
    assert_eq!(script.state.chosen, Item::Host);
    script.hear(parlor(1, "lab", 3, 1, &["192.168.1.7"]));
    assert_eq!(script.state.chosen, Item::Host);
    script.press(KeyCode::Down);
    assert_eq!(script.state.chosen, item(&parlor(1, "lab", 3, 1, &[])));
    script.hear(parlor(2, "aaa", 3, 2, &["192.168.1.8"]));
    script.hear(parlor(1, "lab", 5, 1, &["192.168.1.7"]));
    assert_eq!(script.names(), ["host one here", "lab", "aaa", "attic"]);
    assert_eq!(script.state.chosen, item(&parlor(1, "lab", 3, 1, &[])));

    script.feed(Event::Heard(Heard::Gone(Uuid::from_u128(1))));
    assert!(script.text().contains("○ gone"));
    script.pass(FADES - Duration::from_millis(1));
    assert_eq!(script.state.chosen, item(&parlor(1, "lab", 3, 1, &[])));
    assert_eq!(script.state.deadline(), Some(script.now.instant + Duration::from_millis(1)));
    script.pass(Duration::from_millis(1));
    assert_eq!(script.names(), ["host one here", "aaa", "attic"]);
    assert_eq!(script.state.chosen, item(&parlor(2, "aaa", 3, 2, &[])), "what stands there now");
    // Back before it was forgotten, it never left.
    script.feed(Event::Heard(Heard::Gone(Uuid::from_u128(2))));
    script.hear(parlor(2, "aaa", 3, 2, &["192.168.1.8"]));
    script.pass(FADES * 2);
    assert_eq!(script.names(), ["host one here", "aaa", "attic"]);
}

#[test]
fn one_that_is_known_is_listed_once_and_must_show_its_certificate() {
    let mut script = Script::new(80, 24, vec![recent("den", "10.0.0.9", 4, 1)]);
    script.press(KeyCode::Down);
    assert_eq!(script.state.chosen, Item::Recent(address("10.0.0.9")));
    script.hear(parlor(4, "den", 1, 4, &["192.168.1.21", "10.9.9.9"]));
    assert_eq!(script.names(), ["host one here", "den"]);
    assert_eq!(script.state.chosen, item(&parlor(4, "den", 1, 4, &[])), "it is the same parlor");
    let expected = Choice::Parlor {
        addresses: vec![address("192.168.1.21"), address("10.9.9.9")],
        plain: false,
        known: Some(address("10.0.0.9")),
    };
    assert_eq!(script.enter(), Some(expected));
    // One with its name and another certificate is another one.
    script.hear(parlor(5, "den", 1, 9, &["192.168.1.66"]));
    assert_eq!(script.names(), ["host one here", "den", "den"]);
    script.press(KeyCode::Down);
    let expected = Choice::Parlor { addresses: vec![address("192.168.1.66")], plain: false, known: None };
    assert_eq!(script.enter(), Some(expected));
}

#[test]
fn the_one_on_this_machine_comes_first_and_once() {
    let mut script = Script::new(80, 24, Vec::new());
    assert_eq!(script.enter(), Some(Choice::Host));
    script.hear(parlor(1, "mine", 2, 1, &["192.168.1.2"]));
    script.feed(Event::Seen(Address::this_machine(), Reach::Here));
    assert_eq!(script.names(), ["join the one on this machine", "host one here"]);
    assert_eq!(script.enter(), Some(Choice::Here), "a second one would find the port taken");
    let text = script.text();
    assert!(text.contains("mine") && text.contains("● 2 here"), "{text}");
    // It ends, and one is hosted instead.
    script.feed(Event::Seen(Address::this_machine(), Reach::Nothing));
    assert_eq!(script.names(), ["host one here", "mine"]);
    assert_eq!(script.enter(), Some(Choice::Host));
}

#[test]
fn letters_find_names_and_addresses() {
    let mut script = busy(80, 24);
    script.write("den");
    assert_eq!(script.names(), ["den", "join the machine den"]);
    let Some(Choice::Parlor { known, .. }) = script.enter() else { panic!("no parlor") };
    assert_eq!(known, Some(address("10.0.0.9")));
    script.press(KeyCode::Esc);
    assert_eq!(script.names().len(), 8);
    assert_eq!(script.effects, []);
    // The one that was found stays chosen.
    assert_eq!(script.state.chosen, item(&parlor(4, "den", 1, 4, &[])));
    script.write("7.7");
    assert_eq!(script.state.chosen, Item::Typed, "what looks like an address is one");
    script.press(KeyCode::Down);
    let Some(Choice::Parlor { addresses, .. }) = script.enter() else { panic!("no parlor") };
    assert_eq!(addresses, [address("192.168.7.7")]);
    script.press(KeyCode::Esc);
    script.write("no such parlor");
    assert_eq!((script.names().len(), script.enter()), (0, None));
    assert!(script.text().contains("Nothing here is called so."));
    script.press(KeyCode::Esc);
    script.write("elsewhere");
    assert_eq!(script.enter(), Some(Choice::Typed(vec!["elsewhere".to_owned()])));
}

#[test]
fn what_says_where_to_go_comes_first_and_no_passphrase_is_shown() {
    let invite = "parlor://10.0.0.5/#demo?p=amber-otter-river-stone";
    let mut script = busy(120, 36);
    script.feed(Event::Input(Input::Paste(format!("parlor join '{invite}'\n"))));
    assert_eq!(script.names().first().map(String::as_str), Some("join 10.0.0.5, #demo"));
    let text = script.text();
    assert!(text.contains(&format!("p={}'", "•".repeat(23))) && !text.contains("amber"), "{text}");
    assert_eq!(script.enter(), Some(Choice::Typed(vec![invite.to_owned()])));
    script.press(KeyCode::Esc);
    script.write("amber otter river stone");
    assert_eq!(script.enter(), Some(Choice::Typed(vec!["amber-otter-river-stone".to_owned()])));
    script.press(KeyCode::Esc);
    script.write("parlor://10.0.0.5/#?fp=x&p=amber-otter-river-stone");
    let text = script.text();
    assert!(text.contains("! fp= in this invite") && !text.contains("amber"), "{text}");
    assert_eq!(script.enter(), None);
}

#[test]
fn there_is_always_a_way_out() {
    let mut script = busy(80, 24);
    for letter in ['c', 'd'] {
        script.write("some");
        script.key(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(std::mem::take(&mut script.effects), [Effect::Quit]);
    }
    for expected in [vec![], vec![Effect::Quit]] {
        script.press(KeyCode::Esc);
        assert_eq!(std::mem::take(&mut script.effects), expected);
    }
    script.press(KeyCode::F(1));
    assert!(script.text().contains("Keys"));
    script.write("x");
    script.press(KeyCode::Esc);
    assert!(!script.text().contains("Keys") && script.state.input.is_empty());
    script.feed(Event::Input(Input::Terminate));
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn a_click_chooses_and_another_one_joins() {
    let mut script = busy(120, 36);
    let (x, y) = script.find("printer room");
    script.click(x, y);
    assert_eq!(
        (&script.state.chosen, script.effects.len()),
        (&item(&parlor(3, "printer room", 2, 0, &[])), 0)
    );
    script.click(x + 40, y);
    let [Effect::Go(Choice::Parlor { plain: true, .. })] = &script.effects[..] else {
        panic!("{:?}", script.effects)
    };
    let (x, y) = script.find("on this network");
    script.click(x, y);
    script.click(x, y);
    assert_eq!(script.effects.len(), 1, "a heading is nothing");
    script.press(KeyCode::F(4));
    assert_eq!(script.effects.pop(), Some(Effect::Capture(false)));
    let (x, y) = script.find("lab");
    script.click(x, y);
    assert_eq!(script.state.chosen, item(&parlor(3, "printer room", 2, 0, &[])));
}

#[test]
fn silence_is_explained_after_a_while() {
    let mut script = Script::new(120, 36, Vec::new());
    assert!(script.text().contains("looking …") && !script.text().contains("Wi-Fi"));
    assert_eq!(script.state.deadline(), Some(script.now.instant + PATIENCE));
    script.pass(PATIENCE);
    assert_eq!(script.state.deadline(), None);
    let text = script.text();
    for said in ["Wi-Fi", "VPN", "5353/udp or 7878/udp", "another network", "`parlor invite`", "four words"] {
        assert!(text.contains(said), "{said} in:\n{text}");
    }
    script.feed(Event::Heard(Heard::Trouble("no multicast on eth0: \u{1b}[2Jit is down".to_owned())));
    assert!(script.text().contains("! no multicast on eth0"));
    script.hear(parlor(1, "lab", 3, 1, &["192.168.1.7"]));
    assert!(!script.text().contains("Wi-Fi"));
}

#[test]
fn a_thousand_names_are_not_kept() {
    let mut script = Script::new(80, 24, Vec::new());
    for id in 0..PARLORS as u128 + 50 {
        script.hear(parlor(id, "x", 1, 1, &["192.168.1.7"]));
        script.feed(Event::Heard(Heard::Trouble(format!("trouble {id}"))));
    }
    assert_eq!((script.state.found.len(), script.state.troubles.len()), (PARLORS, 4));
    script.feed(Event::Input(Input::Paste("y".repeat(100_000))));
    assert!(script.state.input.text().len() < 2_000);
}

#[test]
fn what_others_announce_cannot_draw() {
    let mut script = Script::new(80, 24, Vec::new());
    script.hear(parlor(1, "\u{1b}[31mred\u{202e}\u{7}", 3, 1, &["192.168.1.7"]));
    let text = script.text();
    assert!(text.contains("red") && !text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text:?}");
}
