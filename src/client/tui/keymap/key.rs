//! One key with what is held down: as terminals tell it, as people call it, and as a settings file names it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with what must be held down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) code: KeyCode,
    pub(super) modifiers: KeyModifiers,
}

pub(super) const fn plain(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::NONE }
}
pub(super) const fn shift(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::SHIFT }
}
pub(super) const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}
pub(super) const fn ctrl_key(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::CONTROL }
}
pub(super) const fn alt(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::ALT }
}
pub(super) const fn alt_shift(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::ALT.union(KeyModifiers::SHIFT) }
}
pub(super) const fn alt_key(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::ALT }
}

/// What can be held down, and the words for it in a settings file.
const HELD: [(KeyModifiers, &[&str]); 3] = [
    (KeyModifiers::CONTROL, &["ctrl", "control", "c"]),
    (KeyModifiers::ALT, &["alt", "meta", "m", "a"]),
    (KeyModifiers::SHIFT, &["shift", "s"]),
];

/// Keys that write nothing, by the words for them in a settings file; the first is the one that is written.
const NAMED: [(KeyCode, &[&str]); 15] = [
    (KeyCode::Enter, &["enter", "return"]),
    (KeyCode::Esc, &["esc", "escape"]),
    (KeyCode::Tab, &["tab"]),
    (KeyCode::BackTab, &["backtab"]),
    (KeyCode::Backspace, &["backspace"]),
    (KeyCode::Delete, &["delete", "del"]),
    (KeyCode::Insert, &["insert", "ins"]),
    (KeyCode::Home, &["home"]),
    (KeyCode::End, &["end"]),
    (KeyCode::PageUp, &["pgup", "pageup", "page-up"]),
    (KeyCode::PageDown, &["pgdn", "pgdown", "pagedown", "page-down"]),
    (KeyCode::Up, &["up", "↑"]),
    (KeyCode::Down, &["down", "↓"]),
    (KeyCode::Left, &["left", "←"]),
    (KeyCode::Right, &["right", "→"]),
];

/// The highest function key that keyboards have.
const LAST_F: u8 = 24;

impl Key {
    /// The key of an event, with what terminals tell in different ways made one.
    pub(crate) fn of(event: &KeyEvent) -> Self {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        if let KeyCode::Char(c) = code {
            // A capital is a character of its own; with Ctrl or Alt it is the same key.
            modifiers -= KeyModifiers::SHIFT;
            if !modifiers.is_empty() {
                code = KeyCode::Char(as_control(c.to_ascii_lowercase(), modifiers));
            }
        }
        if code == KeyCode::BackTab {
            modifiers = KeyModifiers::NONE;
        }
        Self { code, modifiers }
    }

    /// As people call it.
    pub(crate) fn name(self) -> String {
        let mut name = String::new();
        for (modifier, said) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                name.push_str(said);
            }
        }
        match self.code {
            KeyCode::Char(' ') => name.push_str("Space"),
            KeyCode::Char(c) => name.extend(c.to_uppercase()),
            KeyCode::F(number) => name.push_str(&format!("F{number}")),
            KeyCode::Left => name.push('←'),
            KeyCode::Right => name.push('→'),
            KeyCode::Up => name.push('↑'),
            KeyCode::Down => name.push('↓'),
            KeyCode::PageUp => name.push_str("PgUp"),
            KeyCode::PageDown => name.push_str("PgDn"),
            KeyCode::BackTab => name.push_str("Shift-Tab"),
            other => name.push_str(&other.to_string()),
        }
        name
    }

    /// As people call it where letters are pressed alone: there a capital is another key.
    pub(crate) fn letter_name(self) -> String {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() && c != ' ' => c.to_string(),
            _ => self.name(),
        }
    }

    /// As a settings file names it: [`Key::read`] understands that.
    pub(crate) fn written(self) -> String {
        let mut written = String::new();
        for (modifier, words) in HELD {
            if self.modifiers.contains(modifier) {
                written.extend(words.first().copied());
                written.push('-');
            }
        }
        match self.code {
            KeyCode::Char(' ') => written.push_str("space"),
            KeyCode::Char(c) => written.push(c),
            KeyCode::F(number) => written.push_str(&format!("f{number}")),
            KeyCode::BackTab => written.push_str("shift-tab"),
            code => {
                let named = NAMED.iter().find(|(known, _)| *known == code);
                written.extend(named.and_then(|(_, words)| words.first()).copied());
            }
        }
        written
    }

    /// The key that a settings file names: `ctrl-x`, `C-x`, `Alt+G`, `f4`, `pgup`, `space`.
    ///
    /// # Errors
    /// A sentence that says what to do, for what is no key or cannot be told from another.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        let mut rest = typed;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((modifier, behind)) = held(rest) {
            modifiers |= modifier;
            rest = behind;
        }
        let code = code(rest).ok_or_else(|| {
            "this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on".to_owned()
        })?;
        Self { code, modifiers }.that_can_be_told()
    }

    /// This key as it arrives, if terminals tell it from others.
    fn that_can_be_told(mut self) -> Result<Self, String> {
        let other = |is: &str| Err(format!("to most terminals this is {is}: name that, or another key"));
        if self.code == KeyCode::Tab && self.modifiers == KeyModifiers::SHIFT {
            return Ok(plain(KeyCode::BackTab));
        }
        if self.code == KeyCode::BackTab {
            return Ok(plain(KeyCode::BackTab));
        }
        let KeyCode::Char(c) = self.code else { return Ok(self) };
        let (with_ctrl, with_alt) =
            (self.modifiers.contains(KeyModifiers::CONTROL), self.modifiers.contains(KeyModifiers::ALT));
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            if with_ctrl || with_alt {
                return other("the same key without shift");
            }
            if !c.is_alphabetic() {
                return Err(
                    "what shift makes of this key depends on the keyboard: name the sign itself".to_owned()
                );
            }
            let capital = c.to_uppercase().next().unwrap_or(c);
            return Ok(plain(KeyCode::Char(capital)));
        }
        if with_ctrl || with_alt {
            self.code = KeyCode::Char(c.to_ascii_lowercase());
        }
        if !with_ctrl {
            return Ok(self);
        }
        match c.to_ascii_lowercase() {
            'i' => other("tab"),
            'm' => other("enter"),
            '[' | '3' => other("esc"),
            '8' | '?' => other("backspace"),
            '2' | '@' => other("ctrl-space"),
            'c' if !with_alt => {
                Err("ctrl-c always throws the input away and leaves: choose another key".to_owned())
            }
            c @ ('a'..='z' | ' ' | '_' | '/' | '\\' | ']' | '^' | '4'..='7') => {
                self.code = KeyCode::Char(as_control(c, self.modifiers));
                Ok(self)
            }
            _ => Err("most terminals do not tell this key with ctrl: choose a letter".to_owned()),
        }
    }

    /// Whether it writes a character where one writes.
    pub(crate) fn writes(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }
}

