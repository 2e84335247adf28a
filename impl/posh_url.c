/* SPDX-License-Identifier: MIT */
/* posh_url: see posh_url.h. The parser is that of the library which fetches, so that both read a
 * URL alike; only the host is looked at again, for the resolver wants A-labels. */
#include "impl/posh_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/dns.h"
#include "impl/posh_doc.h"

enum { HTTPS_PORT = 443 };

static bool no(char *why, size_t why_len, const char *reason)
{
    (void)snprintf(why, why_len, "%s", reason);
    return false;
}

static bool part_is_set(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool set = curl_url_get(u, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return set;
}

static bool is_https(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0;
}

static bool parse(CURLU *u, const char *url, char *why, size_t why_len)
{
    if (strlen(url) > DNA_POSH_MAX_URL)
        return no(why, why_len, "is too long");
    size_t scheme = is_https(url) ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
    if (!scheme)
        return no(why, why_len, "is no https URI");
    if (url[scheme] == '/') /* the parser would take the path for a host */
        return no(why, why_len, "has no host");
    CURLUcode code = curl_url_set(u, CURLUPART_URL, url, CURLU_NO_AUTHORITY);
    if (code != CURLUE_OK)
        return no(why, why_len, "cannot be parsed");
    if (part_is_set(u, CURLUPART_USER) || part_is_set(u, CURLUPART_PASSWORD))
        return no(why, why_len, "has user information");
    return true;
}

/* An address stays as it is, a name gets A-labels. */
static bool settle_host(CURLU *u, char host[256])
{
    struct sockaddr_storage ignored;
    char *text = NULL;
    bool ok = curl_url_get(u, CURLUPART_HOST, &text, CURLU_URLDECODE) == CURLUE_OK;
    if (ok && dna_dns_literal(text, &ignored) && strlen(text) < 256)
        strcpy(host, text);
    else if (ok)
        ok = !strchr(text, '%') && dna_dns_to_ascii(text, host, 256) == 0 &&
             curl_url_set(u, CURLUPART_HOST, host, 0) == CURLUE_OK;
    curl_free(text);
    return ok;
}

static uint16_t port_of(CURLU *u)
{
    char *text = NULL;
    unsigned long port = HTTPS_PORT;
    if (curl_url_get(u, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
        port = strtoul(text, NULL, 10);
    curl_free(text);
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool dna_posh_url_split(const char *url, char host[256], uint16_t *port, char **full, char *why,
                        size_t why_len)
{
    CURLU *u = curl_url();
    char *whole = NULL;
    if (!u)
        abort();
    bool ok = parse(u, url, why, why_len);
    if (ok && !settle_host(u, host))
        ok = no(why, why_len, "has a host that is neither name nor address");
    if (ok && (*port = port_of(u)) == 0)
        ok = no(why, why_len, "has no usable port");
    if (ok && curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK)
        *full = dna_strdup(whole);
    else if (ok)
        ok = no(why, why_len, "cannot be parsed");
    curl_free(whole);
    curl_url_cleanup(u);
    return ok;
}

bool dna_posh_url_ok(const char *url, char *why, size_t why_len)
{
    char host[256], *full = NULL;
    uint16_t port;
    bool ok = dna_posh_url_split(url, host, &port, &full, why, why_len);
    free(full);
    return ok && (is_https(url) || no(why, why_len, "is no https URI"));
}

char *dna_posh_url_source(const char *domain, const char *service, uint16_t port)
{
    struct dna_buf url = DNA_BUF_INIT;
    dna_buf_printf(&url, "https://%s", domain);
    if (port != HTTPS_PORT)
        dna_buf_printf(&url, ":%u", port);
    dna_buf_printf(&url, "/.well-known/posh/%s.json", service);
    return url.at;
}
