#!/bin/bash
# SPDX-License-Identifier: MIT
# judge.sh [BUILD]: the judge judged. Each exit status of `xdna run`, each rule of known-failure files and
# each word of the scenario language that decides a verdict, brought about on purpose; status and message
# are compared. Scenarios (scenarios/) and servers that misbehave (servers/) stand beside it.
cd "$(dirname "$0")/../.." || exit 99
xdna=${1:-build}/xdna
here=conformance/test
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDNA_SCENARIOS=$here/scenarios
failed=0 count=0

# expect NAME STATUS REGEX COMMAND...
expect() {
    local name=$1 status=$2 regex=$3 got
    shift 3
    "$@" >"$tmp/out" 2>&1
    got=$?
    count=$((count + 1))
    if [ "$got" -ne "$status" ] || ! grep -Eq -- "$regex" "$tmp/out"; then
        failed=$((failed + 1))
        echo "judge: $name: wanted status $status and /$regex/, got status $got and:"
        tail -n 15 "$tmp/out" | sed 's/^/    /'
    fi
}
run() { "$xdna" run --profile xdna --progress line "$@"; }
known() { printf '%s\n' "$1" >"$tmp/known"; }

expect "all well" 0 'RESULT status=pass .*planned=1 pass=1 .*exit=0' run exits/2
expect "unexpected FAIL" 1 'RESULT status=fail .*fail=1.*unexpected=1.*exit=1' run exits/5
expect "a failure's block: claim" 1 '^  claim +The server answers a wrong key with valid' run exits/5
expect "a failure's block: script" 1 '^  script +conformance/test/scenarios/exits/5_fails.scn:13: ' run exits/5
expect "a failure's block: expected" 1 "^  expected +A > <db:verify id='x' type='valid'/>" run exits/5
expect "a failure's block: actual" 1 "^  actual +A > <db:verify .*type='invalid'" run exits/5
expect "a failure's block: rerun" 1 "^  again +build/xdna run 'exits/5/fails@authoritative' --profile xdna" run exits/5
expect "WARN is no failure" 0 'status=pass .*warn=1.*exit=0' run exits/6
expect "WARN with --fail-on should" 1 'status=fail .*warn=1.*exit=1' run exits/6 --fail-on should
expect "FAIL with --fail-on invariant" 0 'fail=1 .*exit=0' run exits/5 --fail-on invariant
expect "INCONC is unexpected" 1 'inconc=1 .*exit=1' run exits/7
expect "nothing applicable" 77 'everything selected is not applicable' run exits/8
expect "too few verdicts" 1 'fewer than 3 cases got a verdict' run exits/2 --require 3
expect "empty selection" 2 "'rfc9999' selects no case" run rfc9999
expect "nothing left" 2 'nothing is left of the selection' run exits/2 --skip 'exits/**'
expect "skipped by request" 0 '1 skipped by request: this result is PARTIAL' run exits/2 exits/3 --skip exits/3
expect "unknown profile" 2 'no profile named nosuch' "$xdna" run --profile nosuch
expect "unknown flag" 2 'unknown flag' run --frobnicate
expect "flag without value" 2 'unknown flag, or one without its value' run -j
expect "bad number" 2 "-j wants a number" run -j many
expect "unknown command" 2 "unknown command 'frob'" "$xdna" frob
expect "unknown fault" 2 "--fault frob: there is none of that name; there are: .*records_kept" run exits/2 --fault frob
expect "unknown bug" 2 "--bug frob: there is none of that name; there are: unsolicited_verify .*key_without_id" run exits/2 --bug frob
expect "two faults" 2 "--bug key_without_id has a fault of its own" run exits/2 --bug key_without_id --fault records_kept
expect "a bug in who is no xdna-server" 2 "--bug is for xdna-server" "$xdna" run --profile prosody --bug key_without_id
expect "mutate: unknown bug" 2 "'frob' is no planted bug; there are: unsolicited_verify" "$xdna" mutate bugs frob
expect "planned flags" 2 'planned and not there yet' run --tap x
expect "unwritable report" 99 'cannot write /nonexistent/junit.xml' run exits/2 --junit /nonexistent/junit.xml
expect "server missing" 99 'No such file' run exits/2 --server /nonexistent/server
expect "server ends at once" 99 'never came up.*died before it was ready' run exits/2 --server /bin/true
expect "server that hosts what it must refuse" 99 'honesty check .* failed: it answers a stream to a domain that it does not host' \
    run exits/2 --server $here/servers/hosts_everything.sh
