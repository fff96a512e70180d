//! Names belong to their owners, and a host keeps order.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::net::IpAddr;

use common::{TestClient, TestServer, nick, room, unlimited};
use parlor::protocol::command::{
    Command, Hello, History, Join, Judgement, LinkDevice, OfKey, OfNick, Place, Plain, ReadAudit, RequestId,
    RuleKind, SetAway, SetIgnored, SetNick, SetRole, SetRule,
};
use parlor::protocol::event::{ErrorCode, Event, Failure, Okay, Person, Reason, Role, Whois};
use parlor::protocol::proof::{KeyPair, Passphrase};
use parlor::protocol::text::Line;
use uuid::Uuid;

/// Whose key it is that begins with this byte.
fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const HOST: u8 = 1;

/// A parlor of whoever has the key [`HOST`].
async fn parlor() -> TestServer {
    TestServer::of_host(key(HOST).public(), unlimited()).await
}

/// Comes in with a key, or as a guest, from an address of this machine.
async fn try_come(
    server: &TestServer,
    name: &str,
    seed: Option<u8>,
    from: u8,
) -> Result<TestClient, Failure> {
    let (pair, apart) = (seed.map(key), name.ends_with("-bot"));
    TestClient::come_from((server.port, from), name, pair.as_ref(), |hello| Hello { apart, ..hello }).await
}

async fn come(server: &TestServer, name: &str, seed: u8) -> TestClient {
    try_come(server, name, Some(seed), 1).await.expect("refused")
}

async fn come_as_guest(server: &TestServer, name: &str) -> TestClient {
    try_come(server, name, None, 1).await.expect("refused")
}

fn id() -> RequestId {
    Uuid::now_v7().into()
}

/// Says a command that is made for an id, and waits for its answer.
async fn order(
    client: &mut TestClient,
    command: impl FnOnce(Option<RequestId>) -> Command,
) -> Result<Okay, Failure> {
    let id = id();
    client.say(command(Some(id.clone()))).await;
    client.answer(&id).await
}

fn of(name: &str) -> Judgement {
    Judgement { nick: Some(nick(name)), ..Judgement::default() }
}

fn because(judgement: Judgement, reason: &str) -> Judgement {
    Judgement { reason: Line::lossy(reason), ..judgement }
}

fn kick(judgement: Judgement) -> impl FnOnce(Option<RequestId>) -> Command {
    move |id| Command::Kick(Judgement { id, ..judgement })
}

fn ban(judgement: Judgement) -> impl FnOnce(Option<RequestId>) -> Command {
    move |id| Command::Ban(Judgement { id, ..judgement })
}

fn unban(judgement: Judgement) -> impl FnOnce(Option<RequestId>) -> Command {
    move |id| Command::Unban(Judgement { id, ..judgement })
}

fn role(name: &str, role: Role) -> impl FnOnce(Option<RequestId>) -> Command {
    let nick = nick(name);
    move |id| Command::Role(SetRole { id, nick, role })
}

