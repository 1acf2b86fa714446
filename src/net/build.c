/* SPDX-License-Identifier: MIT */
/*
 * From a spec to a net: layers in order, their shapes and receptive fields inferred one after the
 * other, the parameters laid out in one array.
 */
#include "build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "net/answer.h"

#define MOST_LAYERS 4096
#define LONGEST_NAME 49               /* of a section: inih keeps no more */
#define LONGEST_AKA 4096              /* bytes: all other names of a layer */
#define MOST_CELLS (INT64_C(1) << 31) /* of one layer's output */

struct builder {
    struct zf_spec *spec;
    struct zf_net *net;
    struct zf_error *err;
    int64_t classes; /* asked for; 0 = the spec's */
    bool uses_classes;
};

/* A failure that names the place in the spec. */
static enum zf_status fail_at(const struct builder *b, const struct zf_spec_entry *entry,
                              const char *sentence)
{
    return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] %s", entry->origin, entry->line, entry->section,
                   sentence);
}

static bool is_layer_section(const char *section)
{
    return strcmp(section, "net") != 0 && strcmp(section, "train") != 0;
}

/* ---- [net] and [train] ---- */

struct net_params {
    const char *name, *input, *classes, *from;
    int resize;
    int64_t size;
    double scale;
};

static const char *const resize_choices[] = {"short", "warp", NULL};

static const struct zf_option net_options[] = {
    ZF_OPTION_ROW_TEXT(net_params, name, "", "what the net is called"),
    ZF_OPTION_ROW_TEXT(net_params, input, "CxHxW", "shape of the input"),
    ZF_OPTION_ROW_TEXT(net_params, classes, "N", "number of classes"),
    ZF_OPTION_ROW_CHOICE(net_params, resize, "", "how a picture becomes a square", ZF_RESIZE_SHORT,
                         resize_choices),
    ZF_OPTION_ROW_INT(net_params, size, "px", "side of the square that crops are taken from", 0, 1,
                      4096),
    ZF_OPTION_ROW_REAL(net_params, scale, "",
                       "multiplies input values after the mean is subtracted", 1, 1e-6, 1e6),
    ZF_OPTION_ROW_TEXT(net_params, from, "",
                       "the model that its training went on from; a record for people"),
};

/* "expected one of maps, kernel, ..." */
static enum zf_status unknown_key(const struct builder *b, const struct zf_spec_entry *entry,
                                  const struct zf_option *options, size_t count)
{
    char known[400] = "";

    for (size_t i = 0; i < count; i++)
        zf_add_name(known, sizeof known, options[i].name);
    return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] has no key '%s'; it takes %s%s%s", entry->origin,
                   entry->line, entry->section, entry->key,
                   is_layer_section(entry->section) ? "type, inputs, name, aka, frozen" : "",
                   is_layer_section(entry->section) && count ? ", " : "", known);
}

/* Keys that every layer takes, whatever its type. */
static const char *const layer_keys[] = {"type", "inputs", "name", "aka", "frozen"};

static bool is_key_of_layers(const char *key)
{
    for (size_t i = 0; i < ZF_COUNT(layer_keys); i++)
        if (strcmp(key, layer_keys[i]) == 0)
            return true;
    return false;
}

static enum zf_status read_section(const struct builder *b, const char *section,
                                   const struct zf_option *options, size_t count, void *target)
{
    const struct zf_spec_section found = zf_spec_section(b->spec, section);

    zf_options_defaults(options, count, target);
    for (size_t i = 0; i < found.count; i++) {
        const struct zf_spec_entry *entry = found.entries[i];
        const struct zf_option *option;
        struct zf_error inner;
        const char *value = entry->value;
        char number[24];

        if (is_layer_section(section) && is_key_of_layers(entry->key))
            continue;
        option = zf_option_find(options, count, entry->key);
        if (!option)
            return unknown_key(b, entry, options, count);
        if (option->kind == ZF_OPTION_INT && strcmp(value, "classes") == 0) {
            snprintf(number, sizeof number, "%" PRId64, b->net->classes);
            value = number;
        }
        if (zf_option_set(option, value, target, &inner) != ZF_OK)
            return fail_at(b, entry, inner.message);
    }
    return ZF_OK;
}

static enum zf_status read_shape(const struct builder *b, const char *text)
{
    const struct zf_spec_entry *entry = zf_spec_find(b->spec, "net", "input");
    struct zf_shape *in = &b->net->input;
    int64_t c, h, w;
    char rest;

