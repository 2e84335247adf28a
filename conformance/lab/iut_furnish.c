/* SPDX-License-Identifier: MIT */
/*
 * What an IUT finds when it starts: certificates of its domains, rendered configuration, its
 * names in the DNS, its environment. Strings are the dna_iut's pool's.
 */
#include "conformance/lab/iut_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/lab/command.h"
#include "conformance/lab/ns.h"

static void set_value(struct dna_pool *pool, struct dna_pairs *pairs, const char *key,
                      const char *value)
{
    pairs->at = dna_xrealloc(pairs->at, (pairs->num + 1) * sizeof *pairs->at);
    pairs->at[pairs->num++] = (struct dna_pair){ dna_pool_strdup(pool, key),
                                                 dna_pool_strdup(pool, value) };
}

/* percent encodes a name as a file name: what is neither letter nor digit becomes %xx. */
static char *percent(struct dna_pool *pool, const char *text)
{
    char *out = dna_pool_alloc(pool, 3 * strlen(text) + 1), *at = out;

    for (; *text; text++) {
        if (isalnum((unsigned char)*text))
            *at++ = *text;
        else
            at += snprintf(at, 4, "%%%02x", (unsigned)(unsigned char)*text);
    }
    return out;
}

/* make_dirs makes the directories above a file. */
static int make_dirs(const char *path, struct dna_pool *pool, struct dna_diag *diag)
{
    char *dir = dna_pool_strdup(pool, path);

    for (char *at = dir + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        if (mkdir(dir, 0755) && errno != EEXIST)
            return dna_diag_set(diag, DNA_CLASS_HARD, "cannot make %s: %s", dir, strerror(errno));
        *at = '/';
    }
    return 0;
}

static int write_file(struct dna_iut *iut, const char *path, const struct dna_buf *text,
                      struct dna_diag *diag)
{
    FILE *file;
    bool ok;