expect "server that dies, and again" 1 'FAIL exits/1/killer@receiving' run exits/1 --server $here/servers/dies_on_killer.sh
expect "its reason" 1 'reason crash' run exits/1 --server $here/servers/dies_on_killer.sh
expect "the others go on" 1 'planned=4 pass=3 .*fail=1 .*error=0' run exits/1 exits/2 exits/3 exits/4 --server $here/servers/dies_on_killer.sh
expect "server that dies once" 99 'ERROR exits/1/killer@receiving' run exits/1 --server $here/servers/dies_once.sh
expect "server that stays when it is told to stop" 1 'it was still there 2000 ms after TERM' \
    run judge/9/stopped --server $here/servers/never_goes.sh
expect "server that goes badly" 1 'actual +exit status 3' run judge/9/stopped --server $here/servers/goes_badly.sh
expect "server that dies before it is told to stop" 1 'it died during this case: exit status 139' \
    run exits/9 --server $here/servers/dies_on_killer.sh
expect "interrupted" 130 'status=interrupted .*exit=130' timeout --preserve-status -s INT 1 "$xdna" run --profile xdna \
    --progress line --repeat 100000 exits/2
mkdir "$tmp/profile"
sed 's|^start .*|start /bin/true|; s|^version .*||; s|^server .*||; 1i requires /nonexistent/file no-such-package-of-debian' \
    conformance/profiles/xdna/profile >"$tmp/profile/profile"
