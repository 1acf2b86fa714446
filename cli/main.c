/* SPDX-License-Identifier: MIT */
/* The program behind start.c: a table of commands, and the only place that turns a status into an
 * exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "commands.h"
#include "help.h"
#include "images.h"
#include "launch.h"
#include "machine.h"
#include "output.h"
#include "pipes.h"
#include "program.h"
#include "recall.h"
#include "zf/plan.h"

#define LET_FIRST_SPEAK_S 1

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INPUT = 3 };

static int exit_code_of(enum zf_status status)
{
    switch (status) {
    case ZF_OK:
        return EXIT_DONE;
    case ZF_EINVAL:
        return EXIT_USAGE;
    case ZF_EINPUT:
    case ZF_EUNSUPPORTED:
        return EXIT_INPUT;
    case ZF_ECANCELED:
        /* As a shell reports a program that the signal has ended. */
        return progress_signal() ? 128 + progress_signal() : EXIT_FAILED;
    case ZF_ENOMEM:
    case ZF_EIO:
    case ZF_ENUMERIC:
        return EXIT_FAILED;
    }
    return EXIT_FAILED;
}

enum zf_status need(const struct call *call, const char *text, const char *what,
                    struct zf_error *err)
{
    if (text)
        return ZF_OK;
    return zf_fail(err, ZF_EINVAL, "%s needs %s", call->command->name, what);
}

static enum zf_status find_command(const char *name, const struct command **out,
                                   struct zf_error *err)
{
    const struct command *commands[MOST_COMMANDS];
    const size_t count = list_commands(commands);
    const char *names[MOST_COMMANDS];
    const char *closest;

    for (size_t i = 0; i < count; i++) {
        names[i] = commands[i]->name;
        if (strcmp(name, names[i]) == 0) {
            *out = commands[i];
            return ZF_OK;
        }
    }
    closest = zf_word_closest(name, names, count);
    if (closest)
        return zf_fail(err, ZF_EINVAL, "there is no command '%s'; did you mean '%s'?", name,
                       closest);
    return zf_fail(err, ZF_EINVAL, "there is no command '%s'; `zfscope help` lists them", name);
}

static enum zf_status check_engine(const char *engine, struct zf_error *err)
{
    char known[128] = "";

    for (size_t i = 0; zf_engine_name(i); i++) {
        if (strcmp(engine, zf_engine_name(i)) == 0)
            return ZF_OK;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
                 zf_engine_name(i));
    }
    return zf_fail(err, ZF_EINVAL, "there is no engine '%s' in this build, which has %s", engine,
                   known);
}

static enum zf_status check_common(struct common_options *common, struct zf_error *err)
{
    if (common->threads == 0) /* a rank a core is how ranks are started */
        common->threads = launched_count() > 0 ? 1 : zf_core_count();
    if (common->engine)
        ZF_CHECK(check_engine(common->engine, err));
    if (common->cpu)
        ZF_CHECK(zf_cpu_limit(common->cpu, err));
    return ZF_OK;
}

static enum zf_status check_words(const struct command *command, const struct args *args,
                                  struct zf_error *err)
{
    const size_t all = args->word_count;

    if (all > command->most && all > 0 && strstr(args->words[all - 1], ".tar"))
        return zf_fail(
            err, ZF_EINVAL,
            "%s takes %s, and got %zu arguments: of tars, name several as one, in quotes, "
            "which keep the shell from taking the braces apart: "
            "'shards/{000000..001281}.tar'",
            command->name, command->arguments, all);
    if (args->word_count < command->least || args->word_count > command->most)
        return zf_fail(err, ZF_EINVAL, "%s takes %s, and got %zu argument%s", command->name,
                       command->arguments, args->word_count, args->word_count == 1 ? "" : "s");
    return ZF_OK;
}

static enum zf_status check_output(struct call *call, struct zf_error *err)
{
    call->output = call->command->output;
    if (!call->common.out || zf_ranks_rank(call->ranks) > 0) /* the first rank writes */
        return ZF_OK;
    if (strcmp(call->common.out, "-") == 0) {
        call->output = call->output == OUTPUT_EITHER ? OUTPUT_TEXT : call->output;
        return ZF_OK; /* of pipes.h */
    }
    if (call->output == OUTPUT_EITHER)
        call->output = output_is_file(call->common.out) ? OUTPUT_TEXT : OUTPUT_DIRECTORY;
    switch (call->output) {
    case OUTPUT_EITHER:
    case OUTPUT_TEXT:
    case OUTPUT_FILE:
        return output_check_file(call->common.out, err);
    case OUTPUT_DIRECTORY:
        return output_check_directory(call->common.out, err);
    }
    return ZF_OK;
}

