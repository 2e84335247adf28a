/* SPDX-License-Identifier: MIT */
/*
 * compose.h -- the tables of one server role as one machine that a tester faces.
 *
 * A role names the machines that stand behind one stream (its slots), says what follows from their
 * outputs (its wires: which event of which machine, or which act), and what a tester may send (its
 * symbols).  dna_compose_send() puts one symbol in and returns the word that shows: outputs on the
 * wire in their order, then what shows elsewhere.  The rows themselves are stepped by the overlay,
 * as the interpreter does; so a mutant of a row is a mutant of the whole.
 *
 * The wires mirror the hand-written glue of impl/ and are the only place where this is said twice.
 * A scene is all there is to know of the composition between two symbols; scenes are plain uint32_t
 * and compared as bytes.  Nothing is allocated.
 */
#ifndef DNA_MODEL_COMPOSE_H
#define DNA_MODEL_COMPOSE_H

#include "model/machine.h"
#include "model/overlay.h"

enum { DNA_SCENE_SLOTS = 16, DNA_SCENE_VARS = 4, DNA_MAX_WORD = 40, DNA_MAX_DEPTH = 12 };

/* dna_whom says which instance of a machine is meant: the stream's, one of two pairs', or that of a
   pair nobody ever spoke of, which begins anew each time. */
enum dna_whom { DNA_STREAM, DNA_PAIR1, DNA_PAIR2, DNA_STRANGER };

/* dna_domain: whom a header, certificate or identity names. */
enum dna_domain { DNA_NOBODY, DNA_D1, DNA_D2, DNA_D1_AND_D2 };

/* dna_stage is what the glue remembers beside the machines. */
struct dna_stage {
    uint32_t header_due;  /* the peer's next bytes are a stream header */
    uint32_t tls_due;     /* the peer's next bytes are a TLS handshake */
    uint32_t tls;         /* a handshake is done, whatever a damaged table noted */
    uint32_t held;        /* input is not read */
    uint32_t discard;     /* of the input only the end is looked at */
    uint32_t drain;       /* of the input only stanzas and the end are looked at */
    uint32_t deaf;        /* the peer's XML is beyond reading: only the end of TCP is noticed */
    uint32_t muted;       /* our closing tag is out: nothing is written any more */
    uint32_t closed;      /* TCP has ended */
    uint32_t armed;       /* timers that run, where waits are looked at, whatever a damaged */
    uint32_t watched;     /* table noted: for negotiating, for idleness, for the answer to */
    uint32_t result;      /* our key; each runs out once */
    uint32_t expired;     /* the certificate is no longer valid, which is told again and again */
    uint32_t from;        /* enum dna_domain: of the current header */
    uint32_t certificate; /* enum dna_domain: what the peer's certificate proves */
    uint32_t refuted;     /* the owner of D1 disowns that certificate */
    uint32_t question[2]; /* a db:verify of ours for the pair is with its authority */
    uint32_t put[2];      /* the authority has it: it can answer, even if nobody waits any more */
    uint32_t asked;       /* that question was put, on this very stream */
    uint32_t awaited[3];  /* what proves the header's 'from', D1, D2 is being fetched */
    uint32_t early;       /* 1 + the number of a symbol that lies unread behind what is held */
    uint32_t delayed[2];  /* a question of ours waits for what proves the pair's domain, too */
    uint32_t fetched;     /* enum dna_domain: of whom it is there, and is kept for its time */
    uint32_t keyless;     /* the db:result that awaits a proof had no key */
    uint32_t spoken[2];   /* something was said of the pair; only where that is looked at */
    uint32_t queue;       /* a stanza of ours waits */
    uint32_t via;         /* it waits for this stream's pair */
    uint32_t opening;     /* it waits for this stream to become ready */
    uint32_t login;       /* a client's: how it logs in; the role's own numbers, as are the next */
    uint32_t association; /* what it told of the association */
    uint32_t status;      /* what it ends with */
    uint32_t quits;       /* its user has no more to say */
};

struct dna_scene {
    struct dna_stream_vars s;
    uint32_t v[DNA_SCENE_SLOTS][DNA_SCENE_VARS];
    struct dna_stage g;
};

struct dna_slot {
    const struct dna_machine *machine;
    enum dna_whom whom;
};

