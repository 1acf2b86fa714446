/* SPDX-License-Identifier: MIT */
/* What a browser may send: a path with parameters, then Host, Origin, Cookie, Authorization and
   Sec-Fetch-Site, a line each. Accepted is what is let in. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/guard.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

/* The next line; `*at` goes behind it. NULL where there is none, or an empty one. */
static const char *next_line(char **at)
{
    char *line = *at;

    if (!line)
        return NULL;
    *at = strchr(line, '\n');
    if (*at)
        *(*at)++ = '\0';
    return line[0] ? line : NULL;
}

static bool add_params(struct zf_request *request, char *text)
{
    while (text && *text) {
        char *next = strchr(text, '&'), *value;

        if (next)
            *next++ = '\0';
        value = strchr(text, '=');
        if (value)
            *value++ = '\0';
        zf_request_unescape(text);
        if (value)
            zf_request_unescape(value);
        if (!zf_request_add(request, text, value))
            return false;
        text = next;
    }
    return true;
}

/* Numbers that are read are within what was asked for. */
static void read_numbers(const struct zf_request *request)
{
    static const char *const names[] = {"deconvnet", "gradient", NULL};
    int64_t whole = -1;
    double real = -1;
    int choice = -1;

    if (zf_request_int(request, "n", 0, 9, &whole, NULL) == ZF_OK && (whole < -1 || whole > 9))
        abort();
    if (zf_request_real(request, "x", 0, 1, &real, NULL) == ZF_OK && !(real >= -1 && real <= 1))
        abort();
    if (zf_request_choice(request, "rule", names, &choice, NULL) == ZF_OK &&
        (choice < -1 || choice > 1))
        abort();
}

static bool is_admitted(const struct zf_request *request)
{
    const struct zf_guard guard = {.token = TOKEN,
                                   .cookie = "zfscope-8080",
                                   .address = "127.0.0.1",
                                   .host_name = "desk",
                                   .loopback = true};
    const enum zf_verdict verdict = zf_guard_judge(&guard, request);
    const char *given = zf_request_text(request, "token");

    if (verdict == ZF_INTRODUCED && strcmp(given, TOKEN) != 0)
        abort();
    if (verdict == ZF_ADMITTED && !(request->cookie && strstr(request->cookie, TOKEN)) &&
        !(request->authorization && strstr(request->authorization, TOKEN)))
        abort();
    return verdict == ZF_ADMITTED || verdict == ZF_INTRODUCED;
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1), *at = text, *path, *params;
    struct zf_request request = {0};
    bool accepted = false;

    if (!text)
        return false;
    memcpy(text, bytes, size);
    text[size] = '\0';
    path = (char *)(uintptr_t)next_line(&at);
    request.host = next_line(&at);
    request.origin = next_line(&at);
    request.cookie = next_line(&at);
    request.authorization = next_line(&at);
    request.site = next_line(&at);
    params = path ? strchr(path, '?') : NULL;
    if (params)
        *params++ = '\0';
    if (path)
        zf_request_unescape(path);
    if (path && zf_request_path(&request, path) && add_params(&request, params)) {
        read_numbers(&request);
        accepted = is_admitted(&request);
    }
    free(text);
    return accepted;
}
