/* SPDX-License-Identifier: MIT */
#include "model/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "zf/model.h"

enum { MOST_BYTES = 16 << 20, MOST_LABELS = 1 << 20, WNID = 9 /* n01440764 */ };

void zf_labels_release(struct zf_labels *labels)
{
    for (int64_t k = 0; k < labels->count; k++)
        zf_free(labels->items[k]);
    zf_free(labels->items);
    *labels = (struct zf_labels){0};
}

static enum zf_status no_memory(const char *name, struct zf_error *err)
{
    return zf_fail(err, ZF_ENOMEM, "%s: no memory for its labels", name);
}

/* Room for `count` labels, none of which is there yet. */
static enum zf_status make_room(struct zf_labels *labels, int64_t count, const char *name,
                                struct zf_error *err)
{
    if (count > MOST_LABELS)
        return zf_fail(err, ZF_EINPUT, "%s holds %" PRId64 " labels, more than the limit of %d",
                       name, count, MOST_LABELS);
    labels->items = zf_alloc((size_t)count, sizeof *labels->items);
    labels->count = labels->items ? count : 0;
    return labels->items ? ZF_OK : no_memory(name, err);
}

/* ---- Lines ---- */

/* How much of a line is "n01440764 " or "n01440764<tab>"; 0 where no name follows. */
static size_t wnid_prefix(const char *line)
{
    if (line[0] != 'n' || strspn(line + 1, "0123456789") != WNID - 1 ||
        (line[WNID] != ' ' && line[WNID] != '\t') || line[WNID + 1] == '\0')
        return 0;
    return WNID + 1;
}

/* Behind a class's number in a list of WordNet's, the name is what a person reads. */
static void drop_wnids(struct zf_labels *labels)
{
    for (int64_t k = 0; k < labels->count; k++) {
        if (wnid_prefix(labels->items[k]) == 0)
            return;
    }
    for (int64_t k = 0; k < labels->count; k++) {
        char *item = labels->items[k];
        const size_t prefix = wnid_prefix(item);

        memmove(item, item + prefix, strlen(item + prefix) + 1);
    }
}

/* Ends of lines are \n, \r\n or \r. Empty lines at the end are no labels; others are. */
static enum zf_status parse_lines(char *text, const char *name, struct zf_labels *labels,
                                  struct zf_error *err)
{
    size_t length = strlen(text);
    int64_t count = 1;
    char *line = text;

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    for (const char *p = text; *p; p++)
        count += *p == '\n' || (*p == '\r' && p[1] != '\n');
    ZF_CHECK(make_room(labels, count, name, err));
    for (int64_t k = 0; k < count; k++) {
        const size_t end = strcspn(line, "\r\n");
        char *next = line + end + (line[end] == '\r' && line[end + 1] == '\n') + 1;

        line[end] = '\0';
        if (!(labels->items[k] = zf_strdup(line)))
            return no_memory(name, err);
        line = next;
    }
    drop_wnids(labels);
    return ZF_OK;
}

/* ---- JSON ---- */

/* A name, or a pair of WordNet's number and the name as Keras has it; NULL for anything else. */
static const char *text_of(const cJSON *item)
{
    if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2)
        item = cJSON_GetArrayItem(item, 1);
    return cJSON_GetStringValue(item);
}

/* Whole numbers in decimal only; -1 for anything else. */
static int64_t index_of(const char *text)
{
    const size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < 8 && text[digits] == '\0' ? strtoll(text, NULL, 10) : -1;
}

/* The index and the name of a member: {"0": "tench"}, or {"tench": 0}. */
static const char *member_of(const cJSON *item, int64_t *index)
{
    if (cJSON_IsNumber(item)) {
        *index = item->valuedouble >= 0 && item->valuedouble < MOST_LABELS &&
                         item->valuedouble == (double)(int64_t)item->valuedouble
                     ? (int64_t)item->valuedouble
                     : -1;
        return item->string;
    }
    *index = index_of(item->string);
    return text_of(item);
}

static enum zf_status take_json(const cJSON *json, const char *name, struct zf_labels *labels,
                                struct zf_error *err)
{
    const int64_t count = cJSON_GetArraySize(json);
    const cJSON *item;
    int64_t next = 0;

    if (count == 0)
        return zf_fail(err, ZF_EINPUT, "%s holds no labels", name);
    ZF_CHECK(make_room(labels, count, name, err));
    cJSON_ArrayForEach(item, json)
    {
        int64_t index = next++;
        const char *text = cJSON_IsObject(json) ? member_of(item, &index) : text_of(item);

        if (!text || index < 0 || index >= count || labels->items[index])
            return zf_fail(err, ZF_EINPUT,
                           "%s: entry %" PRId64
                           " is no label: a list of names is expected, or a map of the "
                           "indices 0 to %" PRId64 " and names",
                           name, next, count - 1);
        if (!(labels->items[index] = zf_strdup(text)))
            return no_memory(name, err);
    }
    return ZF_OK;
}

