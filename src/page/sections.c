/* SPDX-License-Identifier: MIT */
/*
 * Documents as a page: web/document.html with its {{fields}} filled in. No script but that of a
 * dress, nothing from outside: pictures are data within it or files beside it, and charts are drawn
 * anew from their numbers. The blocks may come from a file that anybody wrote: what they say is
 * checked, and all of it escaped; should some get through all the same, the page's policy holds it.
 */
#include "page/sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/blocks.h"
#include "page/links.h"
#include "page/policy.h"
#include "page/template.h"
#include "page/text.h"

#define FACTS_IN_SIGHT 2 /* parameters that a folded list still names */

struct page {
    const char *title, *lead;
    const struct zf_section *sections;
    size_t count;
    const char *style;        /* the text of its <style> */
    struct zf_beside *beside; /* where pictures go; NULL = within the page */
};

/* A document alone on its page may be dressed. */
static const struct zf_dress *dress_of(const struct page *page)
{
    return page->count == 1 ? page->sections->dress : NULL;
}

/* ---- Fields of the template. ---- */

static void write_title(FILE *out, const void *user)
{
    const struct page *page = user;

    zf_text_html(out, page->title);
}

static const char *script_of(const struct page *page)
{
    const struct zf_dress *dress = dress_of(page);

    return dress && dress->script ? zf_web_file(dress->script) : NULL;
}

static void write_policy(FILE *out, const void *user)
{
    const struct page *page = user;
    const struct zf_policy policy = {page->style, script_of(page),
                                     (page->beside && page->beside->used) ||
                                         (dress_of(page) && dress_of(page)->beside)};

    zf_policy_write(out, &policy);
}

static void write_css(FILE *out, const void *user)
{
    fputs(((const struct page *)user)->style, out);
}

static void write_class(FILE *out, const void *user)
{
    fputs(dress_of(user) ? "document wide" : "document", out);
}

static void write_version(FILE *out, const void *user)
{
    (void)user;
    fputs(ZF_VERSION, out);
}

static void write_lead(FILE *out, const void *user)
{
    const struct page *page = user;

    if (!page->lead)
        return;
    fputs("<p class=\"lead\">", out);
    zf_text_html(out, page->lead);
    fputs("</p>\n", out);
}

static void write_contents(FILE *out, const void *user)
{
    const struct page *page = user;

    if (page->count < 2)
        return;
    fputs("<nav class=\"contents\" aria-label=\"Contents\">\n<ol>\n", out);
    for (size_t i = 0; i < page->count; i++) {
        const struct zf_section *section = &page->sections[i];

        fprintf(out, "<li><a href=\"#%s\">", section->id);
        zf_text_html(out, zf_text_of(section->root, "title"));
        fputs("</a> <span>", out);
        zf_text_html(out, section->headline ? section->headline : section->directory);
        fputs("</span></li>\n", out);
    }
    fputs("</ol>\n</nav>\n", out);
}

static void write_guide(FILE *out, const void *user)
{
    if (((const struct page *)user)->lead)
        fputs(zf_web_file("report_guide.html"), out);
}

static void write_glossary(FILE *out, const void *user)
{
    if (((const struct page *)user)->lead)
        fputs(zf_web_file("report_glossary.html"), out);
}

static const struct zf_template_field fields[] = {
    {"title", write_title},       {"policy", write_policy},   {"css", write_css},
    {"class", write_class},       {"version", write_version}, {"lead", write_lead},
    {"contents", write_contents}, {"guide", write_guide},     {"glossary", write_glossary},
};

/* ---- Sections. ---- */

static void write_fact(FILE *out, const char *name, const char *value, bool code)
{
    fputs("<dt>", out);
    zf_text_html(out, name);
    fputs(code ? "</dt><dd><code>" : "</dt><dd>", out);
    zf_text_html(out, value);
    fputs(code ? "</code></dd>\n" : "</dd>\n", out);
}

static void write_facts(FILE *out, const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "parameters"), *item;
    int shown = 0;

    fputs("<details class=\"facts\"><summary>How this was made", out);
    cJSON_ArrayForEach(item, list)
    {
        if (shown++ == FACTS_IN_SIGHT)
            break;
        fputs(shown == 1 ? ": " : ", ", out);
        zf_text_html(out, zf_text_of(item, "name"));
        fputs(" ", out);
        zf_text_html(out, zf_text_of(item, "value"));
    }
    fputs("</summary><dl>\n", out);
    cJSON_ArrayForEach(item, list)
    {
        write_fact(out, zf_text_of(item, "name"), zf_text_of(item, "value"), false);
    }
    if (*zf_text_of(root, "command"))
        write_fact(out, "Made by", zf_text_of(root, "command"), true);
    fputs("</dl></details>\n", out);
}

