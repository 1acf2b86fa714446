/* SPDX-License-Identifier: MIT */
#include "continue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nets.h"
#include "preparation.h"

/* Fine-tuning: weights that are good already are to be moved, not replaced. */
#define RATE_SHARE 0.1
/* Of a MODEL, but not of a NET. */
#define NOT_OF_A_NET                                                                               \
    "%s is a NET, whose weights are drawn: %s is for a MODEL (.safetensors or .onnx)"

/* ---- Which layers are frozen. ---- */

static enum zf_status freeze_one(const struct zf_net *net, const char *name, bool *frozen,
                                 struct zf_error *err)
{
    const bool all_below = strncmp(name, "..", 2) == 0;
    int layer;

    ZF_CHECK(zf_net_find_layer(net, all_below ? name + 2 : name, &layer, err));
    if (!all_below && zf_net_layer(net, layer).parameters == 0)
        return zf_fail(err, ZF_EINVAL, "%s, a %s layer, has no weights to freeze",
                       zf_net_layer(net, layer).name, zf_net_layer(net, layer).type);
    for (int i = all_below ? 0 : layer; i <= layer; i++)
        frozen[i] = zf_net_layer(net, i).parameters > 0;
    return ZF_OK;
}

static enum zf_status read_freeze(const struct zf_net *net, const char *names, bool *frozen,
                                  struct zf_error *err)
{
    enum zf_status status;
    char **items = NULL;
    size_t count = 0;

    ZF_TRY(zf_list_split(names, &items, &count, err));
    for (size_t i = 0; i < count; i++)
        ZF_TRY(freeze_one(net, items[i], frozen, err));
fail:
    zf_free(items);
    return status;
}

/* ---- The classes. ---- */

/* Does the last layer tell the data's classes apart, no more and no fewer? Then they are numbered
   as it does. */
static bool has_classes(const struct zf_net *net, struct zf_data *data, bool cut)
{
    struct zf_error ignored;

    return !cut && zf_net_class_count(net) == zf_data_class_count(data) &&
           zf_net_output_count(net) == zf_net_class_count(net) &&
           zf_net_answer(net) == ZF_ANSWER_SOFTMAX && zf_data_match(data, net, &ignored) == ZF_OK;
}

static void say_classes(const struct call *call, const struct zf_net *model,
                        const struct zf_data *data, const struct beginning *begun, bool cut)
{
    const int64_t classes = zf_data_class_count(data);

    if (begun->fresh >= 0 && cut)
        progress_say(call->progress, "the last layer, %s, is new: %" PRId64 " classes of %s",
                     zf_net_layer(begun->net, begun->fresh).name, classes, zf_data_name(data));
    else if (begun->fresh >= 0)
        progress_say(call->progress,
                     "the last layer, %s, is new: %" PRId64 " classes of %s in place of %" PRId64
                     " outputs",
                     zf_net_layer(begun->net, begun->fresh).name, classes, zf_data_name(data),
                     zf_net_output_count(model));
    else if (!zf_net_has_labels(model))
        progress_say(call->progress,
                     "%s names no classes: its %" PRId64
                     " outputs are taken for those of %s, in their order",
                     zf_net_name(model), classes, zf_data_name(data));
}

static void say_layers(const struct call *call, const struct beginning *begun)
{
    int trained = 0, frozen = 0;

    for (int i = 0; i < zf_net_layer_count(begun->net); i++) {
        const struct zf_layer_info layer = zf_net_layer(begun->net, i);

        trained += layer.parameters > 0 && !layer.frozen;
        frozen += layer.frozen;
    }
    progress_say(call->progress,
                 "going on from %s: %d layers with weights are trained, %d frozen; pictures are "
                 "prepared as before",
                 call->args->words[0], trained, frozen);
}

/* ---- A model. ---- */

static enum zf_status check_trained(const struct zf_net *net, struct zf_error *err)
{
    for (int i = 0; i < zf_net_layer_count(net); i++) {
        const struct zf_layer_info layer = zf_net_layer(net, i);

        if (layer.parameters > 0 && !layer.frozen)
            return ZF_OK;
    }
    return zf_fail(err, ZF_EINVAL, "--freeze leaves no layer of %s to train", zf_net_name(net));
}

static enum zf_status go_on_from(const struct call *call, const struct zf_net *model,
                                 struct zf_data *data, const char *freeze, struct beginning *begun,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_model_options told = {0};
    bool *frozen = calloc((size_t)zf_net_layer_count(model), sizeof *frozen);
    struct zf_continuation how = {.frozen = frozen, .origin = call->args->words[0]};

    if (!frozen)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(net_model_options(call->args, &told, err));
    if (freeze)
        ZF_TRY(read_freeze(model, freeze, frozen, err));
    how.on_top = told.until != NULL;
    if (!has_classes(model, data, how.on_top))
        how.classes = zf_data_class_count(data);
    ZF_TRY(zf_net_continue(model, &how, &begun->net, &begun->fresh, err));
    begun->continues = true;
    if (begun->fresh >= 0 && zf_net_layer(begun->net, begun->fresh).frozen) {
        status = zf_fail(err, ZF_EINVAL, "%s is new, so it cannot be frozen",
                         zf_net_layer(begun->net, begun->fresh).name);
        goto fail;
    }
    ZF_TRY(check_trained(begun->net, err));
    say_classes(call, model, data, begun, how.on_top);
    say_layers(call, begun);
fail:
    free(frozen);
    return status;
}

/* ---- Both. ---- */

static enum zf_status check_words(const struct call *call, const char *freeze, struct zf_error *err)
{
    const char *net = call->args->words[0];
    const struct option_table tables[] = {net_model_table(), preparation_table()};
    const struct args *args = call->args;

    if (freeze)
        return zf_fail(err, ZF_EINVAL, NOT_OF_A_NET "; in a spec, a layer can say frozen = yes",
                       net, "--freeze");
    for (size_t i = 0; i < args->setting_count; i++) {
        const struct zf_option *option = args->settings[i].option;

        for (size_t t = 0; t < ZF_COUNT(tables); t++) {
            if (option >= tables[t].options && option < tables[t].options + tables[t].count)
                return zf_fail(err, ZF_EINVAL, NOT_OF_A_NET, net, option->name);
        }
    }
    return ZF_OK;
}

enum zf_status begin_training(const struct call *call, struct zf_data *data, const char *freeze,
                              struct beginning *out, struct zf_error *err)
{
    const char *name = call->args->words[0];
    enum zf_status status;
    struct zf_net *model = NULL;
    size_t count;
    const struct zf_option *recipe = zf_recipe_options(&count);

    *out = (struct beginning){.fresh = -1};
    if (zf_model_is_file(name)) {
        ZF_TRY(model_open(call, name, &model, err));
        ZF_TRY(go_on_from(call, model, data, freeze, out, err));
    } else {
        ZF_TRY(check_words(call, freeze, err));
        ZF_TRY(zf_net_load_spec(name, zf_data_class_count(data), &out->net, err));
    }
    out->recipe = *zf_net_recipe(out->net);
    if (out->continues) {
        out->recipe.lr *= RATE_SHARE;
        out->recipe.rms_limit = 0;
    }
    ZF_TRY(zf_settings_apply(call->args->settings, call->args->setting_count, recipe, count,
                             &out->recipe, err));
    if (out->fresh >= 0)
        zf_net_init_layer(out->net, out->fresh, (enum zf_init_kind)out->recipe.init,
                          out->recipe.init_std, (uint64_t)call->common.seed);
fail:
    zf_net_free(&model);
    return status;
}
