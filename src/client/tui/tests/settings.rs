//! Settings: shown, set, kept, read again while one sits there; keys of one's own; and the welcome.

use std::path::Path;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::tui::script::Script;
use crate::client::tui::settings::{Change, SettingsFile, Value};
use crate::client::tui::{Effect, Event as Happening};

fn lobby(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob", "carol"]);
    script.says("#lobby", 1, "bob", "good morning");
    script.effects.clear();
    script
}

fn type_line(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

/// The settings file says this now.
fn file(script: &mut Script, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let mut reading = SettingsFile::at(path).read();
    reading.origin.path = Path::new("/home/alice/.config/parlor/config.toml").display().to_string();
    script.feed(Happening::Settings(Box::new(reading)));
}

#[test]
fn all_settings_are_shown() {
    let mut script = lobby(100, 32);
    file(&mut script, "[notices]\nbell = false\nwords = [\"ferris\", \"crab\"]\nloud = 1\n");
    type_line(&mut script, "/set names-width 20");
    type_line(&mut script, "/set");
    assert_snapshot!(script.text(), @r#"
     rooms ╭ settings ──────────────────────────────────────────────────────────────────────────╮
    ▌      │ ! config.toml, line 4: there is no setting "loud": /set shows them all             │
           │ /set NAME VALUE changes one, /set NAME default takes it back                       │
           │ kept in /home/alice/.config/parlor/config.toml, where keys are bound too           │
           │                                                                                    │
           │ [screen]                                                                           │
           │  theme        auto          how everything looks; auto fits the terminal, and      │
           │                             /theme shows each                                      │
           │  time-format  %H:%M         how times are written, as strftime has it; "" leaves   │
           │                             them out                                               │
           │ *names-width  20            columns of the names beside what is said, at most      │
           │                             (until you leave, default 16)                          │
           │  rooms-pane   auto          the rooms at the left: auto shows them where there is  │
           │                             room                                                   │
           │  people-pane  auto          the people at the right: auto shows them where there   │
           │                             is room                                                │
           │  noise        on            who comes and leaves is shown                          │
           │  completion   auto          what a word could become is shown: auto while it is    │
           │                             typed, tab when that is pressed                        │
           │  mouse        off           the mouse chooses, opens and selects here; off: it is  │
           │                             the terminal's                                         │
           │  find         on            plain `parlor` looks for parlors on this network; off: │
           │                             it sends nothing there                                 │
           │                                                                                    │
           │ [notices]                                                                          │
           │ *bell         off           what rings is heard (line 2, default on)               │
           │  desktop      on            what rings is told on the desktop, where the terminal  │
           │                             can                                                    │
           ╰──────────────────────────────────────────────────────────────────────────── ↓ more ╯
    ──────────────┴──────────────────────────────────────────────────────────────────────┴──────────────
     alice ›
     ● connected to den 2 ms                                                   PgDn further · Esc close
    "#);
    script.resize(50, 12);
    assert_snapshot!(script.text(), @r#"
    ╭ settings ──────────────────────────────────────╮
    │ ! config.toml, line 4: there is no setting     │
    │ "loud": /set shows them all                    │
    │ /set NAME VALUE changes one, /set NAME default │
    │ takes it back                                  │
    │ kept in                                        │
    │ /home/alice/.config/parlor/config.toml, where  │
    │ keys are bound too                             │
    ╰──────────────────────────────────────── ↓ more ╯
    ──────────────────────────────────────────────────
     alice ›
     ● connected 2 ms        PgDn further · Esc close
    "#);
    script.press(KeyCode::End);
    assert_snapshot!(script.text(), @r"
    ╭ settings ──────────────────────────────────────╮
    │  desktop      on                               │
    │   what rings is told on the desktop, where the │
    │   terminal can                                 │
    │ *words        ferris, crab  line 3, default n… │
    │   what counts as your name beside it           │
    │  typing       on                               │
    │   others see that you are typing               │
    ╰────────────────────────────────────────────────╯
    ──────────────────────────────────────────────────
     alice ›
     ● connected 2 ms           PgUp back · Esc close
    ");
    for size in [(1, 1), (5, 3), (12, 6)] {
        script.resize(size.0, size.1);
        script.text();
    }
}

#[test]
fn one_setting_is_shown_changed_and_taken_back() {
    let mut script = lobby(90, 16);
    type_line(&mut script, "/set time-format");
    assert_snapshot!(script.text(), @r#"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │                                                            │ ● alice
                  │                                                            │ ● bob
                  │                                                            │ ● carol
                  │                                                            │
                  │                                                            │
                  │                                                            │
                  │              This is the beginning of #lobby.              │
                  │                                                            │
                  │ ────────────────── Saturday 21 November ────────────────── │
                  │ 11:02  bob   good morning                                  │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     time-format is %H:%M, the default: how times are written, as strftime has it; "" leaves
     them out. /set time-format %H:%M|%H:%M:%S|%-I:%M %p changes it
     alice ›
     ● connected 2 ms                                   Tab complete · PgUp history · F1 help
    "#);
    type_line(&mut script, "/set time-format %H:%M:%S");
    let value = Value::Text("%H:%M:%S".to_owned());
    assert_eq!(script.effects, [Effect::Keep(Change::Set("time-format", Some(value)))]);
    assert_snapshot!(script.text(), @r#"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │                                                            │ ● alice
                  │                                                            │ ● bob
                  │                                                            │ ● carol
                  │                                                            │
                  │                                                            │
                  │                                                            │
                  │                                                            │
                  │                 This is the beginning of #lobby.           │
                  │                                                            │
                  │ ────────────────── Saturday 21 November ────────────────── │
                  │ 11:02:00  bob   good morning                               │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     time-format is %H:%M:%S: how times are written, as strftime has it; "" leaves them out
     alice ›
     ● connected 2 ms                                   Tab complete · PgUp history · F1 help
    "#);
    script.effects.clear();
    type_line(&mut script, "/set time-format \"\"");
    assert!(!script.text().contains("11:02"), "{}", script.text());
    type_line(&mut script, "/set time-format default");
    assert!(script.text().contains("11:02"), "{}", script.text());
    assert_eq!(script.effects.last(), Some(&Effect::Keep(Change::Set("time-format", None))));
}

#[test]
fn what_cannot_be_set_changes_nothing_and_stays_in_the_input() {
    let mut script = lobby(90, 16);
    for (line, says) in [
        ("/set bell loud", "bell: it is on or off"),
        ("/set names-width 400", "names-width: a number from 4 to 40 fits here"),
        ("/set bel off", "there is no setting \"bel\": did you mean bell?"),
        ("/set xyzzy", "there is no setting \"xyzzy\": /set shows them all"),
    ] {
        type_line(&mut script, line);
        let text = script.text();
        assert!(text.contains(says) && text.contains(line), "{text}");
        script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    }
    assert_eq!(script.effects, []);
}

#[test]
fn tab_completes_names_and_values() {
    let mut script = lobby(90, 16);
    script.write("/set t");
    script.press(KeyCode::Tab);
    assert!(script.text().contains("/set theme"), "{}", script.text());
    script.press(KeyCode::Tab);
    assert!(script.text().contains("/set time-format"), "{}", script.text());
    script.press(KeyCode::Tab);
    script.write("of");
    script.press(KeyCode::Tab);
    assert!(script.text().contains("/set typing off"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert_eq!(script.effects.last(), Some(&Effect::Keep(Change::Set("typing", Some(Value::Switch(false))))));
    script.write("/set rooms-pane ");
    script.press(KeyCode::Tab);
    assert!(script.text().contains("/set rooms-pane auto"), "{}", script.text());
}

#[test]
fn the_bell_can_be_silent() {
    let mut script = lobby(90, 16);
    type_line(&mut script, "/set bell off");
    script.effects.clear();
    script.feed(Happening::Focus(false));
    script.says("#lobby", 2, "bob", "alice, are you there?");
    assert!(!script.effects.contains(&Effect::Bell));
    assert!(matches!(script.effects.as_slice(), [Effect::Notice { .. }]), "{:?}", script.effects);
}

#[test]
fn panes_and_names_are_as_wide_as_one_likes() {
    let mut script = lobby(120, 10);
    assert!(script.text().contains("here 3"));
    type_line(&mut script, "/set people-pane off");
    assert!(!script.text().contains("here 3"), "{}", script.text());
    script.press(KeyCode::F(3));
    assert!(script.text().contains("here 3"), "a key shows it for a while");
    type_line(&mut script, "/set people-pane auto");
    script.resize(50, 10);
    assert!(!script.text().contains("here 3"));
    type_line(&mut script, "/set people-pane on");
    assert!(script.text().contains("here 3"), "{}", script.text());
    script.resize(120, 10);
    type_line(&mut script, "/set names-width 4");
    script.says("#lobby", 2, "bartholomew", "me");
    assert!(script.text().contains(" bar… "), "{}", script.text());
}

#[test]
fn the_screen_changes_with_the_file() {
    let mut script = lobby(90, 12);
    file(
        &mut script,
        "[screen]\ntime-format = \"%H.%M\"\n[notices]\nbell = false\n[keys]\n\"f5\" = \"help\"\n",
    );
    assert_snapshot!(script.text(), @r"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │                                                            │ ● alice
                  │                                                            │ ● bob
                  │                                                            │ ● carol
                  │              This is the beginning of #lobby.              │
                  │                                                            │
                  │ ────────────────── Saturday 21 November ────────────────── │
                  │ 11.02  bob   good morning                                  │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     config.toml has changed: time-format %H.%M, bell off, keys
     alice ›
     ● connected 2 ms                                   Tab complete · PgUp history · F5 help
    ");
    file(
        &mut script,
        "[screen]\ntime-format = \"%H.%M\"\n[notices]\nbell = false\n[keys]\n\"f5\" = \"help\"\n# more\n",
    );
    script.press(KeyCode::Esc);
    script.press(KeyCode::Esc);
    file(
        &mut script,
        "[screen]\ntime-format = \"%H.%M\"\nnois = true\n[notices]\nbell = \"loud\"\ndesktop = false\n",
    );
    assert_snapshot!(script.text(), @r#"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │                                                            │ ● alice
                  │                                                            │ ● bob
                  │              This is the beginning of #lobby.              │ ● carol
                  │                                                            │
                  │ ────────────────── Saturday 21 November ────────────────── │
                  │ 11.02  bob   good morning                                  │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     config.toml, line 3: there is no setting "nois": did you mean noise?, and 1 more: /set
     shows them
     alice ›
     ● connected 2 ms                                   Tab complete · PgUp history · F1 help
    "#);
    assert!(!script.state.company.settings.desktop, "what is right holds");
    // What is no TOML changes nothing, and is told.
    file(&mut script, "[screen\n");
    assert!(script.text().contains("config.toml, line 1: this is not TOML"), "{}", script.text());
    assert!(script.text().contains("11.02") && !script.state.company.settings.desktop);
    script.press(KeyCode::Esc);
    file(&mut script, "[screen\n");
    assert!(!script.text().contains("config.toml"), "the same is told once: {}", script.text());
    file(&mut script, "[screen]\ntime-format = \"%H.%M\"\n[notices]\ndesktop = false\n");
    assert!(script.text().contains("config.toml is understood now"), "{}", script.text());
    file(&mut script, "[keys]\nf1\n");
    assert!(script.text().contains("config.toml, line 2"), "{}", script.text());
    file(&mut script, "[screen]\ntime-format = \"%H.%M\"\n[notices]\ndesktop = false\n");
    assert!(script.text().contains("config.toml is understood now"), "{}", script.text());
    // What `/set` has put right is told in its own words.
    file(&mut script, "[notices]\nbell = \"loud\"\n");
    type_line(&mut script, "/set bell off");
    file(&mut script, "[notices]\nbell = false\n");
    assert!(script.text().contains("bell is off"), "{}", script.text());
}

#[test]
fn a_key_of_ones_own_works_and_is_shown() {
    let mut script = lobby(90, 12);
    let keys = "[keys]\nf5 = \"help\"\nf1 = \"none\"\nenter = \"new-line\"\n\"alt-enter\" = \"send\"\n[keys.reading]\nx = \"delete\"\nd = \"none\"\n";
    file(&mut script, keys);
    assert!(script.text().contains("F5 help"), "{}", script.text());
    script.press(KeyCode::F(1));
    assert!(script.state.overlay.is_none());
    script.press(KeyCode::F(5));
    script.resize(90, 400);
    let help: String = script
        .text()
        .lines()
        .filter(|line| {
            ["this help", "send;", "new line in", "take it back:"].iter().any(|text| line.contains(text))
        })
        .map(|line| format!("{}\n", line.trim_matches([' ', '│'])))
        .collect();
    assert_snapshot!(help, @r"
    Alt-Enter                  send; on an empty line, try to connect now
    Enter, Shift-Enter, Ctrl-J new line in the message
    x, Del                     take it back: yours, or anybody's if you keep order
    F5                         this help
    ");
    script.press(KeyCode::Esc);
    script.resize(90, 12);
    script.write("one");
    script.press(KeyCode::Enter);
    script.write("two");
    assert_eq!(script.asked(), []);
    script.key(KeyCode::Enter, KeyModifiers::ALT);
    assert!(script.text().contains("◌ one"), "{}", script.text());
    // Enter is the answer to a question all the same.
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.effects.clear();
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn ctrl_c_cannot_be_taken_away() {
    let mut script = lobby(90, 12);
    file(&mut script, "[keys]\n\"ctrl-c\" = \"none\"\n\"C-c\" = \"help\"\nesc = \"none\"\n");
    assert_snapshot!(script.text(), @r#"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │                                                            │ ● alice
                  │                                                            │ ● bob
                  │              This is the beginning of #lobby.              │ ● carol
                  │                                                            │
                  │ ────────────────── Saturday 21 November ────────────────── │
                  │ 11:02  bob   good morning                                  │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     config.toml, line 2: "ctrl-c": ctrl-c always throws the input away and leaves: choose
     another key, and 2 more: /set shows them
     alice ›
     ● connected 2 ms                                   Tab complete · PgUp history · F1 help
    "#);
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.effects.clear();
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn somebody_new_is_welcomed_until_they_say_something() {
    let mut script = lobby(90, 14);
    script.state.welcome = true;
    assert_snapshot!(script.text(), @r"
     rooms        │ #lobby                                                     │ here 3
    ▌#lobby       │              This is the beginning of #lobby.              │ ● alice
                  │                                                            │ ● bob
                  │ ────────────────── Saturday 21 November ────────────────── │ ● carol
                  │ 11:02  bob   good morning                                  │
                  │                                                            │
                  │              Welcome! What you write below, everyone here  │
                  │              reads once you press Enter.                   │
                  │              F1 shows all keys and commands; Tab completes │
                  │              names.                                        │
                  │              /set shows what you can change, /quit leaves. │
    ──────────────┴────────────────────────────────────────────────────────────┴──────────────
     alice ›
     ● connected 2 ms          Tab complete · PgUp history · Esc read · Alt-G go to · F1 help
    ");
    script.resize(50, 12);
    assert_snapshot!(script.text(), @r"
     #lobby                                    3 here

                  Welcome! What you write below,
                  everyone here reads once you press
                  Enter.
                  F1 shows all keys and commands; Tab
                  completes names.
                  /set shows what you can change,
                  /quit leaves.
    ──────────────────────────────────────────────────
     alice ›
     ● connected 2 ms          Tab complete · F1 help
    ");
    type_line(&mut script, "/topic");
    assert!(script.text().contains("Welcome"), "a command is not said");
    type_line(&mut script, "hello");
    assert!(!script.text().contains("Welcome"));
    assert!(script.effects.contains(&Effect::Welcomed));
}

#[test]
fn the_welcome_makes_room_for_those_who_talk() {
    let mut script = lobby(90, 14);
    script.state.welcome = true;
    script.says("#lobby", 2, "bob", "who is new?");
    assert!(!script.text().contains("Welcome"), "{}", script.text());
    assert!(!script.effects.contains(&Effect::Welcomed), "the next time it is there again");
}
