/* SPDX-License-Identifier: MIT */
#include "onnx_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define MOST_MODELS 200

static const char *models_directory(void)
{
    const char *directory = getenv("ZF_TEST_ONNX");

    if (!directory)
        fail_msg("ZF_TEST_ONNX should name tests/onnx; meson test sets it");
    return directory;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **onnx_paths(void)
{
    char **paths = calloc(MOST_MODELS + 1, sizeof *paths);
    const char *directory = models_directory();
    DIR *dir = opendir(directory);
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(dir);
    assert_non_null(paths);
    while ((entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);

        if (length < 5 || strcmp(entry->d_name + length - 5, ".onnx") != 0)
            continue;
        assert_true(count < MOST_MODELS);
        paths[count] = calloc(strlen(directory) + length + 2, 1);
        snprintf(paths[count++], strlen(directory) + length + 2, "%s/%s", directory, entry->d_name);
    }
    closedir(dir);
    qsort(paths, count, sizeof *paths, compare);
    return paths;
}

void onnx_paths_free(char **paths)
{
    for (size_t i = 0; paths[i]; i++)
        free(paths[i]);
    free(paths);
}

Onnx__ModelProto *onnx_model(const char *name)
{
    Onnx__ModelProto *model;
    struct zf_bytes bytes = {0};
    struct zf_error err;
    char path[1024];

    snprintf(path, sizeof path, "%s/%s.onnx", models_directory(), name);
    if (zf_bytes_map(&bytes, path, SIZE_MAX, &err) != ZF_OK)
        fail_msg("%s", err.message);
    model = onnx__model_proto__unpack(NULL, bytes.size, bytes.data);
    zf_bytes_release(&bytes);
    assert_non_null(model);
    return model;
}

void onnx_place_init(struct onnx_place *place)
{
    strcpy(place->directory, "/tmp/zf-test-onnx-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof place->path, "%s/bent.onnx", place->directory);
}

void onnx_place_release(struct onnx_place *place)
{
    unlink(place->path);
    assert_int_equal(rmdir(place->directory), 0);
}

void onnx_write_bytes(const struct onnx_place *place, const void *bytes, size_t size)
{
    FILE *stream = fopen(place->path, "wb");

    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

void onnx_write(const struct onnx_place *place, const Onnx__ModelProto *model)
{
    const size_t size = onnx__model_proto__get_packed_size(model);
    uint8_t *bytes = malloc(size);

    assert_non_null(bytes);
    onnx__model_proto__pack(model, bytes);
    onnx_write_bytes(place, bytes, size);
    free(bytes);
}

void onnx_assert_refused(const struct onnx_place *place, const struct zf_model_options *options,
                         enum zf_status status, const char *expected)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    const enum zf_status found = zf_model_open(place->path, options, &net, &err);

    if (found != status || net || !strstr(err.message, expected) ||
        !strstr(err.message, place->path))
        fail_msg("expected %d with '%s', got %d '%s'", status, expected, found, err.message);
}
