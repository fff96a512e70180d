//! Frames: a 4-byte big-endian length, then that many bytes of JSON.
//!
//! TCP is a stream: several sends arrive as one, one send arrives in pieces. So each message says
//! first how long it is.
//!
//! - A reader MUST refuse a length over its cap before it reserves a byte for it.
//! - A reader MUST NOT hold a buffer while nothing has arrived.
//! - A message MUST be encoded once, however many receive it: [`Frame::encode`] and [`append`] give bytes
//!   whose clones are shared.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use thiserror::Error;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of the length in front of each frame.
pub const HEADER: usize = 4;

/// Bytes asked of the socket in one read: a burst of typical messages, and small enough for the stack.
const READ_BYTES: usize = 16 * 1024;

/// One message, ready for the socket: length and JSON. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Frame(Bytes);

impl Frame {
    /// Encodes `message` with its length.
    pub fn encode<T: Serialize>(message: &T) -> Self {
        let mut bytes = Vec::with_capacity(256);
        append(&mut bytes, message);
        Self(bytes.into())
    }

    /// Length and JSON, as they go over the wire.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The JSON alone.
    pub fn json(&self) -> Bytes {
        self.0.slice(HEADER..)
    }
}

/// Encodes `message` behind what is already in `bytes`: many frames, end to end, in one buffer. (Into a `Vec` serde_json
/// writes a quarter faster than into a `BytesMut`.)
pub fn append<T: Serialize>(bytes: &mut Vec<u8>, message: &T) {
    let start = bytes.len();
    bytes.put_u32(0);
    // The types of this protocol have string keys and no fallible `Serialize`; a writer into memory
    // does not fail either. An empty object is what a peer ignores, should that ever change.
    if serde_json::to_writer(&mut *bytes, message).is_err() {
        debug_assert!(false, "a message of the protocol could not be encoded");
        bytes.truncate(start + HEADER);
        bytes.put_slice(b"{}");
    }
    let length = bytes.len() - start - HEADER;
    let header = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    bytes[start..start + HEADER].copy_from_slice(&header);
}

