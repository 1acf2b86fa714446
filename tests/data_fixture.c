/* SPDX-License-Identifier: MIT */
#include "data_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"

int fixture_setup(void **state)
{
    const char *root = getenv("TMPDIR");
    char *path = malloc(FIXTURE_PATH);

    if (!path)
        return -1;
    snprintf(path, FIXTURE_PATH, "%s/zfscope-test-XXXXXX", root ? root : "/tmp");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

int fixture_teardown(void **state)
{
    const int result = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    free(*state);
    return result;
}

const char *fixture_path(void *const *state, const char *name)
{
    static char buffers[8][2 * FIXTURE_PATH];
    static int next;
    char *buffer = buffers[next++ % 8];

    snprintf(buffer, sizeof buffers[0], "%s/%s", (const char *)*state, name);
    return buffer;
}

void fixture_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

uint8_t *fixture_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;
    long length;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    length = ftell(file);
    rewind(file);
    bytes = malloc((size_t)length + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (size_t)length, file);
    assert_int_equal(*size, length);
    fclose(file);
    return bytes;
}

void fixture_picture(const char *path, int number)
{
    struct zf_picture picture = {0};
    struct zf_error err = {0};
    uint8_t *png = NULL;
    size_t size;
    char folder[FIXTURE_PATH];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(zf_directory_make(folder, &err), ZF_OK);
    assert_int_equal(zf_picture_init(&picture, 24, 20, &err), ZF_OK);
    for (int i = 0; i < 24 * 20 * 3; i++)
        picture.pixels[i] = (uint8_t)(i * (7 + 2 * number) + i / 72 * 31 + number * 13);
    if (zf_picture_encode(&picture, 0, &png, &size, &err) != ZF_OK)
        fail_msg("%s", err.message);
    fixture_write(path, png, size);
    zf_bytes_free(png);
    zf_picture_release(&picture);
}

const char *fixture_folder(void *const *state, const char *name, int each)
{
    static const char *const classes[] = {"ant", "bee", "cat"};

    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < each; i++) {
            char path[FIXTURE_PATH];
            snprintf(path, sizeof path, "%s/%s/%d.png", name, classes[k], i);
            fixture_picture(fixture_path(state, path), k * each + i);
        }
    }
    return fixture_path(state, name);
}

struct zf_data *fixture_open(const char *name)
{
    struct zf_data *data = NULL;
    struct zf_error err = {0};

    if (zf_data_open(name, &data, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return data;
}

void fixture_refuse(const char *name, enum zf_status status, const char *word, const char *another)
{
    struct zf_data *data = NULL;
    struct zf_error err = {0};

    assert_int_equal(zf_data_open(name, &data, &err), status);
    assert_null(data);
    if (!strstr(err.message, word) || !strstr(err.message, another))
        fail_msg("expected '%s' and '%s' in: %s", word, another, err.message);
}

struct zf_net *fixture_net(int crop, int size, int classes)
{
    char spec[256];
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    snprintf(spec, sizeof spec,
             "[net]\nname = small\ninput = 3x%dx%d\nsize = %d\nclasses = %d\n"
             "[fc]\ntype = fc\nmaps = classes\n[prob]\ntype = softmax\n",
             crop, crop, size, classes);
    if (zf_net_parse_spec(spec, "small.ini", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}
