//! What is chosen stays what was chosen: who comes, who goes, and who claims to be another.

use std::time::Duration;

use crossterm::event::KeyCode;
use uuid::Uuid;

use super::super::looked_at;
use super::super::probe::Reach;
use super::super::rows::Standing;
use super::super::state::{FADES, Item};
use super::{Choice, Event, Heard, Input, Script, address, item, parlor, recent};
use crate::protocol::address::Address;

fn gone(script: &mut Script, id: u128) {
    script.feed(Event::Heard(Heard::Gone(Uuid::from_u128(id))));
}

fn seen_here(script: &mut Script) {
    script.feed(Event::Seen(Address::this_machine(), Reach::Here));
}

#[test]
fn whoever_wants_to_host_another_one_is_left_at_that() {
    let mut script = Script::new(80, 24, Vec::new());
    seen_here(&mut script);
    assert_eq!(script.state.chosen, Item::Here);
    script.press(KeyCode::Down);
    assert_eq!(script.state.chosen, Item::Host);
    script.state.changed = false;
    seen_here(&mut script);
    assert_eq!((&script.state.chosen, script.state.changed), (&Item::Host, false));
    assert_eq!(script.enter(), Some(Choice::Host));
    // It went and came again: that is news.
    script.feed(Event::Seen(Address::this_machine(), Reach::Nothing));
    script.state.changed = false;
    seen_here(&mut script);
    assert_eq!((&script.state.chosen, script.state.changed), (&Item::Here, true));
}

#[test]
fn the_same_id_with_another_certificate_is_another_parlor() {
    let (honest, other) =
        (parlor(1, "lab", 3, 1, &["192.168.1.7"]), parlor(1, "lab", 3, 2, &["192.168.1.66"]));
    let mut script = Script::new(80, 24, Vec::new());
    script.hear(honest.clone());
    script.press(KeyCode::Down);
    script.hear(other.clone());
    assert_eq!(script.names(), ["host one here", "lab", "lab"]);
    assert_eq!(script.state.chosen, item(&honest));
    let expected = |parlor: &super::Parlor| Choice::Parlor {
        addresses: parlor.addresses.clone(),
        plain: false,
        known: None,
    };
    assert_eq!(script.enter(), Some(expected(&honest)));
    script.press(KeyCode::Down);
    assert_eq!(script.enter(), Some(expected(&other)));
    script.press(KeyCode::Up);
    // Nobody can tell which of the two is gone: the one that is there is told again.
    gone(&mut script, 1);
    assert_eq!(script.text().matches("○ gone").count(), 2);
    script.hear(honest.clone());
    script.pass(FADES);
    assert_eq!(script.names(), ["host one here", "lab"]);
    assert_eq!(script.state.chosen, item(&honest));
}

#[test]
fn a_stranger_is_not_this_machine() {
    let mut script = Script::new(100, 24, Vec::new());
    let note = |script: &Script, name: &str| {
        let row = script.state.rows().into_iter().find(|row| row.name == name);
        row.map(|row| row.note)
    };
    script.hear(parlor(1, "stranger", 3, 1, &["127.0.0.1", "192.168.1.66"]));
    script.hear(parlor(2, "zone", 3, 2, &["192.168.1.2", "[fe80::66%eth0]:7878"]));
    script.hear(parlor(3, "named", 3, 3, &["192.168.1.2", "mine.example"]));
    script.hear(parlor(4, "mine", 3, 4, &["192.168.1.2", "127.0.0.1", "[fe80::2%eth0]:7878"]));
    for name in ["stranger", "zone", "named"] {
        assert_eq!(note(&script, name).as_deref(), Some(""), "{name}");
    }
    assert_eq!(note(&script, "mine").as_deref(), Some("this machine"));
    // Nor is it hidden behind the row of this machine.
    seen_here(&mut script);
    assert_eq!(
        script.names(),
        ["join the one on this machine", "host one here", "stranger", "zone", "named"]
    );
}

#[test]
fn the_choice_goes_back_to_where_the_parlor_was_visited() {
    let mut script =
        Script::new(80, 24, vec![recent("attic", "10.0.0.8", 7, 1), recent("den", "10.0.0.9", 4, 1)]);
    let den = parlor(4, "den", 1, 4, &["192.168.1.21"]);
    script.hear(den.clone());
    script.press(KeyCode::Down);
    assert_eq!(script.state.chosen, item(&den));
    gone(&mut script, 4);
    script.pass(FADES);
    assert_eq!(script.names(), ["host one here", "attic", "den"]);
    assert_eq!(script.state.chosen, Item::Recent(address("10.0.0.9")));
    // And forth again.
    script.hear(den.clone());
    assert_eq!(script.state.chosen, item(&den));
}

#[test]
fn the_choice_goes_to_the_row_of_this_machine() {
    let mut script = Script::new(80, 24, Vec::new());
    script.hear(parlor(2, "lab", 3, 2, &["192.168.1.7"]));
    let mine = parlor(1, "mine", 3, 1, &["192.168.1.2"]);
    script.hear(mine.clone());
    script.press(KeyCode::Down);
    script.press(KeyCode::Down);
    assert_eq!(script.state.chosen, item(&mine));
    seen_here(&mut script);
    assert_eq!(script.state.chosen, Item::Here);
    // That it is not announced any more says nothing of that row.
    gone(&mut script, 1);
    script.pass(FADES);
    assert_eq!(script.state.chosen, Item::Here);
}

#[test]
fn enter_on_one_that_is_gone_is_not_for_its_neighbour() {
    let mut script = Script::new(80, 24, Vec::new());
    let lab = parlor(1, "lab", 3, 1, &["192.168.1.7"]);
    script.hear(lab.clone());
    script.hear(parlor(2, "aaa", 3, 2, &["192.168.1.8"]));
    script.press(KeyCode::Down);
    gone(&mut script, 1);
    script.pass(FADES - Duration::from_millis(1));
    // The key was pressed before the time was up, and is taken in before it.
    let expected = Choice::Parlor { addresses: lab.addresses, plain: false, known: None };
    assert_eq!(script.enter(), Some(expected));
}

#[test]
fn without_finding_nobody_who_was_visited_is_looked_at() {
    let visited = vec![recent("den", "10.0.0.9", 0, 1)];
    assert_eq!(looked_at(false, &visited), [Address::this_machine()]);
    assert_eq!(looked_at(true, &visited), [Address::this_machine(), address("10.0.0.9")]);
    let mut script = Script::new(80, 24, visited);
    let row_of = |text: &str| text.lines().find(|line| line.contains("den")).unwrap_or_default().to_owned();
    assert!(row_of(&script.text()).contains("◌ looking …"));
    script.state.looks = false;
    let text = script.text();
    let row = row_of(&text);
    assert!(row.contains("no TLS") && row.contains("10.0.0.9") && row.contains("yesterday"), "{text}");
    assert!(!row.contains('◌') && !text.contains("looking …"), "{text}");
    assert!(script.state.rows().iter().all(|row| row.standing == Standing::Silent));
    script.press(KeyCode::Down);
    script.feed(Event::Input(Input::Resize(30, 8)));
    assert!(script.text().contains("den"));
}

#[test]
fn four_words_are_not_shown() {
    let mut script = Script::new(80, 24, Vec::new());
    script.write("Amber otter ricotta amulet");
    let text = script.text().to_lowercase();
    assert!(text.contains("join by these four words") && !text.contains("amber"), "{text}");
    assert_eq!(script.enter(), Some(Choice::Typed(vec!["amber-otter-ricotta-amulet".to_owned()])));
}
