//! Long messages, folded and opened.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::tui::Effect;
use crate::client::tui::script::Script;

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob"]);
    script.says("#lobby", 1, "bob", "good morning");
    let code: Vec<String> = (1..=42).map(|line| format!("\tlet x{line} = {line};")).collect();
    script.says(
        "#lobby",
        2,
        "bob",
        &format!("look:\n```rust\nfn main() {{\n{}\n}}\n```\nis it right?", code.join("\n")),
    );
    script
}

fn obey(script: &mut Script, command: &str) {
    script.write(command);
    script.press(KeyCode::Enter);
}

#[test]
fn a_long_block_of_code_is_folded() {
    assert_snapshot!(room(80, 24).text());
}

#[test]
fn a_long_block_of_code_is_folded_on_a_narrow_screen() {
    assert_snapshot!(room(50, 12).text());
}

#[test]
fn it_is_opened_and_folded_again() {
    let mut script = room(80, 24);
    obey(&mut script, "/fold");
    let text = script.text();
    assert!(!text.contains("more lines") && text.contains("look:") && !text.contains("x42"), "{text}");
    obey(&mut script, "/fold");
    assert!(script.text().contains("… 36 more lines: /fold opens"), "{}", script.text());
    // By the message that is chosen.
    script.key(KeyCode::Up, KeyModifiers::ALT);
    assert!(script.text().contains("z fold"), "{}", script.text());
    script.press(KeyCode::Char('z'));
    assert!(!script.text().contains("more lines"), "{}", script.text());
    script.press(KeyCode::Up);
    assert!(!script.text().contains("z fold"), "{}", script.text());
    script.press(KeyCode::Char('z'));
    assert!(script.text().contains("nothing is folded in this message"), "{}", script.text());
}

#[test]
fn what_is_copied_is_all_of_it() {
    let mut script = room(80, 24);
    script.key(KeyCode::Up, KeyModifiers::ALT);
    script.effects.clear();
    script.press(KeyCode::Char('c'));
    assert!(matches!(&script.effects[..], [Effect::Copy(text)] if text.contains("let x42")));
}

#[test]
fn what_is_folded_again_stays_in_sight() {
    let mut script = Script::new(100, 24);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob"]);
    let code: Vec<String> = (0..60).map(|line| format!("line {line}")).collect();
    script.says("#lobby", 1, "bob", &format!("look:\n```\n{}\n```", code.join("\n")));
    for seq in 2..8 {
        script.says("#lobby", seq, "bob", "and so on");
    }
    script.press(KeyCode::Esc);
    script.write("kkkkkkz");
    assert!(script.text().contains("line 12"), "{}", script.text());
    script.write("z");
    let text = script.text();
    assert!(text.contains("look:") && text.contains("52 more lines"), "{text}");
}

#[test]
fn a_text_without_an_end_is_folded() {
    let mut script = room(80, 40);
    script.says("#lobby", 3, "bob", &"word ".repeat(12_000));
    script.says("#lobby", 4, "bob", "so much");
    let text = script.text();
    assert!(text.contains("more lines: /fold opens") && text.contains("so much"), "{text}");
    obey(&mut script, "/fold");
    obey(&mut script, "/fold");
    assert!(script.text().contains("more lines"), "{}", script.text());
    script.key(KeyCode::Up, KeyModifiers::ALT);
    script.press(KeyCode::Esc);
    script.state.room_mut().unwrap().scrollback.keep(1);
    obey(&mut script, "/clear");
    obey(&mut script, "/fold");
    assert!(script.text().contains("nothing in sight is folded"), "{}", script.text());
}
