/* SPDX-License-Identifier: MIT */
/* Classifiers of a transfer: the softmax and its search, the support vector machine. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "learn/classifier.h"
#include "learn/lbfgs.h"
#include "learn/softmax.h"
#include "learn/vectors.h"
#include "net/net.h"

#define CLASSES 3

#define must(expression)                                                                           \
    do {                                                                                           \
        if ((expression) != ZF_OK)                                                                 \
            fail_msg("%s: %s", #expression, err.message);                                          \
    } while (0)

/* Random vectors, those of a class around a place of its own. */
struct cloud {
    float *values;
    const float **rows;
    int32_t *labels;
    struct zf_examples examples;
};

static struct cloud make_cloud(int64_t count, int64_t stride, float apart, uint64_t key)
{
    struct zf_random random = zf_random_stream(11, ZF_RANDOM_TEST, key, 0);
    struct cloud cloud = {
        .values = zf_alloc((size_t)(count * stride), sizeof(float)),
        .rows = zf_alloc((size_t)count, sizeof(float *)),
        .labels = zf_alloc((size_t)count, sizeof(int32_t)),
    };

    for (int64_t i = 0; i < count; i++) {
        float *row = cloud.values + i * stride;

        cloud.labels[i] = (int32_t)(i % CLASSES);
        cloud.rows[i] = row;
        for (int64_t k = 0; k < 20; k++)
            row[k] =
                0.1f * (float)zf_random_normal(&random) + (k == cloud.labels[i] ? apart : 0.0f);
    }
    cloud.examples = (struct zf_examples){cloud.rows, cloud.labels, count, stride};
    return cloud;
}

static void cloud_release(struct cloud *cloud)
{
    zf_free(cloud->values);
    zf_free(cloud->rows);
    zf_free(cloud->labels);
}

/* The objective by its formula, in double. */
static double naive_objective(const struct cloud *cloud, const struct zf_net *net, const float *x,
                              double cost)
{
    const struct zf_parameter_slot *weight = &net->slots[0], *bias = &net->slots[1];
    const int64_t stride = cloud->examples.stride;
    double loss = 0, squares = 0;

    for (int64_t i = 0; i < cloud->examples.count; i++) {
        double score[CLASSES], sum = 0;

        for (int64_t k = 0; k < CLASSES; k++) {
            score[k] = (double)x[bias->offset + k];
            for (int64_t j = 0; j < stride; j++)
                score[k] += (double)x[weight->offset + k * stride + j] * (double)cloud->rows[i][j];
            sum += exp(score[k]);
        }
        loss += log(sum) - score[cloud->labels[i]];
    }
    for (int64_t j = 0; j < CLASSES * stride; j++)
        squares += (double)x[weight->offset + j] * (double)x[weight->offset + j];
    return (squares / 2 / cost + loss) / (double)cloud->examples.count;
}

static void the_gradient_of_the_softmax_is_that_of_its_formula(void **state)
{
    const struct zf_fit_options options = {.classes = CLASSES, .cost = 0.7, .compute.threads = 1};
    struct cloud cloud = make_cloud(601, ZF_VECTOR_UNIT, 0.5f, 1); /* more than one batch */
    struct zf_random random = zf_random_stream(11, ZF_RANDOM_TEST, 2, 0);
    struct zf_softmax *softmax = NULL;
    struct zf_error err = {0};
    const struct zf_net *net;
    int64_t floats;
    float *x, *gradient;

    (void)state;
    must(zf_softmax_create(&cloud.examples, &options, &softmax, &err));
    net = zf_softmax_net(softmax);
    floats = zf_net_gradient_floats(net);
    x = zf_alloc((size_t)floats, sizeof *x);
    gradient = zf_alloc((size_t)floats, sizeof *gradient);
    for (int s = 0; s < net->slot_count; s++) {
        for (int64_t i = 0; i < net->slots[s].count; i++)
            x[net->slots[s].offset + i] = (float)zf_random_normal(&random);
    }
    /* Sums of 601 floats. */
    assert_true(fabs(zf_softmax_objective(softmax, x, gradient) -
                     naive_objective(&cloud, net, x, 0.7)) < 1e-5);
    for (int s = 0; s < net->slot_count; s++) {
        for (int64_t i = 0; i < net->slots[s].count; i += 7) {
            const int64_t at = net->slots[s].offset + i;
            const float kept = x[at], step = 1e-2f;
            double above, below;

            x[at] = kept + step;
            above = naive_objective(&cloud, net, x, 0.7);
            x[at] = kept - step;
            below = naive_objective(&cloud, net, x, 0.7);
            x[at] = kept;
            /* The second difference's error is of the order of step^2. */
            if (!(fabs((above - below) / (2 * (double)step) - (double)gradient[at]) < 2e-5))
                fail_msg("%s[%" PRId64 "]: expected %.8f, got %.8f", net->slots[s].name, i,
                         (above - below) / (2 * (double)step), (double)gradient[at]);
        }
    }
    zf_free(x);
    zf_free(gradient);
    zf_softmax_free(&softmax);
    cloud_release(&cloud);
}

