//! The crowd: one thread, one poll, as little work for each frame as there can be.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::job::{Beside, Figures, Job, Kind};
use crate::wire::{self, Template};
use parlor::protocol::limits::STALL_TIME;

/// Connections that are on their way in at once: fewer than a listener holds for its server.
const COMING_IN: usize = 256;
/// When those who read nothing are deaf to the server: their sockets are full, and it has not let them go yet.
const DEAF_AT: std::ops::Range<Duration> =
    Duration::from_secs(10)..Duration::from_secs(8).saturating_add(STALL_TIME);
/// Bytes of one read.
const READ: usize = 256 * 1024;
/// The variable with the certificate that the server has.
pub(crate) const CERTIFICATE: &str = "YARDSTICK_CERTIFICATE";

struct Sender {
    template: Template,
    sent: usize,
    back: usize,
}

struct Member {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Read, and not yet a whole frame.
    part: Vec<u8>,
    /// Not yet taken by the socket.
    out: Vec<u8>,
    sender: Option<Sender>,
    /// Messages that came.
    came: usize,
    /// How many were said to be here.
    here: usize,
    joined: bool,
    answered: bool,
    /// Reads no more.
    deaf: bool,
}

struct Crowd {
    job: Job,
    poll: Poll,
    events: Events,
    space: Vec<u8>,
    members: Vec<Member>,
    config: Option<Arc<ClientConfig>>,
    /// The last member that is in.
    joined: usize,
    began: Instant,
    delays: Histogram<u64>,
    /// Messages that came, all together.
    came: usize,
    /// Measures delays.
    listening: bool,
}

/// Does the job, tells what came of it, and waits for the end of standard input.
pub(crate) fn run(job: Job) {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let mut crowd = Crowd {
        poll: Poll::new().unwrap(),
        events: Events::with_capacity(4096),
        space: vec![0; READ],
        members: Vec::new(),
        config: (job.kind == Kind::Tls).then(trusting),
        joined: 0,
        began: Instant::now(),
        delays: Histogram::new_with_bounds(1_000, 100_000_000_000, 3).unwrap(),
        came: 0,
        listening: job.rate > 0.0,
        job,
    };
    let mut figures = Figures::default();
    crowd.come_in(&mut figures);
    crowd.talk(&mut figures);
    println!("{}", serde_json::to_string(&figures).unwrap());
    let mut end = String::new();
    while io::stdin().lock().read_line(&mut end).unwrap() > 0 {}
}

