/* SPDX-License-Identifier: MIT */
/* Files of every kind become plain RGB, or are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include <vips/vips.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/picture.h"
#include "pictures.h"

static void alpha_is_laid_over_white(void **state)
{
    static const uint8_t rgba[] = {200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 128};
    static const uint16_t deep[] = {51400, 25700, 0,     65535, 51400, 25700,
                                    0,     0,     51400, 25700, 0,     32896};
    static const uint8_t grey[] = {100, 255, 100, 0, 100, 128};

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        size_t size;
        uint8_t *bytes = kind == 0   ? png_write(rgba, 3, 1, 4, 1, &size)
                         : kind == 1 ? png_write(deep, 3, 1, 4, 2, &size)
                                     : png_write(grey, 3, 1, 2, 1, &size);
        struct zf_picture picture = decode(bytes, size, 0, NULL);

        assert_int_equal(picture.width, 3);
        if (kind < 2) {
            expect_pixel(&picture, 0, 0, 200, 100, 0, 1);
            expect_pixel(&picture, 2, 0, 227, 177, 127, 1);
        } else {
            expect_pixel(&picture, 0, 0, 100, 100, 100, 1);
            expect_pixel(&picture, 2, 0, 177, 177, 177, 1);
        }
        expect_pixel(&picture, 1, 0, 255, 255, 255, 0);
        zf_picture_release(&picture);
        g_free(bytes);
    }
}

static void sixteen_bits_and_grey_become_rgb_of_eight(void **state)
{
    static const uint16_t deep[] = {0, 32768, 65535, 12850, 0, 65535};
    static const uint16_t deep_grey[] = {0, 25700};
    static const uint8_t grey[] = {7, 250};
    struct zf_picture picture;
    size_t size;
    uint8_t *bytes = png_write(deep, 2, 1, 3, 2, &size);

    (void)state;
    picture = decode(bytes, size, 0, NULL);
    expect_pixel(&picture, 0, 0, 0, 128, 255, 0);
    expect_pixel(&picture, 1, 0, 50, 0, 255, 0);
    zf_picture_release(&picture);
    g_free(bytes);
    bytes = png_write(deep_grey, 2, 1, 1, 2, &size);
    picture = decode(bytes, size, 0, NULL);
    expect_pixel(&picture, 0, 0, 0, 0, 0, 0);
    expect_pixel(&picture, 1, 0, 100, 100, 100, 1);
    zf_picture_release(&picture);
    g_free(bytes);
    bytes = png_write(grey, 2, 1, 1, 1, &size);
    picture = decode(bytes, size, 0, NULL);
    expect_pixel(&picture, 0, 0, 7, 7, 7, 0);
    expect_pixel(&picture, 1, 0, 250, 250, 250, 0);
    zf_picture_release(&picture);
    g_free(bytes);
}

static void a_picture_of_one_pixel_is_refused_and_one_of_two_is_not(void **state)
{
    (void)state;
    for (int quality = 0; quality <= 95; quality += 95) {
        for (int64_t width = 1; width <= 2; width++) {
            struct zf_picture small = {0}, square = {0}, picture = {0};
            struct zf_error err = {0};
            enum zf_status status;
            uint8_t *bytes;
            size_t size;

            assert_int_equal(zf_picture_init(&small, width, 1, NULL), ZF_OK);
            memset(small.pixels, 100, (size_t)(3 * width));
            assert_int_equal(zf_picture_encode(&small, quality, &bytes, &size, NULL), ZF_OK);
            status = zf_picture_decode(bytes, size, "dot", 256, NULL, &picture, NULL, &err);
            assert_int_equal(status, width == 1 ? ZF_EINPUT : ZF_OK);
            if (width == 1) {
                assert_non_null(strstr(err.message, "dot: 1 x 1 px"));
            } else {
                assert_in_range(largest_difference(&small, &picture), 0, quality == 0 ? 0 : 4);
                assert_int_equal(zf_picture_square(&picture,
                                                   zf_geometry_square(ZF_RESIZE_SHORT, 64), &square,
                                                   NULL),
                                 ZF_OK);
                for (int i = 0; i < 64 * 64; i++)
                    assert_memory_equal(square.pixels + 3 * i, picture.pixels, 3);
            }
            zf_picture_release(&square);
            zf_picture_release(&picture);
            zf_picture_release(&small);
            zf_bytes_free(bytes);
        }
    }
}

static void a_truncated_png_is_refused_by_name(void **state)
{
    struct zf_picture scene = paint_scene(60, 50);
    size_t size;
    uint8_t *bytes;

    (void)state;
    assert_int_equal(zf_picture_encode(&scene, 0, &bytes, &size, NULL), ZF_OK);
    /* Its last 12 bytes are the end chunk; 4 before that are a checksum. */
    for (size_t n = 1; n < size - 16; n += 37)
        refuse(bytes, n, NULL, "cat.jpg");
    zf_bytes_free(bytes);
    zf_picture_release(&scene);
}

