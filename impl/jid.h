/* SPDX-License-Identifier: MIT */
/* jid.h -- addresses: local@domain/resource split, checked and brought into the form in which they
   are compared (RFC 7622; of localparts only ASCII letters are mapped).  All memory is the
   caller's. */
#ifndef DNA_IMPL_JID_H
#define DNA_IMPL_JID_H

#include <stdbool.h>
#include <stddef.h>

enum { DNA_JID_PART_MAX = 1023, DNA_JID_MAX = 3 * DNA_JID_PART_MAX + 2 };

/* dna_utf8_valid says whether the bytes are UTF-8: no surrogates, no overlong forms. */
bool dna_utf8_valid(const char *text, size_t len);

/* dna_domain_prepare writes name in lower case with U-labels and without a trailing dot, and its
   A-label form; IP literals pass as they are.  Either out may be NULL.  False if it is no name. */
bool dna_domain_prepare(const char *name, char *out_name, size_t name_size, char *out_ascii,
                        size_t ascii_size);

/* dna_local_prepare writes a localpart in lower case; false for characters that may not occur. */
bool dna_local_prepare(const char *local, char *out, size_t size);

/* dna_resource_valid says whether text may be a resource. */
bool dna_resource_valid(const char *resource);

/* dna_jid holds the parts of an address; local and resource are "" where there are none. */
struct dna_jid {
    char local[DNA_JID_PART_MAX + 1];
    char domain[DNA_JID_PART_MAX + 1];
    char resource[DNA_JID_PART_MAX + 1];
};

/* dna_jid_parse splits and prepares; false if text is no address. */
bool dna_jid_parse(const char *text, struct dna_jid *out);

#endif
