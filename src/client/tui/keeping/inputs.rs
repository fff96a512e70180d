//! The file with what was written in one parlor: each input a line of JSON, the newest last.

use std::io::Write as _;
use std::path::Path;

use super::read;
use crate::client::StoreError;
use crate::client::store::{lock, private, replace};

/// Inputs that are recalled: as many as are remembered while the program runs.
const RECALLED: usize = crate::client::tui::state::input_history::REMEMBERED;

/// Bytes of an input that is kept: a page. What is longer was pasted, and is found where it came from.
const INPUT_BYTES: usize = 4 * 1024;

/// Bytes of the file, at most: it is cut down long before that, each time that it is read.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Lines from which on the file is cut down to those that are recalled.
const LINES: usize = 2 * RECALLED;

/// The last inputs, the newest last. Lines that are none are left out.
pub(super) fn load(path: &Path) -> Result<Vec<String>, StoreError> {
    let Some(bytes) = read(path, FILE_BYTES)? else { return Ok(Vec::new()) };
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let newest = lines.get(lines.len().saturating_sub(RECALLED)..).unwrap_or_default();
    let inputs: Vec<String> = newest.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect();
    if lines.len() > LINES {
        let _lock = lock(path)?;
        let text: String = inputs.iter().filter_map(|input| line(input)).collect();
        replace(path, &text)?;
    }
    Ok(inputs)
}

/// Adds an input. It need not outlive a failure of the power, so nobody waits for the disk.
pub(super) fn append(path: &Path, input: &str) -> Result<(), StoreError> {
    let Some(line) = line(input).filter(|line| line.len() <= INPUT_BYTES) else { return Ok(()) };
    let _lock = lock(path)?;
    let failed = |error| StoreError::writing(path, error);
    let mut file = private().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)
}

fn line(input: &str) -> Option<String> {
    serde_json::to_string(input).ok().map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_inputs_come_back_and_the_file_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs/parlor.jsonl");
        assert_eq!(load(&path).unwrap(), Vec::<String>::new());
        append(&path, "one\ntwo").unwrap();
        append(&path, &"x".repeat(INPUT_BYTES)).unwrap();
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"damaged \xff\n"].concat()).unwrap();
        append(&path, "李雷").unwrap();
        assert_eq!(load(&path).unwrap(), ["one\ntwo", "李雷"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let many: String = (0..=LINES).filter_map(|number| line(&number.to_string())).collect();
        std::fs::write(&path, many).unwrap();
        assert_eq!(load(&path).unwrap().len(), RECALLED);
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            (kept.lines().count(), kept.lines().last()),
            (RECALLED, Some(format!("\"{LINES}\"").as_str()))
        );
    }
}
