/* SPDX-License-Identifier: MIT */
/* The program: a table of commands, and the only place that turns a status into an exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "experiment.h"
#include "help.h"
#include "images.h"
#include "machine.h"
#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "zf/plan.h"

/* In the order of the help: the experiments stand between these two. */
static const struct command *const before[] = {&train_command, &eval_command, &classify_command,
                                               &activations_command, &project_command};
static const struct command *const behind[] = {&report_command, &info_command, &convert_command,
                                               &check_command,  &pack_command, &synth_command,
                                               &bench_command};

#define MOST_COMMANDS 64

/* All commands; returns how many. */
static size_t list_commands(const struct command *commands[MOST_COMMANDS])
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
    ZF_OPTION_ROW_TEXT(
        common_options, cpu, "NAME",
        "instruction set to stay within: sse41, avx, avx2, avx512, avx512_bf16, amx, native; the "
        "processor's own unless named"),
    ZF_OPTION_ROW_FLAG(common_options, exact,
                       "digits before speed; projections in double, unless --engine is named"),
    ZF_OPTION_ROW_TEXT(common_options, out, "PATH", "where the result goes"),
    ZF_OPTION_ROW_FLAG(common_options, help, "print this and stop"),
};

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
    if (common->threads == 0)
        common->threads = zf_core_count();
    if (common->engine)
        ZF_CHECK(check_engine(common->engine, err));
    if (common->cpu)
        ZF_CHECK(zf_cpu_limit(common->cpu, err));
    return ZF_OK;
}

static enum zf_status check_words(const struct command *command, const struct args *args,
                                  struct zf_error *err)
{
    if (args->word_count < command->least || args->word_count > command->most)
        return zf_fail(err, ZF_EINVAL, "%s takes %s, and got %zu argument%s", command->name,
                       command->arguments, args->word_count, args->word_count == 1 ? "" : "s");
    return ZF_OK;
}

static enum zf_status check_output(const struct call *call, struct zf_error *err)
{
    if (!call->common.out)
        return ZF_OK;
    switch (call->command->output) {
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
    if (call->command->output == OUTPUT_TEXT && call->common.out) {
        enum zf_status status = zf_file_write(call->common.out, text, size, err);

        if (status == ZF_OK)
            progress_say(call->progress, "wrote %s", call->common.out);
        return status;
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
    if (status == ZF_OK || call->result_stands) {
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

static enum zf_status run_command(const struct command *command, int argc, char **argv,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct args args = {0};
    struct progress progress;
    struct zf_monitor monitor;
    struct call call = {.command = command, .args = &args, .progress = &progress};
    char *line = join_line(argc, argv);
    const struct option_table common = {common_table, ZF_COUNT(common_table)};
    struct option_table tables[5] = {{command->options, command->option_count}, common};

    if (command->library_options)
        tables[2].options = command->library_options(&tables[2].count);
    if (command->imports)
        tables[4] = net_model_table();
    if (command->prepares)
        tables[3] = preparation_table();
    ZF_TRY(args_parse(&args, argc - 2, argv + 2, tables, ZF_COUNT(tables), command->most, err));
    ZF_TRY(check_words(command, &args, err));
    ZF_TRY(args_read(&args, common, &call.common, err));
    ZF_TRY(check_common(&call.common, err));
    ZF_TRY(check_output(&call, err));
    call.compute = (struct zf_compute){.engine = call.common.engine,
                                       .threads = (int)call.common.threads,
                                       .exact = call.common.exact,
                                       .precision = (enum zf_precision)call.common.precision};
    progress_start(&progress);
    monitor = progress_monitor(&progress);
    call.monitor = &monitor;
    if (!command->runs_no_net && !call.common.engine && machine_slow())
        progress_say(&progress, "%s", machine_slow());
    call.line = line ? line : "zfscope";
    if (strstr(command->arguments, "IMAGE..."))
        ZF_TRY(images_expand(&call, &args, err));
    status = run_buffered(&call, err);
fail:
    args_release(&args);
    free(line);
    return status;
}

/* `zfscope`, `zfscope help`, `zfscope help CMD`, `zfscope CMD --help`: true when it was one. */
static bool is_help(int argc, char **argv, const char **topic)
{
    *topic = NULL;
    if (argc < 2)
        return true;
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        *topic = argc > 2 ? argv[2] : NULL;
        return true;
    }
    *topic = argv[1];
    return args_ask_help(argc - 2, argv + 2);
}

static enum zf_status run_help(const char *topic, struct zf_error *err)
{
    const struct command *command;

    if (!topic) {
        const struct command *commands[MOST_COMMANDS];

        help_overview(stdout, commands, list_commands(commands));
    } else {
        ZF_CHECK(find_command(topic, &command, err));
        help_command(stdout, command, (struct option_table){common_table, ZF_COUNT(common_table)});
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

int main(int argc, char **argv)
{
    enum zf_status status;
    struct zf_error err = {0};
    const struct command *command = NULL;
    const char *topic;

    if (!hold_standard_streams())
        return EXIT_FAILED;
    tell_of_bus_errors();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        machine_print_versions(stdout);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (is_help(argc, argv, &topic)) {
        status = run_help(topic, &err);
    } else {
        status = find_command(argv[1], &command, &err);
        if (status == ZF_OK)
            machine_share_cores(argv, !command->runs_no_net);
        if (status == ZF_OK)
            status = run_command(command, argc, argv, &err);
    }
    if (status != ZF_OK) {
        fprintf(stderr, "zfscope: %s", err.message[0] ? err.message : zf_status_text(status));
        if (status == ZF_EINVAL && command)
            fprintf(stderr, " (see `zfscope %s --help`)", command->name);
        fputc('\n', stderr);
    }
    return exit_code_of(status);
}
