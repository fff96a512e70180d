//! Where code is in a text: in blocks between lines of backticks, and between backticks within a line.

/// Backticks of the longest run that begins code.
pub const TICKS: usize = 8;

/// The line above a block of code.
#[derive(Clone, Copy, Debug)]
pub struct Fence<'a> {
    ticks: usize,
    /// What the code is in, may be empty.
    pub language: &'a str,
}

impl<'a> Fence<'a> {
    /// Whether a block of code begins with this line.
    pub fn opens(line: &'a str) -> Option<Self> {
        let rest = line.trim_start_matches('`');
        let ticks = line.len() - rest.len();
        let language = rest.trim();
        // "```x```" is code within a line, and so is a line that says anything behind its ticks.
        let opens = ticks >= 3 && !language.contains('`') && !language.contains(char::is_whitespace);
        opens.then_some(Self { ticks, language })
    }

    /// Whether the block ends with this line.
    pub fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.ticks && line.bytes().all(|byte| byte == b'`')
    }
}

/// How often `byte` stands at `at`, one after the other.
pub fn run(line: &str, at: usize, byte: u8) -> usize {
    line.as_bytes().iter().skip(at).take_while(|next| **next == byte).count()
}

/// The next run of exactly so many backticks.
pub fn closing_ticks(line: &str, from: usize, ticks: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += line.get(at..)?.find('`')?;
        let found = run(line, at, b'`');
        if found == ticks {
            return Some(at);
        }
        at += found;
    }
}

/// The parts of a text that are not code.
pub fn outside(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut open: Option<Fence<'_>> = None;
    for line in text.split('\n') {
        match open {
            // What is never closed goes to the end.
            Some(fence) if fence.is_closed_by(line) => open = None,
            Some(_) => {}
            None => {
                open = Fence::opens(line);
                if open.is_none() {
                    outside_in_line(line, &mut parts);
                }
            }
        }
    }
    parts
}

fn outside_in_line<'a>(line: &'a str, parts: &mut Vec<&'a str>) {
    let (mut from, mut at) = (0, 0);
    while let Some(found) = line.get(at..).and_then(|rest| rest.find('`')) {
        let start = at + found;
        let ticks = run(line, start, b'`');
        at = start + ticks;
        // Not for any number of them: each that is not closed is looked for up to the end of the line.
        let end = if ticks <= TICKS { closing_ticks(line, at, ticks) } else { None };
        if let Some(end) = end {
            parts.extend(line.get(from..start));
            at = end + ticks;
            from = at;
        }
    }
    parts.extend(line.get(from..));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_code_is_left() {
        assert_eq!(outside("a `b` c ``d ` e`` f"), ["a ", " c ", " f"]);
        assert_eq!(outside("a\n```rust\nb\n```\nc"), ["a", "c"]);
        assert_eq!(outside("```\nb"), [""; 0]);
        assert_eq!(outside("```b``` `c"), ["", " `c"]);
        let many = "`".repeat(TICKS + 1);
        let text = format!("{many}b{many}");
        assert_eq!(outside(&text), [text.as_str()]);
    }
}
