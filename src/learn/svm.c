/* SPDX-License-Identifier: MIT */
/*
 * A linear support vector machine on frozen features, by liblinear: one class against the rest,
 * squared hinge loss. (Paper: table 7.) Its solver of the primal problem is used: the one of the
 * dual draws from rand(), which belongs to the whole process.
 */
#include "learn/classifier.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

#ifdef ZF_HAVE_LIBLINEAR

#include <linear.h>

#define BUILT_IN true

#define MIB 1048576.0
#define TOLERANCE 0.01 /* liblinear's own for this solver */

/* The features as liblinear wants them, 16 bytes a value: of each row the values that are not zero,
   the bias, and an end. */
struct sparse {
    struct feature_node *nodes;
    struct feature_node **rows; /* [count] */
};

static void sparse_release(struct sparse *sparse)
{
    zf_free(sparse->nodes);
    zf_free(sparse->rows);
}

static size_t count_values(const struct zf_examples *examples)
{
    size_t values = 0;

    for (int64_t i = 0; i < examples->count; i++) {
        for (int64_t k = 0; k < examples->stride; k++)
            values += examples->rows[i][k] != 0;
    }
    return values;
}

/* liblinear counts features from 1. */
static void fill_row(const float *values, int64_t count, struct feature_node **end)
{
    struct feature_node *node = *end;

    for (int64_t k = 0; k < count; k++) {
        if (values[k] != 0)
            *node++ = (struct feature_node){(int)k + 1, (double)values[k]};
    }
    *node++ = (struct feature_node){(int)count + 1, 1.0};
    *node++ = (struct feature_node){-1, 0};
    *end = node;
}

static enum zf_status sparse_init(struct sparse *sparse, const struct zf_examples *examples,
                                  int64_t memory, struct zf_error *err)
{
    const size_t nodes = count_values(examples) + 2 * (size_t)examples->count;
    struct feature_node *end;

    if (nodes > (size_t)memory / sizeof *sparse->nodes)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "the SVM would need %.0f MiB for %" PRId64 " pictures of %" PRId64
                       " values, more than %.0f; choose a higher layer or --classifier softmax",
                       (double)nodes * (double)sizeof *sparse->nodes / MIB, examples->count,
                       examples->stride, (double)memory / MIB);
    sparse->nodes = zf_alloc_raw(nodes, sizeof *sparse->nodes);
    sparse->rows = zf_alloc((size_t)examples->count, sizeof *sparse->rows);
    if (!sparse->nodes || !sparse->rows)
        return zf_no_memory(err, "%zu features", nodes);
    end = sparse->nodes;
    for (int64_t i = 0; i < examples->count; i++) {
        sparse->rows[i] = end;
        fill_row(examples->rows[i], examples->stride, &end);
    }
    return ZF_OK;
}

static void say_nothing(const char *text)
{
    (void)text;
}

static enum zf_status fit(const struct zf_examples *examples, const struct zf_fit_options *options,
                          struct model **model, struct zf_error *err)
{
    enum zf_status status;
    struct sparse sparse = {0};
    double *labels = zf_alloc((size_t)examples->count, sizeof *labels);
    const struct parameter parameter = {
        .solver_type = L2R_L2LOSS_SVC, .eps = TOLERANCE, .C = options->cost, .p = 0.1};
    struct problem problem = {.l = (int)examples->count, .n = (int)examples->stride + 1, .bias = 1};
    const char *complaint;

    if (!labels)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " labels", examples->count));
    ZF_TRY(sparse_init(&sparse, examples, options->memory, err));
    for (int64_t i = 0; i < examples->count; i++)
        labels[i] = examples->labels[i];
    problem.y = labels;
    problem.x = sparse.rows;
    complaint = check_parameter(&problem, &parameter);
    if (complaint)
        ZF_LEAVE(zf_fail(err, ZF_EINVAL, "liblinear: %s", complaint));
    set_print_string_function(say_nothing); /* it would print to stdout */
    *model = train(&problem, &parameter);
fail:
    sparse_release(&sparse);
    zf_free(labels);
    return status;
}

/* The column of each class, in the order in which liblinear met them. Of two classes it keeps one
   column, whose sign tells them apart; an answer of none is the second. */
static enum zf_status hand_over(const struct model *model, int64_t stride, int64_t classes,
                                const struct zf_linear *fitted, struct zf_error *err)
{
    const int columns = model->nr_class == 2 ? 1 : model->nr_class;

    if (model->nr_class != classes)
        return zf_fail(err, ZF_EINPUT,
                       "%d of %" PRId64 " classes have pictures that can be read: an SVM of all of "
                       "them cannot be fitted",
                       model->nr_class, classes);
    for (int c = 0; c < model->nr_class; c++) {
        const int class = model->label[c];
        const double sign = columns > 1 ? 1 : c == 0 ? 0.5 : -0.5;
        const double *column = model->w + (columns > 1 ? c : 0);

        for (int64_t k = 0; k < stride; k++)
            fitted->weights[class * stride + k] = (float)(sign * column[k * columns]);
        fitted->biases[class] = (float)(sign * column[stride * columns]);
    }
    return ZF_OK;
}

static enum zf_status run(const struct zf_examples *known, const struct zf_examples *test,
                          const struct zf_fit_options *options, int32_t *answer,
                          const struct zf_linear *fitted, struct zf_error *err)
{
    enum zf_status status;
    struct model *model = NULL;
    struct feature_node *nodes = zf_alloc_raw((size_t)test->stride + 2, sizeof *nodes);

    if (!nodes)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " values", test->stride));
    ZF_TRY(fit(known, options, &model, err));
    for (int64_t i = 0; i < test->count; i++) {
        struct feature_node *end = nodes;

        fill_row(test->rows[i], test->stride, &end);
        answer[i] = (int32_t)predict(model, nodes);
    }
    if (fitted)
        ZF_TRY(hand_over(model, known->stride, options->classes, fitted, err));
fail:
    if (model)
        free_and_destroy_model(&model);
    zf_free(nodes);
    return status;
}

#else

#define BUILT_IN false

static enum zf_status run(const struct zf_examples *known, const struct zf_examples *test,
                          const struct zf_fit_options *options, int32_t *answer,
                          const struct zf_linear *fitted, struct zf_error *err)
{
    (void)known;
    (void)test;
    (void)options;
    (void)answer;
    (void)fitted;
    return zf_fail(err, ZF_EUNSUPPORTED, "this build has no liblinear");
}

#endif

const struct zf_classifier_type zf_classifier_svm = {
    .name = "svm",
    .built_in = BUILT_IN,
    .run = run,
};
