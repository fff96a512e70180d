//! How far people have read, over a restart.

use super::*;
use crate::server::log::StoreError;

fn mark(person: PersonId, name: &str, seq: u64) -> ReadMark {
    ReadMark { person, room: room(name), seq, at: at(7) }
}

#[test]
fn what_was_read_is_kept_until_it_or_its_reader_is_forgotten() {
    let mut house = House::new();
    let (alice, bob) = (house.member(1), house.member(2));
    let kept = |house: &House| house.reopened(at(0)).read_marks().unwrap();
    let first = vec![mark(alice, "#a", 3), mark(alice, "@1+2", 1), mark(bob, "#a", 2)];
    house.registry.keep_read(first.clone(), Vec::new()).unwrap();
    assert_eq!(kept(&house), first);
    house.registry.keep_read(vec![mark(alice, "#a", 5)], vec![(alice, room("@1+2"))]).unwrap();
    assert_eq!(kept(&house), [mark(alice, "#a", 5), mark(bob, "#a", 2)]);
    house.registry.commit(vec![Change::ForgetPerson(alice)]).unwrap();
    assert_eq!(kept(&house), [mark(bob, "#a", 2)]);
    // Of somebody who is not there any more nothing is kept, and the rest is.
    house.registry.keep_read(vec![mark(alice, "#a", 6), mark(bob, "#a", 6)], Vec::new()).unwrap();
    assert_eq!(kept(&house), [mark(bob, "#a", 6)]);
}

#[test]
fn a_disk_that_fails_is_told() {
    let mut house = House::new();
    let alice = house.member(1);
    house.registry.tables.break_down();
    let failed = house.registry.keep_read(vec![mark(alice, "#a", 1)], Vec::new());
    assert_eq!(failed, Err(RegistryError::Store(StoreError::Failed)));
}

#[test]
fn a_room_for_some_is_for_nobody_else_and_has_no_rules() {
    let mut house = House::new();
    let (alice, bob) = (house.member(1), house.member(2));
    let host = house.registry.make_host(key(3), at(0)).unwrap();
    let theirs = RoomName::direct(&[alice.number(), bob.number()].into()).unwrap();
    let registry = &mut house.registry;
    assert_eq!(registry.may_enter(&theirs, Some(alice)), Ok(()));
    assert_eq!(registry.may_enter(&theirs, Some(bob)), Ok(()));
    for other in [Some(host), None] {
        assert_eq!(registry.may_enter(&theirs, other), Err(Barred::NotForThem));
    }
    for by in [By::Parlor, by(host), by(alice)] {
        assert!(is_refused(&registry.rule(&by, &theirs, Rule::TopicLocked(true), at(0))));
    }
    registry.founded(&theirs, alice).unwrap();
    assert_eq!(registry.rules(&theirs), &RoomRules::default());
}
