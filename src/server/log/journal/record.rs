//! How commits stand in the journal's file: end to end, each behind a mark, a sum, its number and its length.
//!
//! The sum is also over the id of the log, so that the file of another one holds nothing.

use bytes::{Buf, BufMut, Bytes};
use crc32fast::Hasher;
use uuid::Uuid;

/// No text holds its first byte: UTF-8 has none.
const MARK: [u8; 4] = [0xff, b'p', b'j', 1];

/// Mark, sum, number, length.
const HEADER: usize = 4 + 4 + 8 + 8;

/// One commit.
#[derive(Debug)]
pub(super) struct Record {
    /// Its number.
    pub(super) number: u64,
    /// What was in it.
    pub(super) content: Bytes,
    /// Where it ends in the file.
    pub(super) end: usize,
}

/// What the file ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A whole record, or nothing.
    Whole,
    /// The beginning of one: it was not written to its end, so nobody has heard of it.
    Torn,
    /// Something that is none. It may have been one.
    Spoilt,
    /// A whole record, and before it, from this byte on, something that is none.
    Damaged(usize),
}

/// Leaves room for what [`finish`] puts before the content, which is to be added next.
pub(super) fn begin(record: &mut Vec<u8>) {
    record.clear();
    record.resize(HEADER, 0);
}

/// Makes a record of what was added since [`begin`].
pub(super) fn finish(record: &mut [u8], log: Uuid, number: u64) {
    let Some((mut header, content)) = record.split_at_mut_checked(HEADER) else { return };
    header.put_slice(&MARK);
    header.put_u32(sum(log, number, content));
    header.put_u64(number);
    header.put_u64(content.len() as u64);
}

/// The records of a file, as far as they are whole.
pub(super) fn read(file: &Bytes, log: Uuid) -> (Vec<Record>, Ending) {
    let (mut records, mut end) = (Vec::new(), 0);
    while let Some(record) = at(file, end, log) {
        end = record.end;
        records.push(record);
    }
    let rest = file.get(end..).unwrap_or_default();
    let begins = |offset: &usize| rest[*offset..].starts_with(&MARK);
    let behind = (0..rest.len()).filter(begins).any(|offset| at(file, end + offset, log).is_some());
    let ending = match rest {
        [] => Ending::Whole,
        _ if behind => Ending::Damaged(end),
        _ if is_beginning(rest) => Ending::Torn,
        _ => Ending::Spoilt,
    };
    (records, ending)
}

/// Whether this is what a write leaves that came to an end before its time.
fn is_beginning(mut rest: &[u8]) -> bool {
    let mark = &rest[..MARK.len().min(rest.len())];
    if !MARK.starts_with(mark) {
        return false;
    }
    if rest.len() < HEADER {
        return true;
    }
    rest.advance(HEADER - size_of::<u64>());
    rest.get_u64() > rest.len() as u64
}

/// The record that begins there, if there is a whole one.
fn at(file: &Bytes, begin: usize, log: Uuid) -> Option<Record> {
    let mut rest = file.get(begin..)?;
    if !rest.starts_with(&MARK) {
        return None;
    }
    rest.advance(MARK.len());
    let (found, number) = (rest.try_get_u32().ok()?, rest.try_get_u64().ok()?);
    let length = usize::try_from(rest.try_get_u64().ok()?).ok()?;
    let content = rest.get(..length)?;
    let end = begin + HEADER + length;
    (sum(log, number, content) == found).then(|| Record {
        number,
        content: file.slice(end - length..end),
        end,
    })
}

fn sum(log: Uuid, number: u64, content: &[u8]) -> u32 {
    let mut sum = Hasher::new();
    sum.update(log.as_bytes());
    sum.update(&number.to_be_bytes());
    sum.update(&(content.len() as u64).to_be_bytes());
    sum.update(content);
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: Uuid = Uuid::from_u128(7);

    fn file(contents: &[&str]) -> (Vec<u8>, Vec<usize>) {
        let (mut file, mut ends, mut record) = (Vec::new(), vec![0], Vec::new());
        for (number, content) in (1..).zip(contents) {
            begin(&mut record);
            record.extend_from_slice(content.as_bytes());
            finish(&mut record, LOG, number);
            file.extend_from_slice(&record);
            ends.push(file.len());
        }
        (file, ends)
    }

    fn numbers(file: &[u8], log: Uuid) -> (Vec<u64>, Ending) {
        let (records, ending) = read(&Bytes::copy_from_slice(file), log);
        (records.iter().map(|record| record.number).collect(), ending)
    }

    #[test]
    fn what_was_cut_anywhere_is_whole_up_to_there() {
        let (file, ends) = file(&["one", "", "the third"]);
        assert_eq!(&*read(&file.clone().into(), LOG).0[2].content, b"the third");
        for cut in 0..=file.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let ending = if ends.contains(&cut) { Ending::Whole } else { Ending::Torn };
            let expected: Vec<u64> = (1..=whole as u64).collect();
            assert_eq!(numbers(&file[..cut], LOG), (expected, ending), "{cut}");
        }
    }

    #[test]
    fn any_byte_that_was_changed_is_noticed() {
        let (file, ends) = file(&["one", "two", "three"]);
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            let (before, _) = ends.iter().enumerate().rfind(|(_, end)| **end <= at).unwrap();
            let ending = match at - ends[before] {
                _ if before < 2 => Ending::Damaged(ends[before]),
                // The length: it says more than there is.
                16..HEADER => Ending::Torn,
                _ => Ending::Spoilt,
            };
            let expected: Vec<u64> = (1..=before as u64).collect();
            assert_eq!(numbers(&changed, LOG), (expected, ending), "{at}");
        }
    }

    #[test]
    fn another_logs_file_holds_nothing() {
        let (file, _) = file(&["one", "two"]);
        assert_eq!(numbers(&file, Uuid::from_u128(8)), (vec![], Ending::Spoilt));
        assert_eq!(numbers(&[0xa5; 1000], LOG), (vec![], Ending::Spoilt));
    }

    /// A length that says more than there is, or than there can be.
    #[test]
    fn what_claims_to_be_long_is_torn() {
        let (file, _) = file(&["one"]);
        for length in [4, 1 << 40, u64::MAX] {
            let mut changed = file.clone();
            changed[16..24].copy_from_slice(&length.to_be_bytes());
            assert_eq!(numbers(&changed, LOG), (vec![], Ending::Torn));
        }
    }
}
