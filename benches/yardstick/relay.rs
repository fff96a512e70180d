//! The bare relay: what the kernel allows.
//!
//! It parses nothing but frames, stores nothing, and writes the very same bytes to everyone in a room, all that is
//! pending in one write. Connections are put into rooms in the order in which they come.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use parlor::protocol::frame::HEADER;

/// Bytes of one read.
const READ: usize = 256 * 1024;
const LISTENER: Token = Token(usize::MAX);

struct Member {
    socket: TcpStream,
    /// Read, and not yet a whole frame.
    part: Vec<u8>,
    /// What the socket did not take at once.
    backlog: Vec<u8>,
}

/// Relays for as long as it is let, in rooms of so many.
pub(crate) fn run(members: usize) {
    let mut poll = Poll::new().unwrap();
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).unwrap();
    let mut crowd: Vec<Member> = Vec::new();
    let mut rooms: Vec<Vec<u8>> = Vec::new();
    let mut talking: Vec<usize> = Vec::new();
    let mut space = vec![0; READ];
    let mut events = Events::with_capacity(4096);
    loop {
        match poll.poll(&mut events, None::<Duration>) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.unwrap(),
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true).unwrap();
                    let token = Token(crowd.len());
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut socket, token, both).unwrap();
                    crowd.push(Member { socket, part: Vec::new(), backlog: Vec::new() });
                    rooms.resize_with(crowd.len().div_ceil(members), Vec::new);
                }
                continue;
            }
            let member = &mut crowd[event.token().0];
            if event.is_writable() && !member.backlog.is_empty() {
                let backlog = std::mem::take(&mut member.backlog);
                member.write(&backlog);
            }
            if event.is_readable() {
                let room = event.token().0 / members;
                let was_quiet = rooms[room].is_empty();
                member.read(&mut space, &mut rooms[room]);
                if was_quiet && !rooms[room].is_empty() {
                    talking.push(room);
                }
            }
        }
        for room in talking.drain(..) {
            let first = room * members;
            let last = (first + members).min(crowd.len());
            for member in &mut crowd[first..last] {
                member.write(&rooms[room]);
            }
            rooms[room].clear();
        }
    }
}

impl Member {
    /// Takes what has come, and puts the whole frames of it into `pending`.
    fn read(&mut self, space: &mut [u8], pending: &mut Vec<u8>) {
        loop {
            let read = match self.socket.read(space) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The load is done.
                Err(_) => return,
            };
            self.part.extend_from_slice(&space[..read]);
            let mut whole = 0;
            while let Some(header) = self.part.get(whole..whole + HEADER) {
                let length = u32::from_be_bytes(header.try_into().unwrap()) as usize;
                if self.part.len() < whole + HEADER + length {
                    break;
                }
                whole += HEADER + length;
            }
            pending.extend_from_slice(&self.part[..whole]);
            self.part.drain(..whole);
            if read < space.len() {
                return;
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.backlog.is_empty() {
            self.backlog.extend_from_slice(bytes);
            return;
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.socket.write(&bytes[written..]) {
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.backlog.extend_from_slice(&bytes[written..]);
                    return;
                }
                Err(_) => return,
            }
        }
    }
}
