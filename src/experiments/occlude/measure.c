/* SPDX-License-Identifier: MIT */
/*
 * A square slides over the picture; what the net then says, and how much of its strongest feature
 * is left, are maps by the square's place. (Paper: section 4.2, figure 7.)
 *
 * Where the paper is silent: the square's colour is the mean (zero in a prepared input); a map's
 * response is the sum over all its cells; the map that is followed is the one with the strongest
 * single activation, which is also what is projected.
 */
#include "experiments/occlude/occlude.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "look/choose.h"
#include "look/cover.h"
#include "ranks/deal.h"
#include "zf/look.h"

#define RAISED 1e-3f
#define STRIDE 8 /* px; no more than so many of an input of 224 px */

struct occluding {
    const struct zf_net *net;
    const struct zf_monitor *monitor;
    struct zf_occlusions *result;
    int64_t target;         /* -1 = the most probable */
    const int64_t *classes; /* of each input, or NULL */
    int64_t class_count;
    struct zf_compute compute;
    float *inputs;         /* [n, c, h, w] */
    struct zf_shape shape; /* of the layer */
    struct zf_cover cover;
    struct zf_plan *whole;        /* the picture with nothing hidden, and its projection */
    struct zf_box *boxes;         /* [batch] */
    struct zf_tensor probability; /* [batch, classes] */
};

static void run_release(struct occluding *run)
{
    zf_cover_release(&run->cover);
    zf_plan_free(&run->whole);
    zf_free(run->boxes);
    zf_tensor_release(&run->probability);
    zf_occlude_free(&run->result);
}

/* Steps of a stride, and one to the edge where none ends there: every pixel is hidden, unless the
   stride is larger than the square. */
static int64_t places(int64_t extent, const struct zf_occlusions *result)
{
    return (extent - result->size + result->stride - 1) / result->stride + 1;
}

enum zf_status zf_occlude_grid(const struct zf_net *net, const struct zf_occlude_options *options,
                               struct zf_occlusions *grid, struct zf_error *err)
{
    grid->input = zf_net_input(net);
    grid->stride = options->stride ? options->stride : zf_choose_at_most(net, STRIDE, STRIDE);
    if (options->size < 0 || grid->stride < 1)
        return zf_fail(err, ZF_EINVAL,
                       "a square of %" PRId64 " px in steps of %" PRId64 " px cannot slide",
                       options->size, grid->stride);
    ZF_CHECK(zf_choose_square(net, options->size, &grid->size, err));
    grid->layer = options->layer;
    if (options->layer < 0)
        ZF_CHECK(zf_choose_last_conv(net, true, &grid->layer, err));
    ZF_CHECK(zf_check_layers(net, &grid->layer, 1, err));
    grid->rows = places(grid->input.h, grid);
    grid->columns = places(grid->input.w, grid);
    return ZF_OK;
}

static enum zf_status check(const struct zf_net *net, const struct zf_tensor *inputs,
                            const struct zf_occlude_options *options, struct zf_occlusions *result,
                            struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);

    ZF_CHECK(zf_net_check_finite(net, err));
    if (inputs->n < 1 || inputs->c != input.c || inputs->h != input.h || inputs->w != input.w)
        return zf_fail(err, ZF_EINVAL,
                       "inputs of %" PRId64 " x %" PRId64 " x %" PRId64 " where the net takes "
                       "%" PRId64 " x %" PRId64 " x %" PRId64,
                       inputs->c, inputs->h, inputs->w, input.c, input.h, input.w);
    ZF_CHECK(zf_occlude_grid(net, options, result, err));
    if (options->target < -1 || options->target >= zf_net_class_count(net))
        return zf_fail(err, ZF_EINVAL, "class %" PRId64 " is not among the %" PRId64 " of %s",
                       options->target, zf_net_class_count(net), zf_net_name(net));
    for (int64_t i = 0; options->classes && i < inputs->n; i++)
        if (options->classes[i] < -1 || options->classes[i] >= zf_net_class_count(net))
            return zf_fail(err, ZF_EINVAL, "class %" PRId64 " is not among the %" PRId64 " of %s",
                           options->classes[i], zf_net_class_count(net), zf_net_name(net));
    return ZF_OK;
}