fn trusting() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let file = std::env::var(CERTIFICATE).unwrap();
    roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl Crowd {
    fn size(&self) -> usize {
        self.job.rooms * self.job.members
    }

    /// Everyone connects, and enters a room.
    fn come_in(&mut self, figures: &mut Figures) {
        self.began = Instant::now();
        let settling = self.job.beside == Beside::Settling;
        if settling {
            self.add(wire::enter("prober", None, None));
            self.joined += 1;
        }
        let all = self.size() + self.members.len();
        let (mut asked, mut slowest) = (Instant::now(), Duration::ZERO);
        let mut asking = false;
        while self.joined < all || (settling && !self.is_settled()) {
            while self.members.len() < all && self.members.len() - self.joined < COMING_IN {
                let number = self.members.len();
                let room = wire::room(number / self.job.members);
                let hello = match self.job.kind {
                    Kind::Relay => Vec::new(),
                    Kind::Plain | Kind::Tls => {
                        let room = if settling { wire::room(0) } else { room };
                        wire::enter(&format!("p{number}"), Some(room), Some(0))
                    }
                };
                self.add(hello);
                if self.job.kind == Kind::Relay {
                    self.joined += 1;
                }
            }
            if self.joined == all && figures.joined == 0.0 {
                figures.joined = self.began.elapsed().as_secs_f64();
            }
            if self.joined == all && !settling {
                break;
            }
            if settling && !asking {
                let ping = wire::ping();
                self.members[0].out.extend_from_slice(&ping);
                self.members[0].flush();
                (asked, asking) = (Instant::now(), true);
            }
            self.turn(Some(Duration::from_millis(100)));
            if asking && std::mem::take(&mut self.members[0].answered) {
                slowest = slowest.max(asked.elapsed());
                asking = false;
            }
        }
        if figures.joined == 0.0 {
            figures.joined = self.began.elapsed().as_secs_f64();
        }
        figures.settled = self.began.elapsed().as_secs_f64();
        figures.answer = slowest.as_secs_f64();
    }

    fn is_settled(&self) -> bool {
        let size = self.size();
        // Whoever came last was told last.
        self.members.iter().skip(1).all(|member| member.here == size)
    }

    fn add(&mut self, hello: Vec<u8>) {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        if let Beside::Deaf(deaf) = self.job.beside
            && self.members.len() < deaf
        {
            // Full at once: else the system would read for them, some megabytes each.
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], self.job.port));
        socket.connect(&address.into()).unwrap();
        let socket = std::net::TcpStream::from(socket);
        socket.set_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut socket = TcpStream::from_std(socket);
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(self.members.len()), both).unwrap();
        let tls = self.config.as_ref().map(|config| {
            let name = ServerName::try_from("localhost").unwrap();
            let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
            tls.set_buffer_limit(None);
            Box::new(tls)
        });
        let mut member = Member {
            socket,
            tls,
            part: Vec::new(),
            out: hello,
            sender: None,
            came: 0,
            here: 0,
            joined: false,
            answered: false,
            deaf: false,
        };
        member.flush();
        self.members.push(member);
    }

    /// All senders send, and all have everything.
    fn talk(&mut self, figures: &mut Figures) {
        if self.job.messages == 0 {
            return;
        }
        let (rooms, size) = (self.job.rooms, self.job.members);
        let deaf = match self.job.beside {
            Beside::Deaf(deaf) => deaf,
            _ => 0,
        };
        // In each room the last ones talk, as the one at a relay who is served last; the deaf came first.
        for room in 0..rooms {
            for number in (room + 1) * size - self.job.senders..(room + 1) * size {
                let template = Template::new(self.job.kind, number, wire::room(room));
                self.members[number].sender = Some(Sender { template, sent: 0, back: 0 });
            }
        }
        for member in &mut self.members[..deaf] {
            member.deaf = true;
        }
        let each = self.job.messages * self.job.senders;
        let all = each * size * rooms - each * deaf;
        self.began = Instant::now();
        let senders: Vec<usize> =
            (0..self.size()).filter(|number| self.members[*number].sender.is_some()).collect();
        let mut due = Duration::ZERO;
        let mut next = 0;
        if self.job.rate == 0.0 {
            for number in &senders {
                self.members[*number].send(self.job.in_flight, self.job.messages, self.began);
            }
        }
        let reader = match self.job.beside {
            Beside::CatchUp(entries) => {
                let port = self.job.port;
                Some(std::thread::spawn(move || read_long(port, entries)))
            }
            _ => None,
        };
        while self.came < all {
            if self.job.rate > 0.0 {
                // The senders in turn, at even distances.
                let step = Duration::from_secs_f64(1.0 / (self.job.rate * senders.len() as f64));
                while next < self.job.messages * senders.len() && self.began.elapsed() >= due {
                    self.members[senders[next % senders.len()]].send_due(due);
                    due += step;
                    next += 1;
                }
                let wait = due.saturating_sub(self.began.elapsed());
                self.turn(Some(wait.max(Duration::from_micros(50))));
            } else {
                self.turn(None);
            }
        }
        figures.caught_up = reader.map_or(0.0, |reader| reader.join().unwrap());
        figures.rate = all as f64 / self.began.elapsed().as_secs_f64();
        figures.p50 = self.delays.value_at_quantile(0.5) as f64 / 1e9;
        figures.p99 = self.delays.value_at_quantile(0.99) as f64 / 1e9;
    }

    /// Waits for sockets, and serves those that are ready.
    fn turn(&mut self, wait: Option<Duration>) {
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            other => other.unwrap(),
        }
        let counted = self.size();
        for event in &self.events {
            let number = event.token().0;
            let member = &mut self.members[number];
            if event.is_writable() {
                member.flush();
            }
            if !event.is_readable() || member.deaf {
                continue;
            }
            let was_in = member.joined;
            // Until the sockets of the deaf are full the system reads for them, and everyone else shares the server with them.
            // From then on they are stalled.
            let counts = match self.job.beside {
                Beside::Deaf(_) => DEAF_AT.contains(&self.began.elapsed()),
                _ => true,
            };
            let delays = (self.listening && counts).then_some(&mut self.delays);
            let came = member.receive(&mut self.space, number, self.began, delays);
            if number < counted {
                self.came += came;
            }
            if member.joined && !was_in {
                self.joined += 1;
            }
            if self.job.rate == 0.0 && came > 0 && member.sender.is_some() {
                member.send(self.job.in_flight, self.job.messages, self.began);
            }
        }
    }
}

impl Member {
    /// Sends what may be on its way.
    fn send(&mut self, in_flight: usize, messages: usize, began: Instant) {
        let Some(sender) = &mut self.sender else { return };
        let mut said = false;
        while sender.sent < messages && sender.sent - sender.back < in_flight {
            sender.sent += 1;
            sender.template.next(u64::try_from(began.elapsed().as_nanos()).unwrap(), &mut self.out);
            said = true;
        }
        if said {
            self.flush();
        }
    }

