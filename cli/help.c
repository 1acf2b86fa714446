/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "examples.h"
#include "zf/net.h"

#define TEXT_WIDTH 96
#define OPTION_COLUMN 26

/* Words of `text` from column `indent` on, which the cursor has reached. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;

    while (*text) {
        const int length = (int)strcspn(text, " \n");

        if (column > indent && column + 1 + length > TEXT_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%s%.*s", column > indent ? " " : "", length, text);
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void print_name(const struct zf_option *option, char *text, size_t size)
{
    const char letter = option_letter(option);
    char name[64] = "";

    for (size_t i = 0; option->name[i] && i + 1 < sizeof name; i++)
        name[i] = option->name[i] == '_' ? '-' : option->name[i];
    if (letter && name[1])
        snprintf(text, size, "  -%c, --%s", letter, name);
    else if (letter)
        snprintf(text, size, "  -%c", letter);
    else
        snprintf(text, size, "      --%s", name);
    if (option->kind != ZF_OPTION_FLAG && *option->unit)
        snprintf(text + strlen(text), size - strlen(text), " %s", option->unit);
}

/* "(1 to 65536, default 128)" */
static void print_range(const struct zf_option *option, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    switch (option->kind) {
    case ZF_OPTION_INT:
    case ZF_OPTION_REAL:
    case ZF_OPTION_EXTENTS:
        if (isfinite(option->max) && option->max < 1e15)
            snprintf(text, size, " (%.12g to %.12g, default %.12g)", option->min, option->max,
                     option->initial);
        else
            snprintf(text, size, " (default %.12g)", option->initial);
        break;
    case ZF_OPTION_CHOICE:
        used = (size_t)snprintf(text, size, " (");
        for (int i = 0; option->choices[i] && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                     option->choices[i]);
        if (used < size)
            snprintf(text + used, size - used, "; default %s)",
                     option->choices[(int)option->initial]);
        break;
    case ZF_OPTION_FLAG:
    case ZF_OPTION_TEXT:
        break;
    }
}

/* What --out means for a command. */
static const char *output_help(enum output_kind kind)
{
    switch (kind) {
    case OUTPUT_TEXT:
        return "write the result to this file instead of stdout";
    case OUTPUT_FILE:
        return "the file to write";
    case OUTPUT_DIRECTORY:
        return "the directory to fill; made if missing";
    case OUTPUT_EITHER:
        return "a directory to fill with a page and its files; or, with an ending such as .json, "
               "the file to write the result to instead of stdout";
    }
    return "";
}

static void print_option(FILE *out, const struct command *command, const struct zf_option *option)
{
    const bool is_out = strcmp(option->name, "out") == 0;
    char name[96], range[256], text[768];

    print_name(option, name, sizeof name);
    print_range(option, range, sizeof range);
    snprintf(text, sizeof text, "%s%s", is_out ? output_help(command->output) : option->help,
             range);
    if (strlen(name) + 2 > OPTION_COLUMN)
        fprintf(out, "%s\n%*s", name, OPTION_COLUMN, "");
    else
        fprintf(out, "%-*s", OPTION_COLUMN, name);
    print_wrapped(out, text, OPTION_COLUMN);
}

static void print_options(FILE *out, const struct command *command,
                          const struct command_table *block)
{
    if (block->table.count == 0)
        return;
    fprintf(out, "\n%s\n", block->title);
    for (size_t i = 0; i < block->table.count; i++)
        print_option(out, command, &block->table.options[i]);
}

/* Where the result goes is worth its lines in the short help; --help-all has the rest. */
static void print_short_end(FILE *out, const struct command *command)
{
    static const char *const shown[] = {"out", "json"};
    const struct option_table common = common_option_table();

    fputs("\nThe result:\n", out);
    for (size_t i = 0; i < ZF_COUNT(shown); i++)
        print_option(out, command, zf_option_find(common.options, common.count, shown[i]));
    fprintf(out, "\n`zfscope %s --help-all` has the options of %severy command as well.\n",
            command->name, command->imports ? "models, of pictures and of " : "");
}

static void print_builtin_nets(FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return;
    fputs("Built-in nets:", stream);
    for (size_t i = 0; zf_net_builtin_name(i); i++)
        fprintf(stream, "%s %s", i ? "," : "", zf_net_builtin_name(i));
    if (fclose(stream) == 0)
        print_wrapped(out, text, 0);
    free(text);
}

/* The most of what is read. */
static void print_limits(FILE *out)
{
    print_wrapped(out,
                  "Limits: a picture of 256 MiB and 100 million pixels (GIF, WebP, HEIC, AVIF: 50 "
                  "million), a model of 8 GiB and 2^31 parameters, a spec of 1 MiB, a list of 1 "
                  "GiB, an array of 4 GiB; more is refused with exit code 3. docs/limits.md has "
                  "all of them.",
                  0);
}

void help_overview(FILE *out, const struct command *const *commands, size_t count)
{
    fprintf(out,
            "zfscope %s: train a convnet and see what its feature maps look for\n"
            "\nUsage: zfscope COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n",
            zf_version());
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-13s%s\n", commands[i]->name, commands[i]->summary);
    fputc('\n', out);
    print_wrapped(
        out,
        "MODEL is a .safetensors or .onnx file; NET a spec file or the name of a built-in net; "
        "DATA a directory with one folder of pictures a class, a list.tsv, a packed "
        "file, tar shards ('shards/{000000..001281}.tar'), or synth:train and synth:val "
        "(generated); IMAGE any picture, or a .npy or "
        ".npz of prepared inputs.",
        0);
    print_builtin_nets(out);
    fputc('\n', out);
    print_limits(out);
    fputs("\n`zfscope COMMAND --help` tells the rest; so does `man zfscope`.\n", out);
}

void help_command(FILE *out, const struct command *command, bool all)
{
    struct command_table tables[MOST_TABLES];
    const size_t count = command_tables(command, tables);

    fprintf(out, "zfscope %s: %s\n\nUsage: zfscope %s%s%s [OPTIONS]\n", command->name,
            command->summary, command->name, *command->arguments ? " " : "", command->arguments);
    if (command->details) {
        fputc('\n', out);
        print_wrapped(out, command->details, 0);
    }
    fputs("\nExamples:\n", out);
    for (size_t i = 0; example_of(command->name, i); i++)
        fprintf(out, "  %s\n", example_of(command->name, i));
    for (size_t i = 0; i < count; i++) {
        if (all || tables[i].own)
            print_options(out, command, &tables[i]);
    }
    if (!all) {
        print_short_end(out, command);
        return;
    }
    fputc('\n', out);
    print_limits(out);
}
