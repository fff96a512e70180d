//! `parlor find` as people and scripts run it, and how looking ends.

use std::fs;
use std::process::{Child, Command as Process, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use parlor::client::find::look;

use crate::common::PATIENCE;
use crate::world::World;

/// Set for this program when it runs a test on a machine of a [`World`].
const INSIDE: &str = "PARLOR_TEST_INSIDE";

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn interrupt(child: &Child) {
    let sent = Process::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until `is_so`, which nothing tells of.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_found_is_listed_with_what_to_type() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    let _parlors = [here.serve("lab", 4321), here.serve("読書会", 4322)];
    let (listed, beside) = texts(&there.parlor(&["find"]).output().unwrap());
    let rows: Vec<&str> = listed.lines().collect();
    assert_eq!(rows.len(), 3, "{listed}{beside}");
    assert!(rows[0].starts_with("NAME") && rows[0].ends_with("ADDRESS"), "{listed}");
    for (name, address) in [("lab", "10.0.0.1:4321"), ("読書会", "10.0.0.1:4322")] {
        let row = rows.iter().find(|row| row.starts_with(name)).expect(&listed);
        assert!(row.contains("nobody") && row.contains("open, no TLS") && row.ends_with(address), "{listed}");
    }
    assert!(beside.contains("  parlor join 10.0.0.1:432") && !beside.contains("--plain"), "{beside}");
    // On the machine that hosts them, too.
    let (listed, _) = texts(&here.parlor(&["find", "--json"]).output().unwrap());
    assert_eq!(
        listed.lines().filter(|line| line.starts_with("{\"type\":\"parlor\",")).count(),
        2,
        "{listed}"
    );
}

#[test]
fn nothing_found_says_why_that_may_be() {
    let Some(world) = World::new() else { return };
    let (here, network) = (world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    let done = here.parlor(&["find", "--wait", "1s"]).output().unwrap();
    let (listed, why) = texts(&done);
    assert_eq!((done.status.code(), listed.as_str()), (Some(1), ""));
    assert!(
        ["5353", "7878", "Wi-Fi", "VPN", "parlor invite", "parlor join"]
            .iter()
            .all(|word| why.contains(word)),
        "{why}"
    );
    // A machine on no network is told so as well.
    let (_, why) = texts(&world.host().parlor(&["find", "--wait", "1s"]).output().unwrap());
    assert!(why.contains("on no network"), "{why}");
}

#[test]
fn who_follows_is_stopped_by_ctrl_c_and_by_the_end_of_the_pipe() {
    let Some(world) = World::new() else { return };
    let (here, there, network) = (world.host(), world.host(), world.network());
    network.connect(&here, "lan", &["10.0.0.1/24"]);
    network.connect(&there, "lan", &["10.0.0.2/24"]);
    let _lab = here.serve("lab", 4321);
    let mut finder = there.find();
    finder.until_found("lab", |at| at == "10.0.0.1:4321");
    interrupt(&finder.child);
    assert_eq!(finder.child.wait().unwrap().code(), Some(0));
    let mut command = there.parlor(&["find", "--follow"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), texts(&done).1.as_str()), (Some(0), ""));
}

/// Threads of this process that hear multicast DNS.
fn daemons() -> usize {
    let name = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
    let threads = fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok);
    threads.map(name).filter(|name| name.starts_with("mDNS")).count()
}

/// UDP sockets on this machine of a world: each table has a line for its heading.
fn sockets() -> usize {
    let lines = |table: &str| fs::read_to_string(table).unwrap().lines().count() - 1;
    lines("/proc/self/net/udp") + lines("/proc/self/net/udp6")
}

#[test]
fn nothing_is_left_of_looking_when_nobody_listens() {
    const NAME: &str = "finding::nothing_is_left_of_looking_when_nobody_listens";
    if std::env::var_os(INSIDE).is_none() {
        let Some(world) = World::new() else { return };
        let (here, network) = (world.host(), world.network());
        network.connect(&here, "lan", &["10.0.0.1/24"]);
        let mut program = Process::new(std::env::current_exe().unwrap());
        program.args(["--exact", NAME, "--nocapture"]).env(INSIDE, "1");
        let done = here.here(&program).output().unwrap();
        let (said, complaints) = texts(&done);
        assert!(done.status.success() && said.contains("1 passed"), "{said}{complaints}");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let entered = runtime.enter();
    let listening = look();
    until("it begins to look", || daemons() == 1 && sockets() >= 4);
    drop(listening);
    until("it ends", || daemons() == 0 && sockets() == 0);
    // And when the whole runtime goes.
    let _listening = look();
    until("it begins to look again", || daemons() == 1);
    drop(entered);
    drop(runtime);
    until("it ends with its runtime", || daemons() == 0 && sockets() == 0);
}
