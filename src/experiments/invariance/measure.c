/* SPDX-License-Identifier: MIT */
/*
 * What moving, enlarging and turning a picture does to its features and to the class.
 * (Paper: section 4.1, figure 5.)
 *
 * The square that crops are taken from is transformed, not the crop: a shift then brings in what
 * the picture really has beside the crop. Shifts are whole pixels, so that no interpolation mixes
 * into them.
 */
#include "experiments/invariance/invariance.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "look/choose.h"

#define SHIFT 60 /* px of 224, to both sides */
#define SHIFT_STEPS 12
#define SCALE_STEPS 16
#define SCALE_STEP 0.05
#define ROTATION_STEPS 36
#define DEFAULT_BATCH 32
#define MAX_BATCH 4096

struct moving {
    const struct zf_net *net;
    const struct zf_monitor *monitor;
    struct zf_invariance *result;
    int64_t batch;
    struct zf_plan *plan;         /* ZF_INFER, of `batch` */
    struct zf_tensor inputs;      /* [batch, c, h, w] */
    struct zf_tensor probability; /* [batch, classes] */
    struct zf_tensor *values;     /* [layers]: [batch, shape] each */
    struct zf_tensor unmoved;     /* [1, c, h, w]: the picture as it is, */
    float **original;             /* [layers] and its features */
    int64_t done, total;
};

const char *zf_motion_name(enum zf_motion motion)
{
    static const char *const names[ZF_MOTIONS] = {"translation", "scale", "rotation"};

    return motion < ZF_MOTIONS ? names[motion] : "";
}

struct zf_transform zf_motion_transform(enum zf_motion motion, double value)
{
    struct zf_transform transform = {.scale = 1.0};

    if (motion == ZF_MOTION_TRANSLATION)
        transform.shift_y = value;
    else if (motion == ZF_MOTION_SCALE)
        transform.scale = value;
    else
        transform.degrees = value;
    return transform;
}

/* ---- What is asked. ---- */

static enum zf_status fill_values(struct zf_invariance *result, const struct zf_net *net,
                                  struct zf_error *err)
{
    const int64_t shift = zf_choose_pixels(net, SHIFT);
    const int64_t step = shift > SHIFT_STEPS ? shift / SHIFT_STEPS : 1;
    const int64_t steps = shift / step;

    result->value_count[ZF_MOTION_TRANSLATION] = (size_t)(2 * steps + 1);
    result->value_count[ZF_MOTION_SCALE] = SCALE_STEPS + 1;
    result->value_count[ZF_MOTION_ROTATION] = ROTATION_STEPS;
    for (int m = 0; m < ZF_MOTIONS; m++) {
        result->values[m] = zf_alloc(result->value_count[m], sizeof(double));
        if (!result->values[m])
            return zf_fail(err, ZF_ENOMEM, "out of memory");
    }
    for (int64_t i = 0; i <= 2 * steps; i++)
        result->values[ZF_MOTION_TRANSLATION][i] = (double)((i - steps) * step);
    for (int i = 0; i <= SCALE_STEPS; i++)
        result->values[ZF_MOTION_SCALE][i] = 1.0 + i * SCALE_STEP;
    for (int i = 0; i < ROTATION_STEPS; i++)
        result->values[ZF_MOTION_ROTATION][i] = i * 360.0 / ROTATION_STEPS;
    return ZF_OK;
}

static enum zf_status fill_layers(struct zf_invariance *result, const struct zf_net *net,
                                  const struct zf_invariance_options *options, struct zf_error *err)
{
    const size_t count = options->layers ? options->layer_count : 2;

    result->layers = zf_alloc(count, sizeof *result->layers);
    if (!result->layers)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    result->layer_count = count;
    if (!options->layers) {
        ZF_CHECK(zf_choose_first_stage(net, &result->layers[0], err));
        ZF_CHECK(zf_choose_last_hidden(net, true, &result->layers[1], err));
    }
    for (size_t l = 0; options->layers && l < count; l++)
        result->layers[l] = options->layers[l];
    ZF_CHECK(zf_check_layers(net, result->layers, count, err));
    return ZF_OK;
}

