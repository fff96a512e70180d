use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::protocol::address::Address;
use crate::protocol::hex::Hex;
use crate::protocol::text::Line;

fn said(id: u128, name: &str) -> Announcement {
    Announcement {
        id: Uuid::from_u128(id),
        name: Line::lossy(name),
        port: 7878,
        people: 0,
        open: false,
        fingerprint: Some(Hex([9; 32])),
    }
}

fn at(ip: &str) -> Reach {
    Reach::new(ip.parse().unwrap(), None).unwrap()
}

fn news(table: &mut Table) -> Vec<Heard> {
    std::iter::from_fn(|| table.next()).collect()
}

/// What is told of those that are there, each as its name and addresses.
fn here(table: &mut Table) -> Vec<(String, Vec<String>)> {
    let parlor = |heard| match heard {
        Heard::Here(Parlor { said, addresses }) => {
            (said.name.as_str().to_owned(), addresses.iter().map(Address::to_string).collect())
        }
        other => panic!("{other:?}"),
    };
    news(table).into_iter().map(parlor).collect()
}

fn gone(id: u128) -> Heard {
    Heard::Gone(Uuid::from_u128(id))
}

#[test]
fn what_both_ways_say_of_one_parlor_is_one_parlor() {
    let mut table = Table::default();
    table.answered(said(1, "lab"), at("203.0.113.9"), 1);
    assert_eq!(here(&mut table), [("lab".to_owned(), vec!["203.0.113.9:7878".to_owned()])]);
    table.resolved(
        "lab._parlor._tcp.local.",
        said(1, "lab"),
        vec![at("fd00::1"), at("10.0.0.1"), at("203.0.113.9")],
    );
    let addresses = ["10.0.0.1:7878", "203.0.113.9:7878", "[fd00::1]:7878"].map(str::to_owned);
    assert_eq!(here(&mut table), [("lab".to_owned(), addresses.to_vec())]);
    // The same again is nothing new, and another number of people is.
    table.answered(said(1, "lab"), at("203.0.113.9"), 2);
    assert_eq!(news(&mut table), []);
    table.answered(Announcement { people: 4, ..said(1, "lab") }, at("203.0.113.9"), 3);
    assert!(
        matches!(&news(&mut table)[..], [Heard::Here(lab)] if lab.said.people == 4 && lab.addresses.len() == 3)
    );
}

#[test]
fn whoever_repeats_an_id_is_another_parlor() {
    let mut table = Table::default();
    let false_ones = [
        Announcement { fingerprint: None, ..said(1, "lab") },
        Announcement { fingerprint: Some(Hex([1; 32])), ..said(1, "lab") },
        Announcement { open: true, ..said(1, "lab") },
        Announcement { port: 1, ..said(1, "lab") },
        said(1, "lab 2"),
    ];
    table.answered(said(1, "lab"), at("10.0.0.1"), 1);
    false_ones.iter().for_each(|one| table.answered(one.clone(), at("10.0.0.66"), 1));
    assert_eq!(here(&mut table).len(), 6);
    // When those are gone, what is there still is told again: their id does not say which of them it was.
    for question in 2..5 {
        table.answered(said(1, "lab"), at("10.0.0.1"), question);
        table.judge(question, true);
    }
    let mut listed = HashMap::new();
    for heard in news(&mut table) {
        match heard {
            Heard::Here(parlor) => drop(listed.insert(parlor.said.id, parlor)),
            Heard::Gone(id) => drop(listed.remove(&id)),
            Heard::Trouble(sentence) => panic!("{sentence}"),
        }
    }
    assert_eq!(listed.values().map(|parlor| &parlor.said).collect::<Vec<_>>(), [&said(1, "lab")]);
}

#[test]
fn three_questions_without_an_answer_are_the_end() {
    let mut table = Table::default();
    table.answered(said(1, "lab"), at("10.0.0.1"), 1);
    here(&mut table);
    // One of those that are asked in a hurry may be lost without harm.
    table.judge(2, false);
    table.judge(3, true);
    table.judge(4, true);
    table.answered(said(1, "lab"), at("10.0.0.1"), 5);
    table.judge(5, true);
    table.judge(6, true);
    table.judge(7, true);
    assert_eq!(news(&mut table), []);
    table.judge(8, true);
    assert_eq!(news(&mut table), [gone(1)]);
}

