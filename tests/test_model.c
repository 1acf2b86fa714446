/* SPDX-License-Identifier: MIT */
/* Models on disk: what comes back is what was saved, and what was bent is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "model_fixture.h"
#include "net/net.h"
#include "zf/model.h"

/* Loads f->bent, which must be refused with a sentence that contains `expected`. */
static void assert_refused(const struct model_fixture *f, const char *expected)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    const enum zf_status status = zf_model_load(f->bent, NULL, &net, &err);

    if (status != ZF_EINPUT || net || !strstr(err.message, expected) ||
        !strstr(err.message, "bent"))
        fail_msg("expected ZF_EINPUT with '%s', got %d '%s'", expected, status, err.message);
}

static size_t header_length(const struct model_fixture *f)
{
    uint64_t length;

    memcpy(&length, f->bytes, sizeof length);
    return (size_t)length;
}

/* Writes f->bent: the good file, `from` in its header replaced by `to`, the length made right. */
static void bend_header(struct model_fixture *f, const char *from, const char *to)
{
    const char *header = (const char *)f->bytes + 8;
    const size_t length = header_length(f);
    char *text = calloc(1, length + 1), *place;
    uint8_t *bent = calloc(1, f->size + strlen(to) + 8);
    uint64_t bent_length = length - strlen(from) + strlen(to);
    size_t head, size;

    memcpy(text, header, length);
    place = strstr(text, from);
    if (!place)
        fail_msg("'%s' is not in the header %s", from, text);
    head = (size_t)(place - text);
    memcpy(bent, &bent_length, 8);
    memcpy(bent + 8, text, head);
    memcpy(bent + 8 + head, to, strlen(to));
    memcpy(bent + 8 + head + strlen(to), place + strlen(from), length - head - strlen(from));
    memcpy(bent + 8 + bent_length, f->bytes + 8 + length, f->size - 8 - length);
    size = f->size - length + (size_t)bent_length;
    model_write(f->bent, bent, size);
    free(text);
    free(bent);
}

static void assert_nets_equal(const struct zf_net *a, const struct zf_net *b)
{
    const struct zf_preparation *p = zf_net_preparation(a), *q = zf_net_preparation(b);

    assert_string_equal(zf_net_spec(a), zf_net_spec(b));
    assert_int_equal(zf_net_parameter_tensors(a), zf_net_parameter_tensors(b));
    for (int i = 0; i < zf_net_parameter_tensors(a); i++) {
        const struct zf_parameter x = zf_net_parameter(a, i), y = zf_net_parameter(b, i);

        assert_string_equal(x.name, y.name);
        assert_int_equal(x.count, y.count);
        assert_memory_equal(x.data, y.data, (size_t)x.count * sizeof(float));
    }
    assert_int_equal(zf_net_class_count(a), zf_net_class_count(b));
    for (int64_t k = 0; k < zf_net_class_count(a); k++)
        assert_string_equal(zf_net_label(a, k), zf_net_label(b, k));
    assert_int_equal(p->resize, q->resize);
    assert_int_equal(p->size, q->size);
    assert_int_equal(p->channels, q->channels);
    assert_memory_equal(p->mean, q->mean, sizeof p->mean);
    assert_memory_equal(p->scale, q->scale, sizeof p->scale);
    assert_memory_equal(p->mean_image, q->mean_image,
                        3 * (size_t)(p->size * p->size) * sizeof(float));
}

static void a_saved_net_comes_back_with_equal_bits(void **state)
{
    const struct model_fixture *f = *state;
    struct zf_net *saved = model_net(), *loaded = NULL;
    struct zf_error err;
    uint8_t again[MODEL_MOST_BYTES];
    size_t size;

    assert_int_equal(zf_model_load(f->good, NULL, &loaded, &err), ZF_OK);
    assert_nets_equal(saved, loaded);
    assert_int_equal(zf_model_save(loaded, f->bent, &err), ZF_OK);
    model_read(f->bent, again, &size);
    assert_int_equal(size, f->size);
    assert_memory_equal(again, f->bytes, size);
    zf_net_free(&saved);
    zf_net_free(&loaded);
}

