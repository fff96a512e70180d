//! Anything at all, in any order and at any size: nothing falls over, and the frame stays straight.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use ratatui::layout::Rect;

use crate::client::link::Update;
use crate::client::tui::script::{Script, change, entry, nick, person, presence, room_name, session_info};
use crate::client::tui::state::drafts::{Draft, Recalled};
use crate::client::tui::view::panes;
use crate::client::tui::wrap::tests::odd_text;
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::Command;
use crate::protocol::emoji::Emoji;
use crate::protocol::event::{
    Audit, Called, Decision, Earlier, Entry, EntryKind, EntryText, ErrorCode, Event, Failure, Found, Gap,
    Hit, Motd, Okay, Page, People, Reacted, Reactions, ReadUpTo, RoomInfo, Rooms, Stats, TicketInfo, Tickets,
    Typing, Version, Whois,
};
use crate::protocol::hex::Hex;
use crate::protocol::name::RoomName;
use crate::protocol::text::{Line, Text};

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
    /// What was kept comes back, and what was written in an editor.
    Recalls(String),
    Edits(String),
    Moves(u8, bool, usize),
    Break,
    Return,
    Pass(u64),
    /// The server's clock was measured.
    Clock(i64),
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
    let letters = prop::sample::select("abdefghjklnoprstuwy_1290".chars().collect::<Vec<_>>());
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::ALT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT.union(KeyModifiers::SHIFT),
    ]);
    let held = prop::sample::select(vec![KeyModifiers::ALT, KeyModifiers::CONTROL]);
    prop_oneof![
        4 => (codes, modifiers).prop_map(|(code, modifiers)| Step::Key(code, modifiers)),
        3 => (letters, held).prop_map(|(letter, held)| Step::Key(K::Char(letter), held)),
        2 => "[a-z ]{1,8}|/(join|part|topic|names|list|clear|me|nick|msg|away|back|notify|highlight|typing|noise|invite|whois|audit|stats|who|time|motd|kick|mute|ban|private|topic-lock|reply|edit|delete|react|pin|unpin|move) ?#?[a-c]{0,2}|b|/(search|mentions|goto|go) ?(alice|from:bob|in:@bob|first|last|yesterday|11:0[0-9]|#[0-9]{1,4})?".prop_map(Step::Write),
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
        1 => odd_text().prop_map(Step::Recalls),
        1 => odd_text().prop_map(Step::Edits),
        2 => "/[a-t]{0,3}|/jion #?a|:[a-t]{1,3}|@[abc]|#[ab]|`@b".prop_map(Step::Write),
        1 => (any::<u8>(), any::<bool>(), 0_usize..60).prop_map(|(who, came, here)| Step::Moves(who, came, here)),
        1 => Just(Step::Break),
        1 => Just(Step::Return),
        1 => (0_u64..20_000).prop_map(Step::Pass),
        1 => any::<i64>().prop_map(Step::Clock),
    ]
}

fn take(script: &mut Script, step: Step, last: &mut u64) {
    match step {
        Step::Key(code, modifiers) => script.key(code, modifiers),
        Step::Write(text) => script.write(&text),
        Step::Paste(text) => script.feed(Happening::Paste(text)),
        Step::Recalls(text) => {
            let draft = Draft { cursor: text.len() / 2, answers: Some(*last), text, ..Draft::default() };
            let drafts = [(room_name("#a"), draft)].into();
            script.feed(Happening::Recalled(Recalled { drafts, ..Recalled::default() }));
        }
        Step::Edits(text) => script.feed(Happening::Edited(Ok(text))),
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
        Step::Answer => answer(script, *last),
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
        Step::Clock(offset) => {
            let (round_trip, within) = (Duration::from_millis(3), Duration::from_millis(2));
            script.news(Update::Latency { round_trip, offset, within });
        }
    }
}

