//! The commands about company: speaking with some alone, being away, and what one wants to hear of.

use super::{Completes, Entry, Slash, nick};
use crate::client::tui::known_rooms::Rule;
use crate::protocol::limits::{AWAY_BYTES, DIRECT_PEOPLE};
use crate::protocol::name::Nick;
use crate::protocol::text::{Line, Text};

/// A command about company, understood. Without what is to be set it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Company {
    /// To say this to these people alone, or only to turn to them.
    Message(Vec<Nick>, Option<Text>),
    /// To close the room that is only for these people.
    Close(Vec<Nick>),
    /// `None`: back again.
    Away(Option<Line>),
    Highlight(Option<(String, bool)>),
    ShowNotices,
    Notify(Rule),
    Desktop(bool),
    Typing(Option<bool>),
    Noise(Option<bool>),
}

const SWITCH: Completes = Completes::Words(&["on", "off"]);

/// The table, in the order in which the help shows it.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        name: "msg",
        short: &["m", "dm", "query", "q", "pm", "whisper", "w"],
        arguments: "NAME[,NAME] [TEXT]",
        help: "say something to somebody alone, or to a few; without TEXT, turn to them. To yourself: notes",
        completes: Completes::People,
        parse: |rest| {
            let (with, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let with = people(with, "/msg bob good morning")?;
            let text = (!text.trim().is_empty()).then(|| Text::new(text)).transpose();
            Ok(Slash::Company(Company::Message(with, text.map_err(|error| error.to_string())?)))
        },
    },
    Entry {
        name: "away",
        short: &[],
        arguments: "[WHY]",
        help: "tell others that you are away, until /back",
        completes: Completes::Names,
        parse: |rest| {
            let why = Line::new(rest).map_err(|error| error.to_string())?;
            if why.as_str().len() > AWAY_BYTES {
                return Err(format!("say it in at most {AWAY_BYTES} bytes: /away lunch"));
            }
            Ok(Slash::Company(Company::Away(Some(why))))
        },
    },
    Entry {
        name: "back",
        short: &[],
        arguments: "",
        help: "tell them that you are here again",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Company(Company::Away(None))),
    },
    Entry {
        name: "notify",
        short: &[],
        arguments: "[WHAT]",
        help: "what this room rings for: all, mentions or nothing, which mutes it; desktop on or off: whether the desktop is told too. Alone, show it",
        completes: Completes::Words(&["all", "mentions", "nothing", "desktop"]),
        parse: |rest| {
            let words: Vec<&str> = rest.split_whitespace().collect();
            Ok(Slash::Company(match words.as_slice() {
                [] => Company::ShowNotices,
                ["all"] => Company::Notify(Rule::All),
                ["mentions"] => Company::Notify(Rule::Mentions),
                ["nothing"] => Company::Notify(Rule::Nothing),
                ["desktop", "on"] => Company::Desktop(true),
                ["desktop", "off"] => Company::Desktop(false),
                _ => return Err("say what rings: /notify all, /notify mentions or /notify nothing; /notify desktop off keeps the desktop out of it".to_owned()),
            }))
        },
    },
    Entry {
        name: "highlight",
        short: &["hl"],
        arguments: "[WORD|-WORD]",
        help: "a word that counts as your name, or does not any more; alone, show them",
        completes: Completes::Names,
        parse: |rest| {
            let word = match rest {
                "" => None,
                word if word.contains(char::is_whitespace) => {
                    return Err("one word at a time: /highlight ferris".to_owned());
                }
                "-" => return Err("say which word: /highlight -ferris".to_owned()),
                word => Some(match word.strip_prefix('-') {
                    Some(word) => (word.to_owned(), false),
                    None => (word.to_owned(), true),
                }),
            };
            Ok(Slash::Company(Company::Highlight(word)))
        },
    },
    Entry {
        name: "typing",
        short: &[],
        arguments: "[on|off]",
        help: "whether others see that you are typing",
        completes: SWITCH,
        parse: |rest| Ok(Slash::Company(Company::Typing(switch(rest, "/typing off")?))),
    },
    Entry {
        name: "noise",
        short: &[],
        arguments: "[on|off]",
        help: "whether you see who comes and leaves",
        completes: SWITCH,
        parse: |rest| Ok(Slash::Company(Company::Noise(switch(rest, "/noise off")?))),
    },
];

/// Names with commas between them.
pub(super) fn people(typed: &str, example: &str) -> Result<Vec<Nick>, String> {
    let names: Vec<&str> = typed.split(',').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(format!("say whom you mean: {example}"));
    }
    if names.len() >= DIRECT_PEOPLE {
        return Err(format!(
            "at most {DIRECT_PEOPLE} can speak alone, you among them: more need a room, /join #NAME makes one"
        ));
    }
    names.into_iter().map(nick).collect()
}

fn switch(typed: &str, example: &str) -> Result<Option<bool>, String> {
    match typed {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        _ => Err(format!("on or off: {example}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::client::tui::script::nick;
    use crate::client::tui::slash::{Input, parse};

    use super::*;

    fn read(text: &str) -> Company {
        match parse(text).unwrap() {
            Input::Command(Slash::Company(company)) => company,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn people_are_spoken_to_by_many_words() {
        let hi = Some(Text::new("hi  there").unwrap());
        for text in ["/msg bob hi  there", "/m @bob hi  there", "/DM bob\nhi  there", "/w bob, hi  there"] {
            assert_eq!(read(text), Company::Message(vec![nick("bob")], hi.clone()), "{text}");
        }
        assert_eq!(read("/q bob,@carol"), Company::Message(vec![nick("bob"), nick("carol")], None));
        assert_eq!(read("/part @bob"), Company::Close(vec![nick("bob")]));
        assert!(parse("/msg").unwrap_err().contains("/msg bob"));
        let many: Vec<String> = (0..DIRECT_PEOPLE).map(|number| format!("n{number}")).collect();
        assert!(parse(&format!("/msg {} hi", many.join(","))).is_err());
    }

    #[test]
    fn what_is_heard_is_set_by_words() {
        assert_eq!(read("/notify all"), Company::Notify(Rule::All));
        assert_eq!(read("/notify desktop  off"), Company::Desktop(false));
        assert_eq!(read("/highlight -ferris"), Company::Highlight(Some(("ferris".to_owned(), false))));
        assert_eq!(read("/typing"), Company::Typing(None));
        assert_eq!(read("/away"), Company::Away(Some(Line::default())));
        assert_eq!(read("/back"), Company::Away(None));
        for text in ["/notify loud", "/highlight a b", "/highlight -", "/noise maybe"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("/away {}", "x".repeat(AWAY_BYTES + 1))).is_err());
    }
}
