/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A positional word that stands right behind a repeatable option's value may be one more of it. */
struct word {
    const char *text;
    const struct zf_option *after; /* that option, or NULL */
};

/* What a walk over argv has found so far. */
struct parser {
    struct args *args;
    const struct option_table *tables;
    size_t table_count;
    struct word *words;
    size_t word_count;
};

static const struct {
    char letter;
    const char *name;
} letters[] = {{'o', "out"}, {'h', "help"}, {'q', "quiet"}};

char option_letter(const struct zf_option *option)
{
    if (option->name[1] == '\0')
        return option->name[0];
    for (size_t i = 0; i < ZF_COUNT(letters); i++) {
        if (strcmp(letters[i].name, option->name) == 0)
            return letters[i].letter;
    }
    return 0;
}

bool option_repeats(const struct zf_option *option)
{
    const size_t length = strlen(option->unit);

    return option->kind == ZF_OPTION_TEXT && length > 3 &&
           strcmp(option->unit + length - 3, "...") == 0;
}

#define LONGEST_NAME 40 /* of an option in a suggestion */

static enum zf_status fail_unknown(const struct parser *parser, const char *shown, const char *name,
                                   struct zf_error *err)
{
    const char *names[128];
    char spelled[LONGEST_NAME + 1] = "";
    size_t count = 0;
    const char *closest;

    for (size_t t = 0; t < parser->table_count; t++) {
        for (size_t i = 0; i < parser->tables[t].count && count < ZF_COUNT(names); i++)
            names[count++] = parser->tables[t].options[i].name;
    }
    closest = zf_word_closest(name, names, count);
    if (!closest)
        return zf_fail(err, ZF_EINVAL, "there is no option %s", shown);
    for (size_t i = 0; closest[i] && i < LONGEST_NAME; i++)
        spelled[i] = closest[i] == '_' ? '-' : closest[i];
    return zf_fail(err, ZF_EINVAL, "there is no option %s; did you mean %s%s?", shown,
                   spelled[1] ? "--" : "-", spelled);
}

static const struct zf_option *find_letter(const struct parser *parser, char letter)
{
    for (size_t t = 0; t < parser->table_count; t++) {
        for (size_t i = 0; i < parser->tables[t].count; i++) {
            if (option_letter(&parser->tables[t].options[i]) == letter)
                return &parser->tables[t].options[i];
        }
    }
    return NULL;
}

static const struct zf_option *find_name(const struct parser *parser, const char *name)
{
    const struct zf_option *found = NULL;

    for (size_t t = 0; t < parser->table_count && !found; t++)
        found = zf_option_find(parser->tables[t].options, parser->tables[t].count, name);
    return found;
}

/* One option at argv[*at]; *at ends on the last word used. */
static enum zf_status take_option(struct parser *parser, int argc, char **argv, int *at,
                                  const struct zf_option **taken, struct zf_error *err)
{
    const char *word = argv[*at];
    const char *text = NULL;
    const struct zf_option *option;
    char name[64] = "";

    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        const size_t length = equals ? (size_t)(equals - word - 2) : strlen(word + 2);

        if (length < sizeof name)
            memcpy(name, word + 2, length);
        text = equals ? equals + 1 : NULL;
        option = find_name(parser, name);
    } else {
        name[0] = word[1];
        text = word[2] ? word + 2 : NULL;
        option = find_letter(parser, word[1]);
    }
    if (!option) { /* "-data" may be meant for "--data" */
        snprintf(parser->args->unknown, sizeof parser->args->unknown, "%s",
                 word[1] == '-' ? name : word + 1);
        return fail_unknown(parser, word, parser->args->unknown, err);
    }
    if (!text && option->kind != ZF_OPTION_FLAG) {
        if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
            return zf_fail(err, ZF_EINVAL, "%s needs a value (%s)", word, option->unit);
        text = argv[++*at];
    }
    parser->args->settings[parser->args->setting_count++] = (struct zf_setting){option, text};
    *taken = option;
    return ZF_OK;
}

/* Words beyond `most` that stand behind a repeatable option become values of it. */
static void sort_words(struct parser *parser, size_t most)
{
    struct args *args = parser->args;
    size_t excess = parser->word_count > most ? parser->word_count - most : 0;

    for (size_t i = 0; i < parser->word_count; i++) {
        const struct word *word = &parser->words[i];

        if (excess > 0 && word->after) {
            args->settings[args->setting_count++] = (struct zf_setting){word->after, word->text};
            excess--;
        } else {
            args->words[args->word_count++] = word->text;
        }
    }
}

