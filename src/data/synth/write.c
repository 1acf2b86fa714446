/* SPDX-License-Identifier: MIT */
/* The generated data set as files: pictures by the workers, truth.json by the caller, in order. */
#include "zf/data.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/pipeline.h"
#include "data/synth/scene.h"

#define SLOTS 64
#define REPORT_EVERY_S 0.25
#define RELATIVE_PATH_BYTES 64

static const char *const split_names[] = {"train", "val"};

struct slot {
    enum zf_status status;
    struct zf_error error;
    struct zf_synth_truth truth;
};

struct writer {
    const char *root;
    uint64_t seed;
    int64_t train, total; /* pictures; tickets from `train` on are of the validation split */
    struct slot slots[SLOTS];
};

/* Which picture a ticket is, and where it goes under the root. */
struct place {
    enum zf_synth_split split;
    int64_t index;
    char path[RELATIVE_PATH_BYTES]; /* "train/fish/00012.png" */
};

static struct place place_of(const struct writer *writer, int64_t ticket)
{
    struct place place;

    place.split = ticket < writer->train ? ZF_SYNTH_TRAIN : ZF_SYNTH_VAL;
    place.index = ticket < writer->train ? ticket : ticket - writer->train;
    snprintf(place.path, sizeof place.path, "%s/%s/%05" PRId64 ".png", split_names[place.split],
             zf_synth_class((int)(place.index % ZF_SYNTH_CLASSES)), place.index);
    return place;
}

/* Not through zf_output: thousands of fsyncs take minutes. truth.json, written last, is synced. */
static enum zf_status write_plain(const char *path, const uint8_t *bytes, size_t size,
                                  struct zf_error *err)
{
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size;
    int error = errno;

    if (file && fclose(file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written)
        return ZF_OK;
    if (file)
        unlink(path);
    return zf_fail_errno(err, ZF_EIO, error, "cannot write %s", path);
}

static enum zf_status write_picture(const struct writer *writer, int64_t ticket,
                                    struct zf_synth_truth *truth, struct zf_error *err)
{
    enum zf_status status;
    const struct place place = place_of(writer, ticket);
    struct zf_picture picture = {0};
    uint8_t *bytes = NULL;
    size_t size;
    char *path = zf_path_join(writer->root, place.path);

    if (!path)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory to write %s", place.path));
    ZF_TRY(zf_synth_render(writer->seed, place.split, place.index, &picture, truth, err));
    ZF_TRY(zf_picture_encode(&picture, 0, &bytes, &size, err));
    ZF_TRY(write_plain(path, bytes, size, err));
fail:
    zf_bytes_free(bytes);
    zf_picture_release(&picture);
    zf_free(path);
    return status;
}

static void work(void *user, int worker, int64_t ticket, int64_t slot)
{
    struct writer *writer = user;
    struct slot *s = &writer->slots[slot];

    (void)worker;
    s->status = write_picture(writer, ticket, &s->truth, &s->error);
}

static double hundredths(double value)
{
    return round(value * 100) / 100;
}

/* {"path", "label", "box", "parts"}; NULL when memory is short. */
static cJSON *describe(const struct place *place, const struct zf_synth_truth *truth)
{
    cJSON *image = cJSON_CreateObject();
    cJSON *box, *parts;

    cJSON_AddStringToObject(image, "path", place->path);
    cJSON_AddStringToObject(image, "label", zf_synth_class(truth->class));
    box = cJSON_AddObjectToObject(image, "box");
    cJSON_AddNumberToObject(box, "x", (double)truth->box.x);
    cJSON_AddNumberToObject(box, "y", (double)truth->box.y);
    cJSON_AddNumberToObject(box, "width", (double)truth->box.width);
    cJSON_AddNumberToObject(box, "height", (double)truth->box.height);
    parts = cJSON_AddArrayToObject(image, "parts");
    for (int k = 0; k < truth->part_count; k++) {
        cJSON *part = cJSON_CreateObject();
        cJSON_AddStringToObject(part, "name", truth->parts[k].name);
        cJSON_AddNumberToObject(part, "x", hundredths(truth->parts[k].x));
        cJSON_AddNumberToObject(part, "y", hundredths(truth->parts[k].y));
        cJSON_AddItemToArray(parts, part);
    }
    return image;
}

/* A line for each picture, so that a million of them need not be in memory together. */
static enum zf_status write_truth(FILE *stream, const struct writer *writer, int64_t ticket,
                                  struct zf_error *err)
{
    const struct place place = place_of(writer, ticket);
    cJSON *image = describe(&place, &writer->slots[ticket % SLOTS].truth);
    char *line = cJSON_PrintUnformatted(image);
    const bool last = ticket + 1 == writer->total;

