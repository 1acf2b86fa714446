/* SPDX-License-Identifier: MIT */
/*
 * Programs that compute boxes of the maps, against plans that compute everything: copies of a
 * picture with a patch changed, and projections of single activations. Chains and graphs, every
 * engine, patches and activations at the corners and in between.
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
#include "base/memory.h"
#include "base/random.h"
#include "net/boxes.h"
#include "net/net.h"
#include "net/plan.h"

enum { BATCH = 5, HEIGHT = 46, WIDTH = 37 };

#define INPUT "[net]\nname = boxes\ninput = 3x46x37\nclasses = 4\n"

static const struct {
    const char *name, *spec;
} nets[] = {
    {"the paper's kind of chain",
     "[c1]\ntype = conv\nmaps = 16\nkernel = 7\nstride = 2\npad = 1\n[r1]\ntype = relu\n"
     "[p1]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n[n1]\ntype = lrn\nalpha = 0.1\n"
     "[c2]\ntype = conv\nmaps = 20\nkernel = 3\npad = 1\n[r2]\ntype = relu\n"
     "[p2]\ntype = maxpool\nkernel = 2\nstride = 2\nround = up\n"
     "[c3]\ntype = conv\nmaps = 16\nkernel = 3\npad = 1\ngroups = 2\n[r3]\ntype = relu\n"
     "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n"},
    {"wide enough for differences",
     "[c1]\ntype = conv\nmaps = 96\nkernel = 5\nstride = 2\nround = up\n[r1]\ntype = relu\n"
     "[p1]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n[n1]\ntype = lrn\nalpha = 0.1\n"
     "[c2]\ntype = conv\nmaps = 64\nkernel = 3\npad = 1\n[r2]\ntype = relu\n"
     "[c3]\ntype = conv\nmaps = 32\nkernel = 3x2\nstride = 2x1\ninputs = r2\n"
     "[c4]\ntype = conv\nmaps = 16\nkernel = 3\npad = 2\ndilation = 2\n[e]\ntype = elu\n"
     "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n"},
    {"branches that are put together",
     "[c1]\ntype = conv\nmaps = 16\nkernel = 3\nstride = 2\n[r1]\ntype = relu\n"
     "[a]\ntype = conv\nmaps = 8\nkernel = 1\ninputs = r1\n"
     "[b]\ntype = conv\nmaps = 16\nkernel = 3\npad = 1\ninputs = r1\n[br]\ntype = relu\n"
     "[c]\ntype = conv\nmaps = 3\nkernel = 5\npad = 2\ninputs = r1\n"
     "[d]\ntype = maxpool\nkernel = 3\npad = 1\ninputs = r1\n"
     "[all]\ntype = concat\ninputs = a, br, c, d\n"
     "[m]\ntype = conv\nmaps = 8\nkernel = 3x2\nstride = 2x1\n[mr]\ntype = leaky\n"
     "[p]\ntype = avgpool\nkernel = all\n[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n"},
    {"a shortcut, and a gate that sees everything",
     "[c1]\ntype = conv\nmaps = 16\nkernel = 3\npad = 1\nstride = 2\n[e]\ntype = elu\n"
     "[b1]\ntype = conv\nmaps = 16\nkernel = 3\npad = 1\nstride = 2\n[g]\ntype = gelu\n"
     "[b2]\ntype = conv\nmaps = 16\nkernel = 3\npad = 1\n"
     "[side]\ntype = conv\nmaps = 16\nkernel = 1\nstride = 2\ninputs = e\n"
     "[sum]\ntype = add\ninputs = b2, side\n[pr]\ntype = prelu\n"
     "[l]\ntype = conv\nmaps = 16\nkernel = 3\n[h]\ntype = hardswish\n"
     "[q]\ntype = avgpool\nkernel = all\ninputs = h\n"
     "[w]\ntype = conv\nmaps = 16\nkernel = 1\n[sg]\ntype = sigmoid\n"
     "[gate]\ntype = mul\ninputs = h, sg\n[after]\ntype = conv\nmaps = 8\nkernel = 3\n"
     "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n"},
    {"the other types",
     "[pad]\ntype = pad\npad = 1x2x3x0\n[c1]\ntype = conv\nmaps = 12\nkernel = 3\ndilation = 2\n"
     "[t]\ntype = tanh\n[sc]\ntype = scale\n[av]\ntype = avgpool\nkernel = 3\nstride = 2\n"
     "[sh]\ntype = shuffle\ngroups = 3\n[x]\ntype = slice\nfirst = 0\nmaps = 6\n"
     "[y]\ntype = slice\nfirst = 6\nmaps = 6\ninputs = sh\n[xy]\ntype = sub\ninputs = x, y\n"
     "[c2]\ntype = conv\nmaps = 16\nkernel = 2\n[cl]\ntype = clip\nmax = 1\n"
     "[wi]\ntype = avgpool\nkernel = 3\npad = 1\ncount = window\n"
     "[in]\ntype = avgpool\nkernel = 3\npad = 1\n[si]\ntype = silu\n"
     "[m]\ntype = maxpool\nkernel = 2\nstride = 2\ndilation = 2\npad = 1\n"
     "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n"},
};

struct fixture {
    struct zf_net *net;
    struct zf_tensor input; /* [BATCH] */
    struct zf_random random;
    int layers;
    int *all; /* [layers] */
};

