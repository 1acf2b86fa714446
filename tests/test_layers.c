/* SPDX-License-Identifier: MIT */
/*
 * Every layer type of the table, on every engine, as part of a small net: its backward against
 * finite differences, its projection as the adjoint of its forward where it is linear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "net/net.h"
#include "zf/plan.h"

#define BATCH 3

/* A net with parameters below and above each type, so that a wrong gradient anywhere shows. */
static const struct {
    const char *type, *spec;
} cases[] = {
    {"conv", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n"
             "[it]\ntype = conv\nmaps = 6\nkernel = 3\nstride = 2\npad = 1\ngroups = 2\n"},
    {"conv", "[below]\ntype = conv\nmaps = 5\nkernel = 2\n"
             "[it]\ntype = conv\nmaps = 3\nkernel = 4\nstride = 3\nround = up\n"},
    {"relu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = relu\n"},
    {"maxpool", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n"
                "[it]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n"},
    {"maxpool", "[below]\ntype = conv\nmaps = 4\nkernel = 2\n"
                "[it]\ntype = maxpool\nkernel = 3\nstride = 2\npad = 1\n"},
    {"lrn", "[below]\ntype = conv\nmaps = 7\nkernel = 3\n[it]\ntype = lrn\nalpha = 1\nk = 1\n"},
    {"fc", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = fc\nmaps = 9\n"},
    {"dropout", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = dropout\nrate = 0.4\n"},
    {"conv", "[below]\ntype = conv\nmaps = 4\nkernel = 3x2\nstride = 1x2\npad = 1x0x2x1\n"
             "[it]\ntype = conv\nmaps = 4\nkernel = 2x3\ndilation = 3x1\nbias = no\n"},
    {"maxpool", "[below]\ntype = conv\nmaps = 4\nkernel = 2\n"
                "[it]\ntype = maxpool\nkernel = 2x3\nstride = 2x1\npad = 0x1x1x2\n"},
    {"maxpool", "[below]\ntype = conv\nmaps = 4\nkernel = 2\n"
                "[it]\ntype = maxpool\nkernel = 2\ndilation = 3x2\n"},
    {"avgpool", "[below]\ntype = conv\nmaps = 4\nkernel = 2\n"
                "[it]\ntype = avgpool\nkernel = 3x2\nstride = 2\npad = 1x1x0x1\n"},
    {"avgpool", "[below]\ntype = conv\nmaps = 4\nkernel = 2\n"
                "[it]\ntype = avgpool\nkernel = 3\nstride = 2\npad = 1\ncount = window\n"},
    {"avgpool", "[below]\ntype = conv\nmaps = 7\nkernel = 2\n[it]\ntype = avgpool\nkernel = all\n"},
    {"scale", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = scale\n"},
    {"leaky", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = leaky\nslope = 0.3\n"},
    {"prelu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = prelu\n"},
    {"clip", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = clip\nmax = 1\n"},
    {"elu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = elu\nalpha = 0.7\n"},
    {"silu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = silu\n"},
    {"hardswish", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = hardswish\n"},
    {"gelu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = gelu\n"},
    {"sigmoid", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = sigmoid\n"},
    {"hardsigmoid", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = hardsigmoid\n"},
    {"tanh", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = tanh\n"},
    {"add", "[below]\ntype = conv\nmaps = 2\nkernel = 3\npad = 1\n"
            "[it]\ntype = add\ninputs = below, input, below\n"},
    {"add", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[gate]\ntype = avgpool\nkernel = all\n"
            "[it]\ntype = add\ninputs = gate, below\n"},
    {"sub", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[pool]\ntype = avgpool\nkernel = "
            "all\n[gate]\ntype = fc\nmaps = 5\n"
            "[it]\ntype = sub\ninputs = below, gate\n"},
    {"sub", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[pool]\ntype = avgpool\nkernel = "
            "all\n[gate]\ntype = fc\nmaps = 5\n"
            "[it]\ntype = sub\ninputs = gate, below\n"},
    {"mul", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[pool]\ntype = avgpool\nkernel = all\n"
            "[gate]\ntype = fc\nmaps = 5\n[open]\ntype = sigmoid\n"
            "[it]\ntype = mul\ninputs = below, open\n"},
    {"mul", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[squash]\ntype = tanh\n"
            "[it]\ntype = mul\ninputs = below, squash\n"},
    {"concat", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[side]\ntype = conv\nmaps = 3\n"
               "kernel = 3\ninputs = input\n[it]\ntype = concat\ninputs = below, side, below\n"},
    {"slice", "[below]\ntype = conv\nmaps = 7\nkernel = 3\n"
              "[it]\ntype = slice\nfirst = 2\nmaps = 4\n"},
    {"shuffle", "[below]\ntype = conv\nmaps = 6\nkernel = 3\n[it]\ntype = shuffle\ngroups = 3\n"
                "[above]\ntype = conv\nmaps = 4\nkernel = 2\ngroups = 2\n"},
    {"pad", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = pad\npad = 1x0x2x3\n"
            "[above]\ntype = conv\nmaps = 4\nkernel = 2\n"},
    {"flatten", "[below]\ntype = conv\nmaps = 2\nkernel = 5\n[it]\ntype = flatten\n"},
    {"softmax", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n"}, /* the end of every net here */
};

struct fixture {
    struct zf_net *net;
    struct zf_plan *plan;
    struct zf_tensor input;
    float *gradients;
    int32_t labels[BATCH];
};

static void fill(float *data, int64_t count, double deviation, uint64_t stream)
{
    struct zf_random random = zf_random_stream(1, ZF_RANDOM_TEST, stream, 0);

    for (int64_t i = 0; i < count; i++)
        data[i] = (float)(deviation * zf_random_normal(&random));
}

static void set_up(struct fixture *f, const char *layers, const char *end,
                   struct zf_plan_options options)
{
    struct zf_error err = {0};
    int last;
    char *spec = zf_format("[net]\ninput = 2x9x8\n%s%s", layers, end);

    assert_non_null(spec);
    *f = (struct fixture){.labels = {2, 0, 3}};
    if (zf_net_parse_spec(spec, "test", 0, &f->net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_free(spec);
    fill(f->net->parameters, f->net->floats, 0.4, 7);
    f->gradients = zf_alloc((size_t)f->net->floats, sizeof *f->gradients);
    options.batch = BATCH;
    last = zf_net_layer_count(f->net) - 1;
    if (options.purpose == ZF_PROJECT && !options.taps) {
        options.taps = &last;
        options.tap_count = 1;
    }
    options.gradients = options.purpose == ZF_TRAIN ? f->gradients : NULL;
    if (zf_plan_create(f->net, &options, &f->plan, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_tensor_init(&f->input, BATCH, 2, 9, 8, NULL), ZF_OK);
    fill(f->input.data, zf_tensor_count(&f->input), 1, 8);
}

static void tear_down(struct fixture *f)
{
    zf_plan_free(&f->plan);
    zf_net_free(&f->net);
    zf_tensor_release(&f->input);
    zf_free(f->gradients);
}

/* Mean cross-entropy with the dropout masks of step 5. */
static double loss_of(struct fixture *f)
{
    struct zf_tensor out;
    double loss = 0;
    const int last = zf_net_layer_count(f->net) - 1;

    zf_plan_refresh(f->plan);
    zf_plan_forward_train(f->plan, &f->input, 3, 5);
    assert_int_equal(zf_tensor_init(&out, BATCH, zf_net_class_count(f->net), 1, 1, NULL), ZF_OK);
    zf_plan_read(f->plan, last, &out);
    for (int n = 0; n < BATCH; n++)
        loss -= log((double)out.data[n * out.c + f->labels[n]]) / BATCH;
    zf_tensor_release(&out);
    return loss;
}

/* Four-point derivative of the loss by parameter i: error O(h^4). */
static double numeric(struct fixture *f, int64_t i)
{
    const float kept = f->net->parameters[i];
    const double h = 4e-3; /* balances the truncation against the rounding of a float32 loss */
    double at[4];
    static const double steps[4] = {-2, -1, 1, 2};

    for (int k = 0; k < 4; k++) {
        f->net->parameters[i] = kept + (float)(steps[k] * h);
        at[k] = loss_of(f);
    }
    f->net->parameters[i] = kept;
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h);
}

/* Compared by angle and length over each tensor, since single small entries drown in rounding. */
static void check_tensor(struct fixture *f, const char *engine, const char *type, int slot)
{
    const struct zf_parameter_slot *s = &f->net->slots[slot];
    double dot = 0, analytic = 0, measured = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const double a = (double)f->gradients[s->offset + i];
        const double m = numeric(f, s->offset + i);

        dot += a * m;
        analytic += a * a;
        measured += m * m;
    }
    if (!(dot > 0.998 * sqrt(analytic * measured)) || fabs(sqrt(analytic / measured) - 1) > 0.03)
        fail_msg("%s, %s: %s: cosine %.6f, length %.6g against %.6g", engine, type, s->name,
                 dot / sqrt(analytic * measured), sqrt(analytic), sqrt(measured));
}

static void every_layer_type_has_a_case_here(void **state)
{
    (void)state;
    for (size_t t = 0; zf_layer_type_at(t); t++) {
        bool found = false;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            found |= strcmp(cases[i].type, zf_layer_type_at(t)->name) == 0;
        if (!found)
            fail_msg("no case for layer type %s", zf_layer_type_at(t)->name);
    }
}

static void backward_agrees_with_four_point_differences(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const struct zf_plan_options options = {
                .purpose = ZF_TRAIN, .engine = zf_engine_name(e), .threads = 1};
            struct fixture f;

            set_up(&f, cases[i].spec, "[end]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n",
                   options);
            loss_of(&f);
            zf_plan_backward(f.plan, f.labels);
            for (int slot = 0; slot < f.net->slot_count; slot++)
                check_tensor(&f, zf_engine_name(e), cases[i].type, slot);
            tear_down(&f);
        }
}

/* <forward(x) - forward(0), y> = <x, project(y)> where the net is linear: conv, fc, dropout off. */
static void projection_is_the_adjoint_of_linear_layers(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            static const char *const linear[] = {"conv",  "fc",      "dropout", "avgpool",
                                                 "scale", "add",     "sub",     "concat",
                                                 "slice", "shuffle", "pad",     "flatten"};
            const struct zf_plan_options options = {
                .purpose = ZF_PROJECT, .engine = zf_engine_name(e), .threads = 1};
            struct fixture f;
            struct zf_tensor out, bias, pixels;
            struct zf_place places[BATCH * 4];
            float values[BATCH * 4];
            double left = 0, right = 0;
            bool is_linear = false;

            for (size_t k = 0; k < sizeof linear / sizeof linear[0]; k++)
                is_linear |= strcmp(cases[i].type, linear[k]) == 0;
            if (!is_linear)
                continue;
            set_up(&f, cases[i].spec, "", options);
            const int tap = zf_net_layer_count(f.net) - 1;
            const struct zf_shape shape = zf_net_layer(f.net, tap).shape;
            assert_int_equal(zf_tensor_init(&out, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&bias, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&pixels, BATCH, 2, 9, 8, NULL), ZF_OK);
            zf_plan_forward(f.plan, &pixels); /* zeros: what the biases give */
            zf_plan_read(f.plan, tap, &bias);
            zf_plan_forward(f.plan, &f.input);
            zf_plan_read(f.plan, tap, &out);
            fill(values, BATCH * 4, 1, 11);
            for (int64_t k = 0; k < BATCH * 4; k++) {
                const int64_t map = k % 4 % shape.c, y = k % shape.h, x = (k * 3) % shape.w;
                const int64_t at = ((k / 4 * shape.c + map) * shape.h + y) * shape.w + x;

                places[k] = (struct zf_place){k / 4, map, y, x};
                for (int64_t before = k / 4 * 4; before < k; before++)
                    if (memcmp(&places[before], &places[k], sizeof places[k]) == 0)
                        values[before] = values[k]; /* the last poke wins */
                assert_true(at < zf_tensor_count(&out));
            }
            for (int64_t k = 0; k < BATCH * 4; k++) {
                bool repeated = false;
                const int64_t at =
                    ((places[k].n * shape.c + places[k].map) * shape.h + places[k].y) * shape.w +
                    places[k].x;

                for (int64_t later = k + 1; later < BATCH * 4; later++)
                    repeated |= memcmp(&places[later], &places[k], sizeof places[k]) == 0;
                if (!repeated)
                    left += ((double)out.data[at] - (double)bias.data[at]) * (double)values[k];
            }
            zf_plan_project(f.plan, tap, places, values, BATCH * 4, &pixels);
            for (int64_t k = 0; k < zf_tensor_count(&pixels); k++)
                right += (double)f.input.data[k] * (double)pixels.data[k];
            if (fabs(left - right) > 1e-4 * (1 + fabs(left)))
                fail_msg("%s, %s: <Ax, y> = %.7g, <x, A'y> = %.7g", zf_engine_name(e),
                         cases[i].type, left, right);
            zf_tensor_release(&out);
            zf_tensor_release(&bias);
            zf_tensor_release(&pixels);
            tear_down(&f);
        }
}

#define DEEP                                                                                       \
    "[c1]\ntype = conv\nmaps = 6\nkernel = 3\npad = 1\n[r1]\ntype = relu\n"                        \
    "[p1]\ntype = maxpool\nkernel = 2\nstride = 2\nround = up\n[n1]\ntype = lrn\nalpha = 0.1\n"    \
    "[c2]\ntype = conv\nmaps = 5\nkernel = 3\npad = 1\n[r2]\ntype = relu\n"

/* From the rectifier's output or from its input, a positive activation projects alike; and the
   three rules give three pictures. (What they should be is the oracle's business.) */
static void the_rules_differ_only_at_the_rectifier(void **state)
{
    static const enum zf_rule rules[] = {ZF_RULE_DECONVNET, ZF_RULE_GRADIENT, ZF_RULE_GUIDED};
    float sums[3] = {0};
    const int taps[] = {5, 4}; /* r2, c2 */

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        for (int r = 0; r < 3; r++) {
            const struct zf_plan_options options = {.purpose = ZF_PROJECT,
                                                    .rule = rules[r],
                                                    .engine = zf_engine_name(e),
                                                    .taps = taps,
                                                    .tap_count = 2,
                                                    .threads = 1};
            const float one = 1;
            struct fixture f;
            struct zf_tensor from_relu, from_conv;
            float strongest[BATCH * 5];
            int32_t where[BATCH * 5];
            struct zf_place place;
            int64_t best = 0;

            set_up(&f, DEEP, "", options);
            assert_int_equal(zf_tensor_init(&from_relu, 1, 2, 9, 8, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&from_conv, 1, 2, 9, 8, NULL), ZF_OK);
            zf_plan_forward(f.plan, &f.input);
            zf_plan_maxima(f.plan, 5, strongest, where);
            for (int64_t map = 1; map < 5; map++)
                best = strongest[map] > strongest[best] ? map : best;
            assert_true(strongest[best] > 0);
            place = (struct zf_place){0, best, where[best] / 4, where[best] % 4};
            assert_true(zf_plan_activation(f.plan, 5, place) == strongest[best]);
            zf_plan_project(f.plan, 5, &place, &one, 1, &from_relu);
            zf_plan_project(f.plan, 4, &place, &one, 1, &from_conv);
            assert_memory_equal(from_relu.data, from_conv.data, 2 * 9 * 8 * sizeof(float));
            for (int64_t i = 0; i < 2 * 9 * 8; i++)
                sums[r] += fabsf(from_relu.data[i]);
            zf_tensor_release(&from_relu);
            zf_tensor_release(&from_conv);
            tear_down(&f);
        }
        assert_true(sums[0] > 0 && sums[2] > 0);
        assert_true(fabsf(sums[0] - sums[1]) > 1e-3f && fabsf(sums[1] - sums[2]) > 1e-3f);
    }
}

static void a_projection_of_nothing_is_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int tap = 5;
        const struct zf_plan_options options = {.purpose = ZF_PROJECT,
                                                .engine = zf_engine_name(e),
                                                .taps = &tap,
                                                .tap_count = 1,
                                                .taps_only = true};
        struct fixture f;
        struct zf_tensor pixels;
        const struct zf_place place = {1, 0, 0, 0};

        set_up(&f, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&pixels, BATCH, 2, 9, 8, NULL), ZF_OK);
        zf_plan_forward(f.plan, &f.input);
        zf_plan_project(f.plan, tap, &place, &(float){1}, 1, &pixels);
        for (int64_t i = 0; i < 2 * 9 * 8; i++)
            assert_true(pixels.data[i] == 0 && pixels.data[2 * 2 * 9 * 8 + i] == 0);
        zf_plan_project(f.plan, tap, NULL, NULL, 0, &pixels);
        for (int64_t i = 0; i < zf_tensor_count(&pixels); i++)
            assert_true(pixels.data[i] == 0);
        zf_tensor_release(&pixels);
        tear_down(&f);
    }
}

static bool allow_nothing(size_t bytes)
{
    (void)bytes;
    return false;
}

static void running_a_plan_allocates_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        struct zf_plan_options options = {.purpose = ZF_TRAIN, .engine = zf_engine_name(e)};
        const int tap = 4;
        struct fixture train, project;
        struct zf_tensor pixels;

        set_up(&train, DEEP, "[f]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n", options);
        options = (struct zf_plan_options){
            .purpose = ZF_PROJECT, .engine = zf_engine_name(e), .taps = &tap, .tap_count = 1};
        set_up(&project, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&pixels, 1, 2, 9, 8, NULL), ZF_OK);
        zf_alloc_allowed = allow_nothing; /* whatever asked would dereference NULL or report */
        zf_plan_refresh(train.plan);
        zf_plan_forward_train(train.plan, &train.input, 1, 1);
        zf_plan_backward(train.plan, train.labels);
        zf_plan_forward(project.plan, &project.input);
        zf_plan_project(project.plan, tap, &(struct zf_place){0, 1, 1, 1}, NULL, 1, &pixels);
        zf_alloc_allowed = NULL;
        zf_tensor_release(&pixels);
        tear_down(&train);
        tear_down(&project);
    }
}

static void a_tap_on_a_convolution_reads_what_stands_before_the_rectifier(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int taps[] = {0, 1};
        const struct zf_plan_options options = {
            .purpose = ZF_INFER, .engine = zf_engine_name(e), .taps = taps, .tap_count = 2};
        struct fixture f;
        struct zf_tensor conv, relu;
        int negative = 0;

        set_up(&f, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&conv, BATCH, 6, 9, 8, NULL), ZF_OK);
        assert_int_equal(zf_tensor_init(&relu, BATCH, 6, 9, 8, NULL), ZF_OK);
        zf_plan_forward(f.plan, &f.input);
        zf_plan_read(f.plan, 0, &conv);
        zf_plan_read(f.plan, 1, &relu);
        for (int64_t i = 0; i < zf_tensor_count(&conv); i++) {
            negative += conv.data[i] < 0;
            assert_true(relu.data[i] == (conv.data[i] > 0 ? conv.data[i] : 0));
        }
        assert_true(negative > 0);
        zf_tensor_release(&conv);
        zf_tensor_release(&relu);
        tear_down(&f);
    }
}

