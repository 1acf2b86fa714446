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
                                   word or NULL; of TEXT: NULL, or words that
                                   mean something, NULL terminated */
};

/*
 * A row of a table, for `field` of `struct type`, whose name is the option's:
 *
 *     static const struct zf_option options[] = {
 *         ZF_OPTION_ROW_INT(trial, batch, "N", "pictures at a time", 64, 1, 4096),
 *         ZF_OPTION_ROW_FLAG(trial, strict, "stop at the first bad picture"),
 *     };
 */
#define ZF_OPTION_ROW(type, field, unit, help, kind, initial, min, max, choices)                   \
    ZF_OPTION_ROW_AS(#field, type, field, unit, help, kind, initial, min, max, choices)
#define ZF_OPTION_ROW_INT(type, field, unit, help, initial, min, max)                              \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_INT, initial, min, max, NULL)
#define ZF_OPTION_ROW_REAL(type, field, unit, help, initial, min, max)                             \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_REAL, initial, min, max, NULL)
#define ZF_OPTION_ROW_FLAG(type, field, help)                                                      \
    ZF_OPTION_ROW(type, field, "", help, ZF_OPTION_FLAG, 0, 0, 0, NULL)
#define ZF_OPTION_ROW_CHOICE(type, field, unit, help, initial, choices)                            \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_CHOICE, initial, 0, 0, choices)
#define ZF_OPTION_ROW_TEXT(type, field, unit, help)                                                \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_TEXT, 0, 0, 0, NULL)
/* Text of which some words mean something of their own, for those who complete or show it. */
#define ZF_OPTION_ROW_WORDS(type, field, unit, help, words)                                        \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_TEXT, 0, 0, 0, words)
#define ZF_OPTION_ROW_EXTENTS(type, field, unit, help, initial, min, max, word)                    \
    ZF_OPTION_ROW(type, field, unit, help, ZF_OPTION_EXTENTS, initial, min, max, word)
/* One whose name is not the field's. */
#define ZF_OPTION_ROW_AS(name, type, field, unit, help, kind, initial, min, max, choices)          \
    {                                                                                              \
        name, unit, help, kind, offsetof(struct type, field), initial, min, max, choices           \
    }

/** Write every default into `target`. TEXT becomes NULL. */
ZF_API void zf_options_defaults(const struct zf_option *options, size_t count, void *target);

/**
 * Parse `text` as the value of `option` into its field of `target`.
 * Returns ZF_EINVAL with the option, the value read, and what would fit.
 */
ZF_API enum zf_status zf_option_set(const struct zf_option *option, const char *text, void *target,
                                    struct zf_error *err);

/* What was given for one option, on a command line or in a form. Lent. */
struct zf_setting {
    const struct zf_option *option; /* a row of some table */
    const char *text;               /* NULL for a FLAG that is set by its name alone */
};

/**
 * Set in `target` what `settings` say about the rows of `options`, in their order; settings of
 * other tables are passed over, and what nothing is said about stays. Returns what zf_option_set()
 * does.
 */
ZF_API enum zf_status zf_settings_apply(const struct zf_setting *settings, size_t setting_count,
                                        const struct zf_option *options, size_t count, void *target,
                                        struct zf_error *err);

/**
 * The value that `target` has for an option: of a FLAG 0 or 1, of a CHOICE its index, of TEXT and
 * EXTENTS 0.
 */
ZF_API double zf_option_number(const struct zf_option *option, const void *target);

/** Put a value there; of an EXTENTS its one number, of a TEXT NULL. */
ZF_API void zf_option_put(const struct zf_option *option, double value, void *target);

/** The largest value of an option: of a FLAG 1, of a CHOICE its last index. */
ZF_API double zf_option_largest(const struct zf_option *option);

/** The text that `target` has for a TEXT option; NULL = none, and of every other kind. */
ZF_API const char *zf_option_text(const struct zf_option *option, const void *target);

/** The option of that name ('-' and '_' are the same), or NULL. */
ZF_API const struct zf_option *zf_option_find(const struct zf_option *options, size_t count,
                                              const char *name);

/* ---- Words and lists, as a TEXT option holds them. ---- */

/** The candidate closest to `word` by edit distance ('-' and '_' are the same), NULL if none is. */
ZF_API const char *zf_word_closest(const char *word, const char *const *candidates, size_t count);

/**
 * A comma list as NULL-terminated strings, handed over in one piece: free with zf_free(). Of NULL,
 * none. ZF_ENOMEM.
 */
ZF_API enum zf_status zf_list_split(const char *text, char ***items, size_t *count,
                                    struct zf_error *err);

/**
 * A comma list of whole numbers >= 0, at least one; *values is handed over, free with zf_free().
 * ZF_EINVAL names `what`; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_list_numbers(const char *text, const char *what, int64_t **values,
                                      size_t *count, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
