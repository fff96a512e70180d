//! docs/protocol.md, and docs/security.md, say what the program does: they cannot drift.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use parlor::protocol::command::Command;
use parlor::protocol::event::{EntryKind, Event, Reason};
use parlor::protocol::invite::Pin;
use parlor::protocol::proof::Cost;
use parlor::protocol::{self, limits};

const DOCUMENT: &str = include_str!("../docs/protocol.md");
const SECURITY: &str = include_str!("../docs/security.md");
const COMMANDS: &str = include_str!("../src/protocol/command.rs");
const COMMANDS_ABOUT_TALK: &str = include_str!("../src/protocol/command/talk.rs");
const EVENTS: &str = include_str!("../src/protocol/event.rs");
const EVENTS_ABOUT_TALK: &str = include_str!("../src/protocol/event/talk.rs");
const STATS: &str = include_str!("../src/protocol/stats.rs");
const WORDS: &str = include_str!("../src/protocol/words.rs");
const LIMITS: &str = include_str!("../src/protocol/limits.rs");

/// The part of the document below a heading of the second level.
fn section(title: &str) -> &'static str {
    let start = DOCUMENT.find(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    let body = &DOCUMENT[start + 4..];
    &body[..body.find("\n## ").unwrap_or(body.len())]
}

/// What stands in the first column of the tables of a section, in backticks.
fn rows(title: &str) -> BTreeSet<&'static str> {
    section(title)
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .filter_map(|word| word.split('`').nth(1))
        .collect()
}

/// The variants of an enum, as the wire spells them.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let start = source.find(&format!("pub enum {name} {{")).unwrap_or_else(|| panic!("no enum {name}"));
    let body = &source[start..];
    let body = &body[..body.find("\n}").unwrap_or(body.len())];
    body.lines()
        .skip(1)
        .map(str::trim)
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| snake(line.split(['(', ',', ' ']).next().unwrap_or(line)))
        .collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// All of `wanted` and nothing else, but for what never goes over the wire.
fn assert_same(what: &str, documented: &BTreeSet<&str>, wanted: &BTreeSet<String>, not_on_the_wire: &[&str]) {
    let wanted: BTreeSet<&str> =
        wanted.iter().map(String::as_str).filter(|name| !not_on_the_wire.contains(name)).collect();
    assert_eq!(documented, &wanted, "{what}");
}

#[test]
fn every_error_code_is_documented() {
    assert_same("codes", &rows("Error codes"), &variants(WORDS, "ErrorCode"), &["unknown"]);
}

#[test]
fn every_reason_is_documented_and_says_whether_to_come_back() {
    assert_same("reasons", &rows("Reasons for the end"), &variants(WORDS, "Reason"), &["unknown"]);
    for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::Unknown) {
        let name = serde_json::to_value(reason).unwrap();
        let row = format!("| `{}` |", name.as_str().unwrap());
        let row = section("Reasons for the end").lines().find(|line| line.starts_with(&row)).unwrap();
        let answer = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert_eq!(answer.starts_with("no"), reason.is_final(), "{row}");
    }
}

#[test]
fn every_command_and_event_is_documented() {
    let commands = variants(COMMANDS, "Command");
    let listed = rows("Commands").into_iter().filter(|name| commands.contains(*name)).collect();
    assert_same("commands in the table", &listed, &commands, &[]);
    assert_same("sections of commands", &headings("Commands"), &commands, &[]);

    let mut events = variants(EVENTS, "Event");
    let mut sections = events.clone();
    sections.insert("Entries".to_owned());
    assert_same("sections of events", &headings("Events"), &sections, &["unknown", "entry"]);
    events.extend(variants(EVENTS, "EntryKind"));
    let listed = rows("Events").into_iter().filter(|name| events.contains(*name)).collect();
    assert_same("events in the table", &listed, &events, &["unknown", "entry"]);
}

fn headings(title: &str) -> BTreeSet<&'static str> {
    section(title).lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

#[test]
fn every_field_is_documented() {
    for (source, title) in [
        (COMMANDS, "Commands"),
        (COMMANDS_ABOUT_TALK, "Commands"),
        (EVENTS, "Events"),
        (EVENTS_ABOUT_TALK, "Events"),
        (STATS, "Events"),
    ] {
        for line in source.lines() {
            let Some((field, _)) = line.trim().strip_prefix("pub ").and_then(|rest| rest.split_once(": "))
            else {
                continue;
            };
            // On the wire one is one of `before`, `after`, `around` and `at`, and the other the fields of a room.
            if !matches!(field, "place" | "info") && !field.contains(['(', ' ']) {
                assert!(section(title).contains(&format!("`{field}`")), "{title}: {field}");
            }
        }
    }
    for field in ["before", "after", "around", "at"] {
        assert!(rows("Commands").contains(field), "{field}");
    }
}

