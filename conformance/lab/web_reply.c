/* SPDX-License-Identifier: MIT */
/*
 * Replies of the web server: a page made ready when it is put in its place, and sent part by part,
 * the next when the last has left, so that a reply needs no more memory than a part of it.
 */
#include "conformance/lab/web_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART 16384u        /* a record of TLS */
#define CHUNK 16u          /* small, so that documents have several */
#define FILLER_CHUNK 4096u

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        { 200, "OK" }, { 204, "No Content" }, { 301, "Moved Permanently" }, { 302, "Found" },
        { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
        { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
        { 410, "Gone" }, { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status)
            return known[i].text;
    }
    return "As Ordered";
}

static bool is_chunked(enum dna_web_manner manner)
{
    return manner == DNA_WEB_CHUNKED || manner == DNA_WEB_ENDLESS;
}

static bool has_line_end(const char *text)
{
    return text && text[strcspn(text, "\r\n")];
}

/* good_headers: a line without its end would swallow the next one. */
static bool good_headers(const char *headers)
{
    size_t len = headers ? strlen(headers) : 0;

    return len == 0 || (len > 2 && headers[0] != '\r' && !strstr(headers, "\r\n\r\n") &&
                        strcmp(headers + len - 2, "\r\n") == 0);
}

static int check(const struct dna_web_page *page, struct dna_diag *diag)
{
    const char *wanted = NULL;

    if (page->status && (page->status < 200 || page->status > 599))
        wanted = "a status from 200 to 599";
    else if (has_line_end(page->content_type) || has_line_end(page->location))
        wanted = "a content type and a location of one line";
    else if (!good_headers(page->headers))
        wanted = "header lines that each end with CRLF, and no empty one";
    else if (page->body_len && !page->body)
        wanted = "a body of that length";
    else if (page->manner == DNA_WEB_SLOW && page->interval_ms == 0)
        wanted = "an interval of at least 1 ms for a slow one";
    else if (page->manner == DNA_WEB_TRUNCATED && page->sent_len >= page->body_len)
        wanted = "less to be sent than the body of a truncated one";
    else if (page->manner == DNA_WEB_RAW && page->body_len == 0)
        wanted = "the bytes of a raw one";
    return wanted ? dna_diag_set(diag, DNA_CLASS_USAGE, "web: a page needs %s", wanted) : 0;
}

static char *make_head(const struct dna_web_page *page, int status)
{
    char *head = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&head, &len);

    if (!out)
        return NULL;
    fprintf(out, "HTTP/1.1 %d %s\r\nServer: xdna-lab\r\nContent-Type: %s\r\n", status,
            status_text(status), page->content_type ? page->content_type : "application/json");
    if (page->location)
        fprintf(out, "Location: %s\r\n", page->location);
    if (is_chunked(page->manner))
        fprintf(out, "Transfer-Encoding: chunked\r\n");
    else if (page->manner != DNA_WEB_NO_LENGTH)
        fprintf(out, "Content-Length: %zu\r\n", page->body_len);
    fputs(page->headers ? page->headers : "Cache-Control: no-cache\r\n", out);
    if (fclose(out)) {
        free(head);
        return NULL;
    }
    return head;
}

struct web_page *web_page_new(const struct dna_web_page *page, struct dna_diag *diag)
{
    struct web_page *made;

    if (check(page, diag))
        return NULL;
    made = calloc(1, sizeof *made);
    if (!made)
        goto no_memory;
    made->refs = 1;
    made->status = page->status ? page->status : 200;
    made->manner = page->manner;
    made->interval_ms = page->interval_ms;
    made->slow_len = page->slow_len ? page->slow_len : 1;
    made->filler_len = page->manner != DNA_WEB_ENDLESS ? 0
                       : page->filler_len              ? page->filler_len
                                                       : UINT64_MAX;
    made->end = page->manner == DNA_WEB_TRUNCATED ? page->sent_len : page->body_len;
    made->head = make_head(page, made->status);
    made->body = malloc(page->body_len + 1);
    if (!made->head || !made->body)
        goto no_memory;
    if (page->body_len)
        memcpy(made->body, page->body, page->body_len);
    return made;
no_memory:
    web_page_unref(made);
    dna_diag_set(diag, DNA_CLASS_HARD, "web: out of memory");
    return NULL;
}