/* The result to stdout, or to the file of --out; a full disk or closed pipe is a failure. */
static enum zf_status deliver(const struct call *call, const char *text, size_t size,
                              struct zf_error *err)
{
    if (call->output == OUTPUT_TEXT && call->common.out) {
        enum zf_status status = zf_file_write(call->common.out, text, size, err);

        if (status == ZF_OK)
            progress_say(call->progress, "wrote %s", call->common.out);
        return status;
    }
    if (call->pipes->out) { /* words for people would stand among its bytes */
        if (size > 0)
            progress_say(call->progress, "%.*s", (int)size - 1, text);
        return pipes_deliver(call, err);
    }
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
        return zf_fail(err, ZF_EIO, "cannot write to stdout: %s", strerror(errno));
    return ZF_OK;
}

/* Run with stdout held back, so that a failed command leaves nothing half-written. */
static enum zf_status run_buffered(struct call *call, struct zf_error *err)
{
    enum zf_status status, delivered;
    struct zf_error second = {0};
    char *text = NULL;
    size_t size = 0;

    call->out = open_memstream(&text, &size);
    if (!call->out)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    status = call->command->run(call, err);
    progress_end(call->progress);
    if (fclose(call->out) != 0 && status == ZF_OK)
        status = zf_fail(err, ZF_ENOMEM, "out of memory");
    if (status == ZF_OK && zf_changed_file())
        status = zf_fail(err, ZF_EIO, "%s was written over while it was in use; start this again",
                         zf_changed_file());
    if ((status == ZF_OK || call->result_stands) && zf_ranks_rank(call->ranks) == 0) {
        delivered = deliver(call, text, size, &second);
        if (status == ZF_OK && delivered != ZF_OK) {
            status = delivered;
            *err = second;
        }
    }
    free(text);
    return status;
}

/* The command line as it was typed, near enough to be typed again. NULL when memory is short. */
static char *join_line(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);

    if (!stream)
        return NULL;
    fputs("zfscope", stream);
    for (int i = 1; i < argc; i++) {
        const bool plain = argv[i][0] && !argv[i][strcspn(argv[i], " \t\n\"'\\$&|;<>()*?[]#~`!")];

        fprintf(stream, " %s%s%s", plain ? "" : "'", argv[i], plain ? "" : "'");
    }
    fclose(stream);
    return line;
}

static const char *given_text(const struct args *args, const char *name)
{
    for (size_t i = args->setting_count; i-- > 0;) {
        if (strcmp(args->settings[i].option->name, name) == 0)
            return args->settings[i].text ? args->settings[i].text : "";
    }
    return NULL;
}

/* `train -o RUN --resume`: what is not said again is as it was. *words live as long as the args. */
static enum zf_status recall(const struct call *call, struct args *args,
                             const struct option_table *tables, size_t table_count, char ***words,
                             int *count, struct zf_error *err)
{
    const char *run = given_text(args, "out");

    if (!call->command->recalls || args->word_count > 0 || !given_text(args, "resume") || !run)
        return ZF_OK;
    ZF_CHECK(recall_read(run, call->typed_count, call->typed, words, count, err));
    args_release(args);
    return args_parse(args, *count, *words, tables, table_count, call->command->most, err);
}

/* What was typed, made out; recalled words live as long as the call. */
struct typed {
    struct args args;
    char **recalled;
    int recalled_count;
    struct option_table tables[MOST_TABLES];
    size_t table_count;
};

static enum zf_status settle(struct call *call, struct typed *typed, struct zf_error *err)
{
    const struct command *command = call->command;

    ZF_CHECK(recall(call, &typed->args, typed->tables, typed->table_count, &typed->recalled,
                    &typed->recalled_count, err));
    ZF_CHECK(check_words(command, &typed->args, err));
    ZF_CHECK(args_read(&typed->args, common_option_table(), &call->common, err));
    ZF_CHECK(check_common(&call->common, err));
    ZF_CHECK(check_output(call, err));
    call->compute = (struct zf_compute){.engine = call->common.engine,
                                        .threads = (int)call->common.threads,
                                        .exact = call->common.exact,
                                        .precision = (enum zf_precision)call->common.precision,
                                        .ranks = call->ranks};
    if (!call->line)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    return ZF_OK;
}

static void tell(const struct command *command, enum zf_status status, const struct zf_error *err)
{
    fprintf(stderr, "zfscope: %s", err->message[0] ? err->message : zf_status_text(status));
    if (status == ZF_EINVAL && command)
        fprintf(stderr, " (see `zfscope %s --help`)", command->name);
    fputc('\n', stderr);
}

/* Before they meet, all ranks come to the same, so the first tells. Later they may, each by itself:
   then the first tells. As the end of one is that of the others, they wait until it has. */
static void tell_one(const struct call *call, enum zf_status status, const struct zf_error *err)
{
    const bool speaks = call->ranks ? zf_ranks_speaks(call->ranks, status) : launched_rank() == 0;

    if (status != ZF_OK && launched_rank() > 0 && (speaks || !call->ranks))
        nanosleep(&(struct timespec){.tv_sec = LET_FIRST_SPEAK_S}, NULL);
    if (status != ZF_OK && speaks)
        tell(call->command, status, err);
}