static enum zf_status check(const struct zf_net *net, const struct zf_picture *squares,
                            size_t count, const struct zf_invariance_options *options,
                            struct zf_error *err)
{
    const struct zf_geometry geometry = zf_geometry_of(zf_net_preparation(net), zf_net_input(net));
    const int64_t classes = zf_net_class_count(net);

    ZF_CHECK(zf_net_check_finite(net, err));
    if (count == 0)
        return zf_fail(err, ZF_EINVAL, "there are no pictures");
    ZF_CHECK(zf_input_takes_pictures(net, err));
    for (size_t i = 0; i < count; i++) {
        if (squares[i].width != geometry.width || squares[i].height != geometry.height)
            return zf_fail(err, ZF_EINVAL,
                           "picture %zu is %" PRId64 " x %" PRId64 " px, not %" PRId64
                           " x %" PRId64,
                           i, squares[i].width, squares[i].height, geometry.width, geometry.height);
        if (options->classes && (options->classes[i] < -1 || options->classes[i] >= classes))
            return zf_fail(err, ZF_EINVAL, "class %" PRId64 " is not among the %" PRId64 " of %s",
                           options->classes[i], classes, zf_net_name(net));
    }
    return ZF_OK;
}

/* ---- The run. ---- */

static void run_release(struct moving *run)
{
    const size_t layers = run->result ? run->result->layer_count : 0;

    zf_plan_free(&run->plan);
    zf_tensor_release(&run->inputs);
    zf_tensor_release(&run->probability);
    zf_tensor_release(&run->unmoved);
    for (size_t l = 0; l < layers; l++) {
        if (run->values)
            zf_tensor_release(&run->values[l]);
        if (run->original)
            zf_free(run->original[l]);
    }
    zf_free(run->values);
    zf_free(run->original);
}

static enum zf_status run_init(struct moving *run, const struct zf_compute *compute,
                               struct zf_error *err)
{
    const struct zf_invariance *result = run->result;
    const struct zf_shape in = result->input;

    run->batch = compute->batch ? compute->batch : DEFAULT_BATCH;
    if (run->batch < 1 || run->batch > MAX_BATCH || compute->threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") is 1 to %d, threads (%d) not negative",
                       compute->batch, MAX_BATCH, compute->threads);
    ZF_CHECK(zf_tensor_init(&run->inputs, run->batch, in.c, in.h, in.w, err));
    ZF_CHECK(
        zf_plan_create(run->net,
                       &(struct zf_plan_options){.compute = zf_compute_batch(*compute, run->batch),
                                                 .purpose = ZF_INFER,
                                                 .watched = true,
                                                 .taps = result->layers,
                                                 .tap_count = result->layer_count},
                       &run->plan, err));
    run->values = zf_alloc(result->layer_count, sizeof *run->values);
    run->original = zf_alloc(result->layer_count, sizeof *run->original);
    if (!run->values || !run->original)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_CHECK(zf_tensor_init(&run->unmoved, 1, in.c, in.h, in.w, err));
    ZF_CHECK(
        zf_tensor_init(&run->probability, run->batch, zf_net_class_count(run->net), 1, 1, err));
    for (size_t l = 0; l < result->layer_count; l++) {
        const struct zf_shape shape = zf_net_layer(run->net, result->layers[l]).shape;

        ZF_CHECK(zf_tensor_init(&run->values[l], run->batch, shape.c, shape.h, shape.w, err));
        run->original[l] = zf_alloc((size_t)(shape.c * shape.h * shape.w), sizeof(float));
        if (!run->original[l])
            return zf_no_memory(err, "the features of %s",
                                zf_net_layer(run->net, result->layers[l]).name);
    }
    return ZF_OK;
}

static enum zf_status image_init(struct zf_invariance_image *image,
                                 const struct zf_invariance *result, struct zf_error *err)
{
    bool ok;

    image->norms = zf_alloc(result->layer_count, sizeof(double));
    ok = image->norms != NULL;
    for (int m = 0; m < ZF_MOTIONS; m++) {
        struct zf_invariance_curve *curve = &image->curves[m];

        curve->distance = zf_alloc(result->layer_count * result->value_count[m], sizeof(double));
        curve->probability = zf_alloc(result->value_count[m], sizeof(double));
        ok = ok && curve->distance && curve->probability;
    }
    return ok ? ZF_OK : zf_no_memory(err, "the curves of a picture");
}

