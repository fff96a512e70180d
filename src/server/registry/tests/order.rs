//! Roles, bans, mutes, and the audit log.

use std::net::IpAddr;

use super::*;
use crate::protocol::limits::LIST_ITEMS;
use crate::protocol::words::ErrorCode;

fn address(raw: &str) -> Banned {
    Banned::Address(ip(raw))
}

fn ip(raw: &str) -> IpAddr {
    raw.parse().unwrap()
}

/// The whole of it. Columns: done to a guest or nobody, a member, an operator, a host.
#[test]
fn the_table_of_who_may_do_what() {
    use Act::{Audit, Ban, Invite, Kick, Mute, RuleRoom, SetDoor, SetRole, Stats};
    let (no, yes) = (false, true);
    let table = [
        (
            Role::Member,
            vec![Kick, Ban, Mute, SetRole, RuleRoom, Invite, SetDoor, Audit, Stats],
            [no, no, no, no],
        ),
        (Role::Operator, vec![Kick, Ban, Mute], [yes, yes, no, no]),
        (Role::Operator, vec![RuleRoom, Invite, Audit, Stats], [yes, yes, yes, yes]),
        (Role::Operator, vec![SetRole, SetDoor], [no, no, no, no]),
        (Role::Host, vec![Kick, Ban, Mute], [yes, yes, yes, no]),
        (Role::Host, vec![SetRole], [no, yes, yes, no]),
        (Role::Host, vec![RuleRoom, Invite, SetDoor, Audit, Stats], [yes, yes, yes, yes]),
    ];
    let targets = [None, Some(Role::Member), Some(Role::Operator), Some(Role::Host)];
    let mut rows = 0;
    for (actor, acts, answers) in table {
        for act in acts {
            rows += 1;
            for (target, answer) in targets.into_iter().zip(answers) {
                assert_eq!(may(actor, act, target), answer, "{actor:?} {act:?} {target:?}");
            }
        }
    }
    assert_eq!(rows, 3 * 9, "every role and every act");
}

#[test]
fn only_the_host_makes_operators_and_nobody_makes_hosts() {
    let mut house = House::new();
    let host = by(house.registry.make_host(key(1), at(0)).unwrap());
    let (operator, member) = (house.operator(2), house.member(3));
    assert!(is_refused(&house.registry.set_role(&operator, member, Role::Operator, at(1))));
    assert!(is_refused(&house.registry.set_role(&by(member), member, Role::Operator, at(1))));
    assert!(is_refused(&house.registry.set_role(&host, member, Role::Host, at(1))));
    assert!(is_refused(&house.registry.set_role(&host, host.person().unwrap(), Role::Member, at(1))));
    house.registry.set_role(&host, member, Role::Operator, at(1)).unwrap();
    house.assert_kept(at(1));
    house.registry.set_role(&host, member, Role::Member, at(2)).unwrap();
    assert_eq!(house.registry.role(member), Some(Role::Member));
    let stranger = PersonId(99);
    assert!(is_refused(&house.registry.set_role(&by(stranger), member, Role::Operator, at(1))));
    assert_eq!(
        house.registry.set_role(&host, stranger, Role::Operator, at(1)),
        Err(RegistryError::NoSuchPerson)
    );
    house.assert_kept(at(2));
}

#[test]
fn a_ban_catches_all_keys_of_a_person() {
    let mut house = House::new();
    let bob = house.member(1);
    let code = house.registry.start_device(bob, at(0)).unwrap().to_string();
    house.registry.link_device(&code, key(2), &nick("bob"), at(0)).unwrap();
    let operator = house.operator(9);
    house.registry.ban(&operator, Banned::Person(bob), line("spam"), None, at(5)).unwrap();
    for number in [1, 2] {
        let person = house.registry.person_of(&key(number));
        let ban = house.registry.banned(person, None, at(6)).unwrap();
        assert_eq!((ban.reason.as_str(), ban.at, &ban.by), ("spam", at(5), &operator));
        assert_eq!(ban.failure().code, ErrorCode::Banned);
        assert_eq!(ban.failure().message.as_str(), "you may not come in here: spam");
    }
    house.assert_kept(at(6));
    assert_eq!(house.registry.unban(&operator, Banned::Person(bob), at(7)), Ok(true));
    assert_eq!(house.registry.unban(&operator, Banned::Person(bob), at(7)), Ok(false));
    assert_eq!(house.registry.banned(Some(bob), None, at(7)), None);
    house.assert_kept(at(7));
}

