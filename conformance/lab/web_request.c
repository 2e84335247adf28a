/* SPDX-License-Identifier: MIT */
/*
 * Requests of HTTP/1.1, read strictly (RFC 7230): a lab that guesses would hide a client's fault.
 * Works on a complete head in memory; keeps nothing but the path.
 */
#include "conformance/lab/web_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* web_text is a borrowed piece of the head. */
struct web_text {
    const char *at;
    size_t len;
};

static void refuse(struct web_request *request, int status, const char *reason)
{
    if (request->refusal)
        return;
    request->refusal = status;
    request->reason = reason;
}

static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(struct web_text text)
{
    size_t len = 0;

    while (len < text.len && is_token_char(text.at[len]))
        len++;
    return len;
}

static bool says(struct web_text text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static struct web_text skip(struct web_text text, size_t len)
{
    return (struct web_text){ text.at + len, text.len - len };
}

static struct web_text trimmed(struct web_text text)
{
    while (text.len && (*text.at == ' ' || *text.at == '\t'))
        text = skip(text, 1);
    while (text.len && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* next_line takes a line off rest, which ends with CRLF; a bare CR or LF is part of no line. */
static struct web_text next_line(struct web_text *rest, bool *out_good)
{
    const char *end = memmem(rest->at, rest->len, "\r\n", 2);
    struct web_text line = { rest->at, end ? (size_t)(end - rest->at) : rest->len };

    *out_good = end && !memchr(line.at, '\r', line.len) && !memchr(line.at, '\n', line.len) &&
                !memchr(line.at, '\0', line.len);
    *rest = skip(*rest, line.len + (end ? 2 : 0));
    return line;
}

/* read_target: only the origin form ("/path?query"), which is what clients send to a server. */
static size_t target_len(struct web_text line)
{
    size_t len = 0;

    while (len < line.len && line.at[len] > ' ' && line.at[len] < 0x7f && line.at[len] != '#')
        len++;
    return len && line.at[0] == '/' ? len : 0;
}

static void read_request_line(struct web_request *request, struct web_text line)
{
    size_t len = token_len(line);

    if (len == 0 || len >= sizeof request->method || len == line.len || line.at[len] != ' ') {
        refuse(request, 400, "the request line has no method");
        return;
    }
    memcpy(request->method, line.at, len);
    line = skip(line, len + 1);
    len = target_len(line);
    if (len == 0) {
        refuse(request, 400, "the request line has no path");
        return;
    }
    request->path = strndup(line.at, len);
    line = skip(line, len);
    if (line.len == 9 && memcmp(line.at, " HTTP/1.0", 9) == 0)
        request->close = true;
    else if (line.len != 9 || memcmp(line.at, " HTTP/1.1", 9) != 0)
        refuse(request, line.len > 6 && memcmp(line.at, " HTTP/", 6) == 0 ? 505 : 400,
               "the request line doesn't end with HTTP/1.1");
}

static void read_host(struct web_request *request, struct web_text value)
{
    const char *colon = memchr(value.at, ':', value.len);
    size_t len = colon ? (size_t)(colon - value.at) : value.len;

    if (request->host[0]) {
        refuse(request, 400, "two Host header lines");
        return;
    }
    for (size_t i = len + 1; i < value.len; i++) {
        if (!isdigit((unsigned char)value.at[i]))
            refuse(request, 400, "the Host header line has no port after the colon");
    }
    if (len == 0 || len >= sizeof request->host) {
        refuse(request, 400, "the Host header line has no host of a good length");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        if (!isalnum(c) && !strchr("-._~%!$&'()*+,;=", c))
            refuse(request, 400, "the Host header line has a character that no host has");
        request->host[i] = (char)tolower(c);
    }
}

/* read_connection: a comma list, of which only "close" matters. */
static void read_connection(struct web_request *request, struct web_text value)
{
    while (value.len) {
        const char *comma = memchr(value.at, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.at) : value.len;

        if (says(trimmed((struct web_text){ value.at, len }), "close"))
            request->close = true;
        value = skip(value, len + (comma ? 1 : 0));
    }
}

static void read_field(struct web_request *request, struct web_text line)
{
    struct web_text name = { line.at, token_len(line) }, value;

    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':') {
        refuse(request, 400, "a header line has no name with a colon");
        return;
    }
    value = trimmed(skip(line, name.len + 1));
    if (says(name, "host"))
        read_host(request, value);
    else if (says(name, "connection"))
        read_connection(request, value);
    else if (says(name, "transfer-encoding") || says(name, "expect"))
        refuse(request, 400, "the request announces a body");
    else if (says(name, "content-length") && !says(value, "0"))
        refuse(request, 400, "the request announces a body");
}

void web_request_read(struct web_request *out, const char *head, size_t len)
{
    struct web_text rest = { head, len }, line;
    unsigned num = 0;
    bool good;

    memset(out, 0, sizeof *out);
    line = next_line(&rest, &good);
    read_request_line(out, line);
    while (good && rest.len) {
        line = next_line(&rest, &good);
        if (line.len == 0)
            break;
        if (++num > DNA_WEB_MAX_FIELDS)
            refuse(out, 431, "too many header lines");
        read_field(out, line);
    }
    if (!good)
        refuse(out, 400, "a line with a bare CR, LF or NUL");
    if (!out->host[0])
        refuse(out, 400, "no Host header line");
    if (!out->refusal && strcmp(out->method, "GET") != 0)
        refuse(out, 405, "the method is not GET");
}

void web_request_cleanup(struct web_request *request)
{
    free(request->path);
    request->path = NULL;
}