/* sum of (k + 1) * (x[k] - k)^2 */
static double bowl(void *user, const float *x, float *gradient)
{
    double value = 0;

    (void)user;
    for (int k = 0; k < 40; k++) {
        const double d = (double)x[k] - k;

        value += (k + 1) * d * d;
        gradient[k] = (float)(2 * (k + 1) * d);
    }
    return value;
}

static void the_search_finds_the_bottom_of_a_bowl(void **state)
{
    const struct zf_lbfgs_options options = {200, 1e-6, 1};
    struct zf_lbfgs_result result = {0};
    struct zf_error err = {0};
    float x[40] = {0};

    (void)state;
    must(zf_lbfgs_run(bowl, NULL, x, 40, &options, &result, &err));
    assert_true(result.converged);
    assert_true(result.iterations > 1 && result.iterations < 100);
    for (int k = 0; k < 40; k++)
        assert_true(fabs((double)x[k] - k) < 1e-3);
}

static double nowhere(void *user, const float *x, float *gradient)
{
    (void)user;
    (void)x;
    gradient[0] = 0;
    return NAN;
}

static void a_search_that_begins_nowhere_is_refused(void **state)
{
    const struct zf_lbfgs_options options = {10, 1e-3, 1};
    struct zf_lbfgs_result result;
    float x = 0;

    (void)state;
    assert_int_equal(zf_lbfgs_run(nowhere, NULL, &x, 1, &options, &result, NULL), ZF_ENUMERIC);
}

/* What the numbers that a classifier came to say of a row. */
static int answer_of(const struct zf_linear *fitted, int classes, const float *row)
{
    double best = -INFINITY;
    int answer = -1;

    for (int k = 0; k < classes; k++) {
        double score = (double)fitted->biases[k];

        for (int j = 0; j < ZF_VECTOR_UNIT; j++)
            score += (double)fitted->weights[k * ZF_VECTOR_UNIT + j] * (double)row[j];
        if (score > best) {
            best = score;
            answer = k;
        }
    }
    return answer;
}

/* liblinear keeps one column for two classes, and meets the second class first here. */
static void of_two_classes_every_classifier_has_two_columns(void **state)
{
    const struct zf_fit_options options = {
        .classes = 2, .cost = 10, .memory = 1 << 20, .compute.threads = 1};
    float weights[2 * ZF_VECTOR_UNIT], biases[2];
    const struct zf_linear fitted = {weights, biases};
    struct cloud train = make_cloud(41, ZF_VECTOR_UNIT, 0.3f, 3);
    struct cloud test = make_cloud(45, ZF_VECTOR_UNIT, 0.3f, 4);

    (void)state;
    for (int i = 0; i < 41; i++)
        train.labels[i] = i == 0 || train.labels[i] == 1;
    for (int c = 0; zf_classifier_name(c); c++) {
        int32_t answers[45];
        struct zf_error err = {0};
        const enum zf_status status = zf_classifier_at(c)->run(&train.examples, &test.examples,
                                                               &options, answers, &fitted, &err);

        if (c == ZF_CLASSIFIER_SVM && status == ZF_EUNSUPPORTED)
            continue;
        must(status);
        for (int i = 0; i < 45; i++)
            assert_int_equal(answer_of(&fitted, 2, test.rows[i]), answers[i]);
    }
    cloud_release(&train);
    cloud_release(&test);
}

static void every_classifier_tells_apart_what_is_apart_and_does_so_again(void **state)
{
    const struct zf_fit_options options = {
        .classes = CLASSES, .cost = 10, .memory = 1 << 20, .compute.threads = 1};
    float weights[CLASSES * ZF_VECTOR_UNIT], biases[CLASSES];
    const struct zf_linear fitted = {weights, biases};
    struct cloud train = make_cloud(30, ZF_VECTOR_UNIT, 2, 3);
    struct cloud test = make_cloud(45, ZF_VECTOR_UNIT, 2, 4);
    int32_t answers[2][45];

    (void)state;
    for (int c = 0; zf_classifier_name(c); c++) {
        struct zf_error err = {0};
        enum zf_status status = ZF_OK;

        for (int again = 0; again < 2 && status == ZF_OK; again++)
            status = zf_classifier_at(c)->run(&train.examples, &test.examples, &options,
                                              answers[again], again ? &fitted : NULL, &err);
        if (c == ZF_CLASSIFIER_SVM && status == ZF_EUNSUPPORTED) {
            assert_non_null(strstr(err.message, "liblinear"));
            continue;
        }
        must(status);
        assert_memory_equal(answers[0], test.labels, sizeof answers[0]);
        assert_memory_equal(answers[1], answers[0], sizeof answers[0]);
        for (int i = 0; i < 45; i++)
            assert_int_equal(answer_of(&fitted, CLASSES, test.rows[i]), answers[0][i]);
    }
    cloud_release(&train);
    cloud_release(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_of_the_softmax_is_that_of_its_formula),
        cmocka_unit_test(the_search_finds_the_bottom_of_a_bowl),
        cmocka_unit_test(a_search_that_begins_nowhere_is_refused),
        cmocka_unit_test(of_two_classes_every_classifier_has_two_columns),
        cmocka_unit_test(every_classifier_tells_apart_what_is_apart_and_does_so_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