static enum zf_status run_command(const struct command *command, int argc, char **argv,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct typed typed = {0};
    struct progress progress;
    struct pipes pipes = {0};
    struct zf_monitor monitor;
    char *line = join_line(argc, argv);
    struct call call = {.command = command,
                        .args = &typed.args,
                        .progress = &progress,
                        .pipes = &pipes,
                        .line = line,
                        .typed_count = argc - 2,
                        .typed = argv + 2};
    char *cache = machine_cache_directory();
    struct command_table known[MOST_TABLES];

    typed.table_count = command_tables(command, known);
    for (size_t i = 0; i < typed.table_count; i++)
        typed.tables[i] = known[i].table;
    status = args_parse(&typed.args, argc - 2, argv + 2, typed.tables, typed.table_count,
                        command->most, err);
    if (status != ZF_OK && typed.args.unknown[0])
        commands_fail_foreign(command, typed.args.unknown, err);
    ZF_TRY(status);
    ZF_TRY(launch_join(&call, err));
    ZF_TRY(zf_ranks_agree(call.ranks, settle(&call, &typed, err), err));
    progress_start(&progress, call.common.quiet || launched_rank() > 0);
    progress.ranks = call.ranks;
    monitor = progress_monitor(&progress);
    monitor.cache_directory = cache;
    call.monitor = &monitor;
    if (!command->runs_no_net && !call.common.engine && machine_slow())
        progress_say(&progress, "%s", machine_slow());
    ZF_TRY(pipes_open(&call, &typed.args, err));
    if (strstr(command->arguments, "IMAGE..."))
        ZF_TRY(images_expand(&call, &typed.args, err));
    status = run_buffered(&call, err);
fail:
    tell_one(&call, status, err);
    zf_ranks_leave(&call.ranks, status);
    pipes_close(&pipes);
    args_release(&typed.args);
    recall_free(typed.recalled, typed.recalled_count);
    free(cache);
    free(line);
    return status;
}

/* `zfscope`, `zfscope help`, `zfscope help CMD`, `zfscope CMD --help`: true when it was one. *all:
   with the options that many commands share. */
static bool is_help(int argc, char **argv, const char **topic, bool *all)
{
    *topic = NULL;
    *all = false;
    if (argc < 2)
        return true;
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        *topic = argc > 2 ? argv[2] : NULL;
        return true;
    }
    *topic = argv[1];
    return args_ask_help(argc - 2, argv + 2, all);
}

static enum zf_status run_help(const char *topic, bool all, struct zf_error *err)
{
    const struct command *command;

    if (!topic) {
        const struct command *commands[MOST_COMMANDS];

        help_overview(stdout, commands, list_commands(commands));
    } else {
        ZF_CHECK(find_command(topic, &command, err));
        help_command(stdout, command, all);
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        return zf_fail(err, ZF_EIO, "cannot write to stdout: %s", strerror(errno));
    return ZF_OK;
}

/* A file that is opened would take a closed stream's number, and get what is printed. What stands
   in fails as the closed one did. */
static bool hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd)
            return false;
    }
    return true;
}

/* A mapped file was cut off, or its disk is gone. There is no way back into what was reading it, in
   one thread or in several at once. */
static void catch_bus_error(int number, siginfo_t *info, void *context)
{
    static const char begin[] = "zfscope: ",
                      end[] = " was cut off, or could not be read, while it was in use\n";
    static atomic_flag told = ATOMIC_FLAG_INIT;
    const char *path = zf_mapped_file_at(info->si_addr);

    (void)context;
    if (path) {
        while (atomic_flag_test_and_set(&told))
            pause();
        if (isatty(STDERR_FILENO)) /* progress stands there */
            (void)!write(STDERR_FILENO, "\n", 1);
        (void)!write(STDERR_FILENO, begin, sizeof begin - 1);
        (void)!write(STDERR_FILENO, path, strlen(path));
        (void)!write(STDERR_FILENO, end, sizeof end - 1);
        _exit(EXIT_FAILED);
    }
    signal(number, SIG_DFL); /* somebody else's: it comes again, and ends the program */
}

static void tell_of_bus_errors(void)
{
    struct sigaction action = {.sa_sigaction = catch_bus_error};

    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static int run(int argc, char **argv)
{
    enum zf_status status;
    struct zf_error err = {0};
    const struct command *command = NULL;
    const char *topic;
    bool all;

    if (!hold_standard_streams())
        return EXIT_FAILED;
    tell_of_bus_errors();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        machine_print_versions(stdout);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (is_help(argc, argv, &topic, &all)) {
        status = run_help(topic, all, &err);
    } else {
        status = find_command(argv[1], &command, &err);
    }
    if (status != ZF_OK) {
        tell(NULL, status, &err);
    } else if (command) {
        status = run_command(command, argc, argv, &err);
    }
    return exit_code_of(status);
}

ZF_API const struct program zfscope_program = {run};
