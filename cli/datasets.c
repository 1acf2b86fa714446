/* SPDX-License-Identifier: MIT */
/* Commands that make data sets: pack and synth. */
#include "command.h"

#include <inttypes.h>
#include "nets.h"
#include "output.h"
#include "zf/data.h"

/* ---- pack ---- */

struct pack_options {
    const char *net;
    int64_t size;
    int resize;
    int64_t parts;
    const char *part;
};

static const char *const resizes[] = {"short", "warp", NULL};

static const struct zf_option pack_table[] = {
    ZF_OPTION_ROW_TEXT(pack_options, net, "NET",
                       "take size and resize from this net's preparation"),
    ZF_OPTION_ROW_INT(pack_options, size, "PX", "side of the squares", 256, 1, 4096),
    ZF_OPTION_ROW_CHOICE(pack_options, resize, "R",
                         "to the square: shorter side and centre, or both sides", ZF_RESIZE_SHORT,
                         resizes),
    ZF_OPTION_ROW_INT(pack_options, parts, "N",
                      "OUT is a directory of N files instead; those that are there stay", 0, 0,
                      ZF_MOST_PARTS),
    ZF_OPTION_ROW_TEXT(pack_options, part, "I/N",
                       "make the I-th of N parts alone, here or on another machine"),
};

/* Which parts are asked for: *first to *last of *count; a count of 0 = one file. */
static enum zf_status which_parts(const struct pack_options *given, int64_t *first, int64_t *last,
                                  int64_t *count, struct zf_error *err)
{
    char end;

    *first = 1;
    *last = *count = given->parts;
    if (!given->part)
        return ZF_OK;
    if (given->parts > 0)
        return zf_fail(err, ZF_EINVAL,
                       "--parts %" PRId64 " makes all parts, --part %s one: give one", given->parts,
                       given->part);
    if (sscanf(given->part, "%" SCNd64 "/%" SCNd64 "%c", first, count, &end) != 2 || *first < 1 ||
        *count < *first || *count > ZF_MOST_PARTS)
        return zf_fail(err, ZF_EINVAL,
                       "--part is I/N, such as 3/8, of up to %d parts, and not \"%s\"",
                       ZF_MOST_PARTS, given->part);
    *last = *first;
    return ZF_OK;
}

static enum zf_status take_preparation(struct pack_options *given, struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = NULL;
    const struct zf_preparation *preparation;

    ZF_TRY(net_open(given->net, &net, NULL, err));
    preparation = zf_net_preparation(net);
    if (preparation->width)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s wants pictures of %" PRId64 "x%" PRId64
                         " px, and a packed file holds squares",
                         given->net, preparation->size, preparation->width));
    given->size = preparation->size;
    given->resize = preparation->resize == ZF_RESIZE_WARP ? ZF_RESIZE_WARP : ZF_RESIZE_SHORT;
fail:
    zf_net_free(&net);
    return status;
}

static enum zf_status pack_parts(struct call *call, const struct pack_options *given,
                                 const struct zf_data *data, const char *path, int64_t first,
                                 int64_t last, int64_t count, struct zf_error *err)
{
    int64_t made = 0;
    cJSON *json;

    for (int64_t k = first; k <= last; k++) {
        bool there = false;

        ZF_CHECK(zf_data_pack_part(data, (enum zf_resize)given->resize, given->size,
                                   (int)call->common.threads, path, k, count, &there, call->monitor,
                                   err));
        made += !there;
        progress_say(call->progress, "part %" PRId64 " of %" PRId64 " %s", k, count,
                     there ? "is there" : "written");
    }
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "out", path);
        cJSON_AddNumberToObject(json, "parts", (double)count);
        cJSON_AddNumberToObject(json, "written", (double)made);
        cJSON_AddNumberToObject(json, "there", (double)(last - first + 1 - made));
        cJSON_AddNumberToObject(json, "size", (double)given->size);
        ZF_CHECK(output_json(call->out, json, err));
    }
    return ZF_OK;
}

