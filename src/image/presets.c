/* SPDX-License-Identifier: MIT */
/* How frameworks prepare pictures: (value - mean) * scale, of values 0 to 255. */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "zf/image.h"

static const struct {
    const char *name;
    float mean[3], scale[3]; /* in the order of the channels */
    enum zf_channels channels;
} presets[] = {
    {"torchvision",
     {123.675f, 116.28f, 103.53f},
     {1 / 58.395f, 1 / 57.12f, 1 / 57.375f},
     ZF_CHANNELS_RGB},
    {"caffe", {103.939f, 116.779f, 123.68f}, {1, 1, 1}, ZF_CHANNELS_BGR},
    {"tensorflow", {127.5f, 127.5f, 127.5f}, {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}, ZF_CHANNELS_RGB},
    {"unit", {0, 0, 0}, {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}, ZF_CHANNELS_RGB},
    {"clip",
     {122.7709383f, 116.7460125f, 104.0937362f},
     {1 / 68.5005327f, 1 / 66.6321579f, 1 / 70.3231630f},
     ZF_CHANNELS_RGB},
    {"none", {0, 0, 0}, {1, 1, 1}, ZF_CHANNELS_RGB},
};

const char *zf_preparation_preset_name(size_t i)
{
    return i < ZF_COUNT(presets) ? presets[i].name : NULL;
}

enum zf_status zf_preparation_preset(struct zf_preparation *preparation, const char *name,
                                     struct zf_error *err)
{
    char known[128] = "";

    for (size_t i = 0; i < ZF_COUNT(presets); i++) {
        if (strcmp(presets[i].name, name) == 0) {
            memcpy(preparation->mean, presets[i].mean, sizeof preparation->mean);
            memcpy(preparation->scale, presets[i].scale, sizeof preparation->scale);
            preparation->channels = presets[i].channels;
            preparation->mean_image = NULL;
            return ZF_OK;
        }
        zf_add_name(known, sizeof known, presets[i].name);
    }
    return zf_fail(err, ZF_EINVAL, "there is no preparation '%s'; there are %s", name, known);
}

enum zf_status zf_net_prepare_as(struct zf_net *net, const char *name, struct zf_error *err)
{
    struct zf_preparation preparation = *zf_net_preparation(net);
    const int64_t channels = zf_net_input(net).c;

    ZF_CHECK(zf_preparation_preset(&preparation, name, err));
    if (channels != 3 && (channels != 1 || preparation.mean[0] < preparation.mean[1] ||
                          preparation.mean[0] > preparation.mean[1]))
        return zf_fail(err, ZF_EINPUT,
                       "%s takes %" PRId64 " channels; '%s' prepares red, green and blue",
                       zf_net_name(net), channels, name);
    return zf_net_set_preparation(net, &preparation, err);
}
