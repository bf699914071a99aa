#!/bin/bash
# Keeps /etc/roundtrip/environment.json equal to the environment's SSM parameter, which Terraform changes with the tasks and users.
# What can't be read leaves the file as it is. Exit codes as in docs/exit-codes.md: 4 another try can mend it, 6 the parameter is wrong.
set -euo pipefail

# shellcheck source=/dev/null
. /etc/roundtrip/release.env
file=/etc/roundtrip/environment.json
partial=$file.partial

fail() {
  rm -f "$partial"
  echo "roundtrip-environment: $2" >&2
  exit "$1"
}

timeout 60 aws ssm get-parameter --region "$AWS_REGION" --name "$ENVIRONMENT_PARAMETER" \
  --query Parameter.Value --output text >"$partial" ||
  fail 4 "expected the parameter $ENVIRONMENT_PARAMETER; $file stays as it is. Before the first apply has ended there is none"
text=$(<"$partial")
[[ $text == "{"*"}" ]] ||
  fail 6 "expected a JSON object in the parameter $ENVIRONMENT_PARAMETER, got ${#text} characters of something else; $file stays as it is: roundtrip apply writes it anew"
if cmp -s "$partial" "$file"; then
  rm -f "$partial"
else
  chmod 0644 "$partial"
  mv -f "$partial" "$file"
  echo "roundtrip-environment: $file is new"
fi
