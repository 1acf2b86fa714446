/* SPDX-License-Identifier: MIT */
/* The rows of the table; each is at the end of its folder's run.c. */
#ifndef ZF_EXPERIMENTS_TABLE_H
#define ZF_EXPERIMENTS_TABLE_H

#include "zf/experiment.h"
#include "zf/ranks.h"

/* Whether this rank makes the document: the others have helped to find what is in it. */
static inline bool zf_call_shows(const struct zf_call *call)
{
    return zf_ranks_rank(call->compute.ranks) == 0;
}

/* A flag of experiments whose pictures have panels: zf_experiment_run() has them made. */
#define ZF_FIGURE_ROW(type)                                                                        \
    ZF_OPTION_ROW_FLAG(type, figure,                                                               \
                       "for slides, each picture 1920 px wide as well, NAME+figure.png and "       \
                       "NAME+figure.svg, whose words can be edited")

/* A flag of experiments whose pictures may be more than a page holds: likewise. */
#define ZF_SINGLE_FILE_ROW(type)                                                                   \
    ZF_OPTION_ROW_FLAG(type, single_file,                                                          \
                       "all pictures in the page, to send it as one file; else more than 4 MiB "   \
                       "of them lie in DIR/pictures")

extern const struct zf_experiment zf_experiment_top;
extern const struct zf_experiment zf_experiment_unit;
extern const struct zf_experiment zf_experiment_evolve;
extern const struct zf_experiment zf_experiment_invariance;
extern const struct zf_experiment zf_experiment_diagnose;
extern const struct zf_experiment zf_experiment_occlude;
extern const struct zf_experiment zf_experiment_correspond;
extern const struct zf_experiment zf_experiment_compare;
extern const struct zf_experiment zf_experiment_ablate;
extern const struct zf_experiment zf_experiment_transfer;

#endif
