//! Promise 5: after a break a client gets exactly what it missed; where that is more than it wants at once, an
//! explicit gap that it can page into. Loss is never silent.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, join, message, room, seqs, soon, texts};
use parlor::protocol::command::{Command, History, Ping, Place, RequestId};
use parlor::protocol::event::{Entry, Event, Gap, Page};
use parlor::protocol::limits::{CHANNEL_BATCHES, PAGE_ENTRIES, TEXT_BYTES};
use uuid::Uuid;

/// Says `1`, `2`, `3`, … up to `count`, in order, without waiting for each answer.
async fn fill(server: &TestServer, name: &str, count: u64) {
    let mut filler = server.client("filler").await;
    filler.join(name, 0, None).await;
    for n in 1..=count {
        filler.say(Command::Send(message(name, &n.to_string()))).await;
    }
    filler.entries(usize::try_from(count).unwrap()).await;
    filler.quit().await;
}

async fn page(client: &mut TestClient, name: &str, place: Place, limit: u64) -> Page {
    let id = RequestId::from(Uuid::now_v7());
    client.say(Command::History(History { id: Some(id.clone()), room: room(name), place, limit })).await;
    client
        .until(|event| match event {
            Event::Page(page) if page.re.as_ref() == Some(&id) => Some(page),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
}

/// The entries and gaps among events.
fn story(events: Vec<Event>) -> (Vec<u64>, Vec<Gap>) {
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Entry(entry) => seen.push(entry.seq),
            Event::Gap(gap) => {
                assert!(seen.is_empty(), "a gap comes before what follows it");
                gaps.push(gap);
            }
            Event::Error(failure) => panic!("{failure}"),
            _ => {}
        }
    }
    (seen, gaps)
}