static enum zf_status run_init(struct occluding *run, const struct zf_occlude_options *options,
                               struct zf_error *err)
{
    const struct zf_occlusions *result = run->result;
    int64_t batch;

    ZF_CHECK(zf_cover_init(&run->cover, run->net,
                           &(struct zf_cover_options){.colour = options->colour,
                                                      .taps = &result->layer,
                                                      .tap_count = 1,
                                                      .most = result->rows * result->columns,
                                                      .box = result->size,
                                                      .compute = options->compute},
                           err));
    batch = run->cover.batch;
    ZF_CHECK(
        zf_plan_create(run->net,
                       &(struct zf_plan_options){.compute = zf_compute_batch(options->compute, 1),
                                                 .purpose = ZF_PROJECT,
                                                 .each = true,
                                                 .watched = true,
                                                 .taps = &result->layer,
                                                 .tap_count = 1},
                       &run->whole, err));
    run->boxes = zf_alloc((size_t)batch, sizeof *run->boxes);
    if (!run->boxes)
        return zf_no_memory(err, "a batch of %" PRId64, batch);
    return zf_tensor_init(&run->probability, batch, run->class_count, 1, 1, err);
}

static enum zf_status image_init(struct zf_occlusion *image, const struct zf_occlusions *result,
                                 struct zf_error *err)
{
    const size_t cells = (size_t)(result->rows * result->columns);
    const struct zf_shape in = result->input;

    image->probability_map = zf_alloc(cells, sizeof *image->probability_map);
    image->odds_map = zf_alloc(cells, sizeof *image->odds_map);
    image->class_map = zf_alloc(cells, sizeof *image->class_map);
    image->activation_map = zf_alloc(cells, sizeof *image->activation_map);
    image->projection = zf_alloc((size_t)(in.c * in.h * in.w), sizeof *image->projection);
    if (!image->probability_map || !image->odds_map || !image->class_map ||
        !image->activation_map || !image->projection)
        return zf_no_memory(err, "maps of %zu places", cells);
    return ZF_OK;
}

/* All activations of a map in the plan's last run. In double: the order of a float's sum would
   show. */
static float sum_of_map(const struct occluding *run, struct zf_plan *plan, int64_t image,
                        int64_t map)
{
    double sum = 0.0;

    for (int64_t y = 0; y < run->shape.h; y++)
        for (int64_t x = 0; x < run->shape.w; x++)
            sum += (double)zf_plan_activation(plan, run->result->layer,
                                              (struct zf_place){image, map, y, x});
    return (float)sum;
}

/* Of many squares none may touch a probability that is 1 in float32. The probabilities of the other
   classes have their digits still: they go on falling as the logits part. Of several yes or no only
   that of the target counts; a plain number is what it is. */
static float log_odds(const struct zf_net *net, const float *said, int64_t target)
{
    double others = 0.0;

    if (zf_net_answer(net) == ZF_ANSWER_NUMBERS)
        return said[target];
    if (zf_net_answer(net) == ZF_ANSWER_SIGMOID)
        others = 1.0 - (double)said[target];
    for (int64_t k = 0; zf_net_answer(net) == ZF_ANSWER_SOFTMAX && k < zf_net_class_count(net); k++)
        others += k == target ? 0.0 : (double)said[k];
    return (float)(log(fmax((double)said[target], DBL_MIN)) - log(fmax(others, DBL_MIN)));
}

/* The picture as it is: class, strongest map, projection. */
static enum zf_status look_at_whole(struct occluding *run, float *input, int64_t target,
                                    struct zf_occlusion *image, struct zf_error *err)
{
    const struct zf_shape in = run->result->input;
    const struct zf_tensor src = zf_tensor_view(input, 1, in.c, in.h, in.w);
    struct zf_tensor pixels = zf_tensor_view(image->projection, 1, in.c, in.h, in.w);
    struct zf_tensor probability = run->probability;
    struct zf_activation strongest = {.layer = run->result->layer, .map = -1, .y = -1, .x = -1};

