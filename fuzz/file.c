/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/zf-fuzz-XXXXXX", path[sizeof directory + 64];

static void clear(void)
{
    unlink(path);
    rmdir(directory);
}

const char *fuzz_directory(void)
{
    return directory;
}

/* A new file each time: what is still mapped of the last one stays as it is. */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *file;

    if (path[0] == '\0') {
        if (!mkdtemp(directory) || atexit(clear) != 0)
            abort();
        snprintf(path, sizeof path, "%s/%s", directory, name);
    }
    unlink(path);
    file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
    return path;
}