    if (!text)
        return zf_fail(b->err, ZF_EINPUT, "%s: [net] needs input = CxHxW, such as 3x224x224",
                       b->spec->origin);
    if (sscanf(text, "%5" SCNd64 "x%5" SCNd64 "x%5" SCNd64 "%c", &c, &h, &w, &rest) != 3 || c < 1 ||
        h < 1 || w < 1 || c > 4096 || h > 4096 || w > 4096)
        return fail_at(b, entry, "input: expected CxHxW with each from 1 to 4096");
    *in = (struct zf_shape){c, h, w};
    return ZF_OK;
}

static enum zf_status read_classes(struct builder *b, const char *text)
{
    char *end = NULL;

    for (size_t i = 0; i < b->spec->count; i++)
        b->uses_classes |= is_layer_section(b->spec->entries[i].section) &&
                           strcmp(b->spec->entries[i].value, "classes") == 0;
    b->net->classes = text ? strtoll(text, &end, 10) : 0;
    if (text && (*end != '\0' || b->net->classes < 1 || b->net->classes > 1000000))
        return fail_at(b, zf_spec_find(b->spec, "net", "classes"),
                       "classes: expected a number from 1 to 1000000");
    if (b->classes > 0 && b->classes != b->net->classes && (!b->uses_classes || !text))
        return zf_fail(b->err, ZF_EINPUT,
                       "%s: cannot give the net %" PRId64 " classes, because no layer says "
                       "'maps = classes' or [net] has no 'classes'",
                       b->spec->origin, b->classes);
    if (b->uses_classes && !text)
        return zf_fail(b->err, ZF_EINPUT, "%s: a layer says 'classes', so [net] needs classes = N",
                       b->spec->origin);
    if (b->classes > 0)
        b->net->classes = b->classes;
    return ZF_OK;
}

static enum zf_status read_net(struct builder *b)
{
    struct net_params params;
    struct zf_net *net = b->net;
    size_t recipe_count;
    const struct zf_option *recipe = zf_recipe_options(&recipe_count);
    int64_t longer;

    ZF_CHECK(read_section(b, "net", net_options, ZF_COUNT(net_options), &params));
    ZF_CHECK(read_section(b, "train", recipe, recipe_count, &net->recipe));
    ZF_CHECK(read_shape(b, params.input));
    ZF_CHECK(read_classes(b, params.classes));
    longer = net->input.h > net->input.w ? net->input.h : net->input.w;
    if (params.size == 0)
        params.size = longer;
    if (params.size < longer)
        return zf_fail(b->err, ZF_EINPUT,
                       "%s: [net] size = %" PRId64
                       " is less than the input's longer side, %" PRId64,
                       b->spec->origin, params.size, longer);
    net->preparation = (struct zf_preparation){
        .resize = (enum zf_resize)params.resize,
        .size = params.size,
        .scale = {(float)params.scale, (float)params.scale, (float)params.scale},
    };
    net->name = zf_strdup(params.name ? params.name : b->spec->origin);
    net->from = params.from ? zf_strdup(params.from) : NULL;
    return net->name && (net->from || !params.from) ? ZF_OK
                                                    : zf_fail(b->err, ZF_ENOMEM, "out of memory");
}

/* ---- Layers ---- */

static enum zf_status find_type(const struct builder *b, const struct zf_spec_entry *first,
                                const struct zf_layer_type **out)
{
    const struct zf_spec_entry *entry = zf_spec_find(b->spec, first->section, "type");
    char known[400] = "";

    for (size_t i = 0; zf_layer_type_at(i); i++) {
        if (entry && strcmp(zf_layer_type_at(i)->name, entry->value) == 0) {
            *out = zf_layer_type_at(i);
            return ZF_OK;
        }
        zf_add_name(known, sizeof known, zf_layer_type_at(i)->name);
    }
    if (!entry)
        return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] needs type = one of %s", b->spec->origin,
                       first->line, first->section, known);
    return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] type = %s is not known; known are %s",
                   entry->origin, entry->line, entry->section, entry->value, known);
}

/* The layer of that section, or -1 when none was built so far. */
static int layer_by_section(const struct builder *b, const char *name, size_t length)
{
    char section[LONGEST_NAME + 1];
    struct zf_spec_section found;

    if (length > LONGEST_NAME)
        return -1;
    memcpy(section, name, length);
    section[length] = '\0';
    found = zf_spec_section(b->spec, section);
    return found.count > 0 ? found.entries[0]->layer - 1 : -1;
}

/* The next item of a list separated by commas, NULL at its end. */
static const char *next_item(const char **rest, size_t *length)
{
    const char *item = *rest + strspn(*rest, ", \t");

    *length = strcspn(item, ", \t");
    *rest = item + *length;
    return *length > 0 ? item : NULL;
}

