/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 14 /* leaves room for what training shows, at 80 columns */
#define TERMINAL_PERIOD_S 0.1
#define PLAIN_PERIOD_S 5.0

/* A handler can only reach something of static storage. */
static volatile sig_atomic_t caught_signal;

static void catch_signal(int number)
{
    caught_signal = number;
}

int progress_signal(void)
{
    return caught_signal;
}

double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_start(struct progress *progress, bool quiet)
{
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}; /* Slurm warns by these */
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    struct winsize size;

    *progress = (struct progress){.quiet = quiet, .columns = 80, .shown_s = clock_seconds()};
    progress->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    progress->colour = progress->terminal && !(no_colour && *no_colour);
    if (progress->terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        progress->columns = size.ws_col;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action = {.sa_handler = catch_signal}, before;

        /* SA_RESETHAND: whoever asks twice is not kept waiting for good order. */
        action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL); /* nohup's SIGHUP stays ignored */
    }
}

static void clear_bar(struct progress *progress)
{
    if (progress->line_open)
        fputs("\r\033[K", stderr);
    progress->line_open = false;
}

void progress_end(struct progress *progress)
{
    clear_bar(progress);
    progress->stage[0] = '\0';
    fflush(stderr);
}

void format_duration(double seconds, char *text, size_t size)
{
    const long whole = seconds < 359999 ? (long)(seconds + 0.5) : 359999;

    if (whole >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
}

static void print_bar(struct progress *progress, double fraction, const char *text)
{
    char cells[BAR_CELLS + 1];
    char line[512];
    const int filled = (int)(fraction * BAR_CELLS);

    for (int i = 0; i < BAR_CELLS; i++)
        cells[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    cells[BAR_CELLS] = '\0';
    if (fraction >= 0)
        snprintf(line, sizeof line, "%-10s [%s] %3d%%  %s", progress->stage, cells,
                 (int)(100 * fraction), text);
    else
        snprintf(line, sizeof line, "%-10s %s", progress->stage, text);
    /* A line that wraps could not be cleared again. */
    fprintf(stderr, "\r%s%.*s%s\033[K", progress->colour ? "\033[36m" : "", progress->columns - 1,
            line, progress->colour ? "\033[0m" : "");
    progress->line_open = true;
}

static bool goes_on(const struct progress *progress)
{
    return caught_signal == 0 && !zf_ranks_stopping(progress->ranks);
}

bool progress_show(struct progress *progress, const char *stage, int64_t done, int64_t total,
                   const char *note, double left_s)
{
    const double now = clock_seconds();
    const double period = progress->terminal ? TERMINAL_PERIOD_S : PLAIN_PERIOD_S;
    double rate;
    char left[32] = "", text[256];

    if (strncmp(progress->stage, stage, sizeof progress->stage - 1) != 0) {
        snprintf(progress->stage, sizeof progress->stage, "%s", stage);
        progress->begun_at = done;
        progress->begun_s = now;
    }
    if (progress->quiet || now - progress->shown_s < period)
        return goes_on(progress);
    progress->shown_s = now;
    rate = now > progress->begun_s ? (double)(done - progress->begun_at) / (now - progress->begun_s)
                                   : 0;
    if (left_s < 0 && rate > 0 && total > done)
        left_s = (double)(total - done) / rate;
    if (left_s >= 0)
        format_duration(left_s, left, sizeof left);
    snprintf(text, sizeof text, "%" PRId64 "%s%.0" PRId64, done, total > 0 ? "/" : "",
             total > 0 ? total : (int64_t)0);
    if (*note)
        snprintf(text + strlen(text), sizeof text - strlen(text), "  %s", note);
    else if (rate > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "  %.*f/s", rate < 10 ? 1 : 0,
                 rate);
    if (*left)
        snprintf(text + strlen(text), sizeof text - strlen(text), "  %s left", left);
    if (progress->terminal)
        print_bar(progress, total > 0 ? (double)done / (double)total : -1, text);
    else
        fprintf(stderr, "%s: %s\n", stage, text);
    fflush(stderr);
    return goes_on(progress);
}

void progress_say(struct progress *progress, const char *format, ...)
{
    va_list args;

    if (progress->copy) {
        va_start(args, format);
        vfprintf(progress->copy, format, args);
        va_end(args);
        fputc('\n', progress->copy);
    }
    if (progress->quiet)
        return;
    clear_bar(progress);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(stderr);
}

static bool on_progress(void *user, const char *stage, int64_t done, int64_t total)
{
    return progress_show(user, stage, done, total, "", -1);
}

static void on_message(void *user, const char *sentence)
{
    progress_say(user, "%s", sentence);
}

struct zf_monitor progress_monitor(struct progress *progress)
{
    return (struct zf_monitor){.user = progress, .progress = on_progress, .message = on_message};
}
