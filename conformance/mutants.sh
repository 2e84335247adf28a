#!/bin/bash
# SPDX-License-Identifier: MIT
# mutants.sh -- shows that the hand-written cases can fail: rows of the tables are broken one at a time in
# the running reference (xdna-server-test --mutate), and the cases in which the row had fired are run again.
#
# usage: conformance/mutants.sh BUILD [security|all|ROW...]      (make mutants [ARGS=all])
#   security   every row that cites a security requirement (default); all: every row
#   BASELINE=kept in the environment: which cases each row fires in is known from the last time
#
# A row counts as killed when a case FAILs with one of its mutants, or WARNs of a SHOULD that was not kept; and
# when its situation no longer comes about (INCONC) and no case says more.  A row whose every mutant passed is a
# survivor; conformance/mutants.survivors says of each known one why nothing can be seen of it.  Ends with
# status 1 when a row survives that is not listed there, or a listed one is killed.
# Cases alone judge here, without the oracle: it knows the very rows that are broken.
set -u
build=${1:-build}
shift || true
[ $# -gt 0 ] || set -- security
out=$build/mutants
known=conformance/mutants.survivors
if [ -n "${BASELINE:-}" ]; then
    [ -s "$out/map" ] || { echo "mutants: $out/map is not there: run once without BASELINE"; exit 99; }
    rm -rf "$out/runs"
else
    rm -rf "$out"
fi
mkdir -p "$out/runs"
"$build/mutant-rows" >"$out/rows" || exit 99

# baseline writes $out/map: "ROW CASE RANK", where RANK is the number of rows that fire in the case.
baseline() {
    echo "mutants: one run of the undamaged test build tells which cases each row fires in"
    "$build/xdna" run --profile xdna --no-oracle --server "$build/xdna-server-test" --keep "$PWD/$out/keep" --transcripts "$out/cases" \
        --progress none >"$out/baseline" 2>&1 || { tail -n 5 "$out/baseline"; exit 99; }
    # The second line group of a transcript names the case and its number: "ID as c0042, variant V".
    grep -hoE '[^ ]+ as c[0-9]+, variant' "$out"/cases/*.txt | sed -E 's/^(.*) as (c[0-9]+), variant$/\2 \1/' >"$out/numbers"
    # An address that is a domain has no label in it; no two cases share one.
    awk 'FNR == 1 { id = "" } / as c[0-9]+, variant / { id = $2 } id { while (match($0, /from=.127(\.[0-9]+)+|to=.127(\.[0-9]+)+/)) {
            address = substr($0, RSTART, RLENGTH); sub(/.*=./, "", address); print address, id; $0 = substr($0, RSTART + RLENGTH) } }' \
        "$out"/cases/*.txt | sort -u >>"$out/numbers"
    # A row belongs to the cases whose label its line, or another line of its connection, carries; conn=0 is none.
    awk -v numbers="$out/numbers" '
        BEGIN { while ((getline line < numbers) > 0) { split(line, pair, " "); id[pair[1]] = pair[2] } }
        {
            conn = match($0, /conn=[1-9][0-9]*/) ? FILENAME substr($0, RSTART, RLENGTH) : ""
            rest = $0
            delete here
            if (match($0, / pair=127[0-9.]+/) && (substr($0, RSTART + 6, RLENGTH - 6) in id)) here[substr($0, RSTART + 6, RLENGTH - 6)] = 1
            while (match(rest, /c[0-9][0-9][0-9][0-9]+/)) {
                label = substr(rest, RSTART, RLENGTH)
                if (label in id) { here[label] = 1; if (conn != "") labels[conn] = labels[conn] " " label }
                rest = substr(rest, RSTART + RLENGTH)
            }
            if (match($0, / row=[^ ]+/)) {
                row = substr($0, RSTART + 5, RLENGTH - 5)
                for (label in here) print row, id[label] > hits
                if (conn != "") rows[conn] = rows[conn] " " row
            }
        }
        END {
            for (conn in rows) {
                nr = split(rows[conn], r, " ")
                nl = split(labels[conn], l, " ")
                for (i = 1; i <= nr; i++) for (j = 1; j <= nl; j++) if (!((r[i], l[j]) in seen)) {
                    seen[r[i], l[j]] = 1
                    print r[i], id[l[j]] > hits
                }
            }
        }' hits="$out/hits" "$out"/keep/*/log
    sort -u "$out/hits" >"$out/fired"
    awk 'NR == FNR { rows[$2]++; next } { print $1, $2, rows[$2] }' "$out/fired" "$out/fired" >"$out/map"
}
[ -n "${BASELINE:-}" ] || baseline

wanted() { # row, mark
    case " $selection " in
    *" all "*) return 0 ;;
    *" security "*) [ "$2" = security ] && return 0 ;;
    esac
    case " $selection " in *" $1 "*) return 0 ;; esac
    return 1
}

