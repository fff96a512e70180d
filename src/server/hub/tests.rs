use super::*;
use crate::protocol::time::Time;

fn hub() -> Hub {
    let limits = Limits { rooms: 3, members_per_room: 2, ..Limits::default() };
    Hub::new(limits, Vec::new(), Arc::new(Notify::new()))
}

fn nick(name: &str) -> Nick {
    Nick::new(name).unwrap()
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
    result.unwrap_err().code
}

#[test]
fn one_nick_for_one_person_and_none_that_looks_like_it() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap();
    for alike in ["alice", "ALICE", "аlice"] {
        assert_eq!(
            code(hub.enter(nick(alike), None, None, false, Origin::default())),
            ErrorCode::NickTaken,
            "{alike}"
        );
    }
    hub.leave(alice.session);
    assert!(hub.enter(nick("ALICE"), None, None, false, Origin::default()).is_ok());
}

#[test]
fn who_comes_back_takes_their_own_place() {
    let mut hub = hub();
    let before = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap();
    hub.join(before.session, &room("#a")).unwrap();
    let after = hub.enter(nick("alice"), Some(before.token), None, false, Origin::default()).unwrap();
    assert_ne!(before.session, after.session);
    assert_eq!(hub.sessions(), 1);
    hub.leave(before.session);
    assert_eq!(hub.sessions(), 1, "the old session's own end changes nothing");
    assert_eq!(
        code(hub.enter(nick("alice"), Some(before.token), None, false, Origin::default())),
        ErrorCode::NickTaken
    );
}

#[test]
fn a_new_nick_frees_the_old_one_and_may_differ_only_in_case() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap().session;
    let bob = hub.enter(nick("bob"), None, None, false, Origin::default()).unwrap().session;
    assert_eq!(code(hub.rename(bob, nick("Alice"))), ErrorCode::NickTaken);
    assert!(hub.rename(alice, nick("Alice")).is_ok());
    assert!(hub.rename(alice, nick("carol")).is_ok());
    assert!(hub.rename(bob, nick("alice")).is_ok());
}

#[test]
fn a_nick_half_ones_own_and_half_anothers_is_the_others() {
    // Capital i looks like l: "ALICE" shares one key with "allce" and the other with "alice".
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap().session;
    let mallory = hub.enter(nick("allce"), None, None, false, Origin::default()).unwrap().session;
    assert_eq!(code(hub.rename(mallory, nick("ALICE"))), ErrorCode::NickTaken);
    hub.leave(mallory);
    assert_eq!(code(hub.enter(nick("alice"), None, None, false, Origin::default())), ErrorCode::NickTaken);
    hub.leave(alice);
    assert!(hub.enter(nick("alice"), None, None, false, Origin::default()).is_ok());
}

#[test]
fn a_room_that_was_spoken_in_stays_while_the_word_is_on_its_way() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap().session;
    for name in ["#a", "#b", "#c"] {
        hub.join(alice, &room(name)).unwrap();
        hub.speaker(alice, &room(name)).unwrap();
        hub.part(alice, &room(name)).unwrap();
        assert!(hub.channel(&room(name)).is_some());
    }
    assert_eq!(code(hub.join(alice, &room("#d"))), ErrorCode::TooManyRooms);
}

#[test]
fn only_members_may_speak() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap().session;
    assert_eq!(code(hub.speaker(alice, &room("#a"))), ErrorCode::NotInRoom);
    hub.join(alice, &room("#a")).unwrap();
    let speaker = hub.speaker(alice, &room("#a")).unwrap();
    assert_eq!((speaker.nick, speaker.who), (nick("alice"), None));
    hub.part(alice, &room("#a")).unwrap();
    assert_eq!(code(hub.part(alice, &room("#a"))), ErrorCode::NotInRoom);
}

#[test]
fn limits_have_names() {
    let mut hub = hub();
    let people: Vec<_> = ["a1", "b2", "c3"]
        .map(|name| hub.enter(nick(name), None, None, false, Origin::default()).unwrap().session)
        .into();
    hub.join(people[0], &room("#a")).unwrap();
    hub.join(people[1], &room("#a")).unwrap();
    assert_eq!(code(hub.join(people[2], &room("#a"))), ErrorCode::RoomFull);
    assert!(hub.join(people[0], &room("#a")).is_ok(), "in it already");
    hub.join(people[0], &room("#b")).unwrap();
    hub.join(people[0], &room("#c")).unwrap();
    assert_eq!(code(hub.join(people[0], &room("#d"))), ErrorCode::TooManyRooms);
    hub.part(people[0], &room("#c")).unwrap();
    assert!(hub.join(people[0], &room("#d")).is_ok(), "an empty room without a word does not count");
}

#[test]
fn rooms_that_look_alike_do_not_stand_side_by_side() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, None, false, Origin::default()).unwrap().session;
    hub.join(alice, &room("#lobby")).unwrap();
    assert_eq!(code(hub.join(alice, &room("#lоbby"))), ErrorCode::RoomLooksAlike);
}

#[test]
fn rooms_of_the_log_are_there_from_the_start() {
    let stored = StoredRoom { name: room("#old"), topic: "t".to_owned(), last: 9, first: 1 };
    let hub = Hub::new(Limits::default(), vec![stored], Arc::new(Notify::new()));
    let list = hub.list(|_| true);
    assert_eq!((list[0].last, list[0].here, list[0].topic.as_str()), (9, 0, "t"));
}

fn known(number: u64) -> Option<Known> {
    let id = PersonId::of_number(number).unwrap();
    Some(Known { id, key: crate::protocol::hex::Hex([7; 32]), role: Role::Member })
}

