/* SPDX-License-Identifier: MIT */
/*
 * ONNX files of a megabyte at most that were made to be expensive: each is refused, or read where
 * there is nothing wrong with it, with little time and memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cost.h"
#include "model/format.h"
#include "model/onnx/message.h"

static enum zf_status read_onnx(const struct zf_bytes *bytes, struct zf_error *err)
{
    const struct zf_model_options options = {.limits = zf_model_limits_full(NULL)};
    struct zf_bytes lent = *bytes;
    struct zf_net *net = NULL;
    const enum zf_status status = zf_model_onnx.load(&lent, "hostile.onnx", &options, &net, err);

    zf_net_free(&net);
    return status;
}

static const struct reader onnx = {"onnx", read_onnx};

/* The message as a model of opset 13 with the picture "x" and the output `name`; takes it. */
static uint8_t *pack(struct zf_onnx_message *m, struct zf_shape picture, const char *name,
                     size_t *size)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    Onnx__ValueInfoProto *input = zf_onnx_value(m, "x", picture, false);
    Onnx__ValueInfoProto *output = zf_onnx_value(m, name, picture, false);
    uint8_t *bytes;

    assert_false(m->failed);
    opset.has_version = true;
    opset.version = 13;
    graph.n_node = m->nodes.count;
    graph.node = m->nodes.items;
    graph.n_initializer = m->initialisers.count;
    graph.initializer = m->initialisers.items;
    graph.n_input = graph.n_output = 1;
    graph.input = &input;
    graph.output = &output;
    model.has_ir_version = true;
    model.ir_version = 7;
    model.n_opset_import = 1;
    model.opset_import = &opsets;
    model.graph = &graph;
    *size = onnx__model_proto__get_packed_size(&model);
    bytes = malloc(*size);
    assert_non_null(bytes);
    onnx__model_proto__pack(&model, bytes);
    zf_onnx_message_release(m);
    return bytes;
}

static void handle(struct zf_onnx_message *m, struct zf_shape picture, const char *name,
                   const char *what, const char *expected)
{
    size_t size;
    uint8_t *bytes = pack(m, picture, name, &size);

    if (size > MEGABYTE)
        fail_msg("%s: %zu bytes", what, size);
    handle_cheaply(&onnx, what, bytes, size, expected);
    free(bytes);
}

static const struct zf_shape picture = {3, 8, 8};

/* From tensor "x" on, a node that reads the one before it and `second`, if that is something; the
   last one's output. */
static const char *chain(struct zf_onnx_message *m, int count, const char *op, const char *from,
                         const char *second, const char *name)
{
    for (int i = 0; i < count; i++) {
        const char *inputs[] = {from, second};
        const char *to = zf_onnx_text(m, "%s%x", op, (unsigned)i);

        zf_onnx_node(m, op, name ? name : "", inputs, second ? 2 : 1, to);
        from = to;
    }
    return from;
}

static void very_many_nodes_are_refused(void **state)
{
    struct zf_onnx_message m = {0};
    const char *last = chain(&m, 45000, "D", "x", NULL, NULL);

    (void)state;
    handle(&m, picture, last, "45000 nodes", "more than 16384 nodes");
    last = chain(&m, 12000, "Relu", "x", NULL, NULL);
    handle(&m, picture, last, "12000 rectifiers", "more than 8192 layers");
    last = chain(&m, 8000, "Relu", "x", NULL, NULL);
    handle(&m, picture, last, "8000 rectifiers", "8000 layers; a net has 1 to 4096");
    last = chain(&m, 12000, "Identity", "x", NULL, NULL);
    handle(&m, picture, last, "12000 nodes of nothing", "no output of any layer");
    last = chain(&m, 12000, "Relu", "x", "x", NULL);
    handle(&m, picture, last, "12000 reading one", "layers");
}

static void thousands_of_nodes_may_share_a_name(void **state)
{
    struct zf_onnx_message m = {0};
    const char *last = chain(&m, 4000, "Relu", "x", NULL, "one and the same");

    (void)state;
    handle(&m, picture, last, "4000 of no plain name", NULL);
    last = chain(&m, 4000, "Relu", "x", NULL, "relu");
    handle(&m, picture, last, "4000 of one name", NULL);
}