    if (make_dirs(path, iut->pool, diag))
        return -1;
    file = fopen(path, "we");
    if (!file)
        return dna_diag_set(diag, DNA_CLASS_HARD, "cannot write %s: %s", path, strerror(errno));
    ok = fwrite(text->at, 1, text->len, file) == text->len;
    if (fclose(file) || !ok)
        return dna_diag_set(diag, DNA_CLASS_HARD, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static char *number(struct dna_pool *pool, unsigned value)
{
    return dna_pool_printf(pool, "%u", value);
}

/* a variant's own placeholders, whose values may hold those of the lab */
static int set_settings(struct dna_iut *iut, struct dna_diag *diag)
{
    const struct dna_pairs *settings = &iut->variant->settings;

    for (size_t i = 0; i < settings->num; i++) {
        struct dna_scope scope = { NULL, &iut->values };
        struct dna_render render = { .source = settings->at[i].key };
        struct dna_buf value = { 0 };
        int result = dna_render(&render, settings->at[i].value, &scope, &value, diag);

        if (!result)
            set_value(iut->pool, &iut->values, settings->at[i].key, value.at ? value.at : "");
        dna_buf_free(&value);
        if (result)
            return -1;
    }
    return 0;
}

/* name_values gives the placeholders that hold for the whole IUT their values. */
static int name_values(struct dna_iut *iut, struct dna_diag *diag)
{
    const struct dna_variant *v = iut->variant;
    const struct dna_iut_options *o = &iut->options;
    struct dna_pool *pool = iut->pool;
    const char *server = o->server ? command_given(pool, o->server)
                         : iut->profile->server
                             ? command_program(pool, iut->profile->server, iut->profile->root)
                             : "";
    const struct {
        const char *key, *value;
    } fixed[] = {
        { "run", iut->run_dir },
        { "server", server },
        { "profile", iut->profile->dir },
        { "root", iut->profile->root },
        { "variant", v->name },
        { "iut", v->hosted[0] },
        { "iut2", v->hosted[1] },
        { "iut3", v->hosted[2] },
        { "unhosted", v->unhosted },
        { "address", v->address },
        { "c2s_port", number(pool, v->c2s_port) },
        { "s2s_port", number(pool, v->s2s_port) },
        { "ca_dir", o->store_dir },
        { "ca_file", dna_pool_printf(pool, "%s/ca.crt", o->store_dir) },
        { "crl_file", dna_pool_printf(pool, "%s/ca.crl", o->store_dir) },
        { "outdated_crl_file", dna_pool_printf(pool, "%s/outdated.crl", o->store_dir) },
        { "trust_anchor", dna_dns_anchor(o->dns) },
        { "trust_anchor_file", dna_pool_printf(pool, "%s/trust-anchor", iut->run_dir) },
        { "resolver", o->resolver ? o->resolver : DNA_LAB_RESOLVER },
        { "resolver_port", number(pool, o->resolver_port ? o->resolver_port : 53u) },
    };

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        set_value(pool, &iut->values, fixed[i].key, fixed[i].value);
    return set_settings(iut, diag);
}

static int write_anchor(struct dna_iut *iut, struct dna_diag *diag)
{
    struct dna_buf text = { 0 };
    int result;

    dna_buf_printf(&text, "%s\n", dna_dns_anchor(iut->options.dns));
    result = write_file(iut, dna_pool_printf(iut->pool, "%s/trust-anchor", iut->run_dir), &text,
                        diag);
    dna_buf_free(&text);
    return result;
}

static int each_knob(struct dna_iut *iut, const struct dna_scope *scope, dna_each_body_fn body,
                     void *arg)
{
    for (size_t i = 0; i < iut->variant->knobs.num; i++) {
        struct dna_pair pairs[] = { { (char *)"knob", iut->variant->knobs.at[i].key },
                                    { (char *)"value", iut->variant->knobs.at[i].value } };
        struct dna_pairs list = { 2, pairs };
        struct dna_scope inner = { scope, &list };

        if (body(&inner, arg))
            return -1;
    }
    return 0;
}

static int each_domain(struct dna_iut *iut, const struct dna_scope *scope, dna_each_body_fn body,
                       void *arg)
{
    for (size_t i = 0; i < DNA_NUM_HOSTED; i++) {
        const char *name = iut->variant->hosted[i];
        /* The third domain is named in the first one's certificate. */
        const char *file = iut->variant->hosted[i == 2 ? 0 : i];
        struct dna_pair pairs[] = {
            { (char *)"domain", iut->variant->hosted[i] },
            { (char *)"domain_enc", percent(iut->pool, name) },
            { (char *)"cert", dna_pool_printf(iut->pool, "%s/certs/%s.crt", iut->run_dir, file) },
            { (char *)"key", dna_pool_printf(iut->pool, "%s/certs/%s.key", iut->run_dir, file) },
        };
        struct dna_pairs list = { 4, pairs };
        struct dna_scope inner = { scope, &list };

        if (body(&inner, arg))
            return -1;
    }
    return 0;
}

/* account_body carries what each_account asks for through each_domain. */
struct account_body {
    struct dna_iut *iut;
    dna_each_body_fn body;
    void *arg;
};

static int accounts_of_domain(const struct dna_scope *scope, void *arg)
{
    struct account_body *b = arg;
    const struct dna_pairs *accounts = &b->iut->profile->accounts;

    for (size_t i = 0; i < accounts->num; i++) {
        struct dna_pair pairs[] = { { (char *)"user", accounts->at[i].key },
                                    { (char *)"password", accounts->at[i].value } };
        struct dna_pairs list = { 2, pairs };
        struct dna_scope inner = { scope, &list };

        if (b->body(&inner, b->arg))
            return -1;
    }
    return 0;
}

static int each(const char *kind, const struct dna_scope *scope, dna_each_body_fn body,
                void *body_arg, void *arg)
{
    struct account_body accounts = { arg, body, body_arg };

    if (strcmp(kind, "knob") == 0)
        return each_knob(arg, scope, body, body_arg);
    if (strcmp(kind, "domain") == 0)
        return each_domain(arg, scope, body, body_arg);
    if (strcmp(kind, "account") != 0)
        return -1;
    /* Within a domain, its accounts; elsewhere, those of each domain. */
    if (dna_scope_get(scope, "domain"))
        return accounts_of_domain(scope, &accounts);
    return each_domain(arg, scope, accounts_of_domain, &accounts);
}

/* template_body carries one template to be written. */
struct template_body {
    struct dna_iut *iut;
    const struct dna_template *template;
    const char *text;
    struct dna_diag *diag;
};

static int write_template(const struct dna_scope *scope, void *arg)
{
    struct template_body *b = arg;
    struct dna_render render = { b->template->source, each, b->iut };
    struct dna_buf path = { 0 }, text = { 0 };
    int result = -1;

    dna_buf_printf(&path, "%s/", b->iut->run_dir);
    if (dna_render(&render, b->template->path, scope, &path, b->diag) == 0 &&
        dna_render(&render, b->text, scope, &text, b->diag) == 0)
        result = write_file(b->iut, path.at, &text, b->diag);
    dna_buf_free(&path);
    dna_buf_free(&text);
    return result;
}

static int write_templates(struct dna_iut *iut, struct dna_diag *diag)
{
    struct dna_scope scope = { NULL, &iut->values };

    for (size_t i = 0; i < iut->profile->num_templates; i++) {
        const struct dna_template *t = &iut->profile->templates[i];
        struct dna_buf text = { 0 };
        struct template_body body = { iut, t, NULL, diag };
        int result = dna_read_file(t->source, &text, diag);

        body.text = text.at;
        if (!result)
            result = t->per_account ? each("account", &scope, write_template, &body, iut)
                                    : write_template(&scope, &body);
        dna_buf_free(&text);
        if (result)
            return -1;
    }
    return 0;
}

static void name_domain(struct dna_cert_spec *spec, const char *domain)
{
    snprintf(spec->dns.at[spec->dns.num++], DNA_CERT_NAME_LEN, "%s", domain);
    snprintf(spec->srv.at[spec->srv.num++], DNA_CERT_NAME_LEN, "_xmpp-server.%s", domain);
    snprintf(spec->srv.at[spec->srv.num++], DNA_CERT_NAME_LEN, "_xmpp-client.%s", domain);
}

static int write_certs(struct dna_iut *iut, struct dna_diag *diag)
{
    char *const *hosted = iut->variant->hosted;

    for (size_t i = 0; i < 2; i++) {
        const char *base = dna_pool_printf(iut->pool, "%s/certs/%s", iut->run_dir, hosted[i]);
        const char *cert = dna_pool_printf(iut->pool, "%s.crt", base);
        struct dna_cert_spec spec;

        dna_cert_spec_init(&spec);
        name_domain(&spec, hosted[i]);
        if (i == 0)
            name_domain(&spec, hosted[2]);
        iut->certs[i] = dna_ca_mint(iut->options.ca, &spec, NULL, NULL, diag);
        if (!iut->certs[i] || make_dirs(cert, iut->pool, diag) ||
            dna_cert_write(iut->certs[i], cert, dna_pool_printf(iut->pool, "%s.key", base), diag))
            return -1;
    }
    iut->certs[2] = dna_cert_ref(iut->certs[0]);
    return 0;
}

static int add_service(struct dna_iut *iut, const char *service, const char *domain, uint16_t port,
                       struct dna_diag *diag)
{
    if (port == 0)
        return 0;
    return dna_dns_replace(iut->options.dns,
                           dna_pool_printf(iut->pool, "_%s._tcp.%s", service, domain),
                           dna_pool_printf(iut->pool, "SRV 0 0 %u %s", port, domain), diag);
}

static int add_names(struct dna_iut *iut, struct dna_diag *diag)
{
    const struct dna_variant *v = iut->variant;

    for (size_t i = 0; i < DNA_NUM_HOSTED; i++) {
        if (dna_dns_replace(iut->options.dns, v->hosted[i],
                            dna_pool_printf(iut->pool, "A %s", v->address), diag) ||
            add_service(iut, "xmpp-server", v->hosted[i], v->s2s_port, diag) ||
            add_service(iut, "xmpp-client", v->hosted[i], v->c2s_port, diag))
            return -1;
    }
    return 0;
}

int iut_furnish(struct dna_iut *iut, struct dna_diag *diag)
{
    iut->run_dir = dna_pool_printf(iut->pool, "%s/%s-%s", iut->options.dir, iut->profile->name,
                                   iut->variant->name);
    iut->log_path = dna_pool_printf(iut->pool, "%s/log", iut->run_dir);
    if (make_dirs(iut->log_path, iut->pool, diag))
        return -1;
    iut->clock_path = dna_pool_printf(iut->pool, "%s/clock", iut->run_dir);
    if (name_values(iut, diag) || write_anchor(iut, diag) || write_certs(iut, diag) ||
        write_templates(iut, diag))
        return -1;
    return add_names(iut, diag);
}

/* line_body carries one command line to be rendered. */
struct line_body {
    struct dna_iut *iut;
    const char *line;
    struct dna_diag *diag;
};

static int add_line(const struct dna_scope *scope, void *arg)
{
    struct line_body *b = arg;
    struct dna_render render = { .source = "command" };
    struct dna_buf line = { 0 };
    int result = dna_render(&render, b->line, scope, &line, b->diag);

    if (!result)
        words_push(&b->iut->commands, dna_pool_strdup(b->iut->pool, line.at));
    dna_buf_free(&line);
    return result;
}

int iut_command_lines(struct dna_iut *iut, struct dna_diag *diag)
{
    const struct dna_profile *p = iut->profile;
    struct dna_scope scope = { NULL, &iut->values };
    struct line_body body = { iut, NULL, diag };

    for (size_t i = 0; i < p->prepare.num; i++) {
        body.line = p->prepare.at[i];
        if (add_line(&scope, &body))
            return -1;
    }
    for (size_t i = 0; i < p->prepare_account.num; i++) {
        body.line = p->prepare_account.at[i];
        if (each("account", &scope, add_line, &body, iut))
            return -1;
    }
    body.line = p->start;
    return add_line(&scope, &body);
}

int iut_environment(struct dna_iut *iut, struct dna_words *out, struct dna_diag *diag)
{
    /* What a sanitized or preloaded build needs is handed through; nothing else of ours is. */
    static const char *const passed[] = { "PATH",         "LD_LIBRARY_PATH", "ASAN_OPTIONS",
                                          "UBSAN_OPTIONS", "LSAN_OPTIONS",    "TSAN_OPTIONS" };
    struct dna_scope scope = { NULL, &iut->values };
    struct dna_render render = { .source = "env" };

    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        const char *value = getenv(passed[i]);

        if (value)
            words_push(out, dna_pool_printf(iut->pool, "%s=%s", passed[i], value));
    }
    words_push(out, dna_pool_strdup(iut->pool, "LANG=C.UTF-8"));
    words_push(out, dna_pool_printf(iut->pool, "HOME=%s", iut->run_dir));
    words_push(out, dna_pool_printf(iut->pool, "TMPDIR=%s", iut->run_dir));
    for (size_t i = 0; i < iut->profile->env.num; i++) {
        const struct dna_pair *pair = &iut->profile->env.at[i];
        struct dna_buf text = { 0 };

        dna_buf_printf(&text, "%s=", pair->key);
        if (dna_render(&render, pair->value, &scope, &text, diag)) {
            dna_buf_free(&text);
            return -1;
        }
        words_push(out, dna_pool_strdup(iut->pool, text.at));
        dna_buf_free(&text);
    }
    return iut_clock_environment(iut, out, diag);
}