static void a_net_without_labels_and_mean_image_comes_back_without(void **state)
{
    const struct model_fixture *f = *state;
    struct zf_net *saved = NULL, *loaded = NULL;
    struct zf_error err;

    assert_int_equal(zf_net_parse_spec(model_spec, "tiny", 0, &saved, &err), ZF_OK);
    assert_int_equal(zf_model_save(saved, f->bent, &err), ZF_OK);
    assert_int_equal(zf_model_load(f->bent, NULL, &loaded, &err), ZF_OK);
    assert_false(zf_net_has_labels(loaded));
    assert_null(zf_net_preparation(loaded)->mean_image);
    zf_net_free(&saved);
    zf_net_free(&loaded);
}

/* Checked byte by byte against the format's description, so that any reader opens the file. */
static void the_file_is_laid_out_as_safetensors_asks(void **state)
{
    const struct model_fixture *f = *state;
    const size_t length = header_length(f);
    const char *header = (const char *)f->bytes + 8;
    struct zf_net *net = model_net();
    const float *weight = zf_net_parameter(net, 0).data, *bias = zf_net_parameter(net, 1).data;
    char *text = calloc(1, length + 1);

    memcpy(text, header, length);
    assert_int_equal((8 + length) % 64, 0);
    assert_memory_equal(header, "{\"__metadata__\":{\"zfscope.version\":\"", 36);
    assert_non_null(strstr(
        text, "\"conv1.weight\":{\"dtype\":\"F32\",\"shape\":[4,3,3,3],\"data_offsets\":[0,432]},"
              "\"conv1.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[432,448]},"
              "\"fc2.weight\":{\"dtype\":\"F32\",\"shape\":[3,16],\"data_offsets\":[448,640]},"
              "\"fc2.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[640,652]},"
              "\"preparation.mean\":{\"dtype\":\"F32\",\"shape\":[3,8,8],"
              "\"data_offsets\":[652,1420]}}"));
    assert_int_equal(f->size, 8 + length + 1420);
    assert_memory_equal(f->bytes + 8 + length, weight, 432);
    assert_memory_equal(f->bytes + 8 + length + 432, bias, 16);
    for (const uint8_t *p = (const uint8_t *)text; *p; p++)
        assert_true(*p < 0x80 || *p == 0xc3 || *p == 0xa9); /* of the labels, only the e acute */
    free(text);
    zf_net_free(&net);
}

static void a_file_truncated_at_any_byte_is_refused(void **state)
{
    const struct model_fixture *f = *state;

    model_write(f->bent, f->bytes, f->size);
    for (size_t size = f->size; size-- > 0;) {
        assert_int_equal(truncate(f->bent, (off_t)size), 0);
        assert_refused(f, "");
    }
}

static void bytes_after_the_last_tensor_are_refused(void **state)
{
    struct model_fixture *f = *state;

    f->bytes[f->size] = 'x';
    model_write(f->bent, f->bytes, f->size + 1);
    assert_refused(f, "1 bytes after the last tensor belong to no tensor");
}

