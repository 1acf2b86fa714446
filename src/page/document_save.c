/* SPDX-License-Identifier: MIT */
/* A document's files: the page, and the JSON that a report is made from. */
#include "page/document.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

static enum zf_status print(cJSON *object, bool complete, bool spread, char **text,
                            struct zf_error *err)
{
    char *printed = !complete ? NULL
                    : spread  ? zf_json_sound(cJSON_Print(object))
                              : zf_json_sound(cJSON_PrintUnformatted(object));

    *text = printed ? zf_strdup(printed) : NULL;
    cJSON_free(printed);
    cJSON_Delete(object);
    return *text ? ZF_OK : zf_no_memory(err, "JSON");
}

/* The members of `from`, which go on being its own. */
static bool refer_to(cJSON *object, const cJSON *from)
{
    for (cJSON *member = from->child; member; member = member->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(object, member->string);
        if (!cJSON_AddItemReferenceToObject(object, member->string, member))
            return false;
    }
    return true;
}

enum zf_status zf_document_json(const struct zf_document *document, char **text,
                                struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject();
    bool complete =
        object && !document->numbers.failed && refer_to(object, document->numbers.at[0]);

    if (complete && document->seconds >= 0) {
        struct zf_json json = {.at = {object}, .depth = 1};

        zf_json_real(&json, "seconds", document->seconds);
        complete = !json.failed;
    }
    return print(object, complete, false, text, err);
}

/* The first failure of all calls, if there was one. */
static enum zf_status failure(const struct zf_document *document, struct zf_error *err)
{
    if (zf_document_stands(document))
        return ZF_OK;
    if (err)
        *err = document->failure;
    return document->failure.status;
}

void zf_document_single_file(struct zf_document *document)
{
    document->single_file = true;
}

enum zf_status zf_document_write_page(struct zf_document *document, const char *note,
                                      struct zf_error *err)
{
    const char *title = cJSON_GetStringValue(cJSON_GetObjectItem(document->root, "title"));
    const struct zf_section section = {.root = document->root,
                                       .directory = document->directory,
                                       .id = "top",
                                       .note = note,
                                       .dress = document->dress.style ? &document->dress : NULL};
    char *page = zf_document_place(document, "index.html");
    char *folder = zf_document_place(document, "pictures");
    struct zf_beside beside = {.folder = folder, .address = "pictures"};
    enum zf_status status = failure(document, err);

    if (status == ZF_OK)
        status = zf_sections_write(page, title, NULL, &section, 1,
                                   document->single_file ? NULL : &beside, err);
    zf_free(folder);
    zf_free(page);
    return status;
}

enum zf_status zf_document_save(struct zf_document *document, struct zf_error *err)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(document->root, "kind"));
    cJSON *merged = cJSON_CreateObject();
    char *text = NULL, *name = zf_format("%s.json", kind);
    char *path = name ? zf_document_place(document, name) : NULL;
    enum zf_status status;

    if (!name)
        zf_document_fail(document, ZF_ENOMEM, NULL);
    status = print(merged,
                   !document->numbers.failed && refer_to(merged, document->numbers.at[0]) &&
                       refer_to(merged, document->root),
                   true, &text, err);
    if (!zf_document_stands(document))
        status = failure(document, err);
    ZF_TRY(status);
    ZF_TRY(zf_document_write_page(document, NULL, err));
    ZF_TRY(zf_file_write(path, text, strlen(text), err));
fail:
    zf_free(text);
    zf_free(path);
    zf_free(name);
    return status;
}