fn rule(name: &str, rule: RuleKind, on: bool) -> impl FnOnce(Option<RequestId>) -> Command {
    let room = room(name);
    move |id| Command::Rule(SetRule { id, room, rule, on, nick: None, words: None, seconds: None })
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn a_name_belongs_to_the_key_that_used_it_first() {
    let server = parlor().await;
    let alice = come(&server, "alice", 2).await;
    assert!(!alice.ready.you.guest);
    alice.quit().await;
    // Neither another key nor a guest, nor anything that looks like it; also after a restart.
    let server = server.restart().await;
    for stolen in ["alice", "ALICE", "аlice"] {
        for seed in [Some(3), None] {
            assert_eq!(code(try_come(&server, stolen, seed, 1).await.map(|_| ())), ErrorCode::NameOwned);
        }
    }
    let mut mallory = come(&server, "mallory", 3).await;
    let stolen = order(&mut mallory, |id| Command::Nick(SetNick { id, nick: nick("alice") })).await;
    assert_eq!(code(stolen), ErrorCode::NameOwned);
    assert_eq!(come(&server, "alice", 2).await.ready.you.nick, nick("alice"));
}

#[tokio::test]
async fn a_guests_name_is_marked_and_not_kept() {
    let server = parlor().await;
    let guest = come_as_guest(&server, "bob").await;
    assert!(guest.ready.you.guest);
    assert_eq!(code(try_come(&server, "bob", Some(2), 1).await.map(|_| ())), ErrorCode::NickTaken);
    guest.quit().await;
    assert!(!come(&server, "bob", 2).await.ready.you.guest);
}

#[tokio::test]
async fn several_devices_of_one_person_are_one_person() {
    let server = parlor().await;
    let mut witness = come_as_guest(&server, "witness").await;
    witness.join("#a", 0, None).await;
    let mut desk = come(&server, "alice", 2).await;
    desk.join("#a", 0, None).await;
    // Called as on the other device, whatever this one would like to be called.
    let mut phone = come(&server, "alice-on-the-phone", 2).await;
    assert_eq!(phone.ready.you.nick, nick("alice"));
    assert_eq!(phone.join("#a", 0, None).await.room.unwrap().here, 2);
    phone.send("#a", "from the phone").await;
    assert_eq!(desk.entry().await.from, nick("alice"));

    // A new name is that of both; one that leaves leaves the other.
    order(&mut phone, |id| Command::Nick(SetNick { id, nick: nick("alison") })).await.unwrap();
    let renamed = desk.until(|event| match event {
        Event::Presence(news) => news.renamed.into_iter().next(),
        _ => None,
    });
    assert_eq!(renamed.await.to, nick("alison"));
    desk.send("#a", "from the desk").await;
    assert_eq!(witness.entries(2).await[1].from, nick("alison"));
    phone.quit().await;
    assert_eq!(desk.join("#a", 0, Some(0)).await.room.unwrap().here, 2);
    desk.quit().await;
    let here = witness.until(|event| match event {
        Event::Presence(news) if news.left.contains(&nick("alison")) => Some(news.here),
        _ => None,
    });
    assert_eq!(here.await, 1);
}

#[tokio::test]
async fn a_bot_may_stand_beside_its_owner() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", 2).await;
    let bot = come(&server, "build-bot", 2).await;
    assert_eq!(bot.ready.you.nick, nick("build-bot"));
    // Another device is still that of the person, and a second bot of that name is the same bot.
    assert_eq!(come(&server, "phone", 2).await.ready.you.nick, nick("alice"));
    let mut again = come(&server, "build-bot", 2).await;
    assert_eq!(alice.join("#a", 0, None).await.room.unwrap().here, 1);
    assert_eq!(again.join("#a", 0, None).await.room.unwrap().here, 2);
    assert_eq!(whois(&mut alice, "build-bot").await.names.len(), 1);
    // Who keeps one of them out keeps out all.
    let mut host = come(&server, "host", HOST).await;
    order(&mut host, ban(of("build-bot"))).await.unwrap();
    assert_eq!(alice.bye().await, Reason::Banned);
}

#[tokio::test]
async fn whoever_is_kicked_is_told_why_and_their_link_stays_away() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    assert_eq!(host.ready.you.role, Some(Role::Host));
    let mut pest = come(&server, "pest", 2).await;
    order(&mut host, kick(because(of("pest"), "three times\u{1b}[2J\nis enough"))).await.unwrap();
    let bye = pest.until(|event| match event {
        Event::Bye(bye) => Some(bye),
        _ => None,
    });
    let bye = bye.await;
    assert_eq!(bye.reason, Reason::Kicked);
    assert!(bye.reason.is_final(), "no retry");
    assert_eq!(bye.message.unwrap().as_str(), "three times\u{fffd}[2J is enough");
    // It was once, and they may come again.
    come(&server, "pest", 2).await;
}

