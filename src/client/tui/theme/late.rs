//! What the terminal answers when we have stopped waiting: it comes among the keys, as if somebody had typed it.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::detect::Answer;
use super::file::Background;

/// Keys of an answer, which is `ESC ] 11 ; rgb: ffff / ffff / ffff` and an end: more is none.
const LONGEST: usize = 40;

/// Takes the answer out of the keys.
#[derive(Debug, Default)]
pub(in crate::client::tui) struct Late {
    awaited: bool,
    /// What may be a part of it.
    held: Vec<Event>,
}

impl Late {
    /// Waits for the answer if it has not come yet.
    pub(in crate::client::tui) fn after(answer: Answer) -> Self {
        Self { awaited: answer == Answer::NotYet, held: Vec::new() }
    }

    /// The keys without the answer, and what it says once all of it is here. What begins like the answer is held until
    /// the next key says whether it is.
    pub(in crate::client::tui) fn sort(&mut self, inputs: Vec<Event>) -> (Vec<Event>, Option<Background>) {
        if !self.awaited {
            return (inputs, None);
        }
        let (mut others, mut told) = (Vec::new(), None);
        for input in inputs {
            let fits = self.fits(&input);
            match fits {
                Fits::Part => self.held.push(input),
                Fits::End => {
                    told = told.or(self.said());
                    self.awaited = false;
                    self.held.clear();
                }
                Fits::Not => {
                    others.append(&mut self.held);
                    others.push(input);
                }
            }
        }
        (others, told)
    }

    fn fits(&self, input: &Event) -> Fits {
        let Event::Key(KeyEvent { code: KeyCode::Char(c), modifiers, .. }) = input else { return Fits::Not };
        let alt = modifiers.contains(KeyModifiers::ALT);
        match (self.held.len(), *c) {
            (0, ']') if alt && self.awaited => Fits::Part,
            (0, _) | (LONGEST.., _) => Fits::Not,
            // BEL, or `ESC \`.
            (_, 'g') if *modifiers == KeyModifiers::CONTROL => Fits::End,
            (_, '\\') if alt => Fits::End,
            (_, c) if (c.is_ascii_hexdigit() || ";:/rgba".contains(c)) && !alt => Fits::Part,
            _ => Fits::Not,
        }
    }

    /// What the answer says.
    fn said(&self) -> Option<Background> {
        let chars = self.held.iter().skip(1).filter_map(|input| match input {
            Event::Key(KeyEvent { code: KeyCode::Char(c), .. }) => Some(*c),
            _ => None,
        });
        let text: String = chars.collect();
        let channels = text.strip_prefix("11;rgb:")?.split('/').map(|digits| {
            let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok()?)?.checked_sub(1)?;
            Some(f64::from(u32::from_str_radix(digits, 16).ok()?) / f64::from(most.max(1)))
        });
        let [red, green, blue] = channels.collect::<Option<Vec<f64>>>()?.try_into().ok()?;
        // By how bright screens make them: a ground is seldom so near to the middle that it matters how it is reckoned.
        let light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5;
        Some(if light { Background::Light } else { Background::Dark })
    }
}

enum Fits {
    Part,
    End,
    Not,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What crossterm makes of bytes: `^` stands for ESC, `@` for BEL.
    fn keys(text: &str) -> Vec<Event> {
        let (mut keys, mut alt) = (Vec::new(), KeyModifiers::NONE);
        for c in text.chars() {
            let (code, modifiers) = match c {
                '^' => {
                    alt = KeyModifiers::ALT;
                    continue;
                }
                '@' => (KeyCode::Char('g'), KeyModifiers::CONTROL),
                c => (KeyCode::Char(c), alt),
            };
            alt = KeyModifiers::NONE;
            keys.push(Event::Key(KeyEvent::new(code, modifiers)));
        }
        keys
    }

    #[test]
    fn the_answer_is_taken_out_wherever_it_is_cut() {
        let typed = "ab^]11;rgb:ffff/fFfF/ffff^\\cd";
        for cut in (0..typed.len()).filter(|cut| !matches!(cut, 3 | 26)) {
            let mut late = Late::after(Answer::NotYet);
            let (mut others, first) = late.sort(keys(&typed[..cut]));
            let (more, second) = late.sort(keys(&typed[cut..]));
            others.extend(more);
            assert_eq!(others, keys("abcd"), "{cut}");
            assert_eq!(first.or(second), Some(Background::Light), "{cut}");
        }
        let mut late = Late::after(Answer::NotYet);
        assert_eq!(late.sort(keys("^]11;rgb:1e/1e/2e@")), (vec![], Some(Background::Dark)));
    }

    #[test]
    fn what_is_no_answer_stays() {
        for text in ["^]x", "^]11;rgb:ff/ffz", "]11;rgb:ffff/ffff/ffff@", "^]^]hello"] {
            let mut late = Late::after(Answer::NotYet);
            let (others, told) = late.sort(keys(text));
            assert_eq!((others, told), (keys(text), None), "{text}");
        }
        let mut late = Late::after(Answer::NotYet);
        let long = format!("^]{}", "1".repeat(LONGEST + 9));
        assert_eq!(late.sort(keys(&long)).0, keys(&long));
        // An answer that says nothing that can be understood is not text either.
        for text in ["^]11;rgb:/@", "^]11;@", "^]11;rgb:fffffffff/0/0@"] {
            assert_eq!(Late::after(Answer::NotYet).sort(keys(text)), (vec![], None), "{text}");
        }
        assert_eq!(Late::after(Answer::Nothing).sort(keys("^]11;")).0, keys("^]11;"));
    }
}
