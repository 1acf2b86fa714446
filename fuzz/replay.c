/* SPDX-License-Identifier: MIT */
/*
 * Feeds a target with the files of a directory, with each file cut at every byte, and bent some
 * times. A file whose name begins with "good" must be accepted and one with "bad" refused; of the
 * others, which fuzzing found, it is asked that nothing breaks. What was bent must still be one of
 * its format: it can be bent again.
 *
 *     replay-TARGET DIRECTORY
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bend.h"
#include "target.h"

enum { LARGEST = 1 << 20, BENDS = 40 };

static bool read_file(const char *path, uint8_t *bytes, size_t *size)
{
    FILE *stream = fopen(path, "rb");

    if (!stream)
        return false;
    *size = fread(bytes, 1, LARGEST, stream);
    return fclose(stream) == 0;
}

/* In memory of exactly its size, so that a sanitizer sees a read beyond. */
static bool feed(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size + 1);
    bool accepted;

    if (!exact)
        abort();
    memcpy(exact + 1, bytes, size);
    accepted = fuzz_accepts(exact + 1, size);
    free(exact);
    return accepted;
}

/* Returns whether what was bent can be bent again. */
static bool bend(const char *name, const uint8_t *bytes, size_t size)
{
    uint8_t *bent = malloc(LARGEST);
    bool again = true;

    if (!bent)
        abort();
    for (uint64_t seed = 0; seed < BENDS && again; seed++) {
        size_t length;

        memcpy(bent, bytes, size);
        length = fuzz_bend(bent, size, LARGEST / 2, seed);
        if (length == 0)
            continue;
        feed(bent, length);
        again = fuzz_bend(bent, length, LARGEST, seed) > 0;
        if (!again)
            fprintf(stderr, "%s, bent with seed %d, is none of its format\n", name, (int)seed);
    }
    free(bent);
    return again;
}

/* Returns whether all was as it should be. */
static bool replay(const char *name, const uint8_t *bytes, size_t size)
{
    const bool accepted = feed(bytes, size);

    for (size_t cut = 0; cut < size; cut++)
        feed(bytes, cut);
    if (!bend(name, bytes, size))
        return false;
    if (strncmp(name, accepted ? "bad" : "good", accepted ? 3 : 4) != 0)
        return true;
    fprintf(stderr, "%s was %s\n", name, accepted ? "accepted" : "refused");
    return false;
}

int main(int argc, char **argv)
{
    uint8_t *bytes = malloc(LARGEST);
    DIR *listing = argc == 2 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    char path[4096];
    size_t size = 0;
    int files = 0, wrong = 0;

    if (!listing || !bytes) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(listing))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        files++;
        if (!read_file(path, bytes, &size)) {
            fprintf(stderr, "%s cannot be read\n", path);
            wrong++;
        } else {
            wrong += !replay(entry->d_name, bytes, size);
        }
    }
    closedir(listing);
    free(bytes);
    printf("%d files, %d wrong\n", files, wrong);
    return files == 0 || wrong > 0;
}