static void a_bent_header_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *from, *to, *expected;
    } bends[] = {
        {"\"dtype\":\"F32\"", "\"dtype\":\"F33\"", "unknown type \"F33\""},
        {"\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "\"conv1.weight\" is of type I32, not float"},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F16\"", "does not take the 432 bytes"},
        {"\"dtype\":\"F32\",\"shape\":[4,", "\"shape\":[4,", "unknown type \"\""},
        {"[4,3,3,3]", "[3,4,3,3]", "\"conv1.weight\" is [3, 4, 3, 3], its net needs [4, 3, 3, 3]"},
        {"[4,3,3,3]", "[108]", "\"conv1.weight\" is [108], its net needs [4, 3, 3, 3]"},
        {"[4,3,3,3]", "[4,3,3,4]", "[4, 3, 3, 4] of F32 does not take the 432 bytes"},
        {"[4,3,3,3]", "[4,3,3,-3]", "is not a list"},
        {"[4,3,3,3]", "[4,3,3,3.5]", "is not a list"},
        {"[4,3,3,3]", "[4,3,3,\"3\"]", "is not a list"},
        {"[4,3,3,3]", "[1,1,1,1,1,4,3,3,3]", "is not a list of up to 8"},
        {"[4,3,3,3]", "[4294967296,4294967296,4294967296]", "does not take"},
        {"[4,3,3,3]", "[1e300]", "is not a list"},
        {"[4,3,3,3]", "7", "is not a list"},
        {"[4,3,3,3]", "[[4],3]", "nests deeper than 3"},
        {"[0,432]", "[0,433]", "does not take the 433 bytes"},
        {"[0,432]", "[432,0]", "not a begin and an end"},
        {"[0,432]", "[0]", "not a begin and an end"},
        {"[0,432]", "[0,432,432]", "not a begin and an end"},
        {"[0,432]", "[-432,0]", "not a begin and an end"},
        {"[0,432]", "[0.5,432.5]", "not a begin and an end"},
        {"[0,432]", "[9007199254740000,9007199254740432]", "truncated"},
        {"[0,432]", "[4,436]", "4 bytes before tensor \"conv1.weight\" belong to no tensor"},
        {"[432,448]", "[424,440]", "\"conv1.weight\" and \"conv1.bias\" overlap"},
        {"[652,1420]", "[652,1424]", "ends at byte 1424 of the data, which has 1420"},
        {"\"conv1.bias\":{", "\"conv1.weight\":{", "\"conv1.weight\" stands there twice"},
        {"\"conv1.bias\":{", "\"conv1.bia\":{", "\"conv1.bias\" [4] is missing"},
        {"\"conv1.bias\":{",
         "\"more\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"conv1.bias\":{",
         "has no tensor \"more\" [0]"},
        {"\"conv1.bias\":{", "\"conv1.bias\":3,\"no\":{", "has the unknown type"},
        {"\"conv1.bias\":{", "\"__metadata__\":{},\"conv1.bias\":{", "metadata stands there twice"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"n\":1,", "metadata \"n\" is not a string"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"zfscope.spec\":\"\",", "stands there twice"},
        {"\"__metadata__\":{", "\"__metadata__\":[],\"other\":{", "metadata is not a JSON object"},
        {"zfscope.spec", "someone.spec", "tensors without a net"},
        {"maps = 4", "maps = 5", "is [4, 3, 3, 3], its net needs [5, 3, 3, 3]"},
        {"type = conv", "type = kebab", "kebab"},
        {"zfscope.labels\":\"", "zfscope.labels\":\"one\\nmore\\n", "5 labels for 3 classes"},
        {"\\\"size\\\":8", "\\\"size\\\":9",
         "\"preparation.mean\" is [3, 8, 8], its net needs [3, 9, 9]"},
        {"\\\"warp\\\"", "\\\"wrap\\\"", "\"resize\" should be"},
        {"\\\"crop\\\":[6,6]", "\\\"crop\\\":[6,7]", "\"crop\" should be height and width"},
        {"\\\"crop\\\":[6,6]", "\\\"crop\\\":[6,6,6]", "\"crop\" should be height and width"},
        {"\\\"crop\\\":[6,6]", "\\\"crop\\\":6", "\"crop\" should be height and width"},
        {"\\\"bgr\\\"", "\\\"cmyk\\\"", "\"channels\" should be"},
        {"\\\"size\\\":8", "\\\"size\\\":-8", "\"size\" should be"},
        {"\\\"size\\\":8", "\\\"size\\\":8,\\\"width\\\":0", "\"width\" should be"},
        {"\\\"size\\\":8", "\\\"size\\\":8,\\\"width\\\":9",
         "a mean image is for squares, not pictures of 8x9 px"},
        {"\\\"mean\\\":[", "\\\"mean\\\":[1,", "\"mean\" should be three numbers"},
        {"\\\"scale\\\":[1,", "\\\"scale\\\":[1e99,", "\"scale\" should be three numbers"},
        {"{\\\"resize\\\"", "[\\\"resize\\\"", "preparation: it is not a JSON object"},
        {"{\"__metadata__\":", "{\"__metadata__\"", "not a JSON object"},
    };
    struct model_fixture *f = *state;

    for (size_t i = 0; i < ZF_COUNT(bends); i++) {
        bend_header(f, bends[i].from, bends[i].to);
        assert_refused(f, bends[i].expected);
    }
}

