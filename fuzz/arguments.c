/* SPDX-License-Identifier: MIT */
/* A command line, a word each up to a line's end, held against the options of an experiment; the
   first byte says of which. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "../cli/args.h"
#include "zf/experiment.h"

enum { MOST_WORDS = 64 };

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1), *words[MOST_WORDS], *rest = text;
    const struct zf_experiment *experiment = size > 0 ? zf_experiment_at(bytes[0] % 9) : NULL;
    struct option_table table;
    struct args args = {0};
    struct zf_error err;
    bool accepted, all;
    int count = 0;
    void *target;

    if (!text)
        abort();
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (!experiment) {
        free(text);
        return false;
    }
    rest++;
    while (count < MOST_WORDS && rest) {
        words[count++] = rest;
        rest = strchr(rest, '\n');
        if (rest)
            *rest++ = '\0';
    }
    table = (struct option_table){experiment->options, experiment->option_count};
    target = calloc(1, experiment->options_size + 1);
    if (!target)
        abort();
    args_ask_help(count, words, &all);
    accepted = args_parse(&args, count, words, &table, 1, 2, &err) == ZF_OK &&
               args_read(&args, table, target, &err) == ZF_OK;
    args_release(&args);
    free(target);
    free(text);
    return accepted;
}
