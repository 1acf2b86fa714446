/* SPDX-License-Identifier: MIT */
/* From the layers to a net: the spec that says them, and their parameters in its slots. */
#include "assemble.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define LONGEST_ID 49
#define LONGEST_NAME 120 /* of `name` and `aka`: a line of a spec has 160 characters */
#define LONGEST_TEXT 512 /* of what is added at once */

/* ---- The spec ---- */

struct text {
    char *data;
    size_t size, capacity;
    bool failed;
};

static void add_text(struct text *text, const char *format, ...) ZF_PRINTF(2, 3);

static void add_text(struct text *text, const char *format, ...)
{
    char line[LONGEST_TEXT];
    void *data = text->data;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (text->failed || length < 0 || (size_t)length >= sizeof line ||
        !zf_grow(&data, &text->capacity, text->size + (size_t)length + 1, 1)) {
        text->failed = true;
        return;
    }
    text->data = data;
    memcpy(text->data + text->size, line, (size_t)length + 1);
    text->size += (size_t)length;
}

static bool is_plain(const char *name, size_t longest)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] <= ' ' || (unsigned char)name[i] >= 127)
            return false;
    }
    return length > 0 && length <= longest && !strpbrk(name, ",];\"'\\=#");
}

/*
 * The names of sections that are taken, by their hash: thousands of nodes may have one name. Each
 * remembers how many copies of it there are, so that none is tried twice.
 */
struct id {
    char text[sizeof((struct zf_import_layer *)NULL)->id];
    unsigned copies;
};

struct ids {
    struct id *slots; /* an empty text is free */
    size_t capacity;  /* a power of two, more than all names together */
};

static struct id *find_id(const struct ids *ids, const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t at;

    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    for (at = hash & (ids->capacity - 1); *ids->slots[at].text; at = (at + 1) & (ids->capacity - 1))
        if (strcmp(ids->slots[at].text, text) == 0)
            break;
    return &ids->slots[at];
}

/* `wanted`, or "wanted_2" and so on where that is taken, which it is from now on. */
static void take_id(const struct ids *ids, const char *wanted, char *out, size_t size)
{
    struct id *first, *found;

    snprintf(out, size, "%.43s", wanted);
    first = found = find_id(ids, out);
    while (*found->text) {
        snprintf(out, size, "%.43s_%u", wanted, ++first->copies % 100000);
        found = find_id(ids, out);
    }
    snprintf(found->text, sizeof found->text, "%s", out);
    found->copies = 1;
}

static enum zf_status ids_init(struct ids *ids, const struct zf_import *import)
{
    static const char *const sections[] = {"net", "train", "input"};
    char taken[sizeof ids->slots->text];

    ids->capacity = 16;
    while (ids->capacity < 2 * (import->layer_count + ZF_COUNT(sections) + 1))
        ids->capacity *= 2;
    ids->slots = zf_alloc(ids->capacity, sizeof *ids->slots);
    if (!ids->slots)
        return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    for (size_t i = 0; i < ZF_COUNT(sections); i++)
        take_id(ids, sections[i], taken, sizeof taken);
    return ZF_OK;
}

/* A section's name: the node's where it can be one, "layer12" where not; made unique by a number.
   The layer is *named* after the node in both cases. */
static void choose_id(const struct ids *ids, struct zf_import_layer *layer, size_t number)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "%s%s%s", layer->name, layer->part ? "." : "",
             layer->part ? layer->part : "");
    if (!is_plain(wanted, LONGEST_ID - 6))
        snprintf(wanted, sizeof wanted, "layer%zu", number);
    take_id(ids, wanted, layer->id, sizeof layer->id);
}

static bool has_key(const struct zf_import_layer *layer, const char *key)
{
    return zf_option_find(layer->type->options, layer->type->option_count, key) != NULL;
}

