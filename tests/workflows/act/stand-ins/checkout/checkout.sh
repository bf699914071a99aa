# As actions/checkout does it: on a branch where the event is one, else detached.
set -euo pipefail
. "$GITHUB_ACTION_PATH/sandbox.env"
mkdir -p "$GITHUB_WORKSPACE/$CHECKOUT_PATH"
cd "$GITHUB_WORKSPACE/$CHECKOUT_PATH"
git init --quiet --initial-branch=main .
git remote add origin "$ORIGIN"
if [ "$CHECKOUT_DEPTH" = 0 ]; then
  git fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
  depth=()
else
  depth=("--depth=$CHECKOUT_DEPTH")
fi
git fetch --quiet --no-tags "${depth[@]}" origin "${CHECKOUT_REF:-$GITHUB_SHA}"
case "$CHECKOUT_REF:$GITHUB_REF" in
  :refs/heads/*) git checkout --quiet --force -B "${GITHUB_REF#refs/heads/}" FETCH_HEAD ;;
  *) git checkout --quiet --force --detach FETCH_HEAD ;;
esac
echo "checked out $(git rev-parse HEAD)"
