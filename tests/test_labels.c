/* SPDX-License-Identifier: MIT */
/* Files of labels as other programs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "data_fixture.h"
#include "zf/model.h"

static enum zf_status load(void **state, struct zf_net *net, const char *text, size_t size,
                           struct zf_error *err)
{
    const char *path = fixture_path(state, "labels.txt");

    fixture_write(path, text, size);
    return zf_net_load_labels(net, path, err);
}

#define FILE_OF(text) text, sizeof text - 1

static void every_form_gives_the_same_three_labels(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } forms[] = {
        {FILE_OF("tench\nred fox\ncaf\xC3\xA9\n")},
        {FILE_OF("tench\nred fox\ncaf\xC3\xA9")},
        {FILE_OF("\xEF\xBB\xBFtench\r\nred fox\r\ncaf\xC3\xA9\r\n")},
        {FILE_OF("tench\rred fox\rcaf\xC3\xA9\r")},
        {FILE_OF("tench\nred fox\ncaf\xC3\xA9\n\n\r\n")},
        {FILE_OF("n01440764 tench\nn02119022 red fox\nn09999999 caf\xC3\xA9\n")},
        {FILE_OF("n01440764\ttench\r\nn02119022\tred fox\r\nn09999999\tcaf\xC3\xA9")},
        {FILE_OF("[\"tench\", \"red fox\", \"caf\\u00e9\"]")},
        {FILE_OF("\xEF\xBB\xBF\n [\"tench\",\n\"red fox\", \"caf\xC3\xA9\"]\n")},
        {FILE_OF("{\"2\": \"caf\xC3\xA9\", \"0\": \"tench\", \"1\": \"red fox\"}")},
        {FILE_OF("{\"tench\": 0, \"caf\xC3\xA9\": 2, \"red fox\": 1}")},
        {FILE_OF("{\"0\": [\"n01440764\", \"tench\"], \"1\": [\"n02119022\", \"red fox\"],"
                 "\"2\": [\"n09999999\", \"caf\xC3\xA9\"]}")},
        {FILE_OF("{\"model_type\": \"vit\", \"id2label\": {\"0\": \"tench\", \"1\": \"red fox\","
                 "\"2\": \"caf\xC3\xA9\"}, \"num_channels\": 3}")},
        /* numbers, columns and quotes */
        {FILE_OF("0 tench\n1 red fox\n2 caf\xC3\xA9\n")},
        {FILE_OF("2: caf\xC3\xA9\n0: tench\n1: red fox\n")},
        {FILE_OF("0:tench\r\n1:red fox\r\n2:caf\xC3\xA9\r\n")},
        {FILE_OF("id,name\n0,tench\n1,red fox\n2,caf\xC3\xA9\n")},
        {FILE_OF("\"id\";\"name\"\n\"0\";\"tench\"\n\"1\";\"red fox\"\n\"2\";\"caf\xC3\xA9\"\n")},
        {FILE_OF("tench,0\ncaf\xC3\xA9,2\nred fox,1\n")},
        {FILE_OF("0\tn01440764\ttench\n1\tn02119022\tred fox\n2\tn09999999\tcaf\xC3\xA9\n")},
        {FILE_OF("n01440764,tench\nn02119022,red fox\nn09999999,caf\xC3\xA9\n")},
        {FILE_OF("\"tench\"\n\"red fox\"\n\"caf\xC3\xA9\"\n")},
        {FILE_OF("label\ntench\nred fox\ncaf\xC3\xA9\n")},
        {FILE_OF("tench, red fox, caf\xC3\xA9\n")},
        {FILE_OF("tench  \nred fox\t\ncaf\xC3\xA9\n")},
        /* Python and YAML */
        {FILE_OF("{0: 'tench', 1: \"red fox\", 2: 'caf\xC3\xA9'}")},
        {FILE_OF("{0: 'tench',\n 1: 'red fox',\n 2: 'caf\xC3\xA9',\n}\n")},
        {FILE_OF("['tench', 'red fox', 'caf\xC3\xA9']\n")},
        {FILE_OF("{'tench': 0, 'red fox': 1, 'caf\xC3\xA9': 2}")},
        {FILE_OF("path: ../data\nnc: 3\nnames: ['tench', red fox, \"caf\xC3\xA9\"]\n")},
        {FILE_OF("train: a\nnames:\n  0: tench\n  1: 'red fox'  # not a dog\n  2: "
                 "caf\xC3\xA9\n\nval: b\n")},
        {FILE_OF("names:\n- tench\n- red fox # not a dog\n- \"caf\xC3\xA9\"\nnc: 3\n")},
        /* more JSON */
        {FILE_OF("{\"labels\": [\"tench\", \"red fox\", \"caf\xC3\xA9\"], \"imageSize\": 224}")},
        {FILE_OF("{\"label2id\": {\"tench\": 0, \"red fox\": 1, \"caf\xC3\xA9\": 2}}")},
        {FILE_OF("[{\"id\": 1, \"name\": \"tench\"}, {\"id\": 2, \"name\": \"red fox\"},"
                 "{\"id\": 3, \"name\": \"caf\xC3\xA9\"}]")},
        /* UTF-16, as PowerShell writes it */
        {FILE_OF("\xFF\xFEt\0e\0n\0c\0h\0\r\0\n\0r\0e\0d\0 \0f\0o\0x\0\r\0\n\0c\0a\0f\0\xE9\0")},
        {FILE_OF("\xFE\xFF\0t\0e\0n\0c\0h\0\n\0r\0e\0d\0 \0f\0o\0x\0\n\0c\0a\0f\0\xE9\0\n")},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct zf_net *net = fixture_net(4, 4, 3);
        struct zf_error err = {0};

        if (load(state, net, forms[i].text, forms[i].size, &err) != ZF_OK)
            fail_msg("form %d: %s", (int)i, err.message);
        assert_string_equal(zf_net_label(net, 0), "tench");
        assert_string_equal(zf_net_label(net, 1), "red fox");
        assert_string_equal(zf_net_label(net, 2), "caf\xC3\xA9");
        zf_net_free(&net);
    }
}

