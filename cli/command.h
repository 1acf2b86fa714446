/* SPDX-License-Identifier: MIT */
/**
 * What a command is, and what it is given to work with.
 *
 * A command is a const struct at the bottom of its file and one line in the table of main.c; those
 * of the experiments are made of the library's table (experiment.h). A command reads its options
 * from `call->args`, writes its result to `call->out` (main.c brings that to stdout or to the file
 * of --out, whole or not at all), and returns a status with one sentence.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "args.h"
#include "progress.h"
#include "zf/base.h"
#include "zf/option.h"
#include "zf/plan.h"
#include "zf/ranks.h"

/* The options that every command takes. */
struct common_options {
    bool json;
    int64_t threads; /* >= 1 once the command runs */
    int64_t seed;
    int precision;
    const char *engine;
    const char *cpu; /* NULL = all that the processor has */
    bool exact;
    const char *out;
    bool quiet;
    bool help, help_all; /* answered by main.c before anything else */
};

/* What --out names. */
enum output_kind {
    OUTPUT_TEXT,      /* the result itself, in place of stdout */
    OUTPUT_FILE,      /* a file that the command makes */
    OUTPUT_DIRECTORY, /* a directory that the command fills */
    OUTPUT_EITHER,    /* text where the name has an ending such as .json, else a directory */
};

struct call {
    const struct command *command;
    const struct args *args;
    struct common_options common;
    enum output_kind output;   /* the command's, never OUTPUT_EITHER */
    struct zf_compute compute; /* of those: how nets run; a batch of 0 */
    struct progress *progress;
    const struct zf_monitor *monitor; /* of `progress` */
    const char *line;                 /* the command line, for pages and advice */
    int typed_count;                  /* and its words behind the command's name */
    char **typed;
    struct zf_ranks *ranks; /* that share the work; NULL = it is alone */
    struct pipes *pipes;    /* stdin and stdout, where "-" names them */
    FILE *out;
    bool result_stands; /* print the result although the status says failure */
};

struct command {
    const char *name;
    const char *arguments; /* "MODEL IMAGE..." */
    const char *summary;   /* one line, no full stop */
    const char *details;   /* paragraphs for --help; may be NULL */
    enum output_kind output;
    size_t least, most;        /* positional arguments */
    bool runs_no_net;          /* so a slow engine is of no account */
    bool shares;               /* divides its work between ranks */
    bool reads_stdin;          /* where an IMAGE is "-" */
    bool writes_stdout;        /* its last word, a file to write, may be "-" */
    const char *stdout_ending; /* of the OUTPUT_FILE that "-o -" stands for */
    bool recalls;              /* --resume alone takes the rest of recall.h's record */
    const struct zf_option *options;
    size_t option_count;
    /* NULL, or a second table: options that the library describes. */
    const struct zf_option *(*library_options)(size_t *count);
    bool imports;  /* takes a MODEL, and with it the options of nets.h */
    bool prepares; /* and those of preparation.h */
    enum zf_status (*run)(struct call *call, struct zf_error *err);
    const struct zf_experiment *experiment; /* that it runs, or NULL */
};

/** ZF_EINVAL with "train needs --data DATA" unless `text` is there. */
enum zf_status need(const struct call *call, const char *text, const char *what,
                    struct zf_error *err);

extern const struct command train_command;
extern const struct command eval_command;
extern const struct command classify_command;
extern const struct command activations_command;
extern const struct command project_command;
extern const struct command report_command;
extern const struct command serve_command;
extern const struct command info_command;
extern const struct command convert_command;
extern const struct command check_command;
extern const struct command pack_command;
extern const struct command synth_command;
extern const struct command bench_command;
extern const struct command completion_command;

#endif