#[tokio::test]
async fn only_who_keeps_order_may_and_not_against_those_above() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut operator = come(&server, "operator", 2).await;
    let mut member = come(&server, "member", 3).await;
    let mut guest = come_as_guest(&server, "guest").await;
    let refused = ErrorCode::NotAllowed;
    assert_eq!(code(order(&mut member, kick(of("guest"))).await), refused);
    assert_eq!(code(order(&mut guest, kick(of("member"))).await), refused);
    assert_eq!(code(order(&mut operator, role("operator", Role::Operator)).await), refused);

    order(&mut host, role("operator", Role::Operator)).await.unwrap();
    assert_eq!(code(order(&mut operator, kick(of("host"))).await), refused);
    assert_eq!(code(order(&mut operator, role("member", Role::Operator)).await), refused);
    assert_eq!(code(order(&mut host, ban(of("host"))).await), refused);
    order(&mut operator, kick(of("guest"))).await.unwrap();
    assert_eq!(guest.bye().await, Reason::Kicked);
    assert_eq!(code(order(&mut operator, kick(of("nobody"))).await), ErrorCode::NoSuchPerson);

    // And what was given is taken away again, at once.
    order(&mut host, role("operator", Role::Member)).await.unwrap();
    assert_eq!(code(order(&mut operator, kick(of("member"))).await), refused);
}

#[tokio::test]
async fn roles_are_told_to_those_in_the_room() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut bob = come(&server, "bob", 2).await;
    for client in [&mut host, &mut bob] {
        client.join("#a", 0, None).await;
    }
    order(&mut host, role("bob", Role::Operator)).await.unwrap();
    let told = bob.until(|event| match event {
        Event::Presence(news) => news.joined.into_iter().find(|person| person.role == Some(Role::Operator)),
        _ => None,
    });
    let operator = Person { nick: nick("bob"), guest: false, role: Some(Role::Operator), away: None };
    assert_eq!(told.await, operator);
}

#[tokio::test]
async fn a_ban_holds_for_the_key_from_wherever_and_after_a_restart() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut pest = come(&server, "pest", 2).await;
    order(&mut host, ban(because(of("pest"), "flooding"))).await.unwrap();
    assert_eq!(pest.bye().await, Reason::Banned);
    host.quit().await;
    let server = server.restart().await;
    for (name, from) in [("pest", 1), ("somebody-else", 7)] {
        let failure = try_come(&server, name, Some(2), from).await.map(|_| ()).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Banned);
        assert!(failure.message.as_str().contains("flooding"), "{failure}");
        assert!(failure.reason().is_final());
    }
    let mut host = come(&server, "host", HOST).await;
    order(&mut host, unban(of("pest"))).await.unwrap();
    come(&server, "pest", 2).await;
    assert_eq!(code(order(&mut host, unban(of("pest"))).await), ErrorCode::NoSuchPerson);
}

#[tokio::test]
async fn a_ban_of_an_address_holds_for_guests_from_there_and_ends_in_time() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut pest = try_come(&server, "pest", None, 7).await.unwrap();
    let bystander = try_come(&server, "bystander", None, 8).await.unwrap();
    // A guest has no key to be banned by: their address is told to who keeps order, and to nobody else.
    assert_eq!(code(order(&mut host, ban(of("pest"))).await), ErrorCode::NoSuchPerson);
    let addresses = whois(&mut host, "pest").await.addresses;
    assert_eq!(addresses, [IpAddr::from([127, 0, 0, 7])]);
    assert!(whois(&mut pest, "bystander").await.addresses.is_empty());
    let there = Judgement { address: Some(addresses[0]), seconds: Some(3600), ..Judgement::default() };
    order(&mut host, ban(there.clone())).await.unwrap();
    assert_eq!(pest.bye().await, Reason::Banned);
    assert_eq!(code(try_come(&server, "another", None, 7).await.map(|_| ())), ErrorCode::Banned);
    bystander.quit().await;
    order(&mut host, unban(there.clone())).await.unwrap();
    // One whose time is over at once.
    order(&mut host, ban(Judgement { seconds: Some(0), ..there })).await.unwrap();
    try_come(&server, "another", None, 7).await.unwrap();
}