static void write_text(FILE *out, const char *name, const char *text)
{
    if (!text)
        return;
    fprintf(out, "<p class=\"%s\">", name);
    zf_text_html(out, text);
    fputs("</p>\n", out);
}

/* The heading of the part that begins with a section. */
static void write_part(FILE *out, const struct zf_section *section)
{
    if (!section->part)
        return;
    fputs("<h2 class=\"part\">", out);
    zf_text_html(out, section->part);
    fputs("</h2>\n", out);
    write_text(out, "question", section->question);
}

static enum zf_status write_section(FILE *out, const struct page *page,
                                    const struct zf_section *section, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(section->root, "blocks"), *block;
    const bool alone = page->count == 1 && !page->lead;
    const struct zf_block_place place = {out, section->directory, alone ? 2 : 4, alone,
                                         page->beside};
    const struct zf_dress *dress = dress_of(page);
    const size_t replaced = dress ? dress->count : 0;
    size_t at = 0;

    if (!alone)
        write_part(out, section);
    fprintf(out, "<section id=\"%s\">\n", section->id);
    if (!alone) {
        fputs("<h3>", out);
        zf_text_html(out, zf_text_of(section->root, "title"));
        fputs("</h3>\n", out);
        write_text(out, "headline", section->headline);
        zf_links_write(out, section->root, section->home);
    }
    write_text(out, "note", section->note);
    write_facts(out, section->root);
    for (block = list ? list->child : NULL; block; block = block->next) {
        if (at < replaced && dress->replaced[at].first == block) {
            fputs(at == 0 && dress->before ? dress->before : "", out);
            fputs(dress->replaced[at].html, out);
            for (size_t i = 1; i < dress->replaced[at].count && block->next; i++)
                block = block->next;
            at++;
        } else {
            ZF_CHECK(zf_block_write(&place, block, err));
            if (zf_beside_overflows(page->beside))
                return ZF_OK;
        }
    }
    fputs("</section>\n", out);
    fputs(dress && dress->after ? dress->after : "", out);
    if (script_of(page))
        fprintf(out, "<script>%s</script>\n", script_of(page));
    return ZF_OK;
}

/* ---- The page. ---- */

/* The text of the page's one <style>: the files, and the sizes of what will stand below. Free with
   free(). */
static enum zf_status make_style(const struct page *page, char **style, struct zf_error *err)
{
    static const char *const files[] = {"colours.css", "page.css", "document.css", "chart.css"};
    const struct zf_dress *dress = dress_of(page);
    struct zf_sizes sizes = {0};
    size_t size = 0;
    FILE *out = open_memstream(style, &size);

    if (!out)
        return zf_no_memory(err, "a page's style");
    for (size_t i = 0; i < ZF_COUNT(files); i++)
        fputs(zf_web_file(files[i]), out);
    if (dress) {
        fputs(zf_web_file(dress->style), out);
        sizes = dress->sizes;
    }
    for (size_t i = 0; i < page->count; i++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(page->sections[i].root, "blocks");
        const cJSON *block;

        cJSON_ArrayForEach(block, list)
        {
            zf_block_sizes(block, &sizes);
        }
    }
    zf_sizes_css(out, &sizes);
    if (fclose(out) != 0) {
        free(*style);
        *style = NULL;
        return zf_no_memory(err, "a page's style");
    }
    return ZF_OK;
}

static enum zf_status write_page(const struct page *page, const char *path, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_output out = {0};
    struct zf_template body;

    ZF_TRY(zf_output_open(&out, path, err));
    body = (struct zf_template){.stream = out.stream,
                                .rest = zf_web_file("document.html"),
                                .fields = fields,
                                .field_count = ZF_COUNT(fields),
                                .user = page};
    zf_template_write(&body, "body");
    for (size_t i = 0; i < page->count; i++) {
        ZF_TRY(write_section(out.stream, page, &page->sections[i], err));
        if (zf_beside_overflows(page->beside))
            goto fail;
    }
    zf_template_write(&body, NULL);
    ZF_TRY(zf_output_commit(&out, err));
fail:
    zf_output_discard(&out);
    return status;
}

enum zf_status zf_sections_write(const char *path, const char *title, const char *lead,
                                 const struct zf_section *sections, size_t count,
                                 struct zf_beside *beside, struct zf_error *err)
{
    struct page page = {title, lead, sections, count, NULL, beside};
    enum zf_status status;
    char *style = NULL;

    ZF_TRY(make_style(&page, &style, err));
    page.style = style;
    ZF_TRY(write_page(&page, path, err));
    if (zf_beside_overflows(beside)) {
        beside->used = true;
        ZF_TRY(write_page(&page, path, err));
    }
fail:
    free(style);
    return status;
}
