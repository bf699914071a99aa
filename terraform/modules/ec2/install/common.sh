#!/bin/bash
# What installers share; read by install.sh. Everything comes from S3 by sha256, and what is whole stays as it is. One message and the exit
# codes of docs/exit-codes.md: 4 another try can mend it, 6 a setting or an object is wrong.
set -Eeuo pipefail

release=/etc/roundtrip/release.env
root=/opt/roundtrip
own=$root/install
tries_max=5

say() { echo "roundtrip-install: $*"; }

# fail <exit code> <message>: the one message, in the journal and in the status.
fail() {
  keep_status "failed: $2"
  say "$2" >&2
  exit "$1"
}

keep_status() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >"$own/status.partial"
  mv -f "$own/status.partial" "$own/status"
}

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

is_whole() { [[ -f $1 && $(sha256_of "$1") == "$2" ]]; }

# fetch <key> <sha256> <path> <mode>: afterwards the file at <path> is the one with this checksum, or this has failed.
fetch() {
  local key=$1 sha256=$2 path=$3 mode=$4 try found pause=$RETRY_SECONDS errors=$own/errors
  is_whole "$path" "$sha256" && return
  mkdir -p "${path%/*}"
  for ((try = 1; ; try++)); do
    rm -f "$path.partial"
    if timeout 900 aws s3api get-object --region "$AWS_REGION" --bucket "$RELEASE_BUCKET" --key "$key" \
      "$path.partial" >/dev/null 2>"$errors"; then
      break
    fi
    say "try $try of $tries_max, s3://$RELEASE_BUCKET/$key: $(last_line "$errors")"
    if ((try == tries_max)); then
      fail 4 "expected s3://$RELEASE_BUCKET/$key within $tries_max tries, got: $(last_line "$errors"); put the release there and let the role of the instance read it, then run $own/install.sh again"
    fi
    sleep "$pause"
    pause=$((pause * 2))
  done
  found=$(sha256_of "$path.partial")
  if [[ $found != "$sha256" ]]; then
    rm -f "$path.partial"
    fail 6 "expected sha256 $sha256 of s3://$RELEASE_BUCKET/$key, got $found; nothing was replaced: put the released file there, or its checksum into $release, then run $own/install.sh again"
  fi
  chmod "$mode" "$path.partial"
  mv -f "$path.partial" "$path"
  say "fetched $key"
}

last_line() { { grep -v '^[[:space:]]*$' "$1" || echo "no answer"; } | tail -n 1; }

# point <name> <program>: $root/bin/<name> leads to the program from one moment to the next. Who runs the old one goes on with it.
point() {
  local link=$root/bin/$1
  [[ $(readlink "$link" || true) == "$2" ]] && return
  ln -sfn "$2" "$link.partial"
  mv -fT "$link.partial" "$link"
  say "$1 is $2"
}

install_units() {
  local unit changed=""
  for unit in "$own"/units/*; do
    cmp -s "$unit" "/etc/systemd/system/${unit##*/}" && continue
    install -m 0644 "$unit" "/etc/systemd/system/${unit##*/}"
    changed="$changed ${unit##*/}"
  done
  if [[ -n $changed ]]; then
    systemctl daemon-reload
    say "units:$changed"
  fi
  for unit in $ENABLED_UNITS; do
    systemctl enable --quiet "$unit" || fail 6 "expected systemd to enable $unit; see: journalctl -u $unit"
    # A service is started by its timer, or by the next boot.
    [[ $unit != *.timer ]] || systemctl start "$unit" || fail 6 "expected systemd to start $unit; see: journalctl -u $unit"
  done
}

# unpack <sha256> <key>: fetches a .tgz and unpacks it beside itself, once; sets $unpacked to the folder.
unpack() {
  local folder=$root/versions/$1
  fetch "$2" "$1" "$folder/archive.tgz" 0644
  unpacked=$folder/unpacked
  [[ -d $unpacked ]] && return
  rm -rf "$unpacked.partial"
  mkdir "$unpacked.partial"
  tar -xzf "$folder/archive.tgz" -C "$unpacked.partial" --no-same-owner ||
    fail 6 "expected s3://$RELEASE_BUCKET/$2 to be a tar archive packed with gzip, as its maker gives it"
  mv "$unpacked.partial" "$unpacked"
}

# find_program <name> <key>: sets $program to its path in what was unpacked. Not by stdout: a failure must end this, not a subshell.
find_program() {
  program=$(find "$unpacked" -type f -name "$1" -print -quit)
  [[ -n $program ]] || fail 6 "expected $1 in s3://$RELEASE_BUCKET/$2, got none; give the archive as its maker gives it"
}

install_worker() {
  local program=$root/versions/$WORKER_SHA256/roundtrip-worker
  fetch "$WORKER_KEY" "$WORKER_SHA256" "$program" 0755
  # Of another architecture, or needing what this system lacks: found out before the old one is let go.
  worker_version=$("$program" --version 2>&1) ||
    fail 6 "expected s3://$RELEASE_BUCKET/$WORKER_KEY to run on $(uname -m), got: ${worker_version:0:200}; nothing was replaced: give the worker that was built for this machine"
  point roundtrip-worker "$program"
}

# begin: one installer at a time; reads the release.
begin() {
  mkdir -p "$root/bin" "$root/versions" "$own"
  # By hand and by systemd at once: one after the other.
  exec 9>"$own/lock"
  flock -w 1800 9 || fail 4 "expected another installation to end within 30 minutes; see: systemctl status roundtrip-install"
  # The message for what nobody thought of.
  trap 'fail 1 "line $LINENO ended with $?; see: journalctl -u roundtrip-install"' ERR
  [[ -r $release ]] || fail 6 "expected $release, got nothing readable; it is written by the machine's user data"
  # shellcheck source=/dev/null
  . "$release"
  for needed in aws tar gzip sha256sum flock; do
    command -v "$needed" >/dev/null || fail 6 "expected $needed on the machine; take an image that has it (Amazon Linux 2023 does)"
  done
}
