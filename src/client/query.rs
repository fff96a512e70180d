//! What is searched for, as people write it: words and "phrases", and filters as `from:bob in:#rust before:2026-11-03`.

use jiff::tz::TimeZone;

use super::moment;
use super::place::Place;
use crate::protocol::command::{Has, Search};
use crate::protocol::limits::{SEARCH_BYTES, SEARCH_HITS};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// What can be written, and what it means: for every help.
pub const LANGUAGE: [(&str, &str); 9] = [
    ("some words", "messages with all of them"),
    ("\"some words\"", "these words, one behind the other"),
    ("beg*", "words that begin so"),
    ("from:bob", "said by bob"),
    ("in:#rust", "in this room; otherwise, in all that you are in"),
    ("in:here in:@bob", "in the room in sight; what you and bob said alone"),
    ("before:2026-11-03", "before that day; also a time, yesterday, monday, \"monday 14:00\""),
    ("after:yesterday", "from the beginning of that day on"),
    ("has:link has:file", "with an address of the web; with a file"),
];

/// The last line of the language, which goes without words.
pub const MENTIONS: (&str, &str) = ("mentions:me", "said by others, and naming you");

/// Finds the room in which one speaks with some people alone.
pub type With<'a> = &'a dyn Fn(&[Nick]) -> Option<RoomName>;

/// Rooms that can be called otherwise than by their names, on a screen.
#[derive(Clone, Copy)]
pub struct Rooms<'a> {
    /// The one in sight.
    pub here: Option<&'a RoomName>,
    /// The one in which we speak with these people alone.
    pub with: With<'a>,
}

/// Reads a search as [`read`] does, where it is known already which room is that of some people alone.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn parse(typed: &str, now: Time, zone: &TimeZone, rooms: Rooms<'_>) -> Result<Option<Search>, String> {
    let Some((search, place)) = read(typed, now, zone, rooms.here)? else { return Ok(None) };
    let room = match place {
        None => None,
        Some(Place::Room(room)) => Some(room),
        Some(Place::People(people)) => {
            let room = (rooms.with)(&people);
            let place = Place::People(people);
            Some(room.ok_or_else(|| format!("you do not speak with {place} alone here: /msg opens that"))?)
        }
    };
    Ok(Some(Search { room, ..search }))
}

/// Reads a search in the zone of who writes it, and where to search, which is not in it; `None` where nothing is searched for.
/// What looks like a filter and is none is a word. `here` is the room in sight, if there is a screen.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn read(
    typed: &str,
    now: Time,
    zone: &TimeZone,
    here: Option<&RoomName>,
) -> Result<Option<(Search, Option<Place>)>, String> {
    let mut search = Search { limit: SEARCH_HITS, ..Search::default() };
    let mut place = None;
    let mut words: Vec<&str> = Vec::new();
    let mut filtered = false;
    for part in parts(typed) {
        let (filter, value) = part.split_once(':').unwrap_or((part, ""));
        let value = value.trim_matches('"').trim();
        match &*filter.to_lowercase() {
            _ if !part.contains(':') => {
                words.push(part);
                continue;
            }
            "from" => once(&mut search.nick, nick(value)?, "from:")?,
            "in" => once(&mut place, self::place(value, here)?, "in:")?,
            "before" => once(&mut search.until, day(value, "before:yesterday", now, zone)?, "before:")?,
            "after" => once(&mut search.since, day(value, "after:yesterday", now, zone)?, "after:")?,
            "has" => {
                let has = match &*value.to_lowercase() {
                    "link" => Has::Link,
                    "file" => Has::File,
                    _ => return Err("say what it has: has:link or has:file".to_owned()),
                };
                if !search.has.contains(&has) {
                    search.has.push(has);
                }
            }
            "mentions" if value.eq_ignore_ascii_case("me") => search.mentions = true,
            "mentions" => return Err("only mentions of yourself can be searched: mentions:me".to_owned()),
            _ => {
                words.push(part);
                continue;
            }
        }
        filtered = true;
    }
    let text = words.join(" ");
    if text.len() > SEARCH_BYTES {
        return Err(format!(
            "these are {} bytes of words and at most {SEARCH_BYTES} can be searched for: take fewer",
            text.len()
        ));
    }
    if search.mentions && !text.is_empty() {
        return Err(
            "mentions:me finds all that names you: leave the words out, from: in: before: after: narrow it"
                .to_owned(),
        );
    }
    search.text = Line::lossy(&text);
    Ok((filtered || !search.text.is_empty()).then_some((search, place)))
}

