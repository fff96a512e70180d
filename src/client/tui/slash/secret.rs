//! Lines that hold what must not be kept: passphrases, and codes that make another device one's own.

use super::{command, nearest};

/// Whether a line is a command with a secret in it. Also one that is mistyped, and one that is not complete: what stands
/// in it is a secret all the same.
pub(crate) fn is_secret(line: &str) -> bool {
    let Some(line) = line.trim_start().strip_prefix('/') else { return false };
    // Said as it is.
    if line.starts_with('/') {
        return false;
    }
    let mut words = line.split_whitespace();
    let Some(name) = words.next().map(str::to_lowercase) else { return false };
    let name = command(&name).map(|entry| entry.name).or_else(|| nearest(&name));
    let rest: Vec<&str> = words.collect();
    match name {
        Some("join") => rest.len() > 1,
        Some("lock") => !matches!(rest.as_slice(), [] | ["off"]),
        Some("passphrase") => !matches!(rest.as_slice(), [] | ["new"]),
        Some("device") => !matches!(rest.as_slice(), [] | ["add"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_and_codes_are_told_from_all_else() {
        for secret in [
            "/join #rust open sesame please",
            "/J rust open",
            "/jion #rust open sesame",
            "/lock open sesame please",
            "/LOCK\nopen sesame",
            "  /lcok open",
            "/passphrase correct horse",
            "/device 123 456",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in [
            "/join #rust",
            "/lock off",
            "/lock",
            "/passphrase new",
            "/device add",
            "/me locks the door",
            "lock it",
            "//lock a b",
            "/",
        ] {
            assert!(!is_secret(open), "{open}");
        }
    }
}
