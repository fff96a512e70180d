//! Whoever is on the network can send anything.

use std::process::Command as Process;
use std::time::Duration;

use crate::finder::Finder;
use crate::world::World;

const ATTACKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network/attacker.py");

/// kB that a program may have in memory after all that: some times what it has without it, and far from what 10,000 names,
/// each with its records, would take for long.
const MEMORY: u64 = 120_000;

#[test]
fn what_strangers_send_does_nothing_to_those_who_announce_and_look() {
    let Some(world) = World::with("python3") else { return };
    let (here, there, stranger, network) = (world.host(), world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    network.connect(&stranger, "lan", &["10.0.0.3/24"]);
    let mut lab = here.serve("lab", 4321);
    let mut finder = there.find();
    let at_lab = |at: &str| at == "10.0.0.1:4321";
    finder.until_found("lab", at_lab);
    let mut python = Process::new("python3");
    python.args([ATTACKER, "lan", "10.0.0.3", "10.0.0.255"]);
    let attack = stranger.here(&python).output().unwrap();
    assert!(attack.status.success(), "{}", String::from_utf8_lossy(&attack.stderr));
    here.until_complained("than can be true");
    // Both are there, and hear each other.
    let arguments = ["tail", "--plain", "--server", "10.0.0.1:4321", "--json", "--follow", "#lobby"];
    let _guest = Finder::start(there.parlor(&arguments));
    finder.until(|said| said["name"] == "lab" && said["people"] == 1);
    there.find().until_found("lab", at_lab);
    there.say("10.0.0.1:4321", "still here");
    for (who, id) in [("the server", lab.child.id()), ("the finder", finder.child.id())] {
        let memory = memory(id);
        assert!(memory < MEMORY, "{who} has {memory} kB");
    }
    assert!(!here.complaints().contains("panicked"), "{}", here.complaints());
    lab.terminate();
    assert!(lab.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}

fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