/// What stands between white space, but for that in quotation marks.
fn parts(typed: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = typed.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    split.filter(|part| !part.is_empty()).collect()
}

fn once<T>(place: &mut Option<T>, value: T, filter: &str) -> Result<(), String> {
    match place.replace(value) {
        Some(_) => Err(format!("{filter} can stand there once")),
        None => Ok(()),
    }
}

fn nick(value: &str) -> Result<Nick, String> {
    let value = value.strip_prefix('@').unwrap_or(value);
    if value.is_empty() {
        return Err("say by whom: from:bob".to_owned());
    }
    Nick::new(value).map_err(|error| format!("from: {error}"))
}

fn place(value: &str, here: Option<&RoomName>) -> Result<Place, String> {
    if value == "here" {
        let here = here.cloned().map(Place::Room);
        return here.ok_or_else(|| "you look at no room: say which one, in:#rust".to_owned());
    }
    if matches!(value, "" | "#") {
        return Err("say in which room: in:#rust".to_owned());
    }
    value.parse().map_err(|error| format!("in: {error}"))
}

fn day(value: &str, example: &str, now: Time, zone: &TimeZone) -> Result<Time, String> {
    if value.is_empty() {
        return Err(format!("say when: {example}"));
    }
    moment::parse(value, now, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Saturday, 21 November 2026, 11:02 UTC.
    const NOW: i64 = 1_795_258_920_000;

    fn read(typed: &str) -> Result<Option<Search>, String> {
        let den = RoomName::new("#den").unwrap();
        let with = |people: &[Nick]| (people.len() == 1).then(|| RoomName::direct(&[1, 2].into())).flatten();
        parse(typed, Time::from_millis(NOW), &TimeZone::UTC, Rooms { here: Some(&den), with: &with })
    }

    fn searched(typed: &str) -> serde_json::Value {
        serde_json::to_value(read(typed).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn words_and_filters_are_told_apart() {
        assert_eq!(
            searched(
                "did \"the build\" from:@Bob in:rust before:2026-11-03 after:\"monday 14:00\" has:link HAS:file pass"
            ),
            serde_json::json!({
                "text": "did \"the build\" pass", "nick": "Bob", "room": "#rust", "has": ["link", "file"],
                "until": "2026-11-03T00:00:00.000Z", "since": "2026-11-16T14:00:00.000Z", "limit": SEARCH_HITS,
            })
        );
        assert_eq!(searched("mentions:me")["mentions"], true);
        assert_eq!(
            (searched("in:here")["room"].as_str(), searched("in:#here")["room"].as_str()),
            (Some("#den"), Some("#here"))
        );
        assert_eq!(searched("in:@bob")["room"], "@1+2");
    }

    #[test]
    fn what_only_looks_like_a_filter_is_a_word() {
        for typed in ["https://example.org", "std::fmt", "\"from:bob said\"", "a:b", "re:"] {
            assert_eq!(searched(typed)["text"], typed);
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("  \t").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        let long = "x".repeat(SEARCH_BYTES + 1);
        let wrong = [
            "from:",
            "from:a from:b",
            "from:-x",
            "in:",
            "in:@bob,carol",
            "before:soon",
            "after:",
            "has:fun",
            "mentions:bob",
            "mentions:me x",
            &long,
        ];
        insta::assert_snapshot!(wrong.map(|typed| read(typed).unwrap_err()).join("\n"), @r"
        say by whom: from:bob
        from: can stand there once
        from: a name starts with a letter or a digit, not with '-'
        say in which room: in:#rust
        you do not speak with @bob,carol alone here: /msg opens that
        soon is no day and no time: write 2026-11-03, 3 nov, 14:00, yesterday, monday, or a day and a time
        say when: after:yesterday
        say what it has: has:link or has:file
        only mentions of yourself can be searched: mentions:me
        mentions:me finds all that names you: leave the words out, from: in: before: after: narrow it
        these are 257 bytes of words and at most 256 can be searched for: take fewer
        ");
    }

    proptest! {
        #[test]
        fn anything_is_a_search_or_an_error_in_words(typed in "\\PC{0,60}|((from|in|before|after|has|mentions):\\PC{0,12} ?){0,4}") {
            if let Err(sentence) = read(&typed) {
                prop_assert!(!sentence.is_empty());
            }
        }
    }
}
