/* SPDX-License-Identifier: MIT */
/* The reader of tar archives: names of every kind, and everything that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/tar.h"
#include "tar_fixture.h"

static enum zf_status next(const struct tar_made *made, struct zf_tar *tar,
                           struct zf_tar_entry *entry, bool *done, struct zf_error *err)
{
    if (tar->source.size == 0)
        zf_tar_begin(tar, (struct zf_tar_source){"x.tar", made->bytes, -1, made->size}, 0,
                     made->size);
    return zf_tar_next(tar, entry, done, err);
}

/* One entry of that name, of which `text` are the bytes, and the end. */
static void expect_entry(struct tar_made *made, const char *name, const char *text)
{
    static struct zf_tar tar;
    struct zf_tar_entry entry;
    struct zf_error err = {0};
    bool done = true;

    tar_end(made);
    memset(&tar, 0, sizeof tar);
    if (next(made, &tar, &entry, &done, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_false(done);
    assert_string_equal(entry.path, name);
    assert_int_equal(entry.size, strlen(text));
    assert_memory_equal(made->bytes + entry.offset, text, strlen(text));
    assert_int_equal(entry.offset, entry.header + 512);
    if (next(made, &tar, &entry, &done, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_true(done);
    free(made->bytes);
    *made = (struct tar_made){0};
}

static enum zf_status read_all(const struct tar_made *made, struct zf_error *err)
{
    static struct zf_tar tar;
    struct zf_tar_entry entry;
    bool done = false;

    memset(&tar, 0, sizeof tar);
    while (!done) {
        const enum zf_status status = next(made, &tar, &entry, &done, err);

        if (status != ZF_OK)
            return status;
        if (made->size == 0)
            return ZF_EINPUT;
    }
    return ZF_OK;
}

static void expect_refused(struct tar_made *made, const char *word, const char *another)
{
    struct zf_error err = {0};

    if (read_all(made, &err) != ZF_EINPUT || !strstr(err.message, word) ||
        !strstr(err.message, another) || !strstr(err.message, "x.tar at offset "))
        fail_msg("expected '%s' and '%s' in: %s", word, another, err.message);
    free(made->bytes);
    *made = (struct tar_made){0};
}

static void names_of_every_kind_are_read(void **state)
{
    struct tar_made made = {0};
    char longest[3000], record[3100], folder[160];
    size_t header;

    (void)state;
    tar_put_text(&made, "./a/b.png", "x");
    expect_entry(&made, "a/b.png", "x");
    header = tar_put_text(&made, "b.png", "prefixed"); /* POSIX splits a name in two */
    memset(folder, 'f', 155);
    memcpy(made.bytes + header + 345, folder, 155);
    tar_sum(&made, header);
    memcpy(folder + 155, "/b.p", 5);
    snprintf(record, sizeof record, "%sng", folder);
    expect_entry(&made, record, "prefixed");
    header = tar_put_text(&made, "b.png", "GNU"); /* which has times there */
    memcpy(made.bytes + header + 257, "ustar  ", 8);
    memcpy(made.bytes + header + 345, "13722030000", 11);
    tar_sum(&made, header);
    expect_entry(&made, "b.png", "GNU");
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    tar_put(&made, 'K', "././@LongLink", "somewhere", 10);
    tar_put(&made, 'L', "././@LongLink", longest, sizeof longest);
    tar_put_text(&made, "nnnn", "long");
    expect_entry(&made, longest, "long");
    snprintf(record, sizeof record, "%d path=%s\n", (int)sizeof longest - 1 + 11, longest);
    tar_put(&made, 'g', "pax_global_header", "19 comment=of git\n\n", 19);
    tar_put(&made, 'x', "PaxHeaders/n", record, strlen(record));
    tar_put_text(&made, "nnnn", "pax");
    expect_entry(&made, longest, "pax");
    tar_put(&made, 'V', "the volume's name", NULL, 0);
    tar_put_text(&made, "a.png", "");
    expect_entry(&made, "a.png", "");
}

/* The pax header's size counts, and GNU's numbers may be binary. */
static void sizes_of_every_kind_are_read(void **state)
{
    struct tar_made made = {0};
    size_t header;

    (void)state;
    tar_put(&made, 'x', "PaxHeaders/a", "10 size=4\n", 10);
    header = tar_put_text(&made, "a.png", "four");
    memset(made.bytes + header + 124, '0', 11);
    tar_sum(&made, header);
    expect_entry(&made, "a.png", "four");
    header = tar_put_text(&made, "a.png", "binary");
    memcpy(made.bytes + header + 124, "\x80\0\0\0\0\0\0\0\0\0\0\6", 12);
    tar_sum(&made, header);
    expect_entry(&made, "a.png", "binary");
    header = tar_put_text(&made, "a.png", "blanks");
    memcpy(made.bytes + header + 124, "          6 ", 12);
    tar_sum(&made, header);
    expect_entry(&made, "a.png", "blanks");
}

static void a_directory_is_one_by_type_or_by_name(void **state)
{
    struct tar_made made = {0};
    static struct zf_tar tar;
    struct zf_tar_entry entry;
    bool done;

    (void)state;
    tar_put(&made, '5', "./", NULL, 0);
    tar_put(&made, '\0', "old/", NULL, 0);
    tar_put_text(&made, "old/a.png", "x");
    tar_end(&made);
    memset(&tar, 0, sizeof tar);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(next(&made, &tar, &entry, &done, NULL), ZF_OK);
        assert_int_equal(entry.directory, k < 2);
    }
    free(made.bytes);
}

static void what_no_data_set_needs_is_refused_by_name_and_offset(void **state)
{
    static const struct {
        char type;
        const char *name, *word;
    } cases[] = {
        {'0', "../a.png", "leads out"},   {'0', "a/../../b.png", "leads out"},
        {'0', "a/..", "leads out"},       {'0', "/etc/a.png", "absolute"},
        {'1', "a.png", "hard link"},      {'2', "a.png", "symbolic link"},
        {'3', "a.png", "device"},         {'4', "a.png", "device"},
        {'6', "a.png", "pipe"},           {'S', "a.png", "sparse"},
        {'M', "a.png", "another volume"}, {'Z', "a.png", "type (90)"},
        {'0', "", "without a name"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tar_made made = {0};

        tar_put_text(&made, "good.png", "x");
        tar_put(&made, cases[k].type, cases[k].name, NULL, 0);
        tar_end(&made);
        expect_refused(&made, "offset 1024", cases[k].word);
    }
}

static void headers_that_lie_are_refused(void **state)
{
    static const struct {
        char type;
        const char *record, *word;
    } cases[] = {
        {'x', "8 path=\n", "name of 0"},
        {'x', "8 path=a\n", "pax header"},
        {'x', "999 path=a\n", "pax header"},
        {'x', "x path=a\n", "pax header"},
        {'x', "8 path a\n", "pax header"},
        {'x', "10 size=x\n", "no number"},
        {'x', "29 size=99999999999999999999\n", "no number"},
        {'x', "27 size=999999999999999999\n", "cut off"},
        {'x', "22 GNU.sparse.major=1\n", "sparse"},
        {'g', "10 path=a\n", "all entries"},
        {'g', "10 size=1\n", "all entries"},
    };
    static const char *const sizes[] = {"77777777777", "0000000000x", "-0000000001",
                                        "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    struct tar_made made = {0};
    size_t header;

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        tar_put(&made, cases[k].type, "PaxHeaders/a", cases[k].record, strlen(cases[k].record));
        tar_put_text(&made, "a.png", "x");
        tar_end(&made);
        expect_refused(&made, cases[k].word, "");
    }
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        header = tar_put_text(&made, "a.png", "x");
        memcpy(made.bytes + header + 124, sizes[k], 11);
        tar_sum(&made, header);
        tar_end(&made);
        expect_refused(&made, k == 0 ? "cut off" : "size", "");
    }
    tar_put(&made, 'L', "././@LongLink", "a name", 7);
    tar_end(&made);
    expect_refused(&made, "ends where a name", "");
    header = tar_put_text(&made, "a.png", "x");
    made.bytes[header + 7] ^= 1; /* in a name that nobody else would miss */
    tar_end(&made);
    expect_refused(&made, "damaged", "offset 0");
    for (int k = 0; k < 2; k++) {
        tar_put_text(&made, "a.png", "x");
        tar_end(&made);
    }
    expect_refused(&made, "joined", "offset 2048");
}

static void one_that_is_cut_off_anywhere_is_refused(void **state)
{
    struct tar_made made = {0};
    struct zf_error err = {0};
    size_t whole;

    (void)state;
    tar_put(&made, 'x', "PaxHeaders/a", "14 path=a.png\n", 14);
    tar_put_text(&made, "b", "some text");
    tar_put_text(&made, "b.png", "more text");
    tar_end(&made);
    whole = made.size;
    assert_int_equal(read_all(&made, &err), ZF_OK);
    for (made.size = 1; made.size < whole; made.size++) {
        if (read_all(&made, &err) != ZF_EINPUT || !strstr(err.message, "cut off"))
            fail_msg("%zu of %zu bytes: %s", made.size, whole, err.message);
    }
    free(made.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_every_kind_are_read),
        cmocka_unit_test(sizes_of_every_kind_are_read),
        cmocka_unit_test(a_directory_is_one_by_type_or_by_name),
        cmocka_unit_test(what_no_data_set_needs_is_refused_by_name_and_offset),
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(one_that_is_cut_off_anywhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