async fn whois(client: &mut TestClient, name: &str) -> Whois {
    client.say(Command::Whois(OfNick { id: Some(id()), nick: nick(name) })).await;
    client
        .until(|event| match event {
            Event::Whois(whois) => Some(whois),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn whois_tells_keys_names_and_role() {
    let server = parlor().await;
    let mut bob = come(&server, "bob", 2).await;
    order(&mut bob, |id| Command::Nick(SetNick { id, nick: nick("robert") })).await.unwrap();
    let mut guest = come_as_guest(&server, "guest").await;
    let told = whois(&mut guest, "robert").await;
    assert_eq!((told.nick, told.here, told.guest, told.role), (nick("robert"), true, false, None));
    assert_eq!((told.keys, told.names), (vec![key(2).public()], vec![nick("bob")]));
    assert!(whois(&mut bob, "guest").await.guest);
    bob.quit().await;
    // By a name of theirs, while they are away.
    assert!(!whois(&mut guest, "bob").await.here);
}

#[tokio::test]
async fn whoever_is_muted_hears_and_does_not_speak() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut bob = come(&server, "bob", 2).await;
    for client in [&mut host, &mut bob] {
        client.join("#a", 0, None).await;
        client.join("#b", 0, None).await;
    }
    let in_a = Judgement { room: Some(room("#a")), ..because(of("bob"), "too loud") };
    let mute = in_a.clone();
    order(&mut host, |id| Command::Mute(Judgement { id, ..mute })).await.unwrap();
    let failure = bob.submit(common::message("#a", "hello?")).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Muted);
    assert!(failure.message.as_str().contains("too loud"), "{failure}");
    bob.send("#b", "elsewhere").await;
    host.send("#a", "quiet now").await;
    assert_eq!(
        bob.until(|event| match event {
            Event::Entry(entry) if entry.room == room("#a") => Some(entry.text.as_str().to_owned()),
            _ => None,
        })
        .await,
        "quiet now"
    );
    order(&mut host, |id| Command::Unmute(Judgement { id, ..in_a })).await.unwrap();
    bob.send("#a", "thank you").await;
}

#[tokio::test]
async fn whoever_is_muted_is_away_without_a_text() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut bob = come(&server, "bob", 2).await;
    let mut guest = come_as_guest(&server, "guest").await;
    let away = |text: &str| {
        let text = Some(Line::lossy(text));
        move |id| Command::Away(SetAway { id, text })
    };
    order(&mut bob, away("still loud")).await.unwrap();
    for (name, place) in [("bob", Some(room("#a"))), ("guest", None)] {
        let mute = Judgement { room: place, ..because(of(name), "too loud") };
        order(&mut host, |id| Command::Mute(Judgement { id, ..mute })).await.unwrap();
    }
    for muted in [&mut bob, &mut guest] {
        let failure = order(muted, away("still loud")).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Muted);
        order(muted, away("")).await.unwrap();
        order(muted, |id| Command::Away(SetAway { id, text: None })).await.unwrap();
    }
    order(&mut host, away("at lunch")).await.unwrap();
}

#[tokio::test]
async fn a_rooms_rules_are_its_owners() {
    let server = parlor().await;
    let mut owner = come(&server, "owner", 2).await;
    let mut other = come(&server, "other", 3).await;
    let mut guest = come_as_guest(&server, "guest").await;
    owner.join("#club", 0, None).await;
    owner.send("#club", "members only").await;
    other.join("#club", 0, None).await;
    assert_eq!(code(order(&mut other, rule("#club", RuleKind::Private, true)).await), ErrorCode::NotAllowed);

    // The topic is its owner's.
    let topic = |text: &str| {
        let id = Uuid::now_v7();
        let text = Line::lossy(text);
        (id.into(), Command::Topic(parlor::protocol::command::SetTopic { id, room: room("#club"), text }))
    };
    order(&mut owner, rule("#club", RuleKind::TopicLocked, true)).await.unwrap();
    let (id, command) = topic("mine");
    other.say(command).await;
    assert_eq!(code(other.answer(&id).await), ErrorCode::NotAllowed);
    let (id, command) = topic("ours");
    owner.say(command).await;
    owner.answer(&id).await.unwrap();

    // Private: in no list but that of those who are in it.
    order(&mut owner, rule("#club", RuleKind::Private, true)).await.unwrap();
    assert_eq!((rooms(&mut owner).await, rooms(&mut guest).await), (vec!["#club".to_owned()], vec![]));

    // By invitation: neither in, nor a look at what was said.
    order(&mut owner, rule("#club", RuleKind::InviteOnly, true)).await.unwrap();
    assert_eq!(code(guest.try_join("#club", 0, None).await), ErrorCode::InviteOnly);
    let look = order(&mut guest, |id| {
        Command::History(History { id, room: room("#club"), place: Place::After(0), limit: 9 })
    });
    assert_eq!(code(look.await), ErrorCode::InviteOnly);
    let look =
        order(&mut guest, |id| Command::Who(parlor::protocol::command::InRoom { id, room: room("#club") }));
    assert_eq!(code(look.await), ErrorCode::InviteOnly);
    other.send("#club", "I was in already").await;
    other.leave("#club").await;
    assert_eq!(code(other.try_join("#club", 0, None).await), ErrorCode::InviteOnly);
    let allow = |on| {
        move |id| {
            let (room, nick) = (room("#club"), Some(nick("other")));
            Command::Rule(SetRule { id, room, rule: RuleKind::Allowed, on, nick, words: None, seconds: None })
        }
    };
    order(&mut owner, allow(true)).await.unwrap();
    other.join("#club", 0, None).await;

    // All of it outlives a restart.
    drop((owner, other, guest));
    let server = server.restart().await;
    let mut guest = come_as_guest(&server, "guest").await;
    assert_eq!(code(guest.try_join("#club", 0, None).await), ErrorCode::InviteOnly);
    assert!(rooms(&mut guest).await.is_empty());
    come(&server, "other", 3).await.join("#club", 0, None).await;
}