#[test]
fn every_limit_has_its_value() {
    use limits::*;
    fn seconds(time: Duration) -> String {
        format!("{} s", time.as_secs_f64())
    }
    let on_the_wire = [
        ("text_bytes", TEXT_BYTES.to_string()),
        ("agent_bytes", AGENT_BYTES.to_string()),
        ("line_bytes", LINE_BYTES.to_string()),
        ("topic_bytes", TOPIC_BYTES.to_string()),
        ("command_bytes", COMMAND_BYTES.to_string()),
        ("event_bytes", EVENT_BYTES.to_string()),
        ("nick_columns", NICK_COLUMNS.to_string()),
        ("room_columns", ROOM_COLUMNS.to_string()),
        ("name_bytes", NAME_BYTES.to_string()),
        ("marks_on_a_letter", MARKS_ON_A_LETTER.to_string()),
        ("passphrase_shortest", PASSPHRASE_SHORTEST.to_string()),
        ("passphrase_bytes", PASSPHRASE_BYTES.to_string()),
        ("host_bytes", HOST_BYTES.to_string()),
        ("zone_bytes", ZONE_BYTES.to_string()),
        ("socket_path_bytes", SOCKET_PATH_BYTES.to_string()),
        ("invite_bytes", INVITE_BYTES.to_string()),
        ("request_id_bytes", REQUEST_ID_BYTES.to_string()),
        ("page_entries", PAGE_ENTRIES.to_string()),
        ("page_bytes", PAGE_BYTES.to_string()),
        ("list_items", LIST_ITEMS.to_string()),
        ("reactions_per_message", REACTIONS_PER_MESSAGE.to_string()),
        ("edits_per_message", EDITS_PER_MESSAGE.to_string()),
        ("direct_people", DIRECT_PEOPLE.to_string()),
        ("away_bytes", AWAY_BYTES.to_string()),
        ("motd_bytes", MOTD_BYTES.to_string()),
        ("search_bytes", SEARCH_BYTES.to_string()),
        ("search_hits", SEARCH_HITS.to_string()),
        ("search_time", seconds(SEARCH_TIME)),
        ("search_burst", SEARCH_BURST.to_string()),
        ("searches_per_second", SEARCHES_PER_SECOND.to_string()),
        ("typing_every", seconds(TYPING_EVERY)),
        ("typing_shown", seconds(TYPING_SHOWN)),
        ("typing_told", TYPING_TOLD.to_string()),
        ("counted_entries", COUNTED_ENTRIES.to_string()),
        ("counted_bytes", COUNTED_BYTES.to_string()),
        ("direct_rooms", DIRECT_ROOMS.to_string()),
        ("direct_rooms_per_person", DIRECT_ROOMS_PER_PERSON.to_string()),
        ("read_rooms", READ_ROOMS.to_string()),
        ("read_positions", READ_POSITIONS.to_string()),
        ("kept_shortest", seconds(KEPT_SHORTEST)),
        ("kept_longest", seconds(KEPT_LONGEST)),
        ("rooms_per_session", ROOMS_PER_SESSION.to_string()),
        ("handshake_time", seconds(HANDSHAKE_TIME)),
        ("ping_every", seconds(PING_EVERY)),
        ("dead_after", seconds(DEAD_AFTER)),
        ("stall_time", seconds(STALL_TIME)),
        ("presence_every", seconds(PRESENCE_EVERY)),
        ("delay_told_after", seconds(DELAY_TOLD_AFTER)),
        ("replies_owed", REPLIES_OWED.to_string()),
        ("reply_bytes_owed", REPLY_BYTES_OWED.to_string()),
        ("linger_time", seconds(LINGER_TIME)),
        ("people", PEOPLE.to_string()),
        ("names_per_person", NAMES_PER_PERSON.to_string()),
        ("name_kept", seconds(NAME_KEPT)),
        ("keys_per_person", KEYS_PER_PERSON.to_string()),
        ("device_code_time", seconds(DEVICE_CODE_TIME)),
        ("wrong_codes", WRONG_CODES.to_string()),
        ("ignored", IGNORED.to_string()),
        ("bans", BANS.to_string()),
        ("mutes", MUTES.to_string()),
        ("rooms_ruled", ROOMS_RULED.to_string()),
        ("allowed_per_room", ALLOWED_PER_ROOM.to_string()),
        ("tickets", TICKETS.to_string()),
        ("command_burst", COMMAND_BURST.to_string()),
        ("commands_per_second", COMMANDS_PER_SECOND.to_string()),
        ("message_burst", MESSAGE_BURST.to_string()),
        ("messages_per_second", MESSAGES_PER_SECOND.to_string()),
        ("connections", CONNECTIONS.to_string()),
        ("connections_per_address", CONNECTIONS_PER_ADDRESS.to_string()),
        ("rooms", ROOMS.to_string()),
        ("members_per_room", MEMBERS_PER_ROOM.to_string()),
    ];
    for (name, value) in &on_the_wire {
        assert!(section("Limits").contains(&format!("\n| `{name}` | {value} | ")), "{name} is {value}");
    }
    // How the server works inside: a client can see nothing of it.
    let inside = [
        "shutdown_time",
        "purge_after",
        "purge_at_last",
        "purged_at_once",
        "expire_every",
        "expire_parts",
        "expire_pause",
        "submission_entries",
        "log_queue",
        "commit_entries",
        "channel_batches",
        "batch_bytes",
        "catch_up_bytes",
        "commits_ahead",
        "log_readers",
        "count_wait",
        "term_bytes",
        "searches_at_once",
        "index_every",
        "index_step_bytes",
        "notes_owed",
        "read_kept_every",
    ];
    let all: BTreeSet<String> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .filter_map(|line| line.split(':').next())
        .map(str::to_lowercase)
        .collect();
    let known = on_the_wire.iter().map(|(name, _)| *name).chain(inside);
    assert_eq!(all.iter().map(String::as_str).collect::<BTreeSet<_>>(), known.collect(), "limits.rs");
    assert_same("limits", &rows("Limits"), &all, &inside);
}

