/* SPDX-License-Identifier: MIT */
/*
 * world.pml -- what Spin searches: worlds that go on by moves, and tables that say what a server
 * does in them.
 *
 * The wiring, the network and the attacker are C (verify_spin.h); each step of a machine comes back
 * here, and steps(), made of the tables by `model-tool promela DIR`, decides it.
 */
c_decl {
\#include "model/verify_spin.h"
\#include <stdlib.h>
\#define MAY_ACT dna_spin_num(Pparty->who) /* Spin wants no call in a c_expr */
}
c_track "dna_spin_world" "DNA_SPIN_SIZE"

#include "words.pml"

#define ANYBODY  0 /* enum dna_spin_who */
#define OTHERS   1
#define NETWORK  2
#define TIMERS_A 3
#define TIMERS_B 4

int which, many;
byte asked; /* the machine that is to take a step, counted from 1 */
bool broken, silent;

#ifdef CELLS
#define KNOBS knobs_ask();
#else
#define KNOBS
#endif

/* One step of a machine begins, and ends; the world goes on until there is another. */
inline step_begins() {
    c_code { on = dna_spin_ask.on; num_outs = 0; }
    KNOBS
    stream_ask()
}
inline step_ends() {
    stream_answer();
    c_code {
        dna_spin_ask.row = row;
        dna_spin_ask.num_outs = num_outs;
        memcpy(dna_spin_ask.outs, outs, sizeof dna_spin_ask.outs);
        now.asked = dna_spin_go_on();
    }
}

#include "tables.pml"

#ifdef LIVENESS
/* What is claimed of the long run.  Users, the attacker and timers that end what is well act as long
   as they like, and then no more; the network and the timers that something waits for are fair:
   whoever of the three can always act does so some time (pan -f). */
bool quiet, well;
byte wanted; /* the pairs that users have had stanzas for, a bit each */
#define LOOK \
    c_code { \
        now.wanted |= dna_spin_wanted(); \
        now.quiet = dna_spin_quiet(); \
        now.well = dna_spin_established(now.wanted); \
    }
#define CHECK skip
ltl ends { <>[] ( silent -> quiet ) }
ltl stands { <>[] ( silent -> quiet && well ) }
#else
#define LOOK skip
#define CHECK assert( !broken )
#endif

#ifdef CELLS
/* No world: every step that the tables can take is asked for, and held against the interpreter's. */
init {
    atomic {
        c_code { now.asked = dna_spin_cells(); };
        steps();
        c_code { now.broken = dna_spin_differ() != 0; };
        assert( !broken )
    }
}
#else

/* Time passes also when nobody acts: so a run never stops, and only fairness makes anybody act. */
proctype clock() {
    do
    :: !broken /* always: Spin wants a condition here */
    od
}

/* Somebody who acts: one of the things that `who` may do happens.  (Spin wants no jump right into a
   d_step.) */
proctype party(byte who) {
end_of_moves:
    do
    :: atomic {
           c_expr { MAY_ACT } ->
           c_code { now.many = dna_spin_num(Pparty->who); }
           select ( which : 0 .. many - 1 );
           skip;
           d_step { c_code { now.asked = dna_spin_start(Pparty->who, now.which); } }
           steps();
           skip;
           d_step {
               c_code { now.broken = dna_spin_broken() != 0; now.which = 0; now.many = 0; };
               LOOK
           }
           CHECK
       }
    :: atomic { who == OTHERS -> silent = true; break }
    od
}

init {
    atomic {
        c_code { dna_spin_begin(getenv("DNA_SPIN_CONFIG"), getenv("DNA_SPIN_BUG")); }
        knobs_ask();
        LOOK;
#ifdef LIVENESS
        run clock();
        run party(OTHERS);
        run party(NETWORK);
        run party(TIMERS_A);
        run party(TIMERS_B)
#else
        run party(ANYBODY)
#endif
    }
}
#endif