static void add_names(struct text *text, const struct zf_import_layer *layer)
{
    if (strncmp(layer->id, layer->name, strlen(layer->name)) != 0 && !layer->part &&
        is_plain(layer->name, LONGEST_NAME))
        add_text(text, "name = %s\n", layer->name);
    for (size_t i = 0; i < layer->aka_count; i++) {
        if (is_plain(layer->aka[i], LONGEST_NAME) && strcmp(layer->aka[i], layer->id) != 0)
            add_text(text, "aka = %s\n", layer->aka[i]);
    }
}

/* An extent as short as it can be said. */
static void add_extents(struct text *text, const struct zf_option *option,
                        const struct zf_extents *e)
{
    int count = e->count;

    if (count == 4 && e->value[0] == e->value[2] && e->value[1] == e->value[3] &&
        e->value[0] == e->value[1])
        count = 1;
    if (count == 2 && e->value[0] == e->value[1] && strncmp(option->name, "run", 3) != 0)
        count = 1;
    if (e->count == 0)
        add_text(text, "%s = %s\n", option->name, option->choices[0]);
    else if (count == 1 && e->value[0] == (int64_t)option->initial)
        return;
    else
        add_text(text, "%s = %" PRId64, option->name, e->value[0]);
    for (int i = 1; i < count; i++)
        add_text(text, "x%" PRId64, e->value[i]);
    add_text(text, e->count ? "\n" : "");
}

/* The parameters that are not the type's defaults. */
static void add_keys(struct text *text, const struct zf_import_layer *layer)
{
    for (size_t i = 0; i < layer->type->option_count; i++) {
        const struct zf_option *option = &layer->type->options[i];
        const double number = zf_option_number(option, layer->params);

        if (option->kind == ZF_OPTION_EXTENTS)
            add_extents(text, option,
                        (const struct zf_extents *)((const char *)layer->params + option->offset));
        else if (number == option->initial || option->kind == ZF_OPTION_TEXT)
            continue;
        else if (option->kind == ZF_OPTION_CHOICE)
            add_text(text, "%s = %s\n", option->name, option->choices[(int)number]);
        else if (option->kind == ZF_OPTION_FLAG)
            add_text(text, "%s = %s\n", option->name, number != 0 ? "yes" : "no");
        else if (option->kind == ZF_OPTION_INT)
            add_text(text, "%s = %" PRId64 "\n", option->name, (int64_t)number);
        else
            add_text(text, "%s = %.9g\n", option->name, number);
    }
}

static void add_layer_text(const struct zf_import *import, struct text *text,
                           const struct zf_import_layer *layer, int above)
{
    add_text(text, "\n[%s]\ntype = %s\n", layer->id, layer->type->name);
    for (int k = 0;
         k < layer->input_count && !(layer->input_count == 1 && layer->inputs[0] == above); k++)
        add_text(text, "inputs = %s\n",
                 layer->inputs[k] == ZF_NET_INPUT ? "input" : import->layers[layer->inputs[k]].id);
    add_names(text, layer);
    add_keys(text, layer);
    if (layer->weight && !layer->bias && has_key(layer, "bias"))
        add_text(text, "bias = no\n");
}

/* The file's name without its directory and its end. */
static void net_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    char *dot;

    snprintf(name, size, "%s", slash ? slash + 1 : path);
    dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
    for (char *p = name; *p; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127 || strchr(";#=[]", *p))
            *p = '_';
    }
}

static enum zf_status write_spec(struct zf_import *import, char **out)
{
    struct text text = {0};
    struct ids ids = {0};
    char name[100];
    int above = ZF_NET_INPUT;
    size_t number = 0;
    enum zf_status status;

