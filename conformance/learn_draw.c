/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What `xdna learn` says and writes: the machine as DOT, drawn by graphviz where
 * it is installed; the differences, each with its rows and its scenario.
 */
#include "conformance/learn_run.h"

#include "conformance/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void dna_learn_print_word(const struct dna_learning *g, const struct dna_query *q,
                          struct dna_buf *out)
{
    for (size_t i = 0; i < q->len; i++)
        dna_buf_printf(out, "%s%s", i ? ", " : "", g->seer.inputs[q->in[i]]->name);
}

/* Steps right before that showed nothing belong to it: what they did wrong shows in it. */
static size_t first_step(const struct dna_learning *g, const struct dna_query *word)
{
    uint32_t nothing = UINT32_MAX, state = g->ours.start;
    size_t first = 0;

    for (size_t i = 0; i < g->words.num; i++)
        nothing = strcmp(g->words.at[i], "nothing") == 0 ? (uint32_t)i : nothing;
    for (size_t i = 0; i + 1 < word->len; i++) {
        uint32_t out = dna_mealy_out(&g->ours, state, word->in[i]);

        first = out == nothing || out == DNA_CANNOT ? first : i + 1;
        state = dna_mealy_next(&g->ours, state, word->in[i]);
    }
    return first;
}

static void put_rows(const struct dna_learning *g, const struct dna_query *word,
                     struct dna_buf *out)
{
    struct dna_fired fired[DNA_MAX_FIRED];
    size_t num = dna_seer_replay(&g->seer, word, fired), first = first_step(g, word);

    for (size_t i = 0; i < num; i++)
        if (fired[i].step >= first)
            dna_buf_printf(out, "%s%s", out->len ? " " : "", fired[i].row->id);
}

/* Where no barrier was answered, those of the barrier, too. */
const char *dna_learn_rows(struct dna_learning *g, const struct dna_difference *d)
{
    struct dna_buf out = { 0 };
    struct dna_query barred = d->witness;
    const char *done;

    put_rows(g, &d->witness, &out);
    for (uint32_t i = 0; i < g->seer.num_inputs && barred.len < DNA_WORD_MAX; i++) {
        if (strstr(g->words.at[d->theirs], "no_answer_to_a_barrier") &&
            strcmp(g->seer.inputs[i]->name, "verify") == 0) {
            barred.in[barred.len++] = i;
            put_rows(g, &barred, &out);
        }
    }
    done = dna_pool_strdup(g->pool, out.len ? out.at : "none");
    dna_buf_free(&out);
    return done;
}

/* ---- the machine ---- */

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* One edge for all inputs that lead from one state to another, a line for each output. */
static void put_edge(const struct dna_learning *g, const struct dna_mealy *m, uint32_t from,
                     uint32_t to, FILE *out)
{
    bool begun = false;

    for (size_t x = 0; x < m->num_inputs; x++) {
        uint32_t word = dna_mealy_out(m, from, x);
        bool first = word != DNA_CANNOT && dna_mealy_next(m, from, x) == to;

        for (size_t y = 0; y < x && first; y++)
            first = dna_mealy_next(m, from, y) != to || dna_mealy_out(m, from, y) != word;
        if (!first)
            continue;
        fprintf(out, begun ? "\\l" : "  s%u -> s%u [label=\"", from, to);
        begun = true;
        for (size_t y = x; y < m->num_inputs; y++) {
            if (dna_mealy_next(m, from, y) == to && dna_mealy_out(m, from, y) == word) {
                fputs(y == x ? "" : ", ", out);
                put_escaped(out, g->seer.inputs[y]->name);
            }
        }
        fputs(" / ", out);
        put_escaped(out, g->words.at[word]);
    }
    if (begun)
        fputs("\\l\"];\n", out);
}

/* A shortest way to each state, which its circle tells when it is pointed at. */
static char **ways(struct dna_learning *g, const struct dna_mealy *m)
{
    char **way = dna_pool_alloc(g->pool, m->num_states * sizeof(*way));
    uint32_t *queue = dna_pool_alloc(g->pool, m->num_states * sizeof(*queue));
    size_t num = 1;

    way[m->start] = dna_pool_strdup(g->pool, "");
    queue[0] = m->start;
    for (size_t i = 0; i < num; i++) {
        for (size_t x = 0; x < m->num_inputs; x++) {
            uint32_t to = dna_mealy_next(m, queue[i], x);

            if (way[to])
                continue;
            way[to] = dna_pool_printf(g->pool, "%s%s%s", way[queue[i]], *way[queue[i]] ? ", " : "",
                                      g->seer.inputs[x]->name);
            queue[num++] = to;
        }
    }
    return way;
}

static bool write_dot(struct dna_learning *g, const struct dna_mealy *machine,
                      const char *title, const char *path)
{
    struct dna_mealy m;
    FILE *out = fopen(path, "w");
    char **way;

    if (!out || dna_mealy_minimise(machine, &m, NULL) != 0)
        return false;
    way = ways(g, &m);
    fprintf(
        out,
        "// Generated by xdna learn.\ndigraph learned {\n  label=\"%s: %zu states, %zu symbols\";\n"
        "  node [shape=circle, fontname=Helvetica];\n  edge [fontname=Helvetica, fontsize=9];\n",
        title, m.num_states, m.num_inputs);
    for (uint32_t s = 0; s < m.num_states; s++)
        fprintf(out, "  s%u [label=\"%u\", tooltip=\"%s\"%s];\n", s, s, way[s],
                m.closed[s] ? ", shape=doublecircle"
                : s         ? ""
                            : ", penwidth=3");
    for (uint32_t s = 0; s < m.num_states; s++)
        for (uint32_t to = 0; to < m.num_states; to++)
            put_edge(g, &m, s, to, out);
    fputs("}\n", out);
    dna_guess_free(&m);
    return fclose(out) == 0;
}

