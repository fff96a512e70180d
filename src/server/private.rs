//! Files that nobody else may read.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file, for its owner alone from its first moment on, all of it or nothing.
///
/// # Errors
/// When the folder or the disk does not take it.
pub fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}
