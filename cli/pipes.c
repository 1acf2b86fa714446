/* SPDX-License-Identifier: MIT */
#include "pipes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define LARGEST_INPUT ((size_t)1 << 30) /* bytes */

static bool is_dash(const char *word)
{
    return word && strcmp(word, "-") == 0;
}

static enum zf_status make_file(struct pipes *pipes, const char *name, const char *ending,
                                char **path, struct zf_error *err)
{
    const char *place = getenv("TMPDIR");
    const char *parent = place && *place ? place : "/tmp";
    const size_t room = strlen(parent) + 64;

    if (!pipes->directory) {
        pipes->directory = calloc(room, 1);
        if (!pipes->directory)
            return zf_fail(err, ZF_ENOMEM, "out of memory");
        snprintf(pipes->directory, room, "%s/zfscope-XXXXXX", parent);
        if (!mkdtemp(pipes->directory)) {
            free(pipes->directory);
            pipes->directory = NULL;
            return zf_fail(err, output_status(errno), "cannot make a directory in %s: %s", parent,
                           strerror(errno));
        }
    }
    *path = calloc(room, 1);
    if (!*path)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    snprintf(*path, room, "%s/%s%s", pipes->directory, name, ending);
    return ZF_OK;
}

/* ---- stdin. ---- */

static enum zf_status copy_stdin(FILE *file, size_t *size, struct zf_error *err)
{
    char block[1 << 16];
    ssize_t count;

    for (*size = 0; (count = read(STDIN_FILENO, block, sizeof block)) != 0;) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return zf_fail(err, ZF_EINPUT, "cannot read stdin: %s", strerror(errno));
        *size += (size_t)count;
        if (*size > LARGEST_INPUT)
            return zf_fail(err, ZF_EINPUT, "stdin holds more than %zu MiB", LARGEST_INPUT >> 20);
        if (fwrite(block, 1, (size_t)count, file) != (size_t)count)
            return zf_fail(err, ZF_EIO, "cannot keep what stdin holds: %s", strerror(errno));
    }
    return *size > 0 ? ZF_OK : zf_fail(err, ZF_EINPUT, "stdin is empty");
}

/* An array is known by its name: one that comes without is looked at. */
static enum zf_status name_array(struct pipes *pipes, struct zf_error *err)
{
    static const char magic[] = "\x93NUMPY";
    char head[sizeof magic - 1] = "", *named = NULL;
    FILE *file = fopen(pipes->in, "rb");
    const bool array = file && fread(head, 1, sizeof head, file) == sizeof head &&
                       memcmp(head, magic, sizeof head) == 0;

    if (file)
        fclose(file);
    if (!array)
        return ZF_OK;
    ZF_CHECK(make_file(pipes, "stdin", ".npy", &named, err));
    if (rename(pipes->in, named) != 0) {
        free(named);
        return zf_fail(err, ZF_EIO, "cannot keep what stdin holds: %s", strerror(errno));
    }
    free(pipes->in);
    pipes->in = named;
    return ZF_OK;
}

static enum zf_status take_stdin(struct pipes *pipes, struct zf_error *err)
{
    enum zf_status status;
    size_t size;
    FILE *file;

    if (isatty(STDIN_FILENO))
        return zf_fail(err, ZF_EINVAL, "stdin is a terminal: lead a picture into it");
    ZF_CHECK(make_file(pipes, "stdin", "", &pipes->in, err));
    file = fopen(pipes->in, "wbx");
    if (!file)
        return zf_fail(err, output_status(errno), "cannot write %s: %s", pipes->in,
                       strerror(errno));
    status = copy_stdin(file, &size, err);
    if (fclose(file) != 0 && status == ZF_OK)
        status = zf_fail(err, ZF_EIO, "cannot keep what stdin holds: %s", strerror(errno));
    return status == ZF_OK ? name_array(pipes, err) : status;
}

/* ---- stdout. ---- */

enum zf_status pipes_out(struct call *call, const char *ending, const char **path,
                         struct zf_error *err)
{
    if (call->common.json)
        return zf_fail(err, ZF_EINVAL, "--json and '-' both want stdout: give one a file");
    if (isatty(STDOUT_FILENO))
        return zf_fail(err, ZF_EINVAL, "stdout is a terminal: lead it into a file or a program");
    ZF_CHECK(make_file(call->pipes, "stdout", ending, &call->pipes->out, err));
    *path = call->pipes->out;
    return ZF_OK;
}

enum zf_status pipes_deliver(const struct call *call, struct zf_error *err)
{
    FILE *file = fopen(call->pipes->out, "rb");
    enum zf_status status = ZF_OK;
    char block[1 << 16];
    size_t count;

    if (!file)
        return zf_fail(err, ZF_EIO, "cannot read %s: %s", call->pipes->out, strerror(errno));
    pipes_close(call->pipes); /* a reader that goes away ends this program */
    while (status == ZF_OK && (count = fread(block, 1, sizeof block, file)) > 0) {
        if (fwrite(block, 1, count, stdout) != count)
            status = zf_fail(err, ZF_EIO, "cannot write to stdout: %s", strerror(errno));
    }
    if (status == ZF_OK && ferror(file))
        status = zf_fail(err, ZF_EIO, "cannot read what was made for stdout");
    if (status == ZF_OK && fflush(stdout) != 0)
        status = zf_fail(err, ZF_EIO, "cannot write to stdout: %s", strerror(errno));
    fclose(file);
    return status;
}

const char *pipes_name(const struct call *call, const char *path)
{
    if (path && path == call->pipes->in)
        return "-";
    return path && path == call->pipes->out ? "stdout" : path;
}

/* ---- Both. ---- */

enum zf_status pipes_open(struct call *call, struct args *args, struct zf_error *err)
{
    const struct command *command = call->command;
    size_t stdin_at = 0; /* of the words; the first is never a picture */

    for (size_t i = 0; i < args->word_count; i++) {
        if (!is_dash(args->words[i]) || (command->writes_stdout && i + 1 == args->word_count))
            continue;
        if (!command->reads_stdin || i == 0)
            return zf_fail(err, ZF_EINVAL, "%s takes no '-' for %s: give it a name", command->name,
                           command->arguments);
        if (stdin_at > 0)
            return zf_fail(err, ZF_EINVAL, "stdin can be read once: name '-' once");
        stdin_at = i;
    }
    if (stdin_at > 0) {
        ZF_CHECK(take_stdin(call->pipes, err));
        args->words[stdin_at] = call->pipes->in;
    }
    if (!is_dash(call->common.out))
        return ZF_OK;
    switch (call->output) {
    case OUTPUT_TEXT:
        call->common.out = NULL;
        return ZF_OK;
    case OUTPUT_FILE:
        return pipes_out(call, command->stdout_ending, &call->common.out, err);
    case OUTPUT_DIRECTORY:
    case OUTPUT_EITHER:
        break;
    }
    return zf_fail(err, ZF_EINVAL, "%s fills a directory, which stdout is not: give -o a name",
                   command->name);
}

void pipes_close(struct pipes *pipes)
{
    if (pipes->in)
        unlink(pipes->in);
    if (pipes->out)
        unlink(pipes->out);
    if (pipes->directory)
        rmdir(pipes->directory);
    free(pipes->in);
    free(pipes->out);
    free(pipes->directory);
    *pipes = (struct pipes){0};
}
