//! What is told of what happens, without a terminal and without a network.

use super::teller::{Answers, Teller};
use crate::client::link::Update;
use crate::client::tui::event::Event;
use crate::client::tui::script::{Script, entry, nick, person, presence};
use crate::client::tui::update;
use crate::protocol::event::{Entry, EntryKind, EntryText, Event as News};

/// What the lines of a script say.
struct Told {
    script: Script,
    teller: Teller,
}

impl Told {
    fn new() -> Self {
        Self { script: Script::new(80, 24), teller: Teller::new(false, false, Answers::Keys) }
    }

    /// Something happens, beside what the script does by itself.
    fn feed(&mut self, event: Event) {
        let before = self.teller.note(&self.script.state, &event);
        update(&mut self.script.state, event);
        self.teller.tell(&mut self.script.state, before);
    }

    fn hear(&mut self, news: News) {
        self.feed(Event::Link(Update::Event(news, bytes::Bytes::new())));
    }

    fn line(&mut self, line: &str) {
        self.feed(Event::Line(line.to_owned()));
    }

    /// What was printed since.
    fn lines(&mut self) -> String {
        self.teller.take().join("\n")
    }

    /// In the room #lobby, in which so much was said before.
    fn in_lobby(messages: u64) -> Self {
        let mut told = Self::new();
        told.script.online();
        told.script.join("#lobby", messages, "Friday: demo", &["alice", "bob"]);
        for seq in 1..=messages {
            told.hear(News::Entry(entry("#lobby", seq, "bob", &format!("message {seq}"))));
        }
        told.feed(Event::Focus(true));
        told
    }
}

fn about(kind: EntryKind, seq: u64, target: u64, from: &str, text: &str) -> Entry {
    let text = EntryText::from_stored(text);
    Entry { kind, target: Some(target), text, author: Some(7), ..entry("#lobby", seq, from, "") }
}

#[test]
fn who_comes_in_is_told_where_they_are_and_the_last_that_was_said() {
    let mut told = Told::in_lobby(23);
    let lines = told.lines();
    let shown: Vec<&str> = lines.lines().collect();
    insta::assert_snapshot!(shown[..8].join("\n"), @r#"
    * connected to den as alice
    * #lobby. Topic: Friday: demo
    * 3 earlier; /history shows more
    * Saturday 21 November
    11:02 bob: message 4
    bob: message 5
    bob: message 6
    bob: message 7
    "#);
    assert_eq!(shown.last(), Some(&"* 2 here: alice, bob"));
    told.feed(Event::Focus(true));
    assert_eq!(told.lines(), "", "and nothing is told twice");
}

#[test]
fn what_comes_is_told_once_with_the_time_where_the_minute_changed() {
    let mut told = Told::in_lobby(1);
    told.lines();
    told.hear(News::Entry(entry("#lobby", 2, "bob", "did it pass?\nthe build")));
    told.hear(News::Entry(entry("#lobby", 3, "carol", "alice: it did")));
    told.hear(News::Entry(Entry { reply_to: Some(2), ..entry("#lobby", 4, "carol", "yes") }));
    told.hear(News::Entry(Entry { action: true, ..entry("#lobby", 5, "bob", "cheers") }));
    told.hear(News::Entry(about(EntryKind::Edited, 6, 2, "bob", "did the build pass?")));
    told.hear(News::Entry(about(EntryKind::Reacted, 7, 4, "bob", "👍")));
    told.hear(News::Entry(Entry { off: true, ..about(EntryKind::Reacted, 8, 4, "bob", "👍") }));
    told.hear(News::Entry(about(EntryKind::Deleted, 9, 3, "bob", "")));
    told.hear(News::Entry(entry("#lobby", 10, "bob", "again")));
    told.hear(News::Entry(entry("#lobby", 10, "bob", "again")));
    insta::assert_snapshot!(told.lines(), @r#"
    bob: did it pass?
      the build
    carol names you: alice: it did
    carol: yes (answers bob: did it pass? …)
    * bob cheers
    * bob edited: did the build pass?
    * bob reacted 👍 to carol: yes
    * bob took 👍 back from carol: yes
    * bob deleted a message of carol
    bob: again
    "#);
}

#[test]
fn people_come_leave_and_are_away_in_words() {
    let mut told = Told::in_lobby(1);
    told.lines();
    let news = || {
        let mut news = presence("#lobby", &[]);
        news.people = None;
        news.here = 3;
        news
    };
    let mut came = news();
    came.joined = vec![person("carol")];
    told.hear(News::Presence(came));
    let mut away = news();
    away.joined = vec![person("bob")];
    away.joined[0].away = Some(crate::protocol::text::Line::lossy("lunch"));
    told.hear(News::Presence(away));
    let mut left = news();
    left.left = vec![nick("carol")];
    told.hear(News::Presence(left));
    told.line("/names");
    insta::assert_snapshot!(told.lines(), @r#"
    * carol came
    * bob is away: lunch
    * carol left
    * #lobby: 3 here
      alice
      bob (away: lunch)
      and 1 more
    "#);
}

#[test]
fn what_is_asked_and_answered_is_said_in_lines() {
    let mut told = Told::in_lobby(1);
    told.lines();
    told.line("/nonsense");
    told.line("/topic");
    told.line("/reply");
    told.line("exit");
    insta::assert_snapshot!(told.lines(), @r#"
    ! there is no command /nonsense: /help lists them all; to say it as it is, begin with //
    * topic of #lobby: Friday: demo
    * what you write next answers bob: message 1
    ! You wrote "exit": leave parlor? Enter: leave, s: say it, Esc: go back
    "#);
}

#[test]
fn history_goes_back_from_where_one_is() {
    let mut told = Told::in_lobby(25);
    told.lines();
    assert_eq!(told.teller.go_back(&told.script.state, 3), None, "it is here already");
    told.feed(Event::Focus(true));
    insta::assert_snapshot!(told.lines(), @r#"
    * Saturday 21 November
    #3 11:02 bob: message 3
    #4 11:02 bob: message 4
    #5 11:02 bob: message 5
    * end of the history that was asked for, 2 earlier
    "#);
    assert_eq!(told.teller.go_back(&told.script.state, 500), None);
    told.feed(Event::Focus(true));
    insta::assert_snapshot!(told.lines(), @r#"
    * Saturday 21 November
    #1 11:02 bob: message 1
    #2 11:02 bob: message 2
    * that is the beginning of #lobby
    "#);
}