/* All values of a repeatable option in its first setting, joined by commas; the others go. */
static enum zf_status join_repeated(struct args *args, size_t first, struct zf_error *err)
{
    const struct zf_option *option = args->settings[first].option;
    size_t size = 0, kept = first + 1;
    char *text, *end;

    for (size_t i = first; i < args->setting_count; i++) {
        if (args->settings[i].option == option)
            size += strlen(args->settings[i].text) + 1;
    }
    text = end = malloc(size);
    if (!text)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (size_t i = first; i < args->setting_count; i++) {
        if (args->settings[i].option == option) {
            const size_t length = strlen(args->settings[i].text);

            memcpy(end, args->settings[i].text, length);
            end[length] = ',';
            end += length + 1;
        } else {
            args->settings[kept++] = args->settings[i];
        }
    }
    end[-1] = '\0';
    args->setting_count = kept;
    args->settings[first].text = text;
    args->joined[args->joined_count++] = text;
    return ZF_OK;
}

enum zf_status args_parse(struct args *args, int argc, char **argv,
                          const struct option_table *tables, size_t table_count, size_t most,
                          struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const size_t room = (size_t)argc + 1;
    const struct zf_option *after = NULL;
    struct parser parser = {.args = args, .tables = tables, .table_count = table_count};
    bool options_ended = false;

    *args = (struct args){0};
    args->settings = calloc(room, sizeof *args->settings);
    args->words = calloc(room, sizeof *args->words);
    args->joined = calloc(room, sizeof *args->joined);
    parser.words = calloc(room, sizeof *parser.words);
    if (!args->settings || !args->words || !args->joined || !parser.words)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "out of memory"));
    for (int i = 0; i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
            after = NULL;
        } else if (!options_ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            ZF_TRY(take_option(&parser, argc, argv, &i, &after, err));
            if (!option_repeats(after))
                after = NULL;
        } else {
            parser.words[parser.word_count++] = (struct word){argv[i], after};
        }
    }
    sort_words(&parser, most);
    for (size_t i = 0; i < args->setting_count; i++) {
        if (option_repeats(args->settings[i].option))
            ZF_TRY(join_repeated(args, i, err));
    }
fail:
    free(parser.words);
    return status;
}

void args_release(struct args *args)
{
    for (size_t i = 0; i < args->joined_count; i++)
        free(args->joined[i]);
    free(args->joined);
    free(args->settings);
    free(args->words);
    *args = (struct args){0};
}

enum zf_status args_read(const struct args *args, struct option_table table, void *target,
                         struct zf_error *err)
{
    zf_options_defaults(table.options, table.count, target);
    return zf_settings_apply(args->settings, args->setting_count, table.options, table.count,
                             target, err);
}

bool args_ask_help(int argc, char **argv, bool *all)
{
    bool asked = false;

    *all = false;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        *all = *all || strcmp(argv[i], "--help-all") == 0 || strcmp(argv[i], "--help_all") == 0;
        asked = asked || *all || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    }
    return asked;
}

#define LONGEST_SIDE 65535 /* px */

/* Digits up to `end`, which *at is put behind; 0 where they are no side. */
static int64_t parse_side(const char **at, char end)
{
    const size_t digits = strspn(*at, "0123456789");
    const int64_t side = digits > 0 && digits < 6 ? strtoll(*at, NULL, 10) : 0;

    if ((*at)[digits] != end || side > LONGEST_SIDE)
        return 0;
    *at += digits + 1;
    return side;
}

enum zf_status parse_sides(const char *text, const char *what, int64_t *height, int64_t *width,
                           struct zf_error *err)
{
    const bool two = strchr(text, 'x') != NULL;
    const char *at = text;
    const int64_t first = parse_side(&at, two ? 'x' : '\0');
    const int64_t second = two && first > 0 ? parse_side(&at, '\0') : first;

    if (first < 1 || second < 1)
        return zf_fail(err, ZF_EINVAL, "%s takes HxW or PX, pixels from 1 to %d, not '%s'", what,
                       LONGEST_SIDE, text);
    *height = first;
    *width = second;
    return ZF_OK;
}
