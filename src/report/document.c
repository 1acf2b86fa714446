/* SPDX-License-Identifier: MIT */
#include "report/document.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "report/chart.h"
#include "report/text.h"

struct zf_document {
    char *directory;
    cJSON *root;
};

/* ---- The object. ---- */

cJSON *zf_document_root(const char *kind, const char *title, const char *command)
{
    cJSON *root = cJSON_CreateObject();

    if (cJSON_AddItemToObject(root, "kind", zf_json_text(kind)) &&
        cJSON_AddItemToObject(root, "title", zf_json_text(title)) &&
        cJSON_AddItemToObject(root, "command", zf_json_text(command)) &&
        cJSON_AddArrayToObject(root, "parameters") && cJSON_AddArrayToObject(root, "blocks"))
        return root;
    cJSON_Delete(root);
    return NULL;
}

static bool add_member(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddItemToObject(object, key, zf_json_text(text));
}

static bool add_number(cJSON *object, const char *key, double value)
{
    return cJSON_AddNumberToObject(object, key, value) != NULL;
}

/* What is not complete does not stay. */
static bool add_to(cJSON *root, const char *list, cJSON *item, bool complete)
{
    if (complete && cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(root, list), item))
        return true;
    cJSON_Delete(item);
    return false;
}

bool zf_document_add_text(cJSON *root, const char *type, const char *text)
{
    cJSON *block = cJSON_CreateObject();

    return add_to(root, "blocks", block,
                  add_member(block, "type", type) && add_member(block, "text", text));
}

bool zf_document_add_parameter(cJSON *root, const char *name, const char *value)
{
    cJSON *parameter = cJSON_CreateObject();

    return add_to(root, "parameters", parameter,
                  add_member(parameter, "name", name) && add_member(parameter, "value", value));
}

bool zf_document_add_picture(cJSON *root, const char *file, const char *caption, int64_t width,
                             int64_t height)
{
    cJSON *block = cJSON_CreateObject();

    return add_to(root, "blocks", block,
                  add_member(block, "type", "picture") && add_member(block, "file", file) &&
                      add_member(block, "caption", caption) &&
                      add_number(block, "width", (double)width) &&
                      add_number(block, "height", (double)height));
}

bool zf_document_add_charts(cJSON *root, const char *file, const char *caption,
                            const struct zf_chart *charts, size_t count, size_t columns)
{
    cJSON *block = cJSON_CreateObject(), *list;
    bool complete = add_member(block, "type", "charts") && add_member(block, "file", file) &&
                    add_member(block, "caption", caption) &&
                    add_number(block, "columns", (double)columns) &&
                    (list = cJSON_AddArrayToObject(block, "charts")) != NULL;

    for (size_t i = 0; complete && i < count; i++)
        complete = cJSON_AddItemToArray(list, zf_chart_json(&charts[i]));
    return add_to(root, "blocks", block, complete);
}

static bool add_table(cJSON *root, const struct zf_table *table)
{
    cJSON *block = cJSON_CreateObject(), *columns = NULL, *rows = NULL;
    bool complete = add_member(block, "type", "table") &&
                    add_member(block, "caption", table->caption) &&
                    (columns = cJSON_AddArrayToObject(block, "columns")) != NULL &&
                    (rows = cJSON_AddArrayToObject(block, "rows")) != NULL;

    for (size_t c = 0; complete && c < table->column_count; c++)
        complete = cJSON_AddItemToArray(columns, zf_json_text(table->columns[c]));
    for (size_t r = 0; complete && r < table->row_count; r++) {
        cJSON *row = cJSON_CreateArray();

        complete = cJSON_AddItemToArray(rows, row);
        for (size_t c = 0; complete && c < table->column_count; c++)
            complete =
                cJSON_AddItemToArray(row, zf_json_text(table->cells[r * table->column_count + c]));
    }
    return add_to(root, "blocks", block, complete);
}

/* ---- The public face. ---- */

enum zf_status zf_document_create(const char *directory, const char *kind, const char *title,
                                  const char *command, struct zf_document **out,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *made = zf_alloc(1, sizeof *made);

    if (made) {
        made->directory = zf_strdup(directory);
        made->root = zf_document_root(kind, title, command);
    }
    if (!made || !made->directory || !made->root) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the document in %s", directory);
        goto fail;
    }
    ZF_TRY(zf_directory_make(directory, err));
    *out = made;
    made = NULL;