    probability.n = 1;
    zf_plan_forward(run->whole, &src);
    ZF_CHECK(zf_plan_check_finite(run->whole, &src, NULL, err));
    ZF_CHECK(zf_plan_answer(run->whole, &probability, err));
    image->predicted = zf_first_largest(probability.data, run->class_count);
    image->predicted_probability = probability.data[image->predicted];
    image->target = target < 0 ? image->predicted : target;
    image->probability = probability.data[image->target];
    image->odds = log_odds(run->net, probability.data, image->target);
    if (!isfinite(image->predicted_probability))
        return zf_fail(err, ZF_EINPUT, "%s gives a %s that is not finite", zf_net_name(run->net),
                       zf_net_answer_word(run->net));
    ZF_CHECK(zf_activation_project(run->whole, run->net, &strongest, &pixels, err));
    image->map = strongest.map;
    image->y = strongest.y;
    image->x = strongest.x;
    image->activation = strongest.value;
    image->total = sum_of_map(run, run->whole, 0, image->map);
    return zf_project_dependence(run->net, &src, ZF_RULE_DECONVNET, &run->compute, &strongest,
                                 &image->dependence, err);
}

struct zf_box zf_occlude_place(const struct zf_occlusions *result, int64_t cell)
{
    const int64_t x = cell % result->columns * result->stride;
    const int64_t y = cell / result->columns * result->stride;
    const int64_t right = result->input.w - result->size, bottom = result->input.h - result->size;

    return (struct zf_box){x < right ? x : right, y < bottom ? y : bottom, result->size,
                           result->size};
}

/* By more than rounding. */
static bool raises(const struct zf_occlusion *image, float odds)
{
    return odds - image->odds > RAISED * fmaxf(1, fabsf(image->odds));
}

/* Cells [first, first + count) of an image's maps. */
static enum zf_status look_at_hidden(struct occluding *run, int64_t first, int64_t count,
                                     struct zf_occlusion *image, struct zf_error *err)
{
    const struct zf_occlusions *result = run->result;
    struct zf_tensor probability = run->probability;

    for (int64_t i = 0; i < count; i++)
        run->boxes[i] = zf_occlude_place(result, first + i);
    probability.n = count;
    ZF_CHECK(zf_cover_run(&run->cover, run->boxes, count, err));
    ZF_CHECK(zf_plan_answer(run->cover.plan, &probability, err));
    for (int64_t i = 0; i < count; i++) {
        const float *said = probability.data + i * run->class_count;

        image->probability_map[first + i] = said[image->target];
        image->odds_map[first + i] = log_odds(run->net, said, image->target);
        if (image->odds_map[first + i] < image->odds_map[image->lowest])
            image->lowest = first + i;
        if (image->odds_map[first + i] > image->odds_map[image->highest])
            image->highest = first + i;
        image->raised += raises(image, image->odds_map[first + i]);
        image->class_map[first + i] = (int32_t)zf_first_largest(said, run->class_count);
        image->activation_map[first + i] = sum_of_map(run, run->cover.plan, i, image->map);
    }
    return ZF_OK;
}

static enum zf_status occlude(struct occluding *run, float *input, size_t index,
                              struct zf_error *err)
{
    struct zf_occlusions *result = run->result;
    struct zf_occlusion *image = &result->images[index];
    const int64_t cells = result->rows * result->columns;
    const int64_t total = (int64_t)result->count * cells, batch = run->cover.batch;

    ZF_CHECK(image_init(image, result, err));
    ZF_CHECK(
        look_at_whole(run, input, run->classes ? run->classes[index] : run->target, image, err));
    zf_cover_picture(&run->cover, input);
    for (int64_t first = 0; first < cells; first += batch) {
        const int64_t left = cells - first;
        const int64_t count = left < batch ? left : batch;
        const int64_t done = (int64_t)index * cells + first + count;

        ZF_CHECK(look_at_hidden(run, first, count, image, err));
        if (!zf_monitor_progress(run->monitor, "hiding", done, total))
            return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " places",
                           done, total);
    }
    return ZF_OK;
}

/* ---- An input is a rank's. ---- */

static void image_release(struct zf_occlusion *image)
{
    zf_free(image->probability_map);
    zf_free(image->odds_map);
    zf_free(image->class_map);
    zf_free(image->activation_map);
    zf_free(image->projection);
    *image = (struct zf_occlusion){0};
}

/* Its arrays and their bytes. */
struct array {
    void *at;
    size_t bytes;
};

#define ARRAYS 5

