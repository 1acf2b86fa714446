/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. */
#ifndef ZF_REPORT_REPORT_H
#define ZF_REPORT_REPORT_H

#include <cjson/cJSON.h>

#include "zf/report.h"

/* A report of one zf_top on its way; everything is lent. */
struct zf_top_work {
    const struct zf_net *net;
    const struct zf_data *data;
    const struct zf_top *top;
    const struct zf_top_options *options;
    const struct zf_top_report_options *report;
};

/* ---- signal.c ---- */

#define ZF_GREY 128        /* zero of a signal */
#define ZF_CUT_SHARE 0.005 /* of a projection's values: shown as the ends of the scale */

/**
 * A magnitude that all but a share of the values within a box stay below (to a part in 4096 of the
 * largest). A few peaks then do not leave everything else in the grey.
 */
float zf_signal_limit(const float *src, struct zf_shape shape, struct zf_box box, double share);

/* ---- sprites.c: the tiles of one layer's maps, one picture a map. ---- */

/**
 * A map's sprite holds its projections on the left and the patches they belong to on the right,
 * each a block of columns x rows tiles, strongest first in reading order.
 */
struct zf_sprites {
    struct zf_shape input;
    const struct zf_preparation *preparation;
    const struct zf_top_layer *layer;
    struct zf_receptive_field field;
    int64_t tile;                /* px */
    int64_t columns, rows;       /* tiles of a block */
    size_t k;                    /* places in a block that entries may take */
    struct zf_picture *pictures; /* [maps] */
    float *limits;               /* [maps * k]: what a tile's projection is scaled by */
};

/* tile: 0 = chosen by zf_sprites_tile(). */
enum zf_status zf_sprites_init(struct zf_sprites *sprites, const struct zf_top_work *work, size_t i,
                               struct zf_error *err);
/* The k places of a block in one row; `layer` holds k entries a map. */
enum zf_status zf_sprites_init_row(struct zf_sprites *sprites, const struct zf_net *net,
                                   const struct zf_top_layer *layer, size_t k,
                                   struct zf_error *err);
void zf_sprites_release(struct zf_sprites *sprites); /* accepts empty */

/* Draw one entry: its projection, scaled to its own largest magnitude for now, and its patch. */
enum zf_status zf_sprites_draw(struct zf_sprites *sprites, size_t map, size_t rank,
                               const float *input, const float *projection, struct zf_error *err);

/* The same from what was kept of them: [c, height, width] of the entry's patch. */
enum zf_status zf_sprites_draw_patch(struct zf_sprites *sprites, size_t map, size_t rank,
                                     const float *input, const float *projection,
                                     struct zf_error *err);

/* When all are drawn: bring the projections that share a contrast to one scale. */
void zf_sprites_finish(struct zf_sprites *sprites, enum zf_contrast contrast);

/* ---- sheet.c ---- */

#define ZF_NUMBER_HEIGHT 7 /* px */
#define ZF_NUMBER_PITCH 6  /* px from digit to digit */

/* A number >= 0 in small digits, its corner at (left, top). */
void zf_sheet_number(struct zf_picture *sheet, int64_t left, int64_t top, int64_t number);

/* The sprites of a layer's maps in a grid, each under its number; `limit` of them at most. */
enum zf_status zf_sheet_draw(const struct zf_sprites *sprites, size_t limit,
                             struct zf_picture *sheet, struct zf_error *err);

/* ---- top_json.c ---- */

/* One layer as an object; NULL when memory is short. Release with cJSON_Delete(). */
cJSON *zf_top_layer_json(const struct zf_net *net, const struct zf_data *data,
                         const struct zf_top_layer *layer);

/* The whole of top.json; options and report of `work` may be NULL. */
enum zf_status zf_top_work_json(const struct zf_top_work *work, char **json, struct zf_error *err);

/* Words for what was asked. */
const char *zf_rule_name(enum zf_rule rule);
const char *zf_contrast_name(enum zf_contrast contrast);

/* ---- top_page.c: index.html, written as the layers come. ---- */

struct zf_top_page;

enum zf_status zf_top_page_open(const struct zf_top_work *work, const char *path,
                                struct zf_top_page **out, struct zf_error *err);
enum zf_status zf_top_page_layer(struct zf_top_page *page, const struct zf_sprites *sprites,
                                 struct zf_error *err);
enum zf_status zf_top_page_commit(struct zf_top_page *page, struct zf_error *err);
void zf_top_page_free(struct zf_top_page **page); /* what is not committed is removed */

/**
 * A layer's name as it can stand in file names and links: letters, digits, '.', '_' and '-' stay,
 * the rest becomes '_'. Unique within a net. NULL when memory is short; free with zf_free().
 */
char *zf_name_slug(const char *name, int layer);
char *zf_layer_slug(const struct zf_net *net, const struct zf_top *top, size_t i);

/* The file of a layer's sheet, "conv1.png". NULL when memory is short; free with zf_free(). */
char *zf_sheet_name(const struct zf_net *net, const struct zf_top *top, size_t i);

#endif
