/* SPDX-License-Identifier: MIT */
/*
 * A private network for the calling process, without root: user, network, mount, pid, uts and
 * ipc namespaces of its own, so that a packaged server runs unmodified on its usual ports,
 * nothing leaves the machine, and the suite works with the network unplugged.
 *
 *   caller (outside; waits, passes signals)  ->  init (pid 1; reaps)  ->  the one that continues
 */
#ifndef DNA_LAB_NS_H
#define DNA_LAB_NS_H

#include "conformance/lab/diag.h"

#define DNA_LAB_RESOLVER "127.0.0.53"

/* dna_lab_place says where the lab keeps its files. */
struct dna_lab_place {
    char dir[256]; /* an absolute path; empty directory at the start */
};

/*
 * dna_lab_enter re-homes the calling process in fresh namespaces and returns 0 in the process
 * that continues there: uid 0, lo up, /proc its own, the resolver's address in /etc/resolv.conf,
 * /etc/hosts and /etc/nsswitch.conf (hosts: files dns) replaced, ports below 1024 free to bind.
 *
 * Call it first thing in main, before any thread, event base or child exists: it forks twice.
 * The original process never returns from a successful call: it passes SIGINT, SIGTERM, SIGHUP
 * and SIGQUIT on, waits, removes the lab's directory and ends as the continuing process ended
 * (same exit status, or killed by the same signal). If the original is killed, everything in
 * the namespaces is killed with it.
 *
 * keep: a directory for the lab's files that stays afterwards (made if missing); NULL means a
 * tmpfs that vanishes with the lab. place is filled.
 *
 * Returns -1 with a diag of class HARD where namespaces are refused (it names the sysctls that
 * allow them) or where a step of the set-up fails; the caller prints it and exits with the class.
 */
int dna_lab_enter(const char *keep, struct dna_lab_place *place, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_lab_trust puts the CA directory (hashed links and ca-certificates.crt, as
 * dna_ca_write_store makes it) in the place of the system's trust store, for the processes in
 * the lab's mount namespace only. Call it inside the namespaces.
 */
int dna_lab_trust(const char *store_dir, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_lab_refusal writes into diag why namespaces were refused (an errno of unshare) and what
 * allows them.
 */
int dna_lab_refusal(int error, struct dna_diag *diag);

#endif
