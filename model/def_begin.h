/* SPDX-License-Identifier: MIT */
/* def_begin.h -- any table macro the includer left undefined expands to nothing.  No include
   guard: every table includes it anew. */
#ifndef PROOFTYPE
#define PROOFTYPE(...)
#endif
#ifndef MACHINE
#define MACHINE(...)
#endif
#ifndef STATE
#define STATE(...)
#endif
#ifndef EVENT
#define EVENT(...)
#endif
#ifndef FACT
#define FACT(...)
#endif
#ifndef VAR
#define VAR(...)
#endif
#ifndef GUARD
#define GUARD(...)
#endif
#ifndef UPDATE
#define UPDATE(...)
#endif
#ifndef OUT
#define OUT(...)
#endif
#ifndef ROW
#define ROW(...)
#endif
#ifndef CHOICE
#define CHOICE(...)
#endif
#ifndef IGNORE
#define IGNORE(...)
#endif
#ifndef DEAD
#define DEAD(...)
#endif
