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

#include "held.h"
#include "plan_fixture.h"
#include "base/magnitude.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/layers/layers.h"
#include "net/plan.h"
#include "zf/plan.h"

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
    {"gelu_tanh", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = gelu_tanh\n"},
    {"selu", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = selu\n"},
    {"softplus", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = softplus\n"},
    {"mish", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = mish\n"},
    {"threshold", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n"
                  "[it]\ntype = threshold\nthreshold = 0\n"},
    {"quantise", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = quantise\n"
                 "step = 0.00001\nzero = 7\nlow = -1000000\nhigh = 1000000\n"
                 "[back]\ntype = norm\nover = maps\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = function\nof = erf\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[small]\ntype = tanh\n"
                 "[it]\ntype = function\nof = exp\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = function\nof = abs\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = function\nof = sin\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = function\nof = cos\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[it]\ntype = function\nof = atan\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n"
                 "[it]\ntype = function\nof = softsign\n"},
    {"function", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[positive]\ntype = softplus\n"
                 "[it]\ntype = function\nof = log\n"},
    {"power", "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[small]\ntype = tanh\n"
              "[it]\ntype = power\nexponent = 3\n"},
    {"power",
     "[below]\ntype = conv\nmaps = 5\nkernel = 3\n[up]\ntype = relu\n[positive]\ntype = softplus\n"
     "[it]\ntype = power\nexponent = -0.5\n"},
    {"norm", "[below]\ntype = conv\nmaps = 6\nkernel = 3\nbias = no\n[it]\ntype = norm\n[on]\ntype "
             "= scale\n"},
    {"norm", "[below]\ntype = conv\nmaps = 6\nkernel = 3\n"
             "[it]\ntype = norm\nover = groups\ngroups = 3\n[on]\ntype = scale\n"},
    {"norm", "[below]\ntype = conv\nmaps = 6\nkernel = 3\n"
             "[it]\ntype = norm\nover = maps\nepsilon = 0.01\n[on]\ntype = scale\n"},
    {"norm", "[below]\ntype = conv\nmaps = 6\nkernel = 3\n"
             "[it]\ntype = norm\nover = maps\nmean = no\n[on]\ntype = scale\n"},
    {"convtranspose", "[below]\ntype = conv\nmaps = 4\nkernel = 5\n"
                      "[it]\ntype = convtranspose\nmaps = 6\nkernel = 3\nstride = 2\npad = 1\n"
                      "more = 1x0\ngroups = 2\n"},
    {"convtranspose", "[below]\ntype = conv\nmaps = 3\nkernel = 5\n"
                      "[it]\ntype = convtranspose\nmaps = 4\nkernel = 2x3\nstride = 1x2\n"
                      "dilation = 2x1\npad = 0x1x1x0\nbias = no\n"},
    {"resize", "[below]\ntype = conv\nmaps = 3\nkernel = 5\n"
               "[it]\ntype = resize\nheight = 10\nwidth = 8\n"},
    {"resize", "[below]\ntype = conv\nmaps = 3\nkernel = 5\n"
               "[it]\ntype = resize\nheight = 7\nwidth = 9\nmode = cubic\nplace = align_corners\n"},
    {"resize", "[below]\ntype = conv\nmaps = 3\nkernel = 2\n[it]\ntype = resize\nheight = 4\n"
               "width = 3\nmode = nearest\nplace = asymmetric\nrounding = floor\n"},
    {"resize", "[below]\ntype = conv\nmaps = 2\nkernel = 2\n[it]\ntype = resize\nheight = 3\n"
               "width = 5\nantialias = yes\n"},
    {"resize", "[below]\ntype = conv\nmaps = 2\nkernel = 2\n[it]\ntype = resize\nheight = 2\n"
               "width = 14\nmode = cubic\nantialias = yes\ninside = yes\n"},
    {"arrange", "[below]\ntype = conv\nmaps = 8\nkernel = 5\n"
                "[it]\ntype = arrange\nmaps = 2\nheight = 10\nwidth = 8\nrun1 = 2x80\n"
                "run2 = 5x4\nrun3 = 2x40\nrun4 = 4x1\nrun5 = 2x20\n"},
    {"arrange", "[below]\ntype = conv\nmaps = 3\nkernel = 5\n"
                "[it]\ntype = arrange\nmaps = 2\nheight = 3\nwidth = 4\noffset = 39\n"
                "run1 = 2x0\nrun2 = 3x-8\nrun3 = 4x-1\n"},
    {"constant", "[below]\ntype = conv\nmaps = 3\nkernel = 3\n"
                 "[given]\ntype = constant\nmaps = 3\nheight = 7\nwidth = 6\n"
                 "[it]\ntype = mul\ninputs = below, given\n"},
    {"matmul", "[below]\ntype = conv\nmaps = 2\nkernel = 3x5\n[side]\ntype = conv\nmaps = 2\n"
               "kernel = 6x5\ninputs = input\n[small]\ntype = tanh\n"
               "[it]\ntype = matmul\ninputs = below, small\n"},
    {"div", "[below]\ntype = conv\nmaps = 3\nkernel = 3\n[side]\ntype = conv\nmaps = 1\n"
            "kernel = 3\ninputs = input\n[small]\ntype = tanh\n"
            "[positive]\ntype = softplus\n[it]\ntype = div\ninputs = below, positive\n"},
    {"max", "[below]\ntype = conv\nmaps = 3\nkernel = 3\n[side]\ntype = conv\nmaps = 3\n"
            "kernel = 3\ninputs = input\n[it]\ntype = max\ninputs = below, side\n"},
    {"min", "[below]\ntype = conv\nmaps = 3\nkernel = 3\n[side]\ntype = avgpool\nkernel = all\n"
            "[it]\ntype = min\ninputs = side, below\n"},
    {"add", "[below]\ntype = conv\nmaps = 3\nkernel = all\n[side]\ntype = conv\nmaps = 1\n"
            "kernel = 3\ninputs = input\n[it]\ntype = add\ninputs = below, side\n"},
    {"pad", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = pad\npad = 1x0x2x3\n"
            "mode = reflect\n[above]\ntype = conv\nmaps = 4\nkernel = 2\n"},
    {"pad", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = pad\npad = 1x0x2x3\n"
            "mode = edge\n[above]\ntype = conv\nmaps = 4\nkernel = 2\n"},
    {"pad", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = pad\npad = 1x0x2x3\n"
            "mode = wrap\n[above]\ntype = conv\nmaps = 4\nkernel = 2\n"},
    {"pad", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = pad\npad = 1x0x2x3\n"
            "value = 0.5\n[above]\ntype = conv\nmaps = 4\nkernel = 2\n"},
    {"softmax", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n[it]\ntype = softmax\n"},
    {"softmax", "[below]\ntype = conv\nmaps = 4\nkernel = 3\n"}, /* the end of every net here */
};

/* Mean cross-entropy with the dropout masks of step 5. */
static double loss_of(struct plan_fixture *f)
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
static double numeric(struct plan_fixture *f, int64_t i)
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
static void check_tensor(struct plan_fixture *f, const char *engine, const char *type, int slot)
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
                .purpose = ZF_TRAIN, .compute = {.engine = zf_engine_name(e), .threads = 1}};
            struct plan_fixture f;

            plan_set_up(&f, cases[i].spec, "[end]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n",
                        options);
            loss_of(&f);
            zf_plan_backward(f.plan, f.labels);
            for (int slot = 0; slot < f.net->slot_count; slot++)
                check_tensor(&f, zf_engine_name(e), cases[i].type, slot);
            plan_tear_down(&f);
        }
}

/* <forward(x) - forward(0), y> = <x, project(y)> where the net is linear: conv, fc, dropout off. */
static void projection_is_the_adjoint_of_linear_layers(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            static const char *const linear[] = {"conv",          "fc",      "dropout", "avgpool",
                                                 "scale",         "add",     "sub",     "concat",
                                                 "slice",         "shuffle", "pad",     "flatten",
                                                 "convtranspose", "resize",  "arrange"};
            const struct zf_plan_options options = {
                .purpose = ZF_PROJECT, .compute = {.engine = zf_engine_name(e), .threads = 1}};
            struct plan_fixture f;
            struct zf_tensor out, bias, pixels;
            struct zf_place places[BATCH * 4];
            float values[BATCH * 4];
            double left = 0, right = 0;
            bool is_linear = false;

            for (size_t k = 0; k < sizeof linear / sizeof linear[0]; k++)
                is_linear |= strcmp(cases[i].type, linear[k]) == 0;
            if (!is_linear)
                continue;
            plan_set_up(&f, cases[i].spec, "", options);
            const int tap = zf_net_layer_count(f.net) - 1;
            const struct zf_shape shape = zf_net_layer(f.net, tap).shape;
            assert_int_equal(zf_tensor_init(&out, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&bias, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&pixels, BATCH, 2, 9, 8, NULL), ZF_OK);
            zf_plan_forward(f.plan, &pixels); /* zeros: what the biases give */
            zf_plan_read(f.plan, tap, &bias);
            zf_plan_forward(f.plan, &f.input);
            zf_plan_read(f.plan, tap, &out);
            plan_fill(values, BATCH * 4, 1, 11);
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
            plan_tear_down(&f);
        }
}

