/* SPDX-License-Identifier: MIT */
/* The strongest pictures: what is asked (run.c), the course (fill.c), the document (page.c), its
   page to browse (browse.c), and what a run keeps that may be stopped (keep.c). */
#ifndef ZF_EXPERIMENTS_TOP_H
#define ZF_EXPERIMENTS_TOP_H

#include "experiments/table.h"
#include "page/sprites.h"
#include "zf/look.h"

#define ZF_TOP_MOST_TILE 1024 /* px */

/* What is shown, and how; everything is lent. */
struct zf_top_show {
    const struct zf_net *net;
    const struct zf_data *data;
    const char *model, *pictures; /* as a command names both; NULL = not known */
    const struct zf_top *top;
    const struct zf_top_options *options; /* of zf_top_run() */
    enum zf_contrast contrast;
    int64_t tile;        /* px of one patch or projection; 0 = chosen by layer */
    int64_t sheet_maps;  /* most maps on a sheet; 0 = 64 */
    int64_t most_sheets; /* of a layer; 0 = as many as show all its maps */
    bool single_file;    /* all pictures in the page, which is otherwise small and loads them from
                            files   beside it */
    int64_t slide_maps;  /* on a layer's slide, the strongest ones; 0 = no slide */
    bool keeps;          /* what zf_top_open() prepared the document's directory for */
    bool resume;         /* layers that an earlier run has done are not done again */
};

/**
 * Project all entries, and fill the document: the numbers, one sheet a layer (LAYER.png: for each
 * map its k projections beside its k patches, maps in a grid), and a page to browse layer by layer
 * and map by map. Only one layer's pictures are in memory meanwhile.
 *
 * Returns what zf_top_project() does, ZF_EINVAL for a size out of range, ZF_EUNSUPPORTED for a net
 * that does not look at colour pictures.
 */
enum zf_status zf_top_fill(const struct zf_top_show *show, struct zf_document *document,
                           const struct zf_monitor *monitor, struct zf_error *err);

/* ---- estimate.c ---- */

/* About how long zf_top_run() and zf_top_fill() will take together. Returns what zf_plan_create()
   does. */
enum zf_status zf_top_estimate(const struct zf_net *net, int64_t images,
                               const struct zf_top_options *options, double *seconds,
                               struct zf_error *err);

/* ---- page.c ---- */

extern const char *const zf_contrast_names[]; /* NULL ends */

/* The numbers of one layer, as members of the object that is open. */
void zf_top_layer_numbers(struct zf_json *json, const struct zf_net *net,
                          const struct zf_data *data, const struct zf_top_layer *layer);

/* Whether map k of a layer is what the net says about class k: nothing behind it is learned. */
bool zf_top_maps_are_classes(const struct zf_net *net, int layer);

/* All but the layers; then a layer, drawn, and its numbers; then the lines for a terminal. */
void zf_top_begin(const struct zf_top_show *show, struct zf_document *document);
void zf_top_layer(const struct zf_top_show *show, size_t i, const struct zf_sprites *sprites,
                  const char *slug, struct zf_document *document);
void zf_top_layer_json(const struct zf_top_show *show, size_t i, const char *slug,
                       struct zf_document *document);
void zf_top_say(const struct zf_top_show *show, struct zf_document *document);

/* The most maps on a sheet, and the sheets that a layer has. */
size_t zf_top_sheet_maps(const struct zf_top_show *show);
size_t zf_top_sheet_count(const struct zf_top_show *show, const struct zf_top_layer *layer);

/* ---- browse.c: what the document's own page has in place of the sheets. ---- */

/* The bar with a tab for each layer, and what shows one map. */
void zf_browse_begin(const struct zf_top_show *show, struct zf_document *document);

/* A layer's maps, in place of the last two blocks: its heading and its sheet. */
void zf_browse_layer(const struct zf_top_show *show, const struct zf_sprites *sprites,
                     struct zf_document *document);

/* ---- compact.c ---- */

/* The numbers of one layer as its page reads them, as members of the object that is open. */
void zf_top_layer_compact(struct zf_json *json, const struct zf_net *net,
                          const struct zf_data *data, const struct zf_top_layer *layer);

/* ---- keep.c ---- */

/**
 * A text that is the same for runs that can go on from each other: of the net's and the data's
 * contents, and `options`. NULL when memory is short; free with zf_free().
 */
char *zf_top_asked(const struct zf_net *net, const struct zf_data *data, const char *options);

/**
 * Make room in a document's directory for what is unfinished: what an earlier run left there goes,
 * or, with `resume`, must be there: ZF_EINPUT.
 */
enum zf_status zf_top_open(const char *directory, bool resume, struct zf_error *err);

/* When all is done. */
void zf_top_forget(const char *directory);

/* The file for zf_top_options.kept; NULL when memory is short; free with zf_free(). */
char *zf_top_lists(const char *directory);

/* A layer's blocks, the last two of the document: are they kept; keep them; add them again. */
bool zf_top_is_done(const char *directory, const char *slug);
enum zf_status zf_top_keep_layer(struct zf_document *document, const char *slug,
                                 struct zf_error *err);
enum zf_status zf_top_take_layer(struct zf_document *document, const char *slug,
                                 struct zf_error *err);

#endif
