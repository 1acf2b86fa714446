/* SPDX-License-Identifier: MIT */
/* ONNX files that are broken or lie: a sentence each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "onnx_fixture.h"

static uint8_t *packed(const char *name, size_t *size)
{
    Onnx__ModelProto *model = onnx_model(name);
    uint8_t *bytes;

    *size = onnx__model_proto__get_packed_size(model);
    bytes = malloc(*size);
    assert_non_null(bytes);
    onnx__model_proto__pack(model, bytes);
    onnx__model_proto__free_unpacked(model, NULL);
    return bytes;
}

/* Either a net, or a sentence that begins with the file. */
static bool loads(const struct onnx_place *place)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    const enum zf_status status = zf_model_load(place->path, NULL, &net, &err);

    if (status == ZF_OK) {
        assert_non_null(net);
        zf_net_free(&net);
        return true;
    }
    assert_null(net);
    if (strncmp(err.message, place->path, strlen(place->path)) != 0 || err.status != status)
        fail_msg("%d '%s'", status, err.message);
    assert_true(status == ZF_EINPUT || status == ZF_EUNSUPPORTED);
    return false;
}

static void a_file_cut_anywhere_is_refused_unless_only_notes_are_missing(void **state)
{
    struct onnx_place place;
    size_t size, good = 0;
    uint8_t *bytes = packed("batchnorm_folded", &size);

    (void)state;
    onnx_place_init(&place);
    for (size_t cut = 0; cut < size; cut++) {
        onnx_write_bytes(&place, bytes, cut);
        good += loads(&place);
    }
    /* After the graph stand the opset and two notes: without a note it is still a model. */
    assert_true(good <= 3);
    onnx_place_release(&place);
    free(bytes);
}

static void a_file_with_any_byte_changed_is_read_or_refused_and_nothing_else(void **state)
{
    struct onnx_place place;
    size_t size, refused = 0;
    uint8_t *bytes = packed("reshape_computed", &size);

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < size; i++) {
        static const uint8_t masks[] = {0x01, 0x80, 0xff};

        for (size_t k = 0; k < sizeof masks; k++) {
            bytes[i] ^= masks[k];
            onnx_write_bytes(&place, bytes, size);
            refused += !loads(&place);
            bytes[i] ^= masks[k];
        }
    }
    assert_true(refused > size / 4);
    onnx_place_release(&place);
    free(bytes);
}

/* ---- Graphs that cannot be ---- */

static char *replace(char **text, const char *with)
{
    char *old = *text;

    *text = strdup(with);
    assert_non_null(*text);
    return old;
}

/* Loads `name` with the string at *field of its graph being `with`. */
#define assert_bent(name, field, with, status, expected)                                           \
    do {                                                                                           \
        struct onnx_place place;                                                                   \
        Onnx__ModelProto *model = onnx_model(name);                                                \
        Onnx__GraphProto *graph = model->graph;                                                    \
                                                                                                   \
        onnx_place_init(&place);                                                                   \
        free(replace(&graph->field, with));                                                        \
        onnx_write(&place, model);                                                                 \
        onnx_assert_refused(&place, NULL, status, expected);                                       \
        onnx__model_proto__free_unpacked(model, NULL);                                             \
        onnx_place_release(&place);                                                                \
    } while (0)

static void a_cycle_is_refused(void **state)
{
    (void)state;
    /* Conv c -> BatchNormalization n -> Relu y: the first reads what the second makes. */
    assert_bent("batchnorm_folded", node[0]->input[0], "n", ZF_EINPUT, "the graph has a cycle");
}

static void a_name_that_nothing_makes_is_refused_with_its_reader(void **state)
{
    (void)state;
    assert_bent("batchnorm_folded", node[1]->input[0], "nowhere", ZF_EINPUT,
                "node \"features.1\" (BatchNormalization) reads \"nowhere\", which nothing makes");
    assert_bent("batchnorm_folded", output[0]->name, "nowhere", ZF_EINPUT,
                "no node makes the output \"nowhere\"");
}

static void a_name_that_stands_twice_is_refused(void **state)
{
    (void)state;
    assert_bent("batchnorm_folded", node[1]->output[0], "c", ZF_EINPUT, "\"c\" stands there twice");
    assert_bent("batchnorm_folded", initializer[1]->name, "w", ZF_EINPUT,
                "\"w\" stands there twice, as a tensor and as a tensor");
}

static void an_unknown_operator_is_named_with_an_end_that_can_be_read(void **state)
{
    (void)state;
    assert_bent("batchnorm_folded", node[2]->op_type, "NonZero", ZF_EUNSUPPORTED,
                "node \"features.2\" is a NonZero of opset 13, which this version does not read; "
                "--until \"n\" reads what is below it");
    assert_bent("batchnorm_folded", node[2]->domain, "com.example", ZF_EUNSUPPORTED,
                "is a Relu of com.example");
}

