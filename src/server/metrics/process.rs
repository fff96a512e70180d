//! What the system says of this process, where it has a `/proc`.

use std::fs;

/// Read when somebody asks, and not before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// Bytes of memory that it occupies.
    pub memory_bytes: Option<u64>,
    /// Files that it has open.
    pub open_files: Option<u64>,
}

impl Process {
    /// Asks the system. With many connections this takes a millisecond or so: call it where it may block.
    pub fn read() -> Self {
        let memory_bytes = fs::read_to_string("/proc/self/status").ok().and_then(|status| resident(&status));
        // The folder is open too while it is read.
        let open_files =
            fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1) as u64);
        Self { memory_bytes, open_files }
    }
}

/// The resident set, which `status` says in kB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_the_system_writes() {
        assert_eq!(resident("VmHWM:\t   99 kB\nVmRSS:\t    3456 kB\nRssAnon:\t 1 kB\n"), Some(3456 * 1024));
        for other in ["", "VmRSS:", "VmRSS: many kB", "VmRSS: 5 MB", "VmRSS: 18446744073709551615 kB"] {
            assert_eq!(resident(other), None, "{other:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn another_file_that_is_open_counts_and_memory_is_more_than_nothing() {
        // Tests run beside this one and open files too: many of one's own stand out.
        let before = Process::read();
        let open: Vec<_> = (0..200).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        let after = Process::read();
        assert!(after.open_files.unwrap() >= before.open_files.unwrap() + 100, "{before:?} {after:?}");
        assert!(after.memory_bytes.unwrap() > 1024 * 1024, "{after:?}");
        drop(open);
    }
}
