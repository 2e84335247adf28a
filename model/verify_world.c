/* SPDX-License-Identifier: MIT */
/*
 * verify_world.c -- the world of the checker: names, keys, proofs, connections, and one step of a
 * table.
 */
#include "model/verify_internal.h"

#include "model/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct association) == 4 && sizeof(struct dialback_receiving) == 4 &&
                   sizeof(struct dialback_initiating) == 4 && sizeof(struct resolution) == 4 &&
                   sizeof(struct stream_receiving) == 4 && sizeof(struct stream_initiating) == 8 &&
                   sizeof(struct starttls_receiving) == 4 &&
                   sizeof(struct starttls_initiating) == 4 &&
                   sizeof(struct sasl_external_receiving) == 8 && sizeof(struct routing) == 4,
               "a machine has got a variable that struct vf_end must keep too");

const struct vf_slot_info dna_vf_slots[VF_SLOTS] = {
    [VF_R1] = { "R1", VF_SB, 0, 0, VF_NOBODY, VF_NOBODY, VF_NO_SLOT },
    [VF_R2] = { "R2", VF_SB, 0, 0, VF_NOBODY, VF_NOBODY, VF_NO_SLOT },
    [VF_RB] = { "RB", VF_SB, 0, 0, VF_NOBODY, VF_NOBODY, VF_IB },
    [VF_VA] = { "VA", VF_SB, 1, 0, VF_B, VF_A, VF_VR },
    [VF_VR] = { "VR", VF_SA, 0, 0, VF_NOBODY, VF_NOBODY, VF_VA },
    [VF_VM] = { "VM", VF_SB, 1, 0, VF_B, VF_M, VF_NO_SLOT },
    [VF_IB] = { "IB", VF_SA, 1, 1, VF_A, VF_B, VF_RB },
    [VF_IM] = { "IM", VF_SA, 1, 1, VF_A, VF_M, VF_NO_SLOT },
    [VF_ID] = { "ID", VF_SA, 1, 1, VF_A, VF_D, VF_NO_SLOT },
    [VF_BA] = { "BA", VF_SB, 1, 1, VF_B, VF_A, VF_BR },
    [VF_BR] = { "BR", VF_SA, 0, 0, VF_NOBODY, VF_NOBODY, VF_BA },
    [VF_AV] = { "AV", VF_SA, 1, 0, VF_A, VF_B, VF_AR },
    [VF_AR] = { "AR", VF_SB, 0, 0, VF_NOBODY, VF_NOBODY, VF_AV },
    [VF_VC] = { "VC", VF_SB, 1, 0, VF_B, VF_C, VF_VD },
    [VF_VD] = { "VD", VF_SA, 0, 0, VF_NOBODY, VF_NOBODY, VF_VC },
    [VF_Q] = { "Q", VF_SA, 0, 0, VF_NOBODY, VF_NOBODY, VF_NO_SLOT },
};
const char *const dna_vf_domain_name[VF_DOMAINS + 1] = { "a", "b", "m", "c", "d", "-" };
const char *const dna_vf_type_name[VF_TYPES] = {
    "?",
    "header",
    "features",
    "starttls",
    "proceed",
    "tls failure",
    "TLS hello",
    "TLS finished",
    "auth EXTERNAL",
    "success",
    "failure",
    "response",
    "bidi",
    "db:result key",
    "db:result",
    "db:verify key",
    "db:verify",
    "stanza",
    "stream error",
    "</stream>",
    "TCP ends",
    "abort",
    "unknown element",
};

enum { IDS = 11, MANY_STEPS = 400 };

static void set_knobs(struct dna_knobs *k, const char *text)
{
    char name[64];
    unsigned value;
    int used;
    *k = dna_knobs_default();
    while (sscanf(text, " %63[a-z_]=%u%n", name, &value, &used) == 2) {
        if (dna_knob_set(k, name, value)) {
            fprintf(stderr, "verify: no such knob or value: %s=%u\n", name, value);
            abort();
        }
        text += used;
    }
}

void dna_vf_init(struct vf *x, const struct vf_config *config, uint32_t bugs)
{
    memset(x, 0, sizeof *x);
    x->config = config;
    x->does = config->does | bugs;
    set_knobs(&x->k, config->knobs);
}

void dna_vf_load(const struct vf_end *end, struct dna_stream_vars *s)
{
#define STREAM_VAR(name, initial, max, restart, starttls, text) s->name = end->s[VF_S_##name];
#include "model/stream_vars.def"
#undef STREAM_VAR
}