#[test]
fn an_address_that_does_not_answer_any_more_is_left_out() {
    let mut table = Table::default();
    table.answered(said(1, "lab"), at("10.0.0.1"), 1);
    table.answered(said(1, "lab"), at("10.0.0.2"), 1);
    assert_eq!(here(&mut table)[0].1, ["10.0.0.1:7878", "10.0.0.2:7878"]);
    for question in 2..5 {
        table.answered(said(1, "lab"), at("10.0.0.2"), question);
        table.judge(question, true);
    }
    assert_eq!(here(&mut table)[0].1, ["10.0.0.2:7878"]);
}

#[test]
fn a_goodbye_is_believed_when_nobody_answers() {
    let mut table = Table::default();
    table.resolved("a", said(1, "lab"), vec![at("10.0.0.1")]);
    here(&mut table);
    assert!(table.removed("a", 1) && !table.removed("a", 1));
    assert_eq!(news(&mut table), [gone(1)]);
    // One that answers datagrams is asked once more.
    table.resolved("b", said(2, "shop"), vec![at("10.0.0.2")]);
    table.answered(said(2, "shop"), at("10.0.0.2"), 1);
    here(&mut table);
    table.removed("b", 1);
    assert!(table.in_doubt() && news(&mut table).is_empty());
    table.answered(said(2, "shop"), at("10.0.0.2"), 2);
    assert!(!table.in_doubt());
    table.judge(2, false);
    assert_eq!(news(&mut table), []);
    table.resolved("b", said(2, "shop"), vec![at("10.0.0.2")]);
    table.removed("b", 2);
    // The question that had been asked before says nothing.
    table.judge(2, false);
    assert_eq!(news(&mut table), []);
    table.judge(3, false);
    assert_eq!(news(&mut table), [gone(2)]);
}

#[test]
fn what_no_datagram_reaches_is_asked_after() {
    let mut table = Table::default();
    table.resolved("a", said(1, "lab"), vec![at("10.0.0.1"), at("10.0.0.2")]);
    table.resolved("b", said(2, "shop"), vec![at("10.0.0.2")]);
    assert_eq!(table.judge(1, true), [""; 0]);
    table.answered(said(2, "shop"), at("10.0.0.2"), 2);
    assert_eq!(table.judge(2, true), ["a"]);
    // One that did not answer is asked after at once.
    assert_eq!(table.judge(3, true), ["b"]);
    assert_eq!(table.judge(4, true), ["a"]);
}

#[test]
fn when_multicast_dns_is_given_up_it_has_to_be_heard_again() {
    let mut table = Table::default();
    table.resolved("a", said(1, "lab"), vec![at("10.0.0.1")]);
    table.resolved("b", said(2, "shop"), vec![at("10.0.0.2")]);
    here(&mut table);
    table.forget_services(1);
    table.judge(2, true);
    table.resolved("b", said(2, "shop"), vec![at("10.0.0.2")]);
    table.judge(3, true);
    assert_eq!(news(&mut table), []);
    table.judge(4, true);
    assert_eq!(news(&mut table), [gone(1)]);
}

#[test]
fn a_flood_leaves_room_for_those_who_were_there_and_for_the_other_way() {
    let mut table = Table::default();
    table.resolved("lab", said(1, "lab"), vec![at("10.0.0.1")]);
    for number in 0..10_000 {
        table.resolved(&format!("flood {number}"), said(100 + number, "flood"), vec![at("10.0.0.66")]);
    }
    table.answered(said(2, "shop"), at("10.0.0.2"), 1);
    let listed = here(&mut table);
    assert_eq!(listed.len(), PARLORS_BY_ONE_WAY + 1);
    assert!(["lab", "shop"].iter().all(|name| listed.iter().any(|(listed, _)| listed == name)));
    // And nobody is made to ask for all of it.
    table.judge(1, true);
    assert!(table.judge(2, true).len() <= CONFIRMED_AT_ONCE);
}

