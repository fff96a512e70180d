//! Frames out of what the socket brings, without a copy where they come whole.

use crate::protocol::frame::{FrameError, HEADER};
use crate::protocol::limits::EVENT_BYTES;

/// Bytes that a connection keeps between two frames, at most; a long list of people takes more, once.
const KEPT: usize = 4 * 1024;

/// What has come of a frame that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    begun: Vec<u8>,
}

impl Frames {
    /// Gives the JSON of each frame that is whole by now to `each`.
    ///
    /// # Errors
    /// A frame that is too large, and what `each` says.
    pub(super) fn feed<E: From<FrameError>>(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.begun.is_empty()
                && let Some(length) = length_of(bytes)?.filter(|length| *length <= bytes.len())
            {
                each(&bytes[HEADER..length])?;
                bytes = &bytes[length..];
                continue;
            }
            // First its length, then the rest of it.
            let wanted = length_of(&self.begun)?.unwrap_or(HEADER);
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.begun.len()));
            self.begun.extend_from_slice(taken);
            bytes = rest;
            if length_of(&self.begun)? == Some(self.begun.len()) {
                each(&self.begun[HEADER..])?;
                self.begun.clear();
                self.begun.shrink_to(KEPT);
            }
        }
        Ok(())
    }
}

/// Bytes of the frame that `bytes` begin with, its header among them, if they tell.
fn length_of(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_be_bytes(*header) as usize;
    if length > EVENT_BYTES {
        return Err(FrameError::TooLarge { length, max: EVENT_BYTES });
    }
    Ok(Some(HEADER + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            sizes in proptest::collection::vec(1_usize..50, 1..20),
        ) {
            let mut stream = Vec::new();
            for frame in &frames {
                stream.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_be_bytes());
                stream.extend_from_slice(frame);
            }
            let (mut reader, mut came, mut rest) = (Frames::default(), Vec::new(), &stream[..]);
            for size in sizes.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (bytes, behind) = rest.split_at(size.min(rest.len()));
                rest = behind;
                reader.feed(bytes, |json| -> Result<(), FrameError> { came.push(json.to_vec()); Ok(()) }).unwrap();
            }
            prop_assert_eq!(came, frames);
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_at_its_header() {
        let refused = Frames::default().feed(&u32::MAX.to_be_bytes(), |_| Ok::<(), FrameError>(()));
        assert!(matches!(refused, Err(FrameError::TooLarge { .. })));
    }
}
