/* SPDX-License-Identifier: MIT */
#include "model/labels.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include <glib.h>

#include "base/memory.h"
#include "base/status.h"
#include "zf/model.h"

enum { MOST_BYTES = 16 << 20, MOST_LABELS = 1 << 20 };

void zf_labels_release(struct zf_labels *labels)
{
    for (int64_t k = 0; k < labels->count; k++)
        zf_free(labels->items[k]);
    zf_free(labels->items);
    *labels = (struct zf_labels){0};
}

enum zf_status zf_labels_make_room(struct zf_labels *labels, int64_t count, const char *name,
                                   struct zf_error *err)
{
    if (count > MOST_LABELS)
        return zf_fail(err, ZF_EINPUT, "%s holds %" PRId64 " labels, more than the limit of %d",
                       name, count, MOST_LABELS);
    labels->items = zf_alloc((size_t)count, sizeof *labels->items);
    labels->count = labels->items ? count : 0;
    return labels->items ? ZF_OK : zf_no_memory(err, "the labels of %s", name);
}

static char *from_utf16(const struct zf_bytes *file)
{
    const bool big_endian = file->data[0] == 0xFE;
    const size_t count = file->size / 2 - 1;
    gunichar2 *units = zf_alloc(count + 1, sizeof *units);
    gchar *text = NULL;
    char *copy = NULL;

    for (size_t i = 0; units && i < count; i++) {
        const uint8_t *unit = file->data + 2 * (i + 1);

        units[i] = (gunichar2)(big_endian ? unit[0] << 8 | unit[1] : unit[1] << 8 | unit[0]);
    }
    if (units)
        text = g_utf16_to_utf8(units, (glong)count, NULL, NULL, NULL);
    if (text)
        copy = zf_strdup(text);
    g_free(text);
    zf_free(units);
    return copy;
}

static bool is_utf16(const struct zf_bytes *file)
{
    return file->size >= 2 &&
           (memcmp(file->data, "\xFF\xFE", 2) == 0 || memcmp(file->data, "\xFE\xFF", 2) == 0);
}

/* The file as text in UTF-8, or in whatever its bytes are, without its mark. */
static enum zf_status read_text(const struct zf_bytes *file, const char *name, char **text,
                                struct zf_error *err)
{
    const bool marked = file->size >= 3 && memcmp(file->data, "\xEF\xBB\xBF", 3) == 0;
    const size_t begin = marked ? 3 : 0, size = file->size - begin;

    if (is_utf16(file)) {
        *text = from_utf16(file);
        return *text ? ZF_OK : zf_fail(err, ZF_EINPUT, "%s: damaged UTF-16", name);
    }
    if (size == 0 || memchr(file->data + begin, '\0', size))
        return zf_fail(err, ZF_EINPUT, "%s %s", name,
                       size == 0 ? "holds no labels"
                                 : "holds a zero byte: this is not a text file");
    *text = zf_alloc_raw(size + 1, 1);
    if (!*text)
        return zf_no_memory(err, "the labels of %s", name);
    memcpy(*text, file->data + begin, size);
    (*text)[size] = '\0';
    return ZF_OK;
}

enum zf_status zf_labels_parse(const struct zf_bytes *file, const char *name, int64_t expected,
                               struct zf_labels *labels, struct zf_error *err)
{
    enum zf_status status;
    struct zf_labels read = {0};
    char *text = NULL;

    ZF_CHECK(read_text(file, name, &text, err));
    if (zf_labels_are_tree(text))
        status = zf_labels_of_tree(text, name, &read, err);
    else
        status = zf_labels_of_lines(text, name, expected, &read, err);
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
    ZF_TRY(zf_labels_parse(&file, path, zf_net_class_count(net), &labels, err));
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
