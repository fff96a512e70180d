//! `parlor join amber-otter-ricotta-amulet`: looks for the parlor of these words, and says how far it is.

use std::io::{IsTerminal as _, Write as _, stderr};

use parlor::client::find;
use parlor::client::seek::{Progress, Wanted, seek};
use parlor::protocol::address::Address;
use parlor::protocol::invite::Invite;
use parlor::protocol::proof::Passphrase;

use crate::complain;

/// Looks for it on this network and on this machine. What is given back is the way in: the address, the certificate that was shown
/// with the proof, and the words.
///
/// # Errors
/// No parlor knows the words: what was found instead, and what else to type.
pub(crate) async fn find(words: Passphrase, plain: bool) -> anyhow::Result<Invite> {
    let wanted = Wanted { words: words.clone(), here: Some(Address::this_machine()), plain };
    let mut line = StatusLine::begin();
    let found = seek(wanted, find::look(), |progress| line.show(progress)).await;
    drop(line);
    let found = found.map_err(|missed| anyhow::anyhow!(missed.to_string()))?;
    Ok(found.invite(words))
}

const LOOKING: &str = "Looking for the parlor …";

/// One line that is written over. Where that cannot be, in a file say, it is said once.
struct StatusLine {
    rewrites: bool,
    shown: String,
}

impl StatusLine {
    fn begin() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let rewrites = stderr().is_terminal() && !dumb;
        if !rewrites {
            complain(LOOKING);
        }
        Self { rewrites, shown: String::new() }
    }

    fn show(&mut self, progress: Progress) {
        let line = said(progress);
        if self.rewrites && line != self.shown {
            // With standard error closed there is nobody to tell.
            drop(write!(stderr(), "\r\x1b[K{line}"));
            drop(stderr().flush());
            self.shown = line;
        }
    }
}

impl Drop for StatusLine {
    /// Leaves an empty line, also where looking was broken off.
    fn drop(&mut self) {
        if self.rewrites {
            drop(write!(stderr(), "\r\x1b[K"));
            drop(stderr().flush());
        }
    }
}

/// At most 50 columns, so that it is one row wherever one can chat.
fn said(Progress { asked, to_go }: Progress) -> String {
    match (asked, to_go) {
        (0, 0) => LOOKING.to_owned(),
        (asked, 0) => format!("{LOOKING} {asked} asked"),
        (asked, to_go) => format!("{LOOKING} {asked} asked, {to_go} to go"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_is_one_line() {
        assert_eq!(said(Progress::default()), "Looking for the parlor …");
        let far = said(Progress { asked: 3, to_go: 1 });
        assert_eq!(far, "Looking for the parlor … 3 asked, 1 to go");
        assert!(said(Progress { asked: 33, to_go: 33 }).chars().count() <= 50);
        assert_eq!(said(Progress { asked: 2, to_go: 0 }), "Looking for the parlor … 2 asked");
    }
}