static enum zf_status add_input(const struct builder *b, const struct zf_spec_entry *entry,
                                struct zf_layer *layer, const char *name, size_t length)
{
    const bool is_input = length == 5 && strncmp(name, "input", 5) == 0;
    const int found = is_input ? ZF_NET_INPUT : layer_by_section(b, name, length);

    if (found < 0 && !is_input)
        return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] inputs: '%.*s' is no layer above it",
                       entry->origin, entry->line, layer->section, (int)length, name);
    if (layer->input_count == ZF_LAYER_INPUTS)
        return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] inputs: too many (limit %d)", entry->origin,
                       entry->line, layer->section, ZF_LAYER_INPUTS);
    layer->inputs[layer->input_count++] = found;
    return ZF_OK;
}

/* `inputs = a, b`, or the layer above. A long list goes on in further lines of the key. */
static enum zf_status read_inputs(const struct builder *b, const struct zf_spec_entry *first,
                                  struct zf_layer *layer)
{
    const struct zf_spec_section found = zf_spec_section(b->spec, layer->section);

    for (size_t i = 0; i < found.count; i++) {
        const struct zf_spec_entry *entry = found.entries[i];
        const char *rest = entry->value, *item;
        size_t length;

        if (strcmp(entry->key, "inputs") != 0)
            continue;
        while ((item = next_item(&rest, &length))) {
            ZF_CHECK(add_input(b, entry, layer, item, length));
        }
    }
    if (layer->input_count == 0) /* ZF_NET_INPUT for the first */
        layer->inputs[layer->input_count++] = b->net->layer_count - 1;
    if (layer->type->branches != (layer->input_count > 1))
        return zf_fail(b->err, ZF_EINPUT, "%s:%d: [%s] has %d input%s; a layer of type %s takes %s",
                       first->origin, first->line, layer->section, layer->input_count,
                       layer->input_count == 1 ? "" : "s", layer->type->name,
                       layer->type->branches ? "two or more" : "exactly one");
    return ZF_OK;
}

/* The layer's own name, and the names that it is also called by. */
static enum zf_status read_names(const struct builder *b, struct zf_layer *layer)
{
    const struct zf_spec_section found = zf_spec_section(b->spec, layer->section);
    const struct zf_spec_entry *name = zf_spec_find(b->spec, layer->section, "name");

    layer->name = zf_strdup(name ? name->value : layer->section);
    for (size_t i = 0; layer->name && i < found.count; i++) {
        const struct zf_spec_entry *entry = found.entries[i];
        const char *rest = entry->value, *item;
        size_t length;

        if (strcmp(entry->key, "aka") != 0)
            continue;
        while ((item = next_item(&rest, &length))) {
            char *longer = NULL;

            if (layer->aka && strlen(layer->aka) > LONGEST_AKA)
                return fail_at(b, entry, "aka: too many names");
            longer = zf_format("%s%.*s\n", layer->aka ? layer->aka : "", (int)length, item);

            if (!longer)
                return zf_fail(b->err, ZF_ENOMEM, "out of memory");
            zf_free(layer->aka);
            layer->aka = longer;
        }
    }
    return layer->name ? ZF_OK : zf_fail(b->err, ZF_ENOMEM, "out of memory");
}

static enum zf_status read_frozen(const struct builder *b, struct zf_layer *layer)
{
    const struct zf_spec_entry *entry = zf_spec_find(b->spec, layer->section, "frozen");

    layer->frozen = entry && strcmp(entry->value, "yes") == 0;
    if (entry && !layer->frozen && strcmp(entry->value, "no") != 0)
        return fail_at(b, entry, "frozen: expected yes or no");
    return ZF_OK;
}

static enum zf_status infer_layer(const struct builder *b, const struct zf_spec_entry *first,
                                  struct zf_layer *layer)
{
    struct zf_shape in[ZF_LAYER_INPUTS];
    struct zf_error inner;
    enum zf_status status;
    int64_t count;

    for (int i = 0; i < layer->input_count; i++)
        in[i] = layer->inputs[i] == ZF_NET_INPUT ? b->net->input
                                                 : b->net->layers[layer->inputs[i]].inferred.out;
    layer->inferred.window =
        (struct zf_window){.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 1};
    status = layer->type->infer(layer->params, in, layer->input_count, &layer->inferred, &inner);
    if (status != ZF_OK)
        return zf_fail(b->err, status, "%s:%d: %s: %s", first->origin, first->line, layer->name,
                       inner.message);
    if (!zf_mul3(layer->inferred.out.c, layer->inferred.out.h, layer->inferred.out.w, &count) ||
        count > MOST_CELLS)
        return zf_fail(b->err, ZF_EINPUT,
                       "%s:%d: [%s] the output has more than %" PRId64 " numbers, the limit",
                       first->origin, first->line, first->section, MOST_CELLS);
    layer->field = zf_net_field(b->net, layer);
    return ZF_OK;
}

