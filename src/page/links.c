/* SPDX-License-Identifier: MIT */
#include "page/links.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "page/text.h"

#define MOST_LAYERS 8
#define MOST_MAPS 5 /* of a layer */

/* ---- Addresses. ---- */

char *zf_percent_encoded(const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = zf_alloc(strlen(path) + 1, 3), *at = out;

    for (const char *c = path; out && *c; c++) {
        const unsigned char byte = (unsigned char)*c;

        if (isalnum(byte) || strchr("-._~/+", *c)) {
            *at++ = *c;
        } else {
            *at++ = '%';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        }
    }
    return out;
}

/* The way from a folder, "/a/b/", to a file, "/a/c/index.html": "../c/index.html". NULL when memory
   is short. */
static char *way(const char *folder, const char *file)
{
    size_t common = 0, ups = 0;
    char *out;

    for (size_t i = 0; folder[i] && folder[i] == file[i]; i++)
        common = folder[i] == '/' ? i + 1 : common;
    for (const char *c = folder + common; *c; c++)
        ups += *c == '/';
    out = zf_alloc(3 * ups + strlen(file + common) + 1, 1);
    for (size_t i = 0; out && i < ups; i++)
        memcpy(out + 3 * i, "../", 3);
    if (out)
        memcpy(out + 3 * ups, file + common, strlen(file + common));
    return out;
}

/* The folder that a file will be in, with a slash at its end; NULL where there is none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = slash ? zf_format("%.*s", (int)(slash - path) + 1, path) : zf_strdup(".");
    char *real = name ? realpath(name, NULL) : NULL;
    char *folder = real ? zf_format("%s%s", real, zf_ends_in(real, "/") ? "" : "/") : NULL;

    zf_free(name);
    free(real);
    return folder;
}

enum zf_status zf_link_home(const char *page, const char *directory, char **address,
                            struct zf_error *err)
{
    char *name = zf_format("%s/index.html", directory);
    char *file = name ? realpath(name, NULL) : NULL, *folder = folder_of(page);
    char *relative = NULL;
    enum zf_status status = name ? ZF_OK : ZF_ENOMEM;

    *address = NULL;
    if (file && folder) {
        relative = way(folder, file);
        *address = relative ? zf_percent_encoded(relative) : NULL;
        status = *address ? ZF_OK : ZF_ENOMEM;
    }
    zf_free(relative);
    zf_free(name);
    zf_free(folder);
    free(file);
    return status == ZF_OK ? ZF_OK : zf_no_memory(err, "the address of %s", directory);
}

/* ---- Links. ---- */

static double strength(const cJSON *map)
{
    const cJSON *top = cJSON_GetObjectItemCaseSensitive(map, "top");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(top ? top->child : NULL, "activation");

    return cJSON_IsNumber(value) ? value->valuedouble : 0.0;
}

/* The maps that answer most strongly, as they stand in `chosen`; returns how many. */
static size_t choose_maps(const cJSON *maps, const cJSON **chosen)
{
    size_t count = 0;
    const cJSON *map;

    cJSON_ArrayForEach(map, maps)
    {
        size_t at = count;

        while (at > 0 && strength(chosen[at - 1]) < strength(map))
            at--;
        if (at == MOST_MAPS || strength(map) <= 0.0)
            continue;
        count += count < MOST_MAPS;
        memmove(chosen + at + 1, chosen + at, (count - at - 1) * sizeof *chosen);
        chosen[at] = map;
    }
    return count;
}

/* A layer's part of its page's addresses is the name of its sheet. */
static void write_layer(FILE *out, const cJSON *layer, const char *home)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(layer, "name"));
    const char *sheet = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(layer, "sheet"));
    const cJSON *chosen[MOST_MAPS];
    const size_t count = choose_maps(cJSON_GetObjectItemCaseSensitive(layer, "maps"), chosen);

    char *file, *slug;

    if (!name || !sheet || !zf_ends_in(sheet, ".png") || count == 0)
        return;
    file = zf_format("%.*s", (int)(strlen(sheet) - strlen(".png")), sheet);
    slug = file ? zf_percent_encoded(file) : NULL;
    zf_free(file);
    if (!slug) /* a link less */
        return;
    fputs("; strongest of ", out);
    zf_text_html(out, name);
    for (size_t i = 0; i < count; i++) {
        const cJSON *map = cJSON_GetObjectItemCaseSensitive(chosen[i], "map");
        const int number = cJSON_IsNumber(map) ? map->valueint : 0;

        fprintf(out, "%s <a href=\"%s#%s/%d\">%d</a>", i == 0 ? ":" : ",", home, slug, number,
                number);
    }
    zf_free(slug);
}

void zf_links_write(FILE *out, const cJSON *root, const char *home)
{
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(root, "layers"), *layer;
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "kind"));
    int shown = 0;

    if (!home)
        return;
    fprintf(out, "<p class=\"links\"><a href=\"%s\">Its own page</a>", home);
    if (kind && strcmp(kind, "top") == 0) {
        cJSON_ArrayForEach(layer, layers)
        {
            if (shown++ < MOST_LAYERS)
                write_layer(out, layer, home);
        }
    }
    fputs("</p>\n", out);
}
