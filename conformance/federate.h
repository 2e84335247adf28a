/* SPDX-License-Identifier: MIT */
/* federate.h -- `xdna federate`: servers federate in the lab and clients exchange messages. */
#ifndef DNA_CONFORMANCE_FEDERATE_H
#define DNA_CONFORMANCE_FEDERATE_H

/* dna_federate runs the command; argv are the words after `federate`.  Returns an exit status: 0
   every message arrived, 1 one did not, 2 usage, 99 lab or server not usable. */
int dna_federate(int argc, char **argv);

#endif
