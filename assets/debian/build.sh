#!/bin/sh
# Makes the Debian package: the program, then the manual and the completions that the program writes, then all in one file.
# What is said to it goes to `cargo deb`. It needs cargo-deb and, for the dependencies, dpkg-dev.
set -eu
cd "$(dirname "$0")/../.."
release=${CARGO_TARGET_DIR:-target}/release
cargo build --release --locked
rm -rf "$release/docs"
"$release/parlor" docs --man "$release/docs/man" --completions "$release/docs/completions"
# Not done for what is below `target`, and without a time, so that the same pages are the same files.
gzip -9 --no-name "$release"/docs/man/*.1
cargo deb --no-build "$@"
