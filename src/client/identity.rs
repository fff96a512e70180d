//! Who one is to the parlors that one visits: an Ed25519 key, made at the first start.
//!
//! The file `identity` in the client's data folder is text: a comment, and one line, `parlor-identity-1` and the
//! key's seed in 64 hexadecimal digits.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::store::{StoreError, lock, replace};
use crate::protocol::hex::Hex;
use crate::protocol::proof::KeyPair;

/// The name of the file.
const FILE: &str = "identity";

/// What its line begins with: the kind of key, so that there can be another one day.
const KIND: &str = "parlor-identity-1";

/// Bytes of the file that are read. There are 200; the rest is room for somebody's own comments.
const FILE_BYTES: u64 = 64 * 1024;

const ABOUT: &str = "\
# This key is who you are in the parlors that you visit. Whoever has it can be you: show it to nobody, and keep a copy.
";

/// The key in `folder`. If there is none, a new one is made, and the folder with it; of several clients that
/// start at the same time one makes it, and all have the same.
///
/// # Errors
/// When the file cannot be read or written, when it holds anything else than a key, and, on Unix, when others than its
/// owner have any right to it. It is never overwritten.
pub fn load_or_create(folder: &Path) -> Result<KeyPair, StoreError> {
    let path = folder.join(FILE);
    if let Some(pair) = load(&path)? {
        return Ok(pair);
    }
    let _lock = lock(&path)?;
    // Another one may have been faster.
    if let Some(pair) = load(&path)? {
        return Ok(pair);
    }
    let seed = Hex::<32>::random().map_err(|_| StoreError::Randomness)?;
    replace(&path, &format!("{ABOUT}{KIND} {seed}\n"))?;
    // What was written is what counts from now on.
    load(&path)?.ok_or(StoreError::NoIdentity { path })
}

/// The key in the file, or `None` if there is no file.
fn load(path: &Path) -> Result<Option<KeyPair>, StoreError> {
    let failed = |error| StoreError::reading(path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of the file that is open, and not of another that has its name by now.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(StoreError::Exposed { path: path.to_owned() });
        }
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let pair = std::str::from_utf8(&bytes).ok().and_then(read);
    pair.map(Some).ok_or_else(|| StoreError::NoIdentity { path: path.to_owned() })
}

/// The key in a text: the one line that is no comment.
fn read(text: &str) -> Option<KeyPair> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (kind, seed) = lines.next()?.split_once(' ')?;
    let seed: Hex<32> = seed.trim_start().parse().ok()?;
    if kind == KIND && lines.next().is_none() { KeyPair::from_seed(&seed.0) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(path: &Path, text: &str) {
        // As the program would: for its owner alone.
        replace(path, text).unwrap();
    }

    #[test]
    fn one_stays_who_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data/parlor");
        let first = load_or_create(&data).unwrap().public();
        assert_eq!(load_or_create(&data).unwrap().public(), first);
        let text = fs::read_to_string(data.join("identity")).unwrap();
        assert!(text.starts_with("# This key is who you are") && text.lines().count() == 2, "{text}");
        let other = load_or_create(&folder.path().join("other")).unwrap().public();
        assert_ne!(other, first);
    }

    #[test]
    fn all_who_start_at_once_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let data = folder.path().to_owned();
                std::thread::spawn(move || load_or_create(&data).unwrap().public())
            })
            .collect();
        let mut keys: Vec<_> = starting.into_iter().map(|thread| thread.join().unwrap()).collect();
        keys.dedup();
        assert_eq!(keys.len(), 1);
    }

    #[test]
    fn a_damaged_identity_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let seed = "07".repeat(32);
        for wrong in [
            "".to_owned(),
            "# only this\n".to_owned(),
            format!("{KIND} 0707\n"),
            format!("{KIND}\n"),
            format!("parlor-identity-2 {seed}\n"),
            format!("{KIND} {seed}\n{KIND} {seed}\n"),
        ] {
            write(&path, &wrong);
            let error = load_or_create(folder.path()).unwrap_err();
            assert!(matches!(error, StoreError::NoIdentity { .. }), "{wrong:?}: {error}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
        }
        write(&path, &format!("\n# a note of mine\n{KIND} {seed}"));
        let pair = KeyPair::from_seed(&[7; 32]).unwrap();
        assert_eq!(load_or_create(folder.path()).unwrap().public(), pair.public());
    }

    #[cfg(unix)]
    #[test]
    fn an_identity_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("Application Support");
        load_or_create(&data).unwrap();
        let path = data.join("identity");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for open in [0o640, 0o604, 0o660, 0o601] {
            mode(open);
            let error = load_or_create(&data).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 600 '{}'", path.display())), "{error}");
        }
        mode(0o400);
        assert!(load_or_create(&data).is_ok());
    }
}
