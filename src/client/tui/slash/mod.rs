//! Commands: what a line that begins with `/` means.
//!
//! Tables, from which lines are parsed, names completed and the help is made: `talk` for everyone's every day,
//! `change` for what becomes of messages, `company` for whom one hears and speaks with, `setting` for how it all looks,
//! `order` for those who look after the parlor.

mod change;
mod company;
mod moving;
pub(crate) mod order;
mod secret;
mod setting;
mod talk;

pub(crate) use self::change::Change;
pub(crate) use self::company::Company;
pub(crate) use self::moving::{Step, Which};
pub(crate) use self::order::Order;
pub(crate) use self::secret::is_secret;
pub(crate) use self::setting::Set;
use super::near;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::Passphrase;
use crate::protocol::text::{Line, Text};

/// A command, understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slash {
    Join(RoomName, Option<Passphrase>),
    /// The room in sight, if none is named.
    Part(Option<RoomName>),
    ShowTopic,
    Topic(Line),
    /// Of the room in sight, or of the one named.
    Names(Option<RoomName>),
    /// What time it is in the parlor.
    Time,
    /// The message of the day.
    Motd,
    List,
    ShowNick,
    Nick(Nick),
    Me(Text),
    /// How others join the room in sight, or the one named.
    Invite(Option<RoomName>),
    Whois(Nick),
    /// Words and filters; empty shows the last search.
    Search(String),
    Mentions,
    Goto(Target),
    /// Pins, or unpins.
    Pin(Which, bool),
    /// Moves the room in sight.
    Move(Step),
    Order(Order),
    Company(Company),
    Change(Change),
    Set(Set),
    Audit,
    Stats,
    Tickets,
    Help,
    /// `None`: show which there are.
    Theme(Option<String>),
    Clear,
    /// Opens an editor, with this text in it.
    Editor(String),
    /// Who has the mouse; `None` shows it.
    Mouse(Option<bool>),
    /// Opens or folds a long message.
    Fold,
    Quit,
}

/// Where to go in the room in sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    First,
    Last,
    /// The entry with this `seq`.
    Entry(u64),
    /// A day, a time, or both: what it means depends on when and where it is asked.
    Moment(String),
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Other words for the same.
    pub(crate) short: &'static [&'static str],
    pub(crate) arguments: &'static str,
    pub(crate) help: &'static str,
    /// What Tab makes of the word behind it.
    pub(crate) completes: Completes,
    parse: fn(&str) -> Result<Slash, String>,
}

/// What stands behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completes {
    /// Who is here; also where nothing in particular is expected.
    Names,
    Rooms,
    /// People, with commas between them.
    People,
    /// Emoji, by their names.
    Emoji,
    /// A setting, and behind it what it can be set to.
    Settings,
    /// Themes, by their names.
    Themes,
    /// One of these.
    Words(&'static [&'static str]),
}

/// The tables, as the help shows them: its heading for each.
pub(crate) const TABLES: [(&str, &[Entry]); 5] = [
    ("Commands", talk::COMMANDS),
    ("About a message: the chosen one, or the latest", change::COMMANDS),
    ("Company", company::COMMANDS),
    ("Keeping order", order::COMMANDS),
    ("Settings", setting::COMMANDS),
];

/// Every command.
pub(crate) fn commands() -> impl Iterator<Item = &'static Entry> {
    TABLES.into_iter().flat_map(|(_, commands)| commands)
}

/// The command of this name, or of this short form.
pub(crate) fn command(word: &str) -> Option<&'static Entry> {
    commands().find(|entry| entry.name == word || entry.short.contains(&word))
}

fn room_name(typed: &str) -> Result<RoomName, String> {
    RoomName::typed(typed).map_err(|error| error.to_string())
}

/// A nick, with or without the `@` that completion leaves there. With it even `10.0.0.5` is a name.
fn nick(typed: &str) -> Result<Nick, String> {
    Nick::new(typed.strip_prefix('@').unwrap_or(typed)).map_err(|error| error.to_string())
}

