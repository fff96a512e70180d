//! Rules of rooms, invitations, and the passphrase.

use crate::server::door::Lock;
use std::num::NonZeroU32;

use super::*;
use crate::protocol::proof::{Binding, Cost, ProofKey};

fn passphrase(byte: u8) -> (Hex<16>, ProofKey) {
    (Hex([byte; 16]), ProofKey::from_bytes([byte; 32]))
}

fn set(house: &mut House, name: &str, rule: Rule) {
    house.registry.rule(&By::Parlor, &room(name), rule, at(0)).unwrap();
}

#[test]
fn without_rules_everyone_may_everything() {
    let mut house = House::new();
    let alice = house.member(1);
    assert_eq!(house.registry.rules(&room("#a")), &RoomRules::default());
    for person in [None, Some(alice)] {
        assert_eq!(house.registry.may_enter(&room("#a"), person), Ok(()));
        assert!(house.registry.may_set_topic(&room("#a"), person));
    }
}

#[test]
fn by_invitation_only() {
    let mut house = House::new();
    let (alice, operator) = (house.member(1), house.operator(2).person());
    let a = room("#a");
    set(&mut house, "#a", Rule::InviteOnly(true));
    set(&mut house, "#a", Rule::Key(Some(passphrase(1))));
    assert_eq!(house.registry.may_enter(&a, None), Err(Barred::InviteOnly));
    assert_eq!(house.registry.may_enter(&a, Some(alice)), Err(Barred::InviteOnly));
    assert_eq!(house.registry.may_enter(&a, operator), Ok(()));
    set(&mut house, "#a", Rule::Allow(alice));
    assert_eq!(house.registry.may_enter(&a, Some(alice)), Ok(()));
    house.assert_kept(at(0));
    set(&mut house, "#a", Rule::Disallow(alice));
    assert_eq!(house.registry.may_enter(&a, Some(alice)), Err(Barred::InviteOnly));
    house.assert_kept(at(0));
}

#[test]
fn whoever_once_knew_the_passphrase_of_a_room_need_not_say_it_again() {
    let mut house = House::new();
    let (alice, a) = (house.member(1), room("#a"));
    set(&mut house, "#a", Rule::Key(Some(passphrase(7))));
    let barred = Err(Barred::NeedsPassphrase(Hex([7; 16])));
    assert_eq!(house.registry.may_enter(&a, Some(alice)), barred);
    house.registry.admit(&a, alice).unwrap();
    assert_eq!(house.registry.may_enter(&a, Some(alice)), Ok(()));
    assert_eq!(house.registry.may_enter(&a, None), barred, "a guest cannot be known again");
    house.assert_kept(at(0));
}

#[test]
fn a_room_is_ruled_by_its_owner_operators_and_the_host() {
    let mut house = House::new();
    let (owner, other, operator) = (house.member(1), house.member(2), house.operator(3));
    let a = room("#a");
    house.registry.founded(&a, owner).unwrap();
    house.registry.founded(&a, other).unwrap();
    assert_eq!(house.registry.rules(&a).owner, Some(owner), "the first one made it");
    assert!(is_refused(&house.registry.rule(&by(other), &a, Rule::Private(true), at(0))));
    assert!(is_refused(&house.registry.rule(&by(owner), &room("#b"), Rule::Private(true), at(0))));
    house.registry.rule(&by(owner), &a, Rule::Private(true), at(0)).unwrap();
    house.registry.rule(&operator, &a, Rule::TopicLocked(true), at(0)).unwrap();
    let told = &house.registry.audit(&operator, None, 1).unwrap()[0];
    assert_eq!(
        (told.deed, told.subject.as_str(), told.particulars.as_str()),
        (Deed::TopicLock, "#a", "topic locked")
    );
    for (person, may_set) in
        [(Some(owner), true), (operator.person(), true), (Some(other), false), (None, false)]
    {
        assert_eq!(house.registry.may_set_topic(&a, person), may_set);
    }
    house.assert_kept(at(0));
    house.registry.rule(&by(owner), &a, Rule::Owner(Some(other)), at(0)).unwrap();
    assert!(is_refused(&house.registry.rule(&by(owner), &a, Rule::Private(false), at(0))));
    let nobody = house.registry.rule(&operator, &a, Rule::Owner(Some(PersonId(99))), at(0));
    assert_eq!(nobody, Err(RegistryError::NoSuchPerson));
    house.registry.forget_room(&a).unwrap();
    assert_eq!(house.registry.rules(&a), &RoomRules::default());
    house.assert_kept(at(0));
}

