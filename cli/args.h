/* SPDX-License-Identifier: MIT */
/**
 * Reading a command line by option tables (zf/option.h).
 *
 * `--name value` and `--name=value`, with '-' or '_' within names; an option of one letter is
 * written `-k 9` or `-k9`. A TEXT option whose unit ends in "..." may be given several times, and
 * with several values in a row; they are joined by commas. "--" ends the options.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "zf/base.h"
#include "zf/option.h"

struct option_table {
    const struct zf_option *options;
    size_t count;
};

struct args {
    struct zf_setting *settings;
    size_t setting_count;
    const char **words; /* positional arguments */
    size_t word_count;
    char **joined;
    size_t joined_count;
    char unknown[64]; /* the option that is in no table, after args_parse() has failed with it */
};

/**
 * Sort argv[0..argc-1] into settings and positional words.
 *
 * tables   all options that may appear; lent, must outlive the args
 * most     positional words that the command takes; SIZE_MAX = any number. Words beyond it that
 *          follow a repeatable option directly are taken as more of its values.
 *
 * Returns ZF_EINVAL for an unknown option (with the closest known one) or a missing value,
 * ZF_ENOMEM. Release with args_release() in any case.
 */
enum zf_status args_parse(struct args *args, int argc, char **argv,
                          const struct option_table *tables, size_t table_count, size_t most,
                          struct zf_error *err);
void args_release(struct args *args);

/** What was given of `table` over its defaults. ZF_EINVAL for bad values. */
enum zf_status args_read(const struct args *args, struct option_table table, void *target,
                         struct zf_error *err);

/** Whether --help, -h or --help-all is among the words before a "--"; *all: the last one. */
bool args_ask_help(int argc, char **argv, bool *all);

/** The letter that stands for an option, 0 = none. */
char option_letter(const struct zf_option *option);

/** Whether an option may be given several times. */
bool option_repeats(const struct zf_option *option);

/**
 * Sides in pixels: "HxW", or "PX" for a square; 1 to 65535. ZF_EINVAL names `what`.
 */
enum zf_status parse_sides(const char *text, const char *what, int64_t *height, int64_t *width,
                           struct zf_error *err);

#endif
