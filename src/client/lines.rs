//! Standard input, line by line, in bounded memory.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// A line, or a part of one that is too long to be held whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Without the end of the line.
    pub bytes: Vec<u8>,
    /// The line ends here.
    pub ends: bool,
}

/// Reads lines, and gives those of more than `max` bytes in parts. A part ends between two characters
/// of UTF-8, where it is UTF-8.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
    max: usize,
    over: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of at most `max` bytes.
    pub fn new(input: R, max: usize) -> Self {
        Self { input, line: Vec::new(), max, over: false }
    }

    /// The next line or part of one; `None` at the end. A last line without its end is a line.
    ///
    /// Cancel safe: what was read stays here.
    ///
    /// # Errors
    /// What the input says.
    pub async fn next(&mut self) -> io::Result<Option<Part>> {
        loop {
            let read = self.input.fill_buf().await?;
            if read.is_empty() {
                self.over = true;
                let rest = std::mem::take(&mut self.line);
                return Ok((!rest.is_empty()).then_some(Part { bytes: rest, ends: true }));
            }
            let room = self.max - self.line.len();
            if let Some(end) = read.iter().take(room + 1).position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&read[..end]);
                self.input.consume(end + 1);
                return Ok(Some(Part { bytes: std::mem::take(&mut self.line), ends: true }));
            }
            let taken = read.len().min(room);
            self.line.extend_from_slice(&read[..taken]);
            self.input.consume(taken);
            if taken == 0 {
                let rest = self.line.split_off(end_of_characters(&self.line));
                let bytes = std::mem::replace(&mut self.line, rest);
                return Ok(Some(Part { bytes, ends: false }));
            }
        }
    }

    /// Whether all was read to its end.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

/// Where the last whole character of UTF-8 ends; all of it, if what follows is no start of one.
fn end_of_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4).position(|byte| byte & 0xC0 != 0x80);
    let Some(behind) = last else { return bytes.len() };
    let start = bytes.len() - 1 - behind;
    let needs = match bytes[start] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    // A part must not be empty, or the reading would never come to an end.
    if start > 0 && behind + 1 < needs { start } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(input: &[u8], max: usize, capacity: usize) -> Vec<Part> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut lines = Lines::new(tokio::io::BufReader::with_capacity(capacity, input), max);
            let mut parts = Vec::new();
            while let Some(part) = lines.next().await.unwrap() {
                parts.push(part);
            }
            assert!(lines.is_over());
            parts
        })
    }

    fn part(text: &str, ends: bool) -> Part {
        Part { bytes: text.as_bytes().to_vec(), ends }
    }

    #[test]
    fn lines_come_whole_with_or_without_a_last_end() {
        for capacity in 1..8 {
            assert_eq!(read(b"a\n\nbc", 10, capacity), [part("a", true), part("", true), part("bc", true)]);
            assert_eq!(read(b"a\n", 10, capacity), [part("a", true)]);
            assert_eq!(read(b"", 10, capacity), []);
        }
    }

    #[test]
    fn a_line_as_long_as_allowed_is_whole_and_a_longer_one_comes_in_parts() {
        for capacity in 1..8 {
            assert_eq!(read(b"abcd\ne", 4, capacity), [part("abcd", true), part("e", true)]);
            assert_eq!(
                read(b"abcde\nf", 4, capacity),
                [part("abcd", false), part("e", true), part("f", true)]
            );
        }
    }

    #[test]
    fn parts_end_between_characters() {
        assert_eq!(read("a漢字".as_bytes(), 6, 3), [part("a漢", false), part("字", true)]);
        assert_eq!(read("a👍b".as_bytes(), 4, 64), [part("a", false), part("👍", false), part("b", true)]);
        assert_eq!(read(&[0xFF; 5], 4, 64).len(), 2);
        assert_eq!(read(&[0x80; 9], 4, 64).len(), 3);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_grows(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            max in 4_usize..20, capacity in 1_usize..30,
        ) {
            let mut all = Vec::new();
            for part in read(&input, max, capacity) {
                prop_assert!(part.bytes.len() <= max && (part.ends || !part.bytes.is_empty()));
                all.extend(part.bytes);
                all.extend(part.ends.then_some(b'\n'));
            }
            if !input.is_empty() && !input.ends_with(b"\n") {
                all.pop();
            }
            prop_assert_eq!(all, input);
        }
    }
}
