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
};

static const char *const resizes[] = {"short", "warp", NULL};

static const struct zf_option pack_table[] = {
    ZF_OPTION_ROW_TEXT(pack_options, net, "NET",
                       "take size and resize from this net's preparation"),
    ZF_OPTION_ROW_INT(pack_options, size, "PX", "side of the squares", 256, 1, 4096),
    ZF_OPTION_ROW_CHOICE(pack_options, resize, "R",
                         "to the square: shorter side and centre, or both sides", ZF_RESIZE_SHORT,
                         resizes),
};

static enum zf_status run_pack(struct call *call, struct zf_error *err)
{
    const struct option_table table = {pack_table, ZF_COUNT(pack_table)};
    const char *name = call->args->words[0], *path = call->args->words[1];
    enum zf_status status;
    struct pack_options given;
    struct zf_data *data = NULL, *packed = NULL;
    struct zf_net *net = NULL;
    cJSON *json;

    ZF_TRY(args_read(call->args, table, &given, err));
    ZF_TRY(output_check_file(path, err));
    if (given.net) {
        ZF_TRY(net_open(given.net, &net, NULL, err));
        if (zf_net_preparation(net)->width)
            ZF_LEAVE(zf_fail(
                err, ZF_EINPUT,
                "%s wants pictures of %" PRId64 "x%" PRId64 " px, and a packed file holds squares",
                given.net, zf_net_preparation(net)->size, zf_net_preparation(net)->width));
        given.size = zf_net_preparation(net)->size;
        given.resize =
            zf_net_preparation(net)->resize == ZF_RESIZE_WARP ? ZF_RESIZE_WARP : ZF_RESIZE_SHORT;
    }
    ZF_TRY(zf_data_open_noting(name, call->monitor, &data, err));
    ZF_TRY(zf_data_pack(data, (enum zf_resize)given.resize, given.size, (int)call->common.threads,
                        path, call->monitor, err));
    ZF_TRY(zf_data_open(path, &packed, err));
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "out", path);
        cJSON_AddNumberToObject(json, "images", (double)zf_data_count(packed));
        cJSON_AddNumberToObject(json, "classes", (double)zf_data_class_count(packed));
        cJSON_AddNumberToObject(json, "left_out",
                                (double)(zf_data_count(data) - zf_data_count(packed)));
        cJSON_AddNumberToObject(json, "size", (double)given.size);
        ZF_TRY(output_json(call->out, json, err));
    }
    progress_say(call->progress,
                 "wrote %s: %" PRId64 " pictures of %" PRId64 " px in %" PRId64 " classes, %" PRId64
                 " left out",
                 path, zf_data_count(packed), given.size, zf_data_class_count(packed),
                 (zf_data_count(data) - zf_data_count(packed)));
fail:
    zf_net_free(&net);
    zf_data_free(&packed);
    zf_data_free(&data);
    return status;
}

const struct command pack_command = {
    .name = "pack",
    .arguments = "DATA OUT",
    .summary = "decode a data set once, into a file that trains at once",
    .details = "Pictures that cannot be read are named and left out. The packed file trains to the "
               "same bits as DATA when its size and resize are those of the net (--net).",
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
                      "training pictures; a fifth as many for validation", 2000, 10, 10000000),
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