# try_row prints "killed|survived|unseen ROW MARK MUTANT CASE" for one row.
try_row() {
    machine=$1 row=$2 mark=$3 stuck=""
    shift 3
    if [ "$machine" = c2s_server ]; then
        client=$("$build/xdna" list --role server 2>/dev/null | grep -o '[^ ]*@server[^ ]*')
    elif [ "$machine" = c2s_client ] || [ "$machine" = starttls_initiating ]; then
        client=$("$build/xdna" list --role client 2>/dev/null | grep -o '[^ ]*@client[^ ]*')
    else
        client=""
    fi
    # The cases in which the fewest rows fire come first: they are about this one. Those that need an
    # instance for themselves, whose clock they move, are slow, and come last.
    every=$(awk -v row="$row" '$1 == row { print ($2 ~ /\+clock$/), $3, $2 }' "$out/map" | sort -n | awk '{ print $3 }')
    if [ -z "${every// /}${client// /}" ]; then
        echo "unseen $row $mark - -"
        return
    fi
    first=$(head -n 12 <<<"$every")
    some=$(sed 1,12d <<<"$every" | grep -v '+clock$' | awk '{ a[NR] = $0 } END { step = NR > 40 ? NR / 40 : 1; for (i = 1; i <= NR; i += step) print a[int(i)] }')
    try_cases "$first" "$@" && return
    try_cases "$some $client" "$@" && return
    # Where these are not enough, every case in which the row fires.
    if [ -z "$stuck" ]; then
        rest=$(grep -vxF "$first
$some" <<<"$every")
        try_cases "$rest" "$@" && return
    fi
    if [ -n "$stuck" ]; then
        echo "killed $row $mark $stuck"
    else
        echo "survived $row $mark - -"
    fi
}

# run_mutant prints "VERDICT CASE" of the CASES that do not pass with OP of $row; with --fail-fast up to the first.
run_mutant() {
    log="$out/runs/$row.${1//\//_}"
    # shellcheck disable=SC2086
    timeout 120 "$build/xdna" run --profile xdna --no-oracle --mutate "$row:$1" --no-honesty-check ${3:-} --fail-on should --progress line $2 >"$log" 2>&1
    awk '$1 == "FAIL" || $1 == "WARN" || $1 == "INCONC" { print $1, $2 }' "$log"
}

# try_cases runs CASES with each OP of $row, until one FAILs, and FAILs once more: a busy machine is no mutant.
try_cases() {
    cases=$1
    [ -n "${cases//[[:space:]]/}" ] || return 1
    shift
    for op in "$@"; do
        bad=$(run_mutant "$op" "$cases" --fail-fast)
        # A situation that no longer comes about is unexpected too, but a FAIL says more: look on.
        [ "${bad%% *}" = INCONC ] && bad=$(run_mutant "$op" "$cases")
        case=$(awk '$1 != "INCONC" { print $2; exit }' <<<"$bad")
        if [ -n "$case" ] && run_mutant "$op" "$case" | grep -qv '^INCONC'; then
            echo "killed $row $mark $op $case"
            return
        fi
        [ -n "$stuck" ] || stuck=$(awk -v op="$op" '$1 == "INCONC" { print op " " $2 " (INCONC)"; exit }' <<<"$bad")
    done
    return 1
}
export -f try_row try_cases run_mutant
export build out selection

selection="$*"
start=$(date +%s)
while IFS=$'\t' read -r machine row mark ops; do
    wanted "$row" "$mark" && echo "$machine $row $mark $ops"
done <"$out/rows" >"$out/todo"
total=$(wc -l <"$out/todo")
echo "mutants: $total rows to break"
xargs -P 2 -L 1 bash -c 'try_row "$@"' try <"$out/todo" | tee "$out/results"

killed=$(grep -c '^killed' "$out/results")
security=$(grep -c '^killed [^ ]* security' "$out/results")
of_security=$(awk '$3 == "security"' "$out/results" | wc -l)
bad=0
listed() { grep -v '^#' "$known" 2>/dev/null | awk '{ print $1 }' | grep -qx "$1"; }
while read -r what row _; do
    if [ "$what" = killed ]; then
        listed "$row" && { echo "mutants: $row is listed as a survivor in $known but was killed: take it off the list"; bad=1; }
    elif ! listed "$row"; then
        echo "mutants: $row $what and is not listed in $known"
        bad=1
    else
        echo "mutants: $row $what, as listed: $(grep "^$row[[:space:]]" "$known" | cut -d' ' -f2-)"
    fi
done <"$out/results"
echo "mutants: $killed of $total rows killed by hand-written cases ($security of $of_security security rows), $(($(date +%s) - start)) s"
echo "RESULT mutants killed=$killed rows=$total security=$security/$of_security unlisted=$bad"
exit $bad