fn stored(name: RoomName, last: u64) -> StoredRoom {
    StoredRoom { name, topic: String::new(), last, first: 1 }
}

#[test]
fn rooms_for_some_alone_stand_beside_the_others_and_are_in_no_list() {
    let mut hub = hub();
    let alice = hub.enter(nick("alice"), None, known(1), false, Origin::default()).unwrap().session;
    let theirs = room("@1+2");
    hub.join(alice, &theirs).unwrap();
    assert!(hub.direct_rooms(PersonId::of_number(2).unwrap()).is_empty(), "nobody spoke there");
    for name in ["#a", "#b", "#c"] {
        hub.join(alice, &room(name)).unwrap();
    }
    assert_eq!(code(hub.join(alice, &room("#d"))), ErrorCode::TooManyRooms);
    assert_eq!(hub.list(|_| true).len(), 3);
    hub.part(alice, &theirs).unwrap();
    assert!(hub.channel(&theirs).is_none(), "an empty one without a word is no more");
    assert_eq!(hub.direct.len(), 0);
}

#[test]
fn rooms_for_some_alone_have_an_end() {
    let name = |first: usize| room(&format!("@{first}+{}", first + 1));
    let rooms = (1..=DIRECT_ROOMS).map(|first| stored(name(first), 1)).collect();
    let mut hub = Hub::new(Limits::default(), rooms, Arc::new(Notify::new()));
    let alice = hub.enter(nick("alice"), None, known(1), false, Origin::default()).unwrap().session;
    assert_eq!(code(hub.join(alice, &room("@1+9"))), ErrorCode::TooManyRooms);
    hub.join(alice, &name(1)).unwrap();
    hub.join(alice, &room("#a")).unwrap();
    assert_eq!(hub.direct_rooms(PersonId::of_number(1).unwrap()).len(), 1);
    assert_eq!(hub.direct_rooms(PersonId::of_number(2).unwrap()).len(), 2);
}

#[test]
fn nobody_uses_up_the_rooms_for_some_alone() {
    let name = |other: usize| room(&format!("@1+{}", other + 2));
    let rooms = (0..DIRECT_ROOMS_PER_PERSON).map(|other| stored(name(other), 1)).collect();
    let mut hub = Hub::new(Limits::default(), rooms, Arc::new(Notify::new()));
    let alice = hub.enter(nick("alice"), None, known(1), false, Origin::default()).unwrap().session;
    assert_eq!(code(hub.join(alice, &name(DIRECT_ROOMS_PER_PERSON))), ErrorCode::TooMany);
    hub.join(alice, &name(0)).unwrap();
    let bob = hub.enter(nick("bob"), None, known(2), false, Origin::default()).unwrap().session;
    hub.join(bob, &room("@2+3")).unwrap();
    // Who has many can be spoken to still, and answers there.
    let carol = hub.enter(nick("carol"), None, known(9999), false, Origin::default()).unwrap().session;
    hub.join(carol, &room("@1+9999")).unwrap();
    hub.join(alice, &room("@1+9999")).unwrap();
}

#[test]
fn whoever_is_not_in_a_room_for_them_is_called_on_each_device() {
    let rooms = vec![stored(room("@1+2"), 1)];
    let mut hub = Hub::new(Limits::default(), rooms, Arc::new(Notify::new()));
    let mut enter =
        |name: &str, number| hub.enter(nick(name), None, known(number), false, Origin::default()).unwrap();
    let (at, away, bob) = (enter("alice", 1), enter("alice", 1), enter("bob", 2));
    let carol = enter("carol", 3);
    hub.join(at.session, &room("@1+2")).unwrap();
    hub.call(&room("@1+2"), Time::from_millis(7));
    for called in [&away, &bob] {
        assert_eq!(called.mailbox.take_notes().unwrap().called, BTreeSet::from([room("@1+2")]));
    }
    assert!(at.mailbox.take_notes().is_none() && carol.mailbox.take_notes().is_none());
    let direct = hub.direct_rooms(PersonId::of_number(2).unwrap());
    assert_eq!(direct[0].1, Some(Time::from_millis(7)));
    hub.tell_read(away.session, &room("#a"), 5);
    assert_eq!(at.mailbox.take_notes().unwrap().read.get(&room("#a")), Some(&5));
    assert!(away.mailbox.take_notes().is_none() && bob.mailbox.take_notes().is_none());
}

#[test]
fn away_is_the_person_and_not_the_device() {
    let mut hub = hub();
    let text = Line::lossy("lunch");
    let first = hub.enter(nick("alice"), None, known(1), false, Origin::default()).unwrap();
    let bot = hub.enter(nick("alice-bot"), None, known(1), true, Origin::default()).unwrap();
    hub.set_away(first.session, Some(&text)).unwrap();
    let second = hub.enter(nick("alice"), None, known(1), false, Origin::default()).unwrap();
    assert_eq!(second.you.away.as_ref(), Some(&text));
    assert_eq!(hub.who(bot.session).unwrap().1.away, None);
    let renamed = hub.rename(second.session, nick("al")).unwrap();
    assert_eq!(renamed.away.as_ref(), Some(&text));
    let back = hub.enter(nick("al"), Some(second.token), known(1), false, Origin::default()).unwrap();
    hub.set_away(back.session, None).unwrap();
    assert_eq!(hub.who(first.session).unwrap().1.away, None);
    // A guest whose line broke.
    let guest = hub.enter(nick("guest"), None, None, false, Origin::default()).unwrap();
    hub.set_away(guest.session, Some(&text)).unwrap();
    let back = hub.enter(nick("guest"), Some(guest.token), None, false, Origin::default()).unwrap();
    assert_eq!(back.you.away, Some(text));
}
