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

/* Each behind a space. */
static void print_nets(FILE *out)
{
    for (size_t i = 0; zf_net_builtin_name(i); i++)
        fprintf(out, " %s", zf_net_builtin_name(i));
}

static bool takes(const struct zf_option *option, const char *unit)
{
    return strncmp(option->unit, unit, strlen(unit)) == 0;
}

/* Colons are written as `colon`, for shells that take them for their own. */
static void print_words(FILE *out, const struct zf_option *option, const char *colon)
{
    for (int i = 0; option->choices && option->choices[i]; i++)
        fprintf(out, " %s", option->choices[i]);
    if (strcmp(option->name, "engine") == 0)
        for (size_t i = 0; zf_engine_name(i); i++)
            fprintf(out, " %s", zf_engine_name(i));
    if (takes(option, "NET"))
        print_nets(out);
    if (takes(option, "DATA"))
        fprintf(out, " synth%strain synth%sval", colon, colon);
}

static bool has_words(const struct zf_option *option)
{
    return option->choices || strcmp(option->name, "engine") == 0 || takes(option, "NET") ||
           takes(option, "DATA");
}

/* Beside the words that it knows. */
static bool takes_file(const struct zf_option *option)
{
    return option->kind == ZF_OPTION_TEXT && strcmp(option->name, "engine") != 0;
}

/* What a command's first argument may be, beside a file; each behind a space. */
static bool print_first(FILE *out, const struct command *command)
{
    if (strcmp(command->name, "completion") == 0) {
        fputs(" bash zsh fish", out);
        return true;
    }
    if (!strstr(command->arguments, "NET"))
        return false;
    print_nets(out);
    return true;
}

static bool has_first(const struct command *command)
{
    return strstr(command->arguments, "NET") || strcmp(command->name, "completion") == 0;
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

    if (option->kind == ZF_OPTION_FLAG)
        return;
    fprintf(out, "    '%s %s%s'", command->name, option->name[1] ? "--" : "-", spell(option, name));
    if (option_letter(option) && option->name[1])
        fprintf(out, " | '%s -%c'", command->name, option_letter(option));
    fputs(") value='", out);
    print_words(out, option, ":");
    fprintf(out, " '%s ;;\n", takes_file(option) ? " files=1" : "");
}

static void bash_name(FILE *out, const struct command *command, const struct zf_option *option)
{
    char name[64];

    (void)command;
    fprintf(out, " %s%s", option->name[1] ? "--" : "-", spell(option, name));
}

/* Options that take several words, one after the other. */
static void bash_repeated(FILE *out, const struct command *command, const struct zf_option *option)
{
    if (option_repeats(option))
        bash_name(out, command, option);
}

static void print_bash(FILE *out, const struct command *const *commands, size_t count)
{
    fputs(
        "# bash completion for zfscope\n"
        "_zfscope() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} at=$((COMP_CWORD - 1))\n"
        "    local before value= files= options= first= repeated=\n"
        "    COMPREPLY=()\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ] || { [ \"$COMP_CWORD\" -eq 2 ] && [ \"$command\" = help "
        "]; "
        "}; then\n"
        "        COMPREPLY=($(compgen -W '--help --version help",
        out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", commands[i]->name);
    fputs("' -- \"$cur\"))\n        return\n    fi\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    %s) options='", commands[i]->name);
        each_option(out, commands[i], bash_name);
        fputs("' repeated='", out);
        each_option(out, commands[i], bash_repeated);
        fputs(" ' first='", out);
        print_first(out, commands[i]);
        fputs("' ;;\n", out);
    }
    /* To bash, --rule=guided is three words. */
    fputs("    esac\n"
          "    if [ \"$cur\" = = ]; then cur=; elif [ \"${COMP_WORDS[at]}\" = = ]; then at=$((at - "
          "1)); fi\n"
          "    before=${COMP_WORDS[at]}\n"
          "    while [ \"$at\" -gt 1 ] && [[ ${COMP_WORDS[at]} != -* ]]; do at=$((at - 1)); done\n"
          "    [[ $repeated == *\" ${COMP_WORDS[at]} \"* ]] && before=${COMP_WORDS[at]}\n"
          "    case \"$command $before\" in\n",
          out);
    for (size_t i = 0; i < count; i++)
        each_option(out, commands[i], bash_value);
    fputs("    *) files=1 ;;\n"
          "    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "        return\n"
          "    fi\n"
          "    COMPREPLY=($(compgen -W \"${value:-$first}\" -- \"$cur\"))\n"
          "    [ -z \"$files\" ] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- "
          "\"$cur\")\n"
          "}\n"
          "complete -o filenames -F _zfscope zfscope\n",
          out);
}

