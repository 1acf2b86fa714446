/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkostemp */
#endif

#include "learn/features.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "learn/folds.h"
#include "learn/vectors.h"
#include "ranks/ranks.h"
#include "zf/plan.h"

#define BATCH 64
#define GIB 1073741824.0

/* Where one layer's rows lie. */
struct block {
    int layer; /* of the net */
    int64_t width, stride;
    int64_t offset; /* of the first row, in floats */
};

struct zf_features {
    float *map;
    size_t bytes;
    struct block *blocks;
    size_t block_count;
    int64_t *samples; /* [count], ascending */
    bool *present;    /* [count] */
    int64_t count;
};

/* ---- The file. ---- */

/* Room is asked for at once: a disk that is full would otherwise show as a crash later. */
static enum zf_status map_file(struct zf_features *f, const char *directory, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *path = zf_format("%s/features-XXXXXX", directory);
    int fd, failure;
    void *map;

    if (!path)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", directory);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot make a file in %s", directory);
        goto fail;
    }
    unlink(path);
    failure = posix_fallocate(fd, 0, (off_t)f->bytes);
    if (failure != 0) {
        status = zf_fail_errno(err, ZF_EIO, failure, "no room for %.1f GiB of features in %s",
                               (double)f->bytes / GIB, directory);
        goto fail;
    }
    map = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        status = zf_fail_errno(err, ZF_ENOMEM, errno, "cannot map %.1f GiB of features",
                               (double)f->bytes / GIB);
        goto fail;
    }
    f->map = map;
fail:
    if (fd >= 0)
        close(fd);
    zf_free(path);
    return status;
}

static enum zf_status lay_out(struct zf_features *f, const struct zf_features_request *request,
                              struct zf_error *err)
{
    int64_t floats = 0;

    for (size_t i = 0; i < f->block_count; i++) {
        const struct zf_layer_info info = zf_net_layer(request->net, request->layers[i]);
        struct block *block = &f->blocks[i];
        int64_t rows;

        block->layer = request->layers[i];
        block->width = info.shape.c * info.shape.h * info.shape.w;
        block->stride = zf_vector_stride(block->width);
        block->offset = floats;
        if (block->stride > ZF_VECTOR_MOST)
            return zf_fail(err, ZF_EUNSUPPORTED,
                           "%s has %" PRId64 " values a picture, more than the %d that a "
                           "classifier takes; choose a higher layer",
                           info.name, block->width, ZF_VECTOR_MOST);
        if (!zf_mul3(f->count, block->stride, (int64_t)sizeof(float), &rows) ||
            rows > INT64_MAX / 4 - floats * (int64_t)sizeof(float))
            return zf_fail(err, ZF_ENOMEM, "the features of %" PRId64 " pictures are too many",
                           f->count);
        floats += f->count * block->stride;
    }
    f->bytes = (size_t)floats * sizeof(float);
    return ZF_OK;
}

static enum zf_status features_init(struct zf_features *f,
                                    const struct zf_features_request *request, struct zf_error *err)
{
    f->count = request->count;
    f->block_count = request->layer_count;
    f->blocks = zf_alloc(f->block_count, sizeof *f->blocks);
    f->samples = zf_alloc_raw((size_t)f->count, sizeof *f->samples);
    f->present = zf_alloc((size_t)f->count, sizeof *f->present);
    if (!f->blocks || !f->samples || !f->present)
        return zf_no_memory(err, "%" PRId64 " pictures", f->count);
    memcpy(f->samples, request->samples, (size_t)f->count * sizeof *f->samples);
    ZF_CHECK(lay_out(f, request, err));
    if (zf_ranks_rank(request->compute.ranks) > 0)
        return ZF_OK;
    return map_file(f, request->directory, err);
}

/* ---- Reading rows. ---- */

/* Place of a sample among the rows, -1 when it has none. */
static int64_t place_of(const struct zf_features *f, int64_t sample)
{
    const int64_t *found =
        bsearch(&sample, f->samples, (size_t)f->count, sizeof sample, zf_compare_samples);

    return found ? found - f->samples : -1;
}

const float *zf_features_row(const struct zf_features *features, size_t layer, int64_t sample)
{
    const struct block *block = &features->blocks[layer];
    const int64_t place = place_of(features, sample);

    if (place < 0 || !features->present[place])
        return NULL;
    return features->map + block->offset + place * block->stride;
}

int64_t zf_features_stride(const struct zf_features *features, size_t layer)
{
    return features->blocks[layer].stride;
}

/* ---- Filling them. ---- */

struct filling {
    struct zf_features *features;
    const struct zf_features_request *request;
    struct zf_tensor *outputs; /* [blocks]: of a batch */
};

static void filling_release(struct filling *fill)
{
    for (size_t i = 0; fill->outputs && i < fill->features->block_count; i++)
        zf_tensor_release(&fill->outputs[i]);
    zf_free(fill->outputs);
}

