/* SPDX-License-Identifier: MIT */
/* What is written as ONNX: the graph, every bit of the weights, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/base64.h"
#include "model/onnx/rebuild.h"
#include "model/onnx/write.h"
#include "net/net.h"
#include "zf/model.h"

/* One of each chain type; conv1 and pool1 overhang, pool2 has a stride that leaves a rest. */
static const char spec[] =
    "[net]\nname = tiny\ninput = 3x12x10\nclasses = 3\nsize = 14\nscale = 0.03\n"
    "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\nstride = 2\nround = up\n"
    "[relu1]\ntype = relu\n"
    "[pool1]\ntype = maxpool\nkernel = 2\nstride = 2\nround = up\n"
    "[norm1]\ntype = lrn\nsize = 3\nalpha = 0.25\nbeta = 0.5\nk = 1.5\n"
    "[conv2]\ntype = conv\nmaps = 6\nkernel = 3\npad = 1\ngroups = 2\n"
    "[fc3]\ntype = fc\nmaps = 5\n"
    "[drop3]\ntype = dropout\nrate = 0.25\n"
    "[fc4]\ntype = fc\nmaps = classes\n"
    "[prob]\ntype = softmax\n";

static const char *const labels[] = {"back\\slash\nnewline", "h\303\251t\351\377", ""};

struct fixture {
    char directory[64], onnx[128], other[128], native[128];
    struct zf_net *net;
    Onnx__ModelProto *model; /* the written file, unpacked */
};

static void read_file(const char *path, struct zf_bytes *bytes)
{
    struct zf_error err;

    if (zf_bytes_map(bytes, path, SIZE_MAX, &err) != ZF_OK)
        fail_msg("%s", err.message);
}

static Onnx__ModelProto *unpack(const char *path)
{
    struct zf_bytes bytes = {0};
    Onnx__ModelProto *model;

    read_file(path, &bytes);
    model = onnx__model_proto__unpack(NULL, bytes.size, bytes.data);
    zf_bytes_release(&bytes);
    assert_non_null(model);
    return model;
}

static void pack(const Onnx__ModelProto *model, const char *path)
{
    const size_t size = onnx__model_proto__get_packed_size(model);
    uint8_t *bytes = malloc(size);
    struct zf_error err;

    assert_non_null(bytes);
    onnx__model_proto__pack(model, bytes);
    assert_int_equal(zf_file_write(path, bytes, size, &err), ZF_OK);
    free(bytes);
}

static struct zf_net *make_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err;
    struct zf_preparation preparation;
    float mean[3 * 14 * 14];

    if (zf_net_parse_spec(spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 1);
    preparation = *zf_net_preparation(net);
    for (size_t i = 0; i < ZF_COUNT(mean); i++)
        mean[i] = 40.0f * (float)(1 + i / (14 * 14)); /* 40, 80, 120 */
    preparation.channels = ZF_CHANNELS_BGR;
    preparation.scale[2] = 1.0f / 3.0f;
    preparation.mean[0] = 0.1f;
    preparation.mean_image = mean;
    assert_int_equal(zf_net_set_preparation(net, &preparation, &err), ZF_OK);
    assert_int_equal(zf_net_set_labels(net, labels, &err), ZF_OK);
    return net;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct zf_error err;

    strcpy(f->directory, "/tmp/zf-test-onnx-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->onnx, sizeof f->onnx, "%s/model.onnx", f->directory);
    snprintf(f->other, sizeof f->other, "%s/other.onnx", f->directory);
    snprintf(f->native, sizeof f->native, "%s/model.safetensors", f->directory);
    f->net = make_net();
    if (zf_model_save(f->net, f->onnx, &err) != ZF_OK)
        fail_msg("%s", err.message);
    f->model = unpack(f->onnx);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    onnx__model_proto__free_unpacked(f->model, NULL);
    zf_net_free(&f->net);
    unlink(f->onnx);
    unlink(f->other);
    unlink(f->native);
    assert_int_equal(rmdir(f->directory), 0); /* nothing was left beside the final names */
    free(f);
    return 0;
}

static const Onnx__NodeProto *find_node(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->model->graph->n_node; i++) {
        if (strcmp(f->model->graph->node[i]->name, name) == 0)
            return f->model->graph->node[i];
    }
    fail_msg("there is no node %s", name);
    return NULL;
}