enum dna_act {
    DNA_ACT_QUIET,          /* nothing follows that the composition speaks of */
    DNA_ACT_RAISE,          /* an event: in the same pair's machine, or the stream's */
    DNA_ACT_RAISE_PAIRS,    /* an event: in the machine of each pair */
    DNA_ACT_RAISE_FROM,     /* an event: in the machine of the pair that the header names */
    DNA_ACT_REPEAT,         /* the event that is being dealt with, once more */
    DNA_ACT_SHOW,           /* shows as `shows` */
    DNA_ACT_FORGET_RESTART, /* a stream restart: variables, then a header is due */
    DNA_ACT_FORGET_TLS,     /* the same for STARTTLS */
    DNA_ACT_TLS,            /* a handshake is due */
    DNA_ACT_HOLD,
    DNA_ACT_RELEASE,
    DNA_ACT_DISCARD,
    DNA_ACT_DRAIN,
    DNA_ACT_MUTE,
    DNA_ACT_GONE,  /* TCP ends: all machines are told by STREAM_GONE */
    DNA_ACT_ASK,   /* a question goes to the pair's authority, unless its certificate answers it */
    DNA_ACT_UNASK, /* the question is forgotten */
    DNA_ACT_ARM,   /* the negotiation timer starts anew */
    DNA_ACT_WATCH, /* from now on idleness ends the stream */
    DNA_ACT_AWAIT, /* what proves the pair's domain is being fetched */
    DNA_ACT_ROLE   /* the role's own function, by number */
};

/* dna_wire is one consequence of one output; several of an output follow in their order.  An output
   that shows does so by its name before its consequences, unless one of them is DNA_ACT_SHOW. */
struct dna_wire {
    const struct dna_machine *machine;
    uint8_t out;
    enum dna_act act;
    const struct dna_machine *to;
    uint8_t on;
    const char *shows;
};

