/* SPDX-License-Identifier: MIT */
/* client_pins.h -- certificates that a user has accepted for a domain although nothing proves them,
   with the context in which that was done (RFC 6125 6.6.2, 7.1): a text file, one pin a line:
       SHA256-OF-CERTIFICATE SHA256-OF-CHAIN DOMAIN SERVICE HOST PORT
   A pin counts only where all six agree.  All memory is the caller's. */
#ifndef DNA_IMPL_CLIENT_PINS_H
#define DNA_IMPL_CLIENT_PINS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNA_PIN_HEX = 64 };

/* dna_pin is one certificate in its context. */
struct dna_pin {
    char leaf[DNA_PIN_HEX + 1];  /* hex, lower case */
    char chain[DNA_PIN_HEX + 1]; /* over all certificates presented, leaf first */
    char domain[256];            /* the source domain, A-labels */
    char service[32];            /* "xmpp-client" */
    char host[256];              /* the derived host name or address */
    uint16_t port;
};

enum dna_pin_result {
    DNA_PIN_FOUND,
    DNA_PIN_UNKNOWN,       /* nothing is pinned for this domain and service */
    DNA_PIN_OTHER,         /* the domain has pins, but for another certificate */
    DNA_PIN_OTHER_CONTEXT, /* the certificate is pinned, but for another host, port or chain */
    DNA_PIN_UNREADABLE
};

/* dna_pin_fingerprint reads 64 hex digits, colons between them allowed, into out. */
bool dna_pin_fingerprint(const char *text, char out[DNA_PIN_HEX + 1]);
/* dna_pin_of fills in leaf and chain of what the server of an established session presented. */
bool dna_pin_of(SSL *ssl, struct dna_pin *out);
/* dna_pins_look reads the file and says whether the pin is there; a missing file holds none.
   out_why gets one line: FILE:LINE and reason where it is unreadable. */
enum dna_pin_result dna_pins_look(const char *path, const struct dna_pin *pin, char *out_why,
                                  size_t why_size);
/* dna_pins_add appends the pin, creating file and folder (0600, 0700); false with a reason. */
bool dna_pins_add(const char *path, const struct dna_pin *pin, char *out_why, size_t why_size);
/* dna_pins_default_path writes $XDG_CONFIG_HOME/xdna/pins or ~/.config/xdna/pins. */
bool dna_pins_default_path(char *out, size_t size);

#endif