#[test]
fn a_ban_of_an_address_catches_its_block_but_not_those_who_keep_order() {
    let mut house = House::new();
    let operator = house.operator(1);
    let host = house.registry.make_host(key(2), at(0)).unwrap();
    let member = house.member(3);
    house.registry.ban(&operator, address("2001:db8:1:2::7"), line(""), None, at(0)).unwrap();
    house.registry.ban(&operator, address("::ffff:10.0.0.1"), line(""), None, at(0)).unwrap();
    for caught in ["2001:db8:1:2:ffff::9", "10.0.0.1", "::ffff:10.0.0.1"] {
        assert!(house.registry.banned(None, Some(ip(caught)), at(0)).is_some(), "{caught}");
        assert!(house.registry.banned(Some(member), Some(ip(caught)), at(0)).is_some(), "{caught}");
        for free in [operator.person(), Some(host)] {
            assert_eq!(house.registry.banned(free, Some(ip(caught)), at(0)), None);
        }
    }
    assert_eq!(house.registry.banned(None, Some(ip("2001:db8:1:3::7")), at(0)), None);
    house.assert_kept(at(0));
    assert_eq!(house.registry.unban(&operator, address("2001:db8:1:2::"), at(1)), Ok(true));
}

#[test]
fn what_is_decided_up_to_a_moment_goes_by_the_clock_wherever_it_jumps() {
    let mut house = House::new();
    let (bob, carol) = (house.member(1), house.member(2));
    let (until, by) = (Some(at(DAY)), By::Parlor);
    house.registry.ban(&by, Banned::Person(bob), line(""), until, at(0)).unwrap();
    house.registry.mute(&by, Whom::Person(carol), None, line(""), until, at(0)).unwrap();
    let ticket = house.registry.make_ticket(&by, None, until, None, at(0)).unwrap().id();
    let place = room("#a");
    for (now, holds) in [(0, true), (2 * DAY, false), (-40 * 365 * DAY, true), (i64::MAX, false), (1, true)] {
        let now = at(now);
        assert_eq!(house.registry.banned(Some(bob), None, now).is_some(), holds, "{now}");
        assert_eq!(house.registry.muted(&Whom::Person(carol), &place, now).is_some(), holds, "{now}");
        assert_eq!(house.registry.ticket_key(&ticket, now).is_some(), holds, "{now}");
    }
}

#[test]
fn what_has_expired_counts_no_more_and_is_gone_after_a_restart() {
    let mut house = House::new();
    let bob = house.member(1);
    let (subject, whom) = (Banned::Person(bob), Whom::Person(bob));
    house.registry.ban(&By::Parlor, subject, line(""), Some(at(DAY)), at(0)).unwrap();
    house.registry.mute(&By::Parlor, whom.clone(), None, line(""), Some(at(DAY)), at(0)).unwrap();
    house.registry.make_ticket(&By::Parlor, None, Some(at(DAY)), None, at(0)).unwrap();
    let counted = |registry: &Registry, now| {
        (
            registry.bans(now).len(),
            registry.mutes(now).len(),
            registry.tickets(&By::Parlor, now).unwrap().len(),
        )
    };
    let registry = &house.registry;
    assert_eq!(counted(registry, at(DAY - 1)), (1, 1, 1));
    assert!(registry.banned(Some(bob), None, at(DAY - 1)).is_some());
    assert_eq!(counted(registry, at(DAY)), (0, 0, 0));
    assert_eq!(registry.banned(Some(bob), None, at(DAY)), None);
    assert_eq!(registry.muted(&whom, &room("#a"), at(DAY)), None);
    assert_eq!(counted(&house.reopened(at(DAY - 1)), at(0)), (1, 1, 1));
    assert_eq!(counted(&house.reopened(at(DAY)), at(0)), (0, 0, 0));
}

#[test]
fn operators_keep_order_but_not_with_each_other() {
    let mut house = House::new();
    let (one, two) = (house.operator(1), house.operator(2));
    let host = house.registry.make_host(key(3), at(0)).unwrap();
    let member = house.member(4);
    let people = [two.person().unwrap(), host];
    for person in people {
        let whom = Whom::Person(person);
        assert!(is_refused(&house.registry.ban(&one, Banned::Person(person), line(""), None, at(0))));
        assert!(is_refused(&house.registry.mute(&one, whom.clone(), None, line(""), None, at(0))));
        assert!(is_refused(&house.registry.kick(&one, &whom, None, &line(""), at(0))));
    }
    for whom in [Whom::Person(member), guest("bob")] {
        house.registry.kick(&one, &whom, Some(&room("#a")), &line("enough"), at(0)).unwrap();
        assert!(is_refused(&house.registry.kick(&by(member), &whom, None, &line(""), at(0))));
    }
    let told = &house.registry.audit(&one, None, 1).unwrap()[0];
    assert_eq!(told.subject.as_str(), "bob (guest)");
    assert_eq!(told.particulars.as_str(), "kicked in #a: enough");
}

