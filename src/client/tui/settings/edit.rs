//! One setting in the text of a file, changed so that every other byte stays: comments, order, spaces, line ends.

use toml_edit::{Document, Table};

use super::read::line_of;

/// The text with `name` in `section` set to `value`, which is written as TOML, or without it.
///
/// # Errors
/// A sentence that says what to do, when the text is no TOML, or says it in a way in which nothing can be put.
pub(super) fn set(text: &str, section: &str, name: &str, value: Option<&str>) -> Result<String, String> {
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("line {line} is not TOML: correct it first")
    })?;
    let table = document.get(section);
    let entry = table
        .and_then(|table| table.as_table_like())
        .and_then(|table| Some((table.key(name)?.span()?, table.get(name)?.span()?)));
    let name = toml_edit::Key::new(name).display_repr().into_owned();
    Ok(match (entry, value, table) {
        (Some((_, old)), Some(value), _) => replaced(text, old.start, old.end, value),
        (Some((key, old)), None, _) => removed(text, key.start, old.end),
        (None, None, _) => text.to_owned(),
        (None, Some(value), None) => {
            let end = end_of_line(text);
            let (gap, before) = match text {
                "" => ("", ""),
                text if text.ends_with('\n') => (end, ""),
                _ => (end, end),
            };
            format!("{text}{before}{gap}[{section}]{end}{name} = {value}{end}")
        }
        (None, Some(value), Some(table)) => {
            let header = table.as_table().filter(|table| !table.is_dotted() && !table.is_implicit());
            let Some(header) = header.and_then(|table| Some((table.span()?.start, table))) else {
                return Err(format!(
                    "there is no line [{section}]: write one, and {name} = {value} below it"
                ));
            };
            let place = place(text, header, &name);
            added(text, place, &format!("{name} = {value}"))
        }
    })
}

/// Behind which line a new one goes: the one that shows the setting commented out, or the last of the section.
fn place(text: &str, (header, table): (usize, &Table), name: &str) -> usize {
    let ends = table.iter().filter(|(_, item)| item.is_value()).filter_map(|(_, item)| item.span());
    let last = ends.map(|span| span.end).max().unwrap_or(header).max(header);
    let mut start = line_end(text, header);
    while let Some(line) = text.get(start..line_end(text, start)).filter(|line| !line.is_empty()) {
        let line_text = line.trim_start();
        if line_text.starts_with('[') {
            break;
        }
        let shown = line_text.strip_prefix('#').map(|shown| shown.trim_start_matches(':').trim_start());
        let behind = shown.and_then(|shown| shown.strip_prefix(name));
        if behind.is_some_and(|behind| behind.trim_start().starts_with('=')) {
            return start + line.len();
        }
        start += line.len();
    }
    line_end(text, last)
}

fn replaced(text: &str, start: usize, end: usize, new: &str) -> String {
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    format!("{before}{new}{after}")
}

/// Without what stands there, and without its line if there is nothing else in it.
fn removed(text: &str, start: usize, end: usize) -> String {
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let is_blank = |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.trim().is_empty());
    let line_end = line_end(text, end);
    if is_blank(line_start..start) && is_blank(end..line_end) {
        replaced(text, line_start, line_end, "")
    } else {
        // Of the space between it and a comment one is enough.
        let rest = text.get(end..).unwrap_or_default();
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        replaced(text, start, end + spaces, "")
    }
}

/// With one more line at this place, which is the end of a line.
fn added(text: &str, place: usize, line: &str) -> String {
    let end = end_of_line(text);
    let before = text.get(..place).unwrap_or(text);
    let gap = if before.ends_with('\n') { "" } else { end };
    replaced(text, place, place, &format!("{gap}{line}{end}"))
}

/// Behind the line in which a byte stands, its end included.
fn line_end(text: &str, byte: usize) -> usize {
    text.get(byte..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| byte + newline + 1)
}

/// How this file ends its lines.
fn end_of_line(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bell(text: &str, value: Option<&str>) -> String {
        set(text, "notices", "bell", value).unwrap()
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let text = "# top\r\n\r\n[notices]  # loud\r\n  bell   =  true   # mine\r\nwords = [\r\n  \"a\",  # one\r\n]\r\n";
        let off = text.replace("true", "false");
        assert_eq!(bell(text, Some("false")), off);
        assert_eq!(bell(&off, Some("true")), text);
        let words = set(text, "notices", "words", Some("[\"b\"]")).unwrap();
        assert_eq!(words, text.replace("[\r\n  \"a\",  # one\r\n]", "[\"b\"]"));
        assert_eq!(bell("notices.bell = true\n", Some("false")), "notices.bell = false\n");
        assert_eq!(bell("notices = { bell = true }\n", Some("false")), "notices = { bell = false }\n");
    }

    #[test]
    fn a_new_one_comes_where_one_would_look_for_it() {
        assert_eq!(bell("", Some("false")), "[notices]\nbell = false\n");
        assert_eq!(bell("# a", Some("false")), "# a\n\n[notices]\nbell = false\n");
        assert_eq!(bell("a = 1\n", Some("false")), "a = 1\n\n[notices]\nbell = false\n");
        let text = "[notices]\ntyping = true # b\n\n# about the next\n[screen]\nnoise = true\n";
        let with = "[notices]\ntyping = true # b\nbell = false\n\n# about the next\n[screen]\nnoise = true\n";
        assert_eq!(bell(text, Some("false")), with);
        assert_eq!(bell(with, None), text);
        let text = "[notices]\n# It rings.\n#: bell = true\n\n#: typing = true\n[screen]";
        let with = "[notices]\n# It rings.\n#: bell = true\nbell = false\n\n#: typing = true\n[screen]";
        assert_eq!(bell(text, Some("false")), with);
        assert_eq!(bell(with, None), text);
        assert_eq!(bell("[notices]", Some("false")), "[notices]\nbell = false\n");
    }

    #[test]
    fn comments_stay_where_something_is_taken_out() {
        let text = "[notices]\n# why\nbell = false # because\ntyping = true";
        assert_eq!(bell(text, None), "[notices]\n# why\n# because\ntyping = true");
        assert_eq!(
            set(text, "notices", "typing", None).unwrap(),
            "[notices]\n# why\nbell = false # because\n"
        );
        assert_eq!(bell("a = 1", None), "a = 1");
    }

    #[test]
    fn what_cannot_be_changed_says_what_to_do() {
        assert_eq!(
            set("\n[x", "notices", "bell", Some("true")),
            Err("line 2 is not TOML: correct it first".to_owned())
        );
        assert!(
            set("notices.typing = true\n", "notices", "bell", Some("true"))
                .unwrap_err()
                .contains("[notices]")
        );
        assert!(set("notices = 3\n", "notices", "bell", Some("true")).is_err());
    }

    #[test]
    fn names_with_signs_are_quoted() {
        let text = set("", "rooms", "id #rust", Some("\"all\"")).unwrap();
        assert_eq!(text, "[rooms]\n\"id #rust\" = \"all\"\n");
        assert_eq!(
            set(&text, "rooms", "id #rust", Some("\"nothing\"")).unwrap(),
            text.replace("all", "nothing")
        );
    }
}