static enum zf_status add_layer(struct builder *b, struct zf_spec_entry *first)
{
    enum zf_status status;
    struct zf_net *net = b->net;
    struct zf_layer *layer = &net->layers[net->layer_count];

    if (layer_by_section(b, first->section, strlen(first->section)) >= 0)
        return fail_at(b, first, "stands twice; names of layers must differ");
    if (strcmp(first->section, "input") == 0 || strpbrk(first->section, " \t,\\\"'") ||
        strlen(first->section) > LONGEST_NAME)
        return fail_at(b, first,
                       "is no name for a layer: at most 49 letters without spaces, commas, "
                       "backslashes or quotes, and not 'input'");
    layer->section = zf_strdup(first->section);
    if (!layer->section)
        return zf_fail(b->err, ZF_ENOMEM, "out of memory");
    ZF_TRY(find_type(b, first, &layer->type));
    ZF_TRY(read_names(b, layer));
    ZF_TRY(read_frozen(b, layer));
    layer->params = zf_alloc(1, layer->type->params_size);
    if (!layer->params)
        ZF_LEAVE(zf_fail(b->err, ZF_ENOMEM, "out of memory"));
    ZF_TRY(read_section(b, layer->section, layer->type->options, layer->type->option_count,
                        layer->params));
    ZF_TRY(read_inputs(b, first, layer));
    ZF_TRY(infer_layer(b, first, layer));
    first->layer = ++net->layer_count;
    return ZF_OK;
fail:
    zf_layer_release(layer);
    return status;
}

static enum zf_status read_layers(struct builder *b)
{
    size_t count = 0;
    enum zf_status status = ZF_OK;

    for (size_t i = 0; i < b->spec->count; i++)
        count += is_layer_section(b->spec->entries[i].section) && zf_spec_opens_section(b->spec, i);
    if (count == 0 || count > MOST_LAYERS)
        return zf_fail(b->err, ZF_EINPUT, "%s: %zu layers; a net has 1 to %d", b->spec->origin,
                       count, MOST_LAYERS);
    b->net->layers = zf_alloc(count, sizeof *b->net->layers);
    if (!b->net->layers)
        return zf_fail(b->err, ZF_ENOMEM, "out of memory");
    for (size_t i = 0; status == ZF_OK && i < b->spec->count; i++)
        if (is_layer_section(b->spec->entries[i].section) && zf_spec_opens_section(b->spec, i))
            status = add_layer(b, &b->spec->entries[i]);
    return status;
}

/* The spec as it is now: with the number of classes that the net was given. */
static enum zf_status keep_spec(struct builder *b)
{
    struct zf_net *net = b->net;
    const struct zf_spec_entry *classes = zf_spec_find(b->spec, "net", "classes");
    const int64_t outputs = net->layers[net->layer_count - 1].inferred.out.c;
    char number[24];

    if (net->classes == 0)
        net->classes = outputs;
    if (net->classes != outputs)
        return zf_fail(b->err, ZF_EINPUT,
                       "%s: %" PRId64 " classes, but the last layer, %s, has %" PRId64 " maps",
                       b->spec->origin, net->classes, net->layers[net->layer_count - 1].name,
                       outputs);
    net->answer = zf_answer_of_layers(net);
    snprintf(number, sizeof number, "%" PRId64, net->classes);
    net->classes = zf_answer_classes(net, net->answer);
    if (classes && !zf_spec_replace(b->spec, (size_t)(classes - b->spec->entries), number))
        return zf_fail(b->err, ZF_ENOMEM, "out of memory");
    net->spec = zf_spec_text(b->spec);
    return net->spec ? ZF_OK : zf_fail(b->err, ZF_ENOMEM, "out of memory");
}

enum zf_status zf_net_build(struct zf_spec *spec, int64_t classes, struct zf_net **out,
                            struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = zf_alloc(1, sizeof *net);
    struct builder b = {.spec = spec, .net = net, .err = err, .classes = classes};

    if (!net)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(zf_spec_index(spec, err));
    ZF_TRY(read_net(&b));
    ZF_TRY(read_layers(&b));
    ZF_TRY(zf_net_lay_out(net, spec->origin, err));
    ZF_TRY(keep_spec(&b));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    return status;
}
