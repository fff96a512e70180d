//! A room as a document for people: Markdown, or a page for browsers.
//!
//! What was said cannot become more than text: in HTML all of it is escaped, and the page forbids itself scripts and
//! everything from elsewhere. In Markdown each message is a quotation, which ends with it whatever it leaves open, and HTML in
//! it is escaped too.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};

use crate::client::days::Days;
use crate::protocol::event::{Entry, EntryKind, Present};
use crate::protocol::text::Line;
use crate::protocol::time::Time;

const STYLE: &str = "body{max-width:50em;margin:2em auto;padding:0 1em;font:16px/1.5 system-ui,sans-serif;\
    color-scheme:light dark}h2{font-size:1em;margin-top:2em;border-bottom:1px solid #8888}\
    .said{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0}time,.note{color:#888;font-size:.85em}\
    a{color:inherit}";

/// Writes one entry after the other.
#[derive(Debug)]
pub(super) struct Document {
    zone: TimeZone,
    is_html: bool,
    days: Days,
}

impl Document {
    pub(super) fn markdown(zone: TimeZone) -> Self {
        Self { zone, is_html: false, days: Days::default() }
    }

    pub(super) fn html(zone: TimeZone) -> Self {
        Self { zone, is_html: true, days: Days::default() }
    }

    /// What comes before the entries.
    pub(super) fn head(&self, room: &str, parlor: &Line, now: Time) -> String {
        let at = now.timestamp().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
        if !self.is_html {
            let (room, parlor) = (inline(room), inline(parlor.as_str()));
            return format!("# {room}\n\nFrom {parlor}, as it was on {at}.");
        }
        let (room, parlor) = (html(room), html(parlor.as_str()));
        let style = BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        format!(
            "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
             base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{room}</title>\n\
             <style>{STYLE}</style></head>\n<body><h1>{room}</h1>\n<p class=\"note\">From {parlor}, as it was on {at}.</p>"
        )
    }

    /// An entry, with the day before it if that is another one; nothing for one that only changes others.
    pub(super) fn entry(&mut self, entry: &Entry) -> Option<String> {
        if !matches!(entry.kind, EntryKind::Message | EntryKind::Topic) {
            return None;
        }
        let at = entry.at.timestamp().to_zoned(self.zone.clone());
        let mut out = String::new();
        if let Some(day) = self.days.next(&at) {
            let day = day.strftime("%A, %-d %B %Y");
            out = if self.is_html { format!("<h2>{day}</h2>\n") } else { format!("\n## {day}\n") };
        }
        let clock = at.strftime("%H:%M").to_string();
        out += &if self.is_html { page_entry(entry, &clock) } else { quoted_entry(entry, &clock) };
        Some(out)
    }

    /// What comes after the entries.
    pub(super) fn foot(&self) -> Option<&'static str> {
        self.is_html.then_some("</body></html>")
    }
}

/// What is said beside a message: what it answers, what became of it.
fn notes(now: Option<&Present>) -> Vec<String> {
    let Some(now) = now else { return Vec::new() };
    let mut notes = Vec::new();
    if now.edited.is_some() && !now.deleted {
        notes.push("edited".to_owned());
    }
    notes.extend(
        now.reactions.iter().map(|reaction| format!("{} {}", reaction.emoji.as_str(), reaction.count)),
    );
    notes
}

/// What was said, as a sentence of this document where it is not the message's own text.
fn told(entry: &Entry) -> Option<&'static str> {
    match entry.kind {
        EntryKind::Topic if entry.text.as_str().is_empty() => Some("took away the topic"),
        EntryKind::Message if entry.now.as_ref().is_some_and(|now| now.deleted) => {
            Some("deleted this message")
        }
        _ => None,
    }
}

fn page_entry(entry: &Entry, clock: &str) -> String {
    let (from, seq) = (html(entry.from.as_str()), entry.seq);
    let answer = entry.reply_to.map(|seq| format!("<a href=\"#m{seq}\">↪</a> ")).unwrap_or_default();
    let text = match told(entry) {
        Some(told) => format!("<span class=\"note\">{told}</span>"),
        None if entry.kind == EntryKind::Topic => format!("set the topic: {}", html(entry.text.as_str())),
        None => html(entry.text.as_str()),
    };
    let notes: String = notes(entry.now.as_deref())
        .iter()
        .map(|note| format!(" <span class=\"note\">{}</span>", html(note)))
        .collect();
    let name = if entry.action { format!("* <b>{from}</b>") } else { format!("<b>{from}</b>") };
    format!("<div class=\"said\" id=\"m{seq}\"><time>{clock}</time> {name} {answer}{text}{notes}</div>")
}

