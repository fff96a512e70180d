//! The file with the drafts of one parlor.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{Changes, invalid, read};
use crate::client::StoreError;
use crate::client::store::{lock, replace};
use crate::client::tui::state::drafts::Draft;
use crate::protocol::name::RoomName;

/// What stands at the top of it.
const ABOUT: &str = "# What you were writing in a parlor, by room. It is there again when you come back, and goes when it is sent.\n\n";

/// Rooms of which drafts are kept. Nobody writes in so many at a time.
const ROOMS: usize = 500;

/// Bytes of the file: some dozen of the longest texts, or all of the usual ones.
const FILE_BYTES: usize = 4 * 1024 * 1024;

/// The drafts, by room; none where there is no file.
pub(super) fn load(path: &Path) -> Result<BTreeMap<RoomName, Draft>, StoreError> {
    let Some(bytes) = read(path, FILE_BYTES as u64)? else { return Ok(BTreeMap::new()) };
    let text = String::from_utf8(bytes).map_err(|_| StoreError::reading(path, invalid("it is no text")))?;
    toml::from_str(&text).map_err(|error| StoreError::reading(path, invalid(error.message())))
}

/// Keeps what has changed. What another client has kept of other rooms meanwhile stays; so does a file that is not
/// understood.
pub(super) fn keep(path: &Path, changes: Changes) -> Result<(), StoreError> {
    let _lock = lock(path)?;
    let mut drafts = load(path)?;
    for (room, draft) in changes {
        match draft {
            Some(draft) => drafts.insert(room, draft),
            None => drafts.remove(&room),
        };
    }
    if drafts.is_empty() {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::writing(path, error)),
            _ => Ok(()),
        };
    }
    let text = toml::to_string_pretty(&drafts)
        .map_err(|error| StoreError::writing(path, invalid(error.to_string())))?;
    if drafts.len() > ROOMS || ABOUT.len() + text.len() > FILE_BYTES {
        let why = format!("more than {ROOMS} drafts, or {} MiB of them: send some", FILE_BYTES >> 20);
        return Err(StoreError::writing(path, invalid(why)));
    }
    replace(path, &format!("{ABOUT}{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::room_name;

    fn draft(text: &str) -> Draft {
        Draft { text: text.to_owned(), cursor: text.len(), ..Draft::default() }
    }

    fn change(room: &str, draft: Option<Draft>) -> Changes {
        [(room_name(room), draft)].into()
    }

    #[test]
    fn a_draft_is_there_until_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drafts/parlor.toml");
        let long = Draft {
            answers: Some(7),
            unsent: vec!["one\n\"\"\"two'''".to_owned()],
            ..draft("李雷:\n\tlet a = \"b\";")
        };
        keep(&path, change("#lobby", Some(long.clone()))).unwrap();
        // Another client.
        keep(&path, change("#rust", Some(draft("hi")))).unwrap();
        let kept = load(&path).unwrap();
        assert_eq!(
            (kept.len(), kept.get(&room_name("#lobby")), kept[&room_name("#rust")].text.as_str()),
            (2, Some(&long), "hi")
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        keep(&path, change("#lobby", None)).unwrap();
        keep(&path, change("#rust", None)).unwrap();
        assert!(!path.exists());
        keep(&path, change("#rust", None)).unwrap();
    }

    #[test]
    fn a_file_that_is_not_understood_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.toml");
        for damaged in ["[\"#lobby\"\ntext = 1", "[\"no room\"]\ntext = \"a\"", "[\"#lobby\"]\ntext = 1"] {
            std::fs::write(&path, damaged).unwrap();
            assert!(load(&path).unwrap_err().to_string().contains("parlor.toml"), "{damaged}");
            assert!(keep(&path, change("#lobby", Some(draft("hi")))).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn drafts_have_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.toml");
        keep(&path, change("#lobby", Some(draft("hi")))).unwrap();
        let many = (0..=ROOMS).map(|room| (room_name(&format!("#r{room}")), Some(draft("x")))).collect();
        assert!(keep(&path, many).unwrap_err().to_string().contains("send some"));
        let long = draft(&"x".repeat(FILE_BYTES));
        assert!(keep(&path, change("#lobby", Some(long))).is_err());
        assert_eq!(load(&path).unwrap()[&room_name("#lobby")].text, "hi");
    }
}
