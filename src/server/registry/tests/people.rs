//! Keys, names, devices, and who is ignored.

use super::*;
use crate::protocol::limits::{
    DEVICE_CODE_TIME, IGNORED, KEYS_PER_PERSON, NAME_KEPT, NAMES_PER_PERSON, WRONG_CODES,
};
use crate::protocol::words::ErrorCode;

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap()
}

/// A code that is not the one shown.
fn wrong(code: &DeviceCode) -> String {
    if code.to_string().starts_with('0') { "1111-1111".to_owned() } else { "0000-0000".to_owned() }
}

#[test]
fn a_key_is_a_person_at_first_sight_and_ever_after() {
    let mut house = House::new();
    assert_eq!(house.registry.person_of(&key(1)), None);
    let alice = house.member(1);
    assert_eq!(house.member(1), alice);
    assert_ne!(house.member(2), alice);
    assert_eq!(house.registry.role(alice), Some(Role::Member));
    assert_eq!(house.registry.devices(alice), [key(1)]);
    house.assert_kept(at(0));
}

#[test]
fn whoever_starts_the_parlor_is_its_host() {
    let mut house = House::new();
    let member = house.named(1, "alice");
    assert_eq!(house.registry.make_host(key(1), at(1)), Ok(member));
    assert_eq!(house.registry.make_host(key(1), at(2)), Ok(member));
    let other = house.registry.make_host(key(2), at(3)).unwrap();
    assert_eq!(house.registry.role(other), Some(Role::Host));
    assert_eq!(house.registry.staff().len(), 2);
    let told = house.registry.audit(&By::Parlor, None, 10).unwrap();
    assert_eq!(told.iter().map(|entry| entry.deed).collect::<Vec<_>>(), [Deed::Role, Deed::Role]);
    house.assert_kept(at(3));
}

#[test]
fn a_name_is_whose_who_first_used_it_with_all_that_looks_like_it() {
    let mut house = House::new();
    let paypal = house.named(1, "paypal");
    let thief = house.member(2);
    for alike in ["paypal", "PayPal", "paypaI", "раураl"] {
        let claimed = house.registry.claim(thief, &nick(alike), at(1));
        let Err(error) = claimed else { panic!("{alike} was given away") };
        assert_eq!(error.failure().code, ErrorCode::NameOwned, "{alike}: {error}");
        assert_eq!(house.registry.owner(&nick(alike), at(1)), Some(paypal), "{alike}");
    }
    house.registry.claim(paypal, &nick("PayPal"), at(2)).unwrap();
    assert_eq!(house.registry.names(paypal), [(nick("paypal"), at(2))], "a spelling takes no place");
    assert_eq!(house.registry.owner(&nick("paypol"), at(1)), None);
    house.assert_kept(at(2));
}

#[test]
fn a_name_half_ones_own_and_half_anothers_is_neithers_to_take() {
    // Capital i looks like l: "ALICE" looks like "allce", and like "alice".
    let mut house = House::new();
    let (alice, allce) = (house.named(1, "alice"), house.named(2, "allce"));
    for person in [alice, allce] {
        assert!(house.registry.claim(person, &nick("ALICE"), at(1)).is_err());
    }
    assert!(house.registry.owner(&nick("ALICE"), at(1)).is_some(), "nor a guest's");
}

#[test]
fn both_looks_of_a_name_are_owned_and_given_up_together() {
    let mut house = House::new();
    let alice = house.named(1, "alice");
    house.registry.claim(alice, &nick("ALICE"), at(1)).unwrap();
    assert_eq!(house.registry.owner(&nick("allce"), at(1)), Some(alice));
    for n in 2..=NAMES_PER_PERSON {
        house.registry.claim(alice, &nick(&format!("other{n}")), at(10 + n as i64)).unwrap();
    }
    // "alice" is given up, but "ALICE" still looks like it.
    assert!(!house.registry.names(alice).iter().any(|(name, _)| *name == nick("alice")));
    assert_eq!(house.registry.owner(&nick("alice"), at(20)), Some(alice));
    house.assert_kept(at(20));
}