/// The server answers all that was asked, as if `last` were the last entry of `#a`.
pub(super) fn answer(script: &mut Script, last: u64) {
    for command in script.asked() {
        let seq = command.adds_to().map(|_| last);
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
                    sessions: vec![session_info(asked.nick.as_str(), script.now.time)],
                }));
            }
            Command::Who(asked) => {
                let people = vec![person("bob"), person("李雷")];
                let sessions =
                    vec![session_info("bob", script.now.time), session_info("nobody", script.now.time)];
                let (re, room) = (okay.re, asked.room.clone());
                script.hear(Event::People(People { re, room, here: 9, people, sessions }));
            }
            Command::Motd(_) => {
                let text =
                    Text::new("Welcome to \t漢字\n\n👩‍👩‍👧‍👦 all of you").ok().filter(|_| last.is_multiple_of(2));
                script.hear(Event::Motd(Motd { re: okay.re, text }));
            }
            Command::Stats(_) => {
                let stats = Stats { re: okay.re, lagged: last, ..Stats::default() };
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
                let room = RoomInfo { room, topic: Line::default(), here: 1, last: 0, first: None, members };
                script.hear(Event::Ok(Okay { room: Some(room), ..okay }));
            }
            Command::Search(search) => {
                let newest = search.before.unwrap_or((last).min(600)).max(1);
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
                script.hear(Event::Found(Found { re: okay.re, hits, more, behind: last % 3 }));
            }
            Command::Rooms(_) => {
                let info = |room: &str, topic: &str, here| RoomInfo {
                    room: room_name(room),
                    topic: Line::lossy(topic),
                    here,
                    last,
                    first: None,
                    members: Vec::new(),
                };
                let rooms = vec![info("#a", "a topic 話題", 5), info("#b", "", 0), info("#会議室", "", 2)];
                script.hear(Event::Rooms(Rooms { re: okay.re, rooms }));
            }
            Command::Tickets(_) => {
                let ticket = |digit, uses, until| TicketInfo {
                    ticket: Hex([digit; 8]),
                    by: Line::lossy("alice"),
                    at: script.now.time,
                    uses,
                    until,
                    room: None,
                };
                let until = Some(script.now.time.shifted(86_400_000));
                let tickets = vec![ticket(1, Some(1), None), ticket(2, None, until)];
                script.hear(Event::Tickets(Tickets { re: okay.re, tickets }));
            }
            Command::Reactions(of) => {
                let people = vec![nick("bob"), nick("李雷")];
                let emoji = |emoji: &str| Emoji::new(emoji).unwrap();
                let reactions = vec![
                    Reacted { emoji: emoji("👍"), count: 2, people },
                    Reacted { emoji: emoji("🎉"), count: 1, people: vec![nick("carol")] },
                ];
                let (room, seq) = (of.room.clone(), of.seq);
                script.hear(Event::Reactions(Reactions { re: okay.re, room, seq, reactions }));
            }
            Command::Earlier(of) => {
                let version =
                    |text: &str| Version { at: script.now.time, text: EntryText::from_stored(text) };
                let texts = vec![version("as it was said"), version("as it was said, without mistakes")];
                let (room, seq) = (of.room.clone(), of.seq);
                script.hear(Event::Earlier(Earlier { re: okay.re, room, seq, texts }));
            }
            Command::History(_) => {}
            Command::Join(join) => {
                let info = RoomInfo {
                    room: join.room.clone(),
                    topic: Line::default(),
                    here: 1,
                    last,
                    first: None,
                    members: Vec::new(),
                };
                script.hear(Event::Ok(Okay { room: Some(info), ..okay }));
                if last > join.after {
                    let (from, to) = (join.after + 1, last);
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
            let entries = (from..from + 50).map(|seq| entry(room.as_str(), seq, "carol", "old")).collect();
            let page = Page { re: history.id, room, entries, last };
            script.hear(Event::Page(page));
        }
    }
}

/// Whether what is drawn is within its lines.
fn stays_in_its_frame(script: &mut Script) -> Result<(), String> {
    let panes = panes(&script.state);
    let covered = script.state.overlay.is_some();
    let (buffer, cursor) = script.screen();
    if cursor.x >= buffer.area.width || cursor.y >= buffer.area.height {
        return Err(format!("the cursor is at {cursor:?}"));
    }
    let rules = [panes.rooms.map(Rect::right), panes.people.map(|people| people.x - 1)];
    for x in rules.into_iter().flatten().filter(|_| !covered) {
        for y in 0..panes.scrollback.bottom() {
            let found = buffer[(x, y)].symbol();
            if !found.starts_with('│') {
                return Err(format!("{found:?} stands on the line at {x}, {y}"));
            }
        }
    }
    Ok(())
}

/// A screen with something on it.
fn begun() -> Script {
    let mut script = Script::new(100, 30).hosting("parlor://10.0.0.5/#?p=amber-otter-river-stone");
    script.online();
    script.join("#a", 0, "a topic 話題", &["alice", "bob", "李雷"]);
    script
}

/// As whoever wants out does: what is open is closed, what is written is thrown away, and then Ctrl-C; asked whether
/// they mean it, they say so by Ctrl-C again.
fn can_be_left(script: &mut Script) -> bool {
    script.effects.clear();
    for _ in 0..ESCAPES {
        script.press(KeyCode::Esc);
    }
    for _ in 0..3 {
        script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
        if script.effects.contains(&Effect::Quit) {
            return true;
        }
    }
    false
}

/// How often Esc is pressed at most by somebody who wants out.
const ESCAPES: usize = 8;

/// Steps of an hour, and of how many hours. Each step is what a hand or a room does in half a second.
const STEPS: usize = 10_000;
const HOURS: u8 = 10;
/// Steps between two attempts to leave. The screen goes on behind each.
const LEAVING: usize = 250;

/// One hour of the steps that `seed` makes.
fn an_hour(seed: u8) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let steps = step();
    let (mut script, mut last) = (begun(), 0);
    for number in 1..=STEPS {
        let step = steps.new_tree(&mut runner).unwrap().current();
        let told = format!("seed {seed}, step {number}: {step:?}");
        take(&mut script, step, &mut last);
        if let Err(fault) = stays_in_its_frame(&mut script) {
            panic!("{told}: {fault}");
        }
        if number % LEAVING == 0 {
            assert!(can_be_left(&mut script), "{told}: no way out\n{}", script.text());
        }
        // What came out was taken by nobody, and would be held in memory for an hour.
        script.effects.truncate(EFFECTS);
        script.passing.clear();
    }
}

/// Effects that are kept for an answer.
const EFFECTS: usize = 100;

#[test]
fn hours_of_use_leave_the_screen_in_order() {
    let seeds: Vec<u8> = (1..=HOURS).collect();
    // One for each core, usually.
    std::thread::scope(|scope| {
        for seeds in seeds.chunks(seeds.len().div_ceil(2)) {
            scope.spawn(move || seeds.iter().copied().for_each(an_hour));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_falls_over_and_the_frame_stays_straight(steps in prop::collection::vec(step(), 1..60)) {
        let (mut script, mut last) = (begun(), 0);
        for step in steps {
            take(&mut script, step, &mut last);
            if let Err(fault) = stays_in_its_frame(&mut script) {
                return Err(TestCaseError::fail(fault));
            }
        }
    }
}