static void numbers_that_grow_out_of_nothing_are_refused(void **state)
{
    static const char filled[] = "more than are filled";
    static const struct {
        const char *op;
        int inputs;
        const char *expected;
    } growing[] = {{"ConstantOfShape", 1, filled},
                   {"Expand", 2, filled},
                   {"Range", 3, "numbers computed from constants"}};
    struct zf_onnx_message m = {0};
    const char *last = "one";

    (void)state;
    for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++) {
        const char *const inputs[][3] = {{"size"}, {"one", "size"}, {"one", "number", "one"}};

        zf_onnx_ints(&m, "size", (const int64_t[]){200000000}, 1);
        zf_onnx_scalar(&m, "number", 3e7f);
        zf_onnx_scalar(&m, "one", 1);
        zf_onnx_node(&m, growing[i].op, "", inputs[i], (size_t)growing[i].inputs, "large");
        zf_onnx_node(&m, "Mul", "", (const char *const[]){"x", "large"}, 2, "y");
        handle(&m, picture, "y", growing[i].op, growing[i].expected);
    }
    zf_onnx_ints(&m, "one", (const int64_t[]){1, 1}, 2);
    for (int i = 0; i < 40; i++) {
        const char *const twice[] = {last, last};

        last = zf_onnx_text(&m, "c%d", i);
        zf_onnx_node(&m, "Concat", "", twice, 2, last);
        zf_onnx_set_int(&m, "axis", 0);
    }
    zf_onnx_node(&m, "Mul", "", (const char *const[]){"x", last}, 2, "y");
    handle(&m, picture, "y", "a list that doubles", "numbers computed from constants");
}

/* Each time anew: 500 times a million numbers. */
static void constants_made_again_and_again_are_refused(void **state)
{
    struct zf_onnx_message m = {0};
    const char *last = "x";

    (void)state;
    zf_onnx_ints(&m, "size", (const int64_t[]){1, 1000000}, 2);
    zf_onnx_node(&m, "ConstantOfShape", "", (const char *const[]){"size"}, 1, "large");
    zf_onnx_ints(&m, "first", (const int64_t[]){0}, 1);
    for (int i = 0; i < 500; i++) {
        const char *turned = zf_onnx_text(&m, "t%d", i), *some = zf_onnx_text(&m, "g%d", i);
        const char *sum = zf_onnx_text(&m, "a%d", i);

        zf_onnx_node(&m, "Transpose", "", (const char *const[]){"large"}, 1, turned);
        zf_onnx_node(&m, "Gather", "", (const char *const[]){turned, "first"}, 2, some);
        zf_onnx_node(&m, "Add", "", (const char *const[]){last, some}, 2, sum);
        last = sum;
    }
    handle(&m, picture, last, "500 times a million", "numbers computed from constants");
}

static void constants_gone_through_again_and_again_are_refused(void **state)
{
    struct zf_onnx_message m = {0};
    const char *last = "x";

    (void)state;
    zf_onnx_ints(&m, "size", (const int64_t[]){1500000}, 1);
    zf_onnx_node(&m, "ConstantOfShape", "", (const char *const[]){"size"}, 1, "large");
    for (int i = 0; i < 4000; i++) {
        const char *product = zf_onnx_text(&m, "p%d", i), *sum = zf_onnx_text(&m, "a%d", i);

        zf_onnx_node(&m, "ReduceProd", "", (const char *const[]){"large"}, 1, product);
        zf_onnx_node(&m, "Add", "", (const char *const[]){last, product}, 2, sum);
        last = sum;
    }
    handle(&m, picture, last, "4000 products of many", "gone through again and again");
}

static void weights_scaled_again_and_again_are_refused(void **state)
{
    const int64_t dims[] = {3, 3, 120, 120}, pads[] = {60, 60, 59, 59};
    float *weights = calloc(3 * 3 * 120 * 120, sizeof *weights);
    struct zf_onnx_message m = {0};
    const char *last;

    (void)state;
    assert_non_null(weights);
    zf_onnx_scalar(&m, "half", 0.5f);
    zf_onnx_floats(&m, "w", dims, 4, weights);
    zf_onnx_node(&m, "Conv", "", (const char *const[]){"x", "w"}, 2, "y");
    zf_onnx_set_ints(&m, "pads", pads, 4);
    last = chain(&m, 10000, "Mul", "y", "half", NULL);
    handle(&m, picture, last, "a filter scaled 10000 times", "gone through again and again");
    free(weights);
}

