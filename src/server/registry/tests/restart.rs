//! What was acknowledged is there after a restart, and what failed has changed nothing.

use crate::server::door::Lock;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::protocol::limits::{ALLOWED_PER_ROOM, BANS, MUTES, PEOPLE, ROOMS_RULED, TICKETS};
use crate::protocol::proof::{Cost, ProofKey};
use crate::server::log::StoreError;

/// Calls that change something, on a few people, names and rooms. Many are refused.
const CALLS: usize = 22;

/// Whether one of them was done.
fn call(registry: &mut Registry, what: usize, who: u8, whom: u8, now: Time) -> Result<(), RegistryError> {
    let names = ["alice", "ALICE", "allce", "bob", "carol", "dave", "eve", "frank"];
    let name = nick(names[usize::from(whom) % names.len()]);
    let (person, other) = (PersonId(who.into()), PersonId(whom.into()));
    let place = room(if who.is_multiple_of(2) { "#a" } else { "#b" });
    let somebody = if whom.is_multiple_of(3) { Whom::Guest(name.clone()) } else { Whom::Person(other) };
    let until = (whom.is_multiple_of(2)).then(|| now.shifted(DAY));
    let subject = match whom % 3 {
        0 => Banned::Address([10, 0, 0, whom].into()),
        _ => Banned::Person(other),
    };
    let by = if who.is_multiple_of(2) { By::Parlor } else { By::Person(person, name.clone()) };
    let secret = (Hex([who; 16]), ProofKey::from_bytes([whom; 32]));
    let tickets = registry.tickets(&By::Parlor, now).unwrap();
    let ticket = tickets.iter().max_by_key(|ticket| ticket.uses).map_or(Hex([0; 8]), |ticket| ticket.id);
    match what {
        0 | 1 => registry.identify(key(who), now).map(drop),
        2 => registry.make_host(key(7), now).map(drop),
        3..=5 => registry.claim(person, &name, now),
        6 => {
            let code = registry.start_device(person, now)?.to_string();
            registry.link_device(&code, key(whom), &name, now).map(drop)
        }
        7 => registry.remove_device(person, key(whom), &name, now),
        8 => registry.ignore(person, somebody),
        9 => registry.unignore(person, &somebody).map(drop),
        10 => registry.ban(&by, subject, line("why"), until, now),
        11 => registry.unban(&by, subject, now).map(drop),
        12 => registry.mute(&by, somebody, (whom < 5).then_some(place), line("why"), until, now),
        13 => registry.unmute(&by, &somebody, (whom < 5).then_some(&place), now).map(drop),
        14 => registry.set_role(&by, other, if who < 3 { Role::Operator } else { Role::Member }, now),
        15 => {
            let rule = match whom {
                0 => Rule::TopicLocked(who < 3),
                1 => Rule::Private(who < 3),
                2 => Rule::InviteOnly(who < 3),
                3 => Rule::Key((who < 3).then_some(secret)),
                4 => Rule::Owner((who < 5).then_some(person)),
                5 => Rule::Disallow(person),
                _ => Rule::Allow(person),
            };
            registry.rule(&by, &place, rule, now)
        }
        16 => registry.admit(&place, other),
        17 if whom < 3 => registry.forget_room(&place),
        17 => registry.founded(&place, person),
        18 => {
            let uses = NonZeroU32::new(u32::from(whom));
            registry.make_ticket(&by, uses, until, (who < 3).then_some(place), now).map(drop)
        }
        19 => registry.use_ticket(&ticket, now).map(drop),
        20 => registry.revoke(&by, &ticket, now),
        _ => {
            let (salt, key) = secret;
            registry.set_door(&by, (whom < 5).then_some(Lock { salt, cost: Cost::USUAL, key }), now)
        }
    }
}

/// A house with a few people in it, of whom the first has two devices.
fn peopled() -> House {
    let mut house = House::new();
    for (number, name) in (1..).zip(["alice", "bob", "carol", "dave", "eve", "frank"]) {
        house.named(number, name);
    }
    call(&mut house.registry, 6, 1, 7, at(0)).unwrap();
    house
}

