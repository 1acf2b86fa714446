/* SPDX-License-Identifier: MIT */
#include "serve/sights.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"
#include "image/picture.h"
#include "tensor/array_file.h"

/* Of an upload: what a camera makes, and no bomb that keeps everybody waiting. */
static const struct zf_picture_limits limits = {.max_bytes = ZF_MOST_PICTURE_BYTES,
                                                .max_pixels = INT64_C(64) << 20};

void zf_sights_init(struct zf_sights *sights, const struct zf_net *net, const struct zf_data *data)
{
    *sights = (struct zf_sights){.net = net, .data = data};
}

void zf_sights_release(struct zf_sights *sights)
{
    for (size_t i = 0; i < sights->count; i++)
        zf_sight_free(&sights->items[i]);
    sights->count = 0;
}

void zf_sight_free(struct zf_sight **sight)
{
    if (!*sight)
        return;
    zf_picture_release(&(*sight)->square);
    zf_picture_release(&(*sight)->shown);
    zf_tensor_release(&(*sight)->input);
    zf_free((*sight)->answer);
    zf_free((*sight)->bytes);
    zf_free(*sight);
    *sight = NULL;
}

/* ---- From pixels to what the net sees. ---- */

static enum zf_status prepare(struct zf_sight *sight, const struct zf_net *net,
                              struct zf_error *err)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape shape = zf_net_input(net);
    const struct zf_view centre = zf_view_centre(preparation, shape);

    ZF_CHECK(zf_tensor_init(&sight->input, 1, shape.c, shape.h, shape.w, err));
    zf_picture_prepare(&sight->square, preparation, shape, centre, sight->input.data);
    return zf_picture_crop(&sight->square, centre, shape, &sight->shown, err);
}

/* One of inputs that were prepared elsewhere; a file of several shows its first. */
static void take_first(struct zf_sight *sight, struct zf_picture **shown)
{
    sight->shown = (*shown)[0];
    (*shown)[0] = (struct zf_picture){0};
    zf_pictures_free(shown, sight->input.n);
    sight->input.n = 1;
}