#[test]
fn a_mute_is_of_somebody_in_one_room_or_in_all() {
    let mut house = House::new();
    let operator = house.operator(1);
    let bob = Whom::Person(house.member(2));
    let [a, b] = ["#a", "#b"].map(room);
    house.registry.mute(&operator, bob.clone(), Some(a.clone()), line(""), None, at(0)).unwrap();
    assert!(house.registry.muted(&bob, &a, at(0)).is_some());
    assert!(house.registry.muted(&bob, &b, at(0)).is_none());
    house.registry.mute(&operator, bob.clone(), None, line("shouting"), None, at(0)).unwrap();
    let mute = house.registry.muted(&bob, &b, at(0)).unwrap();
    assert_eq!(mute.failure().message.as_str(), "you may not speak here: shouting");
    house.assert_kept(at(0));
    assert_eq!(house.registry.unmute(&operator, &bob, None, at(1)), Ok(true));
    assert_eq!(house.registry.unmute(&operator, &bob, Some(&b), at(1)), Ok(false));
    assert!(house.registry.muted(&bob, &a, at(1)).is_some());
    house.assert_kept(at(1));
}

#[test]
fn a_muted_guest_does_not_speak_under_a_name_that_looks_the_same() {
    let mut house = House::new();
    let operator = house.operator(1);
    let a = room("#a");
    house.registry.mute(&operator, guest("ALICE"), Some(a.clone()), line(""), None, at(0)).unwrap();
    house.registry.mute(&operator, guest("ALICE"), None, line(""), None, at(0)).unwrap();
    for alike in ["alice", "allce", "Alice"] {
        assert!(house.registry.muted(&guest(alike), &a, at(0)).is_some(), "{alike}");
    }
    assert!(house.registry.muted(&guest("bob"), &a, at(0)).is_none());
    house.assert_kept(at(0));
    house.registry.unmute(&operator, &guest("alice"), None, at(1)).unwrap();
    assert!(house.registry.muted(&guest("allce"), &a, at(0)).is_some(), "in the one room still");
    house.registry.unmute(&operator, &guest("alice"), Some(&a), at(1)).unwrap();
    assert!(house.registry.muted(&guest("ALICE"), &a, at(0)).is_none());
    house.assert_kept(at(1));
}

#[test]
fn the_host_is_never_kept_out_or_silent() {
    let mut house = House::new();
    let host = house.member(1);
    house.registry.ban(&By::Parlor, Banned::Person(host), line(""), None, at(0)).unwrap();
    house.registry.mute(&By::Parlor, Whom::Person(host), None, line(""), None, at(0)).unwrap();
    house.registry.make_host(key(1), at(1)).unwrap();
    assert_eq!(house.registry.banned(Some(host), None, at(1)), None);
    assert_eq!(house.registry.muted(&Whom::Person(host), &room("#a"), at(1)), None);
}

#[test]
fn the_audit_log_is_for_those_who_keep_order_and_newest_first() {
    let mut house = House::new();
    let (operator, member) = (house.operator(1), house.member(2));
    for n in 0..5 {
        house.registry.kick(&operator, &guest("bob"), None, &line(&n.to_string()), at(n)).unwrap();
    }
    assert!(is_refused(&house.registry.audit(&by(member), None, 10)));
    let page = house.registry.audit(&operator, None, 2).unwrap();
    let numbers = |page: &[AuditEntry]| page.iter().map(|entry| entry.number).collect::<Vec<_>>();
    assert_eq!((numbers(&page), page[0].at, &page[0].by), (vec![6, 5], at(4), &operator));
    assert_eq!(numbers(&house.registry.audit(&operator, Some(5), 2).unwrap()), [4, 3]);
    assert_eq!(house.registry.audit(&operator, Some(1), 9).unwrap(), []);
    assert_eq!(house.reopened(at(0)).audit(&By::Parlor, None, 2).unwrap(), page);
}

#[test]
fn a_page_of_the_audit_log_ends() {
    let mut house = House::new();
    for _ in 0..=LIST_ITEMS {
        house.registry.kick(&By::Parlor, &guest("bob"), None, &line(""), at(0)).unwrap();
    }
    assert_eq!(house.registry.audit(&By::Parlor, None, usize::MAX).unwrap().len(), LIST_ITEMS);
}

#[test]
fn a_reason_cannot_forge_a_line_of_the_audit_log() {
    let mut house = House::new();
    let evil = line("x\n7 host unban everyone \x1b[2J");
    house.registry.kick(&By::Parlor, &guest("bob"), None, &evil, at(0)).unwrap();
    let told = &house.registry.audit(&By::Parlor, None, 1).unwrap()[0];
    assert!(!told.particulars.as_str().contains(['\n', '\x1b']));
}

#[test]
fn the_audit_log_is_only_added_to() {
    let mut house = House::new();
    house.registry.kick(&By::Parlor, &guest("bob"), None, &line(""), at(0)).unwrap();
    assert!(house.registry.tables.tamper("DELETE FROM audit").is_err());
    assert!(house.registry.tables.tamper("UPDATE audit SET subject = 'nobody'").is_err());
    assert_eq!(house.registry.audit(&By::Parlor, None, 9).unwrap().len(), 1);
}