/// What a written text is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input<'a> {
    /// To be said as it is.
    Text(&'a str),
    Command(Slash),
}

/// Tells commands from what is to be said. `//` at the beginning stands for a `/` to be said.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) fn parse(text: &str) -> Result<Input<'_>, String> {
    let Some(line) = text.strip_prefix('/') else { return Ok(Input::Text(text)) };
    if line.starts_with('/') {
        return Ok(Input::Text(line));
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = word.to_lowercase();
    if let Some(entry) = command(&word) {
        return (entry.parse)(rest.trim()).map(Input::Command);
    }
    let shown = super::wrap::truncate(&word, 20);
    Err(match nearest(&word) {
        Some(name) => format!("there is no command /{shown}: did you mean /{name}?"),
        None => {
            format!("there is no command /{shown}: /help lists them all; to say it as it is, begin with //")
        }
    })
}

/// The command whose name is most like `word`, if any is like it at all.
pub(crate) fn nearest(word: &str) -> Option<&'static str> {
    near::nearest(word, commands().flat_map(|entry| std::iter::once(&entry.name).chain(entry.short)).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Slash {
        match parse(text).unwrap() {
            Input::Command(slash) => slash,
            Input::Text(text) => panic!("{text}"),
        }
    }

    #[test]
    fn commands_and_their_short_forms() {
        let rust = RoomName::new("#rust").unwrap();
        for text in ["/join #rust", "/j rust", "/JOIN  #Rust ", "/j\n#rust"] {
            assert_eq!(read(text), Slash::Join(rust.clone(), None), "{text}");
        }
        assert_eq!(read("/leave"), Slash::Part(None));
        assert_eq!(read("/t Friday: demo"), Slash::Topic(Line::lossy("Friday: demo")));
        assert_eq!(read("/topic -"), Slash::Topic(Line::default()));
        assert_eq!(read("/me waves\nand bows"), Slash::Me(Text::new("waves\nand bows").unwrap()));
        assert_eq!(read("/exit"), Slash::Quit);
    }

    #[test]
    fn a_slash_can_be_said() {
        assert_eq!(parse("//etc/hosts"), Ok(Input::Text("/etc/hosts")));
        assert_eq!(parse("and/or"), Ok(Input::Text("and/or")));
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let wrong = |text| parse(text).unwrap_err();
        insta::assert_snapshot!([
            wrong("/jion #rust"), wrong("/quti"), wrong("/xyzzy"), wrong("/"), wrong("/join"),
            wrong("/join #a b"), wrong("/nick bob smith"), wrong("/nick -x"), wrong("/me"), wrong("/he"),
            wrong("/win 2"), wrong("/x"),
        ].join("\n"), @r"
        there is no command /jion: did you mean /join?
        there is no command /quti: did you mean /quit?
        there is no command /xyzzy: /help lists them all; to say it as it is, begin with //
        there is no command /: /help lists them all; to say it as it is, begin with //
        say which room: /join #rust
        a space cannot be part of a name: what follows is taken for the passphrase of #a, and a passphrase has at least 8 characters: several words are best
        a space cannot be part of a name: use letters, digits, - _ and .
        a name starts with a letter or a digit, not with '-'
        say what you do: /me waves
        there is no command /he: did you mean /help?
        there is no command /win: /help lists them all; to say it as it is, begin with //
        there is no command /x: /help lists them all; to say it as it is, begin with //
        ");
    }

    #[test]
    fn every_word_is_one_command() {
        let words: Vec<&str> =
            commands().flat_map(|entry| entry.short.iter().chain([&entry.name])).copied().collect();
        for (place, word) in words.iter().enumerate() {
            assert!(!words[..place].contains(word), "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_understood_or_refused_in_words(text in "/?\\PC{0,40}") {
            if let Err(sentence) = parse(&text) {
                prop_assert!(!sentence.is_empty());
            }
        }
    }
}