#[test]
fn a_sixth_name_gives_up_the_one_unused_longest() {
    let mut house = House::new();
    let alice = house.member(1);
    for n in 0..NAMES_PER_PERSON {
        house.registry.claim(alice, &nick(&format!("name{n}")), at(n as i64)).unwrap();
    }
    house.registry.claim(alice, &nick("name0"), at(100)).unwrap();
    house.registry.claim(alice, &nick("another"), at(101)).unwrap();
    assert_eq!(house.registry.owner(&nick("name0"), at(101)), Some(alice));
    assert_eq!(house.registry.owner(&nick("name1"), at(101)), None);
    assert_eq!(house.registry.names(alice).len(), NAMES_PER_PERSON);
    house.assert_kept(at(101));
}

#[test]
fn a_name_unused_for_a_year_is_free() {
    let mut house = House::new();
    let (alice, year) = (house.named(1, "alice"), millis(NAME_KEPT));
    let bob = house.member(2);
    assert!(house.registry.claim(bob, &nick("Alice"), at(year - 1)).is_err());
    assert_eq!(house.registry.owner(&nick("alice"), at(year)), None);
    house.registry.claim(bob, &nick("Alice"), at(year)).unwrap();
    assert_eq!(house.registry.owner(&nick("alice"), at(year)), Some(bob));
    assert!(house.registry.claim(alice, &nick("alice"), at(year)).is_err());
}

#[test]
fn who_left_nothing_but_an_old_key_is_forgotten_and_their_number_never_used_again() {
    let mut house = House::new();
    let host = house.registry.make_host(key(1), at(0)).unwrap();
    let gone = house.named(2, "bob");
    let mut later = house.reopened(at(millis(NAME_KEPT)));
    assert_eq!(later.person_of(&key(2)), None);
    assert_eq!(later.person_of(&key(1)), Some(host), "a role is not forgotten");
    let mut even_later = house.reopened(at(millis(NAME_KEPT)));
    assert_ne!(even_later.identify(key(2), at(millis(NAME_KEPT))), Ok(gone));
    assert_ne!(later.identify(key(3), at(millis(NAME_KEPT))), Ok(gone));
}

#[test]
fn a_code_makes_two_devices_one_person() {
    let mut house = House::new();
    let alice = house.named(1, "alice");
    house.named(2, "alice2");
    let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    assert_eq!(house.registry.link_device(&typed, key(2), &nick("alice2"), at(1)), Ok(alice));
    assert_eq!(house.registry.devices(alice), [key(1), key(2)]);
    assert_eq!(house.registry.person_of(&key(2)), Some(alice));
    assert_eq!(house.registry.owner(&nick("alice2"), at(1)), Some(alice), "names go along");
    assert_eq!(
        house.registry.link_device(&code, key(3), &nick("x"), at(1)),
        Err(RegistryError::WrongCode),
        "a code is for one device"
    );
    let told = &house.registry.audit(&By::Parlor, None, 1).unwrap()[0];
    assert_eq!((told.deed, told.particulars.as_str()), (Deed::DeviceAdded, key(2).to_string().as_str()));
    house.assert_kept(at(1));
}

/// A machine without a battery thinks it is 1970 until it has asked somebody.
#[test]
fn a_clock_that_is_wrong_for_a_while_costs_nobody_their_name() {
    let mut house = House::new();
    let right = at(50 * 365 * DAY);
    let (alice, bob) = (house.member(1), house.member(2));
    house.registry.claim(alice, &nick("alice"), right).unwrap();
    house.registry.claim(alice, &nick("alice"), at(0)).unwrap();
    house.registry.sweep(at(HOUR)).unwrap();
    for now in [at(0), right, right.shifted(DAY)] {
        assert_eq!(house.registry.owner(&nick("alice"), now), Some(alice));
        let taken = house.registry.claim(bob, &nick("alice"), now);
        assert!(matches!(taken, Err(RegistryError::NameOwned { .. })), "{taken:?}");
    }
    assert_eq!(house.reopened(right).owner(&nick("alice"), right), Some(alice));
}