cp conformance/profiles/xdna/*.in "$tmp/profile/"
mkdir "$tmp/mute"
sed "s|^start .*|start sleep 60|; s|^ready .*|ready 500ms|; s|^server .*|server $PWD/${1:-build}/xdna-server|" \
    conformance/profiles/xdna/profile >"$tmp/mute/profile"
cp conformance/profiles/xdna/*.in "$tmp/mute/"
expect "server that never comes up" 99 'never came up' "$xdna" run exits/2 --profile "$tmp/mute"
expect "missing package" 99 'no-such-package-of-debian' "$xdna" run exits/2 --profile "$tmp/profile"

known 'exits/5/fails@authoritative FAIL reason=got:verify.invalid https://tracker.example/1 # it is a lie'
expect "XFAIL" 0 'xfail=1 .*exit=0' run exits/5 --known-failures "$tmp/known"
known 'exits/5/* FAIL reason=timeout # it is a lie'
expect "another reason" 1 'replace by: exits/5/fails@authoritative  FAIL  reason=got:verify.invalid' run exits/5 --known-failures "$tmp/known"
known 'exits/2/* FAIL reason=timeout # it passes'
expect "XPASS" 1 'it passes now: remove the entry' run exits/2 --known-failures "$tmp/known"
known 'exits/5/* FAIL reason=got:verify.invalid until=2020-01 # long ago'
expect "ran out" 1 'the entry ran out on 2020-01' run exits/5 --known-failures "$tmp/known"
known 'exits/nosuch/* FAIL reason=timeout # why'
expect "matches no case" 2 "matches no case" run exits/5 --known-failures "$tmp/known"
known 'exits/8/* FAIL reason=timeout # why'
expect "matches only what is not run" 2 "matches only cases that this profile does not run" run exits/5 --known-failures "$tmp/known"
known $'exits/5/* FAIL reason=a # why\nexits/5/fails FAIL reason=b # why'
expect "two entries" 2 'has two entries' run exits/5 --known-failures "$tmp/known"
known 'exits/5/* FAIL # why'
expect "no reason" 2 'gives no reason=' run exits/5 --known-failures "$tmp/known"
known 'exits/5/* FAIL reason=got:verify.invalid # why'
expect "no tracker, strict" 2 'names no tracker' run exits/5 --known-failures "$tmp/known" --strict-waivers
expect "also known flaky" 2 'has two entries' run exits/5 --known-failures "$tmp/known" --known-flaky "$tmp/known"
expect "flaky" 0 'flaky=1 .*exit=0' run exits/5 --known-flaky "$tmp/known"
known 'exits/6/former WARN reason=got:verify.invalid # renamed'
expect "renamed case" 0 "was renamed to exits/6/should" run exits/6 --known-failures "$tmp/known"
expect "written known failures" 1 'exit=1' run exits/5 --write-known-failures "$tmp/written"
expect "they hold" 0 'xfail=1 .*exit=0' run exits/5 --known-failures "$tmp/written"
expect "they ask for a person" 0 'CHANGE ME' cat "$tmp/written"

# --json and --transcripts have one result and one file; equal runs have equal results
run exits/2 exits/5 --seed 7 --json "$tmp/a.json" --transcripts "$tmp/t" >/dev/null 2>&1
run exits/2 exits/5 --seed 8 --json "$tmp/b.json" -j1 >/dev/null 2>&1
results() { sed -n '/^  "results"/,/^  \]/p' "$1" | grep -v '"transcript"'; }
results "$tmp/a.json" >"$tmp/ra"
results "$tmp/b.json" >"$tmp/rb"
expect "equal results, equal bytes" 0 same bash -c "cmp '$tmp/ra' '$tmp/rb' && echo same"
expect "a transcript for each case" 0 '^2$' bash -c "ls '$tmp/t' | wc -l"

# derived suites
derive() { env -u XDNA_SCENARIOS "$xdna" derive --profile xdna "$@"; }
expect "derive: no such role" 2 "no suite is derived for role 'nobody'" derive --role nobody
expect "derive: no such part" 2 "role receiving has no part 'nothing'" derive --role receiving --scope nothing
expect "derive: no such symbol" 2 "role receiving has no symbol 'bla'" derive --without "key d1, bla"
expect "derive: no such alternative" 2 'not an alternative of a CHOICE' derive --choices <(echo choice SR01)
expect "derive: choices without asking" 2 'nothing is asked here' derive --choices /dev/null --write-choices "$tmp/choices"
expect "derive: what a pass means" 0 'What a pass means' derive --role authoritative --scope proved --choices /dev/null
expect "derive: a server that errs" 1 'status=fail' derive --role authoritative --scope proved --choices /dev/null --mutate DA05:do=send_verify_valid/send_verify_invalid
expect "derive: alternatives" 0 'clear .dialback_authoritative.: DA03: send_verify_invalid  .header d1, verify.' \
    derive --role authoritative --probe --mutate DA03:choice
expect "derive: a damage is not asked for its alternatives" 1 'status=fail' derive --role authoritative --scope clear --mutate DA03:choice
expect "derive: as a word of its own" 1 'status=fail' derive --role authoritative --scope clear --mutate=DA03:choice

# learning that is cut short says what was seen until then
learn() { env -u XDNA_SCENARIOS "$xdna" learn --profile xdna "$@"; }
seen='INCOMPLETE .%s.: of xdna-server [1-9][0-9]* states .*; [1-9][0-9]* sessions, .* 0 contradictions'
expect "learn: deadline" 1 "$(printf "$seen" 'the deadline of 1 s has passed')" learn --deadline 1
expect "learn: interrupted" 130 "$(printf "$seen" interrupted)" env -u XDNA_SCENARIOS timeout --preserve-status -s INT 2 "$xdna" learn --profile xdna
expect "learn: terminated" 143 "$(printf "$seen" terminated)" env -u XDNA_SCENARIOS timeout --preserve-status -s TERM 2 "$xdna" learn --profile xdna
expect "learn: mutants, deadline" 1 'INCOMPLETE .the deadline of 1 s has passed.: of 50 mutants [0-9]+ were learned' learn --mutants 50 --deadline 1
expect "learn: bad deadline" 2 "'--deadline' is no option, or lacks a proper value" learn --deadline 0

# the lists of mutants that are known
mutate() { env -u XDNA_SCENARIOS "$xdna" mutate "$@"; }
echo 'exits/2/passes@receiving XR04' >"$tmp/list"
expect "mutate: a bad line of the list" 2 "list:1: 'XR04' is no damage" mutate cases --list "$tmp/list" 'xep0185/**'
printf '#\nXX99 XR04:drop a/b/c@receiving\n' >"$tmp/list"
expect "mutate: a row that is none" 2 "list:2: there is no row 'XX99'" mutate rows --list "$tmp/list" 'xep0185/**'

expect "mutate: no such part" 2 "role receiving has no part 'nothing' that is played" mutate mutants receiving --scope nothing
expect "mutate: an OP that is none" 2 "--ops drop,frob: 'frob' is none" mutate mutants --hand-written --ops drop,frob

# the language: each script of judge/ says in its last line what must be said of it
run judge --level may --json "$tmp/judge.json" >/dev/null 2>&1
awk -F'"' '
    $2 == "file" { file = $4 }
    $2 == "invariant" { invariant = $4 }
    $2 == "reason_code" { reason = $4 == "" ? "-" : $4 }
    $2 == "signalling" { signalling = $4 }
    $2 == "verdict" { print file, $4, reason, invariant, signalling }' "$tmp/judge.json" >"$tmp/judged"
for script in "$XDNA_SCENARIOS"/judge/*.scn; do
    wanted=$(sed -n 's/^#! //p' "$script")
    expect "language, $(basename "$script" .scn): $wanted" 0 . grep -Fx "$script $wanted" "$tmp/judged"
done

echo "judge: $((count - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
