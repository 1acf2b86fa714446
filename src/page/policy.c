/* SPDX-License-Identifier: MIT */
#include "page/policy.h"

#include <glib.h>

#include "page/text.h"

#define SHA256_BYTES 32

static void write_hash(FILE *stream, const char *text)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[SHA256_BYTES];
    gsize size = sizeof digest;

    g_checksum_update(checksum, (const guchar *)text, -1);
    g_checksum_get_digest(checksum, digest, &size);
    g_checksum_free(checksum);
    fputs("'sha256-", stream);
    zf_text_base64(stream, digest, size);
    fputs("'", stream);
}

void zf_policy_write(FILE *stream, const struct zf_policy *policy)
{
    fputs("default-src 'none'; base-uri 'none'; form-action 'none'; style-src ", stream);
    write_hash(stream, policy->style);
    if (policy->script) {
        fputs("; script-src ", stream);
        write_hash(stream, policy->script);
    }
    if (policy->script && policy->beside)
        fputs(" 'strict-dynamic'", stream); /* what that script adds may run, and nothing else */
    /* By the standard, 'self' matches nothing where a page was opened from a disk. */
    fputs(policy->beside ? "; img-src data: 'self' file:" : "; img-src data:", stream);
}
