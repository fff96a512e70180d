//! How others join: what is said to them, or sent.

use crate::client::destination::Destination;
use crate::protocol::address::Address;
use crate::protocol::invite::Invite;
use crate::protocol::name::RoomName;
use crate::protocol::proof::Passphrase;
use crate::protocol::ticket::Ticket;

/// Where others find this parlor and how they get in, as far as it is known here.
#[derive(Clone, Debug)]
pub struct Inviting {
    /// The place, its certificate, and the passphrase if it was told to us. To which room is decided when it is asked.
    pub invite: Invite,
    /// Whether the parlor has a passphrase, known here or not.
    pub locked: bool,
    /// It is our own parlor, which ends with us.
    pub hosting: bool,
    /// It tells its networks that it is there, so that it is found by its passphrase.
    pub announced: bool,
}

impl Inviting {
    /// The invite to a room. The lobby is where one comes without naming any.
    fn to(&self, room: &RoomName) -> Invite {
        let room = Some(room.clone()).filter(|room| *room != RoomName::lobby());
        Invite { room, ..self.invite.clone() }
    }

    /// What can be said aloud; the passphrase comes beside it.
    pub(crate) fn spoken(&self, room: &RoomName) -> String {
        self.to(room).spoken()
    }

    /// What can be said aloud to those on the same network, where the passphrase is enough.
    pub(crate) fn by_words(&self, room: &RoomName) -> Option<String> {
        let words = self.words().filter(|_| self.announced)?;
        let read = Destination::read(&[words.to_owned()]);
        matches!(read, Ok(Some(Destination::Words(_)))).then(|| self.to(room).spoken_at(words))
    }

    /// The passphrase, if it is known here.
    pub(crate) fn words(&self) -> Option<&str> {
        self.invite.passphrase.as_ref().map(Passphrase::reveal)
    }

    /// The one line that holds everything.
    pub(crate) fn line(&self, room: &RoomName, ticket: Option<&Ticket>) -> String {
        self.with(room, ticket).command()
    }

    /// The same for a telephone, which has no shell.
    pub(crate) fn url(&self, room: &RoomName, ticket: Option<&Ticket>) -> String {
        self.with(room, ticket).to_string()
    }

    /// A ticket stands in the place of the passphrase.
    fn with(&self, room: &RoomName, ticket: Option<&Ticket>) -> Invite {
        let mut invite = self.to(room);
        if ticket.is_some() {
            invite.passphrase = None;
        }
        Invite { ticket: ticket.cloned(), ..invite }
    }

    /// The parlor has another passphrase from now on.
    pub(crate) fn change_words(&mut self, words: Passphrase) {
        self.invite.passphrase = Some(words);
        self.locked = true;
    }

    /// Whether it leads nowhere but to this machine.
    pub(crate) fn is_local(&self) -> bool {
        match &self.invite.address {
            Address::Unix(_) => true,
            address @ Address::Tcp { host, .. } => {
                host == "localhost" || address.ip().is_some_and(|ip| ip.is_loopback())
            }
        }
    }
}