static enum zf_status pack_one(struct call *call, const struct pack_options *given,
                               const struct zf_data *data, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *packed = NULL;
    cJSON *json;

    ZF_TRY(zf_data_pack(data, (enum zf_resize)given->resize, given->size, (int)call->common.threads,
                        path, call->monitor, err));
    ZF_TRY(zf_data_open(path, &packed, err));
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "out", path);
        cJSON_AddNumberToObject(json, "images", (double)zf_data_count(packed));
        cJSON_AddNumberToObject(json, "classes", (double)zf_data_class_count(packed));
        cJSON_AddNumberToObject(json, "left_out",
                                (double)(zf_data_count(data) - zf_data_count(packed)));
        cJSON_AddNumberToObject(json, "size", (double)given->size);
        ZF_TRY(output_json(call->out, json, err));
    }
    progress_say(call->progress,
                 "wrote %s: %" PRId64 " pictures of %" PRId64 " px in %" PRId64 " classes, %" PRId64
                 " left out",
                 path, zf_data_count(packed), given->size, zf_data_class_count(packed),
                 (zf_data_count(data) - zf_data_count(packed)));
fail:
    zf_data_free(&packed);
    return status;
}

static enum zf_status run_pack(struct call *call, struct zf_error *err)
{
    const struct option_table table = {pack_table, ZF_COUNT(pack_table)};
    const char *name = call->args->words[0], *path = call->args->words[1];
    enum zf_status status;
    struct pack_options given;
    struct zf_data *data = NULL;
    int64_t first, last, parts;

    ZF_TRY(args_read(call->args, table, &given, err));
    ZF_TRY(which_parts(&given, &first, &last, &parts, err));
    ZF_TRY(parts > 0 ? output_check_directory(path, err) : output_check_file(path, err));
    if (given.net)
        ZF_TRY(take_preparation(&given, err));
    ZF_TRY(zf_data_open_noting(name, call->monitor, &data, err));
    ZF_TRY(parts > 0 ? pack_parts(call, &given, data, path, first, last, parts, err)
                     : pack_one(call, &given, data, path, err));
fail:
    zf_data_free(&data);
    return status;
}

const struct command pack_command = {
    .name = "pack",
    .arguments = "DATA OUT",
    .summary = "decode a data set once, into a file that trains at once",
    .details = "Pictures that cannot be read are named and left out. The packed file trains to the "
               "same bits as DATA when its size and resize are those of the net (--net). --parts N "
               "makes N files of it in a directory, which is a data set, too: begun again, it goes "
               "on, and several machines can make one --part each.",
    .output = OUTPUT_TEXT,
    .least = 2,
    .most = 2,
    .runs_no_net = true,
    .options = pack_table,
    .option_count = ZF_COUNT(pack_table),
    .run = run_pack,
};

/* ---- synth ---- */

struct synth_options {
    int64_t images;
};

static const struct zf_option synth_table[] = {
    ZF_OPTION_ROW_INT(synth_options, images, "N",
                      "training pictures; a fifth as many for validation", 2000, 10, 1000000),
};

static enum zf_status run_synth(struct call *call, struct zf_error *err)
{
    const struct option_table table = {synth_table, ZF_COUNT(synth_table)};
    const char *path = call->args->words[0];
    struct synth_options given;
    cJSON *json;

    ZF_CHECK(args_read(call->args, table, &given, err));
    ZF_CHECK(output_check_directory(path, err));
    ZF_CHECK(zf_synth_write(path, given.images, (uint64_t)call->common.seed,
                            (int)call->common.threads, call->monitor, err));
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "out", path);
        cJSON_AddNumberToObject(json, "images", (double)given.images);
        ZF_CHECK(output_json(call->out, json, err));
    }
    progress_say(call->progress, "wrote %s/train, %s/val and %s/truth.json", path, path, path);
    return ZF_OK;
}

const struct command synth_command = {
    .name = "synth",
    .arguments = "OUT",
    .summary = "write the generated data set as pictures, with the truth beside them",
    .details = "Ten classes of drawings with named parts; OUT/truth.json tells where each object "
               "and part is.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .runs_no_net = true,
    .options = synth_table,
    .option_count = ZF_COUNT(synth_table),
    .run = run_synth,
};
