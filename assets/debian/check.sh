#!/bin/sh
# Tries a Debian package in a folder of its own, as root: installs it, serves, upgrades, removes and purges it, and looks after
# each step at what must be there. Nothing is installed on this machine. It needs debootstrap and dpkg-deb.
#
#   sudo assets/debian/check.sh target/debian/parlor_*.deb [ROOT]
#
# ROOT is a folder with Debian in it, which is made by debootstrap if it is not there, and left for the next time. Without it a
# new one is made, and said at the beginning.
set -eu

package=$(realpath "$1")
suite=bookworm

fail() { echo "check.sh: $*" >&2; exit 1; }
clean="env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive"
inside() { chroot "$root" $clean "$@"; }
has() { [ -e "$root$1" ] || fail "$1 is missing $2"; }
lacks() { [ ! -e "$root$1" ] || fail "$1 is still there $2"; }

[ "$(id -u)" = 0 ] || fail "run it as root, for chroot"
# A folder in one that is for root alone: the Debian itself must be open to the user that serves in it.
root=${2:-$(mktemp -d)/debian}
# What is in it is run as root, so nobody else may have put it there. A link would be open to all, and is refused too.
if [ -e "$root" ] || [ -L "$root" ]; then
    [ -z "$(find "$root" -maxdepth 0 \( ! -user 0 -o -perm /022 \))" ] ||
        fail "$root is a link, not root's, or open to others: name another folder"
fi
echo "== in $root"
[ -d "$root/var/lib/dpkg" ] || debootstrap --variant=minbase "$suite" "$root"
inside dpkg --purge parlor >/dev/null 2>&1 || true
# A smaller Debian leaves out the manual and its like: here they are looked for.
rm -f "$root/etc/dpkg/dpkg.cfg.d/"*

echo "== installs"
cp "$package" "$root/tmp/parlor.deb"
inside dpkg --install /tmp/parlor.deb
for file in /usr/bin/parlor /usr/share/man/man1/parlor.1.gz /usr/share/man/man1/parlor-serve.1.gz \
    /usr/share/bash-completion/completions/parlor /usr/share/zsh/vendor-completions/_parlor \
    /usr/share/fish/vendor_completions.d/parlor.fish /usr/lib/systemd/system/parlor.service \
    /etc/parlor/server.toml /usr/share/doc/parlor/copyright; do
    has "$file" "after the installation"
done
# Looked at with the link's own eyes: where it leads is outside of the folder.
[ -L "$root/etc/systemd/system/multi-user.target.wants/parlor.service" ] || fail "the service is not enabled"

echo "== serves, and tells how others join"
# Without systemd: in the same places, as somebody who may do nothing else. No function here, or the signal would be for the
# shell that runs it.
inside install --directory --mode=700 --owner=nobody /var/lib/parlor
chroot "$root" $clean XDG_DATA_HOME=/var/lib XDG_CONFIG_HOME=/etc setpriv --reuid=nobody --clear-groups \
    parlor serve --listen 127.0.0.1:0 >"$root/tmp/said" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 300); do
    grep -q '^listening on ' "$root/tmp/said" && break
    kill -0 "$server" 2>/dev/null || { cat "$root/tmp/said" >&2; fail "it does not serve"; }
    sleep 0.1
done
inside parlor invite --data /var/lib/parlor | grep '^parlor join ' || fail "it does not say how others join"
inside parlor status --data /var/lib/parlor || fail "it does not say how it stands"
inside parlor backup --data /var/lib/parlor --force /tmp/parlor.tar || fail "it cannot be saved"
kill "$server"
wait "$server" || fail "it does not end in order"
trap - EXIT

echo "== an upgrade keeps what was said and what was changed"
echo '# changed here' >>"$root/etc/parlor/server.toml"
newer=$(mktemp -d)
dpkg-deb --raw-extract "$package" "$newer/tree"
sed -i 's/^Version: .*/&+newer/' "$newer/tree/DEBIAN/control"
echo '# changed there' >>"$newer/tree/etc/parlor/server.toml"
dpkg-deb --root-owner-group --build "$newer/tree" "$root/tmp/newer.deb" >/dev/null
rm -rf "$newer"
inside dpkg --force-confdef --force-confold --install /tmp/newer.deb
has /var/lib/parlor/parlor.db "after an upgrade"
grep -q '# changed here' "$root/etc/parlor/server.toml" || fail "the upgrade replaced what was changed"

echo "== removed, it leaves the rooms and the configuration"
inside dpkg --remove parlor
lacks /usr/bin/parlor "after it was removed"
has /var/lib/parlor/parlor.db "after it was removed"
has /etc/parlor/server.toml "after it was removed"

echo "== purged, it leaves nothing"
inside dpkg --purge parlor
for path in /var/lib/parlor /etc/parlor /usr/share/doc/parlor \
    /var/lib/systemd/deb-systemd-helper-enabled/parlor.service.dsh-also; do
    lacks "$path" "after it was purged"
done
[ ! -L "$root/etc/systemd/system/multi-user.target.wants/parlor.service" ] || fail "the service is still enabled"
echo "== all is well"
