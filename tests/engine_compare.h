/* SPDX-License-Identifier: MIT */
/**
 * Holding one engine against another.
 *
 * A *case* is a function that draws shapes and numbers from a seed, builds programs on whatever
 * engine it is given, runs them and shows what came out. Run with the same seed on the reference
 * and on another engine, it must show the same arrays: bit for bit where the operation only moves
 * or selects numbers, within a relative L2 bound where it sums them.
 *
 * The rig carries what every case needs: the engine, the stream of random numbers, host arrays
 * that live as long as the engine, and the inputs that are written before each forward run.
 */
#ifndef ZF_TESTS_ENGINE_COMPARE_H
#define ZF_TESTS_ENGINE_COMPARE_H

#include "base/random.h"
#include "engine/engine.h"

#define SHOWN_LIMIT 64
#define RIG_LIMIT 64

/* |other - reference| <= bound * max(|reference|, rms * sqrt(count)); a bound of 0 asks for equal
   numbers. rms is what one number is expected to be like, so that a lucky cancellation in an array
   of one number does not make its rounding errors look large. */
struct tolerance {
    double bound, rms;
};

#define EQUAL ((struct tolerance){0.0, 0.0})

struct shown {
    char name[48];
    float *data;
    int64_t count;
    struct tolerance tolerance;
};

struct outcome {
    struct shown shown[SHOWN_LIMIT];
    size_t count;
    char shape[1024]; /* the case in words, for the report of a failure */
};

/* How long the programs of a case take, besides REFRESH. */
struct timing {
    int threads, runs;
    double ns;       /* the median of a run of each */
    double spread;   /* of the middle half of the runs, as a share of the median; the largest */
    double products; /* multiplications with an addition, where rig_products() said so */
};

struct rig {
    const struct zf_engine_ops *ops;
    struct zf_engine *e;
    struct zf_random random;
    uint64_t seed;
    struct timing *timing; /* NULL = each program is run once */
    int64_t batch;
    bool bf16; /* asked of the other engine, where the processor has it; the reference stays full */
    struct outcome *outcome;
    float *arrays[RIG_LIMIT];
    size_t array_count;
    struct {
        zf_value value;
        float *plain;
        int64_t count;
    } inputs[RIG_LIMIT];
    size_t input_count;
    struct zf_run run;
};

typedef void engine_case(struct rig *rig);

struct engine_cases {
    const char *name;
    int count;
    engine_case *run;
};

/* All operations, and chains of them; ended by a NULL name. */
extern const struct engine_cases engine_operations[];
extern const struct engine_cases engine_chains[];

/* engine_products.c */
engine_case engine_conv_forward, engine_conv_backward_data, engine_conv_backward_weights;
engine_case engine_conv_forward_large, engine_conv_backward_data_sparse;
engine_case engine_conv_forward_bf16, engine_conv_backward_data_bf16;
engine_case engine_conv_backward_weights_bf16;
engine_case engine_fc_forward_bf16, engine_fc_backward_data_bf16;
engine_case engine_fc_forward, engine_fc_backward_data, engine_fc_backward_weights;

engine_case engine_cut, engine_unpool_box; /* engine_cut.c */

/*
 * The bounds. A float rounds to within 2^-24 = 6e-8.
 *
 * SUM        Sums of up to a few thousand products in float, in whatever order. Errors of random
 *            sign grow like the root of the number of terms: sqrt(2400) * 6e-8 = 3e-6.
 * FAST_SUM   Winograd's transforms amplify that by their coefficients (up to 8 for 4x4 tiles).
 * HALF       Factors and results of 8 bits are off by up to 2^-9 = 0.002 each, and the terms of a
 *            short sum by as much of themselves, which may be more than the sum is.
 * POWER      x^-0.75 by polynomials or square roots, good to some ulps, after a sum of squares.
 * ROUNDING   One or two roundings: 1 / (1 - rate) times x against x / (1 - rate).
 */
#define SUM 1e-5
#define FAST_SUM 2e-4
#define HALF 1.5e-2
#define POWER 5e-6
#define ROUNDING 2e-7

/* What kind of numbers an array is filled with. */
enum numbers {
    NORMAL,    /* mean 0, deviation 1 */
    RECTIFIED, /* small whole numbers, half of them zero: plenty of ties */
    WHOLE,     /* -3 .. 3 */
    SIGN,      /* -1, 0, 1 */
    DISTINCT,  /* 1, 2, 3, ... */
};

/* ---- A rig in a case ---- */

/* Only for users without a case; outcome_of() does it for the others. outcome: lent; may be NULL
   if nothing is described or shown. */
void rig_init(struct rig *rig, const struct zf_engine_ops *ops, uint64_t seed,
              struct outcome *outcome);
void rig_release(struct rig *rig);

/* Draws the batch and the thread count and creates the engine. */
void rig_create_engine(struct rig *rig, int64_t batch, bool training, bool exact);

int64_t rig_between(struct rig *rig, int64_t low, int64_t high); /* both included */
int64_t rig_pick(struct rig *rig, const int64_t *choices, size_t count);
bool rig_chance(struct rig *rig, int percent);

/* Awkward extents as well as plain ones, small enough for hundreds of cases. */
int64_t rig_maps(struct rig *rig);
int64_t rig_side(struct rig *rig);
struct zf_dims rig_dims(struct rig *rig);
struct zf_window rig_window(struct rig *rig, struct zf_dims src); /* fits */

/* Host memory that lives until the rig is released. */
float *rig_array(struct rig *rig, int64_t count, enum numbers kind, double scale);
void rig_fill(struct rig *rig, float *array, int64_t count, enum numbers kind, double scale);

/* An input with numbers of its own, written by rig_forward(). */
zf_value rig_input(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale);

/* The same, in some cases sent through a 1x1 convolution that exchanges maps and signs but
   leaves every digit alone, so that the value has the layout that the engine likes best. */
zf_value rig_source(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale);

zf_value rig_host(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale);

/* Finish and refresh. */
void rig_finish(struct rig *rig);
void rig_forward(struct rig *rig); /* write the inputs, run FORWARD */
void rig_run(struct rig *rig, int program);

/* What the case multiplies, for its speed. */
void rig_products(struct rig *rig, double products);

void rig_describe(struct rig *rig, const char *format, ...) ZF_PRINTF(2, 3);
void rig_show(struct rig *rig, const char *name, zf_value value, struct tolerance tolerance);
void rig_show_array(struct rig *rig, const char *name, const float *data, int64_t count,
                    struct tolerance tolerance);

struct zf_dims dims4(int64_t n, int64_t c, int64_t h, int64_t w);
int64_t dims_count(struct zf_dims dims);
const char *dims_text(struct zf_dims dims, char text[64]);
const char *window_text(const struct zf_window *window, char text[160]);

/* ---- Around the cases ---- */

/* Runs the case on one engine; release the outcome afterwards. */
void outcome_of(engine_case *run, const struct zf_engine_ops *ops, uint64_t seed,
                struct outcome *outcome);
void timed_outcome_of(engine_case *run, const struct zf_engine_ops *ops, uint64_t seed,
                      struct timing *timing, struct outcome *outcome);
void outcome_release(struct outcome *outcome);

/* Runs one case on both; on disagreement prints operation, seed, shape and the first difference.
 *worst: NULL, or raised to the largest difference as a share of its bound. */
bool engines_agree(const struct engine_cases *cases, uint64_t seed,
                   const struct zf_engine_ops *engine, double *worst);

#endif
