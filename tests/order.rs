//! Promise 1: all members see a room's entries in the same order, each `seq` once, no gaps.

mod common;

use common::{TestServer, message};
use parlor::protocol::command::Command;
use parlor::protocol::event::Entry;

const SENDERS: usize = 50;
const EACH: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_senders_and_everyone_agrees_on_the_order() {
    let server = TestServer::start().await;
    let mut watchers = Vec::new();
    for n in 0..3 {
        let mut watcher = server.client(&format!("watcher{n}")).await;
        watcher.join("#a", 0, None).await;
        watchers.push(tokio::spawn(async move { take(&mut watcher).await }));
    }
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        let mut sender = server.client(&format!("sender{n}")).await;
        sender.join("#a", 0, None).await;
        senders.push(tokio::spawn(async move {
            for text in 0..EACH {
                sender.say(Command::Send(message("#a", &format!("{n}:{text}")))).await;
            }
            take(&mut sender).await
        }));
    }
    let mut views = Vec::new();
    for view in senders.into_iter().chain(watchers) {
        views.push(view.await.unwrap());
    }
    // One who comes later reads it all from the log.
    let mut late = server.client("late").await;
    late.join("#a", 0, None).await;
    let log = take(&mut late).await;
    assert_eq!(log.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=2000).collect::<Vec<_>>());
    for view in views {
        assert_eq!(view, log);
        assert!(view.iter().zip(&log).all(|(a, b)| a.text == b.text));
    }
    for n in 0..SENDERS {
        let name = format!("sender{n}");
        let own: Vec<_> = log.iter().filter(|entry| entry.from.as_str() == name).collect();
        let said: Vec<_> = own.iter().map(|entry| entry.text.as_str().to_owned()).collect();
        assert_eq!(said, (0..EACH).map(|text| format!("{n}:{text}")).collect::<Vec<_>>());
    }
}

async fn take(client: &mut common::TestClient) -> Vec<Entry> {
    let mut entries = Vec::new();
    while entries.len() < SENDERS * EACH {
        entries.push(client.entry().await);
    }
    entries
}
