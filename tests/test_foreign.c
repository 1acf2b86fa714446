/* SPDX-License-Identifier: MIT */
/* Models of other programs: told from specs of nets, and answered with what makes ONNX of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "data_fixture.h"
#include "zf/model.h"

static const struct {
    const char *name, *bytes;
    size_t size;
    const char *word;
} others[] = {
    {"old.pth", "\200\002\212\nl\374\234F", 8, "torch.onnx.export"},
    {"script.pt", "PK\003\004xxmodel/constants.pkl", 25, "torch.jit.load()"},
    {"frozen.pb", "\n\020\n\005input\022", 10, "--graphdef FILE"},
    {"like_onnx.pb", "\010\007\022\004tf2x", 8, "TensorFlow graph"},
    {"app.mlmodel", "\010\005\022\242\001\n\005image", 11, "Core ML"},
    {"net.caffemodel", "\n\010CaffeNet", 10, "a Caffe model"},
    {"deploy.prototxt", "name: \"CaffeNet\"\n", 17, "the layers of a Caffe model"},
    {"yolo.weights", "\000\000\000\000\002\000\000\000", 8, "Darknet"},
    {"net.xml", "<?xml version=\"1.0\"?>\n<net name=\"m\">", 37, "OpenVINO"},
    {"inference.pdmodel", "\n\300\013\010\000", 5, "paddle2onnx"},
    {"gpu.engine", "ftrt\001\000\000\000", 8, "TensorRT"},
    {"plain.bin", "ptrt\001\000\000\000", 8, "TensorRT"},
    {"phone.ort", "\034\000\000\000ORTM", 8, "ORT file"},
    {"m.ckpt.meta", "\n\361\002\n", 4, "--checkpoint FILE.meta"},
    {"learn.pkl", "\200\004\225", 3, "Python pickle"},
    {"model.onnx.gz", "\037\213\010\000", 4, "gzip"},
    {"page.onnx", "<html>404</html>", 16, "a web page"},
    {"lfs.onnx", "version https://git-lfs.github.com/spec/v1", 42, "git lfs pull"},
};

static void expect_sentence(const char *path, const char *word)
{
    struct zf_error err = {0};
    struct zf_net *net = NULL;

    assert_true(zf_model_is_file(path));
    assert_int_equal(zf_model_load(path, NULL, &net, &err), ZF_EINPUT);
    assert_null(net);
    if (!strstr(err.message, word))
        fail_msg("no '%s' in: %s", word, err.message);
}

static void a_model_of_another_program_is_answered_with_what_it_is(void **state)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const char *path = fixture_path(state, others[i].name);

        fixture_write(path, others[i].bytes, others[i].size);
        expect_sentence(path, others[i].word);
    }
}

static void a_directory_is_answered_with_the_model_in_it(void **state)
{
    assert_int_equal(mkdir(fixture_path(state, "saved"), 0777), 0);
    expect_sentence(fixture_path(state, "saved"), "is a directory, and no model");
    fixture_write(fixture_path(state, "saved/model.onnx"), "x", 1);
    expect_sentence(fixture_path(state, "saved"), "saved/model.onnx");
    fixture_write(fixture_path(state, "saved/saved_model.pb"), "x", 1);
    expect_sentence(fixture_path(state, "saved"), "tf2onnx.convert --saved-model");
    assert_int_equal(mkdir(fixture_path(state, "a.mlpackage"), 0777), 0);
    expect_sentence(fixture_path(state, "a.mlpackage"), "Core ML");
}

static void a_spec_is_no_model(void **state)
{
    static const char spec[] = "# caf\xC3\xA9\n[net]\nname = x\n";

    fixture_write(fixture_path(state, "net.ini"), spec, sizeof spec - 1);
    fixture_write(fixture_path(state, "net.cfg"), spec, sizeof spec - 1);
    assert_false(zf_model_is_file(fixture_path(state, "net.ini")));
    assert_false(zf_model_is_file(fixture_path(state, "net.cfg")));
    assert_false(zf_model_is_file("zfnet"));
    assert_false(zf_model_is_file(fixture_path(state, "missing.ini")));
    assert_true(zf_model_is_file("missing.onnx"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_of_another_program_is_answered_with_what_it_is),
        TEST(a_directory_is_answered_with_the_model_in_it),
        TEST(a_spec_is_no_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
