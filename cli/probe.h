/* SPDX-License-Identifier: MIT */
/* What the commands that look at single pictures share. */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "command.h"
#include "zf/probe.h"

/** How the net runs, from the options of every command and --batch. */
struct zf_compute probe_run(const struct call *call, int64_t batch);

/** Print what a library function gave as JSON, if anything, free it, and say what was written. */
void probe_end(const struct call *call, const char *name, char *json);

/* Pictures as a net takes them; several of a .npy file count each. */
struct subjects {
    struct zf_tensor inputs; /* [count, c, h, w] */
    struct zf_picture *shown;
    char **names; /* paths; "path#i" of a .npy file with several */
    size_t count;
};

/**
 * Load words [1 ...] of the command. smallest: px that the shorter side of a picture must have.
 * Release with subjects_release() in any case.
 */
enum zf_status subjects_load(struct subjects *subjects, const struct call *call,
                             const struct zf_net *net, int64_t smallest, struct zf_error *err);
void subjects_release(struct subjects *subjects);

#endif