void web_page_unref(struct web_page *page)
{
    if (!page || --page->refs > 0)
        return;
    free(page->host);
    free(page->path);
    free(page->head);
    free(page->body);
    free(page);
}

static size_t part_len(const struct web_page *page, size_t at)
{
    size_t most = page->manner == DNA_WEB_SLOW ? page->slow_len
                  : is_chunked(page->manner)   ? CHUNK
                                               : PART;

    return page->end - at < most ? page->end - at : most;
}

static void write_part(struct web_conn *conn, const void *bytes, size_t len)
{
    char mark[32];

    if (!is_chunked(conn->page->manner)) {
        web_conn_write(conn, bytes, len);
        return;
    }
    web_conn_write(conn, mark, (size_t)snprintf(mark, sizeof mark, "%zx\r\n", len));
    web_conn_write(conn, bytes, len);
    web_conn_write(conn, "\r\n", 2);
}

static void write_filler(struct web_conn *conn)
{
    uint64_t rest = conn->page->filler_len - conn->filler_at;
    size_t len = rest < FILLER_CHUNK ? (size_t)rest : FILLER_CHUNK;
    char blanks[FILLER_CHUNK];

    memset(blanks, ' ', len);
    write_part(conn, blanks, len);
    conn->filler_at += len;
}

/* next_part writes what comes next; false = all is written. */
static bool next_part(struct web_conn *conn)
{
    const struct web_page *page = conn->page;

    web_conn_timer(conn, conn->web->idle_ms);
    if (conn->at < page->end) {
        size_t len = part_len(page, conn->at);

        write_part(conn, page->body + conn->at, len);
        conn->at += len;
    } else if (conn->filler_at < page->filler_len) {
        write_filler(conn);
    } else if (!conn->last_chunk) {
        web_conn_write(conn, "0\r\n\r\n", 5);
        conn->last_chunk = true;
    } else {
        return false;
    }
    return true;
}

static void finish(struct web_conn *conn)
{
    enum dna_web_manner manner = conn->page->manner;

    web_page_unref(conn->page);
    conn->page = NULL;
    if (manner == DNA_WEB_TRUNCATED || !conn->keep)
        web_conn_close(conn, manner != DNA_WEB_TRUNCATED);
    else
        conn->state = WEB_READING;
}

void web_reply_start(struct web_conn *conn, struct web_page *page, bool keep)
{
    static const char closes[] = "Connection: close\r\n";

    conn->page = page;
    conn->at = 0;
    conn->filler_at = 0;
    conn->last_chunk = !is_chunked(page->manner);
    conn->keep = keep && page->manner != DNA_WEB_NO_LENGTH && page->manner != DNA_WEB_RAW;
    conn->state = WEB_REPLYING;
    if (page->manner == DNA_WEB_CLOSE) {
        web_conn_close(conn, true);
    } else if (page->manner == DNA_WEB_SILENT) {
        conn->state = WEB_DEAF;
        web_conn_timer(conn, 0);
    } else if (page->manner == DNA_WEB_HELD) {
        conn->state = WEB_HOLDING;
        conn->keep = keep;
        web_conn_timer(conn, 0);
    } else if (page->manner == DNA_WEB_RAW) {
        next_part(conn);
    } else {
        web_conn_timer(conn, conn->web->idle_ms);
        web_conn_write(conn, page->head, strlen(page->head));
        if (!conn->keep)
            web_conn_write(conn, closes, sizeof closes - 1);
        web_conn_write(conn, "\r\n", 2);
    }
}

void web_reply_more(struct web_conn *conn)
{
    if (conn->page->manner == DNA_WEB_SLOW && conn->at < conn->page->end)
        web_conn_timer(conn, conn->page->interval_ms);
    else if (!next_part(conn))
        finish(conn);
}

bool web_reply_tick(struct web_conn *conn)
{
    return conn->page->manner == DNA_WEB_SLOW && conn->at < conn->page->end && next_part(conn);
}
