/* SPDX-License-Identifier: MIT */
/* Minimising a smooth function of many variables: L-BFGS (Nocedal 1980) with backtracking. */
#ifndef ZF_LEARN_LBFGS_H
#define ZF_LEARN_LBFGS_H

#include "zf/base.h"

/* The value at x, and its gradient. */
typedef double zf_objective(void *user, const float *x, float *gradient);

struct zf_lbfgs_options {
    int64_t iterations; /* at most */
    double tolerance;   /* ends when |gradient| <= tolerance * |gradient at the start| */
    size_t memory;      /* bytes that the history may take; 3 to 10 steps are kept */
};

struct zf_lbfgs_result {
    double value;
    int64_t iterations;
    bool converged; /* false: the iterations were used up, or the last digits were reached */
};

/**
 * x  [count] where to start; left at the minimum found
 * Returns ZF_ENOMEM, ZF_ENUMERIC when the objective is not finite at the start.
 */
enum zf_status zf_lbfgs_run(zf_objective *objective, void *user, float *x, int64_t count,
                            const struct zf_lbfgs_options *options, struct zf_lbfgs_result *result,
                            struct zf_error *err);

#endif