/* False where graphviz is not installed. */
static bool draw(const char *dot, const char *svg)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        execlp("dot", "dot", "-Tsvg", "-o", svg, dot, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool write_machines(struct dna_learning *g)
{
    const struct {
        const char *name, *title;
        const struct dna_mealy *machine;
    } all[] = { { "learned", g->profile->title, &g->learned },
                { "tables", "the tables", &g->ours } };

    for (size_t i = 0; i < 2; i++) {
        char *dot = dna_pool_printf(g->pool, "%s/%s.dot", g->dir, all[i].name);
        char *svg = dna_pool_printf(g->pool, "%s/%s.svg", g->dir, all[i].name);

        if (!write_dot(g, all[i].machine, all[i].title, dot)) {
            fprintf(stderr, "xdna learn: cannot write %s\n", dot);
            return false;
        }
        if (draw(dot, svg))
            printf("%s, %s\n", dot, svg);
        else
            printf("%s (no SVG: graphviz, whose program is dot, is not installed)\n", dot);
    }
    return true;
}

/* ---- the differences ---- */

/* The other side of the line grants what the tables do not. */
static bool grants(const struct dna_learning *g, const struct dna_difference *d)
{
    static const char *const tokens[] = { "deliver", "send_valid", "send_success" };

    for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
        if (strstr(g->words.at[d->theirs], tokens[i]) && !strstr(g->words.at[d->ours], tokens[i]))
            return true;
    return false;
}

static void put_difference(struct dna_learning *g, const struct dna_difference *d,
                           const char *scenario, FILE *out)
{
    struct dna_buf word = { 0 };

    dna_learn_print_word(g, &d->witness, &word);
    fprintf(out, "%s%s: %s\n  tables:  %s\n  learned: %s\n  rows:    %s\n",
            dna_difference_name(d->kind), grants(g, d) ? ", grants what the tables do not" : "",
            word.at, g->words.at[d->ours], g->words.at[d->theirs], dna_learn_rows(g, d));
    if (d->behind || d->times > 1)
        fprintf(out, "  in %zu situations; %zu other differences on the way\n", d->times,
                d->behind);
    if (scenario)
        fprintf(out, "  %s\n", scenario);
    dna_buf_free(&word);
}

/* Each witness once more: what contradicts is found by the tree. */
static bool witnesses_stay(struct dna_learning *g, size_t num)
{
    struct dna_query *words = dna_xcalloc(num + 1, sizeof(*words));
    bool ok;

    for (size_t i = 0; i < num; i++)
        words[i] = g->differences[i].witness;
    ok = dna_learn_play(g, words, num, true);
    free(words);
    return ok;
}

static bool prepare_folder(struct dna_learning *g)
{
    char *command_from = dna_pool_printf(g->pool, "%s/prelude.scn", dna_scenarios_dir());
    char *to = dna_pool_printf(g->pool, "%s/prelude.scn", g->dir), buffer[8192];
    FILE *in, *out;
    size_t len;

    if (mkdir(dna_pool_printf(g->pool, "%s/learned", g->dir), 0777) != 0)
        return false;
    in = fopen(command_from, "r");
    out = in ? fopen(to, "w") : NULL;
    while (out && (len = fread(buffer, 1, sizeof(buffer), in)) > 0)
        if (fwrite(buffer, 1, len, out) != len)
            break;
    if (in)
        fclose(in);
    return out && fclose(out) == 0;
}

static const char *scenario_of(struct dna_learning *g, size_t i)
{
    char *path = dna_pool_printf(g->pool, "%s/learned/receiving_%03zu.scn", g->dir, i + 1);
    const char *untold = dna_learn_write_witness(g, &g->differences[i], path);

    return untold ? dna_pool_printf(g->pool, "no scenario: %s", untold) : path;
}

bool dna_learn_write(struct dna_learning *g)
{
    size_t num =
        g->num_differences < DNA_MAX_DIFFERENCES ? g->num_differences : DNA_MAX_DIFFERENCES;
    FILE *out = NULL;

    if (num && !witnesses_stay(g, num))
        return false;
    if (g->dir && (!write_machines(g) || (num && !prepare_folder(g))))
        return false;
    if (g->dir && num)
        out = fopen(dna_pool_printf(g->pool, "%s/differences.txt", g->dir), "w");
    printf("%zu differences from the tables%s\n", g->num_differences,
           num ? ", each shown again:" : "");
    for (size_t i = 0; i < num; i++) {
        const char *scenario = g->dir ? scenario_of(g, i) : NULL;

        put_difference(g, &g->differences[i], scenario, stdout);
        if (out)
            put_difference(g, &g->differences[i], scenario, out);
    }
    if (out)
        fclose(out);
    return true;
}