#[test]
fn an_invitation_is_counted() {
    let mut house = House::new();
    let operator = house.operator(1);
    let uses = NonZeroU32::new(2);
    let ticket = house.registry.make_ticket(&operator, uses, None, Some(room("#a")), at(0)).unwrap();
    let (id, challenge) = (ticket.id(), Hex([1; 32]));
    let proof = ticket.key().prove(&challenge, Binding::NONE);
    let verifies = |registry: &Registry| {
        let key = registry.ticket_key(&id, at(1));
        key.map(|key| key.verify(&challenge, Binding::NONE, &proof))
    };
    assert_eq!(verifies(&house.registry), Some(true));
    house.assert_kept(at(0));
    assert_eq!(house.registry.use_ticket(&id, at(1)), Ok(Some(room("#a"))));
    house.assert_kept(at(1));
    assert_eq!(house.registry.tickets(&By::Parlor, at(1)).unwrap()[0].uses, NonZeroU32::new(1));
    assert_eq!(house.registry.use_ticket(&id, at(1)), Ok(Some(room("#a"))));
    assert_eq!(verifies(&house.registry), None);
    assert_eq!(house.registry.use_ticket(&id, at(1)), Err(RegistryError::NoSuchTicket));
    house.assert_kept(at(1));
}

#[test]
fn an_invitation_expires_and_can_be_revoked() {
    let mut house = House::new();
    let (operator, member) = (house.operator(1), house.member(2));
    assert!(is_refused(&house.registry.make_ticket(&by(member), None, None, None, at(0))));
    let short = house.registry.make_ticket(&operator, None, Some(at(HOUR)), None, at(0)).unwrap().id();
    assert_eq!(house.registry.use_ticket(&short, at(HOUR - 1)), Ok(None));
    assert_eq!(house.registry.ticket_key(&short, at(HOUR)), None);
    assert_eq!(house.registry.use_ticket(&short, at(HOUR)), Err(RegistryError::NoSuchTicket));
    let long = house.registry.make_ticket(&operator, None, None, None, at(0)).unwrap().id();
    assert!(is_refused(&house.registry.revoke(&by(member), &long, at(1))));
    house.registry.revoke(&operator, &long, at(1)).unwrap();
    assert_eq!(house.registry.ticket_key(&long, at(1)), None);
    assert_eq!(house.registry.revoke(&operator, &long, at(1)), Err(RegistryError::NoSuchTicket));
    house.assert_kept(at(0));
}

#[test]
fn the_passphrase_is_the_hosts_and_only_its_key_is_kept() {
    let mut house = House::new();
    let operator = house.operator(1);
    let (salt, key) = passphrase(3);
    let door = Lock { salt, cost: Cost::USUAL, key };
    assert_eq!(house.registry.door(), None);
    assert!(is_refused(&house.registry.set_door(&operator, Some(door.clone()), at(0))));
    house.registry.set_door(&By::Parlor, Some(door.clone()), at(0)).unwrap();
    assert_eq!(house.registry.door(), Some(&door));
    house.assert_kept(at(0));
    house.registry.set_door(&By::Parlor, None, at(0)).unwrap();
    house.assert_kept(at(0));
    let told = house.registry.audit(&By::Parlor, None, 2).unwrap();
    assert!(told.iter().all(|entry| entry.deed == Deed::Passphrase));
}
