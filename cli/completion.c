/* SPDX-License-Identifier: MIT */
/* What a shell needs to complete command lines, written from the tables that the parser reads. */
#include <string.h>

#include "commands.h"
#include "zf/engine.h"
#include "zf/net.h"

/* ---- What there is. ---- */

/* "val-split"; [64] */
static const char *spell(const struct zf_option *option, char *name)
{
    size_t length = 0;

    for (; option->name[length] && length < 63; length++)
        name[length] = option->name[length] == '_' ? '-' : option->name[length];
    name[length] = '\0';
    return name;
}

/* The known values of an option, each behind a space; false where it takes anything. */
static bool print_values(FILE *out, const struct zf_option *option)
{
    if (option->kind == ZF_OPTION_CHOICE) {
        for (int i = 0; option->choices[i]; i++)
            fprintf(out, " %s", option->choices[i]);
        return true;
    }
    if (strcmp(option->name, "engine") == 0) {
        for (size_t i = 0; zf_engine_name(i); i++)
            fprintf(out, " %s", zf_engine_name(i));
        return true;
    }
    if (strncmp(option->unit, "NET", 3) == 0) {
        for (size_t i = 0; zf_net_builtin_name(i); i++)
            fprintf(out, " %s", zf_net_builtin_name(i));
        return true;
    }
    return false;
}

/* Whether the first argument may be the name of a net, beside a file. */
static bool takes_net(const struct command *command)
{
    return strstr(command->arguments, "NET") != NULL;
}

typedef void print_option(FILE *out, const struct command *command, const struct zf_option *option);

static void each_option(FILE *out, const struct command *command, print_option *print)
{
    struct command_table tables[MOST_TABLES];
    const size_t count = command_tables(command, tables);

    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].table.count; i++)
            print(out, command, &tables[t].table.options[i]);
    }
}

/* Help for quotes of any shell: without what they take for their own. */
static void print_plain(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(strchr("'\"`$\\[]:", *text) ? ' ' : *text, out);
}

/* ---- bash ---- */

static void bash_value(FILE *out, const struct command *command, const struct zf_option *option)
{
    char name[64];

    if (option->kind != ZF_OPTION_CHOICE && strcmp(option->name, "engine") != 0 &&
        strncmp(option->unit, "NET", 3) != 0)
        return;
    fprintf(out, "    '%s %s%s') words='", command->name, option->name[1] ? "--" : "-",
            spell(option, name));
    print_values(out, option);
    fputs("' ;;\n", out);
}

static void bash_name(FILE *out, const struct command *command, const struct zf_option *option)
{
    char name[64];

    (void)command;
    fprintf(out, " %s%s", option->name[1] ? "--" : "-", spell(option, name));
}

static void print_bash(FILE *out, const struct command *const *commands, size_t count)
{
    fputs("# bash completion for zfscope\n"
          "_zfscope() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words= options= nets=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '--help --version help",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", commands[i]->name);
    fputs("' -- \"$cur\"))\n        return\n    fi\n"
          "    case \"$command ${COMP_WORDS[COMP_CWORD-1]}\" in\n",
          out);
    for (size_t i = 0; i < count; i++)
        each_option(out, commands[i], bash_value);
    fputs("    esac\n    case $command in\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    %s) options='", commands[i]->name);
        each_option(out, commands[i], bash_name);
        fputc('\'', out);
        if (takes_net(commands[i])) {
            fputs(" nets='", out);
            for (size_t k = 0; zf_net_builtin_name(k); k++)
                fprintf(out, " %s", zf_net_builtin_name(k));
            fputc('\'', out);
        }
        fputs(" ;;\n", out);
    }
    fputs("    esac\n"
          "    if [ -n \"$words\" ]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "        case \"$words\" in *zfnet*) COMPREPLY+=($(compgen -f -- \"$cur\")) ;; esac\n"
          "    elif [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -W \"$nets\" -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _zfscope zfscope\n",
          out);
}

/* ---- zsh ---- */