    /// Sends a message that should have been sent `due` after the start.
    fn send_due(&mut self, due: Duration) {
        let Some(sender) = &mut self.sender else { return };
        sender.template.next(u64::try_from(due.as_nanos()).unwrap(), &mut self.out);
        self.flush();
    }

    fn flush(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(&self.out).unwrap();
            self.out.clear();
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                    Err(error) => panic!("{error}"),
                }
            }
            return;
        }
        while !self.out.is_empty() {
            match self.socket.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads all there is; says how many messages there were.
    fn receive(
        &mut self,
        space: &mut [u8],
        number: usize,
        began: Instant,
        mut delays: Option<&mut Histogram<u64>>,
    ) -> usize {
        let mut came = 0;
        loop {
            let (read, more) = match self.read(space) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            };
            if read == 0 && !more {
                break;
            }
            let now = began.elapsed();
            let mut part = std::mem::take(&mut self.part);
            let bytes = if part.is_empty() {
                &space[..read]
            } else {
                part.extend_from_slice(&space[..read]);
                &part
            };
            let (sender, here, is_in, answered) =
                (&mut self.sender, &mut self.here, &mut self.joined, &mut self.answered);
            let whole = wire::frames(bytes, |json| {
                if wire::is(json, "message") {
                    came += 1;
                    if let Some(sender) = sender
                        && wire::origin(json).0 == number
                    {
                        sender.back += 1;
                    }
                    if let Some(delays) = &mut delays {
                        let delay = now.saturating_sub(Duration::from_nanos(wire::origin(json).1));
                        delays.saturating_record(u64::try_from(delay.as_nanos()).unwrap());
                    }
                } else if wire::is(json, "presence") {
                    (*here, *is_in) = (wire::here(json), true);
                } else if wire::is(json, "pong") {
                    *answered = true;
                } else if wire::is(json, "error") || wire::is(json, "bye") {
                    panic!("{}", String::from_utf8_lossy(json));
                }
            });
            if part.is_empty() {
                part.extend_from_slice(&space[whole..read]);
            } else {
                part.drain(..whole);
            }
            self.part = part;
            if !more {
                break;
            }
        }
        self.came += came;
        came
    }

    /// Bytes read, and whether there may be more.
    fn read(&mut self, space: &mut [u8]) -> io::Result<(usize, bool)> {
        let Some(tls) = &mut self.tls else {
            let read = self.socket.read(space)?;
            assert!(read > 0, "the server hung up");
            return Ok((read, read == space.len()));
        };
        // As much as there is, as far as it fits.
        let mut dry = false;
        let mut read = 0;
        while !dry && read + 64 * 1024 < space.len() {
            match tls.read_tls(&mut self.socket) {
                Ok(0) => panic!("the server hung up"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => dry = true,
                Err(error) => return Err(error),
            }
            tls.process_new_packets().unwrap();
            loop {
                match tls.reader().read(&mut space[read..]) {
                    Ok(0) => break,
                    Ok(more) => read += more,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        if tls.wants_write() {
            self.flush();
        }
        Ok((read, !dry))
    }
}

/// Reads a log of so many entries, after the others have talked for a second; says how many seconds it took. A thread of
/// its own: the others must not wait for its reading on this side of the wire.
fn read_long(port: u16, entries: u64) -> f64 {
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(&wire::enter("reader", Some("#long".parse().unwrap()), None)).unwrap();
    let (mut part, mut space, mut came) = (Vec::new(), vec![0; READ], 0);
    while came < entries {
        let read = socket.read(&mut space).unwrap();
        part.extend_from_slice(&space[..read]);
        let whole = wire::frames(&part, |json| came += u64::from(wire::is(json, "message")));
        part.drain(..whole);
    }
    began.elapsed().as_secs_f64()
}

/// Makes a log of so many entries, in the room `#long`.
pub(crate) fn fill(port: u16, entries: u64) {
    let long = "#long".parse::<parlor::protocol::name::RoomName>().unwrap();
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(&wire::enter("filler", Some(long.clone()), None)).unwrap();
    let mut writing = socket.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let mut template = Template::new(Kind::Plain, 0, long);
        let mut out = Vec::new();
        for _ in 0..entries {
            template.next(0, &mut out);
        }
        writing.write_all(&out).unwrap();
    });
    let (mut part, mut space, mut came) = (Vec::new(), vec![0; READ], 0);
    while came < entries {
        let read = socket.read(&mut space).unwrap();
        assert!(read > 0, "the server hung up");
        part.extend_from_slice(&space[..read]);
        let whole = wire::frames(&part, |json| came += u64::from(wire::is(json, "message")));
        part.drain(..whole);
    }
    writer.join().unwrap();
}
