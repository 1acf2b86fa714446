/* SPDX-License-Identifier: MIT */
#include "tar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data_fixture.h"

static uint8_t *grow(struct tar_made *tar, size_t size)
{
    tar->bytes = realloc(tar->bytes, tar->size + size);
    assert_non_null(tar->bytes);
    memset(tar->bytes + tar->size, 0, size);
    tar->size += size;
    return tar->bytes + tar->size - size;
}

void tar_sum(struct tar_made *tar, size_t header)
{
    uint8_t *block = tar->bytes + header;
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (int k = 0; k < 512; k++)
        sum += block[k];
    snprintf((char *)block + 148, 8, "%06o", sum);
}

size_t tar_put(struct tar_made *tar, char type, const char *name, const void *bytes, size_t size)
{
    const size_t header = tar->size;
    uint8_t *block = grow(tar, 512);

    memcpy(block, name, strlen(name));
    memcpy(block + 100, "0000644", 7);
    snprintf((char *)block + 124, 12, "%011zo", size);
    memcpy(block + 136, "00000000000", 11);
    block[156] = (uint8_t)type;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    tar_sum(tar, header);
    if (size > 0)
        memcpy(grow(tar, (size + 511) / 512 * 512), bytes, size);
    return header;
}

size_t tar_put_text(struct tar_made *tar, const char *name, const char *text)
{
    return tar_put(tar, '0', name, text, strlen(text));
}

size_t tar_put_picture(struct tar_made *tar, const char *name, int number)
{
    char path[] = "/tmp/zfscope-tar-XXXXXX/x.png";
    uint8_t *bytes;
    size_t size, header;

    path[23] = '\0';
    assert_non_null(mkdtemp(path));
    path[23] = '/';
    fixture_picture(path, number);
    bytes = fixture_read(path, &size);
    header = tar_put(tar, '0', name, bytes, size);
    free(bytes);
    remove(path);
    path[23] = '\0';
    remove(path);
    return header;
}

void tar_end(struct tar_made *tar)
{
    grow(tar, 1024);
}

void tar_save(struct tar_made *tar, const char *path)
{
    fixture_write(path, tar->bytes, tar->size);
    free(tar->bytes);
    *tar = (struct tar_made){0};
}
