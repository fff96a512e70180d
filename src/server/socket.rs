//! Unix sockets: who may use them, and how they come and go.
//!
//! MUST: nobody can connect before the socket has the mode and the group that it shall have. Connections are taken only once
//! it listens, and until then it is a name in a folder.

use serde::{Deserialize, Deserializer, de};

#[cfg(unix)]
pub use self::unix::SocketFile;
#[cfg(unix)]
pub(super) use self::unix::{bind, remedy};

/// Who may use the Unix sockets of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketAccess {
    /// The bits of its mode. `None`: 0600, and 0660 where a group is named.
    pub mode: Option<u32>,
    /// The group that it belongs to, by name or number. `None`: that of whoever starts the server.
    pub group: Option<String>,
}

/// Reads a mode as `chmod` has it: three octal digits, with or without a 0 before them.
///
/// # Errors
/// A sentence that says how to write one.
pub fn parse_mode(raw: &str) -> Result<u32, String> {
    let digits = raw.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(raw);
    let octal = digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let mode = u32::from_str_radix(digits, 8).ok().filter(|_| octal);
    mode.ok_or_else(|| format!("{raw:?} is no mode: write it as chmod has it, as in 0660"))
}

/// The same in a configuration file.
pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let typed = String::deserialize(deserializer)?;
    parse_mode(&typed).map(Some).map_err(de::Error::custom)
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
    use std::path::{Path, PathBuf};

    use socket2::{Domain, SockAddr, Socket, Type};
    use tokio::net::{UnixListener, UnixStream};
    use tracing::warn;

    use super::SocketAccess;
    use crate::protocol::address::Address;
    use crate::server::bind::BACKLOG;
    use crate::server::listen::Listener;

    /// Where the system keeps its groups (group(5)). One that is kept elsewhere, in a directory of a company say, is given by its
    /// number.
    const GROUPS: &str = "/etc/group";

    /// The name of a Unix socket in the file system, taken away at the end.
    #[derive(Debug)]
    pub struct SocketFile(PathBuf);

    impl SocketFile {
        /// One that we have made.
        pub(in crate::server) fn of(path: PathBuf) -> Self {
            Self(path)
        }

        /// Where it is.
        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            if let Err(error) = fs::remove_file(&self.0) {
                warn!(path = %self.0.display(), %error, "the socket could not be removed");
            }
        }
    }

    /// Listens at `path`, and leaves nothing there if that fails.
    ///
    /// # Errors
    /// See [`remedy`], and a sentence for a group that does not work.
    pub(in crate::server) async fn bind(path: &Path, access: &SocketAccess) -> io::Result<Listener> {
        let group = access.group.as_deref().map(group_id).transpose()?;
        remove_if_left_behind(path).await?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile(path.to_owned());
        if let Some(group) = group {
            chown(path, None, Some(group)).map_err(|error| of_group(&error, access))?;
        }
        let usual = if group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(access.mode.unwrap_or(usual)))?;
        socket.listen(BACKLOG)?;
        Ok(Listener::Unix(UnixListener::from_std(socket.into())?, Some(file)))
    }

    /// A socket that nobody answers at was left by a server that had no time to clean up.
    async fn remove_if_left_behind(path: &Path) -> io::Result<()> {
        if !fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            return Ok(());
        }
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            Err(error) => Err(error),
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        }
    }

    /// The number of a group that is given by its name or by its number.
    fn group_id(group: &str) -> io::Result<u32> {
        if let Ok(id) = group.parse() {
            return Ok(id);
        }
        let groups = fs::read_to_string(GROUPS).unwrap_or_default();
        id_in(&groups, group).ok_or_else(|| {
            io::Error::other(format!(
                "there is no group {group:?} in {GROUPS}: check its name, or give its number"
            ))
        })
    }

    /// `name:password:number:members`, one a line.
    fn id_in(groups: &str, name: &str) -> Option<u32> {
        let mut lines = groups.lines().map(|line| line.split(':'));
        let mut found = lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        found.nth(1)?.parse().ok()
    }

    fn of_group(error: &io::Error, access: &SocketAccess) -> io::Error {
        let group = access.group.as_deref().unwrap_or_default();
        io::Error::other(match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!("this user may not give the socket to the group {group}: become a member of it first")
            }
            _ => format!("the socket cannot be given to the group {group}: {error}"),
        })
    }

    /// What to do about a path at which it cannot listen.
    pub(in crate::server) fn remedy(path: &Path, error: &io::Error) -> String {
        let found = fs::symlink_metadata(path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.display();
        match (error.kind(), found) {
            (io::ErrorKind::AddrInUse, Ok(found)) if found.is_dir() => {
                "that is a folder: name a socket in it".to_owned()
            }
            (io::ErrorKind::AddrInUse, Ok(found)) if !found.file_type().is_socket() => {
                "a file that is no socket is there: choose another path, or move it away".to_owned()
            }
            (io::ErrorKind::AddrInUse, _) => {
                let address = Address::Unix(path.to_owned());
                format!(
                    "it is in use. If a parlor runs there already, `parlor join {address}` joins it; \
                     otherwise choose another path with --listen"
                )
            }
            (io::ErrorKind::PermissionDenied, Ok(_)) => {
                "somebody else's socket is there: choose another path with --listen".to_owned()
            }
            (io::ErrorKind::PermissionDenied, Err(_)) => {
                format!("this user may not write in {folder}: choose another folder, or change its rights")
            }
            (io::ErrorKind::NotFound, _) => format!("there is no folder {folder}: make it first"),
            (io::ErrorKind::NotADirectory, _) => format!("{folder} is no folder: choose another path"),
            (io::ErrorKind::ReadOnlyFilesystem, _) => {
                format!("{folder} cannot be written at all: choose another folder")
            }
            (io::ErrorKind::InvalidInput, _) => {
                "this system takes no path that is so long: choose a shorter one".to_owned()
            }
            _ => error.to_string(),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_group_is_found_by_its_name() {
            let groups = "root:x:0:\nadm:x:4:syslog,ada\nbroken\nodd:x:many:\n";
            assert_eq!(id_in(groups, "adm"), Some(4));
            for none in ["ad", "ada", "x", "broken", "odd", ""] {
                assert_eq!(id_in(groups, none), None, "{none}");
            }
            assert_eq!(group_id("17").unwrap(), 17);
            assert!(group_id("no-such-group").unwrap_err().to_string().contains("give its number"));
        }

        fn mode_of(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        #[tokio::test]
        async fn a_socket_has_its_mode_from_the_beginning_and_goes_with_its_listener() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            for (mode, group, wanted) in
                [(None, None, 0o600), (Some(0o666), None, 0o666), (None, own_group(folder.path()), 0o660)]
            {
                let listener = bind(&path, &SocketAccess { mode, group }).await.unwrap();
                assert_eq!(mode_of(&path), wanted);
                assert!(UnixStream::connect(&path).await.is_ok());
                drop(listener);
                assert!(!path.exists());
            }
            let nobodys = SocketAccess { group: Some("no-such-group".to_owned()), mode: None };
            assert!(bind(&path, &nobodys).await.is_err());
            assert!(!path.exists(), "nothing is left of one that failed");
        }

        fn own_group(file: &Path) -> Option<String> {
            use std::os::unix::fs::MetadataExt as _;
            Some(fs::metadata(file).unwrap().gid().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_written_as_chmod_has_it() {
        assert_eq!(parse_mode("0660"), Ok(0o660));
        assert_eq!(parse_mode("600"), Ok(0o600));
        for wrong in ["", "66", "0o660", "680", "1777", "00660", "rw-rw----", "+60", "é"] {
            assert!(parse_mode(wrong).unwrap_err().contains("as in 0660"), "{wrong}");
        }
    }
}