/* A plan may leave a rectifier to the layer below it, unless that one's output is wanted as well.
 */
static void a_rectifier_is_the_same_where_the_layer_below_does_it(void **state)
{
    static const int taps[] = {0, 1, 2, 3, 4, 5, 6, 7};

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct zf_plan_options options = {
                .purpose = ZF_INFER, .compute = {.engine = zf_engine_name(e), .threads = 1}};
            struct zf_tensor outputs[2];
            struct plan_fixture f;

            for (int k = 0; k < 2; k++) {
                struct zf_shape shape;
                int last;

                plan_set_up(&f, cases[i].spec, "[on]\ntype = relu\n", options);
                last = zf_net_layer_count(f.net) - 1;
                shape = zf_net_layer(f.net, last).shape;
                assert_int_equal(
                    zf_tensor_init(&outputs[k], BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
                zf_plan_forward(f.plan, &f.input);
                zf_plan_read(f.plan, last, &outputs[k]);
                plan_tear_down(&f);
                options.taps = taps;
                options.tap_count = (size_t)last;
            }
            for (int64_t k = 0; k < zf_tensor_count(&outputs[0]); k++)
                if (!(fabsf(outputs[0].data[k] - outputs[1].data[k]) <=
                      1e-5f * (1 + fabsf(outputs[1].data[k]))))
                    fail_msg("%s, %s: %g and %g", zf_engine_name(e), cases[i].type,
                             (double)outputs[0].data[k], (double)outputs[1].data[k]);
            zf_tensor_release(&outputs[0]);
            zf_tensor_release(&outputs[1]);
        }
}

static double distance(const float *a, const float *b, int64_t count)
{
    double difference = 0, length = 0;

    for (int64_t i = 0; i < count; i++) {
        difference += pow((double)a[i] - (double)b[i], 2);
        length += pow((double)a[i], 2);
    }
    return sqrt(difference / length);
}

static bool computes_bf16(const char *engine)
{
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    const struct zf_plan_options options = {
        .compute = {.batch = 1, .engine = engine, .precision = ZF_PRECISION_BF16}};
    struct zf_error err = {0};

    assert_int_equal(zf_net_parse_spec("[net]\ninput = 2x9x8\n" DEEP, "t", 0, &net, NULL), ZF_OK);
    if (zf_plan_create(net, &options, &plan, &err) != ZF_OK) {
        assert_int_equal(err.status, ZF_EUNSUPPORTED);
        assert_non_null(strstr(err.message, "f32"));
    }
    zf_plan_free(&plan);
    zf_net_free(&net);
    return err.status == ZF_OK;
}

/* Factors of 8 bits are off by up to 2^-9 = 0.002, of random sign; a few layers of that, and the
   rectifiers that tip, stay within some percent. */
static void bf16_follows_float32_in_outputs_and_gradients(void **state)
{
    bool any = false;

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        if (!computes_bf16(zf_engine_name(e)))
            continue;
        any = true;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct zf_plan_options options = {
                .purpose = ZF_TRAIN, .compute = {.engine = zf_engine_name(e), .threads = 1}};
            struct plan_fixture full, half;
            double gradients, losses;

            plan_set_up(&full, cases[i].spec,
                        "[end]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n", options);
            options.compute.precision = ZF_PRECISION_BF16;
            plan_set_up(&half, cases[i].spec,
                        "[end]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n", options);
            losses = fabs(loss_of(&full) / loss_of(&half) - 1);
            zf_plan_backward(full.plan, full.labels);
            zf_plan_backward(half.plan, half.labels);
            gradients = distance(full.gradients, half.gradients, full.net->floats);
            if (!(losses < 0.05) || !(gradients < 0.1))
                fail_msg("%s, %s: losses differ by %.3g, gradients by %.3g", zf_engine_name(e),
                         cases[i].type, losses, gradients);
            plan_tear_down(&full);
            plan_tear_down(&half);
        }
    }
    if (!any) {
        print_message("no engine computes in bf16 on this processor: skipped\n");
        skip();
    }
}