static enum zf_status filling_init(struct filling *fill, int64_t batch, struct zf_error *err)
{
    const struct zf_features_request *request = fill->request;

    fill->outputs = zf_alloc(request->layer_count, sizeof *fill->outputs);
    if (!fill->outputs)
        return zf_no_memory(err, "%zu layers", request->layer_count);
    for (size_t i = 0; i < request->layer_count; i++) {
        const struct zf_shape shape = zf_net_layer(request->net, request->layers[i]).shape;

        ZF_CHECK(zf_tensor_init(&fill->outputs[i], batch, shape.c, shape.h, shape.w, err));
    }
    return ZF_OK;
}

/* A length of zero, from a picture that no map answers to, stays zero. */
static bool write_row(const float *src, int64_t width, float *row)
{
    double squares = 0;
    float scale;

    for (int64_t i = 0; i < width; i++)
        squares += (double)src[i] * (double)src[i];
    scale = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (int64_t i = 0; i < width; i++)
        row[i] = scale * src[i];
    return isfinite(squares);
}

/* Of each layer the rows of the batch: which sample, and its values. */
static enum zf_status pack_batch(void *user, struct zf_plan *plan, int64_t number,
                                 const struct zf_batch *batch, struct zf_parcel *parcel,
                                 struct zf_error *err)
{
    struct filling *fill = user;
    const struct zf_features *f = fill->features;

    (void)number;
    zf_parcel_add(parcel, &batch->count, sizeof batch->count);
    for (size_t b = 0; b < f->block_count; b++) {
        const struct block *block = &f->blocks[b];
        struct zf_tensor output = fill->outputs[b];

        output.n = batch->count;
        zf_plan_read(plan, block->layer, &output);
        for (int64_t i = 0; i < batch->count; i++) {
            float *row;

            zf_parcel_add(parcel, &batch->samples[i], sizeof *batch->samples);
            row = zf_parcel_room(parcel, (size_t)block->width * sizeof *row);
            if (!row)
                return zf_no_memory(err, "the features of a batch");
            if (!write_row(output.data + i * block->width, block->width, row))
                return zf_fail(err, ZF_ENUMERIC, "%s is not finite on %s",
                               zf_net_layer(fill->request->net, block->layer).name,
                               zf_data_path(fill->request->data, batch->samples[i]));
        }
    }
    return ZF_OK;
}

static enum zf_status take_batch(void *user, struct zf_parcel *parcel, struct zf_error *err)
{
    struct filling *fill = user;
    struct zf_features *f = fill->features;
    const int64_t count = *(const int64_t *)zf_parcel_next(parcel, sizeof count);

    (void)err;
    for (size_t b = 0; b < f->block_count; b++) {
        const struct block *block = &f->blocks[b];
        const size_t bytes = (size_t)block->width * sizeof(float);

        for (int64_t i = 0; i < count; i++) {
            const int64_t sample = *(const int64_t *)zf_parcel_next(parcel, sizeof sample);
            const int64_t place = place_of(f, sample);

            memcpy(f->map + block->offset + place * block->stride, zf_parcel_next(parcel, bytes),
                   bytes);
            f->present[place] = true;
        }
    }
    return ZF_OK;
}

enum zf_status zf_features_create(const struct zf_features_request *request,
                                  struct zf_features **out, const struct zf_monitor *monitor,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_features *features = zf_alloc(1, sizeof *features);
    struct filling fill = {.features = features, .request = request};
    const int64_t batch = request->count < BATCH ? request->count : BATCH;

    if (!features)
        return zf_no_memory(err, "the features");
    ZF_TRY(features_init(features, request, err));
    ZF_TRY(filling_init(&fill, batch, err));
    ZF_TRY(
        zf_pass_run(&(struct zf_pass){.net = request->net,
                                      .data = request->data,
                                      .plan = {.compute = zf_compute_batch(request->compute, batch),
                                               .purpose = ZF_INFER,
                                               .taps = request->layers,
                                               .tap_count = request->layer_count,
                                               .taps_only = true},
                                      .strict = request->strict,
                                      .samples = request->samples,
                                      .sample_count = request->count,
                                      .stage = "features",
                                      .missing = "left out",
                                      .pack = pack_batch,
                                      .take = take_batch,
                                      .user = &fill},
                    NULL, monitor, err));
    *out = features;
    features = NULL;
fail:
    filling_release(&fill);
    zf_features_free(&features);
    return status;
}

void zf_features_free(struct zf_features **features)
{
    struct zf_features *f = features ? *features : NULL;

    if (!f)
        return;
    if (f->map)
        munmap(f->map, f->bytes);
    zf_free(f->blocks);
    zf_free(f->samples);
    zf_free(f->present);
    zf_free(f);
    *features = NULL;
}