/// The same with something of everything.
pub(super) fn furnished() -> House {
    let mut house = peopled();
    let key = ProofKey::from_bytes([1; 32]);
    let door = Lock { salt: Hex([1; 16]), cost: Cost::USUAL, key };
    house.registry.set_door(&By::Parlor, Some(door), at(0)).unwrap();
    for what in [8, 10, 12, 15, 16, 17, 18] {
        for who in 0..7 {
            for whom in 0..6 {
                let _may_be_refused = call(&mut house.registry, what, who, whom, at(0));
            }
        }
    }
    house
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was done, and however the clock jumped, a restart shows the same; and where the disk fails, nothing was
    /// done.
    #[test]
    fn a_restart_shows_what_was_there(
        steps in proptest::collection::vec((0..CALLS, 0_u8..8, 0_u8..8, -400_i64..410), 1..120),
    ) {
        let mut house = peopled();
        let mut now = at(0);
        for (what, who, whom, days) in steps {
            now = now.shifted(days * DAY);
            let refused = call(&mut house.registry, what, who, whom, now);
            prop_assert!(!matches!(refused, Err(RegistryError::Store(_))), "{what} {who} {whom}: {refused:?}");
        }
        let file = Tables::open(&house.folder.path().join(FILE), Durability::Process).unwrap();
        prop_assert_eq!(&file.load().unwrap(), &house.registry.state);
        // At the opening what is over is forgotten, and this too is written.
        let reopened = house.reopened(now);
        house.registry.sweep(now).unwrap();
        prop_assert_eq!(&reopened.state, &house.registry.state);
        prop_assert_eq!(&house.reopened(now).state, &house.registry.state);
    }
}

#[test]
fn a_disk_that_fails_changes_nothing() {
    let mut broken = furnished();
    broken.registry.tables.break_down();
    let before = furnished();
    let mut failed = [0; CALLS];
    for (what, failed) in failed.iter_mut().enumerate() {
        for who in 0..8 {
            for whom in 0..8 {
                let done = call(&mut broken.registry, what, who, whom, at(1));
                *failed += u32::from(done == Err(RegistryError::Store(StoreError::Failed)));
            }
        }
    }
    assert!(failed.iter().all(|failed| *failed > 0), "each call meets the disk: {failed:?}");
    // Secrets of tickets are random, all else is the same.
    broken.registry.state.tickets.clear();
    let mut expected = before.registry.state;
    expected.tickets.clear();
    assert_eq!(broken.registry.state, expected);
}

#[test]
fn somebody_is_forgotten_with_all_that_is_theirs_in_memory_as_in_the_file() {
    for person in 1..=6 {
        let mut house = furnished();
        house.registry.founded(&room("#own"), PersonId(person)).unwrap();
        house.registry.commit(vec![Change::ForgetPerson(PersonId(person))]).unwrap();
        house.assert_kept(at(0));
        assert_eq!(house.registry.rules(&room("#own")).owner, None);
    }
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let mut house = House::new();
    let bob = Banned::Person(house.member(1));
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    house.registry.tables.tamper(refuse).unwrap();
    let banned = house.registry.ban(&By::Parlor, bob, line(""), None, at(0));
    assert_eq!(banned, Err(RegistryError::Store(StoreError::Failed)));
    assert_eq!(house.registry.bans(at(0)), Vec::<&Ban>::new());
    house.assert_kept(at(0));
}

#[test]
fn a_code_is_still_good_when_the_disk_failed() {
    let mut house = House::new();
    let alice = house.member(1);
    let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
    house.registry.tables.break_down();
    assert!(matches!(
        house.registry.link_device(&code, key(2), &nick("a"), at(0)),
        Err(RegistryError::Store(_))
    ));
    house.registry.tables.tamper("PRAGMA query_only = 0").unwrap();
    assert_eq!(house.registry.link_device(&code, key(2), &nick("a"), at(0)), Ok(alice));
}

#[test]
fn a_full_list_makes_room_only_by_what_has_expired() {
    let mut house = House::new();
    let until = Some(at(HOUR));
    for _ in 0..TICKETS {
        house.registry.make_ticket(&By::Parlor, None, until, None, at(0)).unwrap();
    }
    assert!(is_too_many(&house.registry.make_ticket(&By::Parlor, None, None, None, at(0))));
    assert!(house.registry.make_ticket(&By::Parlor, None, None, None, at(HOUR)).is_ok());
    assert_eq!(house.registry.state.tickets.len(), 1);
    house.assert_kept(at(HOUR));
}