static void a_preparation_of_an_older_version_says_no_crop(void **state)
{
    struct model_fixture *f = *state;
    struct zf_net *net = NULL, *older = NULL;
    struct zf_error err;

    bend_header(f, "\\\"crop\\\":[6,6],", "");
    assert_int_equal(zf_model_load(f->good, NULL, &net, &err), ZF_OK);
    if (zf_model_load(f->bent, NULL, &older, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_nets_equal(net, older);
    zf_net_free(&older);
    zf_net_free(&net);
}

static void an_input_of_another_size_than_asked_for_is_refused(void **state)
{
    const struct zf_model_options same = {.height = 6, .width = 6},
                                  other = {.height = 6, .width = 7};
    const struct model_fixture *f = *state;
    struct zf_net *net = NULL;
    struct zf_error err;

    assert_int_equal(zf_model_open(f->good, &same, &net, &err), ZF_OK);
    zf_net_free(&net);
    assert_int_equal(zf_model_open(f->good, &other, &net, &err), ZF_EINPUT);
    assert_null(net);
    assert_non_null(strstr(err.message, "its input is 6x6 px, which cannot become 6x7"));
}

static void a_preparation_smaller_than_the_crop_is_refused(void **state)
{
    struct model_fixture *f = *state;
    struct zf_net *net = NULL;
    struct zf_error err;

    assert_int_equal(zf_net_parse_spec(model_spec, "tiny", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_model_save(net, f->bent, &err), ZF_OK);
    model_read(f->bent, f->bytes, &f->size);
    bend_header(f, "\\\"size\\\":6", "\\\"size\\\":5");
    assert_refused(f, "a crop of 6x6 px does not fit a picture resized to 5x5");
    zf_net_free(&net);
}

static void a_header_length_that_lies_is_refused(void **state)
{
    static const struct {
        uint64_t length;
        const char *expected;
    } lies[] = {
        {0, "not a JSON object"},
        {10, "not a JSON object"},
        {16383, "truncated: its header has 16383 bytes"},
        {UINT64_C(1) << 40, "more than the limit of 16777216"},
        {UINT64_MAX, "more than the limit"},
        {UINT64_MAX - 7, "more than the limit"},
    };
    struct model_fixture *f = *state;

    for (size_t i = 0; i < ZF_COUNT(lies); i++) {
        memcpy(f->bytes, &lies[i].length, sizeof lies[i].length);
        model_write(f->bent, f->bytes, f->size);
        assert_refused(f, lies[i].expected);
    }
}

static void text_behind_the_header_is_refused(void **state)
{
    struct model_fixture *f = *state;

    bend_header(f, "[652,1420]}}", "[652,1420]}}x");
    assert_refused(f, "goes on after its end");
}

static void limits_are_kept(void **state)
{
    static const struct {
        struct zf_model_limits limits;
        const char *expected;
    } cases[] = {
        {{.max_file_bytes = 1000}, "more than the limit of 1000"},
        {{.max_header_bytes = 100}, "more than the limit of 100"},
        {{.max_tensors = 4}, "6 tensors, more than the limit of 4"},
    };
    const struct model_fixture *f = *state;
    const struct zf_model_limits enough = {.max_file_bytes = (int64_t)f->size, .max_tensors = 5};
    struct zf_net *net = NULL;
    struct zf_error err;

    for (size_t i = 0; i < ZF_COUNT(cases); i++) {
        assert_int_equal(zf_model_load(f->good, &cases[i].limits, &net, &err), ZF_EINPUT);
        if (!strstr(err.message, cases[i].expected))
            fail_msg("expected '%s', got '%s'", cases[i].expected, err.message);
    }
    assert_int_equal(zf_model_load(f->good, &enough, &net, &err), ZF_OK);
    zf_net_free(&net);
}

/* A small file must not cost a large amount of memory before it is refused. */
static size_t largest_request;

static bool note_request(size_t bytes)
{
    if (bytes > largest_request)
        largest_request = bytes;
    return true;
}

static void a_spec_that_asks_for_a_billion_parameters_costs_nothing(void **state)
{
    struct model_fixture *f = *state;

    bend_header(f, "[fc2]\\ntype = fc\\nmaps = classes",
                "[fc1]\\ntype = fc\\nmaps = 60000\\n[fc2]\\ntype = fc\\nmaps = classes");
    largest_request = 0;
    zf_alloc_allowed = note_request;
    assert_refused(f, "");
    zf_alloc_allowed = NULL;
    assert_true(largest_request < 1 << 20);
}

static void random_damage_never_crashes(void **state)
{
    struct model_fixture *f = *state;
    struct zf_random random = zf_random_stream(7, ZF_RANDOM_TEST, 0, 0);
    uint8_t bytes[MODEL_MOST_BYTES];
    int loaded = 0, refused = 0;

    for (int round = 0; round < 3000; round++) {
        const uint64_t flips = 1 + zf_random_below(&random, 8);
        /* Half of the rounds aim at the header, where it hurts. */
        const size_t reach = round % 2 ? f->size : 8 + header_length(f);
        struct zf_net *net = NULL;
        struct zf_error err;
        enum zf_status status;

        memcpy(bytes, f->bytes, f->size);
        for (uint64_t i = 0; i < flips; i++)
            bytes[zf_random_below(&random, reach)] ^= (uint8_t)(1u << zf_random_below(&random, 8));
        model_write(f->bent, bytes, f->size);
        status = zf_model_load(f->bent, NULL, &net, &err);
        if (status != ZF_OK && status != ZF_EINPUT)
            fail_msg("round %d: status %d '%s'", round, status, err.message);
        loaded += status == ZF_OK;
        refused += status == ZF_EINPUT;
        zf_net_free(&net);
    }
    assert_true(loaded > 100); /* flips among the weights */
    assert_true(refused > 1000);
}

static void another_format_is_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } others[] = {
        {"", 0, "an empty file"},
        {"PK\003\004\024\000\000\000\000\000\000", 11, "a zip archive"},
        {"PK\003\004\024\000archive/data.pkl", 22, "torch.onnx.export"},
        {"PK\003\004\024\000metadata.json", 19, "tf2onnx.convert --keras"},
        {"\200\002}q\000(X\001\000\000\000", 12, "pickle"},
        {"\211HDF\r\n\032\n\000\000\000", 11, "HDF5"},
        {"\034\000\000\000TFL3\024\000", 10, "tf2onnx.convert --tflite"},
        {"[net]\nname = tiny\n", 18, "a text file"},
        {"\223NUMPY\001\000v\000", 10, "NumPy"},
        {"\001\002\003\004\005\006\007\000\001\002", 10, "10 bytes that are no"},
    };
    const struct model_fixture *f = *state;

    for (size_t i = 0; i < ZF_COUNT(others); i++) {
        model_write(f->bent, others[i].bytes, others[i].size);
        assert_refused(f, others[i].expected);
    }
    unlink(f->bent);
    assert_refused(f, "No such file");
}

static void a_place_that_cannot_be_written_is_refused(void **state)
{
    const struct model_fixture *f = *state;
    struct zf_net *net = model_net();
    struct zf_error err;

    assert_int_equal(zf_model_save(net, "/nowhere/at/all.safetensors", &err), ZF_EIO);
    assert_int_not_equal(access(f->bent, F_OK), 0);
    zf_net_free(&net);
}

static int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

static void every_failing_allocation_is_reported(void **state)
{
    const struct model_fixture *f = *state;
    struct zf_net *net = model_net(), *loaded = NULL;
    struct zf_error err = {0};
    enum zf_status status = ZF_ENOMEM;
    int n;

    for (n = 0; status != ZF_OK && n < 1000; n++) {
        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = zf_model_load(f->good, NULL, &loaded, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK && (status != ZF_ENOMEM || loaded))
            fail_msg("loading, allocation %d: status %d '%s'", n, status, err.message);
    }
    assert_true(n > 10);
    assert_int_equal(status, ZF_OK);
    status = ZF_ENOMEM;
    for (n = 0; status != ZF_OK && n < 1000; n++) {
        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = zf_model_save(net, f->bent, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK && (status != ZF_ENOMEM || access(f->bent, F_OK) == 0))
            fail_msg("saving, allocation %d: status %d '%s'", n, status, err.message);
    }
    assert_true(n > 4);
    assert_int_equal(status, ZF_OK);
    zf_net_free(&net);
    zf_net_free(&loaded);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, model_set_up, model_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(a_saved_net_comes_back_with_equal_bits),
        WITH_FILES(a_net_without_labels_and_mean_image_comes_back_without),
        WITH_FILES(the_file_is_laid_out_as_safetensors_asks),
        WITH_FILES(a_file_truncated_at_any_byte_is_refused),
        WITH_FILES(bytes_after_the_last_tensor_are_refused),
        WITH_FILES(a_bent_header_is_refused_with_the_reason),
        WITH_FILES(a_preparation_of_an_older_version_says_no_crop),
        WITH_FILES(an_input_of_another_size_than_asked_for_is_refused),
        WITH_FILES(a_preparation_smaller_than_the_crop_is_refused),
        WITH_FILES(a_header_length_that_lies_is_refused),
        WITH_FILES(text_behind_the_header_is_refused),
        WITH_FILES(limits_are_kept),
        WITH_FILES(a_spec_that_asks_for_a_billion_parameters_costs_nothing),
        WITH_FILES(random_damage_never_crashes),
        WITH_FILES(another_format_is_named),
        WITH_FILES(a_place_that_cannot_be_written_is_refused),
        WITH_FILES(every_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
