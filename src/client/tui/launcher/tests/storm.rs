//! Anything in any order.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::probe::Reach;
use super::super::update::Effect;
use super::{Event, Heard, Input, Script, address, busy, parlor};
use crate::client::tui::wrap::tests::odd_text;

#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, KeyModifiers),
    Paste(String),
    Wheel(isize),
    Click(u16, u16),
    Size(u16, u16),
    Here(u128, String, u32, u8, u8),
    Gone(u128),
    Trouble(String),
    Seen(u8, u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let codes = prop::sample::select(vec![
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Left,
        KeyCode::Backspace,
        KeyCode::Esc,
        KeyCode::Enter,
        KeyCode::Tab,
        KeyCode::F(1),
        KeyCode::F(4),
        KeyCode::Char('a'),
        KeyCode::Char('u'),
        KeyCode::Char('w'),
        KeyCode::Char('y'),
        KeyCode::Char('k'),
        KeyCode::Char('.'),
        KeyCode::Char('李'),
    ]);
    let held = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    let pasted = prop_oneof![
        odd_text(),
        Just("parlor join 'parlor://10.0.0.5/#demo?fp=x&p=amber-otter'".to_owned()),
        Just("parlor://h/?p=é👩‍👩‍👧=x&t=1&t".to_owned()),
        Just("[::1]:9".to_owned()),
    ];
    prop_oneof![
        8 => (codes, held).prop_map(|(code, held)| Step::Key(code, held)),
        2 => pasted.prop_map(Step::Paste),
        1 => (-9_isize..9).prop_map(Step::Wheel),
        2 => (0_u16..200, 0_u16..60).prop_map(|(x, y)| Step::Click(x, y)),
        1 => (1_u16..130, 1_u16..40).prop_map(|(columns, rows)| Step::Size(columns, rows)),
        4 => (0_u128..9, odd_text(), any::<u32>(), 0_u8..8, 0_u8..9)
            .prop_map(|(id, name, people, digit, place)| Step::Here(id, name, people, digit, place)),
        2 => (0_u128..9).prop_map(Step::Gone),
        1 => odd_text().prop_map(Step::Trouble),
        2 => (0_u8..5, 0_u8..5).prop_map(|(place, reach)| Step::Seen(place, reach)),
        2 => (0_u64..5_000).prop_map(Step::Pass),
    ]
}

fn take(script: &mut Script, step: Step) {
    match step {
        Step::Key(code, held) => script.key(code, held),
        Step::Paste(text) => script.feed(Event::Input(Input::Paste(text))),
        Step::Wheel(rows) => script.feed(Event::Input(Input::Wheel(rows))),
        Step::Click(x, y) => script.click(x, y),
        Step::Size(columns, rows) => script.resize(columns, rows),
        Step::Here(id, name, people, digit, place) => {
            let places = [format!("192.168.1.{place}"), format!("[fe80::{place}%eth0]:7878")];
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            script.hear(parlor(id, &name, people, digit, &places));
        }
        Step::Gone(id) => script.feed(Event::Heard(Heard::Gone(Uuid::from_u128(id)))),
        Step::Trouble(sentence) => script.feed(Event::Heard(Heard::Trouble(sentence))),
        Step::Seen(place, reach) => {
            let places = ["10.0.0.9", "attic.example:9000", "192.168.1.30", "192.168.7.7", "127.0.0.1"];
            let reaches = [Reach::Here, Reach::Nothing, Reach::Silent, Reach::NoWay, Reach::Unknown];
            let reach = reaches[usize::from(reach)];
            script.feed(Event::Seen(address(places[usize::from(place)]), reach));
        }
        Step::Pass(millis) => script.pass(Duration::from_millis(millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_falls_over(steps in prop::collection::vec(step(), 1..60)) {
        let mut script = busy(90, 26);
        for step in steps {
            let before = script.state.chosen.clone();
            script.state.changed = false;
            take(&mut script, step);
            prop_assert!(script.state.changed || script.state.chosen == before, "Enter does what nobody sees");
            let (columns, rows) = script.state.size;
            let (_, (x, y)) = script.screen();
            prop_assert!(x < columns && y < rows);
            let listed = script.state.rows();
            // Something is chosen whenever there is something to choose, and it is in sight.
            let chosen = listed.iter().any(|row| row.item == script.state.chosen);
            prop_assert!(chosen || listed.is_empty(), "{:?} of {listed:?}", script.state.chosen);
            // Nothing is listed twice.
            for (place, row) in listed.iter().enumerate() {
                prop_assert!(!listed[..place].iter().any(|other| other.item == row.item), "{row:?}");
            }
        }
        script.effects.clear();
        script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
        prop_assert_eq!(&script.effects[..], &[Effect::Quit]);
    }
}