static void weights_shared_by_thousands_of_layers_are_refused(void **state)
{
    const int64_t dims[] = {3, 3, 100, 100}, pads[] = {50, 50, 49, 49};
    float *weights = calloc(3 * 3 * 100 * 100, sizeof *weights);
    struct zf_onnx_message m = {0};
    const char *last = "x";

    (void)state;
    assert_non_null(weights);
    zf_onnx_floats(&m, "w", dims, 4, weights);
    for (int i = 0; i < 4000; i++) {
        const char *to = zf_onnx_text(&m, "c%d", i);

        zf_onnx_node(&m, "Conv", "", (const char *const[]){last, "w"}, 2, to);
        zf_onnx_set_ints(&m, "pads", pads, 4);
        last = to;
    }
    handle(&m, picture, last, "4000 layers of one filter", "share tensors so often");
    free(weights);
}

/* Of 10^10 cells there is one only on paper, until something wants a number for each. */
static void a_vast_picture_that_is_flattened_is_refused(void **state)
{
    static const char *const ops[] = {"Mul", "PRelu", "Neg"};
    struct zf_onnx_message m = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        zf_onnx_scalar(&m, "half", 0.5f);
        zf_onnx_node(&m, "Flatten", "", (const char *const[]){"x"}, 1, "flat");
        zf_onnx_node(&m, ops[i], "", (const char *const[]){"flat", "half"}, 2, "y");
        handle(&m, (struct zf_shape){3, 50000, 50000}, "y", ops[i], "");
    }
}

static void a_node_of_very_many_inputs_or_numbers_is_refused(void **state)
{
    enum { INPUTS = 300000, NUMBERS = 450000 };
    const char **inputs = calloc(INPUTS, sizeof *inputs);
    int64_t *ones = calloc(NUMBERS, sizeof *ones);
    struct zf_onnx_message m = {0};

    (void)state;
    assert_non_null(inputs);
    assert_non_null(ones);
    for (int i = 0; i < INPUTS; i++)
        inputs[i] = "x";
    zf_onnx_node(&m, "Concat", "", inputs, INPUTS, "y");
    zf_onnx_set_int(&m, "axis", 1);
    handle(&m, picture, "y", "300000 inputs", "no honest model");
    zf_onnx_node(&m, "Concat", "", inputs, 65, "y");
    zf_onnx_set_int(&m, "axis", 1);
    handle(&m, picture, "y", "65 inputs", "65 inputs and 1 outputs; the limit is 64");
    zf_onnx_node(&m, "MaxPool", "", inputs, 1, "y");
    zf_onnx_set_ints(&m, "kernel_shape", ones, NUMBERS);
    handle(&m, picture, "y", "a kernel of 450000 numbers", "");
    free(ones);
    free(inputs);
}

static void a_name_of_a_megabyte_makes_no_long_sentence(void **state)
{
    char *name = malloc(MEGABYTE);
    struct zf_onnx_message m = {0};

    (void)state;
    assert_non_null(name);
    memset(name, 'n', MEGABYTE - 1);
    name[MEGABYTE - 300] = '\0';
    zf_onnx_node(&m, "Relu", name, (const char *const[]){"x"}, 1, "y");
    handle(&m, picture, "y", "a long name", NULL);
    zf_onnx_node(&m, name, "node", (const char *const[]){"x"}, 1, "y");
    handle(&m, picture, "y", "a long operator", "which this version does not read");
    zf_onnx_node(&m, "Relu", "node", (const char *const[]){name}, 1, "y");
    handle(&m, picture, "y", "a long input", "which nothing makes");
    free(name);
}

/* 40 MiB of weights: once in the net, and nowhere else beside the file. */
static void weights_are_not_copied_on_their_way_to_the_net(void **state)
{
    enum { MAPS = 10 << 10, CHANNELS = 1 << 10 };
    const int64_t dims[] = {MAPS, CHANNELS, 1, 1};
    float *weights = calloc((size_t)MAPS * CHANNELS, sizeof *weights);
    struct zf_onnx_message m = {0};
    uint8_t *bytes;
    size_t size;

    (void)state;
    assert_non_null(weights);
    zf_onnx_floats(&m, "w", dims, 4, weights);
    zf_onnx_node(&m, "Conv", "", (const char *const[]){"x", "w"}, 2, "y");
    bytes = pack(&m, (struct zf_shape){CHANNELS, 2, 2}, "y", &size);
    free(weights);
    handle_cheaply(&onnx, "40 MiB of weights", bytes, size, NULL);
    free(bytes);
}

