//! The ear for datagrams: questions to all networks of this machine, and what answers.
//!
//! - An answer MUST name a question that was asked a short while ago: nobody can say anything unasked.
//! - No socket MUST outlive this.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::networks::{Networks, everyone_on};
use super::reach::Reach;
use crate::protocol::announcement::{
    Announcement, DATAGRAM_BYTES, DISCOVERY_PORT, Nonce, query, read_answer,
};

/// Questions whose answers are still taken: an answer of 10 s ago says nothing of now.
const OPEN_QUESTIONS: usize = 4;

/// Answers that wait to be looked at. Beyond, the sockets' own buffers hold them, and the system drops what is more.
const ARRIVING: usize = 64;

/// For handing a datagram to the system, which does not wait for the network with it.
const SENT_WITHIN: Duration = Duration::from_millis(100);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) said: Announcement,
    /// Where it came from.
    pub(super) from: Reach,
    /// The number of the question that it answers.
    pub(super) question: u64,
}

/// One socket for each address of IPv4, one for all of IPv6, and the questions that are open.
#[derive(Debug)]
pub(super) struct Datagrams {
    sockets: Vec<Ear>,
    networks: Networks,
    asked: VecDeque<(Nonce, u64)>,
    arriving: mpsc::Sender<(Nonce, Announcement, SocketAddr)>,
    arrived: mpsc::Receiver<(Nonce, Announcement, SocketAddr)>,
}

impl Datagrams {
    /// Has asked nothing yet.
    pub(super) fn new() -> Self {
        let (arriving, arrived) = mpsc::channel(ARRIVING);
        Self { sockets: Vec::new(), networks: Networks::default(), asked: VecDeque::new(), arriving, arrived }
    }

    /// Asks everyone, on the networks that there are now.
    ///
    /// # Errors
    /// A sentence for people, when nobody could be asked.
    pub(super) async fn ask(&mut self, question: u64) -> Result<(), String> {
        let alone = |error| format!("nobody can be asked by broadcast ({error}): going on by multicast DNS");
        let nonce = Nonce::random().map_err(|error| alone(error.to_string()))?;
        self.networks = Networks::now().map_err(|error| alone(error.to_string()))?;
        self.asked.push_back((nonce, question));
        if self.asked.len() > OPEN_QUESTIONS {
            self.asked.pop_front();
        }
        let mut fault = self.open_sockets().err();
        let datagram = query(nonce);
        let mut reached = false;
        for ear in &self.sockets {
            for target in self.targets(ear.ours) {
                match timeout(SENT_WITHIN, ear.socket.send_to(&datagram, target)).await {
                    Ok(Ok(_)) => reached |= is_beyond(target, ear.ours),
                    Ok(Err(error)) => fault = Some(error),
                    Err(elapsed) => fault = Some(elapsed.into()),
                }
            }
        }
        if !self.networks.any_beyond_loopback() {
            return Err(
                "this machine is on no network: connect it to the one that the parlor is on".to_owned()
            );
        }
        match fault {
            Some(error) if !reached => Err(alone(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Waits for an answer to what was asked. Safe to cancel.
    pub(super) async fn answer(&mut self) -> Answer {
        loop {
            let Some((nonce, said, from)) = self.arrived.recv().await else {
                // We hold a sender ourselves.
                return std::future::pending().await;
            };
            let zone = match from {
                SocketAddr::V6(from) => self.networks.zone(from.scope_id()).cloned(),
                SocketAddr::V4(_) => None,
            };
            let question = self.asked.iter().find(|(open, _)| *open == nonce).map(|(_, question)| *question);
            if let (Some(question), Some(from)) = (question, Reach::new(from.ip(), zone)) {
                return Answer { said, from, question };
            }
        }
    }

    /// Those to send a question to, from a socket of ours.
    fn targets(&self, ours: SocketAddr) -> Vec<SocketAddr> {
        match ours {
            SocketAddr::V4(ours) => {
                let network = self.networks.v4.iter().find(|network| network.ip == *ours.ip());
                let all = network.map(|network| network.all.clone()).unwrap_or_default();
                all.into_iter().map(|ip| (ip, DISCOVERY_PORT).into()).collect()
            }
            SocketAddr::V6(_) => self.networks.v6.iter().map(|zone| everyone_on(zone).into()).collect(),
        }
    }

    /// Opens those that are missing and closes those whose network is gone. Fails with the last that could not be opened.
    fn open_sockets(&mut self) -> io::Result<()> {
        let v4 = self.networks.v4.iter().map(|network| SocketAddr::from((network.ip, 0)));
        let v6 = (!self.networks.v6.is_empty()).then_some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
        let wanted: Vec<SocketAddr> = v4.chain(v6).collect();
        self.sockets.retain(|ear| wanted.contains(&ear.ours) && !ear.reading.is_finished());
        let mut opened = Ok(());
        for ours in wanted {
            if self.sockets.iter().any(|ear| ear.ours == ours) {
                continue;
            }
            match open(ours) {
                Ok(socket) => {
                    let socket = Arc::new(socket);
                    let reading = tokio::spawn(read(Arc::clone(&socket), self.arriving.clone()));
                    self.sockets.push(Ear { ours, socket, reading: reading.abort_handle() });
                }
                Err(error) => opened = Err(error),
            }
        }
        opened
    }
}

/// A socket, and the task that reads it; dropped, it ends that too.
#[derive(Debug)]
struct Ear {
    ours: SocketAddr,
    socket: Arc<UdpSocket>,
    reading: AbortHandle,
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// A socket with this address, at a port that the system chooses.
/// Whether who is asked there can be anybody but ourselves.
fn is_beyond(target: SocketAddr, ours: SocketAddr) -> bool {
    !target.ip().is_loopback() && target.ip() != ours.ip()
}

fn open(ours: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(ours), Type::DGRAM, Some(Protocol::UDP))?;
    match ours {
        SocketAddr::V4(_) => socket.set_broadcast(true)?,
        SocketAddr::V6(_) => socket.set_only_v6(true)?,
    }
    socket.set_nonblocking(true)?;
    socket.bind(&ours.into())?;
    UdpSocket::from_std(socket.into())
}

/// Hands over what looks like an answer, until the socket fails.
async fn read(socket: Arc<UdpSocket>, arriving: mpsc::Sender<(Nonce, Announcement, SocketAddr)>) {
    // One byte more than an answer has: what is longer shows that it is none.
    let mut space = [0; DATAGRAM_BYTES + 1];
    loop {
        let (length, from) = match socket.recv_from(&mut space).await {
            Ok(received) => received,
            // Windows says so of a machine that did not want what was sent to it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
            // The next question opens another one.
            Err(_) => return,
        };
        if let Some((nonce, said)) = space.get(..length).and_then(read_answer)
            && arriving.send((nonce, said, from)).await.is_err()
        {
            return;
        }
    }
}
