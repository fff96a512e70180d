//! The text that is being written, edited by graphemes: what looks like one character is one.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::cuttings::Cuttings;
use super::undoing::Undoing;

/// Bytes that the input takes from an editor or from a draft: more than any message holds, so that a text that is too long
/// can be cut down here, and few enough that each key stays quick.
pub(crate) const INPUT_BYTES: usize = 128 * 1024;

/// Text, the cursor in it, and what it was before.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    text: String,
    /// Byte offset, always at the edge of a grapheme.
    cursor: usize,
    undoing: Undoing,
    last: Last,
    /// What was put back last stands here, as long as nothing else was done.
    put_back: Option<Range<usize>>,
    /// Counts what was done to the text.
    revision: u64,
}

/// What was done last, so that a run of the same is undone, or put back, as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Insert,
    Delete,
    Cut,
}

/// A way for the cursor to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One grapheme back.
    Left,
    /// One grapheme on.
    Right,
    /// To the beginning of this word or of the one before.
    WordLeft,
    /// To the end of this word or of the next one.
    WordRight,
    /// To the beginning of what stands between white space: a whole path or address.
    SpaceLeft,
    /// To the start of the line.
    LineStart,
    /// To the end of the line.
    LineEnd,
}

impl Composer {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Another number whenever the text may have become another one.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts `text` in the place of everything, with the cursor behind it.
    pub fn set(&mut self, text: &str) {
        self.remember(Last::Other);
        text.clone_into(&mut self.text);
        self.cursor = text.len();
    }