static double largest_of(struct plan_fixture *f, int layer)
{
    const struct zf_shape shape = zf_net_layer(f->net, layer).shape;
    struct zf_tensor out;
    double most;

    assert_int_equal(zf_tensor_init(&out, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
    zf_plan_read(f->plan, layer, &out);
    most = (double)zf_largest_magnitude(out.data, zf_tensor_count(&out));
    zf_tensor_release(&out);
    return most;
}

/* But for rounding, and cubic curves that leave their points by a quarter along each axis. */
static void no_layer_gives_more_than_its_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * sizeof cases / sizeof cases[0]; i++) {
        static const float inputs[3] = {1, 1e-3f, 100};
        const char *spec = cases[i / 3].spec;
        int taps[8], count = 0;
        struct plan_fixture f;

        for (const char *at = spec; (at = strstr(at, "type = ")); at++, count++)
            taps[count] = count;
        assert_true(count < 8);
        plan_set_up(
            &f, spec, "",
            (struct zf_plan_options){.watched = true, .taps = taps, .tap_count = (size_t)count});
        for (int64_t k = 0; k < zf_tensor_count(&f.input); k++)
            f.input.data[k] *= inputs[i % 3];
        zf_plan_forward(f.plan, &f.input);
        assert_int_equal(zf_plan_check_finite(f.plan, &f.input, NULL, NULL), ZF_OK);
        assert_null(f.plan->watch.slow);
        for (int layer = 0; layer < count; layer++) {
            const double most = largest_of(&f, layer), bound = f.plan->watch.bound[layer];
            const bool logarithm = zf_layer_is_logarithm(&f.net->layers[layer]);

            if (logarithm && isinf(most)) /* of zero */
                continue;
            if (!(most <= bound * 1.6) || !(bound < 1e15))
                fail_msg("%s: %s gives %g, its bound is %g", spec, zf_net_layer(f.net, layer).name,
                         most, bound);
        }
        plan_tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_type_has_a_case_here),
        cmocka_unit_test(backward_agrees_with_four_point_differences),
        cmocka_unit_test(projection_is_the_adjoint_of_linear_layers),
        cmocka_unit_test(a_rectifier_is_the_same_where_the_layer_below_does_it),
        cmocka_unit_test(no_layer_gives_more_than_its_bound),
        cmocka_unit_test(bf16_follows_float32_in_outputs_and_gradients),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
