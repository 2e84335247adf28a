#!/bin/bash
# SPDX-License-Identifier: MIT
# exits.sh -- the exit statuses and messages of conventions, each brought about for real.
# usage: conformance/test/exits.sh BUILD      ends with "exit statuses: N passed, N failed"
build=${1:-build}
xdna=$build/xdna
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0
one='rfc7712/4.2/**' # a few quick cases

expect() { # status, pattern, what, command...
    status=$1 pattern=$2 what=$3
    shift 3
    timeout 120 "$@" >"$dir/out" 2>&1
    got=$?
    if [ $got -eq "$status" ] && grep -qE -- "$pattern" "$dir/out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $what: status $got, wanted $status and /$pattern/; it printed:"
        tail -n 8 "$dir/out" | sed 's/^/    /'
    fi
}
profile() { # name, sed script...: a changed copy of the reference's profile
    cp -r conformance/profiles/xdna "$dir/$1"
    sed -i -e "s|^server .*|server $PWD/$build/xdna-server|" -e "$2" "$dir/$1/profile"
}

expect 0 '^RESULT status=pass .* exit=0$' "verdicts and nothing unexpected" "$xdna" run "$one" --profile xdna
expect 1 '^RESULT status=fail .* exit=1$' "a verdict that is not expected" \
    "$xdna" run 'xep0220/2.2.2/**' --profile xdna --mutate DA05:drop
expect 1 'again +build/xdna run' "a failure says how to run only it" \
    "$xdna" run 'xep0220/2.2.2/**' --profile xdna --mutate DA05:drop
expect 1 'fewer than 5000' "fewer verdicts than required" "$xdna" run "$one" --profile xdna --require 5000
expect 2 'selects no case' "an empty selection" "$xdna" run 'nosuch/**' --profile xdna
expect 2 'nosuch' "a profile that does not exist" "$xdna" run "$one" --profile nosuch
expect 2 'bogus' "an unknown flag" "$xdna" run --bogus
expect 2 'usage|unknown command' "an unknown command" "$xdna" frobnicate
expect 2 'explain|nosuch' "explain of an unknown id" "$xdna" explain rfc7712/4.2/nosuch
echo 'nosuch/case FAIL reason=none https://example.org/1' >"$dir/known"
expect 2 'known:1' "a waiver that matches no case" "$xdna" run "$one" --profile xdna --known-failures "$dir/known"
expect 2 'cannot be read' "a waiver file that is not there" "$xdna" run "$one" --profile xdna --known-failures "$dir/nosuch"
printf 'claim x\n' >"$dir/bad.scn"
expect 2 'bad.scn:[0-9]+:' "a bad script names file and line" "$xdna" lint "$dir/bad.scn"

profile quiet 's/^feature .*//; s/^  feature .*//'
expect 77 'exit=77' "everything selected is not applicable" "$xdna" run 'xep0288/2.2/**' --profile "$dir/quiet"
profile absent 's,^title .*,title absent\nrequires /nosuch/program no-such-package-at-all,'
expect 99 'no-such-package-at-all' "a package that is not installed" "$xdna" run "$one" --profile "$dir/absent"
profile mute 's/^start .*/start sleep 60/; s/^ready .*/ready 500ms/'
expect 99 'answer|port|ready' "a server that never comes up" "$xdna" run "$one" --profile "$dir/mute"
profile broken 's/^start .*/start false/'
expect 99 'exit status 1|died|ended' "a server that ends at once" "$xdna" run "$one" --profile "$dir/broken"
profile mortal "s|^start .*|start timeout -s KILL 1 @server@ --config @run@/xdna-server.conf|"
expect 1 'crash' "a server that dies in the same case again" "$xdna" run 'xep0220/2.5/**' --profile "$dir/mortal"
cat >"$dir/once" <<END
#!/bin/sh
mkdir "$dir/died" 2>/dev/null && exec timeout -s KILL 1 "\$@"
exec "\$@"
END
chmod +x "$dir/once"
profile frail "s|^start .*|start $dir/once @server@ --config @run@/xdna-server.conf|; /^variant/,\$d"
printf 'variant default\n' >>"$dir/frail/profile"
expect 99 'ERROR' "a server that dies once in the middle" "$xdna" run 'xep0220/2.5/authority_never_answers@receiving' --profile "$dir/frail"
expect 99 'honesty|refuse' "a server that answers for domains it should refuse" "$xdna" run "$one" --profile xdna --mutate SR03:drop
expect 99 'report|write|No such file|Not a directory' "a report that can't be written" "$xdna" run "$one" --profile xdna --junit "$dir/nosuch/x.xml"

expect 2 'server.conf:[0-9]+: ' "xdna-server: a bad configuration" sh -c "printf 'nonsense 1\n' >$dir/server.conf; $build/xdna-server --config $dir/server.conf"
expect 2 'No such file' "xdna-server: no configuration" "$build/xdna-server" --config "$dir/nosuch.conf"
expect 2 'jid|Usage|usage' "xdna-client: usage" "$build/xdna-client"

# JUnit and JSON are what their readers expect
"$xdna" run 'xep0220/2.2.2/**' --profile xdna --mutate DA05:drop --junit "$dir/j.xml" --json "$dir/j.json" >/dev/null 2>&1
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $1"; fi; }
check "JUnit has a failure and its testsuite" "grep -q '<testsuite ' '$dir/j.xml' && grep -q '<failure type=\"must' '$dir/j.xml'"
check "JSON names schema, suite and results" "grep -q '\"schema_version\"' '$dir/j.json' && grep -q '\"results\"' '$dir/j.json'"

echo "exit statuses: $passed passed, $failed failed"
[ $failed -eq 0 ]
