//! Anything at all, in any order and at any size: nothing falls over, and the frame stays straight.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;

use crate::client::link::Update;
use crate::client::tui::Event as Happening;
use crate::client::tui::script::{Script, change, entry, nick, presence, room_name};
use crate::client::tui::view::panes;
use crate::client::tui::wrap::tests::odd_text;
use crate::protocol::command::Command;
use crate::protocol::event::{
    Audit, Called, Decision, Entry, EntryKind, ErrorCode, Event, Failure, Found, Gap, Hit, Okay, Page,
    ReadUpTo, RoomInfo, Stats, Typing, Whois,
};
use crate::protocol::hex::Hex;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;

#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, KeyModifiers),
    Write(String),
    Paste(String),
    Wheel(isize),
    Size(u16, u16),
    Focus(bool),
    Says(bool, String),
    Gap(u64),
    /// Somebody does something with an entry that is so far back.
    Changes(bool, u64, u8),
    /// An answer to one that is so far back.
    Answers(u64),
    Refuse,
    Answer,
    Direct(u64, u64),
    Read(u64),
    Types(u8),
    Moves(u8, bool, usize),
    Break,
    Return,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    use KeyCode as K;
    let codes = prop::sample::select(vec![
        K::Enter,
        K::Tab,
        K::BackTab,
        K::Esc,
        K::Up,
        K::Down,
        K::Left,
        K::Right,
        K::Home,
        K::End,
        K::PageUp,
        K::PageDown,
        K::Backspace,
        K::Delete,
        K::F(1),
        K::F(2),
        K::F(3),
    ]);
    let letters = prop::sample::select("abdefhjklnoprstuwy_1290".chars().collect::<Vec<_>>());
    let modifiers = prop::sample::select(vec![KeyModifiers::NONE, KeyModifiers::ALT, KeyModifiers::CONTROL]);
    let held = prop::sample::select(vec![KeyModifiers::ALT, KeyModifiers::CONTROL]);
    prop_oneof![
        4 => (codes, modifiers).prop_map(|(code, modifiers)| Step::Key(code, modifiers)),
        3 => (letters, held).prop_map(|(letter, held)| Step::Key(K::Char(letter), held)),
        2 => "[a-z ]{1,8}|/(join|part|topic|names|list|clear|me|nick|msg|away|back|notify|highlight|typing|noise|invite|whois|audit|stats|kick|mute|ban|private|topic-lock|reply|edit|delete|react) ?#?[a-c]{0,2}|b|/(search|mentions|goto|go) ?(alice|from:bob|in:@bob|first|last|yesterday|11:0[0-9]|#[0-9]{1,4})?".prop_map(Step::Write),
        1 => odd_text().prop_map(Step::Paste),
        1 => (-40_isize..40).prop_map(Step::Wheel),
        2 => (1_u16..130, 1_u16..40).prop_map(|(columns, rows)| Step::Size(columns, rows)),
        1 => any::<bool>().prop_map(Step::Focus),
        6 => (any::<bool>(), odd_text()).prop_map(|(own, text)| Step::Says(own, text)),
        1 => (1_u64..2000).prop_map(Step::Gap),
        4 => (any::<bool>(), 0_u64..20, 0_u8..5).prop_map(|(own, back, what)| Step::Changes(own, back, what)),
        2 => (0_u64..3000).prop_map(Step::Answers),
        4 => prop::sample::select(vec![K::Up, K::Down]).prop_map(|code| Step::Key(code, KeyModifiers::ALT)),
        4 => "[re+wdyb6]".prop_map(Step::Write),
        1 => Just(Step::Refuse),
        2 => Just(Step::Answer),
        1 => (2_u64..6, 0_u64..4).prop_map(|(other, last)| Step::Direct(other, last)),
        1 => (0_u64..3000).prop_map(Step::Read),
        1 => any::<u8>().prop_map(Step::Types),
        1 => (any::<u8>(), any::<bool>(), 0_usize..60).prop_map(|(who, came, here)| Step::Moves(who, came, here)),
        1 => Just(Step::Break),
        1 => Just(Step::Return),
        1 => (0_u64..20_000).prop_map(Step::Pass),
    ]
}