/// The four control characters behind Esc have no letter, and are told by whichever other key makes them.
fn as_control(c: char, modifiers: KeyModifiers) -> char {
    match c {
        _ if !modifiers.contains(KeyModifiers::CONTROL) => c,
        '4' => '\\',
        '5' => ']',
        '6' => '^',
        '7' | '/' => '_',
        c => c,
    }
}

/// What is held down by the first word of a key, and what follows that.
fn held(typed: &str) -> Option<(KeyModifiers, &str)> {
    let end = typed.find(['-', '+'])?;
    let (word, rest) = typed.split_at_checked(end)?;
    let rest = rest.get(1..).filter(|rest| !rest.is_empty())?;
    let word = word.to_lowercase();
    let (modifier, _) = HELD.iter().find(|(_, words)| words.contains(&word.as_str()))?;
    Some((*modifier, rest))
}

fn code(word: &str) -> Option<KeyCode> {
    let mut chars = word.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        let arrow = NAMED.iter().find(|(_, words)| words.contains(&word));
        let shown = !c.is_control() && !c.is_whitespace();
        return arrow.map(|(code, _)| *code).or(shown.then_some(KeyCode::Char(c)));
    }
    let word = word.to_lowercase();
    if word == "space" {
        return Some(KeyCode::Char(' '));
    }
    if let Some(number) = word.strip_prefix('f').and_then(|number| number.parse::<u8>().ok()) {
        return (1..=LAST_F).contains(&number).then_some(KeyCode::F(number));
    }
    NAMED.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_named_in_many_ways() {
        for (typed, key) in [
            ("ctrl-x", ctrl('x')),
            ("C-X", ctrl('x')),
            ("Control+x", ctrl('x')),
            ("alt+G", alt('g')),
            ("M-g", alt('g')),
            ("alt--", alt('-')),
            ("alt-+", alt('+')),
            ("-", plain(KeyCode::Char('-'))),
            ("f4", plain(KeyCode::F(4))),
            ("F12", plain(KeyCode::F(12))),
            ("f", plain(KeyCode::Char('f'))),
            ("PgUp", plain(KeyCode::PageUp)),
            ("alt-page-down", alt_key(KeyCode::PageDown)),
            ("space", plain(KeyCode::Char(' '))),
            ("ctrl-space", ctrl(' ')),
            ("ctrl-/", ctrl('_')),
            ("ctrl-7", ctrl('_')),
            ("shift-tab", plain(KeyCode::BackTab)),
            ("Alt-←", alt_key(KeyCode::Left)),
            ("G", plain(KeyCode::Char('G'))),
            ("shift-g", plain(KeyCode::Char('G'))),
            ("ü", plain(KeyCode::Char('ü'))),
        ] {
            assert_eq!(Key::read(typed), Ok(key), "{typed}");
        }
    }

    #[test]
    fn what_terminals_cannot_tell_is_refused_in_words() {
        let refused = |typed: &str| Key::read(typed).unwrap_err();
        insta::assert_snapshot!([
            refused("ctrl-i"), refused("C-m"), refused("ctrl-["), refused("ctrl-shift-a"), refused("shift-1"),
            refused("ctrl-ü"), refused("ctrl-9"), refused("ctrl-c"), refused("hyper-x"), refused(""),
            refused("f99"), refused("ctrl-"),
        ].join("\n"), @r"
        to most terminals this is tab: name that, or another key
        to most terminals this is enter: name that, or another key
        to most terminals this is esc: name that, or another key
        to most terminals this is the same key without shift: name that, or another key
        what shift makes of this key depends on the keyboard: name the sign itself
        most terminals do not tell this key with ctrl: choose a letter
        most terminals do not tell this key with ctrl: choose a letter
        ctrl-c always throws the input away and leaves: choose another key
        this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on
        this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on
        this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on
        this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on
        ");
    }

    proptest! {
        #[test]
        fn whatever_is_a_key_is_written_so_that_it_is_read_again(typed in "((ctrl|alt|shift|C|M)[-+])?(\\PC|f[0-9]{1,2}|pgup|esc|space|\\PC{0,6})") {
            if let Ok(key) = Key::read(&typed) {
                prop_assert_eq!(Key::read(&key.written()), Ok(key));
            }
        }
    }
}