static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

static void a_picture_beyond_the_limits_is_refused_from_its_header(void **state)
{
    const struct zf_picture_limits side = {.max_side = 59}, pixels = {.max_pixels = 2999},
                                   file = {.max_bytes = 100}, fits = {0, 60, 3000};
    struct zf_picture scene = paint_scene(60, 50), picture = {0};

    (void)state;
    for (int quality = 0; quality <= 90; quality += 90) {
        uint8_t *bytes;
        size_t size;

        assert_int_equal(zf_picture_encode(&scene, quality, &bytes, &size, NULL), ZF_OK);
        refuse(bytes, size, &side, "limit of 59 px");
        refuse(bytes, size, &pixels, "limit of 2999 pixels");
        refuse(bytes, size, &file, "limit of 100");
        assert_int_equal(zf_picture_decode(bytes, size, "", 0, &fits, &picture, NULL, NULL), ZF_OK);
        zf_picture_release(&picture);
        if (quality == 0) {
            uint32_t crc;

            memcpy(bytes + 16, "\0\0\x75\x30\0\0\x75\x30", 8); /* 30000 x 30000 */
            crc = crc_of(bytes + 12, 17);
            for (int i = 0; i < 4; i++)
                bytes[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
            refuse(bytes, size, NULL, "30000 x 30000");
        }
        zf_bytes_free(bytes);
    }
    zf_picture_release(&scene);
}

static void a_panorama_within_the_number_of_pixels_passes_whatever_its_side(void **state)
{
    (void)state;
    for (int upright = 0; upright < 2; upright++) {
        struct zf_picture scene = upright ? paint_scene(8, 60000) : paint_scene(60000, 8),
                          picture = {0}, square = {0};

        for (int quality = 0; quality <= 95; quality += 95) {
            const struct zf_geometry geometry = zf_geometry_square(ZF_RESIZE_SHORT, 16);
            uint8_t *bytes;
            size_t size;

            assert_int_equal(zf_picture_encode(&scene, quality, &bytes, &size, NULL), ZF_OK);
            picture = decode(bytes, size, 0, NULL);
            assert_in_range(largest_difference(&scene, &picture), 0, quality == 0 ? 0 : 12);
            assert_int_equal(zf_picture_square(&picture, geometry, &square, NULL), ZF_OK);
            zf_picture_release(&square);
            zf_picture_release(&picture);
            zf_bytes_free(bytes);
        }
        zf_picture_release(&scene);
    }
}

static void what_is_no_picture_is_refused_whatever_it_is_called(void **state)
{
    static const char text[] = "Dear sir, this is a letter and not a picture at all. Yours.\n";
    char directory[] = "/tmp/zf-image-XXXXXX", path[64], empty[64];
    struct zf_picture picture = {0};
    struct zf_error err = {0};

    (void)state;
    refuse((const uint8_t *)text, sizeof text, NULL, "not a picture");
    refuse((const uint8_t *)"x", 1, NULL, "not a picture");
    refuse((const uint8_t *)"#?RADIANCE\n-Y 2 +X 2\n", 22, NULL,
           "not a picture"); /* of a blocked loader */
    refuse((const uint8_t *)"", 0, NULL, "empty");
    refuse((const uint8_t *)"\xFF\xD8\xFF", 3, NULL, "truncated");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.jpg", directory);
    snprintf(empty, sizeof empty, "%s/b.jpg", directory);
    assert_int_equal(zf_picture_load(path, 0, NULL, &picture, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(zf_file_write(path, text, sizeof text, NULL), ZF_OK);
    assert_int_equal(zf_file_write(empty, text, 0, NULL), ZF_OK);
    assert_int_equal(zf_picture_load(path, 0, NULL, &picture, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(zf_picture_load(empty, 0, NULL, &picture, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "empty"));
    assert_int_equal(zf_picture_load(directory, 0, NULL, &picture, NULL, &err), ZF_EINPUT);
    assert_null(picture.pixels);
    unlink(path);
    unlink(empty);
    rmdir(directory);
}

static void a_picture_survives_png_exactly_and_jpeg_nearly(void **state)
{
    char directory[] = "/tmp/zf-image-XXXXXX", path[64];
    struct zf_picture scene = paint_scene(70, 31), picture = {0};
    struct zf_error err = {0};
    uint8_t *bytes = NULL;
    size_t size;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.png", directory);
    assert_int_equal(zf_picture_save_png(&scene, path, NULL), ZF_OK);
    assert_int_equal(zf_picture_load(path, 0, NULL, &picture, NULL, NULL), ZF_OK);
    assert_int_equal(largest_difference(&scene, &picture), 0);
    zf_picture_release(&picture);
    assert_int_equal(zf_picture_encode(&scene, 95, &bytes, &size, NULL), ZF_OK);
    assert_memory_equal(bytes, "\xFF\xD8\xFF", 3);
    picture = decode(bytes, size, 0, NULL);
    assert_in_range(largest_difference(&scene, &picture), 0, 12);
    zf_bytes_free(bytes);
    bytes = NULL;
    assert_int_equal(zf_picture_encode(&scene, 101, &bytes, &size, NULL), ZF_EINVAL);
    assert_null(bytes);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
    assert_int_equal(zf_picture_save_png(&scene, path, &err), ZF_EIO);
    assert_non_null(strstr(err.message, path));
    zf_picture_release(&picture);
    zf_picture_release(&scene);
}

static int64_t allowed;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allowed-- > 0;
}

static void each_failing_allocation_is_reported_and_nothing_leaks(void **state)
{
    struct zf_picture scene = paint_scene(30, 20);
    uint8_t exif[64], *files[2];
    size_t sizes[2];
    struct jpeg_kind kind = {.exif = exif};

    (void)state;
    kind.exif_size = exif_write(exif, 6, true);
    files[0] = jpeg_write(&scene, NULL, &kind, &sizes[0]);
    assert_int_equal(zf_picture_encode(&scene, 0, &files[1], &sizes[1], NULL), ZF_OK);
    for (int i = 0; i < 2; i++) {
        enum zf_status status = ZF_ENOMEM;
        int64_t n = 0;

        for (; status != ZF_OK; n++) {
            struct zf_picture picture = {0}, square = {0};
            uint8_t *bytes = NULL;
            size_t size;

            allowed = n;
            zf_alloc_allowed = allow_some;
            status = zf_picture_decode(files[i], sizes[i], "", 0, NULL, &picture, NULL, NULL);
            if (status == ZF_OK)
                status = zf_picture_square(&picture, zf_geometry_square(ZF_RESIZE_SHORT, 16),
                                           &square, NULL);
            if (status == ZF_OK)
                status = zf_picture_encode(&square, 0, &bytes, &size, NULL);
            zf_alloc_allowed = NULL;
            assert_true(status == ZF_OK || (status == ZF_ENOMEM && !bytes));
            zf_picture_release(&picture);
            zf_picture_release(&square);
            zf_bytes_free(bytes);
        }
        assert_true(n > 8);
    }
    free(files[0]);
    zf_bytes_free(files[1]);
    zf_picture_release(&scene);
}

struct work {
    const uint8_t *files[3];
    size_t sizes[3];
    const struct zf_picture *scene;
    int wrong;
};

static void *decode_in_thread(void *argument)
{
    struct work *work = argument;

    for (int i = 0; i < 60; i++) {
        struct zf_picture picture = {0};
        struct zf_error err = {0};
        const int which = i % 3;
        const enum zf_status status = zf_picture_decode(work->files[which], work->sizes[which], "n",
                                                        0, NULL, &picture, NULL, &err);

        if (which == 2)
            work->wrong += status != ZF_EINPUT || strncmp(err.message, "n: ", 3) != 0;
        else
            work->wrong += status != ZF_OK || largest_difference(&picture, work->scene) > 12;
        zf_picture_release(&picture);
    }
    return NULL;
}

static void threads_decode_side_by_side(void **state)
{
    enum { THREADS = 4 };
    struct zf_picture scene = paint_scene(50, 40);
    struct work work[THREADS] = {{.scene = &scene}};
    pthread_t threads[THREADS];
    uint8_t *png, *jpeg;

    (void)state;
    assert_int_equal(zf_picture_encode(&scene, 0, &png, &work[0].sizes[0], NULL), ZF_OK);
    assert_int_equal(zf_picture_encode(&scene, 95, &jpeg, &work[0].sizes[1], NULL), ZF_OK);
    work[0].files[0] = work[0].files[2] = png;
    work[0].files[1] = jpeg;
    work[0].sizes[2] = work[0].sizes[0] / 2;
    for (int i = 1; i < THREADS; i++)
        work[i] = work[0];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_in_thread, &work[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(work[i].wrong, 0);
    }
    zf_bytes_free(png);
    zf_bytes_free(jpeg);
    zf_picture_release(&scene);
}

static void what_is_no_picture_is_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *word;
    } others[] = {
        {"\xEF\xBB\xBF\n<!DOCTYPE HTML><p>404", 25, "a web page"},
        {"<?xml version='1.0'?><svg/>", 27, "an SVG drawing"},
        {"version https://git-lfs.github.com/spec/v1", 42, "git lfs pull"},
        {"%PDF-1.7", 8, "a PDF"},
        {"\xFF\x0A\x08\x10", 4, "JPEG XL"},
        {"8BPS\0\1", 6, "Photoshop"},
        {"\0\0\0\x18"
         "ftypcrx \0\0\0\1",
         16, "raw file"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "nothing but zeros"},
        {"PK\003\004", 4, "a zip archive: unpack it first"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        refuse((const uint8_t *)others[i].bytes, others[i].size, NULL, others[i].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_picture_is_named),
        cmocka_unit_test(alpha_is_laid_over_white),
        cmocka_unit_test(sixteen_bits_and_grey_become_rgb_of_eight),
        cmocka_unit_test(a_picture_of_one_pixel_is_refused_and_one_of_two_is_not),
        cmocka_unit_test(a_truncated_png_is_refused_by_name),
        cmocka_unit_test(a_picture_beyond_the_limits_is_refused_from_its_header),
        cmocka_unit_test(a_panorama_within_the_number_of_pixels_passes_whatever_its_side),
        cmocka_unit_test(what_is_no_picture_is_refused_whatever_it_is_called),
        cmocka_unit_test(a_picture_survives_png_exactly_and_jpeg_nearly),
        cmocka_unit_test(each_failing_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(threads_decode_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