    /// Takes everything out, and forgets what it was before.
    pub fn take(&mut self) -> String {
        self.undoing = Undoing::default();
        self.last = Last::Other;
        self.put_back = None;
        self.revision += 1;
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Writes at the cursor.
    pub fn insert(&mut self, text: &str) {
        // A word is undone at a time.
        let starts_word = text.starts_with(char::is_whitespace) || text.chars().nth(1).is_some();
        if starts_word || self.last != Last::Insert {
            self.remember(Last::Insert);
        }
        self.revision += 1;
        self.text.insert_str(self.cursor, text);
        self.place_cursor(self.cursor + text.len());
    }

    /// Puts `text` in the place of the bytes in `range`.
    pub fn replace(&mut self, range: Range<usize>, text: &str) {
        self.remember(Last::Other);
        let end = range.start + text.len();
        self.text.replace_range(range, text);
        self.place_cursor(end);
    }

    /// Moves the cursor.
    pub fn go(&mut self, motion: Motion) {
        self.settle();
        self.cursor = self.target(motion);
    }

    /// Moves the cursor to the grapheme that `place` is in.
    pub fn go_to(&mut self, place: usize) {
        self.settle();
        self.place_cursor(place);
    }

    /// Deletes from the cursor to where `motion` leads, for good.
    pub fn delete(&mut self, motion: Motion) {
        let target = self.target(motion);
        if target != self.cursor {
            if self.last != Last::Delete {
                self.remember(Last::Delete);
            }
            self.remove(target);
        }
    }

    /// Cuts from the cursor to where `motion` leads. Cuts in a row are put back together.
    pub(crate) fn cut(&mut self, motion: Motion, cuttings: &mut Cuttings) {
        let mut target = self.target(motion);
        if target == self.cursor && motion == Motion::LineEnd && target < self.text.len() {
            // At the end of a line: the line break.
            target += 1;
        }
        if target == self.cursor {
            return;
        }
        let again = self.last == Last::Cut;
        self.remember(Last::Cut);
        let backward = target < self.cursor;
        let piece = self.remove(target);
        match (again, backward) {
            (false, _) => cuttings.add(piece),
            (true, true) => cuttings.put_before(&piece),
            (true, false) => cuttings.put_behind(&piece),
        }
    }

    /// Puts back what was cut last.
    pub(crate) fn put_back(&mut self, cuttings: &mut Cuttings) {
        if let Some(piece) = cuttings.newest() {
            self.remember(Last::Other);
            let start = self.cursor;
            self.text.insert_str(start, piece);
            self.place_cursor(start + piece.len());
            self.put_back = Some(start..start + piece.len());
        }
    }

    /// Puts what was cut before that in its place. Says whether there was anything to put it in the place of.
    pub(crate) fn put_back_older(&mut self, cuttings: &mut Cuttings) -> bool {
        let Some(range) = self.put_back.take() else { return false };
        if let Some(piece) = cuttings.older() {
            self.remember(Last::Other);
            let start = range.start;
            self.text.replace_range(range, piece);
            self.place_cursor(start + piece.len());
            self.put_back = Some(start..start + piece.len());
        }
        true
    }

    /// Swaps the grapheme before the cursor with the one under it, and steps on.
    pub fn transpose(&mut self) {
        if self.cursor == self.text.len() {
            self.cursor = self.target(Motion::Left);
        }
        let (before, after) = (self.target(Motion::Left), self.target(Motion::Right));
        if before == self.cursor || after == self.cursor {
            return;
        }
        self.remember(Last::Other);
        let swapped = format!("{}{}", &self.text[self.cursor..after], &self.text[before..self.cursor]);
        self.text.replace_range(before..after, &swapped);
        self.place_cursor(after);
    }

    /// Goes back to what the text was before the last change.
    pub fn undo(&mut self) {
        self.settle();
        if let Some((text, cursor)) = self.undoing.back(&self.text, self.cursor) {
            (self.text, self.cursor) = (text, cursor);
            self.revision += 1;
        }
    }

    /// Takes back what was undone last, unless something was changed since.
    pub fn redo(&mut self) {
        self.settle();
        if let Some((text, cursor)) = self.undoing.forth(&self.text, self.cursor) {
            (self.text, self.cursor) = (text, cursor);
            self.revision += 1;
        }
    }

    /// Whatever comes now is another step.
    fn settle(&mut self) {
        self.last = Last::Other;
        self.put_back = None;
    }

    fn remember(&mut self, doing: Last) {
        self.settle();
        self.revision += 1;
        self.last = doing;
        self.undoing.remember(&self.text, self.cursor);
    }

    fn remove(&mut self, target: usize) -> String {
        self.revision += 1;
        let range = self.cursor.min(target)..self.cursor.max(target);
        let start = range.start;
        let piece = self.text.drain(range).collect();
        self.place_cursor(start);
        piece
    }

    /// What stands left and right of `place` may have become one grapheme: then it goes behind it.
    fn place_cursor(&mut self, place: usize) {
        self.cursor = self.edge(place, true);
    }

    /// The edge of a grapheme at `place`, or else the next one, or the one before it.
    fn edge(&self, place: usize, next: bool) -> usize {
        let (text, end) = (self.text.as_str(), self.text.len());
        if !text.is_char_boundary(place) {
            let nearest = if next { text.ceil_char_boundary(place) } else { text.floor_char_boundary(place) };
            return self.edge(nearest, next);
        }
        // The whole text is at hand, so it never asks for more of it.
        let mut edges = GraphemeCursor::new(place, end, true);
        match edges.is_boundary(text, 0) {
            Ok(false) if next => edges.next_boundary(text, 0).ok().flatten().unwrap_or(end),
            Ok(false) => edges.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
            _ => place,
        }
    }

    /// Where `motion` leads. Words may begin inside of a grapheme; the cursor may not.
    fn target(&self, motion: Motion) -> usize {
        let target = self.raw_target(motion);
        self.edge(target, target >= self.cursor)
    }

    fn raw_target(&self, motion: Motion) -> usize {
        let (before, after) = self.text.split_at(self.cursor);
        match motion {
            Motion::Left => before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at),
            Motion::Right => self.cursor + after.graphemes(true).next().map_or(0, str::len),
            Motion::WordLeft => {
                let words = before.unicode_word_indices().next_back();
                words.map_or(0, |(at, _)| at)
            }
            Motion::WordRight => {
                let word = after.unicode_word_indices().next();
                word.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
            }
            Motion::SpaceLeft => {
                let end = before.trim_end().len();
                before[..end]
                    .rfind(char::is_whitespace)
                    .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8))
            }
            Motion::LineStart => before.rfind('\n').map_or(0, |at| at + 1),
            Motion::LineEnd => after.find('\n').map_or(self.text.len(), |at| self.cursor + at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.insert(text);
        composer
    }

    /// The text with `|` for the cursor.
    fn seen(composer: &Composer) -> String {
        let (before, after) = composer.text.split_at(composer.cursor);
        format!("{before}|{after}")
    }

    #[test]
    fn what_looks_like_one_character_is_one() {
        for whole in ["👩‍👩‍👧‍👦", "e\u{301}", "漢", "🇩🇪", "👍🏽", "❤️", "நி"]
        {
            let mut composer = written(&format!("a{whole}"));
            composer.go(Motion::Left);
            assert_eq!(seen(&composer), format!("a|{whole}"));
            composer.go(Motion::Right);
            composer.delete(Motion::Left);
            assert_eq!(seen(&composer), "a|", "{whole}");
        }
    }

    #[test]
    fn cuts_in_a_row_are_put_back_together() {
        let (mut composer, mut cuttings) = (written("one two three"), Cuttings::default());
        composer.cut(Motion::WordLeft, &mut cuttings);
        composer.cut(Motion::WordLeft, &mut cuttings);
        assert_eq!(seen(&composer), "one |");
        composer.go(Motion::LineStart);
        composer.put_back(&mut cuttings);
        assert_eq!(seen(&composer), "two three|one ");
    }