#[test]
fn what_is_said_of_security_has_the_numbers_of_the_program() {
    use limits::*;
    let thousands = |number: usize| format!("{},{:03}", number / 1000, number % 1000);
    let Cost { n, r, p } = Cost::USUAL;
    for said in [
        format!("n = {n}, r = {r}, p = {p})"),
        format!("at least {PASSPHRASE_SHORTEST}\n  characters"),
        format!("{} connections, {CONNECTIONS_PER_ADDRESS} from one address", thousands(CONNECTIONS)),
        format!("{MESSAGE_BURST} messages at once and {MESSAGES_PER_SECOND} a second"),
        format!("{COMMAND_BURST} other commands at once and {COMMANDS_PER_SECOND} a second"),
        format!("TLS and `hello` together have {} s", HANDSHAKE_TIME.as_secs()),
        format!("whole within {} s", DEAD_AFTER.as_secs()),
        format!("after {} s the connection", STALL_TIME.as_secs()),
        format!("these {} to 32 bytes", Pin::SHORTEST),
        format!("the same {} bytes", Pin::SHORTEST),
    ] {
        let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(in_one_line(SECURITY).contains(&in_one_line(&said)), "{said}");
    }
    assert_eq!((NAMES_PER_PERSON, NAME_KEPT.as_secs()), (5, 365 * 24 * 60 * 60), "five names, for a year");
    let fair = |mebibytes: u32| Cost { n: mebibytes << 10, r: 8, p: 1 }.is_fair();
    assert!(SECURITY.contains("below 16 MiB, and none above 128 MiB"));
    assert!(fair(16) && !fair(8) && fair(128) && !fair(256));
}

#[test]
fn version_and_port_are_those_of_the_program() {
    assert!(DOCUMENT.starts_with(&format!("# The protocol of parlor, version {}\n", protocol::VERSION)));
    assert!(DOCUMENT.contains(&format!("TCP port {} unless", protocol::DEFAULT_PORT)));
}

#[test]
fn the_session_is_made_of_true_frames() {
    let mut frames = 0;
    for line in section("A session, word for word").lines() {
        if let Some(json) = line.strip_prefix("C ") {
            let command = Command::decode(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
            // `#Lobby` shows that the server folds names.
            let said = serde_json::to_string(&command).unwrap().replace("#lobby", "#Lobby");
            assert_eq!(said, json.replace("#lobby", "#Lobby"));
        } else if let Some(json) = line.strip_prefix("S ") {
            let event = Event::decode(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
            assert_ne!(event, Event::Unknown);
            assert!(!matches!(&event, Event::Entry(entry) if entry.kind == EntryKind::Unknown));
            assert_eq!(serde_json::to_string(&event).unwrap(), json);
        } else {
            continue;
        }
        frames += 1;
    }
    assert!(frames > 20);
}

#[test]
fn every_link_within_a_document_leads_somewhere() {
    for document in [DOCUMENT, SECURITY] {
        links_lead_somewhere(document);
    }
}

fn links_lead_somewhere(document: &str) {
    let mut anchors: Vec<String> = Vec::new();
    for heading in document.lines().filter(|line| line.starts_with('#')) {
        let slug: String = heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let same = anchors.iter().filter(|anchor| **anchor == slug).count();
        let again = anchors.iter().filter(|anchor| anchor.starts_with(&format!("{slug}-"))).count();
        anchors.push(if same == 0 { slug } else { format!("{slug}-{}", again + 1) });
    }
    for link in document.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(anchors.iter().any(|anchor| anchor == link), "#{link}");
    }
}
