//! Messages as they are now: what was sent, with what later entries have made of it.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::LogError;
use super::changes::number;
use super::reader::Section;
use super::sqlite::{place, seq_of};
use crate::protocol::emoji::Emoji;
use crate::protocol::event::{Entry, EntryKind, EntryText, Present, Reacted, Reaction, Version};
use crate::protocol::frame::Frame;
use crate::protocol::name::Nick;

/// Makes entries of one room what they are now. All that is asked of it at once belongs into one transaction: a reaction
/// that came in between would be counted by whoever is told of it once more.
pub(super) struct Folder<'a> {
    section: &'a Section<'a>,
    /// Whose reactions are `mine`.
    asker: Option<u64>,
    /// Asked for each message, and nearly always in vain.
    changed: CachedStatement<'a>,
}

impl<'a> Folder<'a> {
    /// For entries of this room.
    pub(super) fn new(section: &'a Section<'a>, asker: Option<u64>) -> rusqlite::Result<Self> {
        let changed =
            section.connection.prepare_cached("SELECT last, deleted FROM changed WHERE target = ?1")?;
        Ok(Self { section, asker, changed })
    }

    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.section.connection.prepare_cached(sql)
    }

    /// The key of a message.
    fn target(&self, message: u64) -> i64 {
        place(self.section.id, message)
    }

    /// An entry as it is now, and how many bytes it takes, where it took `bytes` as it was sent.
    pub(super) fn fold(&mut self, mut entry: Entry, bytes: usize) -> Result<(Entry, usize), LogError> {
        let message = match entry.kind {
            EntryKind::Message => entry.seq,
            // Its text is one of a message, and goes with it.
            EntryKind::Edited => entry.target.unwrap_or(0),
            _ => return Ok((entry, bytes)),
        };
        let Some((seq, deleted)) = self.state(message)? else { return Ok((entry, bytes)) };
        if deleted {
            entry = blanked(entry, seq);
        } else if entry.kind == EntryKind::Message {
            let mut present = Present { seq, ..Present::default() };
            if let Some(version) = self.last_version(message)? {
                (entry.text, present.edited) = (version.text, Some(version.at));
            }
            present.reactions = self.reactions(message)?;
            entry.now = Some(Box::new(present));
        }
        let bytes = Frame::encode(&entry).into_bytes().len();
        Ok((entry, bytes))
    }

    /// The last change of a message, and whether it was deleted, if there was any.
    fn state(&mut self, message: u64) -> rusqlite::Result<Option<(u64, bool)>> {
        let target = self.target(message);
        let state = self.changed.query_row(params![target], |row| Ok((row.get(0)?, row.get(1)?)));
        let state: Option<(i64, bool)> = state.optional()?;
        Ok(state.map(|(last, deleted)| (u64::try_from(last).unwrap_or(0), deleted)))
    }

    fn last_version(&self, message: u64) -> Result<Option<Version>, LogError> {
        let mut last = self.prepare("SELECT max(place) FROM edits WHERE target = ?1")?;
        let last: Option<i64> = last.query_row(params![self.target(message)], |row| row.get(0))?;
        last.map_or(Ok(None), |place| self.version(place))
    }

    /// What a message said, in the order of the log: the last texts that make `most` bytes of JSON, and the one that exceeds it.
    pub(super) fn versions(&self, message: &Entry, most: usize) -> Result<Vec<Version>, LogError> {
        let mut places = self.prepare("SELECT place FROM edits WHERE target = ?1 ORDER BY place DESC")?;
        let mut rows = places.query(params![self.target(message.seq)])?;
        let (mut versions, mut bytes) = (Vec::new(), 0);
        while bytes < most {
            let edit = rows.next()?.map(|row| row.get(0)).transpose()?;
            let Some(place) = edit else {
                versions.push(Version { at: message.at, text: message.text.clone() });
                break;
            };
            if let Some(version) = self.version(place)? {
                bytes += Frame::encode(&version).into_bytes().len();
                versions.push(version);
            }
        }
        versions.reverse();
        Ok(versions)
    }

    /// What the entry at this place has made a message say.
    fn version(&self, place: i64) -> Result<Option<Version>, LogError> {
        let entry = self.section.raw(seq_of(place))?;
        Ok(entry.map(|entry| Version { at: entry.at, text: entry.text }))
    }

    fn reactions(&self, message: u64) -> rusqlite::Result<Vec<Reaction>> {
        let mut mine =
            self.prepare("SELECT 1 FROM reactions WHERE target = ?1 AND emoji = ?2 AND author = ?3")?;
        let target = self.target(message);
        let tallies = self.tallies(message)?.into_iter();
        let reaction = |(emoji, count): (Emoji, u64)| {
            let mine = match self.asker {
                Some(asker) => mine.exists(params![target, emoji.as_str(), number(asker)])?,
                None => false,
            };
            Ok(Reaction { emoji, count, mine })
        };
        tallies.map(reaction).collect()
    }

    /// Who reacted to a message, at most `most` names in all.
    pub(super) fn who_reacted(&self, message: u64, most: usize) -> rusqlite::Result<Vec<Reacted>> {
        let mut names = self
            .prepare("SELECT nick FROM reactions WHERE target = ?1 AND emoji = ?2 ORDER BY place LIMIT ?3")?;
        let mut left = most;
        let mut all = Vec::new();
        for (emoji, count) in self.tallies(message)? {
            let limit = i64::try_from(left).unwrap_or(i64::MAX);
            let with = params![self.target(message), emoji.as_str(), limit];
            let raw: Vec<String> = names.query_map(with, |row| row.get(0))?.collect::<Result<_, _>>()?;
            let people: Vec<Nick> = raw.iter().filter_map(|nick| Nick::new(nick).ok()).collect();
            left -= people.len();
            all.push(Reacted { emoji, count, people });
        }
        Ok(all)
    }

    /// Each emoji with how many, in the order in which each came first.
    fn tallies(&self, message: u64) -> rusqlite::Result<Vec<(Emoji, u64)>> {
        let mut tallies =
            self.prepare("SELECT emoji, count FROM tallies WHERE target = ?1 ORDER BY first")?;
        let mut rows = tallies.query(params![self.target(message)])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            // What a later version of the program takes for an emoji, this one cannot show.
            let Ok(emoji) = Emoji::new(row.get_ref(0)?.as_str()?) else { continue };
            all.push((emoji, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)));
        }
        Ok(all)
    }
}

/// What is left of a message, or of an entry that edited it, when the entry `deletion` has deleted the message.
pub(super) fn blanked(entry: Entry, deletion: u64) -> Entry {
    let now = Present { seq: deletion, deleted: true, ..Present::default() };
    Entry { text: EntryText::default(), now: Some(Box::new(now)), ..entry }
}

/// The `seq` of the entry that deleted the message at this place, if one did.
pub(super) fn deletion(connection: &Connection, target: i64) -> rusqlite::Result<Option<u64>> {
    let mut deletion = connection.prepare_cached("SELECT last FROM changed WHERE target = ?1 AND deleted")?;
    deletion.query_row(params![target], |row| row.get(0).map(seq_of)).optional()
}
