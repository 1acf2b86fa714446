/* SPDX-License-Identifier: MIT */
#include "serve/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/status.h"

static enum zf_status draw_token(char token[ZF_TOKEN_CHARS + 1], struct zf_error *err)
{
    unsigned char drawn[ZF_TOKEN_CHARS / 2];
    size_t have = 0;

    while (have < sizeof drawn) {
        const ssize_t got = getrandom(drawn + have, sizeof drawn - have, 0);

        if (got < 0 && errno != EINTR)
            return zf_fail_errno(err, ZF_EIO, errno, "no random numbers for the link");
        have += got > 0 ? (size_t)got : 0;
    }
    for (size_t i = 0; i < sizeof drawn; i++)
        snprintf(token + 2 * i, 3, "%02x", drawn[i]);
    return ZF_OK;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcasecmp(address, "localhost") == 0;
}

enum zf_status zf_guard_init(struct zf_guard *guard, const char *address, int port,
                             struct zf_error *err)
{
    ZF_CHECK(draw_token(guard->token, err));
    snprintf(guard->cookie, sizeof guard->cookie, "zfscope-%d", port);
    snprintf(guard->address, sizeof guard->address, "%s", address);
    guard->loopback = is_loopback(address);
    if (gethostname(guard->host_name, sizeof guard->host_name - 1) != 0)
        guard->host_name[0] = '\0';
    return ZF_OK;
}

bool zf_guard_knows(const struct zf_guard *guard, const char *text, size_t length)
{
    unsigned difference = length != ZF_TOKEN_CHARS;

    for (size_t i = 0; i < ZF_TOKEN_CHARS; i++)
        difference |= (unsigned)(guard->token[i] ^ (i < length ? text[i] : 0));
    return difference == 0;
}

/* ---- Host and Origin. ---- */

/* The name in "name", "name:port", "[address]" or "[address]:port"; false for anything else. */
static bool split_host(const char *host, char *name, size_t size)
{
    const bool bracket = host[0] == '[';
    const char *begin = host + bracket;
    const size_t length = strcspn(begin, bracket ? "]" : ":");
    const char *rest = begin + length + bracket;

    if (length == 0 || length >= size || (bracket && begin[length] != ']'))
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    return rest[0] == '\0' || (rest[0] == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

/* No name that a domain could have: browsers take "1.2.3.4" and what has a ':' as numbers. */
static bool is_number(const char *name)
{
    const bool six = strchr(name, ':') != NULL;
    const char *last = strrchr(name, '.');

    return six ? name[strspn(name, "0123456789abcdefABCDEF:.%")] == '\0'
               : last && name[strspn(name, "0123456789.")] == '\0' && last[1] != '\0';
}

static bool is_own_name(const struct zf_guard *guard, const char *name)
{
    if (strcasecmp(name, "localhost") == 0 || strcasecmp(name, guard->address) == 0)
        return true;
    if (guard->loopback)
        return is_loopback(name) && is_number(name);
    return is_number(name) || (guard->host_name[0] && strcasecmp(name, guard->host_name) == 0);
}

static bool is_own_origin(const struct zf_request *request)
{
    static const char scheme[] = "http://";

    return strncmp(request->origin, scheme, sizeof scheme - 1) == 0 &&
           strcasecmp(request->origin + sizeof scheme - 1, request->host) == 0;
}

/* Another site may link to a page, but not fetch from here, nor send. */
static bool is_from_elsewhere(const struct zf_request *request)
{
    const bool fetched = request->post || strncmp(request->path, "/api/", 5) == 0;

    if (request->origin && !is_own_origin(request))
        return true;
    return fetched && request->site && strcmp(request->site, "same-origin") != 0 &&
           strcmp(request->site, "none") != 0;
}

/* ---- The token. ---- */

static bool cookie_knows(const struct zf_guard *guard, const char *cookies)
{
    const size_t name = strlen(guard->cookie);

    while (cookies) {
        cookies += strspn(cookies, "; ");
        if (strncmp(cookies, guard->cookie, name) == 0 && cookies[name] == '=' &&
            zf_guard_knows(guard, cookies + name + 1, strcspn(cookies + name + 1, "; ")))
            return true;
        cookies = strchr(cookies, ';');
    }
    return false;
}

static bool header_knows(const struct zf_guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";

    return authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
           zf_guard_knows(guard, authorization + sizeof scheme - 1,
                          strlen(authorization + sizeof scheme - 1));
}

enum zf_verdict zf_guard_judge(const struct zf_guard *guard, const struct zf_request *request)
{
    const char *given = zf_request_text(request, "token");
    char name[256];

    if (!request->host || !split_host(request->host, name, sizeof name) ||
        !is_own_name(guard, name))
        return ZF_MISDIRECTED;
    if (is_from_elsewhere(request))
        return ZF_FOREIGN;
    if (given)
        return zf_guard_knows(guard, given, strlen(given)) ? ZF_INTRODUCED : ZF_UNKNOWN;
    return header_knows(guard, request->authorization) || cookie_knows(guard, request->cookie)
               ? ZF_ADMITTED
               : ZF_UNKNOWN;
}