fail:
    zf_document_free(&made);
    return status;
}

void zf_document_free(struct zf_document **document)
{
    if (!document || !*document)
        return;
    cJSON_Delete((*document)->root);
    zf_free((*document)->directory);
    zf_free(*document);
    *document = NULL;
}

static enum zf_status added(const struct zf_document *document, bool done, struct zf_error *err)
{
    return done ? ZF_OK
                : zf_fail(err, ZF_ENOMEM, "out of memory for the document in %s",
                          document->directory);
}

enum zf_status zf_document_parameter(struct zf_document *document, const char *name,
                                     const char *value, struct zf_error *err)
{
    return added(document, zf_document_add_parameter(document->root, name, value), err);
}

enum zf_status zf_document_heading(struct zf_document *document, const char *text,
                                   struct zf_error *err)
{
    return added(document, zf_document_add_text(document->root, "heading", text), err);
}

enum zf_status zf_document_paragraph(struct zf_document *document, const char *text,
                                     struct zf_error *err)
{
    return added(document, zf_document_add_text(document->root, "paragraph", text), err);
}

enum zf_status zf_document_table(struct zf_document *document, const struct zf_table *table,
                                 struct zf_error *err)
{
    return added(document, add_table(document->root, table), err);
}

enum zf_status zf_document_picture(struct zf_document *document, const char *file,
                                   const char *caption, const struct zf_picture *picture,
                                   struct zf_error *err)
{
    enum zf_status status;
    char *path = zf_path_join(document->directory, file);

    ZF_TRY(added(document, path != NULL, err));
    ZF_TRY(zf_picture_save_png(picture, path, err));
    ZF_TRY(added(
        document,
        zf_document_add_picture(document->root, file, caption, picture->width, picture->height),
        err));
fail:
    zf_free(path);
    return status;
}

enum zf_status zf_document_charts(struct zf_document *document, const char *file,
                                  const char *caption, const struct zf_chart *charts, size_t count,
                                  size_t columns, struct zf_error *err)
{
    enum zf_status status;
    char *path = zf_path_join(document->directory, file);
    struct zf_output out = {0};

    ZF_TRY(added(document, path != NULL, err));
    ZF_TRY(zf_output_open(&out, path, err));
    zf_charts_write(out.stream, charts, count, columns);
    ZF_TRY(zf_output_commit(&out, err));
    ZF_TRY(added(
        document,
        zf_document_add_charts(document->root, file, caption, charts, count, columns ? columns : 1),
        err));
fail:
    zf_output_discard(&out);
    zf_free(path);
    return status;
}

/* ---- Files. ---- */

/* The members of `json`, then the document's own. */
static enum zf_status merge(const struct zf_document *document, const char *json, char **text,
                            struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    cJSON *merged = json ? cJSON_Parse(json) : cJSON_CreateObject();
    const cJSON *member;

    if (!cJSON_IsObject(merged)) {
        status = zf_fail(err, ZF_EINVAL, "the figures of the document in %s are no JSON object",
                         document->directory);
        goto fail;
    }
    cJSON_ArrayForEach(member, document->root)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(merged, member->string);
        ZF_TRY(added(document,
                     cJSON_AddItemToObject(merged, member->string, cJSON_Duplicate(member, true)),
                     err));
    }
    *text = cJSON_Print(merged);
    ZF_TRY(added(document, *text != NULL, err));
fail:
    cJSON_Delete(merged);
    return status;
}

enum zf_status zf_document_save(struct zf_document *document, const char *json,
                                struct zf_error *err)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(document->root, "kind"));
    const char *title = cJSON_GetStringValue(cJSON_GetObjectItem(document->root, "title"));
    const struct zf_section section = {document->root, document->directory, "top"};
    enum zf_status status;
    char *name = zf_format("%s.json", kind), *text = NULL;
    char *json_path = name ? zf_path_join(document->directory, name) : NULL;
    char *page_path = zf_path_join(document->directory, "index.html");

    ZF_TRY(added(document, json_path && page_path, err));
    ZF_TRY(merge(document, json, &text, err));
    ZF_TRY(zf_sections_write(page_path, title, NULL, &section, 1, err));
    ZF_TRY(zf_file_write(json_path, text, strlen(text), err));
fail:
    cJSON_free(text);
    zf_free(page_path);
    zf_free(json_path);
    zf_free(name);
    return status;
}