static const char *name_of(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic, *name;
    } kinds[] = {{"\x93NUMPY", "the picture.npy"}, {"PK\3\4", "the picture.npz"}};

    for (size_t i = 0; i < ZF_COUNT(kinds); i++) {
        if (size >= strlen(kinds[i].magic) &&
            memcmp(bytes, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            return kinds[i].name;
    }
    return "the picture";
}

static enum zf_status decode(struct zf_sight *sight, const struct zf_net *net, struct zf_error *err)
{
    const struct zf_geometry geometry = zf_geometry_of(zf_net_preparation(net), zf_net_input(net));
    const struct zf_source source = {
        .bytes = sight->bytes, .size = sight->size, .name = sight->name, .limits = limits};
    const struct zf_bytes file = {.data = sight->bytes, .size = sight->size};
    struct zf_picture *shown = NULL;

    if (sight->size == 0)
        return zf_fail(err, ZF_EINPUT, "the picture is empty");
    if (zf_is_array(sight->name)) {
        ZF_CHECK(zf_input_parse(&file, sight->name, net, &sight->input, &shown, err));
        take_first(sight, &shown);
        return ZF_OK;
    }
    ZF_CHECK(zf_input_takes_pictures(net, err));
    ZF_CHECK(zf_source_square(&source, geometry, &sight->square, NULL, err));
    return prepare(sight, net, err);
}

enum zf_status zf_sight_read(const struct zf_net *net, uint8_t *bytes, size_t size,
                             struct zf_sight **out, struct zf_error *err)
{
    struct zf_sight *sight = zf_alloc(1, sizeof *sight);
    enum zf_status status;

    if (!sight) {
        zf_free(bytes);
        return zf_no_memory(err, "a picture");
    }
    sight->bytes = bytes;
    sight->size = size;
    sight->sample = -1;
    sight->name = name_of(bytes, size);
    ZF_TRY(decode(sight, net, err));
    *out = sight;
    sight = NULL;
fail:
    zf_sight_free(&sight);
    return status;
}

static enum zf_status read_sample(const struct zf_sights *sights, int64_t sample,
                                  struct zf_sight *sight, struct zf_error *err)
{
    const struct zf_geometry geometry =
        zf_geometry_of(zf_net_preparation(sights->net), zf_net_input(sights->net));
    struct zf_picture *shown = NULL;
    bool is_input;

    ZF_CHECK(zf_data_is_input(sights->data, sample, sights->net, &is_input, err));
    if (is_input) {
        ZF_CHECK(zf_input_load(zf_data_path(sights->data, sample), sights->net, &sight->input,
                               &shown, err));
        take_first(sight, &shown);
        return ZF_OK;
    }
    ZF_CHECK(zf_data_accepts(sights->data, geometry, err));
    ZF_CHECK(zf_picture_init(&sight->square, geometry.width, geometry.height, err));
    ZF_CHECK(zf_data_pixels(sights->data, sample, geometry, sight->square.pixels, NULL, err));
    return prepare(sight, sights->net, err);
}

/* ---- Which are kept. ---- */

static int64_t bytes_of(const struct zf_sight *sight)
{
    return (int64_t)sight->size + zf_tensor_count(&sight->input) * (int64_t)sizeof(float) +
           (sight->square.width * sight->square.height + sight->shown.width * sight->shown.height) *
               3;
}

static void forget(struct zf_sights *sights, size_t i)
{
    zf_sight_free(&sights->items[i]);
    sights->items[i] = sights->items[--sights->count];
}

static size_t longest_unused(const struct zf_sights *sights)
{
    size_t oldest = 0;

    for (size_t i = 1; i < sights->count; i++) {
        if (sights->items[i]->used_s < sights->items[oldest]->used_s)
            oldest = i;
    }
    return oldest;
}

void zf_sights_forget(struct zf_sights *sights)
{
    const double now = zf_clock_s();

    for (size_t i = sights->count; i-- > 0;) {
        if (now - sights->items[i]->used_s > ZF_SIGHT_AGE_S)
            forget(sights, i);
    }
}

static void keep(struct zf_sights *sights, struct zf_sight *sight)
{
    int64_t bytes = bytes_of(sight);

    for (size_t i = 0; i < sights->count; i++)
        bytes += bytes_of(sights->items[i]);
    while (sights->count > 0 && (sights->count == ZF_MOST_SIGHTS || bytes > ZF_MOST_SIGHT_BYTES)) {
        const size_t oldest = longest_unused(sights);

        bytes -= bytes_of(sights->items[oldest]);
        forget(sights, oldest);
    }
    sight->serial = ++sights->serial;
    sight->used_s = zf_clock_s();
    sights->items[sights->count++] = sight;
}

enum zf_status zf_sights_add(struct zf_sights *sights, struct zf_sight *sight, struct zf_error *err)
{
    uint64_t drawn;

    if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn)
        return zf_fail(err, ZF_EIO, "no random numbers for the name of a picture");
    snprintf(sight->id, sizeof sight->id, "%016" PRIx64, drawn);
    keep(sights, sight);
    return ZF_OK;
}

static struct zf_sight *known(struct zf_sights *sights, const char *id, int64_t sample)
{
    for (size_t i = 0; i < sights->count; i++) {
        struct zf_sight *sight = sights->items[i];

        if (id ? strcmp(sight->id, id) == 0 && id[0] != '\0' : sight->sample == sample) {
            sight->used_s = zf_clock_s();
            return sight;
        }
    }
    return NULL;
}

enum zf_status zf_sights_find(struct zf_sights *sights, const struct zf_request *request,
                              struct zf_sight **out, struct zf_error *err)
{
    const char *id = zf_request_text(request, "picture");
    struct zf_sight *sight;
    enum zf_status status;
    int64_t sample = -1;

    if (!id && !zf_request_text(request, "data"))
        return zf_fail(err, ZF_EINVAL, "say which picture: picture=ID or data=N");
    if (!id && !sights->data)
        return zf_fail(err, ZF_EINVAL, "there is no data set here; start serve with --data");
    if (!id)
        ZF_CHECK(zf_request_int(request, "data", 0, zf_data_count(sights->data) - 1, &sample, err));
    *out = known(sights, id, sample);
    if (*out)
        return ZF_OK;
    if (id)
        return zf_fail(err, ZF_EINPUT, "this picture is not here any more; choose it again");
    sight = zf_alloc(1, sizeof *sight);
    if (!sight)
        return zf_no_memory(err, "a picture");
    sight->sample = sample;
    ZF_TRY(read_sample(sights, sample, sight, err));
    keep(sights, sight);
    *out = sight;
    sight = NULL;
fail:
    zf_sight_free(&sight);
    return status;
}
