/* SPDX-License-Identifier: MIT */
/*
 * Labels of lists and maps: JSON; what Python prints of either; and YAML's "names:", with a list, a
 * map, or an item a line below. The latter two are written as JSON first.
 */
#include "model/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"

enum { MOST_LABELS = 1 << 20 };

/* ---- JSON ---- */

/* A name; a pair of WordNet's number and the name, as Keras has it; or what is called "name" or
   "label" in an object. NULL for anything else. */
static const char *text_of(const cJSON *item)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");

    if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2)
        item = cJSON_GetArrayItem(item, 1);
    else if (cJSON_IsObject(item))
        item = name ? name : cJSON_GetObjectItemCaseSensitive(item, "label");
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
    ZF_CHECK(zf_labels_make_room(labels, count, name, err));
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
            return zf_no_memory(err, "the labels of %s", name);
    }
    return ZF_OK;
}

/* Where the labels are, in a file that holds more: timm's and Hugging Face's config.json, Teachable
   Machine's metadata.json and their like. */
static const cJSON *find_list(const cJSON *json)
{
    static const char *const keys[] = {"id2label",     "label_names", "labels",
                                       "names",        "class_names", "classes",
                                       "class_to_idx", "label2id",    "categories"};

    for (size_t k = 0; k < ZF_COUNT(keys); k++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, keys[k]);

        if (cJSON_IsObject(item) || cJSON_IsArray(item))
            return item;
    }
    return json;
}

/* ---- As JSON ---- */

struct writer {
    char *text;
    size_t size, room;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t size)
{
    if (writer->text && size < writer->room - writer->size) {
        memcpy(writer->text + writer->size, bytes, size);
        writer->size += size;
        writer->text[writer->size] = '\0';
    }
}

static void write_string(struct writer *writer, const char *bytes, size_t size)
{
    write_bytes(writer, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            write_bytes(writer, "\\", 1);
        if ((unsigned char)bytes[i] >= ' ')
            write_bytes(writer, bytes + i, 1);
    }
    write_bytes(writer, "\"", 1);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The scalar at `at`, of which a bare one ends at any of `ends`; written as a number where it is
   one and no key. Returns where it ends; NULL for a quote without its second. */
static const char *write_scalar(struct writer *writer, const char *at, const char *ends)
{
    const char quote = *at;
    const char *end;
    size_t size;

    if (quote == '\'' || quote == '"') {
        write_bytes(writer, "\"", 1);
        for (at++; *at != quote || at[1] == quote; at++) {
            at += (*at == '\\' || *at == quote) && at[1];
            if (!*at)
                return NULL;
            if (*at == '"' || *at == '\\')
                write_bytes(writer, "\\", 1);
            write_bytes(writer, at, 1);
        }
        write_bytes(writer, "\"", 1);
        return at + 1;
    }
    end = at + strcspn(at, ends);
    size = (size_t)(end - at);
    while (size > 0 && is_blank(at[size - 1]))
        size--;
    if (*end != ':' && strspn(at, "0123456789") == size)
        write_bytes(writer, at, size);
    else
        write_string(writer, at, size);
    return end;
}

/* A list or a map on any number of lines; a comma at its end is left out. */
static bool write_flow(struct writer *writer, const char *at)
{
    int depth = 0;

    for (;;) {
        while (is_blank(*at))
            at++;
        if (*at == '\0')
            return false;
        if (*at == '[' || *at == '{') {
            depth++;
            write_bytes(writer, at++, 1);
        } else if (*at == ']' || *at == '}') {
            if (writer->size > 0 && writer->text && writer->text[writer->size - 1] == ',')
                writer->size--;
            write_bytes(writer, at++, 1);
            if (--depth <= 0)
                return true;
        } else if (*at == ',' || *at == ':') {
            write_bytes(writer, at++, 1);
        } else if (!(at = write_scalar(writer, at, ",:[]{}\n"))) {
            return false;
        }
    }
}

/* Lines of "- name" or "0: name", indented or not, up to one of something else. */
static bool write_block(struct writer *writer, const char *line)
{
    const char *first = NULL;

    while (*line) {
        const char *at = line + strspn(line, " \t"), *next = line + strcspn(line, "\n");
        const bool item = at[0] == '-' && at[1] == ' ';
        bool bare;

        line = *next ? next + 1 : next;
        if (is_blank(*at) || *at == '#' || *at == '\0')
            continue;
        if (!item && (at == first || strspn(at, "0123456789") == 0))
            break;
        write_bytes(writer, first ? "," : item ? "[" : "{", 1);
        first = first ? first : item ? "]" : "}";
        at += item ? 1 : 0;
        at += strspn(at, " \t");
        if (!item) {
            at = write_scalar(writer, at, ":\n");
            if (*at != ':')
                return false;
            write_bytes(writer, ":", 1);
            at += 1 + strspn(at + 1, " \t");
        }
        bare = *at != '\'' && *at != '"';
        if (bare) {
            size_t size = strcspn(at, "\r\n#");

            while (size > 0 && is_blank(at[size - 1]))
                size--;
            write_string(writer, at, size);
        } else if (!write_scalar(writer, at, "\n")) {
            return false;
        }
    }
    if (first)
        write_bytes(writer, first, 1);
    return first != NULL;
}

/* Behind "names:" at the beginning of a line; NULL where there is none. */
static const char *find_names(const char *text)
{
    while (text && strncmp(text, "names:", 6) != 0) {
        text = strchr(text, '\n');
        text += text ? 1 : 0;
    }
    return text ? text + 6 : NULL;
}

/* What is no JSON, as JSON; NULL for text of neither form. *short_of says that memory is. */
static char *as_json(const char *text, bool *short_of)
{
    const char *names = find_names(text), *at = names ? names : text;
    struct writer writer = {.room = 4 * strlen(text) + 16};
    bool fits;

    at += strspn(at, " \t\r");
    writer.text = zf_alloc_raw(writer.room, 1);
    *short_of = writer.text == NULL;
    if (!writer.text)
        return NULL;
    writer.text[0] = '\0';
    if (names && *at == '\n')
        fits = write_block(&writer, at + 1);
    else
        fits = write_flow(&writer, at + strspn(at, "\n"));
    if (fits)
        return writer.text;
    zf_free(writer.text);
    return NULL;
}

/* ---- Either ---- */

bool zf_labels_are_tree(const char *text)
{
    const char first = text[strspn(text, " \t\r\n")];

    return first == '[' || first == '{' || find_names(text) != NULL;
}

enum zf_status zf_labels_of_tree(const char *text, const char *name, struct zf_labels *labels,
                                 struct zf_error *err)
{
    enum zf_status status;
    bool short_of = false;
    cJSON *json = NULL;
    char *written;

    status = zf_json_parse(text, strlen(text), &json, NULL);
    if (status != ZF_OK && status != ZF_ENOMEM) {
        written = as_json(text, &short_of);
        if (written)
            status = zf_json_parse(written, strlen(written), &json, NULL);
        zf_free(written);
    }
    if (status == ZF_ENOMEM || short_of)
        return zf_no_memory(err, "the labels of %s", name);
    if (!json)
        return zf_fail(err, ZF_EINPUT, "%s: begins like a list of names, but is none", name);
    status = take_json(find_list(json), name, labels, err);
    cJSON_Delete(json);
    return status;
}
