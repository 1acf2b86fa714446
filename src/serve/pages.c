/* SPDX-License-Identifier: MIT */
/* Pages and what they are made of: files that travel inside of the program. No part of an address
   is looked for on a disk. */
#include <string.h>

#include "page/template.h"
#include "serve/server.h"

static const char html[] = "text/html; charset=utf-8";
static const char css[] = "text/css; charset=utf-8";
static const char js[] = "text/javascript; charset=utf-8";

/* What follows, a layer and a map, is for the page itself to read. */
static const char unit[] = "/unit/";

static const struct {
    const char *path, *file, *type;
} pages[] = {
    {"/", "serve.html", html},
    {"/experiments", "experiments.html", html},
    {"/training", "training.html", html},
    {"/unit.js", "unit.js", js},
    {"/experiments.js", "experiments.js", js},
    {"/training.js", "training.js", js},
    {"/serve.css", "serve.css", css},
    {"/colours.css", "colours.css", css},
    {"/page.css", "page.css", css},
    {"/serve.js", "serve.js", js},
    {"/serve_wall.js", "serve_wall.js", js},
    {"/serve_cell.js", "serve_cell.js", js},
    {"/serve_hide.js", "serve_hide.js", js},
    {"/serve_projections.js", "serve_projections.js", js},
    {"/serve_move.js", "serve_move.js", js},
    {"/serve_choose.js", "serve_choose.js", js},
    {"/serve_common.js", "serve_common.js", js},
};

enum zf_status zf_answer_page(struct zf_asked *asked, struct zf_error *err)
{
    (void)err;
    for (size_t i = 0; i < ZF_COUNT(pages); i++) {
        if (strcmp(asked->request.path, pages[i].path) == 0) {
            zf_reply_static(&asked->reply, 200, pages[i].type, zf_web_file(pages[i].file));
            return ZF_OK;
        }
    }
    if (strncmp(asked->request.path, unit, sizeof unit - 1) == 0) {
        zf_reply_static(&asked->reply, 200, html, zf_web_file("unit.html"));
        return ZF_OK;
    }
    zf_reply_refuse(&asked->reply, 404, "there is no such page");
    return ZF_OK;
}
