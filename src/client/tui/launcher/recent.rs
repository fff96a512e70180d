//! The parlors that were visited, as far as that was kept.

use std::cmp::Reverse;

use uuid::Uuid;

use crate::client::known_servers::KnownServers;
use crate::client::tui::known_rooms::KnownRooms;
use crate::protocol::address::Address;
use crate::protocol::proof::Fingerprint;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// Parlors that are listed, and looked at now and then: more than anybody goes to and fro between.
pub const RECENT: usize = 20;

/// A parlor that was visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// What it was called; empty: that was not kept.
    pub name: Line,
    /// Where it was.
    pub address: Address,
    /// By TCP without TLS.
    pub plain: bool,
    /// The certificate that it showed there.
    pub fingerprint: Option<Fingerprint>,
    /// When that was, if it was kept.
    pub at: Option<Time>,
}

/// The parlors that were visited, the latest first; one of which only the certificate was kept, at the end. The one of this
/// machine, which is listed anyway, is not among them.
pub fn gather(known: &KnownRooms, servers: Option<&KnownServers>) -> Vec<Recent> {
    let pin = |address: &Address| servers.and_then(|servers| servers.pin(address));
    let visits = known.visits().filter_map(|(id, visit)| Some((id, visit, visit.address()?)));
    let mut visits: Vec<(Uuid, Recent)> = visits
        .map(|(id, visit, address)| {
            let (name, at) = (visit.name().clone(), Some(visit.at()));
            (id, Recent { name, plain: visit.is_plain(), fingerprint: pin(&address), at, address })
        })
        .collect();
    visits.sort_by_key(|(id, recent)| (Reverse(recent.at), *id));
    let mut all: Vec<Recent> = Vec::new();
    let others = servers.into_iter().flat_map(KnownServers::all).map(|(address, fingerprint)| {
        let (name, address) = (Line::default(), address.clone());
        Recent { name, address, plain: false, fingerprint: Some(fingerprint), at: None }
    });
    for recent in visits.into_iter().map(|(_, recent)| recent).chain(others) {
        // Another log at the same address has taken the place of the one before; and one certificate is one parlor.
        let is_same = |other: &Recent| {
            other.address == recent.address
                || (other.fingerprint.is_some() && other.fingerprint == recent.fingerprint)
        };
        if all.len() < RECENT && recent.address != Address::this_machine() && !all.iter().any(is_same) {
            all.push(recent);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::known_rooms::{RoomChange, Visit, What};
    use crate::protocol::hex::Hex;

    #[test]
    fn the_latest_comes_first_and_each_parlor_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut servers = KnownServers::open(folder.path().join("known_servers")).unwrap();
        let at = |raw: &str| -> Address { raw.parse().unwrap() };
        let time = Time::from_millis;
        for (address, digit) in
            [("10.0.0.5", 1), ("old.example", 1), ("127.0.0.1", 2), ("attic.example:9", 3)]
        {
            servers.remember(&at(address), Hex([digit; 32]), time(0)).unwrap();
        }
        let mut known = KnownRooms::default();
        for (id, name, address, plain, when) in [
            (1, "den", "10.0.0.5", false, 20),
            (2, "shed", "10.0.0.6", true, 30),
            (3, "here", "127.0.0.1", false, 40),
            (4, "shed before", "10.0.0.6", true, 10),
        ] {
            let visit = Visit::new(Line::lossy(name), &at(address), plain, time(when));
            known.apply(&RoomChange { parlor: Uuid::from_u128(id), what: What::Came(visit) }).unwrap();
        }
        let all = gather(&known, Some(&servers));
        let seen: Vec<_> =
            all.iter().map(|recent| (recent.name.as_str(), recent.address.to_string())).collect();
        let expected = [("shed", "10.0.0.6:7878"), ("den", "10.0.0.5:7878"), ("", "attic.example:9")];
        assert_eq!(seen, expected.map(|(name, address)| (name, address.to_owned())));
        assert_eq!(all.iter().map(|recent| recent.plain).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(all[1].fingerprint, Some(Hex([1; 32])));
        assert!(gather(&KnownRooms::default(), None).is_empty());
    }

    #[test]
    fn there_is_an_end_of_the_list() {
        let mut known = KnownRooms::default();
        for number in 0..RECENT + 5 {
            let address = format!("10.0.0.{number}").parse().unwrap();
            let at = Time::from_millis(number.try_into().unwrap());
            let visit = Visit::new(Line::lossy("den"), &address, true, at);
            let parlor = Uuid::from_u128(number as u128);
            known.apply(&RoomChange { parlor, what: What::Came(visit) }).unwrap();
        }
        let all = gather(&known, None);
        assert_eq!((all.len(), all[0].address.to_string()), (RECENT, "10.0.0.24:7878".to_owned()));
    }
}