/// What is there already is put there without the disk, which has no part in this.
#[test]
fn everything_has_an_end() {
    let mut house = House::new();
    let (alice, full) = (house.member(1), room("#full"));
    let address = |n: usize| {
        let [_, _, high, low] = u32::try_from(n).unwrap().to_be_bytes();
        Banned::Address([10, 0, high, low].into())
    };
    let many = |n: usize| PersonId(1000 + i64::try_from(n).unwrap());
    let state = &mut house.registry.state;
    let (by, until, reason) = (By::Parlor, None, line(""));
    for n in 0..PEOPLE {
        state.apply(Change::Person(many(n), Role::Member, at(0)));
    }
    for n in 0..BANS {
        let (subject, by, reason) = (address(n), by.clone(), reason.clone());
        state.apply(Change::Ban(Ban { subject, reason, by, at: at(0), until }));
    }
    for n in 0..MUTES {
        let (whom, by, reason) = (Whom::Person(many(n)), by.clone(), reason.clone());
        state.apply(Change::Mute(Mute { whom, room: None, reason, by, at: at(0), until }));
    }
    for n in 0..ALLOWED_PER_ROOM {
        state.apply(Change::Allow(full.clone(), many(n)));
    }
    for n in 1..ROOMS_RULED {
        state.apply(Change::Rules(room(&format!("#r{n}")), RoomRules::default()));
    }
    let registry = &mut house.registry;
    assert!(is_too_many(&registry.identify(key(2), at(0))));
    assert_eq!(registry.identify(key(1), at(0)), Ok(alice), "who is known, stays so");
    assert!(registry.make_host(key(2), at(0)).is_ok(), "the host finds a place");
    assert!(is_too_many(&registry.ban(&by, address(BANS), line(""), None, at(0))));
    assert!(registry.ban(&by, address(0), line("again"), None, at(0)).is_ok());
    assert!(is_too_many(&registry.mute(&by, guest("bob"), None, line(""), None, at(0))));
    assert!(is_too_many(&registry.admit(&full, alice)));
    assert!(is_too_many(&registry.rule(&by, &full, Rule::Allow(alice), at(0))));
    assert!(is_too_many(&registry.founded(&room("#more"), alice)));
    assert!(is_too_many(&registry.rule(&by, &room("#more"), Rule::Private(true), at(0))));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::new();
    house.member(1);
    let mut files = 0;
    for file in std::fs::read_dir(house.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
        files += 1;
    }
    assert!(files > 1, "the write-ahead log too");
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for foreign in [&b"not a database, but something that somebody wrote"[..], &[0; 4096]] {
        std::fs::write(&path, foreign).unwrap();
        let opened = Registry::open(folder.path(), Durability::Process, at(0));
        assert!(matches!(opened, Err(OpenError::NotPeople(_))), "{opened:?}");
        assert_eq!(std::fs::read(&path).unwrap(), foreign);
    }
}

#[test]
fn a_file_of_a_later_version_is_not_touched() {
    let house = House::new();
    house.registry.tables.tamper("PRAGMA user_version = 1000").unwrap();
    let opened = Registry::open(house.folder.path(), Durability::Process, at(0));
    assert!(matches!(opened, Err(OpenError::TooNew { found: 1000, .. })), "{opened:?}");
    house.registry.tables.tamper("PRAGMA user_version = 1; PRAGMA application_id = 1").unwrap();
    assert!(matches!(
        Registry::open(house.folder.path(), Durability::Process, at(0)),
        Err(OpenError::NotPeople(_))
    ));
}

#[test]
fn a_row_that_a_parlor_did_not_write_is_named() {
    let house = House::new();
    house.registry.tables.tamper("INSERT INTO bans VALUES ('x:1', '', NULL, NULL, 0, NULL)").unwrap();
    let opened = Registry::open(house.folder.path(), Durability::Process, at(0));
    assert!(matches!(&opened, Err(OpenError::Unreadable(why)) if why.contains("x:1")), "{opened:?}");
}

/// As the log tells it, which may have outlived the file or be of a later day.
#[test]
fn nobody_gets_a_number_that_others_know_already() {
    let mut house = House::new();
    assert_eq!(house.member(1), PersonId(1));
    house.registry.begin_above(7);
    assert_eq!(house.member(2), PersonId(8));
    house.registry.begin_above(3);
    assert_eq!(house.member(3), PersonId(9));
    house.assert_kept(at(HOUR));
}

#[test]
fn who_asks_for_it_has_each_change_flushed_to_the_disk() {
    for (durability, flushed) in [(Durability::Process, 1), (Durability::Power, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path(), durability, at(0)).unwrap();
        assert_eq!(registry.tables.synchronous(), flushed);
    }
}
