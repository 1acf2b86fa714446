/* SPDX-License-Identifier: MIT */
#include "experiments/album.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/occlude/occlude.h"
#include "look/choose.h"
#include "page/document.h"
#include "page/heat.h"

#define COLUMNS 6
#define TILE 290 /* px of a picture's longer side: six and their gaps are about 1920 */
#define GAP 24
#define LINE 22   /* px of a line of words below a picture */
#define SMALL 200 /* px at least of a picture on a page */
#define SIDE 420  /* px of a panel's longer side in an explanation */
#define STRIDE 16 /* px of an input of 224: shows where, at a quarter of the time of occlude */

static const struct zf_lettering words = {12.0, {40, 42, 46}};
static const struct zf_lettering quiet = {11.0, {110, 112, 116}};

void zf_album_release(struct zf_album *album)
{
    zf_tensor_release(&album->inputs);
    for (size_t i = 0; album->shown && i < album->count; i++)
        zf_picture_release(&album->shown[i]);
    zf_free(album->shown);
    zf_free(album->names);
    *album = (struct zf_album){0};
}

static enum zf_status load_batch(struct zf_album *album, const struct zf_data *data,
                                 const int64_t *samples, int threads, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(album->net);
    const struct zf_loader_options options = {.batch = (int64_t)album->count,
                                              .views = ZF_VIEWS_CENTRE,
                                              .strict = true,
                                              .threads = threads > 0 ? threads : zf_core_count(),
                                              .samples = samples,
                                              .sample_count = (int64_t)album->count};
    struct zf_loader *loader = NULL;
    struct zf_batch batch;
    enum zf_status status;
    bool done;

    ZF_TRY(zf_loader_create(data, album->net, &options, &loader, err));
    ZF_TRY(zf_loader_next(loader, &batch, &done, err));
    memcpy(album->inputs.data, batch.input.data,
           (size_t)zf_tensor_count(&album->inputs) * sizeof *album->inputs.data);
    for (size_t i = 0; i < album->count; i++)
        ZF_TRY(zf_picture_from_input(album->inputs.data + (int64_t)i * in.c * in.h * in.w, in,
                                     zf_net_preparation(album->net), &album->shown[i], err));
fail:
    zf_loader_free(&loader);
    return status;
}

enum zf_status zf_album_load(struct zf_album *album, const struct zf_net *net,
                             const struct zf_data *data, const int64_t *samples, size_t count,
                             int threads, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);

    *album = (struct zf_album){.net = net, .count = count};
    album->shown = zf_alloc(count, sizeof *album->shown);
    album->names = zf_alloc(count, sizeof *album->names);
    if (!album->shown || !album->names)
        return zf_no_memory(err, "%zu pictures", count);
    for (size_t i = 0; i < count; i++)
        album->names[i] = zf_data_path(data, samples[i]);
    ZF_CHECK(zf_tensor_init(&album->inputs, (int64_t)count, in.c, in.h, in.w, err));
    return load_batch(album, data, samples, threads, err);
}

/* ---- Shown. ---- */

enum zf_status zf_album_show(const struct zf_album *album, const char *const *titles,
                             const char *file, const char *caption, struct zf_document *document,
                             struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(album->net);
    const double scale = (double)TILE / (double)(in.h > in.w ? in.h : in.w);
    const int64_t width = lround(scale * (double)in.w), height = lround(scale * (double)in.h);
    const int64_t count = (int64_t)album->count, columns = count < COLUMNS ? count : COLUMNS;
    const int64_t across = width + GAP, down = height + 2 * LINE + GAP;
    struct zf_panel panels[ZF_ALBUM_MOST];
    struct zf_picture canvas = {0};
    enum zf_status status;

    ZF_TRY(zf_canvas_init(&canvas, GAP + columns * across,
                          GAP + (count + columns - 1) / columns * down, err));
    for (int64_t i = 0; i < count; i++) {
        const struct zf_box box = {GAP + i % columns * across, GAP + i / columns * down, width,
                                   height};
        const char *slash = strrchr(album->names[i], '/');
        const double left = (double)box.x, below = (double)(box.y + height + 8);

        panels[i] = (struct zf_panel){.box = box, .title = titles[i], .note = album->names[i]};
        zf_canvas_place(&canvas, box, &album->shown[i], zf_picture_box(&album->shown[i]));
        zf_canvas_text(&canvas, &words, left, below, (double)width, titles[i]);
        zf_canvas_text(&canvas, &quiet, left, below + LINE, (double)width,
                       slash ? slash + 1 : album->names[i]);
    }
    zf_document_panels(document, &canvas, file, panels, album->count, SMALL, caption);
fail:
    zf_picture_release(&canvas);
    return status;
}

/* ---- Explained. ---- */

/* Places of the square, of 100, at which the net says `class`. */
static double places_of(const struct zf_occlusions *result, int64_t class)
{
    const int64_t cells = result->rows * result->columns;
    int64_t count = 0;

    for (int64_t k = 0; k < cells; k++)
        count += result->images[0].class_map[k] == class;
    return 100.0 * (double)count / (double)cells;
}