static void an_unknown_end_is_refused(void **state)
{
    const struct zf_model_options options = {.until = "conv9"};
    struct onnx_place place;
    Onnx__ModelProto *model = onnx_model("conv");

    (void)state;
    onnx_place_init(&place);
    onnx_write(&place, model);
    onnx_assert_refused(&place, &options, ZF_EINPUT, "no tensor is called \"conv9\"");
    onnx__model_proto__free_unpacked(model, NULL);
    onnx_place_release(&place);
}

static void an_input_of_more_numbers_than_a_layer_may_have_is_refused(void **state)
{
    static const int64_t extents[] = {INT64_C(1) << 32, INT64_MAX};
    struct onnx_place place;
    Onnx__ModelProto *model = onnx_model("conv");
    Onnx__TensorShapeProto *shape = model->graph->input[0]->type->tensor_type->shape;

    (void)state;
    onnx_place_init(&place);
    for (size_t axis = 1; axis < 4; axis++) {
        const int64_t whole = shape->dim[axis]->dim_value;

        for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
            shape->dim[axis]->dim_value = extents[i];
            onnx_write(&place, model);
            onnx_assert_refused(&place, NULL, ZF_EINPUT, "has more than 2147483648 numbers");
        }
        shape->dim[axis]->dim_value = whole;
    }
    onnx__model_proto__free_unpacked(model, NULL);
    onnx_place_release(&place);
}

/* ---- Tensors that lie ---- */

static void assert_lie_refused(void (*lie)(Onnx__TensorProto *weight), const char *expected)
{
    struct onnx_place place;
    Onnx__ModelProto *model = onnx_model("conv");

    onnx_place_init(&place);
    lie(model->graph->initializer[0]);
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, expected);
    onnx__model_proto__free_unpacked(model, NULL);
    onnx_place_release(&place);
}

static void claim_more(Onnx__TensorProto *weight)
{
    weight->dims[0] = 3;
}

static void claim_all(Onnx__TensorProto *weight)
{
    weight->dims[0] = weight->dims[1] = weight->dims[2] = INT64_C(1) << 40;
}

static void claim_less_than_nothing(Onnx__TensorProto *weight)
{
    weight->dims[1] = -3;
}

static void claim_no_type(Onnx__TensorProto *weight)
{
    weight->data_type = 8; /* STRING */
}

static void claim_typed_values(Onnx__TensorProto *weight)
{
    weight->has_raw_data = 0; /* none are there */
}

static void claim_nine_dimensions(Onnx__TensorProto *weight)
{
    free(weight->dims);
    weight->n_dims = 9;
    weight->dims = malloc(9 * sizeof *weight->dims);
    assert_non_null(weight->dims);
    for (int i = 0; i < 9; i++)
        weight->dims[i] = 1;
}

static void tensors_that_lie_about_their_size_are_refused(void **state)
{
    (void)state;
    assert_lie_refused(claim_more, "tensor \"w\" has 216 bytes, its shape needs 324");
    assert_lie_refused(claim_all, "dimension 1 = 1099511627776, which cannot be");
    assert_lie_refused(claim_less_than_nothing, "dimension 1 = -3, which cannot be");
    assert_lie_refused(claim_no_type, "is of type 8");
    assert_lie_refused(claim_typed_values, "tensor \"w\" has 0 values, its shape needs 54");
    assert_lie_refused(claim_nine_dimensions, "has 9 dimensions, more than 8");
}

static void a_constant_of_a_giant_shape_is_refused_before_memory_is_spent(void **state)
{
    struct onnx_place place;
    Onnx__ModelProto *model = onnx_model("bias_computed");

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = model->graph->initializer[i];
        const int64_t giant = INT64_C(1) << 36;

        if (strcmp(tensor->name, "two") == 0)
            memcpy(tensor->raw_data.data, &giant, sizeof giant);
    }
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "68719476736 numbers are more than are filled");
    onnx__model_proto__free_unpacked(model, NULL);
    onnx_place_release(&place);
}

static void a_model_of_two_graphs_is_refused(void **state)
{
    struct onnx_place place;
    size_t size;
    uint8_t *bytes = packed("conv", &size), *twice = malloc(2 * size);

    (void)state;
    assert_non_null(twice);
    memcpy(twice, bytes, size);
    memcpy(twice + size, bytes, size);
    onnx_place_init(&place);
    onnx_write_bytes(&place, twice, 2 * size);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "a ModelProto has two of its one graph");
    onnx_place_release(&place);
    free(twice);
    free(bytes);
}