fn gap(from: u64, to: u64) -> Gap {
    Gap { room: room("#a"), from, to }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_after_n_gets_exactly_the_rest() {
    const LAST: u64 = 30;
    let server = TestServer::start().await;
    fill(&server, "#a", LAST).await;
    let mut client = server.client("alice").await;
    for after in 0..=LAST {
        let ok = client.join("#a", after, None).await;
        assert_eq!(ok.room.unwrap().last, LAST);
        let (seen, gaps) = story(until_caught_up(&mut client, LAST - after).await);
        assert_eq!((seen, gaps), ((after + 1..=LAST).collect(), vec![]));
        client.leave("#a").await;
    }
    // A cursor from a log that was longer: what is said next must not be lost.
    for after in [LAST + 1, 1 << 41, u64::MAX] {
        client.join("#a", after, None).await;
        assert_eq!(story(client.drain().await), (vec![], vec![]));
    }
    fill(&server, "#a", 3).await;
    assert_eq!(seqs(&client.entries(3).await), [LAST + 1, LAST + 2, LAST + 3]);
}

/// All that comes after a join with so many entries to come: those, and then nothing.
async fn until_caught_up(client: &mut TestClient, entries: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let mut left = entries;
    while left > 0 {
        let event = client.event().await.expect("the connection ended");
        left -= u64::from(matches!(event, Event::Entry(_)));
        events.push(event);
    }
    events.extend(client.drain().await);
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_limit_there_is_one_gap_and_then_the_last_ones() {
    const LAST: u64 = 30;
    let server = TestServer::start().await;
    fill(&server, "#a", LAST).await;
    let mut client = server.client("alice").await;
    for (after, limit, gaps) in [
        (0, 10, vec![gap(1, 20)]),
        (5, 10, vec![gap(6, 20)]),
        (19, 10, vec![gap(20, 20)]),
        (20, 10, vec![]),
        (25, 10, vec![]),
        (30, 10, vec![]),
        (99, 10, vec![]),
        (0, 30, vec![]),
        (0, u64::MAX, vec![]),
        (7, 0, vec![gap(8, 30)]),
        (30, 0, vec![]),
    ] {
        client.join("#a", after, Some(limit)).await;
        let expected: Vec<u64> = (after.max(LAST.saturating_sub(limit)) + 1..=LAST).collect();
        let events = until_caught_up(&mut client, expected.len() as u64).await;
        assert_eq!(story(events), (expected, gaps), "after {after}, limit {limit}");
        client.leave("#a").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_can_be_paged_into_from_both_ends_and_from_the_middle() {
    const LAST: u64 = 1_300;
    let server = TestServer::start().await;
    fill(&server, "#a", LAST).await;
    let mut client = server.client("alice").await;
    client.join("#a", 100, Some(50)).await;
    let (_, gaps) = story(until_caught_up(&mut client, 50).await);
    assert_eq!(gaps, [gap(101, 1_250)]);
    let (from, to) = (gaps[0].from, gaps[0].to);

    let mut forwards = Vec::new();
    while forwards.last() != Some(&to) {
        let cursor = forwards.last().map_or(from - 1, |last| *last);
        let page = page(&mut client, "#a", Place::After(cursor), to - cursor).await;
        assert_eq!(page.last, LAST);
        assert!(page.entries.len() as u64 <= PAGE_ENTRIES && !page.entries.is_empty());
        forwards.extend(seqs(&page.entries));
    }
    assert_eq!(forwards, (from..=to).collect::<Vec<_>>());

    let mut backwards: Vec<u64> = Vec::new();
    while backwards.first() != Some(&from) {
        let first = backwards.first().map_or(to + 1, |first| *first);
        let page = page(&mut client, "#a", Place::Before(first), 100.min(first - from)).await;
        backwards.splice(0..0, seqs(&page.entries));
    }
    assert_eq!(backwards, forwards);

    let middle = page(&mut client, "#a", Place::Around(700), 101).await;
    assert_eq!(seqs(&middle.entries), (650..=750).collect::<Vec<_>>());
    assert!(middle.entries.iter().all(|entry| entry.text.as_str() == entry.seq.to_string()));
    // The ends of the log, and beyond.
    let all = |page: Page| seqs(&page.entries);
    assert_eq!(all(page(&mut client, "#a", Place::Before(1), 10).await), [0; 0]);
    assert_eq!(all(page(&mut client, "#a", Place::Before(0), 10).await), [0; 0]);
    assert_eq!(all(page(&mut client, "#a", Place::Before(u64::MAX), 2).await), [LAST - 1, LAST]);
    assert_eq!(all(page(&mut client, "#a", Place::After(0), 2).await), [1, 2]);
    assert_eq!(all(page(&mut client, "#a", Place::After(u64::MAX), 2).await), [0; 0]);
    assert_eq!(all(page(&mut client, "#a", Place::After(LAST), 0).await), [0; 0]);
    assert_eq!(all(page(&mut client, "#a", Place::Around(1), 3).await).first(), Some(&1));
    assert!(all(page(&mut client, "#a", Place::Around(LAST), 3).await).contains(&LAST));
}

/// A page that is too large ends early, and never without what it was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_long_texts_end_early_and_hold_what_was_asked_for() {
    let server = TestServer::start().await;
    let mut client = server.client("alice").await;
    client.join("#a", 0, None).await;
    let text = "x".repeat(TEXT_BYTES);
    for _ in 0..60 {
        client.say(Command::Send(message("#a", &text))).await;
    }
    client.entries(60).await;
    let contiguous = |page: &Page| page.entries.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq);
    for (place, asked) in [
        (Place::After(10), 11),
        (Place::Before(50), 49),
        (Place::Around(30), 30),
        (Place::Around(60), 60),
        (Place::Around(1), 1),
    ] {
        let page = page(&mut client, "#a", place, 60).await;
        assert!(contiguous(&page) && page.entries.len() < 60, "{place:?}");
        assert!(seqs(&page.entries).contains(&asked), "{place:?} gives {:?}", seqs(&page.entries));
    }
}

/// More batches than the room's channel keeps, while one does not read: that one loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_falls_behind_the_channel_reads_on_from_the_log() {
    const MESSAGES: usize = CHANNEL_BATCHES * 8;
    let server = TestServer::start().await;
    let mut slow = TestClient::connect_narrow(server.port, "slow").await;
    slow.join("#a", 0, None).await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    // Each waits for its answer and so is a batch of its own; together more than the sockets hold.
    let text = "x".repeat(TEXT_BYTES);
    for n in 1..=MESSAGES as u64 {
        assert_eq!(alice.send("#a", &text).await, n);
    }
    let seen = slow.entries(MESSAGES).await;
    assert_eq!(seqs(&seen), (1..=MESSAGES as u64).collect::<Vec<_>>());
    assert!(story(slow.drain().await).0.is_empty());
    // And it has met the channel again.
    alice.send("#a", "now").await;
    assert_eq!(texts(&slow.entries(1).await), ["now"]);
}

/// Several rooms at once, some caught up from the log and some live: each is whole by itself.
#[tokio::test(flavor = "multi_thread")]
async fn rooms_side_by_side_do_not_disturb_each_other() {
    const EACH: u64 = 400;
    let server = TestServer::start().await;
    fill(&server, "#a", EACH).await;
    fill(&server, "#b", EACH).await;
    let mut alice = server.client("alice").await;
    let mut talker = server.client("talker").await;
    for name in ["#a", "#b", "#c"] {
        talker.join(name, u64::MAX, None).await;
    }
    let talking = tokio::spawn(async move {
        for n in 0..EACH {
            for name in ["#c", "#a", "#b"] {
                talker.say(Command::Send(message(name, &n.to_string()))).await;
            }
        }
        talker.drain().await;
        talker
    });
    for name in ["#b", "#c", "#a"] {
        alice.say(join(name, 0)).await;
    }
    let total = usize::try_from(EACH * 5).unwrap();
    let seen: Vec<Entry> = alice.entries(total).await;
    for (name, last) in [("#a", EACH * 2), ("#b", EACH * 2), ("#c", EACH)] {
        let own: Vec<u64> =
            seen.iter().filter(|entry| entry.room == room(name)).map(|entry| entry.seq).collect();
        assert_eq!(own, (1..=last).collect::<Vec<_>>(), "{name}");
    }
    soon(talking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_other_rooms_do_not_wait_for_a_long_catch_up() {
    const LOUD: u64 = 3000;
    let server = TestServer::start().await;
    let mut talker = server.client("talker").await;
    talker.join("#loud", 0, Some(0)).await;
    for _ in 0..LOUD {
        // So long that every page of them is ended by its bytes.
        talker.say(Command::Send(message("#loud", &"x".repeat(2000)))).await;
    }
    while talker.entry().await.seq < LOUD {}
    fill(&server, "#quiet", 5).await;
    let mut alice = server.client("alice").await;
    alice.say(join("#loud", 0)).await;
    alice.say(join("#quiet", 0)).await;
    alice.say(Command::Ping(Ping::default())).await;
    let (mut quiet, mut pong, mut loud) = (0, false, 0);
    while !(pong && quiet == 5) {
        match alice.event().await.expect("the connection ended") {
            Event::Entry(entry) if entry.room == room("#loud") => loud = entry.seq,
            Event::Entry(entry) => quiet = entry.seq,
            Event::Pong(_) => pong = true,
            _ => {}
        }
    }
    assert!(loud < LOUD, "all of #loud came first");
    while alice.entry().await.seq < LOUD {}
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_again_moves_the_cursor_and_leaving_ends_the_flow() {
    let server = TestServer::start().await;
    fill(&server, "#a", 20).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    bob.join("#a", 20, None).await;
    alice.join("#a", 10, None).await;
    // The answer to the second join parts the flow from 10 from that from 15.
    alice.join("#a", 15, None).await;
    assert_eq!(story(until_caught_up(&mut alice, 5).await), ((16..=20).collect(), vec![]));
    bob.send("#a", "live").await;
    assert_eq!(seqs(&alice.entries(1).await), [21]);
    assert_eq!(story(alice.drain().await), (vec![], vec![]), "once, although joined twice");

    alice.leave("#a").await;
    bob.send("#a", "unheard").await;
    assert_eq!(story(alice.drain().await), (vec![], vec![]));
    alice.join("#a", 21, None).await;
    assert_eq!(texts(&alice.entries(1).await), ["unheard"]);
}

/// Whoever joins at the very moment when something is said gets it: from the log or from the channel, and
/// not only once the next thing is said.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_falls_between_the_log_and_the_channel() {
    const JOINERS: usize = 8;
    const ROUNDS: u64 = 150;
    let server = TestServer::start().await;
    let mut talker = server.client("talker").await;
    talker.join("#a", 0, None).await;
    let mut joiners = Vec::new();
    for n in 0..JOINERS {
        joiners.push(server.client(&format!("joiner{n}")).await);
    }
    for round in 1..=ROUNDS {
        let joining = joiners.into_iter().map(|mut joiner| {
            tokio::spawn(async move {
                joiner.join("#a", round - 1, None).await;
                assert_eq!(joiner.entry().await.seq, round);
                joiner
            })
        });
        let joining: Vec<_> = joining.collect();
        assert_eq!(talker.send("#a", "now").await, round);
        joiners = Vec::new();
        for joiner in joining {
            joiners.push(soon(joiner).await.unwrap());
        }
    }
}
