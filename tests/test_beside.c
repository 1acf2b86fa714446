/* SPDX-License-Identifier: MIT */
/* A page's pictures: within it, or in files beside it where they are many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>
#include "base/file.h"
#include "base/memory.h"
#include "document_fixture.h"
#include "page/document.h"

#define SIDE 512 /* px: 0.8 MB of noise, of which PNG makes no less */

static char *read_page(const char *directory)
{
    char *path = zf_path_join(directory, "index.html"), *text;
    struct zf_bytes bytes = {0};

    assert_int_equal(zf_bytes_map(&bytes, path, (size_t)1 << 26, NULL), ZF_OK);
    text = strndup((const char *)bytes.data, bytes.size);
    assert_non_null(text);
    zf_bytes_release(&bytes);
    zf_free(path);
    return text;
}

static struct zf_picture noise(void)
{
    struct zf_picture picture = {0};
    uint32_t state = 1;

    assert_int_equal(zf_picture_init(&picture, SIDE, SIDE, NULL), ZF_OK);
    for (int64_t i = 0; i < 3 * SIDE * SIDE; i++) {
        state = state * 1664525u + 1013904223u;
        picture.pixels[i] = (uint8_t)(state >> 24);
    }
    return picture;
}

/* The page of `count` pictures; free with free(). */
static char *page_of(const char *directory, int count, bool single_file)
{
    struct zf_document *document = document_open(directory, "trial", NULL);
    struct zf_picture picture = noise();

    if (single_file)
        zf_document_single_file(document);
    for (int i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof name, "%d.png", i);
        zf_document_picture(document, &picture, name, "noise %d", i);
    }
    zf_free(document_close(&document));
    zf_picture_release(&picture);
    return read_page(directory);
}

/* With all that a page of six pictures makes. */
static void remove_all(const char *directory)
{
    static const char *const names[] = {
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        "5.png",
        "index.html",
        "trial.json",
        "pictures/0001.png",
        "pictures/0002.png",
        "pictures/0003.png",
        "pictures/0004.png",
        "pictures/0005.png",
        "pictures/0006.png",
        "pictures",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = zf_path_join(directory, names[i]);

        remove(path);
        zf_free(path);
    }
    assert_int_equal(rmdir(directory), 0);
}

static void pictures_that_are_many_lie_beside_the_page(void **state)
{
    char directory[] = "/tmp/zf-beside-XXXXXX";
    char *few, *many, *one, *last;
    struct zf_picture picture = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    last = zf_path_join(directory, "pictures/0006.png");
    few = page_of(directory, 3, false);
    assert_null(strstr(few, "pictures/"));
    assert_non_null(strstr(few, "img-src data:\""));
    many = page_of(directory, 6, false);
    assert_true(strlen(many) < 40000);
    assert_non_null(strstr(many, "src=\"pictures/0006.png\""));
    assert_non_null(strstr(many, "img-src data: 'self' file:"));
    assert_int_equal(zf_picture_load(last, 0, NULL, &picture, NULL, NULL), ZF_OK);
    assert_int_equal(picture.width, SIDE);
    one = page_of(directory, 6, true);
    assert_null(strstr(one, "pictures/"));
    assert_true(strlen(one) > 6 * 3 * SIDE * SIDE);
    zf_picture_release(&picture);
    free(one);
    free(many);
    free(few);
    zf_free(last);
    remove_all(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_that_are_many_lie_beside_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