/* Input `slot` of the next batch = the centre crop of the square, moved. */
static enum zf_status prepare_moved(struct moving *run, const struct zf_picture *square,
                                    const struct zf_transform *transform, int64_t slot,
                                    struct zf_error *err)
{
    const struct zf_preparation *preparation = zf_net_preparation(run->net);
    const struct zf_shape in = run->result->input;
    struct zf_picture moved = {0};

    ZF_CHECK(zf_picture_transform(square, transform, &moved, err));
    zf_picture_prepare(&moved, preparation, in, zf_view_centre(preparation, in),
                       run->inputs.data + slot * in.c * in.h * in.w);
    zf_picture_release(&moved);
    return ZF_OK;
}

/* Run the net on the first `count` inputs. */
static enum zf_status forward(struct moving *run, int64_t count, struct zf_error *err)
{
    struct zf_tensor src = run->inputs;

    src.n = count;
    zf_plan_forward(run->plan, &src);
    return zf_plan_check_finite(run->plan, &src, NULL, err);
}

/* Read the probabilities and features of the last `count` inputs. */
static enum zf_status read_batch(struct moving *run, int64_t count, struct zf_error *err)
{
    struct zf_tensor probability = run->probability;

    probability.n = count;
    ZF_CHECK(zf_plan_answer(run->plan, &probability, err));
    for (size_t l = 0; l < run->result->layer_count; l++) {
        struct zf_tensor values = run->values[l];

        values.n = count;
        zf_plan_read(run->plan, run->result->layers[l], &values);
    }
    return ZF_OK;
}

/* ||a - b||, or ||a|| with b = NULL; in double, so that the order of the sum does not show. */
static double distance(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++) {
        const double difference = (double)a[i] - (b ? (double)b[i] : 0.0);

        sum += difference * difference;
    }
    return sqrt(sum);
}

static int64_t features(const struct zf_tensor *values)
{
    return values->c * values->h * values->w;
}

/* The picture as it is: what all others are compared with. */
static enum zf_status look_at_original(struct moving *run, const struct zf_picture *square,
                                       int64_t class, struct zf_invariance_image *image,
                                       struct zf_error *err)
{
    const struct zf_transform nothing = {.scale = 1.0};

    ZF_CHECK(prepare_moved(run, square, &nothing, 0, err));
    memcpy(run->unmoved.data, run->inputs.data,
           (size_t)zf_tensor_count(&run->unmoved) * sizeof(float));
    ZF_CHECK(forward(run, 1, err));
    ZF_CHECK(read_batch(run, 1, err));
    image->target =
        class >= 0 ? class : zf_first_largest(run->probability.data, run->probability.c);
    image->probability = (double)run->probability.data[image->target];
    if (!isfinite(image->probability))
        return zf_fail(err, ZF_EINPUT, "%s gives a %s that is not finite", zf_net_name(run->net),
                       zf_net_answer_word(run->net));
    for (size_t l = 0; l < run->result->layer_count; l++) {
        const int64_t count = features(&run->values[l]);

        memcpy(run->original[l], run->values[l].data, (size_t)count * sizeof(float));
        image->norms[l] = distance(run->original[l], NULL, count);
    }
    return ZF_OK;
}

/* Whether input `slot` is the picture as it is: then so are its features, whatever a fast engine
   rounds differently from one place in a batch to another. */
static bool is_unmoved(const struct moving *run, size_t slot)
{
    const size_t count = (size_t)zf_tensor_count(&run->unmoved);

    return memcmp(run->unmoved.data, run->inputs.data + slot * count, count * sizeof(float)) == 0;
}

/* Values [first, first + count) of a motion. */
static enum zf_status look_at_moved(struct moving *run, const struct zf_picture *square, int motion,
                                    size_t first, size_t count, struct zf_invariance_image *image,
                                    struct zf_error *err)
{
    const struct zf_invariance *result = run->result;
    struct zf_invariance_curve *curve = &image->curves[motion];