void dna_vf_store(struct vf_end *end, const struct dna_stream_vars *s)
{
#define STREAM_VAR(name, initial, max, restart, starttls, text)                                    \
    end->s[VF_S_##name] = (uint8_t)(s->name > (max) ? (max) : s->name);
#include "model/stream_vars.def"
#undef STREAM_VAR
}

static uint8_t start_of(const struct dna_machine *m)
{
    uint32_t memory[DNA_MAX_FIELDS];
    dna_instance_init(m, memory);
    return (uint8_t)memory[0];
}

void dna_vf_end_init(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    struct dna_stream_vars s;
    bool initiating = dna_vf_slots[e].initiating;
    memset(end, 0, sizeof *end);
    memset(&x->w.in[e], 0, sizeof x->w.in[e]);
    end->flags = VF_LIVE;
    end->ours = dna_vf_slots[e].ours;
    end->theirs = dna_vf_slots[e].theirs;
    end->gours = end->gtheirs = VF_NOBODY;
    dna_stream_vars_init(&s);
    dna_vf_store(end, &s);
    end->m = start_of(initiating ? &dna_machine_stream_initiating : &dna_machine_stream_receiving);
    end->tls =
        start_of(initiating ? &dna_machine_starttls_initiating : &dna_machine_starttls_receiving);
    end->sasl = start_of(initiating ? &dna_machine_sasl_external_initiating
                                    : &dna_machine_sasl_external_receiving);
    end->re = start_of(&dna_machine_resolution);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        end->pair[i].as = start_of(&dna_machine_association);
        end->pair[i].dr = start_of(&dna_machine_dialback_receiving);
        end->pair[i].di = start_of(&dna_machine_dialback_initiating);
    }
    if (!initiating) {
        end->flags |= VF_HEADER_DUE | VF_CONNECTED;
    }
}

unsigned dna_vf_owner(const struct vf *x, unsigned domain)
{
    static const uint8_t owner[VF_DOMAINS + 1] = { VF_SA, VF_SB, VF_SM, VF_SA, VF_SB, VF_SM };
    return domain == VF_C && (x->does & VF_TWO_NAMES) ? VF_SM : owner[domain];
}

bool dna_vf_hosts(const struct vf *x, unsigned e, unsigned domain)
{
    return domain < VF_DOMAINS && dna_vf_owner(x, domain) == dna_vf_slots[e].server;
}

unsigned dna_vf_resolve(const struct vf *x, unsigned server, unsigned domain)
{
    if ((server == VF_SA && domain == VF_B && (x->does & VF_SPOOF_A)) ||
        (server == VF_SB && domain == VF_A && (x->does & VF_SPOOF_B))) {
        return VF_SM;
    }
    return domain == VF_D && (x->does & VF_D_ELSEWHERE) ? VF_SM + 1 : dna_vf_owner(x, domain);
}

unsigned dna_vf_far_server(const struct vf *x, unsigned e)
{
    const struct vf_slot_info *slot = &dna_vf_slots[e];
    if (slot->initiating) {
        return dna_vf_resolve(x, slot->server, slot->theirs);
    }
    return slot->peer == VF_NO_SLOT ? VF_SM : dna_vf_slots[slot->peer].server;
}

bool dna_vf_far_is_m(const struct vf *x, unsigned e)
{
    return dna_vf_far_server(x, e) == VF_SM;
}

/* --- proofs: symbolic facts, weighed by proof.def --- */

static bool is_ms(const struct vf *x, unsigned domain)
{
    return (x->does & VF_CERT_OF_M) &&
           (domain == VF_M || (domain == VF_C && (x->does & VF_TWO_NAMES)));
}

bool dna_vf_truly_proved(const struct vf *x, unsigned e, unsigned domain, bool *refuted)
{
    unsigned cert = x->w.end[e].cert, far = dna_vf_far_server(x, e);
    bool proved = false;
    if (cert == VF_CERT_M) {
        proved = is_ms(x, domain);
    } else if (cert == VF_CERT_HONEST && domain < VF_DOMAINS) {
        proved = dna_vf_owner(x, domain) == far &&
                 (x->does & (far == VF_SA ? VF_CERT_A : VF_CERT_B)) &&
                 (domain == VF_A || domain == VF_B || (x->does & VF_D_COVERED));
    }
    *refuted = cert != VF_CERT_NONE && !proved &&
               ((domain == VF_A && (x->does & VF_REFUTES_A)) ||
                (domain == VF_B && (x->does & VF_REFUTES_B)) ||
                (domain == VF_D && (x->does & VF_REFUTES_D)));
    return proved;
}

