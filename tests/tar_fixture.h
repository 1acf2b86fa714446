/* SPDX-License-Identifier: MIT */
/* Tar files made in memory, right ones and others. */
#ifndef ZF_TESTS_TAR_FIXTURE_H
#define ZF_TESTS_TAR_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

struct tar_made {
    uint8_t *bytes;
    size_t size;
};

/* Append an entry, with its header where what is returned says; `name` has at most 100 bytes. */
size_t tar_put(struct tar_made *tar, char type, const char *name, const void *bytes, size_t size);

/* The same of a text, or of the picture of fixture_picture() of that number. */
size_t tar_put_text(struct tar_made *tar, const char *name, const char *text);
size_t tar_put_picture(struct tar_made *tar, const char *name, int number);

/* Make the sum of a header that was changed right again. */
void tar_sum(struct tar_made *tar, size_t header);

void tar_end(struct tar_made *tar);                    /* two blocks of zeros */
void tar_save(struct tar_made *tar, const char *path); /* and free */

#endif