    for (size_t i = 0; i < count; i++) {
        const struct zf_transform transform =
            zf_motion_transform((enum zf_motion)motion, result->values[motion][first + i]);

        ZF_CHECK(prepare_moved(run, square, &transform, (int64_t)i, err));
    }
    ZF_CHECK(forward(run, (int64_t)count, err));
    ZF_CHECK(read_batch(run, (int64_t)count, err));
    for (size_t i = 0; i < count; i++) {
        const bool unmoved = is_unmoved(run, i);

        curve->probability[first + i] =
            unmoved
                ? image->probability
                : (double)run->probability.data[(int64_t)i * run->probability.c + image->target];
        for (size_t l = 0; l < result->layer_count; l++) {
            const int64_t each = features(&run->values[l]);

            curve->distance[l * result->value_count[motion] + first + i] =
                unmoved ? 0.0
                        : distance(run->values[l].data + (int64_t)i * each, run->original[l], each);
        }
    }
    return ZF_OK;
}

static enum zf_status look_at_picture(struct moving *run, const struct zf_picture *square,
                                      int64_t class, struct zf_invariance_image *image,
                                      struct zf_error *err)
{
    const struct zf_invariance *result = run->result;
    const size_t batch = (size_t)run->batch;

    ZF_CHECK(image_init(image, result, err));
    ZF_CHECK(look_at_original(run, square, class, image, err));
    for (int m = 0; m < ZF_MOTIONS; m++) {
        for (size_t first = 0; first < result->value_count[m]; first += batch) {
            const size_t left = result->value_count[m] - first;
            const size_t count = left < batch ? left : batch;

            ZF_CHECK(look_at_moved(run, square, m, first, count, image, err));
            run->done += (int64_t)count;
            if (!zf_monitor_progress(run->monitor, "moving", run->done, run->total))
                return zf_fail(err, ZF_ECANCELED,
                               "stopped after %" PRId64 " of %" PRId64 " moved pictures", run->done,
                               run->total);
        }
    }
    return ZF_OK;
}

enum zf_status zf_invariance_run(const struct zf_net *net, const struct zf_picture *squares,
                                 size_t count, const struct zf_invariance_options *options,
                                 struct zf_invariance **out, const struct zf_monitor *monitor,
                                 struct zf_error *err)
{
    struct moving run = {.net = net, .monitor = monitor};
    struct zf_invariance *result = zf_alloc(1, sizeof *result);
    enum zf_status status;

    if (!result)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    run.result = result;
    result->input = zf_net_input(net);
    ZF_TRY(check(net, squares, count, options, err));
    ZF_TRY(fill_layers(result, net, options, err));
    ZF_TRY(fill_values(result, net, err));
    result->images = zf_alloc(count, sizeof *result->images);
    if (!result->images)
        ZF_LEAVE(zf_no_memory(err, "%zu pictures", count));
    result->count = count;
    for (int m = 0; m < ZF_MOTIONS; m++)
        run.total += (int64_t)(count * result->value_count[m]);
    ZF_TRY(run_init(&run, &options->compute, err));
    for (size_t i = 0; i < count; i++)
        ZF_TRY(look_at_picture(&run, &squares[i], options->classes ? options->classes[i] : -1,
                               &result->images[i], err));
    *out = result;
    result = NULL;
fail:
    run_release(&run);
    zf_invariance_free(&result);
    return status;
}

void zf_invariance_free(struct zf_invariance **result)
{
    if (!result || !*result)
        return;
    for (size_t i = 0; i < (*result)->count; i++) {
        zf_free((*result)->images[i].norms);
        for (int m = 0; m < ZF_MOTIONS; m++) {
            zf_free((*result)->images[i].curves[m].distance);
            zf_free((*result)->images[i].curves[m].probability);
        }
    }
    for (int m = 0; m < ZF_MOTIONS; m++)
        zf_free((*result)->values[m]);
    zf_free((*result)->images);
    zf_free((*result)->layers);
    zf_free(*result);
    *result = NULL;
}
