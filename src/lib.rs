//! parlor: a chat room for the terminal.
//!
//! **A room is an ordered log. A connection is a cursor over it.** What is said is first stored, where it
//! gets the next number of its room, and then sent to everyone. A connection that has fallen behind, comes
//! back, or has just come in is one and the same case: it reads the log from its cursor until it meets the
//! live channel again.
//!
#![cfg_attr(
    all(feature = "server", feature = "client"),
    doc = "
| module | what it is |
|---|---|
| [`protocol`] | the wire: frames, commands, events, names, text; knows neither side |
| [`resolve`] | from addresses as people write them to those of sockets; for both sides |
| [`server`] | listeners, sessions, rooms, and the log |
| [`client`] | the link that keeps a conversation whole, and the screen and the scripts' commands upon it |

The two sides never import each other. `ARCHITECTURE.md` in the repository says why things are as they are;
`docs/protocol.md` specifies the wire for those who write a client without this crate.

A server on a port of its own, and a client in its lobby:

```
use parlor::client::link::{self, Trust, Update};
use parlor::protocol::command::{Command, Join};
use parlor::protocol::name::{Nick, RoomName};
use parlor::server::{Server, config::Config, door::Ask};

# tokio::runtime::Runtime::new()?.block_on(async {
let folder = tempfile::tempdir()?;
let server = Server::bind(Config {
    listen: vec![\"127.0.0.1:0\".parse()?],
    tls: None,
    ask: Ask::Nothing,
    ..Config::new(folder.path())
}).await?;
let address = server.addresses().remove(0);
let shutdown = tokio_util::sync::CancellationToken::new();
let running = tokio::spawn(server.run(shutdown.clone()));

let (link, mut updates) = link::open(link::Config {
    address,
    nick: Nick::new(\"ada\")?,
    apart: false,
    trust: Trust { plain: true, ..Trust::default() },
    acquaintances: None,
    agent: Default::default(),
    give_up_after: None,
});
link.submit(Command::Join(Join { id: None, room: RoomName::lobby(), after: 0, limit: Some(100), words: None }));
while let Some(update) = updates.recv().await {
    if let Update::Online { ready, .. } = update {
        assert_eq!(ready.you.nick.as_str(), \"ada\");
        link.quit();
    }
}
shutdown.cancel();
running.await??;
# Ok::<(), Box<dyn std::error::Error>>(())
# })?;
# Ok::<(), Box<dyn std::error::Error>>(())
```
"
)]

#[cfg(feature = "client")]
pub mod client;
#[cfg(any(feature = "server", feature = "client"))]
mod multicast;
pub mod protocol;
#[cfg(any(feature = "server", feature = "client"))]
pub mod resolve;
#[cfg(feature = "server")]
pub mod server;