static enum zf_status parse_json(const char *text, const char *name, struct zf_labels *labels,
                                 struct zf_error *err)
{
    enum zf_status status;
    cJSON *json;
    const cJSON *map; /* of a config.json */

    if (zf_json_parse(text, strlen(text), &json, NULL) == ZF_ENOMEM)
        return no_memory(name, err);
    map = cJSON_GetObjectItemCaseSensitive(json, "id2label");
    if (!json)
        return zf_fail(err, ZF_EINPUT, "%s: begins like JSON, but is not", name);
    status = take_json(cJSON_IsObject(map) ? map : json, name, labels, err);
    cJSON_Delete(json);
    return status;
}

/* ---- Either ---- */

static bool is_json(const char *text)
{
    const char first = text[strspn(text, " \t\r\n")];

    return first == '[' || first == '{';
}

enum zf_status zf_labels_parse(const struct zf_bytes *file, const char *name,
                               struct zf_labels *labels, struct zf_error *err)
{
    enum zf_status status;
    const bool marked = file->size >= 3 && memcmp(file->data, "\xEF\xBB\xBF", 3) == 0;
    const size_t begin = marked ? 3 : 0, size = file->size - begin;
    struct zf_labels read = {0};
    char *text;

    if (file->size >= 2 &&
        (memcmp(file->data, "\xFF\xFE", 2) == 0 || memcmp(file->data, "\xFE\xFF", 2) == 0))
        return zf_fail(err, ZF_EINPUT, "%s is written in UTF-16; save it as UTF-8", name);
    if (size == 0 || memchr(file->data + begin, '\0', size))
        return zf_fail(err, ZF_EINPUT, "%s %s", name,
                       size == 0 ? "holds no labels"
                                 : "holds a zero byte: this is not a text file");
    text = zf_alloc_raw(size + 1, 1);
    if (!text)
        return no_memory(name, err);
    memcpy(text, file->data + begin, size);
    text[size] = '\0';
    status =
        is_json(text) ? parse_json(text, name, &read, err) : parse_lines(text, name, &read, err);
    zf_free(text);
    if (status == ZF_OK)
        *labels = read;
    else
        zf_labels_release(&read);
    return status;
}

/* ---- For a net ---- */

static bool is_background(const char *label)
{
    return strcasecmp(label, "background") == 0 || strcasecmp(label, "dummy") == 0 ||
           strcasecmp(label, "__background__") == 0;
}

static enum zf_status miscounted(const struct zf_labels *labels, const char *path, int64_t classes,
                                 struct zf_error *err)
{
    const bool first = is_background(labels->items[0]);

    if (labels->count == classes + 1 && first)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %" PRId64 " labels for %" PRId64
                       " classes: its first, \"%s\", is an output that "
                       "TensorFlow's nets have and this one has not; take that line out",
                       path, labels->count, classes, labels->items[0]);
    if (labels->count + 1 == classes && !first)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %" PRId64 " labels for %" PRId64
                       " classes: TensorFlow's nets have one output more, the "
                       "first; if this is one, put a line \"background\" before the others",
                       path, labels->count, classes);
    return zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " labels for %" PRId64 " classes", path,
                   labels->count, classes);
}

/* A yes or no may be named by what the yes is. */
static enum zf_status name_yes(struct zf_net *net, const char *yes, struct zf_error *err)
{
    char *no = zf_format("not %s", yes);
    enum zf_status status = no ? zf_net_set_labels(net, (const char *const[]){no, yes}, err)
                               : zf_fail(err, ZF_ENOMEM, "out of memory");

    zf_free(no);
    return status;
}

enum zf_status zf_net_load_labels(struct zf_net *net, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};
    struct zf_labels labels = {0};

    ZF_TRY(zf_bytes_map(&file, path, MOST_BYTES, err));
    ZF_TRY(zf_labels_parse(&file, path, &labels, err));
    if (labels.count == 1 && zf_net_output_count(net) == 1 && zf_net_class_count(net) == 2) {
        status = name_yes(net, labels.items[0], err);
        goto fail;
    }
    if (labels.count != zf_net_class_count(net)) {
        status = miscounted(&labels, path, zf_net_class_count(net), err);
        goto fail;
    }
    ZF_TRY(zf_net_set_labels(net, (const char *const *)labels.items, err));
fail:
    zf_labels_release(&labels);
    zf_bytes_release(&file);
    return status;
}
