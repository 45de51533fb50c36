#!/usr/bin/env bash
# What tests talk to, on Debian 12, as root or by sudo: installs what is missing, and starts nothing.
set -euo pipefail

missing=()
for package in redis-server gnome-keyring dbus libsecret-1-0 glewlwyd sqlite3 chromium; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=none
  [ "$state" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo 'every server is installed'
  exit 0
fi

fail() {
  echo "the tests need ${missing[*]}: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail 'there is no apt-get to install them with'
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail 'neither root nor sudo is there to install them'
  root=(sudo -n)
  sudo -n true || fail 'sudo asks for a password'
fi

# Debian starts a service once it is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod 755 "$policy"
fi

apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --option DPkg::Lock::Timeout=60)
"${apt[@]}" update || fail 'the package lists could not be read'
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" || fail 'apt-get could not install them'
