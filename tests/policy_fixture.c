/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy_fixture.h"

#define BEGIN "<meta http-equiv=\"Content-Security-Policy\" content=\""

/* The policy has the hash of this text as the source of a directive. */
static void assert_hashed(const char *policy, const char *directive, const char *text, size_t size)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize length = sizeof digest;
    char source[128];
    gchar *base64;

    g_checksum_update(checksum, (const guchar *)text, (gssize)size);
    g_checksum_get_digest(checksum, digest, &length);
    base64 = g_base64_encode(digest, length);
    snprintf(source, sizeof source, "; %s 'sha256-%s'", directive, base64);
    if (!strstr(policy, source))
        fail_msg("no '%s' in: %s", source, policy);
    g_free(base64);
    g_checksum_free(checksum);
}

/* Each element of this beginning is the one whose text the policy has. Returns their number. */
static int assert_elements(const char *page, const char *policy, const char *directive,
                           const char *open, const char *close)
{
    int count = 0;

    for (const char *at = strstr(page, open); at; at = strstr(at, open), count++) {
        const char *end = strstr(at, close);

        assert_non_null(end);
        at += strlen(open);
        assert_hashed(policy, directive, at, (size_t)(end - at));
    }
    return count;
}

/* An attribute that the policy refuses: a style, or a handler such as onload. */
static void assert_no_attribute(const char *page)
{
    regex_t refused;
    regmatch_t match;

    assert_int_equal(regcomp(&refused, "<[a-z][^<>]* (style|on[a-z]+)=", REG_EXTENDED), 0);
    if (regexec(&refused, page, 1, &match, 0) == 0)
        fail_msg("%.*s", (int)(match.rm_eo - match.rm_so), page + match.rm_so);
    regfree(&refused);
}

char *assert_policy_holds(const char *page)
{
    const char *begin = strstr(page, BEGIN),
               *end = begin ? strchr(begin + strlen(BEGIN), '"') : NULL;
    char *policy;
    int scripts;

    assert_true(begin && end);
    policy = strndup(begin + strlen(BEGIN), (size_t)(end - begin) - strlen(BEGIN));
    assert_non_null(policy);
    assert_null(strstr(end, BEGIN));
    assert_true(begin < strstr(page, "<style") && begin < strstr(page, "</head>"));
    assert_ptr_equal(strstr(policy, "default-src 'none'; base-uri 'none'; form-action 'none'; "),
                     policy);
    assert_null(strstr(policy, "unsafe"));
    assert_null(strchr(policy, '*'));
    assert_null(strstr(policy, "http"));
    assert_int_equal(assert_elements(page, policy, "style-src", "<style>", "</style>"), 1);
    assert_null(strstr(page, "<style "));
    scripts = assert_elements(page, policy, "script-src", "<script>", "</script>");
    assert_int_equal(strstr(policy, "script-src") != NULL, scripts > 0);
    assert_null(strstr(page, "<script src"));
    assert_no_attribute(page);
    return policy;
}
