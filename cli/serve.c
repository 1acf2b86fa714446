/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "command.h"
#include "output.h"
#include "preparation.h"
#include "zf/serve.h"

extern char **environ;

#define FILES 4096 /* open at once, connections among them */

struct serve_options {
    const char *data, *run, *other, *parts;
    int64_t port;
    const char *address;
    bool open;
};

static const struct zf_option serve_table[] = {
    ZF_OPTION_ROW_TEXT(serve_options, data, "DATA",
                       "pictures to choose from, and to find each unit's strongest among"),
    ZF_OPTION_ROW_TEXT(serve_options, run, "RUN", "a training to watch while it goes on, or after"),
    ZF_OPTION_ROW_TEXT(serve_options, other, "MODEL",
                       "a second model, for the experiments that take two"),
    ZF_OPTION_ROW_TEXT(serve_options, parts, "PARTS.tsv",
                       "a list of parts of pictures, for the experiments that take one"),
    ZF_OPTION_ROW_INT(serve_options, port, "N", "port to listen on; 0 = one that is free", 8080, 0,
                      65535),
    ZF_OPTION_ROW_TEXT(serve_options, address, "A",
                       "address to listen on; unless named 127.0.0.1, which other machines do not "
                       "reach"),
    ZF_OPTION_ROW_FLAG(serve_options, open, "open the page in a browser"),
};

/* Said by ready(). */
struct opening {
    struct call *call;
    bool open;
};

/* A browser in a process group of its own: Ctrl-C is not meant for it. Where none can be started
   there is the link still. */
static void open_browser(const char *link)
{
    char *words[] = {(char *)(uintptr_t) "xdg-open", (char *)(uintptr_t)link, NULL};
    posix_spawnattr_t attributes;
    pid_t child;

    signal(SIGCHLD, SIG_IGN);
    if (posix_spawnattr_init(&attributes) != 0)
        return;
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnp(&child, words[0], NULL, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
}

/* At once, where other commands print at their end. */
static void say_link(void *user, const char *link)
{
    const struct opening *opening = user;

    printf(opening->call->common.json ? "{\"link\":\"%s\"}\n" : "%s\n", link);
    fflush(stdout);
    progress_say(opening->call->progress,
                 "serving; whoever has the link may use it. Ctrl-C ends it");
    if (opening->open)
        open_browser(link);
}

static bool until_signal(void *user, const char *stage, int64_t done, int64_t total)
{
    (void)user;
    (void)stage;
    (void)done;
    (void)total;
    return progress_signal() == 0;
}

static void grant_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES)
        return;
    limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The model and the data, and in *notes what is said of them, which belongs on the page too. */
static enum zf_status open_world(struct call *call, const struct serve_options *given,
                                 struct zf_net **net, struct zf_net **other, struct zf_data **data,
                                 char **notes, struct zf_error *err)
{
    enum zf_status status;
    size_t size;

    call->progress->copy = open_memstream(notes, &size); /* NULL: they are on the terminal alone */
    ZF_TRY(model_open(call, call->args->words[0], net, err));
    if (given->other)
        ZF_TRY(model_open(call, given->other, other, err));
    if (given->data)
        ZF_TRY(zf_data_open_noting(given->data, call->monitor, data, err));
    status = ZF_OK;
fail:
    if (call->progress->copy)
        fclose(call->progress->copy);
    call->progress->copy = NULL;
    return status;
}

static enum zf_status run_serve(struct call *call, struct zf_error *err)
{
    const struct option_table table = {serve_table, ZF_COUNT(serve_table)};
    struct opening opening = {.call = call};
    struct zf_monitor monitor = *call->monitor;
    struct serve_options given;
    struct zf_net *net = NULL, *other = NULL;
    struct zf_data *data = NULL;
    char *notes = NULL;
    enum zf_status status;

    ZF_TRY(args_read(call->args, table, &given, err));
    ZF_TRY(open_world(call, &given, &net, &other, &data, &notes, err));
    opening.open = given.open;
    monitor.progress = until_signal;
    signal(SIGPIPE, SIG_IGN); /* a browser that goes away */
    grant_files();
    ZF_TRY(zf_serve(
        &(struct zf_serve_options){
            .net = net,
            .model = call->args->words[0],
            .notes = notes,
            .data = data,
            .run = given.run,
            .other = other,
            .other_model = given.other,
            .parts = given.parts,
            .temporary = getenv("TMPDIR"),
            .compute = call->compute,
            .address = given.address,
            .port = (int)given.port,
            .ready = say_link,
            .user = &opening,
        },
        &monitor, err));
fail:
    free(notes);
    zf_data_free(&data);
    zf_net_free(&other);
    zf_net_free(&net);
    return status;
}

const struct command serve_command = {
    .name = "serve",
    .arguments = "MODEL",
    .summary = "the microscope in a browser: drop a photo, see every layer answer",
    .details =
        "Prints a link; open it in a browser on this machine. The link has a token, and nobody "
        "without it is answered. Pictures that are dropped on the page stay in memory and are "
        "forgotten after an hour. Ctrl-C or SIGTERM ends it. The page's own interface, for "
        "programs, is in docs/serve.md.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .options = serve_table,
    .option_count = ZF_COUNT(serve_table),
    .imports = true,
    .prepares = true,
    .run = run_serve,
};