/* ---- zsh ---- */

static void zsh_option(FILE *out, const struct command *command, const struct zf_option *option)
{
    const bool valued = option->kind != ZF_OPTION_FLAG;
    char name[64];

    (void)command;
    fputs(" \\\n            ", out);
    if (option_letter(option) && option->name[1])
        fprintf(out, "{-%c%s,--%s%s}'[", option_letter(option), valued ? "+" : "",
                spell(option, name), valued ? "=" : "");
    else
        fprintf(out, "'%s%s%s%s[", option_repeats(option) ? "*" : "", option->name[1] ? "--" : "-",
                spell(option, name),
                !valued           ? ""
                : option->name[1] ? "="
                                  : "+");
    print_plain(out, option->help);
    fputc(']', out);
    if (valued) {
        fputc(':', out);
        print_plain(out, *option->unit ? option->unit : "value");
        fprintf(out, takes_file(option)  ? has_words(option) ? ": _zfscope_or" : ":_files"
                     : has_words(option) ? ":("
                                         : ": ");
        print_words(out, option, "\\:");
        if (!takes_file(option) && has_words(option))
            fputc(')', out);
    }
    fputc('\'', out);
}

static void print_zsh(FILE *out, const struct command *const *commands, size_t count)
{
    fputs("#compdef zfscope\n# zsh completion for zfscope\n"
          "_zfscope_or() { # words that are known, or a file\n"
          "    compadd -- \"$@\"\n"
          "    _files\n"
          "}\n"
          "_zfscope() {\n    local -a commands\n"
          "    commands=(\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "        '%s:", commands[i]->name);
        print_plain(out, commands[i]->summary);
        fputs("'\n", out);
    }
    fputs("    )\n    if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
          "        _describe command commands\n"
          "        return\n    fi\n    local command=$words[2]\n    shift words\n    (( CURRENT-- "
          "))\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    %s)\n        _arguments -S", commands[i]->name);
        each_option(out, commands[i], zsh_option);
        if (has_first(commands[i])) {
            fputs(" \\\n            '1:first: _zfscope_or", out);
            print_first(out, commands[i]);
            fputc('\'', out);
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
        fputs(takes_file(option) ? " -r -F -a '" : " -x -a '", out);
        print_words(out, option, ":");
        fputc('\'', out);
    }
    fputs(" -d '", out);
    print_plain(out, option->help);
    fputs("'\n", out);
}

static void print_fish(FILE *out, const struct command *const *commands, size_t count)
{
    fputs("# fish completion for zfscope\n"
          "complete -c zfscope -n '__fish_seen_subcommand_from help' -f -a '",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", commands[i]->name);
    fputs("'\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "complete -c zfscope -n __fish_use_subcommand -f -a %s -d '",
                commands[i]->name);
        print_plain(out, commands[i]->summary);
        fputs("'\n", out);
        each_option(out, commands[i], fish_option);
        if (has_first(commands[i])) {
            fprintf(out, "complete -c zfscope -n '__fish_seen_subcommand_from %s' -a '",
                    commands[i]->name);
            print_first(out, commands[i]);
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