static void a_plan_says_what_is_wrong_with_its_options(void **state)
{
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    struct zf_error err;
    float gradient;
    const int tap = 99;

    (void)state;
    assert_int_equal(
        zf_net_parse_spec("[net]\ninput = 1x4x4\n[r]\ntype = relu\n", "t", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_plan_create(net, &(struct zf_plan_options){.batch = 0}, &plan, &err),
                     ZF_EINVAL);
    assert_int_equal(
        zf_plan_create(net, &(struct zf_plan_options){.batch = 1, .taps = &tap, .tap_count = 1},
                       &plan, &err),
        ZF_EINVAL);
    assert_int_equal(
        zf_plan_create(
            net, &(struct zf_plan_options){.batch = 1, .purpose = ZF_TRAIN, .gradients = &gradient},
            &plan, &err),
        ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "softmax"));
    assert_int_equal(
        zf_plan_create(net, &(struct zf_plan_options){.batch = 1, .engine = "steam"}, &plan, &err),
        ZF_EINVAL);
    assert_non_null(strstr(err.message, "reference"));
    assert_null(plan);
    zf_net_free(&net);
}

static size_t allowed;

static bool count_down(size_t bytes)
{
    (void)bytes;
    return allowed-- > 0;
}

static void making_a_plan_survives_each_failing_allocation(void **state)
{
    struct zf_net *net = NULL;

    (void)state;
    assert_int_equal(zf_net_parse_spec("[net]\ninput = 2x9x8\n" DEEP, "t", 0, &net, NULL), ZF_OK);
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int tap = 5;
        const struct zf_plan_options options = {.batch = 2,
                                                .purpose = ZF_PROJECT,
                                                .engine = zf_engine_name(e),
                                                .taps = &tap,
                                                .tap_count = 1};
        enum zf_status status = ZF_ENOMEM;
        struct zf_plan *plan = NULL;

        for (size_t n = 0; status != ZF_OK; n++) {
            allowed = n;
            zf_alloc_allowed = count_down;
            status = zf_plan_create(net, &options, &plan, NULL);
            zf_alloc_allowed = NULL;
            assert_true(status == ZF_OK || (status == ZF_ENOMEM && !plan));
            assert_true(n < 2000);
        }
        zf_plan_free(&plan);
    }
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_type_has_a_case_here),
        cmocka_unit_test(backward_agrees_with_four_point_differences),
        cmocka_unit_test(projection_is_the_adjoint_of_linear_layers),
        cmocka_unit_test(the_rules_differ_only_at_the_rectifier),
        cmocka_unit_test(a_projection_of_nothing_is_nothing),
        cmocka_unit_test(running_a_plan_allocates_nothing),
        cmocka_unit_test(a_tap_on_a_convolution_reads_what_stands_before_the_rectifier),
        cmocka_unit_test(a_plan_says_what_is_wrong_with_its_options),
        cmocka_unit_test(making_a_plan_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