/* ---- External data ---- */

/* The convolution's weights at `location`, beside the model or elsewhere. */
static void move_weights(Onnx__ModelProto *model, const char *location)
{
    Onnx__TensorProto *weight = model->graph->initializer[0];
    Onnx__StringStringEntryProto *entry = malloc(sizeof *entry);

    assert_non_null(entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = strdup("location");
    entry->value = strdup(location);
    weight->external_data = malloc(sizeof(Onnx__StringStringEntryProto *));
    assert_non_null(weight->external_data);
    weight->external_data[0] = entry;
    weight->n_external_data = 1;
    weight->has_data_location = 1;
    weight->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    weight->has_raw_data = 0;
}

static void external_data_is_read_and_never_outside_of_the_directory(void **state)
{
    Onnx__ModelProto *model = onnx_model("conv");
    const ProtobufCBinaryData raw = model->graph->initializer[0]->raw_data;
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    struct onnx_place place;
    char data[200], link[200];

    (void)state;
    onnx_place_init(&place);
    snprintf(data, sizeof data, "%s/weights.bin", place.directory);
    snprintf(link, sizeof link, "%s/link.bin", place.directory);
    assert_int_equal(zf_file_write(data, raw.data, raw.len, &err), ZF_OK);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    move_weights(model, "weights.bin");
    onnx_write(&place, model);
    if (zf_model_open(place.path, NULL, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_memory_equal(zf_net_parameter(net, 0).data, raw.data, raw.len);
    zf_net_free(&net);

    free(replace(&model->graph->initializer[0]->external_data[0]->value, "../../etc/passwd"));
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "\"../../etc/passwd\"");
    free(replace(&model->graph->initializer[0]->external_data[0]->value, "link.bin"));
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "lies outside of the model's directory");
    free(replace(&model->graph->initializer[0]->external_data[0]->value, "/etc/passwd"));
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "lies outside of the model's directory");
    assert_int_equal(truncate(data, (long)raw.len - 1), 0);
    free(replace(&model->graph->initializer[0]->external_data[0]->value, "weights.bin"));
    onnx_write(&place, model);
    onnx_assert_refused(&place, NULL, ZF_EINPUT, "takes 216 bytes");

    unlink(link);
    unlink(data);
    onnx__model_proto__free_unpacked(model, NULL);
    onnx_place_release(&place);
}

/* ---- Memory ---- */

static size_t allocations_left;

static bool count_down(size_t bytes)
{
    (void)bytes;
    return allocations_left > 0 && allocations_left-- > 0;
}

static void memory_that_runs_out_anywhere_is_told(void **state)
{
    static const char *const names[] = {"batchnorm_of_gemm", "weights_computed", "metadata"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Onnx__ModelProto *model = onnx_model(names[i]);
        enum zf_status status = ZF_ENOMEM;
        struct onnx_place place;
        size_t n;

        onnx_place_init(&place);
        onnx_write(&place, model);
        for (n = 0; status != ZF_OK && n < 5000; n++) {
            struct zf_net *net = NULL;
            struct zf_error err = {0};

            allocations_left = n;
            zf_alloc_allowed = count_down;
            status = zf_model_load(place.path, NULL, &net, &err);
            zf_alloc_allowed = NULL;
            if (status != ZF_OK && status != ZF_ENOMEM)
                fail_msg("allocation %zu: %d '%s'", n, status, err.message);
            zf_net_free(&net);
        }
        assert_int_equal(status, ZF_OK);
        assert_true(n > 50);
        onnx__model_proto__free_unpacked(model, NULL);
        onnx_place_release(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_anywhere_is_refused_unless_only_notes_are_missing),
        cmocka_unit_test(a_file_with_any_byte_changed_is_read_or_refused_and_nothing_else),
        cmocka_unit_test(a_cycle_is_refused),
        cmocka_unit_test(a_name_that_nothing_makes_is_refused_with_its_reader),
        cmocka_unit_test(a_name_that_stands_twice_is_refused),
        cmocka_unit_test(an_unknown_operator_is_named_with_an_end_that_can_be_read),
        cmocka_unit_test(an_unknown_end_is_refused),
        cmocka_unit_test(an_input_of_more_numbers_than_a_layer_may_have_is_refused),
        cmocka_unit_test(tensors_that_lie_about_their_size_are_refused),
        cmocka_unit_test(a_constant_of_a_giant_shape_is_refused_before_memory_is_spent),
        cmocka_unit_test(a_model_of_two_graphs_is_refused),
        cmocka_unit_test(external_data_is_read_and_never_outside_of_the_directory),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
