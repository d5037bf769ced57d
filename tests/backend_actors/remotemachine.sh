#!/bin/sh
# A "machine" for tests that is reached only through this program: remotemachine.sh MACHINE OPERATION ARGUMENT...
# MACHINE/delay-OPERATION holds seconds to wait first, MACHINE/fail-OPERATION a sentence to fail with; both are read when
# the operation begins. MACHINE/journal gets a line when one begins and when it has done its work.
machine=$1 operation=$2
shift 2
echo "$operation begins" >>"$machine/journal"
echo "The machine has the order: $operation" >&2
if [ -f "$machine/delay-$operation" ]; then
    sleep "$(cat "$machine/delay-$operation")" &
    trap 'kill $!; exit 143' TERM # the sleeper too: this host was killed, or the order was taken back
    wait $!
    trap - TERM
fi
if [ -f "$machine/fail-$operation" ]; then
    cat "$machine/fail-$operation" >&2
    exit 1
fi
case $operation in
attach) # repository branch
    git -C "$1" rev-parse --verify -q "refs/heads/$2" >/dev/null || exit 1 ;;
allocate) # place
    mkdir -p "$machine/$1" ;;
prepare) # place repository branch base: done twice, it is there once
    if [ ! -f "$machine/$1/whole" ]; then
        rm -rf "$machine/$1/work"
        git clone -q --no-local "$2" "$machine/$1/work" || exit 1
        git -C "$machine/$1/work" checkout -q -B "$3" "${4:-HEAD}" || exit 1
        touch "$machine/$1/whole"
    fi
    git -C "$machine/$1/work" rev-parse HEAD ;;
agent | exec) # place program argument...
    cd "$machine/$1/work" || exit 1
    shift
    exec "$@" ;;
health)
    [ -f "$machine/$1/whole" ] || exit 3 ;;
destroy)
    rm -rf "${machine:?}/$1" ;;
look) # place
    cd "$machine/$1/work" || exit 1
    echo "$(git status --porcelain -uno | wc -l) $(git ls-files --others --exclude-standard | wc -l) $(git rev-list --count HEAD --not --remotes)" ;;
save) # place repository ref: nothing is said of a place that is not there
    if [ -f "$machine/$1/whole" ]; then
        cd "$machine/$1/work" || exit 1
        changed=$(git status --porcelain -uno | wc -l) new=$(git ls-files --others --exclude-standard | wc -l) head=$(git rev-parse HEAD)
        GIT_INDEX_FILE=$machine/$1/index
        export GIT_INDEX_FILE
        git read-tree HEAD && git add -A || exit 1
        tree=$(git write-tree) || exit 1
        unset GIT_INDEX_FILE
        kept=$(echo Kept | git -c user.name=Machine -c user.email=m@example.org commit-tree -p HEAD "$tree") || exit 1
        git push -q --force "$2" "$kept:$3" || exit 1
        echo "$kept $head $changed $new"
    fi ;;
release | bringback) ;;
putback) # place repository commit head branch
    cd "$machine/$1/work" || exit 1
    git fetch -q "$2" "$3" && git checkout -q -B "$5" "$4" && git reset -q --hard "$3" && git reset -q "$4" ;;
forget) # repository ref
    git -C "$1" update-ref -d "$2" ;;
esac
status=$?
echo "$operation did" >>"$machine/journal"
exit $status
