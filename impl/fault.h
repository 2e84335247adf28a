/* SPDX-License-Identifier: MIT */
/* fault: faults that no row of a table decides, to show that cases notice them. The test build of the
 * server plants one (--fault NAME); nothing else ever does. */
#ifndef DNA_IMPL_FAULT_H
#define DNA_IMPL_FAULT_H

#include <stdbool.h>

#define DNA_FAULTS(FAULT)                                                                          \
    FAULT(clear_behind_starttls, "what follows <starttls/> in clear counts as if TLS were up")     \
    FAULT(first_certificate, "the certificate of the first domain is shown for all of them")       \
    FAULT(records_kept, "what DNS says is believed for a day, whatever its time to live")          \
    FAULT(names_refused, "a handshake in which the client names the server (SNI) is refused")

enum dna_fault {
#define FAULT(name, text) DNA_FAULT_##name,
    DNA_FAULTS(FAULT)
#undef FAULT
};

bool dna_fault(enum dna_fault which);
/* dna_fault_plant() plants a fault by its name; false if there is none of that name. */
bool dna_fault_plant(const char *name);
#endif