static void zsh_option(FILE *out, const struct command *command, const struct zf_option *option)
{
    char name[64];

    (void)command;
    fprintf(out, " \\\n            '%s%s%s[", option_repeats(option) ? "*" : "",
            option->name[1] ? "--" : "-", spell(option, name));
    print_plain(out, option->help);
    fputc(']', out);
    if (option->kind != ZF_OPTION_FLAG) {
        fputc(':', out);
        print_plain(out, *option->unit ? option->unit : "value");
        if (option->kind == ZF_OPTION_TEXT) {
            fputs(":_files", out);
        } else if (option->kind == ZF_OPTION_CHOICE) {
            fputs(":(", out);
            print_values(out, option);
            fputc(')', out);
        } else {
            fputs(": ", out);
        }
    }
    fputc('\'', out);
}

static void print_zsh(FILE *out, const struct command *const *commands, size_t count)
{
    fputs("#compdef zfscope\n# zsh completion for zfscope\n_zfscope() {\n    local -a commands\n"
          "    commands=(\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "        '%s:", commands[i]->name);
        print_plain(out, commands[i]->summary);
        fputs("'\n", out);
    }
    fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
          "        return\n    fi\n    local command=$words[2]\n    shift words\n    (( CURRENT-- "
          "))\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    %s)\n        _arguments -S", commands[i]->name);
        each_option(out, commands[i], zsh_option);
        if (takes_net(commands[i])) {
            fputs(" \\\n            '1:net:{_values net", out);
            for (size_t k = 0; zf_net_builtin_name(k); k++)
                fprintf(out, " %s", zf_net_builtin_name(k));
            fputs("; _files}'", out);
        }
        fputs(" \\\n            '*:file:_files'\n        ;;\n", out);
    }
    fputs("    esac\n}\n_zfscope \"$@\"\n", out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct command *command, const struct zf_option *option)
{
    char name[64];

    fprintf(out, "complete -c zfscope -n '__fish_seen_subcommand_from %s' -%c %s", command->name,
            option->name[1] ? 'l' : 's', spell(option, name));
    if (option->name[1] && option_letter(option))
        fprintf(out, " -s %c", option_letter(option));
    if (option->kind != ZF_OPTION_FLAG) {
        fputs(option->kind == ZF_OPTION_CHOICE ? " -x -a '" : " -r -a '", out);
        print_values(out, option);
        fputc('\'', out);
    }
    fputs(" -d '", out);
    print_plain(out, option->help);
    fputs("'\n", out);
}

static void print_fish(FILE *out, const struct command *const *commands, size_t count)
{
    fputs("# fish completion for zfscope\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "complete -c zfscope -n __fish_use_subcommand -f -a %s -d '",
                commands[i]->name);
        print_plain(out, commands[i]->summary);
        fputs("'\n", out);
        each_option(out, commands[i], fish_option);
        if (takes_net(commands[i])) {
            fprintf(out, "complete -c zfscope -n '__fish_seen_subcommand_from %s' -a '",
                    commands[i]->name);
            for (size_t k = 0; zf_net_builtin_name(k); k++)
                fprintf(out, " %s", zf_net_builtin_name(k));
            fputs("'\n", out);
        }
    }
}

/* ---- The command. ---- */

static const struct {
    const char *name;
    void (*print)(FILE *out, const struct command *const *commands, size_t count);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static enum zf_status run_completion(struct call *call, struct zf_error *err)
{
    const struct command *commands[MOST_COMMANDS];
    const size_t count = list_commands(commands);

    for (size_t i = 0; i < ZF_COUNT(shells); i++) {
        if (strcmp(shells[i].name, call->args->words[0]) == 0) {
            shells[i].print(call->out, commands, count);
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINVAL, "completion takes bash, zsh or fish, not '%s'",
                   call->args->words[0]);
}

const struct command completion_command = {
    .name = "completion",
    .arguments = "SHELL",
    .summary = "what bash, zsh or fish needs to complete command lines",
    .details = "Printed from the same tables as this help. An installed zfscope has put the files "
               "where the shells look for them.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .runs_no_net = true,
    .run = run_completion,
};