/* The largest value that the class has with the square anywhere. */
static double largest(const struct zf_occlusions *result)
{
    const float *map = result->images[0].probability_map;
    float most = 0.0f;

    for (int64_t k = 0; k < result->rows * result->columns; k++)
        most = map[k] > most ? map[k] : most;
    return (double)most;
}

static const char *describe(struct zf_document *document, const char *caption,
                            const struct zf_net *net, const struct zf_occlusions *result,
                            int64_t class, int64_t other)
{
    const struct zf_occlusion *image = &result->images[0];
    const char *name = zf_net_label(net, class);
    const char *also = class == other
                           ? ""
                           : zf_document_words(document, ", and %s at %.0f%%",
                                               zf_net_label(net, other), places_of(result, other));

    return zf_document_words(
        document,
        "%s With a square of %" PRId64 " px hidden, it says %s at %.0f%% of the square's places%s. "
        "On the right, by the place of the square's middle: dark is where hiding lowers the %s of "
        "%s, to %.3g at the frame; light is %.3g.",
        caption, result->size, name, places_of(result, class), also, zf_net_answer_word(net), name,
        (double)image->probability_map[image->lowest],
        fmax((double)image->probability, largest(result)));
}

/* The picture, framed where hiding hurts most, and its map. */
static enum zf_status draw(const struct zf_album *album, size_t i,
                           const struct zf_occlusions *result, struct zf_picture *canvas,
                           struct zf_panel panels[2], struct zf_error *err)
{
    const struct zf_occlusion *image = &result->images[0];
    const struct zf_shape in = result->input;
    const double scale = (double)SIDE / (double)(in.h > in.w ? in.h : in.w);
    const int64_t width = lround(scale * (double)in.w), height = lround(scale * (double)in.h);
    const struct zf_box left = {GAP, GAP, width, height};
    const struct zf_box right = {2 * GAP + width, GAP, width, height};
    const struct zf_box hurt = zf_occlude_place(result, image->lowest);
    const int64_t side = lround(scale * (double)result->size);
    const struct zf_box frame = {GAP + lround(scale * (double)hurt.x),
                                 GAP + lround(scale * (double)hurt.y), side, side};
    const double high = fmax((double)image->probability, largest(result));
    const int64_t cell = (int64_t)ceil(scale * (double)result->stride);

    ZF_CHECK(zf_canvas_init(canvas, 3 * GAP + 2 * width, 2 * GAP + height, err));
    panels[0] = (struct zf_panel){.box = left, .title = "framed: where hiding hurts most"};
    panels[1] = (struct zf_panel){.box = right, .title = "the answer, by what is hidden"};
    zf_canvas_place(canvas, left, &album->shown[i], zf_picture_box(&album->shown[i]));
    zf_canvas_frame(canvas, frame, 4, ZF_PAPER);
    zf_canvas_frame(canvas, frame, 2, ZF_INK);
    zf_canvas_fill(canvas, right, ZF_QUIET);
    for (int64_t k = 0; k < result->rows * result->columns; k++) {
        const struct zf_box place = zf_occlude_place(result, k);
        const double x = (double)place.x + (double)(result->size - result->stride) / 2.0;
        const double y = (double)place.y + (double)(result->size - result->stride) / 2.0;

        zf_canvas_fill(
            canvas,
            (struct zf_box){right.x + lround(scale * x), right.y + lround(scale * y), cell, cell},
            zf_heat_colour((double)image->probability_map[k] / high));
    }
    return ZF_OK;
}

enum zf_status zf_album_explain(const struct zf_album *album, size_t i, int64_t class,
                                int64_t other, const struct zf_compute *compute, const char *file,
                                const char *caption, struct zf_document *document,
                                const struct zf_monitor *monitor, struct zf_error *err)
{
    const struct zf_tensor *all = &album->inputs;
    const struct zf_tensor input = zf_tensor_view(all->data + (int64_t)i * all->c * all->h * all->w,
                                                  1, all->c, all->h, all->w);
    const struct zf_occlude_options options = {.stride = zf_choose_pixels(album->net, STRIDE),
                                               .target = class,
                                               .layer = -1,
                                               .compute = *compute};
    struct zf_error reason = {0};
    struct zf_occlusions *result = NULL;
    struct zf_panel panels[2];
    struct zf_picture figure = {0};
    enum zf_status status = zf_occlude_run(album->net, &input, &options, &result, monitor, &reason);

    if (status == ZF_EUNSUPPORTED) {
        zf_document_paragraph(document, "%s No map: %s.", caption, reason.message);
        return ZF_OK;
    }
    if (status != ZF_OK && err)
        *err = reason;
    ZF_TRY(status);
    ZF_TRY(draw(album, i, result, &figure, panels, err));
    zf_document_panels(document, &figure, file, panels, ZF_COUNT(panels), SIDE,
                       describe(document, caption, album->net, result, class, other));
fail:
    zf_picture_release(&figure);
    zf_occlude_free(&result);
    return status;
}