#[test]
fn a_code_is_good_for_ten_minutes_and_only_the_latest_is() {
    let mut house = House::new();
    let alice = house.member(1);
    let first = house.registry.start_device(alice, at(0)).unwrap().to_string();
    let second = house.registry.start_device(alice, at(0)).unwrap().to_string();
    let too_late = at(millis(DEVICE_CODE_TIME));
    let mut link = |code: &str, now| house.registry.link_device(code, key(2), &nick("a"), now);
    assert_eq!(link(&first, at(1)), Err(RegistryError::WrongCode));
    assert_eq!(link(&second, too_late), Err(RegistryError::WrongCode));
    let third = house.registry.start_device(alice, too_late).unwrap().to_string();
    assert_eq!(house.registry.link_device(&third, key(2), &nick("a"), too_late), Ok(alice));
    // Not for longer where the clock is set back meanwhile.
    let fourth = house.registry.start_device(alice, at(DAY)).unwrap().to_string();
    let set_back = house.registry.link_device(&fourth, key(3), &nick("a"), at(0));
    assert_eq!(set_back, Err(RegistryError::WrongCode));
}

#[test]
fn five_wrong_codes_and_none_is_good() {
    let mut house = House::new();
    let (alice, guesser) = (house.member(1), house.member(2));
    let code = house.registry.start_device(alice, at(0)).unwrap();
    for n in 1..WRONG_CODES {
        // A right one of one's own in between makes nothing good.
        let own = house.registry.start_device(guesser, at(0)).unwrap().to_string();
        let linked = house.registry.link_device(&own, key(10 + n as u8), &nick("a"), at(0));
        assert_eq!(linked, Ok(guesser));
        let guess = house.registry.link_device(&wrong(&code), key(3), &nick("a"), at(0));
        assert_eq!(guess, Err(RegistryError::WrongCode));
    }
    for slip in ["", "12", "0000-0000-0", "ÄÄÄÄ-ÄÄÄÄ"] {
        let slipped = house.registry.link_device(slip, key(3), &nick("a"), at(0));
        assert_eq!(slipped, Err(RegistryError::WrongCode), "{slip}");
    }
    let last = house.registry.link_device(&wrong(&code), key(3), &nick("a"), at(0));
    assert_eq!(last, Err(RegistryError::WrongCode));
    let right = house.registry.link_device(&code.to_string(), key(3), &nick("a"), at(0));
    assert_eq!(right, Err(RegistryError::WrongCode));
    assert!(house.registry.start_device(alice, at(0)).is_ok(), "one may begin anew");
}

#[test]
fn nobody_loses_a_role_a_ban_or_a_mute_to_a_code() {
    let mut house = House::new();
    let alice = house.member(1);
    house.operator(2);
    let (banned, muted) = (house.member(3), house.member(4));
    house.registry.make_host(key(5), at(0)).unwrap();
    house.registry.ban(&By::Parlor, Banned::Person(banned), line(""), None, at(0)).unwrap();
    let someone = Whom::Person(muted);
    house.registry.mute(&By::Parlor, someone, Some(room("#a")), line(""), None, at(0)).unwrap();
    let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
    for number in 2..=5 {
        let linked = house.registry.link_device(&code, key(number), &nick("a"), at(0));
        assert!(is_refused(&linked), "{number}: {linked:?}");
    }
    assert_eq!(
        house.registry.link_device(&code, key(6), &nick("a"), at(0)),
        Ok(alice),
        "the code is still good"
    );
    house.assert_kept(at(0));
}

#[test]
fn a_device_of_somebody_with_two_is_not_taken_over() {
    let mut house = House::new();
    let (alice, bob) = (house.member(1), house.member(2));
    let code = house.registry.start_device(bob, at(0)).unwrap().to_string();
    house.registry.link_device(&code, key(3), &nick("bob"), at(0)).unwrap();
    let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
    assert!(is_refused(&house.registry.link_device(&code, key(3), &nick("bob"), at(0))));
    assert_eq!(house.registry.devices(bob), [key(2), key(3)]);
}