    #[test]
    fn what_was_cut_before_that_comes_in_its_place() {
        let (mut composer, mut cuttings) = (written("one two three"), Cuttings::default());
        composer.cut(Motion::WordLeft, &mut cuttings);
        composer.go(Motion::LineStart);
        composer.cut(Motion::WordRight, &mut cuttings);
        assert_eq!(seen(&composer), "| two ");
        assert!(!composer.put_back_older(&mut cuttings), "nothing was put back");
        composer.put_back(&mut cuttings);
        assert_eq!(seen(&composer), "one| two ");
        assert!(composer.put_back_older(&mut cuttings));
        assert_eq!(seen(&composer), "three| two ");
        assert!(composer.put_back_older(&mut cuttings));
        assert_eq!(seen(&composer), "one| two ");
        composer.undo();
        composer.undo();
        composer.undo();
        assert_eq!(seen(&composer), "| two ");
        composer.go(Motion::Right);
        assert!(!composer.put_back_older(&mut cuttings), "the cursor has moved");
    }

    #[test]
    fn what_was_undone_comes_again_until_something_else_is_written() {
        let (mut composer, mut cuttings) = (Composer::default(), Cuttings::default());
        for letter in ["h", "i", " ", "y", "o"] {
            composer.insert(letter);
        }
        composer.cut(Motion::LineStart, &mut cuttings);
        for expected in ["hi yo|", "hi|", "|", "|"] {
            composer.undo();
            assert_eq!(seen(&composer), expected);
        }
        for expected in ["hi|", "hi yo|", "|", "|"] {
            composer.redo();
            assert_eq!(seen(&composer), expected);
        }
        composer.undo();
        composer.insert("!");
        composer.redo();
        assert_eq!(seen(&composer), "hi yo!|");
    }

    #[test]
    fn to_the_end_of_the_line_and_then_the_line_break() {
        let (mut composer, mut cuttings) = (written("ab\ncd"), Cuttings::default());
        composer.go_to(1);
        composer.cut(Motion::LineEnd, &mut cuttings);
        assert_eq!(seen(&composer), "a|\ncd");
        composer.cut(Motion::LineEnd, &mut cuttings);
        assert_eq!(seen(&composer), "a|cd");
        composer.put_back(&mut cuttings);
        assert_eq!(seen(&composer), "ab\n|cd");
    }

    #[test]
    fn words_end_where_a_reader_sees_them_end() {
        let mut composer = written("don't stop,李雷");
        composer.go(Motion::LineStart);
        composer.go(Motion::WordRight);
        assert_eq!(seen(&composer), "don't| stop,李雷");
        composer.go(Motion::WordRight);
        assert_eq!(seen(&composer), "don't stop|,李雷");
        composer.delete(Motion::WordRight);
        composer.undo();
        assert_eq!(seen(&composer), "don't stop|,李雷");
    }

    #[test]
    fn white_space_bounds_the_long_words() {
        let (mut composer, mut cuttings) = (written("see /usr/lib "), Cuttings::default());
        composer.cut(Motion::SpaceLeft, &mut cuttings);
        assert_eq!(seen(&composer), "see |");
    }

    #[test]
    fn transposing_swaps_graphemes() {
        let mut composer = written("a👍🏽");
        composer.transpose();
        assert_eq!(seen(&composer), "👍🏽a|");
    }

    #[test]
    fn typing_is_undone_a_word_at_a_time() {
        let mut composer = Composer::default();
        for letter in ["h", "i", " ", "y", "o"] {
            composer.insert(letter);
        }
        composer.undo();
        assert_eq!(seen(&composer), "hi|");
        composer.undo();
        assert_eq!(seen(&composer), "|");
        composer.undo();
        assert_eq!(seen(&composer), "|");
    }

    proptest! {
        #[test]
        fn the_cursor_never_stands_inside_a_grapheme(
            steps in proptest::collection::vec((0_usize..14, "\\PC{0,3}|👩‍👩‍👧|\u{301}|\u{200D}|🇩|漢|\n"), 0..60),
        ) {
            let (mut composer, mut cuttings) = (Composer::default(), Cuttings::default());
            let motions = [Motion::Left, Motion::Right, Motion::WordLeft, Motion::WordRight,
                Motion::LineStart, Motion::LineEnd, Motion::SpaceLeft];
            for (step, text) in steps {
                let motion = motions[step % motions.len()];
                match step % 7 {
                    0 | 1 => composer.insert(&text),
                    2 => composer.go(motion),
                    3 => composer.delete(motion),
                    4 => composer.cut(motion, &mut cuttings),
                    5 => composer.transpose(),
                    _ if step == 6 => composer.put_back(&mut cuttings),
                    _ if text.is_empty() => composer.redo(),
                    _ if text == "\n" => {
                        composer.put_back_older(&mut cuttings);
                    }
                    _ => composer.undo(),
                }
                let mut edges: Vec<usize> = composer.text.grapheme_indices(true).map(|(at, _)| at).collect();
                edges.push(composer.text.len());
                prop_assert!(edges.contains(&composer.cursor), "{composer:?}");
            }
        }
    }
}
