#!/usr/bin/env bash
# Proves that a new operator is one file and its word in the list of operators.
#
# In a copy of the tree, adds toy.rs and its line, has its expected results computed by NumPy, generates what is
# generated, and runs the operator's cases in every language. No other path may have been written by hand.
# Ends with `N passed, N failed`.
set -euo pipefail

name=toy_bump
root=$(cd "$(dirname "$0")/../.." && pwd)
target=$root/target
work=$target/toy
tree=$work/tree
# The xtask of this tree works on the copy; it is the same there.
xtask=${MXR_XTASK:-$target/debug/xtask}
passed=0 failed=0

# check WHAT COMMAND…: one test, which passes if the command does.
check() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok     $what"
    else
        failed=$((failed + 1))
        echo "FAILED $what"
    fi
}

# The files as they are now, committed in a repository of their own, with their times, so that cargo builds less.
copy_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null --no-recursion -T - -cf -) | tar -xf - -C "$tree"
    cd "$tree"
    git init -q .
    commit "The tree"
}

commit() {
    git add -A
    git -c user.name=toy -c user.email=toy@localhost -c commit.gpgsign=false commit -qm "$1"
}

# Registry crates that are built already need not be built again; the workspace's own have other paths here.
seed_build() {
    mkdir -p "$target/venv"
    if [ ! -d "$work/build/debug" ] && [ -d "$target/debug/deps" ]; then
        mkdir -p "$work/build/debug"
        for part in .fingerprint build deps; do
            cp -a --reflink=auto "$target/debug/$part" "$work/build/debug/"
        done
        rm -rf "$work"/build/debug/{deps/{,lib}{mxr,xtask,conformance}*,.fingerprint/{mxr,xtask}*}
    fi
    ln -sfn "$target/venv" "$work/build/venv"
}

add_operator() {
    cp "$root/tests/toy_operator/toy.rs" core/src/ops/toy.rs
    awk '
        /^use / && !named { print "pub mod toy;\n"; named = 1 }
        /^list! *\{/ { inside = 1 }
        inside && /^\}/ { print "    toy::{ ToyBump },"; inside = 0 }
        { print }
    ' core/src/ops/mod.rs > "$work/mod.rs"
    cat "$work/mod.rs" > core/src/ops/mod.rs
}

# What was changed since the tree was committed, without the cases and what `gen` says it wrote.
by_hand() {
    git add -A
    { echo "tests/conformance/cases/$name.json"; sed -n 's/^wrote //p' "$work/gen.log"; } | sort > "$work/generated"
    git diff --cached --name-only HEAD | sort | comm -23 - "$work/generated"
}

two_paths_by_hand() {
    by_hand | tee "$work/by_hand"
    diff "$work/by_hand" <(printf '%s\n' core/src/ops/mod.rs core/src/ops/toy.rs)
}

generate() {
    "$xtask" gen | tee "$work/gen.log" && grep -q 'wrote schema/ops.json' "$work/gen.log"
}

# Every language's runner on the operator; their numbers are added to ours.
run_cases() {
    local sum
    "$xtask" test --operator "$name" | tee "$work/cases.log" || true
    sum=$(tail -n 1 "$work/cases.log")
    if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
}

copy_tree
seed_build
export CARGO_TARGET_DIR=$work/build CARGO_MANIFEST_DIR=$tree/xtask
add_operator
check "NumPy computes the operator's expected results" "$xtask" oracle "$name"
check "what is generated has the operator" generate
check "exactly two paths were changed by hand" two_paths_by_hand
check "everything generated is up to date" "$xtask" gen --check
run_cases
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
