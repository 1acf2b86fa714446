/* SPDX-License-Identifier: MIT */
/**
 * The experiments of the paper and beyond, as data: a row says what an experiment is called, what
 * it takes and which options it has, so that a command line, a form in a browser or a binding can
 * be made of it. Running one fills a document (zf/document.h).
 *
 *     struct zf_call call = {.net = net, .arguments = &path, .argument_count = 1,
 *                            .directory = "out"};
 *     zf_experiment_run(zf_experiment_find("occlude"), &call, &document, &err);
 *
 * Sizes are in pixels of the net's input. Those that the paper gives for an input of 224 px are the
 * defaults, in proportion where the input has another size and nothing else is said.
 *
 * Threads: every call may run beside others, on one net too.
 */
#ifndef ZF_EXPERIMENT_H
#define ZF_EXPERIMENT_H

#include "zf/base.h"
#include "zf/document.h"
#include "zf/net.h"
#include "zf/option.h"
#include "zf/plan.h"
#include "zf/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an experiment looks at, beside what its options name. */
enum zf_takes {
    ZF_TAKES_MODEL,      /* a net */
    ZF_TAKES_PICTURES,   /* a net, and one or more pictures */
    ZF_TAKES_PARTS,      /* a net, and a list of the parts of pictures */
    ZF_TAKES_TWO_MODELS, /* two nets; the arguments are their paths */
    ZF_TAKES_RUN,        /* the directory of a training */
    ZF_TAKES_NOTHING,
};

/** Whether that has a net in it. */
static inline bool zf_takes_net(enum zf_takes takes)
{
    return takes == ZF_TAKES_MODEL || takes == ZF_TAKES_PICTURES || takes == ZF_TAKES_PARTS ||
           takes == ZF_TAKES_TWO_MODELS;
}

/* Whether zf_experiment_run() opens the data set that the option `data` names. */
enum zf_opens {
    ZF_OPENS_NOTHING,
    ZF_OPENS_DATA, /* where it is given */
    ZF_NEEDS_DATA, /* ZF_EINVAL without it */
};

/* What one run of an experiment is given. Everything is lent. */
struct zf_call {
    const struct zf_net *net;   /* NULL where none is taken */
    const char *model;          /* path that it was loaded from; NULL = none */
    const struct zf_net *other; /* the second of two; else NULL */
    const char *const
        *arguments; /* paths: of the pictures, the list of parts, the run, the two models */
    size_t argument_count;
    const void *options; /* of the experiment's own struct; NULL = all defaults */
    struct zf_compute compute;
    int64_t seed; /* of all random numbers */
    /* For experiments that train: settings, rows of zf_recipe_options(), that override the nets'
       recipes. */
    const struct zf_setting *settings;
    size_t setting_count;
    const char *directory; /* for the document's files and all others */
    bool single_file;      /* the page holds all its pictures, whatever the options say */
    const char *command;   /* the command line, for the page; NULL = none */
    const struct zf_monitor *monitor;
    const struct zf_train_monitor *trained; /* for experiments that train; or NULL */

    /* Filled in by zf_experiment_run() from the options, where the experiment asks for it. */
    struct zf_data *data; /* named by the option `data`, or NULL */
    const int *layers;    /* [layer_count] of the net, named by `layer`; NULL = none named */
    size_t layer_count;
};

struct zf_experiment {
    const char *name;    /* "occlude" */
    const char *figure;  /* of the paper: "figure 7", "tables 4, 5 and 7" */
    const char *title;   /* of its page */
    const char *summary; /* one line, no full stop */
    const char *details; /* paragraphs: what it does and which files it writes */
    enum zf_takes takes;
    enum zf_opens opens;
    bool looks_at_layers;   /* its option `layer` is a list of the net's */
    bool trains;            /* has the options of zf_recipe_options() as well */
    bool takes_any_numbers; /* models with NaN or infinity in their parameters too */
    double
        picture_bytes; /* of a page that holds its pictures, for each that is given; 0 = unknown */
    bool shares;       /* divides its work between the ranks of the call's compute */
    const struct zf_option *options;
    size_t option_count, options_size; /* rows, and bytes of the struct that they describe */

    /* Measure, and fill the document. */
    enum zf_status (*run)(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err);
};

/** The i-th experiment; NULL past the last. */
ZF_API const struct zf_experiment *zf_experiment_at(size_t i);

/** The experiment of that name, or NULL. */
ZF_API const struct zf_experiment *zf_experiment_find(const char *name);

/**
 * Run an experiment and write its document: call->directory/index.html, NAME.json, and figures.
 * Together, where call->compute has ranks: the first of them has the document, the same as of a
 * process that is alone, and writes it; on the others it is empty.
 *
 * document  NULL, or handed over for its numbers and lines; free with zf_document_free()
 *
 * Returns ZF_EINVAL for an option out of range or missing; ZF_EINPUT for a picture, list, run or
 * data set that cannot be used, with the reason, or that differs between ranks; ZF_EUNSUPPORTED for
 * a net that the experiment does not apply to, or ranks for one that does not share its work;
 * ZF_ENUMERIC where the net's answer is NaN or infinite; ZF_ECANCELED, ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_experiment_run(const struct zf_experiment *experiment,
                                        const struct zf_call *call, struct zf_document **document,
                                        struct zf_error *err);

/* ---- Results on disk. ---- */

/* A file of a result: "top.json", and what it holds; or why it cannot be used. */
typedef void zf_result_finding(void *user, const char *file, const char *what, bool good);

struct zf_result_found {
    int64_t files, bad;
    bool numbers;  /* KIND.json is whole */
    bool reports;  /* and so are its pictures: zf_report_write() makes a page of it */
    bool page;     /* index.html is whole */
    char *command; /* that made it, NULL where that is not known; free with zf_free() */
};

/** Whether a directory is an experiment's: it holds a KIND.json, whole or not. */
ZF_API bool zf_result_exists(const char *directory);

/**
 * Read all that a result of an experiment, or of `eval`, has on disk and report each file:
 * KIND.json for what its kind has and for blocks that make a page; its pictures and charts, which
 * must be there, end at their end, and have the size that the JSON says; tables, cell by cell; the
 * page. There are no checksums in a result: a number that became another one is not seen.
 *
 * Returns ZF_OK whatever is found; ZF_EINPUT when there is no result; ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_result_check(const char *directory, zf_result_finding *finding, void *user,
                                      struct zf_result_found *found, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