bool dna_vf_shown(const struct vf *x, unsigned e, unsigned domain)
{
    unsigned cert = x->w.end[e].cert;
    return domain < VF_DOMAINS && cert != VF_CERT_NONE && cert != VF_CERT_RESUMED;
}

static bool awaited(const struct vf *x, unsigned e, unsigned domain)
{
    return (x->does & VF_SLOW) && !(x->w.end[e].settled & 1u << domain);
}

bool dna_vf_seek(struct vf *x, unsigned e, unsigned domain)
{
    if (x->w.end[e].cert == VF_CERT_NONE || domain >= VF_DOMAINS) {
        return false;
    }
    x->w.end[e].sought |= (uint8_t)(1u << domain);
    return awaited(x, e, domain);
}

bool dna_vf_unsought(const struct vf *x, unsigned e, unsigned domain)
{
    return x->w.end[e].cert != VF_CERT_NONE && domain < VF_DOMAINS &&
           (!(x->w.end[e].sought & 1u << domain) || awaited(x, e, domain));
}

bool dna_vf_is_dialled(const struct vf *x, unsigned e, unsigned domain)
{
    return dna_vf_slots[e].initiating && x->w.end[e].theirs == domain;
}

bool dna_vf_validating(const struct vf *x)
{
    return (x->does & (VF_REFUTES_A | VF_REFUTES_B | VF_REFUTES_D)) != 0;
}

enum dna_vf_verdict dna_vf_weigh(struct vf *x, unsigned e, unsigned domain)
{
    static const enum dna_vf_verdict by_out[proof_O_MAX] = { [proof_O_report_pending] = VF_PENDING,
                                                             [proof_O_report_proved] = VF_PROVED,
                                                             [proof_O_report_refuted] =
                                                                 VF_REFUTED };
    const struct vf_end *end = &x->w.end[e];
    uint8_t state = start_of(&dna_machine_proof);
    struct dna_effects fx;
    struct vf_look l = { .unused = 0 };
    bool refuted;
    if (end->cert == VF_CERT_NONE || domain >= VF_DOMAINS) {
        return VF_UNPROVED; /* what a peer claims in clear is nobody's claim */
    }
    if (!(end->sought & 1u << domain)) {
        return VF_PENDING; /* nobody has sought it yet */
    }
    l.proved = dna_vf_truly_proved(x, e, domain, &refuted);
    /* planted: what the certificate of the session proved counts */
    bool proved = l.proved || (end->cert == VF_CERT_RESUMED && (x->does & VF_BUGGY_RESUMED) &&
                               is_ms(x, domain));
    struct proof_facts facts = { .pending = awaited(x, e, domain),
                                 .held = proved,
                                 .refuted = refuted };
    dna_vf_step1(x, e, &dna_machine_proof, &state, proof_E_WEIGH, &facts, &fx);
    enum dna_vf_verdict v = fx.num_outs ? by_out[fx.outs[0]] : VF_UNPROVED;
    if (v == VF_PROVED) {
        dna_vf_observe(x, VF_W_PROVE, &l);
    }
    return v;
}

bool dna_vf_proves(struct vf *x, unsigned e, unsigned domain)
{
    return dna_vf_weigh(x, e, domain) == VF_PROVED;
}

/* --- keys: K(our domain, their domain, stream id) --- */

int dna_vf_place(const struct vf *x, unsigned server, unsigned ours, unsigned theirs)
{
    for (int i = 0; i < VF_PAIRS; i++) {
        const struct vf_place *p = &x->config->places[server][i];
        if (p->ours == ours && p->theirs == theirs) {
            return i;
        }
    }
    return -1;
}

uint8_t dna_vf_key(const struct vf *x, unsigned e, unsigned ours, unsigned theirs, unsigned id)
{
    unsigned server = dna_vf_slots[e].server;
    int place = dna_vf_place(x, server, ours, theirs);
    return place < 0 ? 0 : (uint8_t)(1 + (server * VF_PAIRS + (unsigned)place) * IDS + id);
}

/* from asks whether to made this key; exactly: without the planted bugs. */
bool dna_vf_key_right(const struct vf *x, unsigned e, unsigned from, unsigned to, unsigned id,
                      unsigned key, bool exactly)
{
    uint32_t does = exactly ? 0 : x->does;
    if (!key) {
        return false;
    }
    unsigned pair = (key - 1) / IDS, key_id = (key - 1) % IDS;
    const struct vf_place *p = &x->config->places[pair / VF_PAIRS][pair % VF_PAIRS];
    return pair / VF_PAIRS == dna_vf_slots[e].server &&
           (p->ours == to || (does & VF_BUGGY_SENDER)) &&
           (p->theirs == from || (does & VF_BUGGY_TARGET)) &&
           (key_id == id || (does & VF_BUGGY_ID));
}

