/* SPDX-License-Identifier: MIT */
/* What is written as ONNX: the graph, and every bit of the weights. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "model/onnx/write.h"
#include "net/net.h"
#include "onnx_written.h"
#include "zf/model.h"

static const Onnx__NodeProto *find_node(const struct written *f, const char *name)
{
    for (size_t i = 0; i < f->model->graph->n_node; i++) {
        if (strcmp(f->model->graph->node[i]->name, name) == 0)
            return f->model->graph->node[i];
    }
    fail_msg("there is no node %s", name);
    return NULL;
}

static const Onnx__AttributeProto *find_attribute(const struct written *f, const char *node,
                                                  const char *name)
{
    const Onnx__NodeProto *proto = find_node(f, node);

    for (size_t i = 0; i < proto->n_attribute; i++) {
        if (strcmp(proto->attribute[i]->name, name) == 0)
            return proto->attribute[i];
    }
    fail_msg("%s has no attribute %s", node, name);
    return NULL;
}

static void assert_ints(const struct written *f, const char *node, const char *name, size_t count,
                        const int64_t *expected)
{
    const Onnx__AttributeProto *attribute = find_attribute(f, node, name);

    assert_int_equal(attribute->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    assert_int_equal(attribute->n_ints, count);
    for (size_t i = 0; i < count; i++) {
        if (attribute->ints[i] != expected[i])
            fail_msg("%s of %s, number %zu: expected %" PRId64 ", got %" PRId64, name, node, i,
                     expected[i], attribute->ints[i]);
    }
}

static void assert_float(const struct written *f, const char *node, const char *name, float value)
{
    const Onnx__AttributeProto *attribute = find_attribute(f, node, name);

    assert_int_equal(attribute->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    assert_true(attribute->f == value);
}

/* "maps" [N, c, h, w] or a vector [N, c], by its dimensions; 0 ends them. */
static void assert_shape(const Onnx__ValueInfoProto *value, const char *name,
                         const int64_t *expected, size_t count)
{
    const Onnx__TensorShapeProto *shape = value->type->tensor_type->shape;

    assert_string_equal(value->name, name);
    assert_int_equal(value->type->tensor_type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    assert_int_equal(shape->n_dim, count + 1);
    assert_string_equal(shape->dim[0]->dim_param, "N");
    for (size_t i = 0; i < count; i++)
        assert_int_equal(shape->dim[i + 1]->dim_value, expected[i]);
}

static void layers_are_nodes_of_their_names_in_a_chain(void **state)
{
    static const struct {
        const char *name, *op, *from, *to;
    } nodes[] = {
        {"conv1", "Conv", "input", "conv1_out"},
        {"relu1", "Relu", "conv1_out", "relu1_out"},
        {"pool1", "MaxPool", "relu1_out", "pool1_out"},
        {"norm1", "LRN", "pool1_out", "norm1_out"},
        {"conv2", "Conv", "norm1_out", "conv2_out"},
        {"fc3/flatten", "Flatten", "conv2_out", "fc3/flatten"},
        {"fc3", "Gemm", "fc3/flatten", "fc3_out"},
        {"drop3", "Dropout", "fc3_out", "drop3_out"},
        {"fc4", "Gemm", "drop3_out", "fc4_out"},
        {"prob", "Softmax", "fc4_out", "probabilities"},
    };
    const struct written *f = *state;
    const Onnx__GraphProto *graph = f->model->graph;

    assert_int_equal(f->model->ir_version, 7);
    assert_int_equal(f->model->opset_import[0]->version, 13);
    assert_string_equal(f->model->producer_name, "zfscope");
    assert_string_equal(graph->name, "tiny");
    assert_int_equal(graph->n_node, ZF_COUNT(nodes));
    for (size_t i = 0; i < ZF_COUNT(nodes); i++) {
        assert_string_equal(graph->node[i]->name, nodes[i].name);
        assert_string_equal(graph->node[i]->op_type, nodes[i].op);
        assert_string_equal(graph->node[i]->input[0], nodes[i].from);
        assert_int_equal(graph->node[i]->n_output, 1);
        assert_string_equal(graph->node[i]->output[0], nodes[i].to);
    }
}

static void every_layer_type_can_be_written(void **state)
{
    (void)state;
    for (size_t i = 0; zf_layer_type_at(i); i++) {
        if (!zf_onnx_writes(zf_layer_type_at(i)))
            fail_msg("no row for the type %s", zf_layer_type_at(i)->name);
    }
}

static void windows_and_constants_are_attributes(void **state)
{
    const struct written *f = *state;

    /* 12x10 -> 6x5: the last window of both sides overhangs by one. */
    assert_ints(f, "conv1", "kernel_shape", 2, (const int64_t[]){3, 3});
    assert_ints(f, "conv1", "strides", 2, (const int64_t[]){2, 2});
    assert_ints(f, "conv1", "pads", 4, (const int64_t[]){0, 0, 1, 1});
    /* 6x5 -> 3x3: only the width overhangs. */
    assert_ints(f, "pool1", "pads", 4, (const int64_t[]){0, 0, 0, 0});
    assert_int_equal(find_attribute(f, "pool1", "ceil_mode")->i, 1);
    assert_ints(f, "conv2", "pads", 4, (const int64_t[]){1, 1, 1, 1});
    assert_int_equal(find_attribute(f, "conv2", "group")->i, 2);
    assert_int_equal(find_attribute(f, "norm1", "size")->i, 3);
    assert_float(f, "norm1", "alpha", 0.25f);
    assert_float(f, "norm1", "beta", 0.5f);
    assert_float(f, "norm1", "bias", 1.5f);
    assert_int_equal(find_attribute(f, "fc3", "transB")->i, 1);
    assert_int_equal(find_attribute(f, "prob", "axis")->i, 1);
    assert_int_equal(written_initialiser(f->model, "drop3.rate")->n_dims, 0);
    assert_memory_equal(written_initialiser(f->model, "drop3.rate")->raw_data.data,
                        &(const float){0.25f}, sizeof(float));
}

static void every_tensor_has_its_shape(void **state)
{
    const struct written *f = *state;
    const Onnx__GraphProto *graph = f->model->graph;

    assert_shape(graph->input[0], "input", (const int64_t[]){3, 12, 10}, 3);
    assert_shape(graph->output[0], "probabilities", (const int64_t[]){3}, 1);
    assert_int_equal(graph->n_value_info, 9); /* one a node but the last */
    assert_shape(graph->value_info[0], "conv1_out", (const int64_t[]){4, 6, 5}, 3);
    assert_shape(graph->value_info[2], "pool1_out", (const int64_t[]){4, 3, 3}, 3);
    assert_shape(graph->value_info[5], "fc3/flatten", (const int64_t[]){54}, 1);
    assert_shape(graph->value_info[6], "fc3_out", (const int64_t[]){5}, 1);
}

static void weights_keep_every_bit(void **state)
{
    const struct written *f = *state;

    for (int i = 0; i < zf_net_parameter_tensors(f->net); i++) {
        const struct zf_parameter p = zf_net_parameter(f->net, i);
        const Onnx__TensorProto *tensor = written_initialiser(f->model, p.name);

        assert_int_equal(tensor->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
        assert_int_equal(tensor->n_dims, p.rank);
        for (int d = 0; d < p.rank; d++)
            assert_int_equal(tensor->dims[d], p.dims[d]);
        assert_int_equal(tensor->raw_data.len, (size_t)p.count * sizeof(float));
        assert_memory_equal(tensor->raw_data.data, p.data, tensor->raw_data.len);
    }
}

static void the_preparation_stands_in_plain_words(void **state)
{
    const struct written *f = *state;

    assert_string_equal(zf_onnx_find_note(f->model, "labels"),
                        "back\\\\slash\\nnewline\nh\303\251t\\xe9\\xff\n");
    assert_string_equal(zf_onnx_find_note(f->model, "mean"), "120,80,40"); /* blue first */
    assert_string_equal(zf_onnx_find_note(f->model, "scale"), "0.03,0.03,0.3333333");
    assert_string_equal(zf_onnx_find_note(f->model, "channels"), "bgr");
    assert_string_equal(zf_onnx_find_note(f->model, "resize"), "short:14");
    assert_string_equal(zf_onnx_find_note(f->model, "crop"), "12x10");
    assert_string_equal(zf_onnx_find_note(f->model, "zfscope.spec"), zf_net_spec(f->net));
}

/* Pads that no rounding up makes stay pads; one window over everything is a global pooling. */
static void pooling_takes_the_form_that_has_its_windows(void **state)
{
    static const char pools[] = "[net]\nname = pools\ninput = 2x9x9\n"
                                "[pool1]\ntype = maxpool\nkernel = 3\nstride = 4\npad = 1\n"
                                "round = up\n"
                                "[pool2]\ntype = maxpool\nkernel = 3\n";
    struct written *f = *state;

    written_spec(f, pools);
    /* (9 + 2 - 3) / 4 is whole: nothing overhangs, and the pads are those of the spec. */
    assert_ints(f, "pool1", "pads", 4, (const int64_t[]){1, 1, 1, 1});
    assert_int_equal(find_attribute(f, "pool1", "ceil_mode")->i, 0);
    assert_string_equal(find_node(f, "pool2")->op_type, "GlobalMaxPool");
    assert_int_equal(find_node(f, "pool2")->n_attribute, 0);
    /* No softmax: the output is called otherwise, and one cell a map makes a vector. */
    assert_shape(f->model->graph->output[0], "output", (const int64_t[]){2}, 1);
    assert_string_equal(f->model->graph->node[2]->op_type, "Flatten");
}

static void assert_inputs(const struct written *f, const char *node, const char *expected)
{
    const Onnx__NodeProto *proto = find_node(f, node);
    char names[256] = "";

    for (size_t i = 0; i < proto->n_input; i++) {
        const size_t used = strlen(names);

        snprintf(names + used, sizeof names - used, "%s%s", i ? " " : "", proto->input[i]);
    }
    assert_string_equal(names, expected);
}

static void branches_meet_in_nodes_of_several_inputs(void **state)
{
    static const char branches[] =
        "[net]\nname = branches\ninput = 4x6x8\n"
        "[left]\ntype = conv\nmaps = 4\nkernel = 1x3\npad = 0x2\ndilation = 1x2\nbias = no\n"
        "[right]\ntype = prelu\ninputs = input\n"
        "[sum]\ntype = add\ninputs = left, right, input\n"
        "[norm]\ntype = scale\n"
        "[mixed]\ntype = shuffle\ngroups = 2\n"
        "[border]\ntype = pad\npad = 1x2x3x4\n"
        "[mean]\ntype = avgpool\nkernel = all\n"
        "[gate]\ntype = fc\nmaps = 4\nbias = no\n"
        "[gated]\ntype = mul\ninputs = sum, gate, right\n"
        "[some]\ntype = slice\nfirst = 1\nmaps = 2\n";
    static const int64_t pads[] = {0, 0, 1, 2, 0, 0, 3, 4};
    struct written *f = *state;

    written_spec(f, branches);
    assert_inputs(f, "left", "input left.weight");
    assert_ints(f, "left", "kernel_shape", 2, (const int64_t[]){1, 3});
    assert_ints(f, "left", "pads", 4, (const int64_t[]){0, 2, 0, 2});
    assert_ints(f, "left", "dilations", 2, (const int64_t[]){1, 2});
    assert_inputs(f, "right", "input right.weight");
    assert_int_equal(written_initialiser(f->model, "right.weight")->n_dims, 3); /* a number a map */
    assert_string_equal(find_node(f, "sum")->op_type, "Sum");
    assert_inputs(f, "sum", "left_out right_out input");
    assert_inputs(f, "norm", "sum_out norm.weight norm.bias norm.mean norm.variance");
    assert_float(f, "norm", "epsilon", 0);
    assert_inputs(f, "mixed", "mixed/transpose mixed.shape");
    assert_ints(f, "mixed/transpose", "perm", 5, (const int64_t[]){0, 2, 1, 3, 4});
    assert_inputs(f, "border", "mixed_out border.pads");
    assert_memory_equal(written_initialiser(f->model, "border.pads")->raw_data.data, pads,
                        sizeof pads);
    assert_string_equal(find_node(f, "mean")->op_type, "GlobalAveragePool");
    assert_inputs(f, "gate", "gate/flatten gate.weight");
    /* A vector beside maps becomes maps of one cell; ONNX multiplies two at a time. */
    assert_inputs(f, "gated/maps1", "gate_out gated.maps1");
    assert_inputs(f, "gated/1", "sum_out gated/maps1");
    assert_inputs(f, "gated", "gated/1 right_out");
    assert_inputs(f, "some", "gated_out some.first some.end some.axis");
    assert_shape(f->model->graph->output[0], "output", (const int64_t[]){2, 6, 8}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(layers_are_nodes_of_their_names_in_a_chain),
        cmocka_unit_test(every_layer_type_can_be_written),
        WITH_FILES(windows_and_constants_are_attributes),
        WITH_FILES(every_tensor_has_its_shape),
        WITH_FILES(weights_keep_every_bit),
        WITH_FILES(the_preparation_stands_in_plain_words),
        WITH_FILES(pooling_takes_the_form_that_has_its_windows),
        WITH_FILES(branches_meet_in_nodes_of_several_inputs),
    };

    return cmocka_run_group_tests_name("onnx_write", tests, NULL, NULL);
}