#[test]
fn what_others_think_of_somebody_goes_along_to_their_new_person() {
    let mut house = House::new();
    let (alice, old, bob) = (house.named(1, "alice"), house.named(2, "al"), house.member(3));
    house.registry.ignore(bob, Whom::Person(old)).unwrap();
    house.registry.ignore(alice, Whom::Person(old)).unwrap();
    house.registry.ignore(old, guest("troll")).unwrap();
    house.registry.founded(&room("#al"), old).unwrap();
    house.registry.rule(&By::Parlor, &room("#b"), Rule::Allow(old), at(0)).unwrap();
    let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
    house.registry.link_device(&code, key(2), &nick("al"), at(1)).unwrap();
    assert_eq!(house.registry.ignored(bob), [Whom::Person(alice)]);
    assert_eq!(house.registry.ignored(alice), [guest("troll")]);
    assert_eq!(house.registry.rules(&room("#al")).owner, Some(alice));
    assert!(house.registry.rules(&room("#b")).allowed.contains(&alice));
    assert_eq!(house.registry.role(old), None);
    house.assert_kept(at(1));
}

#[test]
fn a_person_has_at_most_ten_devices_and_at_least_one() {
    let mut house = House::new();
    let alice = house.member(1);
    let name = nick("alice");
    assert!(is_refused(&house.registry.remove_device(alice, key(1), &name, at(0))));
    for n in 2..=KEYS_PER_PERSON {
        let code = house.registry.start_device(alice, at(0)).unwrap().to_string();
        house.registry.link_device(&code, key(u8::try_from(n).unwrap()), &name, at(0)).unwrap();
    }
    assert!(is_too_many(&house.registry.start_device(alice, at(0))));
    let bob = house.member(20);
    assert_eq!(
        house.registry.remove_device(bob, key(1), &name, at(0)),
        Err(RegistryError::NoSuchPerson),
        "nobody's but their own"
    );
    house.registry.remove_device(alice, key(1), &name, at(0)).unwrap();
    assert_eq!(house.registry.person_of(&key(1)), None);
    assert!(house.registry.start_device(alice, at(0)).is_ok());
    house.assert_kept(at(0));
}

#[test]
fn codes_are_secret_wherever_they_are_printed() {
    let mut house = House::new();
    let alice = house.member(1);
    let code = house.registry.start_device(alice, at(0)).unwrap();
    assert!(!format!("{code:?} {:?}", house.registry).contains(&code.to_string()));
}

#[test]
fn whom_a_person_ignores_is_known_on_all_their_devices() {
    let mut house = House::new();
    let (alice, bob) = (house.member(1), house.member(2));
    house.registry.ignore(alice, Whom::Person(bob)).unwrap();
    house.registry.ignore(alice, guest("troll")).unwrap();
    house.registry.ignore(alice, guest("troll")).unwrap();
    assert_eq!(house.registry.ignored(alice), [Whom::Person(bob), guest("troll")]);
    assert!(is_refused(&house.registry.ignore(alice, Whom::Person(alice))));
    house.assert_kept(at(0));
    assert_eq!(house.registry.unignore(alice, &guest("TroII")), Ok(true), "it looks the same");
    assert_eq!(house.registry.unignore(alice, &guest("troll")), Ok(false));
    assert_eq!(house.registry.unignore(alice, &Whom::Person(bob)), Ok(true));
    house.assert_kept(at(0));
}

#[test]
fn a_list_of_the_ignored_ends() {
    let mut house = House::new();
    let alice = house.member(1);
    for n in 0..IGNORED {
        house.registry.ignore(alice, guest(&format!("g{n}"))).unwrap();
    }
    assert!(is_too_many(&house.registry.ignore(alice, guest("more"))));
    assert_eq!(house.registry.ignore(alice, guest("g1")), Ok(()));
}
