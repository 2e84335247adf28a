#!/bin/sh
# SPDX-License-Identifier: MIT
# spin.sh -- Spin as a second opinion on the tables and on the search, and for liveness (make prove-spin).
# The tables are printed as Promela (promela.c) and decide every step; wiring, network and attacker are C (verify_spin.h).
#   size CONFIG     as many states and transitions as the checker in C finds, and no violation that is not a documented
#                   limit. Spin counts the state before the first, and two steps around it, besides.
#   cells TABLES    every machine in every state with every event, under every valuation of what the cell mentions, steps
#                   as the interpreter of model/ does
#   ends CONFIG     liveness: weak fairness brings every flow to its end (world.pml says who is fair)
#   stands CONFIG   likewise, and where nothing fails it ends established
# Each can fail: a guard, an output, an update and a state are damaged in the printed Promela, liveness bugs of
# planted.def are put there, and fairness is left out; Spin must then disagree.
# usage: model/test/spin.sh BUILD [CONFIG]...      needs spin (Debian package)
set -eu

# The words of pan's report that count: stored states, transitions, errors; nothing if the search was cut short.
report() {
    awk '/max search depth too small|out of memory|aborting/ { cut = 1 } / states, stored/ { s = $1 } / transitions / { t = $1 }
         /errors:/ { e = $NF } END { if (!cut) print s, t, e }'
}

# search WORK PAN CONFIG [OPTION]... prints the report
search() {
    at=$1 pan=$2
    export DNA_SPIN_CONFIG="$3"
    shift 3
    (mkdir -p "$at/$pan.$DNA_SPIN_CONFIG" && cd "$at/$pan.$DNA_SPIN_CONFIG" && "$at/$pan" -m400000 -w20 "$@" 2>&1) | report
}

# judge TOOL WORK WHAT CONFIG says one line; 1 if Spin does not say what it should
judge() {
    tool=$1 at=$2 what=$3 config=$4
    case $what in
    size)
        # shellcheck disable=SC2046
        set -- $(search "$at" safety "$config")
        theirs="$((${1:-1} - 1)) $((${2:-2} - 2)) ${3:-?}"
        ours=$("$tool" verify --config "$config" --size)
        if [ "$theirs" = "$ours 0" ]; then
            echo "claim spin config $config: as many states and transitions, $ours"
        else
            echo "claim spin config $config: REFUTED: ours $ours, Spin's $theirs (states, transitions, errors)"
            return 1
        fi
        ;;
    cells)
        cd "$at"
        if ./cells -m10000 >cells.said && said=$(sed -n 's/^cells: \([0-9]* steps\), 0 differ$/\1/p' cells.said) && [ -n "$said" ]; then
            echo "claim cells $config: Spin and the interpreter agree in all of $said"
        else
            echo "claim cells $config: REFUTED"
            grep ' there row \|^cells:' cells.said
            return 1
        fi
        ;;
    ends | stands)
        # shellcheck disable=SC2046
        set -- $(search "$at" liveness "$config" -a -f -N "$what")
        if [ "${3:-}" = 0 ]; then
            echo "claim $what config $config: holds under weak fairness, $1 states"
        else
            echo "claim $what config $config: REFUTED or not searched to the end (errors: ${3:-?})"
            return 1
        fi
        ;;
    noticed)
        # shellcheck disable=SC2046
        set -- $(search "$at" "$config" honest_dialback)
        ours=$("$tool" verify --config honest_dialback --size)
        if [ "$((${1:-1} - 1)) $((${2:-2} - 2)) ${3:-?}" != "$ours 0" ]; then
            echo "damage ${config#damaged_}: noticed"
        else
            echo "damage ${config#damaged_}: NOT NOTICED"
            return 1
        fi
        ;;
    planted)
        place=$(sed -n "s/^PLANTED( $config, \([a-z_]*\),.*/\1/p" model/planted.def)
        case $(sed -n "s/^PLANTED( $config, [a-z_]*, \(L[0-9]\),.*/\1/p" model/planted.def) in L1) claim=ends ;; *) claim=stands ;; esac
        # shellcheck disable=SC2046
        set -- $(search "$at" "bug_$config" "$place" -a -f -N $claim)
        if [ "${3:-0}" != 0 ]; then
            echo "bug $config: refuted by $claim in $place"
        else
            echo "bug $config: NOT FOUND by $claim in $place"
            return 1
        fi
        ;;
    unfair)
        # shellcheck disable=SC2046
        set -- $(search "$at" liveness "$config" -a -N ends)
        if [ "${3:-0}" != 0 ]; then
            echo "claim ends config $config: refuted without fairness, as it must be"
        else
            echo "claim ends config $config: HOLDS WITHOUT FAIRNESS: it says nothing"
            return 1
        fi
        ;;
    esac
}

if [ "$1" = judge ]; then
    shift
    judge "$@"
    exit
fi