static Onnx__TensorProto *find_initialiser(const Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        if (strcmp(model->graph->initializer[i]->name, name) == 0)
            return model->graph->initializer[i];
    }
    fail_msg("there is no initialiser %s", name);
    return NULL;
}

static const Onnx__AttributeProto *find_attribute(const struct fixture *f, const char *node,
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

static void assert_ints(const struct fixture *f, const char *node, const char *name, size_t count,
                        const int64_t *expected)
{
    const Onnx__AttributeProto *attribute = find_attribute(f, node, name);

    assert_int_equal(attribute->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    assert_int_equal(attribute->n_ints, count);
    for (size_t i = 0; i < count; i++) {
        if (attribute->ints[i] != expected[i])
            fail_msg("%s of %s, number %zu: expected %lld, got %lld", name, node, i,
                     (long long)expected[i], (long long)attribute->ints[i]);
    }
}

static void assert_float(const struct fixture *f, const char *node, const char *name, float value)
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
    const struct fixture *f = *state;
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
    const struct fixture *f = *state;

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
    assert_int_equal(find_initialiser(f->model, "drop3.rate")->n_dims, 0);
    assert_memory_equal(find_initialiser(f->model, "drop3.rate")->raw_data.data,
                        &(const float){0.25f}, sizeof(float));
}

static void every_tensor_has_its_shape(void **state)
{
    const struct fixture *f = *state;
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
    const struct fixture *f = *state;

    for (int i = 0; i < zf_net_parameter_tensors(f->net); i++) {
        const struct zf_parameter p = zf_net_parameter(f->net, i);
        const Onnx__TensorProto *tensor = find_initialiser(f->model, p.name);

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
    const struct fixture *f = *state;

    assert_string_equal(zf_onnx_find_note(f->model, "labels"),
                        "back\\\\slash\\nnewline\nh\303\251t\\xe9\\xff\n");
    assert_string_equal(zf_onnx_find_note(f->model, "mean"), "120,80,40"); /* blue first */
    assert_string_equal(zf_onnx_find_note(f->model, "scale"), "0.03,0.03,0.3333333");
    assert_string_equal(zf_onnx_find_note(f->model, "channels"), "bgr");
    assert_string_equal(zf_onnx_find_note(f->model, "resize"), "short:14");
    assert_string_equal(zf_onnx_find_note(f->model, "crop"), "12x10");
    assert_string_equal(zf_onnx_find_note(f->model, "zfscope.spec"), zf_net_spec(f->net));
}

static void a_warp_that_is_no_square_comes_back_from_both_formats(void **state)
{
    static const char *const suffixes[] = {"safetensors", "onnx"};
    const struct fixture *f = *state;
    struct zf_preparation p = *zf_net_preparation(f->net);
    struct zf_net *net = NULL, *again = NULL;
    struct zf_error err;

    p.resize = ZF_RESIZE_WARP;
    p.size = 12;
    p.width = 34;
    p.mean_image = NULL;
    assert_int_equal(zf_model_load(f->onnx, NULL, &net, &err), ZF_OK);
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_OK);
    for (size_t i = 0; i < 2; i++) {
        char path[200];

        snprintf(path, sizeof path, "%s.warp.%s", f->onnx, suffixes[i]);
        assert_int_equal(zf_model_save(net, path, &err), ZF_OK);
        assert_int_equal(zf_model_load(path, NULL, &again, &err), ZF_OK);
        assert_int_equal(zf_net_preparation(again)->resize, ZF_RESIZE_WARP);
        assert_int_equal(zf_net_preparation(again)->size, 12);
        assert_int_equal(zf_net_preparation(again)->width, 34);
        if (i == 1) {
            Onnx__ModelProto *model = unpack(path);

            assert_string_equal(zf_onnx_find_note(model, "resize"), "warp:12x34");
            onnx__model_proto__free_unpacked(model, NULL);
        }
        zf_net_free(&again);
        unlink(path);
    }
    zf_net_free(&net);
}

/* The fixture's model becomes what is written for another spec. */
static void write_spec(struct fixture *f, const char *text)
{
    struct zf_net *net = NULL;
    struct zf_error err;

    if (zf_net_parse_spec(text, "other", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    if (zf_model_save(net, f->onnx, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_free(&net);
    onnx__model_proto__free_unpacked(f->model, NULL);
    f->model = unpack(f->onnx);
}

/* Pads that no rounding up makes stay pads; one window over everything is a global pooling. */
static void pooling_takes_the_form_that_has_its_windows(void **state)
{
    static const char pools[] = "[net]\nname = pools\ninput = 2x9x9\n"
                                "[pool1]\ntype = maxpool\nkernel = 3\nstride = 4\npad = 1\n"
                                "round = up\n"
                                "[pool2]\ntype = maxpool\nkernel = 3\n";
    struct fixture *f = *state;

    write_spec(f, pools);
    /* (9 + 2 - 3) / 4 is whole: nothing overhangs, and the pads are those of the spec. */
    assert_ints(f, "pool1", "pads", 4, (const int64_t[]){1, 1, 1, 1});
    assert_int_equal(find_attribute(f, "pool1", "ceil_mode")->i, 0);
    assert_string_equal(find_node(f, "pool2")->op_type, "GlobalMaxPool");
    assert_int_equal(find_node(f, "pool2")->n_attribute, 0);
    /* No softmax: the output is called otherwise, and one cell a map makes a vector. */
    assert_shape(f->model->graph->output[0], "output", (const int64_t[]){2}, 1);
    assert_string_equal(f->model->graph->node[2]->op_type, "Flatten");
}

static void assert_inputs(const struct fixture *f, const char *node, const char *expected)
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
    struct fixture *f = *state;

    write_spec(f, branches);
    assert_inputs(f, "left", "input left.weight");
    assert_ints(f, "left", "kernel_shape", 2, (const int64_t[]){1, 3});
    assert_ints(f, "left", "pads", 4, (const int64_t[]){0, 2, 0, 2});
    assert_ints(f, "left", "dilations", 2, (const int64_t[]){1, 2});
    assert_inputs(f, "right", "input right.weight");
    assert_int_equal(find_initialiser(f->model, "right.weight")->n_dims, 3); /* a number a map */
    assert_string_equal(find_node(f, "sum")->op_type, "Sum");
    assert_inputs(f, "sum", "left_out right_out input");
    assert_inputs(f, "norm", "sum_out norm.weight norm.bias norm.mean norm.variance");
    assert_float(f, "norm", "epsilon", 0);
    assert_inputs(f, "mixed", "mixed/transpose mixed.shape");
    assert_ints(f, "mixed/transpose", "perm", 5, (const int64_t[]){0, 2, 1, 3, 4});
    assert_inputs(f, "border", "mixed_out border.pads");
    assert_memory_equal(find_initialiser(f->model, "border.pads")->raw_data.data, pads,
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

static void assert_equal_files(const char *a, const char *b)
{
    struct zf_bytes x = {0}, y = {0};

    read_file(a, &x);
    read_file(b, &y);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    zf_bytes_release(&x);
    zf_bytes_release(&y);
}

static void the_way_there_and_back_gives_equal_files(void **state)
{
    struct fixture *f = *state;
    struct zf_net *loaded = NULL;
    struct zf_error err;
    char again[160];

    assert_int_equal(zf_model_save(f->net, f->other, &err), ZF_OK);
    assert_equal_files(f->onnx, f->other); /* equal nets give equal bytes */
    if (zf_model_load(f->onnx, NULL, &loaded, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_model_save(loaded, f->other, &err), ZF_OK);
    assert_equal_files(f->onnx, f->other);
    snprintf(again, sizeof again, "%s/again.safetensors", f->directory);
    assert_int_equal(zf_model_save(f->net, f->native, &err), ZF_OK);
    assert_int_equal(zf_model_save(loaded, again, &err), ZF_OK);
    assert_equal_files(f->native, again);
    unlink(again);
    zf_net_free(&loaded);
}

/* Whether the model as it now is would be rebuilt from its spec. */
static bool is_rebuilt(const struct fixture *f)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    bool rebuilt;

    if (zf_onnx_rebuild(f->model, "model", &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    rebuilt = net != NULL;
    zf_net_free(&net);
    return rebuilt;
}

static void a_graph_that_was_changed_is_not_taken_for_its_spec(void **state)
{
    struct fixture *f = *state;
    Onnx__GraphProto *graph = f->model->graph;
    Onnx__TensorProto *weight = find_initialiser(f->model, "conv1.weight");
    Onnx__AttributeProto *group = graph->node[4]->attribute[3];
    float *rate = (float *)(void *)find_initialiser(f->model, "drop3.rate")->raw_data.data;

    assert_true(is_rebuilt(f));
    assert_string_equal(group->name, "group");
    group->i = 1; /* an attribute */
    assert_false(is_rebuilt(f));
    group->i = 2;
    graph->n_node--; /* a node less */
    assert_false(is_rebuilt(f));
    graph->n_node++;
    weight->raw_data.len--; /* a tensor cut short */
    assert_false(is_rebuilt(f));
    weight->raw_data.len++;
    weight->dims[0] = 3; /* another shape */
    assert_false(is_rebuilt(f));
    weight->dims[0] = 4;
    *rate = 0.75f; /* another constant */
    assert_false(is_rebuilt(f));
    *rate = 0.25f;
    graph->input[0]->type->tensor_type->shape->dim[1]->dim_value = 4;
    assert_false(is_rebuilt(f));
    graph->input[0]->type->tensor_type->shape->dim[1]->dim_value = 3;
    weight->raw_data.data[0] ^= 1; /* trained further: still this net */
    assert_true(is_rebuilt(f));
}

static void bent_metadata_is_refused_by_name(void **state)
{
    static const struct {
        const char *key, *value, *expected;
    } bends[] = {
        {"labels", "one\ntwo", "2 labels for 3 classes"},
        {"preparation.mean", "AAAA", "[3, 14, 14]"},
        {"zfscope.preparation", "{}", "cannot use its preparation"},
        {"zfscope.preparation",
         "{\"resize\":\"short\",\"size\":14,\"crop\":[10,12],\"channels\":\"rgb\","
         "\"mean\":[0,0,0],\"scale\":[1,1,1]}",
         "\"crop\" should be height and width of its net's input"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ZF_COUNT(bends); i++) {
        Onnx__ModelProto *model = unpack(f->onnx);
        struct zf_net *net = NULL;
        struct zf_error err = {0};

        for (size_t k = 0; k < model->n_metadata_props; k++) {
            if (strcmp(model->metadata_props[k]->key, bends[i].key) == 0) {
                free(model->metadata_props[k]->value);
                model->metadata_props[k]->value = strdup(bends[i].value);
            }
        }
        pack(model, f->other);
        assert_int_equal(zf_model_load(f->other, NULL, &net, &err), ZF_EINPUT);
        if (!strstr(err.message, bends[i].expected) || !strstr(err.message, "other.onnx"))
            fail_msg("expected '%s', got '%s'", bends[i].expected, err.message);
        onnx__model_proto__free_unpacked(model, NULL);
    }
}

static int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

static void every_failing_allocation_is_reported(void **state)
{
    struct fixture *f = *state;
    struct zf_net *loaded = NULL;
    struct zf_error err = {0};
    enum zf_status status = ZF_ENOMEM;
    int n;

    for (n = 0; status != ZF_OK && n < 3000; n++) {
        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = zf_model_save(f->net, f->other, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK && (status != ZF_ENOMEM || access(f->other, F_OK) == 0))
            fail_msg("saving, allocation %d: status %d '%s'", n, status, err.message);
    }
    assert_true(n > 50);
    assert_int_equal(status, ZF_OK);
    status = ZF_ENOMEM;
    for (n = 0; status != ZF_OK && n < 3000; n++) {
        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = zf_onnx_rebuild(f->model, "model", &loaded, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK && (status != ZF_ENOMEM || loaded))
            fail_msg("rebuilding, allocation %d: status %d '%s'", n, status, err.message);
    }
    assert_true(n > 50);
    assert_int_equal(status, ZF_OK);
    assert_non_null(loaded);
    zf_net_free(&loaded);
}

static void a_disk_that_cannot_be_written_leaves_nothing(void **state)
{
    const struct fixture *f = *state;
    struct rlimit before, full;
    enum zf_status status;
    struct zf_error err;

    assert_int_equal(zf_model_save(f->net, "/nowhere/at/all.onnx", &err), ZF_EIO);
    assert_non_null(strstr(err.message, "/nowhere/at/all.onnx"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = before;
    full.rlim_cur = 1000; /* bytes; the file has some 7000 */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    status = zf_model_save(f->net, f->other, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, ZF_EIO);
    assert_int_not_equal(access(f->other, F_OK), 0);
}

/* Shapes are enough to know: no parameter is ever allocated. */
static void a_file_over_2_gib_is_refused_before_it_is_begun(void **state)
{
    static const char large[] = "[net]\nname = large\ninput = 3x100x100\n"
                                "[fc1]\ntype = fc\nmaps = 20000\n";
    const struct fixture *f = *state;
    struct zf_net *net = NULL;
    struct zf_error err;

    assert_int_equal(zf_net_parse_shapes(large, "large", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_model_save(net, f->other, &err), ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "an ONNX file ends at 2147483647"));
    assert_non_null(strstr(err.message, "other.onnx: 24000"));
    assert_int_not_equal(access(f->other, F_OK), 0);
    zf_net_free(&net);
}

static void base64_is_that_of_rfc_4648(void **state)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\377\376\375", "//79"}};
    char bytes[8];

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(vectors); i++) {
        const size_t size = strlen(vectors[i][0]);
        char *text = zf_base64_encode(vectors[i][0], size);

        assert_string_equal(text, vectors[i][1]);
        assert_true(zf_base64_decode(text, bytes, size));
        assert_memory_equal(bytes, vectors[i][0], size);
        zf_free(text);
    }
    assert_false(zf_base64_decode("Zg==", bytes, 2)); /* shorter than asked */
    assert_false(zf_base64_decode("Zm8=", bytes, 1)); /* longer */
    assert_false(zf_base64_decode("Zm9", bytes, 3));
    assert_false(zf_base64_decode("Zm9v", bytes, 4));
    assert_false(zf_base64_decode("Zm-v", bytes, 3)); /* not a digit */
    assert_false(zf_base64_decode("Zm9v=", bytes, 3));
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(layers_are_nodes_of_their_names_in_a_chain),
        cmocka_unit_test(every_layer_type_can_be_written),
        WITH_FILES(windows_and_constants_are_attributes),
        WITH_FILES(every_tensor_has_its_shape),
        WITH_FILES(weights_keep_every_bit),
        WITH_FILES(the_preparation_stands_in_plain_words),
        WITH_FILES(a_warp_that_is_no_square_comes_back_from_both_formats),
        WITH_FILES(pooling_takes_the_form_that_has_its_windows),
        WITH_FILES(branches_meet_in_nodes_of_several_inputs),
        WITH_FILES(the_way_there_and_back_gives_equal_files),
        WITH_FILES(a_graph_that_was_changed_is_not_taken_for_its_spec),
        WITH_FILES(bent_metadata_is_refused_by_name),
        WITH_FILES(every_failing_allocation_is_reported),
        WITH_FILES(a_disk_that_cannot_be_written_leaves_nothing),
        WITH_FILES(a_file_over_2_gib_is_refused_before_it_is_begun),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
    };

    return cmocka_run_group_tests_name("onnx_write", tests, NULL, NULL);
}
