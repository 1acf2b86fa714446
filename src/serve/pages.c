/* SPDX-License-Identifier: MIT */
/* Pages and what they are made of: files that travel inside of the program. No part of an address
   is looked for on a disk. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/template.h"
#include "serve/server.h"

/* Pages of one frame: NAME.html is the body of each, NAME.js its script. */
static const struct page {
    const char *path; /* with a '/' at its end: what follows is for the page itself to read */
    const char *name;
} pages[] = {
    {"/", "serve"},
    {"/experiments", "experiments"},
    {"/training", "training"},
    {"/unit/", "unit"},
};

/* What they load. */
static const char *const parts[] = {
    "colours.css",
    "page.css",
    "serve.css",
    "serve_pages.css",
    "serve.js",
    "serve_common.js",
    "serve_save.js",
    "serve_choose.js",
    "serve_wall.js",
    "serve_cell.js",
    "serve_projections.js",
    "serve_hide.js",
    "serve_move.js",
    "unit.js",
    "unit_connections.js",
    "training.js",
    "training_maps.js",
    "experiments.js",
};

static void write_name(FILE *stream, const void *user)
{
    fputs(((const struct page *)user)->name, stream);
}

static void write_body(FILE *stream, const void *user)
{
    char file[64];

    snprintf(file, sizeof file, "%s.html", ((const struct page *)user)->name);
    fputs(zf_web_file(file), stream);
}

/* All that a script imports, however far down, is asked for with the page and not only when the
   script before it was read. seen [parts] */
static void preload_imports(FILE *stream, const char *script, bool *seen)
{
    static const char from[] = "from \"/";

    while ((script = strstr(script, from)) != NULL) {
        script += strlen(from);
        for (size_t i = 0; i < ZF_COUNT(parts); i++) {
            if (seen[i] || strncmp(script, parts[i], strlen(parts[i])) != 0)
                continue;
            seen[i] = true;
            fprintf(stream, "<link rel=\"modulepreload\" href=\"/%s\">\n", parts[i]);
            preload_imports(stream, zf_web_file(parts[i]), seen);
        }
    }
}

static void write_preloads(FILE *stream, const void *user)
{
    bool seen[ZF_COUNT(parts)] = {false};
    char file[64];

    snprintf(file, sizeof file, "%s.js", ((const struct page *)user)->name);
    preload_imports(stream, zf_web_file(file), seen);
}

static enum zf_status answer_framed(struct zf_reply *reply, const struct page *page,
                                    struct zf_error *err)
{
    static const struct zf_template_field fields[] = {
        {"name", write_name}, {"body", write_body}, {"preloads", write_preloads}};
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    bool written = stream != NULL;

    if (stream) {
        zf_template_write(&(struct zf_template){.stream = stream,
                                                .rest = zf_web_file("serve_frame.html"),
                                                .fields = fields,
                                                .field_count = ZF_COUNT(fields),
                                                .user = page},
                          NULL);
        written = !ferror(stream);
        written &= fclose(stream) == 0;
    }
    if (!written) {
        zf_free(text);
        return zf_no_memory(err, "a page");
    }
    zf_reply_bytes(reply, "text/html; charset=utf-8", (uint8_t *)text, size);
    return ZF_OK;
}

static bool is_at(const struct page *page, const char *path)
{
    const size_t length = strlen(page->path);

    return length > 1 && page->path[length - 1] == '/' ? strncmp(path, page->path, length) == 0
                                                       : strcmp(path, page->path) == 0;
}

enum zf_status zf_answer_page(struct zf_asked *asked, struct zf_error *err)
{
    const char *path = asked->request.path;

    for (size_t i = 0; i < ZF_COUNT(pages); i++) {
        if (is_at(&pages[i], path))
            return answer_framed(&asked->reply, &pages[i], err);
    }
    for (size_t i = 0; i < ZF_COUNT(parts); i++) {
        if (strcmp(path + 1, parts[i]) == 0) {
            const bool style = strcmp(strrchr(parts[i], '.'), ".css") == 0;

            zf_reply_static(&asked->reply, 200,
                            style ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
                            zf_web_file(parts[i]));
            return ZF_OK;
        }
    }
    zf_reply_refuse(&asked->reply, 404, "there is no such page");
    return ZF_OK;
}