    cJSON_Delete(image);
    if (!line)
        return zf_fail(err, ZF_ENOMEM, "no memory to describe %s", place.path);
    fprintf(stream, "%s%s\n", line, last ? "" : ",");
    cJSON_free(line);
    return ZF_OK;
}

/* Pictures of an earlier, larger set would mingle with the new ones. */
static enum zf_status refuse_existing(const char *root, struct zf_error *err)
{
    for (size_t split = 0; split < ZF_COUNT(split_names); split++) {
        struct stat info;
        bool exists;
        char *path = zf_path_join(root, split_names[split]);
        if (!path)
            return zf_fail(err, ZF_ENOMEM, "no memory for a path in %s", root);
        exists = stat(path, &info) == 0;
        zf_free(path);
        if (exists)
            return zf_fail(err, ZF_EINVAL, "%s already holds \"%s\": name a new directory", root,
                           split_names[split]);
    }
    return ZF_OK;
}

static enum zf_status make_directories(const char *root, struct zf_error *err)
{
    for (size_t d = 0; d < ZF_COUNT(split_names) * ZF_SYNTH_CLASSES; d++) {
        enum zf_status status;
        char *path = zf_format("%s/%s/%s", root, split_names[d / ZF_SYNTH_CLASSES],
                               zf_synth_class((int)(d % ZF_SYNTH_CLASSES)));
        if (!path)
            return zf_fail(err, ZF_ENOMEM, "no memory for a path in %s", root);
        status = zf_directory_make(path, err);
        zf_free(path);
        if (status != ZF_OK)
            return status;
    }
    return ZF_OK;
}

static enum zf_status write_all(struct writer *writer, struct zf_pipeline *pipeline, FILE *stream,
                                const struct zf_monitor *monitor, struct zf_error *err)
{
    double reported_s = zf_clock_s();

    fprintf(stream, "{\"images\":[\n");
    zf_pipeline_start(pipeline, 0, writer->total);
    for (int64_t t = 0; t < writer->total; t++) {
        const struct slot *slot = &writer->slots[t % SLOTS];

        if (zf_clock_s() - reported_s >= REPORT_EVERY_S) {
            reported_s = zf_clock_s();
            if (!zf_monitor_progress(monitor, "drawing", t, writer->total))
                return zf_fail(err, ZF_ECANCELED, "drawing stopped at %" PRId64 " of %" PRId64, t,
                               writer->total);
        }
        zf_pipeline_wait(pipeline, t);
        if (slot->status != ZF_OK)
            return zf_fail(err, slot->status, "%s", slot->error.message);
        ZF_CHECK(write_truth(stream, writer, t, err));
        zf_pipeline_release(pipeline, t + 1);
    }
    fprintf(stream, "]}\n");
    zf_monitor_progress(monitor, "drawing", writer->total, writer->total);
    return ZF_OK;
}

enum zf_status zf_synth_write(const char *path, int64_t images, uint64_t seed, int threads,
                              const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    const int64_t val = images / 5 > ZF_SYNTH_CLASSES ? images / 5 : ZF_SYNTH_CLASSES;
    struct zf_pipeline *pipeline = NULL;
    struct zf_output truth = {0};
    char *truth_path = NULL;
    struct writer *writer = NULL;

    if (images < ZF_SYNTH_CLASSES || images > ZF_SYNTH_MAX_IMAGES)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " pictures are not within %d and %d", images,
                       ZF_SYNTH_CLASSES, ZF_SYNTH_MAX_IMAGES);
    writer = zf_alloc(1, sizeof *writer);
    truth_path = zf_path_join(path, "truth.json");
    if (!writer || !truth_path)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory to write %s", path));
    writer->root = path;
    writer->seed = seed;
    writer->train = images;
    writer->total = images + val;
    ZF_TRY(refuse_existing(path, err));
    ZF_TRY(zf_pipeline_create(threads, SLOTS, work, writer, &pipeline, err));
    ZF_TRY(make_directories(path, err));
    ZF_TRY(zf_output_open(&truth, truth_path, err));
    ZF_TRY(write_all(writer, pipeline, truth.stream, monitor, err));
    ZF_TRY(zf_output_commit(&truth, err));
fail:
    zf_pipeline_free(&pipeline);
    zf_output_discard(&truth);
    zf_free(truth_path);
    zf_free(writer);
    return status;
}
