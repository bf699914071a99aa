#!/bin/bash
# Installs what /etc/roundtrip/release.env names, from S3 by sha256. roundtrip-install.service runs it at each boot; whoever upgrades
# changes release.env and runs it again. What is there and whole stays as it is; what is new is checked before it takes the place of
# the old. Ends with one message and the exit codes of docs/exit-codes.md: 0 all in place, 4 another try can mend it, 6 a setting or
# an object is wrong.
set -Eeuo pipefail

# shellcheck source=terraform/modules/ec2/install/common.sh
. "${0%/*}/common.sh"

install_database_tools() {
  local tool
  unpack "$DATABASE_TOOLS_SHA256" "$DATABASE_TOOLS_KEY"
  for tool in mongodump mongorestore bsondump; do
    find_program "$tool" "$DATABASE_TOOLS_KEY"
    point "$tool" "$program"
  done
}

install_cloudwatch_agent() {
  local package=$root/versions/$CLOUDWATCH_AGENT_SHA256/${CLOUDWATCH_AGENT_KEY##*/}
  local settings=$own/amazon-cloudwatch-agent.json applied=$own/cloudwatch-agent.applied wanted
  fetch "$CLOUDWATCH_AGENT_KEY" "$CLOUDWATCH_AGENT_SHA256" "$package" 0644
  wanted="$CLOUDWATCH_AGENT_SHA256 $(sha256_of "$settings")"
  [[ -f $applied && $(<"$applied") == "$wanted" ]] && return
  case $package in
    *.rpm) rpm -U --replacepkgs "$package" ;;
    *.deb) dpkg -i "$package" ;;
    *) false ;;
  esac >"$own/errors" 2>&1 || fail 6 "expected to install $CLOUDWATCH_AGENT_KEY, got: $(last_line "$own/errors")"
  /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "file:$settings" >"$own/errors" 2>&1 ||
    fail 6 "expected the CloudWatch agent to take $settings, got: $(last_line "$own/errors")"
  printf '%s\n' "$wanted" >"$applied.partial"
  mv -f "$applied.partial" "$applied"
  say "CloudWatch agent runs with $settings"
}

begin
install_worker
install_database_tools
[[ -z ${CA_BUNDLE_KEY:-} ]] || fetch "$CA_BUNDLE_KEY" "$CA_BUNDLE_SHA256" "$root/certificates/global-bundle.pem" 0644
install_units
[[ -z ${CLOUDWATCH_AGENT_KEY:-} ]] || install_cloudwatch_agent
keep_status "installed: $worker_version, sha256 $WORKER_SHA256"
say "installed: $worker_version"
