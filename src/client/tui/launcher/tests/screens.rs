//! Pictures of the launcher.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::super::probe::Reach;
use super::super::state::PATIENCE;
use super::{Event, Heard, Script, busy};

/// Nobody was heard for a while, and one way to look does not work.
fn silent(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows, Vec::new());
    script.feed(Event::Heard(Heard::Trouble("multicast does not work here: no route to host".to_owned())));
    script.pass(PATIENCE);
    script
}

#[test]
fn at_120_by_36() {
    assert_snapshot!(Script::new(120, 36, Vec::new()).text());
    let mut script = busy(120, 36);
    script.press(KeyCode::Down);
    assert_snapshot!(script.text());
    script.write("ro");
    assert_snapshot!(script.text());
    assert_snapshot!(silent(120, 36).text());
}

#[test]
fn at_80_by_24() {
    let mut script = busy(80, 24);
    script.feed(Event::Seen(crate::protocol::address::Address::this_machine(), Reach::Here));
    assert_snapshot!(script.text());
    assert_snapshot!(silent(80, 24).text());
    script.press(KeyCode::F(1));
    assert_snapshot!(script.text());
}

#[test]
fn at_50_by_12() {
    let mut script = busy(50, 12);
    assert_snapshot!(script.text());
    (0..9).for_each(|_| script.press(KeyCode::Down));
    assert_snapshot!(script.text());
    assert_snapshot!(silent(50, 12).text());
}

#[test]
fn at_30_by_8() {
    let mut script = busy(30, 8);
    script.press(KeyCode::Down);
    assert_snapshot!(script.text());
    assert_snapshot!(silent(30, 8).text());
}

#[test]
fn a_tiny_terminal_is_survived() {
    for (columns, rows) in [(1, 1), (2, 1), (1, 5), (3, 3), (7, 2), (200, 1), (1, 60)] {
        for mut script in [busy(columns, rows), silent(columns, rows)] {
            for code in
                [KeyCode::Down, KeyCode::PageDown, KeyCode::Char('x'), KeyCode::F(1), KeyCode::PageDown]
            {
                script.press(code);
                let (_, (x, y)) = script.screen();
                assert!(x < columns && y < rows, "the cursor is at {x}, {y} of {columns}x{rows}");
            }
        }
    }
}
