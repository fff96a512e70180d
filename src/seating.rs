//! `join`, and the client's half of `host`: from options to a person at the screen.

use std::process::ExitCode;

use anyhow::bail;
use parlor::client::link::{self, Update};
use parlor::client::tui;
use parlor::protocol::DEFAULT_PORT;
use parlor::protocol::address::{Address, Destination};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::Line;

use crate::cli::{Join, Seat};
use crate::complain;

/// `parlor join`.
pub(crate) async fn join(args: Join) -> anyhow::Result<ExitCode> {
    let destination = args.destination.or(args.server.address).unwrap_or_else(this_machine);
    let seat = Seat { room: args.seat.room.or(destination.room), ..args.seat };
    sit_down(destination.address, seat, None).await
}

/// Connects, and puts up the screen once that has worked: what goes wrong before is a sentence.
pub(crate) async fn sit_down(
    address: Address,
    seat: Seat,
    invite: Option<String>,
) -> anyhow::Result<ExitCode> {
    let config = link::Config { address, nick: own_nick(seat.nick), agent: agent(), give_up_after: None };
    let (link, mut updates) = link::open(config);
    let online = loop {
        match updates.recv().await {
            Some(online @ Update::Online { .. }) => break online,
            Some(Update::Offline { why, .. } | Update::Ended { why, .. }) => bail!(why),
            Some(_) => {}
            None => bail!("the connection ended before it began"),
        }
    };
    let room = seat.room.unwrap_or_else(RoomName::lobby);
    let ending = tui::run(tui::Options { link, updates, first: vec![online], room, invite }).await?;
    if !ending.wanted {
        complain(&format!("parlor: {}", ending.why));
    }
    if ending.unsent.is_empty() {
        return Ok(if ending.wanted { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    complain("These were not sent:");
    ending.unsent.iter().for_each(|text| complain(text));
    Ok(ExitCode::FAILURE)
}

/// The parlor that is asked for when none is named.
pub(crate) fn this_machine() -> Destination {
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT };
    Destination { address, room: None }
}

/// The nick that was given, or the name of this system's user.
pub(crate) fn own_nick(given: Option<Nick>) -> Nick {
    let of_system = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    given.unwrap_or_else(|| Nick::from_system(&of_system().unwrap_or_default()))
}

/// What this program calls itself to a server.
pub(crate) fn agent() -> Line {
    Line::lossy(concat!("parlor ", env!("CARGO_PKG_VERSION")))
}