async fn rooms(client: &mut TestClient) -> Vec<String> {
    client.say(Command::Rooms(Plain { id: Some(id()) })).await;
    let rooms = client.until(|event| match event {
        Event::Rooms(list) => Some(list.rooms),
        _ => None,
    });
    rooms.await.into_iter().map(|info| info.room.to_string()).collect()
}

#[tokio::test]
async fn a_room_may_have_a_passphrase_of_its_own() {
    let server = parlor().await;
    let mut owner = come(&server, "owner", 2).await;
    let mut member = come(&server, "member", 3).await;
    let mut guest = come_as_guest(&server, "guest").await;
    owner.join("#vault", 0, None).await;
    owner.send("#vault", "the combination is 1234").await;
    let lock = |words| {
        let words = Passphrase::new(words).ok();
        let room = room("#vault");
        move |id| {
            Command::Rule(SetRule {
                id,
                room,
                rule: RuleKind::Passphrase,
                on: true,
                nick: None,
                words,
                seconds: None,
            })
        }
    };
    assert_eq!(code(order(&mut member, lock("mine now, is it")).await), ErrorCode::NotAllowed);
    order(&mut owner, lock("open sesame")).await.unwrap();
    assert_eq!(code(member.try_join("#vault", 0, None).await), ErrorCode::NeedsPassphrase);
    let with = |words| {
        let words = Passphrase::new(words).ok();
        move |id| Command::Join(Join { id, room: room("#vault"), after: 0, limit: None, words })
    };
    assert_eq!(code(order(&mut member, with("open barley")).await), ErrorCode::PassphraseWrong);
    for client in [&mut member, &mut guest] {
        order(client, with("Open Sesame")).await.unwrap();
        client.leave("#vault").await;
    }
    // Whoever has a key has shown it once and for all.
    member.join("#vault", 0, None).await;
    assert_eq!(code(guest.try_join("#vault", 0, None).await), ErrorCode::NeedsPassphrase);
}