fn take(script: &mut Script, step: Step, last: &mut u64) {
    match step {
        Step::Key(code, modifiers) => script.key(code, modifiers),
        Step::Write(text) => script.write(&text),
        Step::Paste(text) => script.feed(Happening::Paste(text)),
        Step::Wheel(rows) => script.feed(Happening::Wheel(rows)),
        Step::Size(columns, rows) => script.resize(columns, rows),
        Step::Focus(focused) => script.feed(Happening::Focus(focused)),
        Step::Says(own, text) => {
            *last += 1;
            script.says("#a", *last, if own { "alice" } else { "bob" }, &format!("alice {text}"));
        }
        Step::Changes(own, back, what) => {
            *last += 1;
            let (kind, text) = match what {
                0 => (EntryKind::Deleted, ""),
                1 => (EntryKind::Edited, "changed: 你好\n👩‍👩‍👧"),
                2 => (EntryKind::Reacted, "❤️"),
                _ => (EntryKind::Reacted, "👍"),
            };
            let who = if own { ("alice", 1) } else { ("bob", 2) };
            let mut entry = change("#a", *last, who, kind, last.saturating_sub(back), text);
            entry.off = what == 4;
            script.entry(entry);
        }
        Step::Answers(back) => {
            *last += 1;
            let mut entry = entry("#a", *last, "alice", "an answer");
            (entry.author, entry.reply_to) = (Some(1), Some(last.saturating_sub(back)));
            script.entry(entry);
        }
        Step::Refuse => {
            for command in script.asked() {
                let why = Failure::new(ErrorCode::NotAllowed, "that may not be");
                script.news(Update::Failed(Failure { re: command.request_id(), ..why }));
            }
        }
        Step::Gap(many) => {
            script.gap("#a", *last + 1, *last + many);
            *last += many;
        }
        Step::Answer => {
            for command in script.asked() {
                let seq = command.adds_to().map(|_| *last);
                let okay = Okay { re: command.request_id(), seq, ..Okay::default() };
                match &command {
                    Command::Whois(asked) => {
                        let keys = vec![Hex([7; 32])];
                        let names = vec![nick("bob"), nick("李雷")];
                        let (here, guest, role) = (true, false, None);
                        let (re, nick, addresses) = (okay.re, asked.nick.clone(), Vec::new());
                        script.hear(Event::Whois(Whois {
                            re,
                            nick,
                            here,
                            guest,
                            role,
                            away: None,
                            keys,
                            names,
                            addresses,
                        }));
                    }
                    Command::Stats(_) => {
                        let stats = Stats { re: okay.re, lagged: *last, ..Stats::default() };
                        script.hear(Event::Stats(Box::new(stats)));
                    }
                    Command::Audit(asked) => {
                        let newest = asked.before.unwrap_or(40);
                        let decisions = (newest.saturating_sub(9)..newest).rev().map(|number| Decision {
                            number,
                            at: script.now.time,
                            by: Line::lossy("alice"),
                            act: Line::lossy("ban"),
                            subject: Line::lossy("李雷"),
                            particulars: Line::lossy("flooding 你好，世界"),
                        });
                        let decisions = decisions.collect();
                        script.hear(Event::Audit(Audit { re: okay.re, decisions }));
                    }
                    Command::Direct(asked) => {
                        let room = RoomName::direct(&[1, 2].into()).unwrap();
                        let members = asked.with.iter().cloned().chain([nick("alice")]).collect();
                        let room =
                            RoomInfo { room, topic: Line::default(), here: 1, last: 0, first: None, members };
                        script.hear(Event::Ok(Okay { room: Some(room), ..okay }));
                    }
                    Command::Search(search) => {
                        let newest = search.before.unwrap_or((*last).min(600)).max(1);
                        let alone = RoomName::direct(&[1, 3].into()).unwrap();
                        let rooms = [room_name("#a"), room_name("#b"), alone];
                        let said = |seq: u64| {
                            let room = rooms[usize::try_from(seq % 3).unwrap_or(0)].clone();
                            let said = entry("#a", seq, "bob", "alice \n漢字 👩‍👩‍👧‍👦\told");
                            Entry { room, ..said }
                        };
                        let seqs = (newest.saturating_sub(12).max(1)..newest).rev();
                        let hits = seqs
                            .map(|seq| Hit { entry: said(seq), before: Some(said(seq + 1)), after: None })
                            .collect();
                        let more = Some(newest.saturating_sub(12)).filter(|more| *more > 1);
                        script.hear(Event::Found(Found { re: okay.re, hits, more, behind: *last % 3 }));
                    }
                    Command::History(_) => {}
                    Command::Join(join) => {
                        let info = RoomInfo {
                            room: join.room.clone(),
                            topic: Line::default(),
                            here: 1,
                            last: *last,
                            first: None,
                            members: Vec::new(),
                        };
                        script.hear(Event::Ok(Okay { room: Some(info), ..okay }));
                        if *last > join.after {
                            let (from, to) = (join.after + 1, *last);
                            script.hear(Event::Gap(Gap { room: join.room.clone(), from, to }));
                        }
                    }
                    _ => script.hear(Event::Ok(okay)),
                }
                if let Command::History(history) = command {
                    let from = match history.place {
                        crate::protocol::command::Place::Before(seq) => seq.saturating_sub(50).max(1),
                        crate::protocol::command::Place::After(seq) => seq + 1,
                        crate::protocol::command::Place::Around(seq) => seq.saturating_sub(20).max(1),
                        crate::protocol::command::Place::At(_) => 1,
                    };
                    let room = history.room;
                    let entries =
                        (from..from + 50).map(|seq| entry(room.as_str(), seq, "carol", "old")).collect();
                    let page = Page { re: history.id, room, entries, last: *last };
                    script.hear(Event::Page(page));
                }
            }
        }
        Step::Direct(other, last) => {
            let room = RoomName::direct(&[1, other].into()).unwrap();
            let members = vec![nick("alice"), nick("李雷")];
            let info = RoomInfo { room, topic: Line::default(), here: 1, last, first: None, members };
            script.hear(Event::Direct(Called { info: info.clone() }));
            let (read, unread) = (Some(last / 2), Some(last - last / 2));
            script.hear(Event::Ok(Okay { room: Some(info), read, unread, ..Okay::default() }));
        }
        Step::Read(seq) => script.hear(Event::Read(ReadUpTo { room: room_name("#a"), seq })),
        Step::Types(who) => {
            script.hear(Event::Typing(Typing { room: room_name("#a"), nick: nick(&format!("n{who}")) }));
        }
        Step::Moves(who, came, here) => {
            let mut news = presence("#a", &[&format!("n{who}")]);
            let people = news.people.take().unwrap_or_default();
            if came {
                news.joined = people;
            } else {
                news.left = people.into_iter().map(|person| person.nick).collect();
            }
            news.here = here;
            script.hear(Event::Presence(news));
        }
        Step::Break => {
            let retry_at = script.now.instant + Duration::from_secs(3);
            script.news(Update::Offline { why: "the connection broke".to_owned(), retry_at });
        }
        Step::Return => {
            script.online();
            script.joined("#a", *last, "a topic 話題", &["alice", "bob", "李雷"]);
        }
        Step::Pass(millis) => script.pass(Duration::from_millis(millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_falls_over_and_the_frame_stays_straight(steps in prop::collection::vec(step(), 1..60)) {
        let mut script = Script::new(100, 30).hosting("parlor://10.0.0.5/#?p=amber-otter-river-stone");
        script.online();
        script.join("#a", 0, "a topic 話題", &["alice", "bob", "李雷"]);
        let mut last = 0;
        for step in steps {
            take(&mut script, step, &mut last);
            let panes = panes(&script.state);
            let covered = script.state.overlay.is_some();
            let (buffer, cursor) = script.screen();
            prop_assert!(cursor.x < buffer.area.width && cursor.y < buffer.area.height);
            if let (Some(rooms), false) = (panes.rooms, covered) {
                for y in 0..panes.scrollback.bottom() {
                    prop_assert!(buffer[(rooms.right(), y)].symbol().starts_with('│'));
                }
            }
            if let (Some(people), false) = (panes.people, covered) {
                for y in 0..panes.scrollback.bottom() {
                    prop_assert!(buffer[(people.x - 1, y)].symbol().starts_with('│'));
                }
            }
        }
    }
}
