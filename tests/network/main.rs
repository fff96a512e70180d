//! Parlors that tell their networks of themselves, and those who look for them: over real networks, in namespaces of this
//! kernel. Where those cannot be made, each test says so and is skipped.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![allow(unreachable_pub, missing_docs)]
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod finder;
mod finding;
mod hostile;
mod newcomers;
mod world;

use std::time::{Duration, Instant};

use finder::{Finder, addresses};
use parlor::client::find::GONE_WITHIN;
use world::World;

#[test]
fn two_hosts_on_one_link_find_each_other() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    let mut lab = here.serve("lab", 7878);
    let mut shop = there.serve("shop", 4321);
    let (mut from_here, mut from_there) = (here.find(), there.find());
    let found = from_there.until_found("lab", |at| at == "10.0.0.1:7878" || at == "10.0.0.1");
    assert_eq!(
        (&found["open"], &found["people"], &found["port"]),
        (&true.into(), &0.into(), &7878.into()),
        "{found}"
    );
    from_here.until_found("shop", |at| at == "10.0.0.2:4321");
    // One comes in, and everyone hears of it.
    let mut guest = Finder::start(
        there.parlor(&["tail", "--plain", "--server", "10.0.0.1", "--json", "--follow", "#lobby"]),
    );
    from_there.until(|said| said["name"] == "lab" && said["people"] == 1);
    guest.child.kill().unwrap();
    from_there.until(|said| said["name"] == "lab" && said["people"] == 0);
    assert!(here.complaints().contains("shows it as \"lab\""), "{}", here.complaints());
    // One that ends says so.
    lab.terminate();
    assert!(
        lab.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()),
        "{}",
        here.complaints()
    );
    let ended = Instant::now();
    from_there.until_gone(&found);
    // Long before it would be missed.
    assert!(ended.elapsed() < GONE_WITHIN / 2, "{:?}", ended.elapsed());
    shop.terminate();
    assert!(shop.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}

#[test]
fn a_host_on_two_links_is_found_on_each_at_its_address_there() {
    let Some(world) = World::new() else { return };
    let (host, one, other) = (world.host(), world.host(), world.host());
    let (first, second) = (world.network(), world.network());
    first.connect(&host, "first", &["10.0.1.1/24"]);
    second.connect(&host, "second", &["10.0.2.1/24"]);
    first.connect(&one, "lan", &["10.0.1.2/24"]);
    second.connect(&other, "lan", &["10.0.2.2/24"]);
    let _lab = host.serve("lab", 4321);
    for (who, address) in [(&one, "10.0.1.1:4321"), (&other, "10.0.2.1:4321")] {
        who.find().until_found("lab", |at| at == address);
        who.say(address, "found");
    }
}

#[test]
fn one_way_to_be_found_is_enough() {
    let Some(world) = World::with("nft") else { return };
    // Multicast DNS, and then the datagrams.
    for blocked in [5353, 7878] {
        let (here, there, network) = (world.host(), world.host(), world.network());
        network.connect(&here, "lan", &["10.0.0.1/24"]);
        network.connect(&there, "lan", &["10.0.0.2/24"]);
        there.run(&format!(
            "nft add table inet wall
             nft add chain inet wall in '{{ type filter hook input priority 0; }}'
             nft add chain inet wall out '{{ type filter hook output priority 0; }}'
             nft add rule inet wall in udp dport {blocked} drop
             nft add rule inet wall out udp dport {blocked} drop"
        ));
        let _lab = here.serve("lab", 4321);
        there.find().until_found("lab", |at| at == "10.0.0.1:4321");
    }
}

#[test]
fn a_network_that_comes_late_is_announced_on() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    let _lab = here.serve("lab", 4321);
    let mut finder = there.find();
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    finder.until_found("lab", |at| at == "10.0.0.1:4321");
}