static void draw(struct zf_random *random, float *numbers, int64_t count, double scale)
{
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)(zf_random_normal(random) * scale);
}

static void set_up(struct fixture *f, const char *spec)
{
    char text[4096];
    struct zf_error err = {0};

    f->random = zf_random_stream(1, ZF_RANDOM_TEST, 0, 0);
    snprintf(text, sizeof text, "%s%s", INPUT, spec);
    if (zf_net_parse_spec(text, "test", 0, &f->net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    f->layers = zf_net_layer_count(f->net);
    f->all = zf_alloc((size_t)f->layers, sizeof *f->all);
    for (int i = 0; i < f->layers; i++) {
        const struct zf_layer *layer = &f->net->layers[i];

        f->all[i] = i;
        for (int k = 0; k < layer->parameter_count; k++) {
            const struct zf_parameter_slot *slot = &f->net->slots[layer->first_parameter + k];

            draw(&f->random, f->net->parameters + slot->offset, slot->count,
                 slot->is_bias ? 0.2 : 1.0 / sqrt((double)(layer->inferred.fan_in + 1)));
        }
    }
    assert_int_equal(zf_tensor_init(&f->input, BATCH, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    draw(&f->random, f->input.data, zf_tensor_count(&f->input), 1.0);
}

static void tear_down(struct fixture *f)
{
    zf_free(f->all);
    zf_tensor_release(&f->input);
    zf_net_free(&f->net);
}

/* The reference, which is slow, is given the first of several ways. */
static size_t tried(size_t engine, size_t ways)
{
    return strcmp(zf_engine_name(engine), "reference") == 0 ? 1 : ways;
}

static struct zf_plan *plan_of(const struct fixture *f, struct zf_plan_options options)
{
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};

    options.compute.batch = BATCH;
    options.compute.exact = options.compute.precision == ZF_PRECISION_F32;
    options.compute.threads = 1; /* small work: a second would mostly wait */
    if (!options.taps) {
        options.taps = f->all;
        options.tap_count = (size_t)f->layers;
    }
    if (zf_plan_create(f->net, &options, &plan, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return plan;
}

static const struct zf_plan_options in_bf16 = {
    .compute = {.engine = "onednn", .precision = ZF_PRECISION_BF16}};

/* Does the processor multiply such numbers, and has the build an engine that makes it? */
static bool has_bf16(const struct fixture *f)
{
    struct zf_plan_options options = in_bf16;
    struct zf_plan *plan = NULL;
    bool made;

    options.compute.batch = 1;
    made = zf_plan_create(f->net, &options, &plan, NULL) == ZF_OK;
    zf_plan_free(&plan);
    return made;
}

/* Factors of 8 bits are rounded differently where sums are taken in another order. */
static double bound_of(const struct zf_plan_options *options, double bound)
{
    return options->compute.precision == ZF_PRECISION_BF16 ? 5e-2 : bound;
}

/* |a - b| / |b|, over all numbers. */
static double distance(const struct zf_tensor *a, const struct zf_tensor *b)
{
    double difference = 0, size = 0;

    for (int64_t i = 0; i < zf_tensor_count(a); i++) {
        difference += pow((double)a->data[i] - (double)b->data[i], 2);
        size += pow((double)b->data[i], 2);
    }
    return size > 0 ? sqrt(difference / size) : difference;
}

/* ---- Patches ---- */

static void put_patch(const struct zf_tensor *patches, int64_t n, struct zf_box box,
                      struct zf_tensor *input)
{
    for (int64_t c = 0; c < input->c; c++)
        for (int64_t y = 0; y < box.height; y++)
            for (int64_t x = 0; x < box.width; x++)
                input->data[((n * input->c + c) * input->h + box.y + y) * input->w + box.x + x] =
                    patches->data[((n * input->c + c) * box.height + y) * box.width + x];
}

static int frames_of(const struct zf_plan *plan)
{
    int count = 0;

    for (int i = 0; i < plan->net->layer_count; i++)
        count += plan->patch.frames[i].used;
    return count;
}

static void compare_patched(struct fixture *f, struct zf_plan_options options, const char *name,
                            int64_t height, int64_t width)
{
    struct zf_plan *whole = plan_of(f, options), *part;
    struct zf_tensor patches = {0}, changed = {0};
    struct zf_tensor first = zf_tensor_view(f->input.data, 1, 3, HEIGHT, WIDTH);
    struct zf_box boxes[BATCH] = {{0, 0, 0, 0},
                                  {WIDTH - width, 0, 0, 0},
                                  {0, HEIGHT - height, 0, 0},
                                  {WIDTH - width, HEIGHT - height, 0, 0},
                                  {(WIDTH - width) / 2, (HEIGHT - height) / 3, 0, 0}};

    options.purpose = ZF_PATCH;
    options.patch_height = height;
    options.patch_width = width;
    part = plan_of(f, options);
    assert_int_equal(zf_tensor_init(&patches, BATCH, 3, height, width, NULL), ZF_OK);
    assert_int_equal(zf_tensor_init(&changed, BATCH, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    draw(&f->random, patches.data, zf_tensor_count(&patches), 2.0);
    for (int64_t n = 0; n < BATCH; n++) {
        boxes[n].height = height;
        boxes[n].width = width;
        memcpy(changed.data + n * 3 * HEIGHT * WIDTH, f->input.data,
               sizeof(float) * 3 * HEIGHT * WIDTH);
        put_patch(&patches, n, boxes[n], &changed);
    }
    zf_plan_forward(part, &first);
    zf_plan_forward_patched(part, &patches, boxes);
    zf_plan_forward(whole, &changed);
    for (int i = 0; i < f->layers; i++) {
        const struct zf_shape shape = zf_net_layer(f->net, i).shape;
        struct zf_tensor a = {0}, b = {0};

        if (!part->readable[i])
            continue;
        assert_int_equal(zf_tensor_init(&a, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
        assert_int_equal(zf_tensor_init(&b, BATCH, shape.c, shape.h, shape.w, NULL), ZF_OK);
        zf_plan_read(part, i, &a);
        zf_plan_read(whole, i, &b);
        if (!(distance(&a, &b) <= bound_of(&options, 1e-5)))
            fail_msg("%s, %s, a patch of %dx%d: %s differs by %g", options.compute.engine, name,
                     (int)height, (int)width, zf_net_layer(f->net, i).name, distance(&a, &b));
        zf_tensor_release(&a);
        zf_tensor_release(&b);
    }
    zf_tensor_release(&patches);
    zf_tensor_release(&changed);
    zf_plan_free(&part);
    zf_plan_free(&whole);
}

static void a_changed_patch_gives_what_a_whole_run_gives(void **state)
{
    static const int64_t sizes[][2] = {{8, 5}, {1, 1}, {HEIGHT, WIDTH}};

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct fixture f;

        set_up(&f, nets[i].spec);
        for (size_t e = 0; zf_engine_name(e); e++)
            for (size_t k = 0; k < tried(e, sizeof sizes / sizeof sizes[0]); k++)
                compare_patched(&f, (struct zf_plan_options){.compute.engine = zf_engine_name(e)},
                                nets[i].name, sizes[k][0], sizes[k][1]);
        if (has_bf16(&f))
            compare_patched(&f, in_bf16, nets[i].name, sizes[0][0], sizes[0][1]);
        tear_down(&f);
    }
}

/* With nothing to be read on the way, they are rectified along with it. */
static void convolutions_are_given_differences_where_that_spares_work(void **state)
{
    struct zf_plan_options options = {
        .purpose = ZF_PATCH, .patch_height = 1, .patch_width = 1, .tap_count = 1};
    struct fixture f;
    int fc;

    (void)state;
    set_up(&f, nets[1].spec);
    fc = f.layers - 2;
    options.taps = &fc;
    for (size_t e = 0; zf_engine_name(e); e++) {
        struct zf_plan *plan;

        options.compute.engine = zf_engine_name(e);
        plan = plan_of(&f, options);
        assert_int_equal(frames_of(plan), 2);
        assert_true(plan->patch.frames[4].rectified); /* c2; there is none above c3 */
        zf_plan_free(&plan);
        compare_patched(&f,
                        (struct zf_plan_options){
                            .compute.engine = zf_engine_name(e), .taps = &fc, .tap_count = 1},
                        nets[1].name, 1, 1);
    }
    tear_down(&f);
}

/* ---- Cones ---- */

static void compare_cones(struct fixture *f, struct zf_plan_options options, const char *name,
                          enum zf_rule rule)
{
    struct zf_plan *each, *together;
    struct zf_tensor cones = {0}, dense = {0};

    options.purpose = ZF_PROJECT;
    options.rule = rule;
    options.each = true;
    each = plan_of(f, options);
    options.each = false;
    together = plan_of(f, options);
    assert_int_equal(zf_tensor_init(&cones, BATCH, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    assert_int_equal(zf_tensor_init(&dense, BATCH, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    zf_plan_forward(each, &f->input);
    zf_plan_forward(together, &f->input);
    for (int i = 0; i < f->layers; i++) {
        const struct zf_shape s = zf_net_layer(f->net, i).shape;
        /* Two of the first picture, and not in the order of the pictures. */
        const struct zf_place places[BATCH] = {{3, s.c - 1, 0, 0},
                                               {0, s.c / 2, 0, s.w - 1},
                                               {0, 0, s.h - 1, 0},
                                               {4, s.c / 3, s.h - 1, s.w - 1},
                                               {2, s.c / 4, s.h / 2, s.w / 2}};
        const float values[BATCH] = {1.0f, -1.0f, 0.5f, 2.0f, 1.0f};

        zf_plan_project_each(each, i, places, values, &cones);
        for (int k = 0; k < BATCH; k++) {
            const int64_t image = (int64_t)3 * HEIGHT * WIDTH;
            struct zf_tensor got = zf_tensor_view(cones.data + k * image, 1, 3, HEIGHT, WIDTH);
            struct zf_tensor want =
                zf_tensor_view(dense.data + places[k].n * image, 1, 3, HEIGHT, WIDTH);

            zf_plan_project(together, i, &places[k], &values[k], 1, &dense);
            if (!(distance(&got, &want) <= bound_of(&options, 1e-6)))
                fail_msg("%s, %s, rule %d, %s, place %d: differs by %g", options.compute.engine,
                         name, (int)rule, zf_net_layer(f->net, i).name, k, distance(&got, &want));
        }
    }
    zf_tensor_release(&cones);
    zf_tensor_release(&dense);
    zf_plan_free(&each);
    zf_plan_free(&together);
}

static void a_projection_by_its_cone_is_the_whole_projection(void **state)
{
    static const enum zf_rule rules[] = {ZF_RULE_GUIDED, ZF_RULE_GRADIENT, ZF_RULE_DECONVNET};

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct fixture f;

        set_up(&f, nets[i].spec);
        for (size_t e = 0; zf_engine_name(e); e++)
            for (size_t r = 0; r < tried(e, sizeof rules / sizeof rules[0]); r++)
                compare_cones(&f, (struct zf_plan_options){.compute.engine = zf_engine_name(e)},
                              nets[i].name, rules[r]);
        if (has_bf16(&f))
            compare_cones(&f, in_bf16, nets[i].name, rules[0]);
        tear_down(&f);
    }
}

/* What the activation itself is, when no values are given. */
static void a_cone_starts_from_the_activation(void **state)
{
    struct fixture f;
    struct zf_plan *plan;
    const int tap = 4; /* c2 */
    const struct zf_place places[2] = {{1, 3, 2, 2}, {1, 3, 2, 2}};
    struct zf_tensor pixels = {0};
    float values[2] = {1.0f, 1.0f};

    (void)state;
    set_up(&f, nets[0].spec);
    plan = plan_of(&f, (struct zf_plan_options){.purpose = ZF_PROJECT,
                                                .rule = ZF_RULE_GRADIENT,
                                                .each = true,
                                                .taps = &tap,
                                                .tap_count = 1});
    assert_int_equal(zf_tensor_init(&pixels, 2, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    zf_plan_forward(plan, &f.input);
    zf_plan_project_each(plan, tap, places, values, &pixels);
    values[0] = zf_plan_activation(plan, tap, places[0]);
    for (int64_t i = 0; i < 3 * HEIGHT * WIDTH; i++)
        pixels.data[i] *= values[0];
    pixels.n = 1;
    struct zf_tensor second = {0};
    assert_int_equal(zf_tensor_init(&second, 1, 3, HEIGHT, WIDTH, NULL), ZF_OK);
    zf_plan_project_each(plan, tap, places, NULL, &second);
    assert_true(distance(&second, &pixels) < 1e-6);
    zf_tensor_release(&second);
    zf_tensor_release(&pixels);
    zf_plan_free(&plan);
    tear_down(&f);
}

/* ---- The boxes themselves ---- */

/* By hand, from figure 3: a square of 32 px lies under 19 windows of conv1 (7x7, stride 2), 11 of
   pool1, 8 of conv2, 5 of pool2, 7, 9 and 11 of conv3 to conv5, all of pool5. Down, conv5's cell
   sees 139 px. */
static void boxes_are_as_large_as_figure_3_says(void **state)
{
    static const struct {
        const char *layer;
        int64_t up, frame, difference;
    } want[] = {{"conv1", 19, 5, 33}, {"pool1", 11, 1, 20}, {"conv2", 8, 3, 12},
                {"pool2", 5, 1, 9},   {"conv3", 7, 2, 5},   {"conv4", 9, 2, 7},
                {"conv5", 11, 2, 9},  {"pool5", 6, 0, 13}};
    struct zf_boxes_part rows, columns;
    struct zf_net *net = NULL;
    struct zf_boxes up = {0}, down = {0};
    int conv5 = -1;

    (void)state;
    assert_int_equal(zf_net_load_spec("zfnet", 0, &net, NULL), ZF_OK);
    assert_int_equal(zf_boxes_up(net, 32, 32, &up, NULL), ZF_OK);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        for (int k = 0; k < zf_net_layer_count(net); k++)
            if (strcmp(zf_net_layer(net, k).name, want[i].layer) == 0) {
                assert_int_equal(up.rows.extent[k + 1], want[i].up);
                zf_boxes_changed(net, &up, k, &rows, &columns);
                assert_int_equal(rows.first, want[i].frame);
                assert_int_equal(rows.extent, want[i].difference);
                assert_memory_equal(&rows, &columns, sizeof rows);
                conv5 = strcmp(want[i].layer, "conv5") == 0 ? k : conv5;
            }
    assert_int_equal(zf_boxes_down(net, conv5, &down, NULL), ZF_OK);
    assert_int_equal(down.columns.extent[0], 139);
    zf_boxes_release(&up);
    zf_boxes_release(&down);
    zf_net_free(&net);
}

static void a_patch_larger_than_the_input_is_refused(void **state)
{
    struct fixture f;
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};

    (void)state;
    set_up(&f, nets[0].spec);
    assert_int_equal(zf_plan_create(f.net,
                                    &(struct zf_plan_options){.compute.batch = 1,
                                                              .purpose = ZF_PATCH,
                                                              .patch_height = HEIGHT + 1,
                                                              .patch_width = 1},
                                    &plan, &err),
                     ZF_EINVAL);
    assert_non_null(strstr(err.message, "47x1"));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_patch_gives_what_a_whole_run_gives),
        cmocka_unit_test(convolutions_are_given_differences_where_that_spares_work),
        cmocka_unit_test(a_projection_by_its_cone_is_the_whole_projection),
        cmocka_unit_test(a_cone_starts_from_the_activation),
        cmocka_unit_test(boxes_are_as_large_as_figure_3_says),
        cmocka_unit_test(a_patch_larger_than_the_input_is_refused),
    };

    return cmocka_run_group_tests_name("boxes", tests, hold_processor, NULL);
}
