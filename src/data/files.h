/* SPDX-License-Identifier: MIT */
/* Which names in a folder are pictures, and which are left there by other programs. */
#ifndef ZF_DATA_FILES_H
#define ZF_DATA_FILES_H

#include <stdbool.h>

#include "zf/base.h"

/* Hidden, or made by a system, a NAS, an editor or version control for itself: nobody's class and
   nobody's picture, such as __MACOSX, Thumbs.db and @eaDir. */
bool zf_name_is_leftover(const char *name);

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

/* ".heic" of "IMG_1.HEIC", in lower case; "" without an ending, or with one of more than 11
 * letters.
 */
struct zf_ending {
    char text[13];
};
struct zf_ending zf_ending_of(const char *name);

#endif