#[test]
fn where_there_is_only_ipv6_what_is_found_can_be_used() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &[]);
    network.connect(&there, "wlan", &[]);
    let _lab = here.serve_at("lab", &["[::]:4321"]);
    let found =
        there.find().until_found("lab", |at| at.starts_with("[fe80::") && at.ends_with("%wlan]:4321"));
    for address in addresses(&found) {
        there.say(address, "found");
    }
}

#[test]
fn who_is_killed_is_not_there_for_long() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    let mut lab = here.serve("lab", 4321);
    let mut finder = there.find();
    let found = finder.until_found("lab", |at| at == "10.0.0.1:4321");
    lab.kill();
    let killed = Instant::now();
    finder.until_gone(&found);
    // As long again for a machine that has much else to do.
    assert!(killed.elapsed() < GONE_WITHIN * 2, "{:?}", killed.elapsed());
}

#[test]
fn several_of_one_name_are_all_seen() {
    let Some(world) = World::new() else { return };
    let (one, other, looking, network) = (world.host(), world.host(), world.host(), world.network());
    network.connect(&one, "lan", &["10.0.0.1/24"]);
    network.connect(&other, "lan", &["10.0.0.2/24"]);
    network.connect(&looking, "lan", &["10.0.0.3/24"]);
    // Two of them on one machine.
    let _parlors = [one.serve("lab", 4321), one.serve("lab", 4322), other.serve("lab", 4321)];
    let mut finder = looking.find();
    let mut missing = vec!["10.0.0.1:4321", "10.0.0.1:4322", "10.0.0.2:4321"];
    while !missing.is_empty() {
        let found = finder.until(|said| said["name"] == "lab");
        missing.retain(|address| !addresses(&found).any(|at| at == *address));
    }
    let ids: std::collections::BTreeSet<_> =
        finder.said.iter().filter_map(|said| said["id"].as_str()).collect();
    assert_eq!(ids.len(), 3, "{:#?}", finder.said);
}

#[test]
fn one_address_is_announced_as_that_address_alone() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24", "10.0.0.9/24", "fd00::1/64"]);
    network.connect(&there, "lan", &["10.0.0.2/24", "fd00::2/64"]);
    let _lab = here.serve_at("lab", &["127.0.0.1:5555", "10.0.0.9:4321"]);
    let found = there.find().until_found("lab", |_| true);
    assert_eq!(addresses(&found).collect::<Vec<_>>(), ["10.0.0.9:4321"]);
}

#[test]
fn who_announces_nothing_opens_nothing() {
    let Some(world) = World::new() else { return };
    let (here, network) = (world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    // Whoever was let in, was so after the announcing began.
    let nothing_open = || {
        here.say("127.0.0.1:4321", "is it open?");
        here.run("cat /proc/net/udp /proc/net/udp6 | grep -c local_address | grep -qx \"$(cat /proc/net/udp /proc/net/udp6 | wc -l)\"");
    };
    let local = here.serve_at("local", &["127.0.0.1:4321", "[::1]:4321"]);
    nothing_open();
    drop(local);
    let _silent = here.serve_with("silent", &["0.0.0.0:4321"], &["--no-announce"]);
    nothing_open();
}

#[test]
fn ports_that_others_have_harm_nobody() {
    let Some(world) = World::with("python3") else { return };
    let (here, network) = (world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    let script = "import socket, time
taken = []
for family in socket.AF_INET, socket.AF_INET6:
    for port in 5353, 7878:
        taken.append(socket.socket(family, socket.SOCK_DGRAM))
        if family == socket.AF_INET6:
            taken[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken[-1].bind(('', port))
print('{}', flush=True)
time.sleep(600)";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", script]);
    let mut others = Finder::start(here.here(&python));
    others.until(|_| true);
    let mut lab = here.serve("lab", 7878);
    here.say("10.0.0.1", "still here");
    for words in ["UDP port 7878 cannot be used", "UDP port 5353 cannot be used"] {
        here.until_complained(words);
        let said = here.complaints();
        let warnings = said.lines().filter(|line| line.contains("WARN") && line.contains(words)).count();
        assert_eq!(warnings, 1, "{said}");
    }
    lab.terminate();
    assert!(lab.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}
