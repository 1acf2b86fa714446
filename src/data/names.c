/* SPDX-License-Identifier: MIT */
#include "data/names.h"

#include <string.h>

#include <glib.h>

static bool is_ascii(const char *text)
{
    while ((unsigned char)(*text - 1) < 127)
        text++;
    return *text == '\0';
}

bool zf_names_equal(const char *a, const char *b)
{
    gchar *composed_a, *composed_b;
    bool equal;

    if (strcmp(a, b) == 0)
        return true;
    if (is_ascii(a) || is_ascii(b))
        return false;
    composed_a =
        g_utf8_normalize(a, -1, G_NORMALIZE_DEFAULT_COMPOSE); /* NULL for what is no UTF-8 */
    composed_b = g_utf8_normalize(b, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    equal = composed_a && composed_b && strcmp(composed_a, composed_b) == 0;
    g_free(composed_a);
    g_free(composed_b);
    return equal;
}
