/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define SHEET_MAPS 64
#define MAX_TILE 1024 /* px */

/* One layer's projections are a call of their own; the user sees one progress over all. */
struct layer_walk {
    struct zf_sprites *sprites;
    const struct zf_monitor *monitor;
    int64_t before, total; /* entries */
};

static enum zf_status draw_entry(void *user, size_t layer, size_t map, size_t rank,
                                 const float *input, const float *projection, struct zf_error *err)
{
    struct layer_walk *walk = user;

    (void)layer;
    return zf_sprites_draw(walk->sprites, map, rank, input, projection, err);
}

static bool forward_progress(void *user, const char *stage, int64_t done, int64_t total)
{
    struct layer_walk *walk = user;

    (void)total;
    return zf_monitor_progress(walk->monitor, stage, walk->before + done, walk->total);
}

static int64_t count_entries(const struct zf_top_layer *layer)
{
    int64_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++)
        count += (int64_t)layer->maps[m].count;
    return count;
}

static enum zf_status save_sheet(const struct zf_top_work *work, size_t i,
                                 const struct zf_sprites *sprites, const char *directory,
                                 struct zf_error *err)
{
    enum zf_status status;
    size_t limit = work->report->sheet_maps > 0 ? (size_t)work->report->sheet_maps : SHEET_MAPS;
    char *name = zf_sheet_name(work->net, work->top, i);
    char *path = name ? zf_path_join(directory, name) : NULL;
    struct zf_picture sheet = {0};

    if (!path) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a sheet in %s", directory);
        goto fail;
    }
    ZF_TRY(zf_sheet_draw(sprites, limit, &sheet, err));
    ZF_TRY(zf_picture_save_png(&sheet, path, err));
fail:
    zf_picture_release(&sheet);
    zf_free(path);
    zf_free(name);
    return status;
}

/* Project, draw and write one layer; only its pictures are in memory meanwhile. */
static enum zf_status report_layer(const struct zf_top_work *work, size_t i,
                                   struct zf_top_page *page, struct layer_walk *walk,
                                   const char *directory, struct zf_error *err)
{
    enum zf_status status;
    struct zf_sprites sprites = {0};
    struct zf_top one = *work->top;
    const struct zf_monitor monitor = {.user = walk, .progress = forward_progress};

    one.layers = &work->top->layers[i];
    one.layer_count = 1;
    walk->sprites = &sprites;
    ZF_TRY(zf_sprites_init(&sprites, work, i, err));
    ZF_TRY(zf_top_project(work->net, work->data, &one, work->options, draw_entry, walk, &monitor,
                          err));
    zf_sprites_finish(&sprites, work->report->contrast);
    ZF_TRY(save_sheet(work, i, &sprites, directory, err));
    ZF_TRY(zf_top_page_layer(page, &sprites, err));
    walk->before += count_entries(&work->top->layers[i]);
fail:
    zf_sprites_release(&sprites);
    return status;
}

static enum zf_status check(const struct zf_top_work *work, struct zf_error *err)
{
    struct zf_shape input = zf_net_input(work->net);
    const struct zf_top_report_options *report = work->report;

    if (input.c != 3)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s looks at %" PRId64 " channels: only colour pictures, of 3, can be shown",
                       zf_net_name(work->net), input.c);
    if (report->tile < 0 || report->tile > MAX_TILE)
        return zf_fail(err, ZF_EINVAL, "a tile of %" PRId64 " px is not in 0 .. %d", report->tile,
                       MAX_TILE);
    if (report->sheet_maps < 0)
        return zf_fail(err, ZF_EINVAL, "a sheet cannot show %" PRId64 " maps", report->sheet_maps);
    return ZF_OK;
}

enum zf_status zf_top_report(const struct zf_net *net, const struct zf_data *data,
                             const struct zf_top *top, const struct zf_top_options *options,
                             const struct zf_top_report_options *report, const char *directory,
                             const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_top_work work = {net, data, top, options, report};
    struct layer_walk walk = {.monitor = monitor};
    struct zf_top_page *page = NULL;
    char *json_path = NULL, *page_path = NULL, *json = NULL;

    ZF_TRY(check(&work, err));
    ZF_TRY(zf_directory_make(directory, err));
    json_path = zf_path_join(directory, "top.json");
    page_path = zf_path_join(directory, "index.html");
    if (!json_path || !page_path) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the names in %s", directory);
        goto fail;
    }
    ZF_TRY(zf_top_work_json(&work, &json, err));
    ZF_TRY(zf_file_write(json_path, json, strlen(json), err));

    for (size_t i = 0; i < top->layer_count; i++)
        walk.total += count_entries(&top->layers[i]);
    ZF_TRY(zf_top_page_open(&work, page_path, &page, err));
    for (size_t i = 0; i < top->layer_count; i++)
        ZF_TRY(report_layer(&work, i, page, &walk, directory, err));
    ZF_TRY(zf_top_page_commit(page, err));
fail:
    zf_top_page_free(&page);
    zf_text_free(json);
    zf_free(page_path);
    zf_free(json_path);
    return status;
}