/* Numbers are left out only where every line has one and a name; an empty line within is a label.
 */
static void what_only_looks_like_numbers_stays(void **state)
{
    struct zf_net *net = fixture_net(4, 4, 3);
    struct zf_error err = {0};

    assert_int_equal(load(state, net, FILE_OF("n01440764\nn02119022\nn09999999\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 1), "n02119022");
    assert_int_equal(load(state, net, FILE_OF("n01440764 tench\n\nfox\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 0), "n01440764 tench");
    assert_string_equal(zf_net_label(net, 1), "");
    assert_int_equal(load(state, net, FILE_OF("1 star\n2 stars\n3 stars\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 2), "3 stars");
    assert_int_equal(load(state, net, FILE_OF("0 stars\n1 star\n2 stars\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 0), "0 stars");
    assert_int_equal(load(state, net, FILE_OF("0\n1\n2\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 2), "2");
    assert_int_equal(load(state, net, FILE_OF("tench, Tinca tinca\nfox\n'til\n"), &err), ZF_OK);
    assert_string_equal(zf_net_label(net, 0), "tench, Tinca tinca");
    assert_string_equal(zf_net_label(net, 2), "'til");
    zf_net_free(&net);
}

static void what_does_not_fit_is_explained(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *word, *another;
    } wrong[] = {
        {FILE_OF("a\nb\n"), "2 labels for 3", "TensorFlow"},
        {FILE_OF("a\nb\nc\nd\n"), "4 labels for 3", "labels.txt"},
        {FILE_OF("background\na\nb\nc\n"), "4 labels for 3", "take that line out"},
        {FILE_OF("Background\r\na\r\nb\r\nc\r\n"), "\"Background\"", "take that line out"},
        {FILE_OF(""), "holds no labels", "labels.txt"},
        {FILE_OF("\xFF\xFE"
                 "a\0\x3D\xD8\n\0"),
         "UTF-16", "damaged"},
        {FILE_OF("{0: 'a', 1: 'b', 2: 'c'"), "none", "labels.txt"},
        {FILE_OF("{1: 'a', 2: 'b', 3: 'c'}"), "entry 3", "0 to 2"},
        {FILE_OF("a\0b\n"), "zero byte", "text"},
        {FILE_OF("[\"a\", \"b\""), "begins like a list", "labels.txt"},
        {FILE_OF("[\"a\", 1, \"c\"]"), "entry 2", "list of names"},
        {FILE_OF("{\"0\": \"a\", \"1\": \"b\", \"3\": \"c\"}"), "entry 3", "0 to 2"},
        {FILE_OF("{\"0\": \"a\", \"00\": \"b\", \"1\": \"c\"}"), "entry 2", "0 to 2"},
        {FILE_OF("{\"a\": 0.5, \"b\": 1, \"c\": 2}"), "entry 1", "0 to 2"},
        {FILE_OF("[]"), "holds no labels", "labels.txt"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct zf_net *net = fixture_net(4, 4, 3);
        struct zf_error err = {0};

        assert_int_equal(load(state, net, wrong[i].text, wrong[i].size, &err), ZF_EINPUT);
        if (!strstr(err.message, wrong[i].word) || !strstr(err.message, wrong[i].another))
            fail_msg("expected '%s' and '%s' in: %s", wrong[i].word, wrong[i].another, err.message);
        assert_false(zf_net_has_labels(net));
        zf_net_free(&net);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_form_gives_the_same_three_labels),
        TEST(what_only_looks_like_numbers_stays),
        TEST(what_does_not_fit_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
