/* SPDX-License-Identifier: MIT */
/*
 * How fast pictures become inputs on one thread: decode, 256 px square, 224 px crop to floats.
 *
 *     bench-decode [FILE...]      without files, a generated 500 x 375 JPEG
 *
 * Prints one line of CSV for each step: all pixels decoded and then resized to the square, the
 * square at once (which computes only the pixels that it takes), the crop, and, as "all", the last
 * two of these. A line has the step, pictures per second of
 * processor time (the best of several rounds, so that neighbours on the machine count little),
 * milliseconds a picture, and the mean size of the files, which most of the decoding goes by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "image/picture.h"

enum { ROUNDS = 7, SIZE = 256, CROP = 224, MAX_FILES = 1000 };

enum step { DECODE, RESIZE, SQUARE, PREPARE, STEPS };

static const char *const step_names[] = {"decode", "resize", "square", "prepare"};

struct file {
    uint8_t *bytes;
    size_t size;
    const char *name;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool read_file(const char *path, struct file *file)
{
    FILE *stream = fopen(path, "rb");
    long size = -1;

    if (stream && fseek(stream, 0, SEEK_END) == 0)
        size = ftell(stream);
    if (size > 0 && fseek(stream, 0, SEEK_SET) == 0) {
        file->bytes = malloc((size_t)size);
        file->size = file->bytes ? fread(file->bytes, 1, (size_t)size, stream) : 0;
        file->name = path;
    }
    if (stream)
        fclose(stream);
    return size > 0 && file->size == (size_t)size;
}

/* Something with edges, slopes and texture, about as hard to code as a photo of that size. */
static enum zf_status generate(struct file *file, struct zf_error *err)
{
    struct zf_picture picture = {0};
    uint32_t noise = 1;
    enum zf_status status = zf_picture_init(&picture, 500, 375, err);

    if (status != ZF_OK)
        return status;
    for (int64_t i = 0; i < 500 * 375 * 3; i++) {
        const int64_t x = i / 3 % 500, y = i / 1500, c = i % 3;
        const int64_t edge = ((x / 37 + y / 29) % 2) * 60;

        noise = noise * 1664525u + 1013904223u;
        picture.pixels[i] =
            (uint8_t)(20 + edge + (x * (c + 1) + y * (3 - c)) % 120 + (noise >> 28));
    }
    status = zf_picture_encode(&picture, 80, &file->bytes, &file->size, err);
    file->name = "generated";
    zf_picture_release(&picture);
    return status;
}

/* One round over all files; adds up the time of each step. */
static enum zf_status run_round(const struct file *files, int count, double times[STEPS],
                                struct zf_error *err)
{
    static float input[3 * CROP * CROP];
    const struct zf_preparation preparation = {.resize = ZF_RESIZE_SHORT,
                                               .size = SIZE,
                                               .mean = {124.0f, 117.0f, 104.0f},
                                               .scale = {1.0f, 1.0f, 1.0f}};
    const struct zf_shape shape = {3, CROP, CROP};

    for (int i = 0; i < count; i++) {
        const struct zf_source source = {.bytes = files[i].bytes,
                                         .size = files[i].size,
                                         .name = files[i].name,
                                         .short_side = SIZE};
        struct zf_picture picture = {0}, resized = {0}, square = {0};
        const double begin = seconds();
        double decoded, squared, loaded;
        enum zf_status status = zf_picture_decode(files[i].bytes, files[i].size, files[i].name,
                                                  SIZE, NULL, &picture, NULL, err);

        decoded = seconds();
        if (status == ZF_OK)
            status = zf_picture_square(&picture, zf_geometry_square(preparation.resize, SIZE),
                                       &resized, err);
        zf_picture_release(&picture); /* no step pays for memory that another one holds */
        zf_picture_release(&resized);
        squared = seconds();
        if (status == ZF_OK)
            status = zf_source_square(&source, zf_geometry_square(preparation.resize, SIZE),
                                      &square, NULL, err);
        loaded = seconds();
        if (status == ZF_OK)
            zf_picture_prepare(&square, &preparation, shape, zf_view_centre(&preparation, shape),
                               input);
        times[DECODE] += decoded - begin;
        times[RESIZE] += squared - decoded;
        times[SQUARE] += loaded - squared;
        times[PREPARE] += seconds() - loaded;
        zf_picture_release(&square);
        if (status != ZF_OK)
            return status;
    }
    return ZF_OK;
}

int main(int argc, char **argv)
{
    static struct file files[MAX_FILES];
    struct zf_error err = {0};
    double best[STEPS] = {1e9, 1e9, 1e9, 1e9}, total, kib = 0.0;
    int count = 0;

    for (int i = 1; i < argc && count < MAX_FILES; i++, count++) {
        if (!read_file(argv[i], &files[count])) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
    }
    if (count == 0) {
        if (generate(&files[0], &err) != ZF_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        count = 1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        const int repeats = count < 100 ? 100 / count : 1;
        double times[STEPS] = {0};

        for (int i = 0; i < repeats; i++) {
            if (run_round(files, count, times, &err) != ZF_OK) {
                fprintf(stderr, "%s\n", err.message);
                return 1;
            }
        }
        for (int s = 0; s < STEPS; s++) {
            const double each = times[s] / (repeats * count);

            best[s] = each < best[s] ? each : best[s];
        }
    }
    for (int i = 0; i < count; i++)
        kib += (double)files[i].size / 1024.0 / count;
    printf("step,images_per_second,milliseconds,kib_per_file\n");
    for (int s = 0; s < STEPS; s++) {
        printf("%s,%.1f,%.3f,%.1f\n", step_names[s], 1.0 / best[s], 1e3 * best[s], kib);
    }
    total = best[SQUARE] + best[PREPARE];
    printf("all,%.1f,%.3f,%.1f\n", 1.0 / total, 1e3 * total, kib);
    return 0;
}