/* --- what crosses a connection --- */

static void learn(struct vf_world *w, const struct vf_msg *m)
{
    if ((m->type == VF_T_KEY || m->type == VF_T_ASK) && m->key) {
        w->keys[(m->key - 1) / 8] |= (uint8_t)(1u << (m->key - 1) % 8);
    }
}

void dna_vf_send(struct vf *x, unsigned e, struct vf_msg m)
{
    unsigned peer = dna_vf_slots[e].peer;
    struct vf_end *end = &x->w.end[e];
    if ((end->flags & VF_CLOSING) && m.type != VF_T_GONE) {
        return; /* nothing follows the closing tag */
    }
    if (!(end->flags & VF_CONNECTED)) {
        return;
    }
    if (x->say) {
        dna_vf_print_msg(x, e, true, &m, x->say);
    }
    if (x->saw) {
        x->saw(x->saw_arg, e, true, &m);
    }
    if (dna_vf_far_is_m(x, e)) {
        learn(&x->w, &m);
    } else if (peer != VF_NO_SLOT &&
               (x->w.end[peer].flags & (VF_LIVE | VF_CONNECTED)) == (VF_LIVE | VF_CONNECTED)) {
        struct vf_queue *q = &x->w.in[peer];
        if (q->num == VF_QUEUE) {
            x->overflow = true;
            return;
        }
        q->at[q->num++] = m;
    }
}

/* --- one step of a table --- */

size_t dna_vf_row_number(const struct dna_machine *machine, size_t row)
{
    size_t number = row;
    for (const struct dna_machine *const *m = dna_machines; *m && *m != machine; m++) {
        number += (*m)->num_rows;
    }
    return number;
}

size_t dna_vf_num_rows(void)
{
    return dna_vf_row_number(NULL, 0);
}

static bool is_dead(const struct dna_machine *m, uint32_t state, uint32_t on)
{
    size_t first = dna_row_next(m, state, on, 0);
    return first < m->num_rows && m->rows[first].kind == DNA_DEAD;
}

bool dna_vf_interpreted(const struct dna_machine *machine, uint32_t *vars, uint32_t on,
                        const void *facts, struct dna_stream_vars *s, const struct dna_knobs *k,
                        struct dna_effects *fx)
{
    if (is_dead(machine, vars[0], on)) {
        dna_effects_begin(fx, machine, vars[0], on);
        return false;
    }
    dna_interp_step(machine, vars, on, facts, s, k, fx);
    return true;
}

void dna_vf_step(struct vf *x, unsigned e, const struct dna_machine *machine, uint32_t *vars,
                 uint32_t on, const void *facts, struct dna_effects *fx)
{
    struct dna_stream_vars s;
    dna_vf_load(&x->w.end[e], &s);
    if (++x->steps > MANY_STEPS) {
        struct vf_look look = { 0 };
        dna_effects_begin(fx, machine, vars[0], on);
        dna_vf_observe(x, VF_W_ENDLESS, &look);
        return;
    }
    dna_vf_tables *tables = x->tables ? x->tables : dna_vf_interpreted;
    if (!tables(machine, vars, on, facts, &s, &x->k, fx)) {
        struct vf_look look = { 0 };
        if (x->say) {
            fprintf(x->say, "        %s %s meets the dead cell %s %s\n", dna_vf_slots[e].name,
                    machine->name, machine->states[vars[0]].name, machine->events[on].name);
        }
        dna_vf_observe(x, VF_W_DEAD, &look);
        return;
    }
    dna_vf_store(&x->w.end[e], &s);
    if (fx->row != DNA_NO_ROW && x->fired) {
        x->fired[dna_vf_row_number(machine, fx->row)] = 1;
    }
    if (fx->row != DNA_NO_ROW && x->say && x->rows && machine != &dna_machine_proof) {
        fprintf(x->say, "        %-2s %s: %s > %s\n", dna_vf_slots[e].name,
                machine->rows[fx->row].id, machine->events[on].name, machine->states[fx->to].name);
    }
}

void dna_vf_step1(struct vf *x, unsigned e, const struct dna_machine *machine, uint8_t *state,
                  uint32_t on, const void *facts, struct dna_effects *fx)
{
    uint32_t vars[DNA_MAX_FIELDS] = { *state };
    dna_vf_step(x, e, machine, vars, on, facts, fx);
    *state = (uint8_t)vars[0];
}
