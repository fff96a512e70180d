//! Every screen and everything that lies over one, each at four sizes: on a desk, in a usual window, at the narrowest that
//! people sit in, and at less.

use std::fmt::Write as _;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};

use super::storm::answer;
use super::{folding, screens};
use crate::client::link::Update;
use crate::client::tui::Event as Happening;
use crate::client::tui::script::Script;
use crate::protocol::event::{ErrorCode, Failure};

/// Columns and rows.
const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (50, 12), (30, 8)];

/// One picture: its name, and how it comes about. All begin at the first of [`SIZES`].
type Picture = (&'static str, fn() -> Script);

fn afternoon() -> Script {
    let (columns, rows) = SIZES[0];
    screens::conversation(columns, rows)
}

fn talk() -> Script {
    let (columns, rows) = SIZES[0];
    folding::talk(columns, rows)
}

/// After a line was entered, and the server has answered.
fn after(mut script: Script, line: &str) -> Script {
    script.effects.clear();
    script.write(line);
    script.press(KeyCode::Enter);
    answer(&mut script, 8);
    script
}

/// After some letters with Alt held.
fn alt(mut script: Script, code: KeyCode) -> Script {
    script.key(code, KeyModifiers::ALT);
    script
}

/// After letters that are pressed one after the other.
fn typed(mut script: Script, letters: &str) -> Script {
    script.write(letters);
    script
}

fn ctrl(mut script: Script, letter: char) -> Script {
    script.key(KeyCode::Char(letter), KeyModifiers::CONTROL);
    script
}

fn esc(mut script: Script) -> Script {
    script.press(KeyCode::Esc);
    script
}

const PICTURES: &[Picture] = &[
    ("connecting", || Script::new(120, 36)),
    ("an empty room of ones own", || {
        let mut script = Script::new(120, 36).hosting("parlor://10.0.0.5/#?p=amber-otter-river-stone");
        script.online();
        script.join("#lobby", 0, "", &["alice"]);
        script
    }),
    ("an afternoon", afternoon),
    ("a talk with all that became of it", talk),
    ("no room", || {
        let mut script = Script::new(120, 36);
        script.online();
        script.join("#lobby", 0, "", &["alice"]);
        after(script, "/part")
    }),
    ("broken", || {
        let mut script = afternoon();
        let retry_at = script.now.instant + Duration::from_secs(3);
        script.news(Update::Offline { why: "the connection was closed".to_owned(), retry_at });
        after(script, "written meanwhile")
    }),
    ("a gap", || {
        let mut script = afternoon();
        script.gap("#lobby", 9, 1200);
        script.says("#lobby", 1201, "bob", "and so it was");
        script
    }),
    ("news below", || {
        let mut script = talk();
        script.resize(50, 12);
        script.press(KeyCode::PageUp);
        script.says("#lobby", 17, "bob", "alice, are you here?");
        script
    }),
    ("help", || {
        let mut script = afternoon();
        script.press(KeyCode::F(1));
        script
    }),
    ("a message is chosen", || alt(talk(), KeyCode::Up)),
    ("an answer is written", || typed(alt(talk(), KeyCode::Up), "rthat is why")),
    ("a deletion is asked about", || after(talk(), "/delete")),
    ("a reaction is chosen", || typed(alt(talk(), KeyCode::Up), "+tad")),
    ("who reacted", || {
        let mut script = typed(alt(alt(talk(), KeyCode::Up), KeyCode::Up), "w");
        answer(&mut script, 16);
        script
    }),
    ("a name is completed", || {
        let mut script = typed(afternoon(), "/j");
        script.press(KeyCode::Tab);
        script
    }),
    ("what was said before is searched", || typed(ctrl(after(afternoon(), "good night"), 'r'), "nig")),
    ("a wrong command", || after(afternoon(), "/jion #rust")),
    ("refused", || {
        let mut script = afternoon();
        script.effects.clear();
        script.write("/topic no more demos");
        script.press(KeyCode::Enter);
        for command in script.asked() {
            let why = Failure::new(ErrorCode::NotAllowed, "only operators may set the topic of #lobby");
            script.news(Update::Failed(Failure { re: command.request_id(), ..why }));
        }
        script
    }),
    ("many lines are written", || {
        let mut script = afternoon();
        for line in 1..=20 {
            script.write(&format!("line {line} of what is written"));
            script.key(KeyCode::Enter, KeyModifiers::ALT);
        }
        script
    }),
    ("code was pasted", || {
        let mut script = afternoon();
        script.feed(Happening::Paste("fn main() {\n    let x = 1;\n    println!(\"{x}\");\n}\n".to_owned()));
        script
    }),
    ("people", || after(afternoon(), "/names")),
    ("rooms", || after(afternoon(), "/list")),
    ("somebody", || after(afternoon(), "/whois bob")),
    ("decisions", || after(afternoon(), "/audit")),
    ("tickets", || after(afternoon(), "/tickets")),
    ("what the server counts", || after(afternoon(), "/stats")),
    ("the invite", || after(afternoon().hosting("parlor://10.0.0.5/#?p=amber-otter-river-stone"), "/invite")),
    ("links", || {
        let mut script = afternoon();
        script.says("#lobby", 9, "bob", "see https://www.unicode.org/reports/tr11/ and https://example.org");
        alt(script, KeyCode::Char('o'))
    }),
    ("a search begins", || ctrl(afternoon(), 's')),
    ("what was found", || {
        let mut script = typed(ctrl(afternoon(), 's'), "alice");
        script.pass(Duration::from_secs(1));
        answer(&mut script, 8);
        script
    }),
    ("mentions", || after(afternoon(), "/mentions")),
    ("a word to somebody alone", || after(afternoon(), "/msg bob do you have a minute?")),
    ("reading", || typed(esc(talk()), "kk")),
    ("reading and searching here", || typed(esc(talk()), "/build")),
    ("a thread", || {
        let mut script = typed(esc(talk()), "kkk");
        script.press(KeyCode::Enter);
        script
    }),
    ("the palette", || alt(afternoon(), KeyCode::Char('g'))),
    ("the palette finds", || typed(alt(afternoon(), KeyCode::Char('g')), "ru")),
    ("a list of commands", || typed(afternoon(), "/no")),
    ("a list of names", || typed(afternoon(), "well, @b")),
    ("themes", || after(afternoon(), "/theme")),
    ("settings", || after(afternoon(), "/set")),
    ("the first visit", || {
        let mut script = Script::new(120, 36);
        script.state.welcome = true;
        script.online();
        script.join("#lobby", 1, "", &["alice", "bob"]);
        script.says("#lobby", 1, "bob", "good morning");
        script
    }),
    ("too long", || {
        let mut script = afternoon();
        script.feed(Happening::Paste("long ".repeat(3400)));
        script.press(KeyCode::Char('e'));
        script
    }),
    ("long code is folded", || {
        let mut script = afternoon();
        let lines: Vec<String> = (1..=40).map(|line| format!("let x{line} = {line};")).collect();
        script.says("#lobby", 9, "bob", &format!("```rust\n{}\n```", lines.join("\n")));
        script
    }),
    ("leaving while others are here", || ctrl(afternoon().hosting("parlor://10.0.0.5/#"), 'c')),
];

#[test]
fn every_screen_at_four_sizes() {
    for (name, make) in PICTURES {
        let mut script = make();
        let mut all = String::new();
        for (columns, rows) in SIZES {
            script.resize(columns, rows);
            writeln!(all, "{columns} x {rows}\n{}", script.text()).unwrap();
        }
        insta::assert_snapshot!(name.replace(' ', "_"), all);
    }
}
