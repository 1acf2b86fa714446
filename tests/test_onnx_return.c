/* SPDX-License-Identifier: MIT */
/* The way back from what was written as ONNX, and files that cannot be written. */
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

#include "base/memory.h"
#include "base/status.h"
#include "model/base64.h"
#include "net/net.h"
#include "onnx_written.h"
#include "zf/model.h"

static void a_warp_that_is_no_square_comes_back_from_both_formats(void **state)
{
    static const char *const suffixes[] = {"safetensors", "onnx"};
    const struct written *f = *state;
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
            Onnx__ModelProto *model = written_unpack(path);

            assert_string_equal(zf_onnx_find_note(model, "resize"), "warp:12x34");
            onnx__model_proto__free_unpacked(model, NULL);
        }
        zf_net_free(&again);
        unlink(path);
    }
    zf_net_free(&net);
}

static void assert_equal_files(const char *a, const char *b)
{
    struct zf_bytes x = {0}, y = {0};

    written_read(a, &x);
    written_read(b, &y);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    zf_bytes_release(&x);
    zf_bytes_release(&y);
}

static void the_way_there_and_back_gives_equal_files(void **state)
{
    struct written *f = *state;
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
static bool is_rebuilt(const struct written *f)
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
    struct written *f = *state;
    Onnx__GraphProto *graph = f->model->graph;
    Onnx__TensorProto *weight = written_initialiser(f->model, "conv1.weight");
    Onnx__AttributeProto *group = graph->node[4]->attribute[3];
    float *rate = (float *)(void *)written_initialiser(f->model, "drop3.rate")->raw_data.data;

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
    struct written *f = *state;

    for (size_t i = 0; i < ZF_COUNT(bends); i++) {
        Onnx__ModelProto *model = written_unpack(f->onnx);
        struct zf_net *net = NULL;
        struct zf_error err = {0};

        for (size_t k = 0; k < model->n_metadata_props; k++) {
            if (strcmp(model->metadata_props[k]->key, bends[i].key) == 0) {
                free(model->metadata_props[k]->value);
                model->metadata_props[k]->value = strdup(bends[i].value);
            }
        }
        written_pack(model, f->other);
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
    struct written *f = *state;
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
    const struct written *f = *state;
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
    const struct written *f = *state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(a_warp_that_is_no_square_comes_back_from_both_formats),
        WITH_FILES(the_way_there_and_back_gives_equal_files),
        WITH_FILES(a_graph_that_was_changed_is_not_taken_for_its_spec),
        WITH_FILES(bent_metadata_is_refused_by_name),
        WITH_FILES(every_failing_allocation_is_reported),
        WITH_FILES(a_disk_that_cannot_be_written_leaves_nothing),
        WITH_FILES(a_file_over_2_gib_is_refused_before_it_is_begun),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
    };

    return cmocka_run_group_tests_name("onnx_return", tests, NULL, NULL);
}