#[test]
fn a_flood_of_addresses_leaves_room_for_those_that_were_there() {
    let mut table = Table::default();
    table.answered(said(1, "lab"), at("10.0.0.1"), 1);
    table.resolved("lab", said(1, "lab"), vec![at("fd00::1")]);
    for number in 0..200_u8 {
        let claimed = (0..200_u8).map(|host| at(&format!("10.66.{number}.{host}"))).collect();
        table.resolved(&format!("flood {number}"), said(1, "lab"), claimed);
        table.answered(said(1, "lab"), at(&format!("10.67.0.{number}")), 1);
    }
    let addresses = here(&mut table).remove(0).1;
    assert_eq!((addresses.len(), addresses[0].as_str()), (ADDRESSES, "10.0.0.1:7878"));
    assert!(table.entries[0].ways.len() <= 2 * ADDRESSES);
}

/// Something that may be heard, or time that passes.
#[derive(Clone, Debug)]
enum Event {
    Answered { id: u128, name: bool, host: u8, people: u32 },
    Resolved { instance: u8, id: u128, name: bool, hosts: Vec<u8> },
    Removed { instance: u8 },
    Asked { counts: bool },
    Flooded,
    Told { count: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let id = || 0..4_u128;
    prop_oneof![
        4 => (id(), any::<bool>(), 1..12_u8, 0..3_u32)
            .prop_map(|(id, name, host, people)| Event::Answered { id, name, host, people }),
        3 => (0..6_u8, id(), any::<bool>(), prop::collection::vec(1..30_u8, 0..12))
            .prop_map(|(instance, id, name, hosts)| Event::Resolved { instance, id, name, hosts }),
        2 => (0..6_u8).prop_map(|instance| Event::Removed { instance }),
        4 => any::<bool>().prop_map(|counts| Event::Asked { counts }),
        1 => Just(Event::Flooded),
        3 => (0..4_usize).prop_map(|count| Event::Told { count }),
    ]
}

proptest! {
    /// Whatever comes, in whatever order, and however slowly it is listened to: who listens ends with what is there.
    #[test]
    fn what_was_told_is_what_there_is(events in prop::collection::vec(event(), 0..200)) {
        let mut table = Table::default();
        let mut asked = 1;
        // As somebody would keep it who follows what `Heard` says.
        let listed: RefCell<Vec<Parlor>> = RefCell::default();
        let named = |id, second| said(id, if second { "other" } else { "lab" });
        let host = |host: u8| at(&format!("10.0.0.{host}"));
        let take = |heard| {
            let mut listed = listed.borrow_mut();
            match heard {
                Heard::Here(parlor) => {
                    assert!(!parlor.addresses.is_empty() && parlor.addresses.len() <= ADDRESSES);
                    listed.retain(|known| !known.is_same(&parlor));
                    listed.push(parlor);
                }
                Heard::Gone(id) => {
                    assert!(listed.iter().any(|known| known.said.id == id), "gone and was never here");
                    listed.retain(|known| known.said.id != id);
                }
                Heard::Trouble(sentence) => panic!("{sentence}"),
            }
        };
        for event in events {
            match event {
                Event::Answered { id, name, host: from, people } => {
                    table.answered(Announcement { people, ..named(id, name) }, host(from), asked);
                }
                Event::Resolved { instance, id, name, hosts } => {
                    let reach = hosts.into_iter().map(host).collect();
                    table.resolved(&instance.to_string(), named(id, name), reach);
                }
                Event::Removed { instance } => drop(table.removed(&instance.to_string(), asked)),
                Event::Asked { counts } => {
                    asked += 1;
                    prop_assert!(table.judge(asked, counts).len() <= CONFIRMED_AT_ONCE);
                }
                Event::Flooded => table.forget_services(asked),
                Event::Told { count } => {
                    for _ in 0..count {
                        table.next().map(take);
                    }
                }
            }
        }
        news(&mut table).into_iter().for_each(take);
        let there: Vec<Parlor> = table.entries.iter().map(Entry::parlor).collect();
        prop_assert_eq!(listed.borrow().len(), there.len());
        prop_assert!(listed.borrow().iter().all(|parlor| there.contains(parlor)));
        // With nobody there any more, everything ends.
        for instance in 0..6 {
            table.removed(&instance.to_string(), asked);
        }
        for question in asked + 1..asked + 4 {
            table.judge(question, true);
        }
        news(&mut table).into_iter().for_each(take);
        prop_assert!(table.entries.is_empty() && listed.borrow().is_empty());
    }
}
