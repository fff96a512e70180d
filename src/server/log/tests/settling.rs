//! Settling that finds no room on the disk: what was said stays in the journal, and is settled when there is room again.

use super::*;
use crate::protocol::limits::TEXT_BYTES;

const ROOMS: [&str; 3] = ["#a", "#b", "#c"];

/// Messages as long as one can be, of which there are more than settling waits for: 4 MiB.
const MESSAGES: usize = 300;

async fn all(open: &Open) -> Vec<(u64, Vec<u8>)> {
    let mut rooms = Vec::new();
    for name in ROOMS {
        rooms.push(journaling::all(&open.log, &room(name)).await);
    }
    rooms
}

/// The file can get no more than so many further pages.
fn limit(open: &Open, pages: i64) {
    open.log.writer.with_store(|store| {
        let had: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        store.connection.pragma_update(None, "max_page_count", had + pages).unwrap();
    });
}

fn is_settled(open: &Open) -> bool {
    ROOMS.iter().all(|name| open.log.reader.tail.of(&room(name)).is_empty())
}

fn tables(open: &Open) -> rusqlite::Connection {
    rusqlite::Connection::open(open.folder.path().join(FILE)).unwrap()
}

#[tokio::test]
async fn what_finds_no_room_is_kept_can_be_read_and_is_settled_later() {
    let mut open = open();
    open.append(ROOMS.map(|name| draft(name, "first")).to_vec()).await;
    let mut open = open.reopened().await;
    limit(&open, 0);
    let text = "x".repeat(TEXT_BYTES - 10);
    let mut said = Vec::new();
    for n in 0..MESSAGES {
        let draft = draft(ROOMS[n % ROOMS.len()], &format!("{n} {text}"));
        assert_eq!(seq(&open.append(vec![draft.clone()]).await[0]), (n / ROOMS.len()) as u64 + 2);
        said.push(draft);
    }
    let before = all(&open).await;
    assert_eq!(before.iter().map(|(last, _)| *last).collect::<Vec<_>>(), [101; 3]);
    // What changes a table has no room, and takes no number; a message goes on into the journal's file.
    let refused = topic("#b", "no room for it");
    let full = Outcome::Failed { id: refused.id, error: StoreError::Full };
    assert_eq!(open.append(vec![refused.clone()]).await, [full]);
    // When this is done, so is all that the writer does by itself.
    open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await.unwrap();
    // With more and more room it fails further and further on: in the rows of a room, and among the ids.
    let mut attempts = 0;
    for pages in (0..).step_by(53) {
        limit(&open, pages);
        open.log.writer.with_store(store::Store::settle_in_time);
        assert!(all(&open).await == before, "something is lost with {pages} pages");
        if is_settled(&open) {
            break;
        }
        attempts += 1;
        let rows: i64 =
            tables(&open).query_row("SELECT count(*) FROM batches", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 3, "half of it is settled with {pages} pages");
        assert!(pages < 5_000, "it never has enough");
        if attempts % 8 == 1 {
            let copy = copied(&open);
            let log = Log::open(copy.path(), Durability::Process, Disk::Threads).unwrap();
            assert!(all(&Open { log, folder: copy }).await == before, "after a sudden end, {pages} pages");
        }
    }
    assert!(attempts > 15, "{attempts}");
    assert_eq!(std::fs::metadata(open.folder.path().join(JOURNAL)).unwrap().len(), 0);
    limit(&open, 1_000);
    for draft in [&said[0], &said[MESSAGES - 1]] {
        let known = open.append(vec![draft.clone()]).await;
        assert!(matches!(known[..], [Outcome::Known { .. }]), "{known:?}");
    }
    assert_eq!(seq(&open.append(vec![refused]).await[0]), 102);
    let after = all(&open).await;
    let open = open.reopened().await;
    assert!(all(&open).await == after);
    let sound: String = tables(&open).pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

/// Closed while there is no room, and opened when there is.
#[tokio::test]
async fn what_was_not_settled_at_the_end_is_settled_at_the_next_start() {
    let mut open = open();
    open.append(ROOMS.map(|name| draft(name, "first")).to_vec()).await;
    let mut open = open.reopened().await;
    limit(&open, 0);
    let text = "x".repeat(TEXT_BYTES - 10);
    for n in 0..MESSAGES {
        open.append(vec![draft(ROOMS[n % ROOMS.len()], &text)]).await;
    }
    let before = all(&open).await;
    open.log.reader.close().await;
    open.log.writer.close().await;
    assert!(std::fs::metadata(open.folder.path().join(JOURNAL)).unwrap().len() > 4 << 20);
    let log = Log::open(open.folder.path(), Durability::Process, Disk::Threads).unwrap();
    let mut open = Open { log, folder: open.folder };
    assert!(is_settled(&open) && all(&open).await == before);
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 102);
}