build=$(cd "$1" && pwd)
shift
here=$0
cd "$(dirname "$0")/../.."
here=$PWD/model/test/$(basename "$here")
command -v spin >/dev/null || { echo "spin.sh: spin is missing: apt-get install spin" >&2; exit 99; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objects="$(ls "$build"/obj/model/*.o | grep -v '/tool') $(ls "$build"/obj/spec/*.o | grep -v '/texts')"
root=$PWD

# pan NAME FLAGS [SED]: Spin's search, of the Promela as it is printed or damaged
pan() {
    mkdir "$work/of_$1"
    "$build/model-tool" promela "$work/of_$1"
    cp model/world.pml "$work/of_$1"
    [ -z "${3:-}" ] || sed -i "$3" "$work/of_$1"/*.pml
    case $2 in *CELLS*) kind=-DCELLS ;; *SAFETY*) kind= ;; *) kind=-DLIVENESS ;; esac
    # shellcheck disable=SC2086
    (cd "$work/of_$1" && spin $kind -a world.pml >said 2>&1 && ${CC:-cc} -w $2 -DNOREDUCE -DNFAIR=3 -DVECTORSZ=4096 \
        -I"$root" -I"$build/lists" pan.c $objects -lcrypto -o "../$1" >>said 2>&1) ||
        { echo "spin.sh: $1 could not be made"; cat "$work/of_$1/said"; exit 1; }
}

# Planted bugs of the tables that break a property of liveness.
planted=$(sed -n 's/^PLANTED( \([a-z_]*\), [a-z_]*, L[0-9], "[^"]*", 0,.*/\1/p' model/planted.def)
# damage BUG: its mutants ROW:OP, put into the lines that have the row's id
damage() {
    # shellcheck disable=SC2013
    for mutant in $(sed -n "s/^PLANTED( $1, [^\"]*\"\([^\"]*\)\".*/\1/p" model/planted.def); do
        what=${mutant#*:}
        case $what in
        to=*) echo "/\\* ${mutant%%:*} \\*/s/_S_[A-Z_]* )/_S_${what#to=} )/" ;;
        do=*) echo "/\\* ${mutant%%:*} \\*/s/_O_$(echo "${what#do=}" | sed 's,/,;/_O_,');/" ;;
        nodo=*) echo "/\\* ${mutant%%:*} \\*/s/[a-z_]*_O_${what#nodo=};//" ;;
        *) echo "spin.sh: no way to put $mutant into Promela" >&2; return 1 ;;
        esac
    done
}

quick="-O0 -DSAFETY -DNOCOMP"
pan safety "-O2 -DSAFETY -DNOCOMP" & one=$!
pan liveness "-O2" || exit 1
wait $one
pan cells "-O2 -DSAFETY -DNOCOMP -DCELLS" & one=$!
for bug in $planted; do
    pan "bug_$bug" "-O0" "$(damage "$bug")"
done
wait $one
pan damaged_guard "$quick" 's/^#define dialback_receiving_G_asked ( \(.*\) )$/#define dialback_receiving_G_asked ( !( \1 ) )/' & one=$!
pan damaged_output "$quick" '/\* DA05 \*/s/_O_send_verify_valid/_O_send_verify_invalid/'
wait $one
pan damaged_update "$quick" 's/^\(#define starttls_receiving_O_mark_secured S.secured = \)1$/\10/' & one=$!
pan damaged_state "$quick" '/\* AS04 \*/s/association_S_TAKES )/association_S_NONE )/'
wait $one
for damaged in "$work"/of_damaged_* "$work"/of_bug_*; do
    ! diff -q "$work/of_safety" "$damaged" -x 'pan*' -x said >/dev/null || { echo "spin.sh: $damaged is not damaged"; exit 1; }
done

all=${*:-$("$build/model-tool" verify --list | awk '/^config/ { print $2 }')}
{
    for config in $all; do
        case $config in honest_* | timers_*) echo "ends $config" ;; esac
        case $config in honest_*_faults | honest_faults) ;; honest_*) echo "stands $config" ;; esac
    done | sort -r # the largest first
    for config in $all; do
        echo "size $config"
    done
    [ $# -gt 0 ] || echo "cells tables"
    [ $# -gt 0 ] || printf 'noticed %s\n' damaged_guard damaged_output damaged_update damaged_state
    [ $# -gt 0 ] || for bug in $planted; do echo "planted $bug"; done
    [ $# -gt 0 ] || echo "unfair honest_external"
} >"$work/jobs"
status=0
xargs -P 2 -n 2 "$here" judge "$build/model-tool" "$work" <"$work/jobs" >"$work/said" || status=1
sort "$work/said"
echo "spin: $(grep -c 'as many' "$work/said") configurations agree, $(grep -c 'holds under' "$work/said") claims of liveness hold," \
    "$(grep -c 'noticed$\|refuted by [es]\|as it must be$' "$work/said") damages are noticed, $(grep -c 'REFUTED\|NOT \|HOLDS' "$work/said") lines are not as they should be"
exit $status