#define DNA_WIRE_TO(m, o, a, t, e) \
    { &dna_machine_##m, m##_O_##o, a, &dna_machine_##t, t##_E_##e, NULL }
#define DNA_WIRE_RAISE(m, o, t, e) DNA_WIRE_TO( m, o, DNA_ACT_RAISE, t, e )
#define DNA_WIRE_PAIRS(m, o, t, e) DNA_WIRE_TO( m, o, DNA_ACT_RAISE_PAIRS, t, e )
#define DNA_WIRE_FROM(m, o, t, e) DNA_WIRE_TO( m, o, DNA_ACT_RAISE_FROM, t, e )
#define DNA_WIRE_ACT(m, o, a) { &dna_machine_##m, m##_O_##o, DNA_ACT_##a, NULL, 0, NULL }
#define DNA_WIRE_SHOW(m, o, text) { &dna_machine_##m, m##_O_##o, DNA_ACT_SHOW, NULL, 0, text }

/* dna_send_kind says when a tester can send a symbol; at other times it changes nothing. */
enum dna_send_kind {
    DNA_SEND_HEADER,   /* a stream header, when one is due and input is read */
    DNA_SEND_ELEMENT,  /* inside the stream */
    DNA_SEND_STANZA,   /* likewise; looked at even when input is drained, as is a stream error */
    DNA_SEND_END,      /* the closing tag */
    DNA_SEND_BYTES,    /* anywhere but under a handshake; what comes behind is not read as XML */
    DNA_SEND_GONE,     /* the end of TCP, likewise */
    DNA_SEND_TLS,      /* a handshake, when one is due */
    DNA_SEND_ANSWER,   /* on the connection of the pair's authority, when it was asked */
    DNA_SEND_NO_ANSWER, /* likewise, but the question stays open */
    DNA_SEND_ANSWER_HERE, /* an answer on this very stream, when it was asked there */
    DNA_SEND_SETTLE,   /* what is being fetched arrives */
    DNA_SEND_EARLY,    /* an element or header at once, though input may not be read for now */
    DNA_SEND_LAPSE,    /* the time of what was fetched is over; no event, nobody notices at once */
    DNA_SEND_ASIDE,    /* on another connection of the same peer */
    DNA_SEND_TIMER,    /* waiting until a deadline */
    DNA_SEND_LOCAL     /* what a local account does, when nothing of it waits */
};

struct dna_symbol {
    const char *name, *text;
    enum dna_send_kind kind;
    const struct dna_machine *machine;
    uint8_t on;
    enum dna_whom whom;
    const void *facts;  /* of the machine: what the symbol alone decides; NULL: all 0 */
    enum dna_domain about; /* header: its 'from'; handshake: the certificate; auth: the identity */
    uint32_t mark;      /* role's own */
};

/* dna_scope is a part of a role's alphabet after a prefix; see unfold.h. */
struct dna_scope {
    const char *name, *text;
    const char *prefix;   /* symbols sent first, separated by ", "; each must be sendable */
    const char *alphabet; /* symbols, separated by ", " */
    const char *knobs;    /* name=value separated by ", "; NULL: the profile's */
    const char *needs;    /* a feature that a product must have for it to be played; NULL: none */
    uint32_t mark;        /* role's own */
    bool slow;            /* what proves a domain has to be fetched: its arrival is a symbol */
    bool lapses;          /* and runs out meanwhile: only a clock that is moved brings that about */
    bool timers;          /* waits for deadlines: not part of the claim at k = 0 */
};

struct dna_compose;

struct dna_role {
    const char *name, *text;
    const struct dna_slot *slots;
    size_t num_slots;
    const struct dna_wire *wires;
    size_t num_wires;
    const struct dna_symbol *symbols;
    size_t num_symbols;
    const struct dna_scope *scopes;
    size_t num_scopes;
    bool keeps; /* what was fetched is kept for its time, and what it says is known by then only */
    const struct dna_machine *stream; /* the machine that ends the stream; its slot is the first */
    void (*begin)(struct dna_compose *c); /* what happens before the first symbol; may be NULL */
    /* Completes the facts of an event by what the scene knows. */
    void (*facts)(const struct dna_compose *c, const struct dna_machine *machine,
                  enum dna_whom whom, uint32_t on, void *e);
    /* Says which instance the symbol reaches; NULL: the one it names. */
    enum dna_whom (*address)(struct dna_compose *c, const struct dna_symbol *symbol);
    /* Says whether a timer that is waited for runs at all; NULL: always. */
    bool (*runs)(const struct dna_compose *c, const struct dna_symbol *symbol);
    /* Does what a local account's stanza leads to; NULL: its event is raised. */
    void (*local)(struct dna_compose *c, const struct dna_symbol *symbol);
    /* Does what a wire of kind DNA_ACT_ROLE stands for; NULL: there is none. */
    void (*act)(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom);
    void (*after)(struct dna_compose *c); /* what comes once a symbol is dealt with; or NULL */
};

/* dna_compose_watch is told what happens inside: an event before it is dealt with (fx NULL), what
   was done (fx), and that variables are forgotten (machine NULL; on: 1 for STARTTLS). */
typedef void dna_compose_watch(void *ctx, const struct dna_machine *machine, enum dna_whom whom,
                               const struct dna_env *env, uint32_t on,
                               const struct dna_effects *fx);

/* dna_token is one thing that shows. */
struct dna_token {
    const char *text;    /* static */
    uint8_t whom;        /* enum dna_whom */
    bool elsewhere;
};

struct dna_compose {
    const struct dna_role *role;
    const struct dna_scope *scope;
    struct dna_knobs knobs;
    const struct dna_overlay *overlay;
    struct dna_scene *scene;        /* of the caller */
    const struct dna_symbol *symbol; /* being dealt with; NULL at the beginning */
    struct dna_token word[DNA_MAX_WORD];
    size_t num_tokens;
    size_t depth;
    bool runaway; /* an endless loop of events: only mutants have it */
    const struct dna_machine *last_machine; /* the event being dealt with, for DNA_ACT_REPEAT */
    dna_compose_watch *watch;
    bool exact; /* pairs that nobody spoke of are told nothing, as in impl/; else all are */
    void *watch_ctx;
};

/* dna_compose_begin sets the scene to the beginning (before the scope's prefix). */
void dna_compose_begin(struct dna_compose *c);

/* dna_compose_can says whether the tester can send the symbol now. */
bool dna_compose_can(const struct dna_compose *c, const struct dna_symbol *symbol);

/* dna_compose_send puts the symbol in; the word is then in c->word.  Returns false, with nothing
   changed and an empty word, if it cannot be sent now. */
bool dna_compose_send(struct dna_compose *c, const struct dna_symbol *symbol);

/* dna_compose_print writes the word, "nothing" if it is empty, cut to fit. */
void dna_compose_print(const struct dna_compose *c, char *out, size_t size);

/* For roles: raise an event, show a token, find an instance (NULL if the role has none). */
void dna_compose_raise(struct dna_compose *c, const struct dna_machine *machine,
                       enum dna_whom whom, uint32_t on);
void dna_compose_show(struct dna_compose *c, const char *text, enum dna_whom whom, bool elsewhere);
uint32_t *dna_compose_slot(const struct dna_compose *c, const struct dna_machine *machine,
                           enum dna_whom whom);

/* dna_roles lists the roles; it ends with NULL.  dna_role_find returns NULL if there is none. */
extern const struct dna_role *const dna_roles[];
const struct dna_role *dna_role_find(const char *name);

/* dna_symbol_find returns the symbol of that name (len bytes), or NULL. */
const struct dna_symbol *dna_symbol_find(const struct dna_role *role, const char *name, size_t len);

#endif
