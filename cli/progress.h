/* SPDX-License-Identifier: MIT */
/**
 * Progress on stderr: a bar with rate and time left on a terminal, a plain line every few seconds
 * elsewhere. Also where Ctrl-C and SIGTERM are noticed, so that a long call stops soon and in
 * good order.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdio.h>

#include "zf/base.h"
#include "zf/ranks.h"

struct progress {
    bool quiet;
    bool terminal;
    bool colour;
    int columns;
    bool line_open;   /* a bar stands on the current line */
    char stage[64];   /* of the bar */
    int64_t begun_at; /* `done` when the stage began */
    double begun_s, shown_s;
    FILE *copy;             /* NULL, or where what is said goes as well */
    struct zf_ranks *ranks; /* of which any may ask to stop; NULL = it is alone */
};

/** Look at the terminal, and catch SIGINT and SIGTERM (a second one kills as usual). quiet: show
 *  and say nothing. */
void progress_start(struct progress *progress, bool quiet);

/** Clear the bar. */
void progress_end(struct progress *progress);

/** The monitor to hand to the library; `progress` must outlive it. */
struct zf_monitor progress_monitor(struct progress *progress);

/**
 * Show `done` of `total` (0 = unknown) units of `stage`, with `note` behind (may be ""); at most a
 * few times a second. `left_s` < 0 = work it out. False when a signal or another rank asks to
 * stop.
 */
bool progress_show(struct progress *progress, const char *stage, int64_t done, int64_t total,
                   const char *note, double left_s);

/** A line on stderr that stays, above the bar. */
void progress_say(struct progress *progress, const char *format, ...) ZF_PRINTF(2, 3);

/** SIGINT or SIGTERM if one has come, else 0. */
int progress_signal(void);

/** Seconds on a clock that only goes forward. */
double clock_seconds(void);

/** "1:02:03" or "2:03". */
void format_duration(double seconds, char *text, size_t size);

#endif