fn quoted_entry(entry: &Entry, clock: &str) -> String {
    let mut head = format!("\n**{}** · {clock} · {}", inline(entry.from.as_str()), entry.seq);
    if let Some(seq) = entry.reply_to {
        head += &format!(" · answers {seq}");
    }
    for note in notes(entry.now.as_deref()) {
        head += &format!(" · {note}");
    }
    let text = match told(entry) {
        Some(told) => format!("*{told}*"),
        None if entry.kind == EntryKind::Topic => format!("*set the topic:* {}", inline(entry.text.as_str())),
        None if entry.action => {
            format!("*{}* {}", inline(entry.from.as_str()), quotable(entry.text.as_str()))
        }
        None => quotable(entry.text.as_str()),
    };
    format!("{head}\n\n> {}", text.replace('\n', "\n> "))
}

/// Text that means nothing to a browser.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// One line in which nothing is marked up.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

/// The text of a message, whose own Markdown stays, without HTML. What stands between fences stays as it is: there is no HTML
/// for a reader of Markdown.
fn quotable(text: &str) -> String {
    let mut fenced = false;
    let lines = text.split('\n').map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        // One that opens is not indented, and names a language at most. Where it is in doubt whether one is open, none is.
        let opens = !fenced && line.starts_with("```") && !line.trim_start_matches('`').contains('`');
        let stays = fenced && !is_fence;
        fenced = if fenced { !is_fence } else { opens };
        if stays { line.to_owned() } else { line.replace('<', "\\<") }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{EntryText, Reaction};
    use uuid::Uuid;

    fn entry(text: &str) -> Entry {
        Entry {
            kind: EntryKind::Message,
            room: "#a".parse().unwrap(),
            seq: 7,
            id: Uuid::nil(),
            // 2026-11-21T11:02:03Z
            at: Time::from_millis(1_795_258_923_000),
            from: "a_b".parse().unwrap(),
            author: None,
            text: EntryText::from_stored(text),
            action: false,
            reply_to: Some(3),
            target: None,
            off: false,
            now: Some(Box::new(Present {
                seq: 9,
                edited: Some(Time::from_millis(0)),
                deleted: false,
                reactions: vec![Reaction {
                    emoji: crate::protocol::emoji::Emoji::new("👍").unwrap(),
                    count: 2,
                    mine: false,
                }],
            })),
        }
    }

    #[test]
    fn a_page_holds_text_and_nothing_else() {
        let mut document = Document::html(TimeZone::UTC);
        let head = document.head("#a", &Line::lossy("<i>lab</i>"), Time::from_millis(0));
        assert!(head.contains("From &lt;i&gt;lab&lt;/i&gt;, as it was on 1970-01-01 00:00 UTC."), "{head}");
        assert!(head.contains("content=\"default-src 'none'; style-src 'sha256-"), "{head}");
        assert_eq!(
            document.entry(&entry("<script>\"a\" & 'b'</script>\nc")).unwrap(),
            "<h2>Saturday, 21 November 2026</h2>\n<div class=\"said\" id=\"m7\"><time>11:02</time> <b>a_b</b> \
             <a href=\"#m3\">↪</a> &lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\nc \
             <span class=\"note\">edited</span> <span class=\"note\">👍 2</span></div>"
        );
    }

    #[test]
    fn in_markdown_a_message_cannot_leave_its_quotation() {
        let mut document = Document::markdown(TimeZone::UTC);
        let first = document.entry(&entry("# *loud* <script>\n```rust\nVec<u8>\n   ```\n<b>")).unwrap();
        assert_eq!(
            first,
            "\n## Saturday, 21 November 2026\n\n**a\\_b** · 11:02 · 7 · answers 3 · edited · 👍 2\n\n\
             > # *loud* \\<script>\n> ```rust\n> Vec<u8>\n>    ```\n> \\<b>"
        );
        let next = document.entry(&entry("```x`y\n<b>")).unwrap();
        assert!(next.ends_with("> ```x`y\n> \\<b>") && !next.contains("##"), "{next}");
    }

    #[test]
    fn of_a_deleted_message_only_its_place_is_left() {
        let mut deleted = entry("");
        deleted.now = Some(Box::new(Present { seq: 9, deleted: true, ..Present::default() }));
        let line = Document::markdown(TimeZone::UTC).entry(&deleted).unwrap();
        assert!(line.ends_with("> *deleted this message*"), "{line}");
        let change = Entry { kind: EntryKind::Deleted, target: Some(7), ..deleted };
        assert_eq!(Document::html(TimeZone::UTC).entry(&change), None);
    }
}