#[tokio::test]
async fn another_device_becomes_ones_own_by_a_code() {
    let server = parlor().await;
    let mut desk = come(&server, "alice", 2).await;
    let mut phone = come(&server, "phone", 3).await;
    let code_of = order(&mut desk, |id| Command::Device(Plain { id })).await.unwrap().code.unwrap();
    let link = |code: &str| {
        let code = Line::lossy(code);
        |id| Command::Link(LinkDevice { id, code })
    };
    assert_eq!(code(order(&mut phone, link("0000-0000")).await), ErrorCode::WrongCode);
    order(&mut phone, link(&code_of.as_str().to_lowercase())).await.unwrap();
    assert_eq!(phone.bye().await, Reason::Relinked);
    assert!(!Reason::Relinked.is_final(), "it comes back, as who it is now");
    assert_eq!(come(&server, "phone", 3).await.ready.you.nick, nick("alice"));
    // A code is good for one.
    let mut mallory = come(&server, "mallory", 4).await;
    assert_eq!(code(order(&mut mallory, link(code_of.as_str())).await), ErrorCode::WrongCode);
    // And one that was lost is theirs no more.
    let mut lost = come(&server, "phone", 3).await;
    let unlink = |id| Command::Unlink(OfKey { id, key: key(3).public() });
    assert_eq!(code(order(&mut mallory, unlink).await), ErrorCode::NoSuchPerson);
    order(&mut desk, unlink).await.unwrap();
    assert_eq!(lost.bye().await, Reason::Relinked);
    assert_eq!(come(&server, "mine-again", 3).await.ready.you.nick, nick("mine-again"));
}

#[tokio::test]
async fn whom_one_ignores_is_the_same_on_every_device() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", 2).await;
    let mut pest = come(&server, "pest", 3).await;
    order(&mut pest, |id| Command::Nick(SetNick { id, nick: nick("nuisance") })).await.unwrap();
    let ignore = |on| move |id| Command::Ignore(SetIgnored { id, nick: nick("pest"), on });
    order(&mut alice, ignore(true)).await.unwrap();
    alice.quit().await;
    let server = server.restart().await;
    let mut alice = come(&server, "alice", 2).await;
    assert_eq!(alice.ready.ignored, [nick("nuisance"), nick("pest")]);
    order(&mut alice, ignore(false)).await.unwrap();
    assert_eq!(code(order(&mut alice, ignore(false)).await), ErrorCode::NoSuchPerson);
    let nobody = |on| move |id| Command::Ignore(SetIgnored { id, nick: nick("nobody"), on });
    for on in [true, false] {
        assert_eq!(code(order(&mut alice, nobody(on)).await), ErrorCode::NoSuchPerson);
    }
    // A guest who has gone is heard again.
    let passer = server.client("passer").await;
    let passing = |on| move |id| Command::Ignore(SetIgnored { id, nick: nick("passer"), on });
    order(&mut alice, passing(true)).await.unwrap();
    passer.quit().await;
    order(&mut alice, passing(false)).await.unwrap();
    assert!(come(&server, "alice", 2).await.ready.ignored.is_empty());
}

#[tokio::test]
async fn every_decision_is_in_the_audit_log() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut pest = come(&server, "pest", 2).await;
    order(&mut host, kick(because(of("pest"), "first"))).await.unwrap();
    order(&mut host, ban(because(of("pest"), "second\nban host"))).await.unwrap();
    let audit = |before| move |id| Command::Audit(ReadAudit { id, before, limit: 2 });
    assert_eq!(pest.bye().await, Reason::Kicked);
    let mut member = come(&server, "member", 3).await;
    assert_eq!(code(order(&mut member, audit(None)).await), ErrorCode::NotAllowed);
    host.quit().await;
    let server = server.restart().await;
    let mut host = come(&server, "host", HOST).await;
    host.say(audit(None)(Some(id()))).await;
    let decisions = host.until(|event| match event {
        Event::Audit(audit) => Some(audit.decisions),
        _ => None,
    });
    let decisions = decisions.await;
    let told: Vec<(&str, &str)> =
        decisions.iter().map(|line| (line.act.as_str(), line.by.as_str())).collect();
    assert_eq!(told, [("ban", "host"), ("kick", "host")]);
    assert_eq!(decisions[0].particulars.as_str(), "banned: second ban host");
    assert!(decisions[0].subject.as_str().starts_with("pest") && decisions[0].number > decisions[1].number);
}

#[tokio::test]
async fn only_the_host_changes_the_passphrase() {
    let server = parlor().await;
    let mut host = come(&server, "host", HOST).await;
    let mut member = come(&server, "member", 2).await;
    // This one is open: there is nothing to change.
    for client in [&mut host, &mut member] {
        assert_eq!(code(order(client, |id| Command::Passphrase(Plain { id })).await), ErrorCode::NotAllowed);
    }
}
