/* SPDX-License-Identifier: MIT */
/* The rows of the table; each is at the end of its folder's run.c. */
#ifndef ZF_EXPERIMENTS_TABLE_H
#define ZF_EXPERIMENTS_TABLE_H

#include "zf/experiment.h"

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