/// Why a stream of frames ended before its time.
#[derive(Debug, Error)]
pub enum FrameError {
    /// A frame announced more than the reader takes. What follows cannot be trusted.
    #[error("a frame of {length} bytes was announced and at most {max} are allowed")]
    TooLarge {
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The stream ended inside a frame.
    #[error("the connection ended in the middle of a frame")]
    Cut,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads frames from any stream.
#[derive(Debug)]
pub struct FrameReader<R> {
    io: R,
    buffer: BytesMut,
    max: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader that refuses frames of more than `max` bytes of JSON.
    pub fn new(io: R, max: usize) -> Self {
        Self { io, buffer: BytesMut::new(), max }
    }

    /// The stream, for whatever comes after the frames; what was read of it already is dropped.
    pub fn into_inner(self) -> R {
        self.io
    }

    /// The stream, and what was read of it already.
    pub fn into_parts(self) -> (R, BytesMut) {
        (self.io, self.buffer)
    }

    /// The JSON of the next frame, or `None` when the peer has closed between two frames.
    ///
    /// Cancel safe: what was read stays in the reader.
    ///
    /// # Errors
    /// See [`FrameError`]; after one, the stream is of no more use.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The JSON of a frame that has already arrived whole, if there is one: what one read brought
    /// together can be handled together.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub fn next_ready(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(header) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let length = u32::from_be_bytes(*header) as usize;
        if length > self.max {
            return Err(FrameError::TooLarge { length, max: self.max });
        }
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        let json = self.buffer.split_to(length).freeze();
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(Some(json))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, FrameError>> {
        loop {
            if let Some(json) = self.next_ready()? {
                return Poll::Ready(Ok(Some(json)));
            }
            // Into the stack first: a connection that waits holds no buffer.
            let mut space = [MaybeUninit::<u8>::uninit(); READ_BYTES];
            let mut read = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                let cut = !self.buffer.is_empty();
                return Poll::Ready(if cut { Err(FrameError::Cut) } else { Ok(None) });
            }
            self.buffer.extend_from_slice(read.filled());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tokio::io::AsyncWriteExt;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    /// Sends `bytes` through a pipe of `width` bytes, so that every cut happens, and reads frames.
    fn through(bytes: &[u8], width: usize, max: usize) -> (Vec<Bytes>, Option<FrameError>) {
        runtime().block_on(async {
            let (mut near, far) = tokio::io::duplex(width);
            let write = async move {
                // The reader may refuse early and hang up: that is its right.
                drop(near.write_all(bytes).await);
            };
            let read = async move {
                let mut reader = FrameReader::new(far, max);
                let mut frames = Vec::new();
                loop {
                    match reader.next().await {
                        Ok(Some(json)) => frames.push(json),
                        Ok(None) => return (frames, None),
                        Err(error) => return (frames, Some(error)),
                    }
                }
            };
            tokio::join!(write, read).1
        })
    }

    #[test]
    fn a_frame_is_its_length_and_its_json() {
        let frame = Frame::encode(&json!({"type": "ping"}));
        assert_eq!(frame.json().as_ref(), br#"{"type":"ping"}"#);
        assert_eq!(frame.into_bytes()[..4], [0, 0, 0, 15]);
    }

    #[test]
    fn frames_cut_at_every_byte_arrive_whole() {
        let messages: Vec<Value> = (0..5).map(|n| json!({"n": n, "text": "漢字 👩‍👩‍👧".repeat(n)})).collect();
        let mut bytes = Vec::new();
        for message in &messages {
            append(&mut bytes, message);
        }
        for width in 1..=bytes.len() {
            let (frames, error) = through(&bytes, width, 4096);
            assert!(error.is_none());
            let got: Vec<Value> = frames.iter().map(|json| serde_json::from_slice(json).unwrap()).collect();
            assert_eq!(got, messages);
        }
    }

    #[test]
    fn a_stream_that_ends_inside_a_frame_says_so() {
        let bytes = Frame::encode(&json!({"a": 1})).into_bytes();
        for cut in 1..bytes.len() {
            assert!(matches!(through(&bytes[..cut], 8, 100).1, Some(FrameError::Cut)));
        }
        assert!(through(&[], 8, 100).1.is_none());
    }

    #[test]
    fn an_oversized_frame_is_refused_by_its_header_alone() {
        let (frames, error) = through(&u32::MAX.to_be_bytes(), 8, 100);
        assert!(frames.is_empty());
        assert!(matches!(error, Some(FrameError::TooLarge { length: 0xFFFF_FFFF, max: 100 })));
        let (frames, error) =
            through(&[0, 0, 0, 100].into_iter().chain([b' '; 100]).collect::<Vec<_>>(), 8, 100);
        assert!(error.is_none() && frames.len() == 1);
    }

    #[test]
    fn a_waiting_reader_holds_no_buffer() {
        runtime().block_on(async {
            let (mut near, far) = tokio::io::duplex(64);
            let mut reader = FrameReader::new(far, 100);
            near.write_all(&Frame::encode(&json!({})).into_bytes()).await.unwrap();
            reader.next().await.unwrap();
            assert_eq!(reader.buffer.capacity(), 0);
        });
    }

    proptest! {
        #[test]
        fn any_messages_survive_any_pipe(texts in proptest::collection::vec(any::<String>(), 0..8), width in 1_usize..64) {
            let mut bytes = Vec::new();
            for text in &texts {
                append(&mut bytes, text);
            }
            let (frames, error) = through(&bytes, width, 1 << 20);
            prop_assert!(error.is_none());
            let got: Vec<String> = frames.iter().map(|json| serde_json::from_slice(json).unwrap()).collect();
            prop_assert_eq!(got, texts);
        }

        #[test]
        fn any_bytes_end_in_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (frames, _) = through(&bytes, 7, 64);
            prop_assert!(frames.iter().all(|json| json.len() <= 64));
        }
    }
}