    ZF_TRY(ids_init(&ids, import));
    net_name(import->path, name, sizeof name);
    add_text(&text, "[net]\nname = %s\ninput = %" PRId64 "x%" PRId64 "x%" PRId64 "\n",
             *name ? name : "onnx", import->input.c, import->input.h, import->input.w);
    for (size_t i = 0; i < import->layer_count; i++) {
        if (import->layers[i].dropped)
            continue;
        choose_id(&ids, &import->layers[i], ++number);
        add_layer_text(import, &text, &import->layers[i], above);
        above = (int)i;
    }
    if (text.failed)
        ZF_LEAVE(zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path));
    *out = text.data;
    text.data = NULL;
fail:
    zf_free(text.data);
    zf_free(ids.slots);
    return status;
}

/* ---- The net ---- */

static enum zf_status check_slot(const struct zf_import *import,
                                 const struct zf_parameter_slot *slot,
                                 const struct zf_import_layer *layer)
{
    const int64_t count = slot->is_bias ? layer->bias_count : layer->weight_count;

    if (count == slot->count || (slot->is_bias && count == 0))
        return ZF_OK;
    return zf_fail(import->err, ZF_EINPUT,
                   "%s: %s has %" PRId64 " values, its layer needs %" PRId64, import->path,
                   slot->name, count, slot->count);
}

/* Layers of the net and of the import go together in order, save for those that were dropped. */
static enum zf_status for_each_slot(const struct zf_import *import, struct zf_net *net, bool fill)
{
    enum zf_status status = ZF_OK;
    int at = 0;

    for (size_t i = 0; i < import->layer_count && status == ZF_OK; i++) {
        const struct zf_import_layer *layer = &import->layers[i];
        const struct zf_layer *made = &net->layers[at];

        if (layer->dropped)
            continue;
        for (int k = 0; k < made->parameter_count && status == ZF_OK; k++) {
            const struct zf_parameter_slot *slot = &net->slots[made->first_parameter + k];
            const void *values = slot->is_bias ? layer->bias : layer->weight;

            if (!fill)
                status = check_slot(import, slot, layer);
            else if (values)
                memcpy(net->parameters + slot->offset, values,
                       sizeof *net->parameters * (size_t)slot->count);
        }
        at++;
    }
    return status;
}

/* A tensor that thousands of layers share is one in the file and thousands in the net. */
static enum zf_status check_parameters(const struct zf_import *import, const struct zf_net *net)
{
    const int64_t count = zf_net_parameter_count(net);

    if (count <= import->memory / (int64_t)sizeof *net->parameters)
        return ZF_OK;
    return zf_fail(import->err, ZF_EINPUT,
                   "%s: its layers share tensors so often that they have %" PRId64
                   " parameters, more than "
                   "a file of this size has numbers for",
                   import->path, count);
}

/* Layers that nothing of the target hangs on are left out; there may be some above it, too. */
static enum zf_status drop_unused(struct zf_import *import)
{
    bool *used = zf_alloc(import->layer_count, sizeof *used);

    if (!used)
        return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    used[import->target->value.layer] = true;
    for (size_t i = import->layer_count; i-- > 0;) {
        for (int k = 0; used[i] && k < import->layers[i].input_count; k++)
            if (import->layers[i].inputs[k] != ZF_NET_INPUT)
                used[import->layers[i].inputs[k]] = true;
        import->layers[i].dropped = !used[i];
    }
    zf_free(used);
    return ZF_OK;
}

enum zf_status zf_import_assemble(struct zf_import *import, struct zf_net **out)
{
    enum zf_status status;
    struct zf_net *net = NULL;
    char *spec = NULL;

    ZF_TRY(drop_unused(import));
    ZF_TRY(write_spec(import, &spec));
    ZF_TRY(zf_net_parse_shapes(spec, import->path, 0, &net, import->err));
    ZF_TRY(for_each_slot(import, net, false));
    ZF_TRY(check_parameters(import, net));
    ZF_TRY(zf_net_allocate(net, import->err));
    ZF_TRY(for_each_slot(import, net, true));
    *out = net;
    net = NULL;
fail:
    zf_free(spec);
    zf_net_free(&net);
    return status;
}