/* ---- Bytes that are no honest message ---- */

/* A field of bytes: tag and length before `size` bytes at *end, which grows downwards. */
static void prepend(uint8_t **end, unsigned field, size_t size)
{
    uint8_t head[12];
    size_t used = 0;

    head[used++] = (uint8_t)(field << 3 | 2);
    do {
        head[used] = (uint8_t)((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
        size >>= 7;
        used++;
    } while (size > 0);
    *end -= used;
    memcpy(*end, head, used);
}

/* The graph ends at bytes + MEGABYTE and begins at `start`; before it there is room. */
static void handle_graph(uint8_t *bytes, uint8_t *start, const char *what, const char *expected)
{
    prepend(&start, 7, (size_t)(bytes + MEGABYTE - start));
    start -= 2;
    memcpy(start, "\x08\x07", 2); /* ir_version */
    handle_cheaply(&onnx, what, start, (size_t)(bytes + MEGABYTE - start), expected);
}

static void graphs_inside_graphs_without_end_are_refused(void **state)
{
    uint8_t *bytes = malloc(MEGABYTE), *start = bytes + MEGABYTE;

    (void)state;
    assert_non_null(bytes);
    while (start - bytes > 64) { /* graph { node { attribute { g { node { ... */
        prepend(&start, 6, (size_t)(bytes + MEGABYTE - start));
        prepend(&start, 5, (size_t)(bytes + MEGABYTE - start));
        prepend(&start, 1, (size_t)(bytes + MEGABYTE - start));
    }
    handle_graph(bytes, start, "graphs in graphs", "messages inside messages");
    free(bytes);
}

/* Half a million empty messages take hundreds of bytes each, if one lets them. */
static void very_many_empty_messages_are_refused_before_they_take_memory(void **state)
{
    static const struct {
        const char *what, *unit, *expected;
        bool in_node;
    } cases[] = {
        {"nodes", "\x0a\x00", "more than 16384 nodes", false},
        {"tensors", "\x2a\x00", "no honest model", false},
        {"inputs", "\x5a\x00", "no honest model", false},
        {"outputs", "\x62\x00", "no honest model", false},
        {"value infos", "\x6a\x00", "no honest model", false},
        {"attributes", "\x2a\x00", "no honest model", true},
        {"names of inputs", "\x0a\x00", "no honest model", true},
        {"names of outputs", "\x12\x00", "no honest model", true},
    };
    uint8_t *bytes = malloc(MEGABYTE);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *start = bytes + 32;

        for (size_t at = 32; at + 1 < MEGABYTE; at += 2)
            memcpy(bytes + at, cases[i].unit, 2);
        if (cases[i].in_node)
            prepend(&start, 1, (size_t)(bytes + MEGABYTE - start));
        handle_graph(bytes, start, cases[i].what, cases[i].expected);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(very_many_nodes_are_refused),
        cmocka_unit_test(thousands_of_nodes_may_share_a_name),
        cmocka_unit_test(numbers_that_grow_out_of_nothing_are_refused),
        cmocka_unit_test(constants_made_again_and_again_are_refused),
        cmocka_unit_test(constants_gone_through_again_and_again_are_refused),
        cmocka_unit_test(weights_scaled_again_and_again_are_refused),
        cmocka_unit_test(weights_shared_by_thousands_of_layers_are_refused),
        cmocka_unit_test(a_vast_picture_that_is_flattened_is_refused),
        cmocka_unit_test(a_node_of_very_many_inputs_or_numbers_is_refused),
        cmocka_unit_test(a_name_of_a_megabyte_makes_no_long_sentence),
        cmocka_unit_test(weights_are_not_copied_on_their_way_to_the_net),
        cmocka_unit_test(graphs_inside_graphs_without_end_are_refused),
        cmocka_unit_test(very_many_empty_messages_are_refused_before_they_take_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
