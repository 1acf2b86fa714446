/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "experiment.h"
#include "nets.h"
#include "preparation.h"

#define NAMED 4 /* commands in a sentence */

/* In the order of the help: the experiments stand between these two. */
static const struct command *const before[] = {&train_command, &eval_command, &classify_command,
                                               &activations_command, &project_command};
static const struct command *const behind[] = {
    &report_command, &serve_command, &info_command,  &convert_command,   &check_command,
    &pack_command,   &synth_command, &bench_command, &completion_command};

size_t list_commands(const struct command *commands[MOST_COMMANDS])
{
    const struct command *experiment;
    size_t count = 0;

    for (size_t i = 0; i < ZF_COUNT(before); i++)
        commands[count++] = before[i];
    for (size_t i = 0; (experiment = experiment_command(i)) != NULL; i++)
        commands[count++] = experiment;
    for (size_t i = 0; i < ZF_COUNT(behind); i++)
        commands[count++] = behind[i];
    return count;
}

static const char *const precisions[] = {"f32", "bf16", NULL};
static const char *const cpus[] = {"sse41",       "avx", "avx2",   "avx512",
                                   "avx512_bf16", "amx", "native", NULL};

static const struct zf_option common_table[] = {
    ZF_OPTION_ROW_FLAG(common_options, json, "print the result as one JSON object on stdout"),
    ZF_OPTION_ROW_INT(common_options, threads, "N",
                      "threads to use; 0 = one per core. The last digits of sums depend on it", 0,
                      0, 1024),
    ZF_OPTION_ROW_INT(common_options, seed, "N", "of everything that is drawn at random", 0, 0,
                      9e15),
    ZF_OPTION_ROW_CHOICE(common_options, precision, "P", "numbers of the computation", 0,
                         precisions),
    ZF_OPTION_ROW_TEXT(common_options, engine, "NAME",
                       "what computes; the best of this build unless named"),
    ZF_OPTION_ROW_WORDS(
        common_options, cpu, "NAME",
        "instruction set to stay within: sse41, avx, avx2, avx512, avx512_bf16, amx, native; the "
        "processor's own unless named",
        cpus),
    ZF_OPTION_ROW_FLAG(common_options, exact,
                       "digits before speed; projections in double, unless --engine is named"),
    ZF_OPTION_ROW_TEXT(common_options, out, "PATH", "where the result goes"),
    ZF_OPTION_ROW_FLAG(common_options, quiet,
                       "print errors alone on stderr: no progress, no notes"),
    ZF_OPTION_ROW_FLAG(common_options, help, "print what is particular to the command, and stop"),
    ZF_OPTION_ROW_FLAG(common_options, help_all, "print all options, and stop"),
};

struct option_table common_option_table(void)
{
    return (struct option_table){common_table, ZF_COUNT(common_table)};
}

size_t command_tables(const struct command *command, struct command_table tables[MOST_TABLES])
{
    size_t count = 0;

    tables[count++] =
        (struct command_table){{command->options, command->option_count}, "Options:", true};
    if (command->library_options) {
        struct option_table recipe;

        recipe.options = command->library_options(&recipe.count);
        tables[count++] = (struct command_table){
            recipe,
            "Recipe (the net's own values, where its spec has them, are the defaults):", true};
    }
    if (command->imports)
        tables[count++] = (struct command_table){
            net_model_table(), "What an ONNX model of another program may need to be told:", false};
    if (command->prepares)
        tables[count++] = (struct command_table){
            preparation_table(),
            "How pictures are prepared and what the outputs mean, where the file does not say it:",
            false};
    tables[count++] =
        (struct command_table){common_option_table(), "Options of every command:", false};
    return count;
}

static bool has_option(const struct command *command, const char *option)
{
    struct command_table tables[MOST_TABLES];
    const size_t count = command_tables(command, tables);

    for (size_t t = 0; t < count; t++) {
        if (zf_option_find(tables[t].table.options, tables[t].table.count, option))
            return true;
    }
    return false;
}

void commands_fail_foreign(const struct command *command, const char *option, struct zf_error *err)
{
    const struct command *commands[MOST_COMMANDS];
    const size_t count = list_commands(commands);
    char having[256] = "";
    int found = 0;

    if (has_option(command, option)) /* misspelt in another way */
        return;
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(having);

        if (has_option(commands[i], option) && found++ < NAMED)
            snprintf(having + used, sizeof having - used, "%s%s", used ? ", " : "",
                     commands[i]->name);
    }
    if (found > 0)
        zf_fail(err, ZF_EINVAL, "%s has no option %s%s, which %s%s %s", command->name,
                option[1] ? "--" : "-", option, having, found > NAMED ? " and others" : "",
                found > 1 ? "have" : "has");
}
