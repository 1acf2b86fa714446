/* SPDX-License-Identifier: MIT */
#include "data/names.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/memory.h"
#include "base/status.h"

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

struct folded {
    const char *name;
    gchar *folded;
};

/* NULL for what is no UTF-8. */
static gchar *fold(const char *name)
{
    gchar *composed = g_utf8_normalize(name, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    gchar *folded = composed ? g_utf8_casefold(composed, -1) : NULL;

    g_free(composed);
    return folded;
}

static int compare_folded(const void *left, const void *right)
{
    const struct folded *a = left, *b = right;
    const int order = strcmp(a->folded ? a->folded : "", b->folded ? b->folded : "");

    return order ? order : strcmp(a->name, b->name);
}

enum zf_status zf_names_find_twins(const struct zf_names *names, const char **first,
                                   const char **second, struct zf_error *err)
{
    struct folded *all = zf_alloc(names->count ? names->count : 1, sizeof *all);

    *first = *second = NULL;
    if (!all)
        return zf_no_memory(err, "%zu names", names->count);
    for (size_t k = 0; k < names->count; k++)
        all[k] = (struct folded){names->items[k], fold(names->items[k])};
    qsort(all, names->count, sizeof *all, compare_folded);
    for (size_t k = 1; k < names->count && !*first; k++) {
        if (all[k].folded && all[k - 1].folded && strcmp(all[k].folded, all[k - 1].folded) == 0) {
            *first = all[k - 1].name;
            *second = all[k].name;
        }
    }
    for (size_t k = 0; k < names->count; k++)
        g_free(all[k].folded);
    zf_free(all);
    return ZF_OK;
}