static void list_arrays(const struct zf_occlusions *result, const struct zf_occlusion *image,
                        struct array *arrays)
{
    const size_t cells = (size_t)(result->rows * result->columns) * sizeof(float);
    const struct zf_shape in = result->input;

    arrays[0] = (struct array){image->probability_map, cells};
    arrays[1] = (struct array){image->odds_map, cells};
    arrays[2] = (struct array){image->class_map, cells};
    arrays[3] = (struct array){image->activation_map, cells};
    arrays[4] = (struct array){image->projection, (size_t)(in.c * in.h * in.w) * sizeof(float)};
}

static enum zf_status occlude_item(void *user, int64_t item, struct zf_parcel *parcel,
                                   struct zf_error *err)
{
    struct occluding *run = user;
    const struct zf_shape in = run->result->input;
    struct zf_occlusion *image = &run->result->images[item];
    struct array arrays[ARRAYS];

    ZF_CHECK(occlude(run, run->inputs + item * in.c * in.h * in.w, (size_t)item, err));
    list_arrays(run->result, image, arrays);
    zf_parcel_add(parcel, image, sizeof *image);
    for (int i = 0; i < ARRAYS; i++)
        zf_parcel_add(parcel, arrays[i].at, arrays[i].bytes);
    image_release(image);
    return ZF_OK;
}

static enum zf_status take_item(void *user, int64_t item, struct zf_parcel *parcel,
                                struct zf_error *err)
{
    struct occluding *run = user;
    struct zf_occlusion made = {0}, *image = &run->result->images[item];
    struct array arrays[ARRAYS];

    ZF_CHECK(image_init(image, run->result, err));
    list_arrays(run->result, image, arrays);
    made = *(const struct zf_occlusion *)zf_parcel_next(parcel, sizeof made);
    for (int i = 0; i < ARRAYS; i++)
        memcpy(arrays[i].at, zf_parcel_next(parcel, arrays[i].bytes), arrays[i].bytes);
    made.probability_map = image->probability_map;
    made.odds_map = image->odds_map;
    made.class_map = image->class_map;
    made.activation_map = image->activation_map;
    made.projection = image->projection;
    *image = made;
    return ZF_OK;
}

/* Which maps were followed, for whoever looks for them in other pictures. */
static enum zf_status share_maps(struct occluding *run, struct zf_error *err)
{
    struct zf_occlusions *result = run->result;

    for (size_t i = 0; i < result->count; i++)
        ZF_CHECK(zf_ranks_share(run->compute.ranks, 0, &result->images[i].map,
                                sizeof result->images[i].map, err));
    return ZF_OK;
}

enum zf_status zf_occlude_run(const struct zf_net *net, const struct zf_tensor *inputs,
                              const struct zf_occlude_options *options, struct zf_occlusions **out,
                              const struct zf_monitor *monitor, struct zf_error *err)
{
    const double start = zf_clock_s();
    struct occluding run = {.net = net,
                            .monitor = monitor,
                            .target = options->target,
                            .classes = options->classes,
                            .compute = options->compute,
                            .inputs = inputs->data};
    struct zf_occlusions *result = zf_alloc(1, sizeof *result);
    enum zf_status status;

    run.result = result;
    if (!result)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(check(net, inputs, options, result, err));
    result->images = zf_alloc((size_t)inputs->n, sizeof *result->images);
    if (!result->images)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " inputs", inputs->n));
    result->count = (size_t)inputs->n;
    run.class_count = zf_net_class_count(net);
    run.shape = zf_net_layer(net, result->layer).shape;
    ZF_TRY(run_init(&run, options, err));
    ZF_TRY(zf_deal_run(&(struct zf_deal){.ranks = options->compute.ranks,
                                         .count = inputs->n,
                                         .work = occlude_item,
                                         .take = take_item,
                                         .user = &run},
                       err));
    ZF_TRY(share_maps(&run, err));
    result->seconds = zf_clock_s() - start;
    *out = result;
    run.result = NULL;
fail:
    run_release(&run);
    return status;
}

void zf_occlude_free(struct zf_occlusions **result)
{
    if (!result || !*result)
        return;
    for (size_t i = 0; i < (*result)->count; i++)
        image_release(&(*result)->images[i]);
    zf_free((*result)->images);
    zf_free(*result);
    *result = NULL;
}
