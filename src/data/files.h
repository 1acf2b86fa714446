/* SPDX-License-Identifier: MIT */
/* Which names in a folder are pictures, and which are left there by other programs. */
#ifndef ZF_DATA_FILES_H
#define ZF_DATA_FILES_H

#include <stdbool.h>

#include "zf/base.h"

/* Hidden, or made by a system, a NAS, an editor or version control for itself: nobody's class and
   nobody's picture, such as __MACOSX, Thumbs.db and @eaDir. */
bool zf_name_is_leftover(const char *name);

/* "train", "val" or "test" for a word that names such a part of a data set, in either case; NULL.
 */
const char *zf_part_of_data(const char *word, size_t length);

/** Whether one of a name's words is such a part: "seg_train", "test2017", "training-set". */
bool zf_name_has_part(const char *name);

enum zf_file_use {
    ZF_FILE_OTHER,   /* no picture */
    ZF_FILE_PICTURE, /* to be decoded */
    ZF_FILE_ARRAY,   /* numbers: a sample where there are no pictures */
    ZF_FILE_UNUSED,  /* looks like a picture, but is of no kind that is read */
};

/**
 * What a file is for, by its name's ending in either case. Where the ending does not decide, the
 * first bytes do: path is then opened. One that nobody may open is no picture; ZF_EIO and ZF_ENOMEM
 * where only this attempt failed.
 *
 * name  the last part of `path`
 */
enum zf_status zf_file_use_of(const char *path, const char *name, enum zf_file_use *use,
                              struct zf_error *err);

/* The same of a file that is no path, from its first ZF_KIND_BYTES; whether these are looked at. */
enum zf_file_use zf_file_use_of_head(const char *name, const uint8_t *head, size_t head_size,
                                     uint64_t file_size);
bool zf_file_use_needs_head(const char *name);

/* ".heic" of "IMG_1.HEIC", in lower case; "" without an ending, or with one of more than 11
 * letters.
 */
struct zf_ending {
    char text[13];
};
struct zf_ending zf_ending_of(const char *name);

#endif
