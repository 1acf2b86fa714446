/* SPDX-License-Identifier: MIT */
/**
 * Option tables: one description of an option serves the command line, --help, spec files and
 * JSON, so that a fact stands once.
 *
 * A table is an array of `struct zf_option` that describes the fields of one options struct. Names
 * use '-' on the command line and '_' in spec files; the table holds the '_' form.
 */
#ifndef ZF_OPTION_H
#define ZF_OPTION_H

#include "zf/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum zf_option_kind {
    ZF_OPTION_INT,     /* int64_t */
    ZF_OPTION_REAL,    /* double */
    ZF_OPTION_FLAG,    /* bool; on the command line it takes no value */
    ZF_OPTION_CHOICE,  /* int: index into `choices` */
    ZF_OPTION_TEXT,    /* const char *: lent, points into the parsed text */
    ZF_OPTION_EXTENTS, /* struct zf_extents: "3", "3x5", "1x1x2x2" */
};

/* One number for all directions, two (height, width), or four (top, left, bottom, right). A count
   of 0 stands for the word that `choices` of its option holds, such as "all". */
struct zf_extents {
    int count;
    int64_t value[4];
};

struct zf_option {
    const char *name; /* "weight_decay" */
    const char
        *unit; /* "px", "images", "FILE", ...: what stands for the value in help; may be "" */
    const char *help; /* one line, no full stop */
    enum zf_option_kind kind;
    size_t offset;              /* of the field in its struct */
    double initial;             /* default of INT, REAL, FLAG, CHOICE; the one
                                   number of EXTENTS */
    double min, max;            /* range of INT, REAL and EXTENTS, inclusive */
    const char *const *choices; /* of CHOICE: NULL terminated; of EXTENTS: one
                                   word or NULL */
};

/** Write every default into `target`. TEXT becomes NULL. */
ZF_API void zf_options_defaults(const struct zf_option *options, size_t count, void *target);

/**
 * Parse `text` as the value of `option` into its field of `target`.
 * Returns ZF_EINVAL with the option, the value read, and what would fit.
 */
ZF_API enum zf_status zf_option_set(const struct zf_option *option, const char *text, void *target,
                                    struct zf_error *err);

/**
 * The value that `target` has for an option: of a FLAG 0 or 1, of a CHOICE its index, of TEXT and
 * EXTENTS 0.
 */
ZF_API double zf_option_number(const struct zf_option *option, const void *target);

/** The option of that name ('-' and '_' are the same), or NULL. */
ZF_API const struct zf_option *zf_option_find(const struct zf_option *options, size_t count,
                                              const char *name);

#ifdef __cplusplus
}
#endif

#endif
