//! Counting what is not read has its ends.

use super::*;
use crate::protocol::limits::{COUNTED_BYTES, COUNTED_ENTRIES};

fn whose() -> Whose {
    Whose { author: 1, nick: Nick::new("bob").unwrap() }
}

#[tokio::test]
async fn of_long_messages_the_last_ones_are_counted() {
    const LONG: usize = 8 << 10;
    const GROUP: usize = 64;
    let mut open = open();
    let count = 2 * COUNTED_BYTES / LONG;
    let text = |n: usize| match n {
        0 => format!("bob {}", "x".repeat(LONG)),
        n if n + 1 == count => "bob!".to_owned(),
        _ => "x".repeat(LONG),
    };
    let drafts: Vec<Draft> = (0..count).map(|n| draft("#a", &text(n))).collect();
    for group in drafts.chunks(GROUP) {
        open.append(group.to_vec()).await;
    }
    let expected = u64::try_from(COUNTED_BYTES / LONG).unwrap();
    let last = u64::try_from(count).unwrap();
    for _ in 0..2 {
        let unread = open.log.reader.unread(&room("#a"), 0, last, whose()).await.unwrap().unwrap();
        // Give or take a batch.
        assert!(unread.messages.abs_diff(expected) < expected / 4, "{unread:?}");
        assert_eq!(unread.mentions, 1, "the last one");
        let few = open.log.reader.unread(&room("#a"), last - 10, last - 2, whose()).await.unwrap();
        assert_eq!(few, Some(Unread { messages: 8, mentions: 0 }));
        open = open.reopened().await;
    }
}

#[tokio::test]
async fn ten_thousand_short_ones_fit() {
    let mut open = open();
    let count = usize::try_from(COUNTED_ENTRIES).unwrap();
    open.append((0..count).map(|_| draft("#a", "a line as people write them in a room: bob")).collect())
        .await;
    let unread = open.log.reader.unread(&room("#a"), 0, COUNTED_ENTRIES, whose()).await.unwrap();
    assert_eq!(unread, Some(Unread { messages: COUNTED_ENTRIES, mentions: COUNTED_ENTRIES }));
}

#[tokio::test]
async fn one_is_counted_for_at_a_time_and_nobody_waits_for_long() {
    let mut open = open();
    open.append(vec![draft("#a", "bob")]).await;
    let reader = open.log.reader.clone();
    let turn = reader.counting.acquire().await.unwrap();
    assert_eq!(reader.unread(&room("#a"), 0, 1, whose()).await.unwrap(), None);
    assert_eq!(
        reader.page(&room("#a"), Place::After(0), 1, None).await.unwrap().len(),
        1,
        "others are not in the way"
    );
    drop(turn);
    let one = Unread { messages: 1, mentions: 1 };
    assert_eq!(reader.unread(&room("#a"), 0, 1, whose()).await.unwrap(), Some(one));
}
