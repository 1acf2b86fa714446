/* SPDX-License-Identifier: MIT */
/* Two nets over one data set, picture by picture: the measurement (measure.c) and the document
   (page.c). */
#ifndef ZF_EXPERIMENTS_COMPARE_H
#define ZF_EXPERIMENTS_COMPARE_H

#include "experiments/table.h"

/* What one net says of one picture. */
struct zf_verdict {
    int32_t predicted; /* class of that net; -1 = it has not seen the picture */
    bool right;
    float confidence;        /* the probability of `predicted` */
    float label_probability; /* and of the right class */
};

enum zf_outcome { ZF_BOTH_RIGHT, ZF_ONLY_FIRST, ZF_ONLY_SECOND, ZF_BOTH_WRONG, ZF_OUTCOMES };

/* Pictures of both nets' answers; the classes are the first net's. */
struct zf_compared {
    int64_t samples, classes;
    int32_t *labels;                /* [samples], -1 = none */
    int32_t *second_labels;         /* [samples]: the same by the second net's classes */
    struct zf_verdict *verdicts[2]; /* [samples] of each net */
    int64_t pictures, counts[ZF_OUTCOMES];
    int64_t (*by_class)[ZF_OUTCOMES]; /* [classes] */
    int64_t same_mistake;             /* of both wrong: with the same answer, by its name */
    struct zf_eval_result results[2];
};

/**
 * Ask both nets about every picture.
 *
 * data  labelled by classes that both nets know, by name; matched to the first net afterwards
 * out   handed over; free with zf_compared_free()
 *
 * Memory: 40 bytes a picture, and 64 MiB of decoded pictures at most. Returns what zf_eval_run()
 * does.
 */
enum zf_status zf_compare_run(const struct zf_net *first, const struct zf_net *second,
                              struct zf_data *data, const struct zf_eval_options *options,
                              struct zf_compared **out, const struct zf_monitor *monitor,
                              struct zf_error *err);
void zf_compared_free(struct zf_compared **compared);

enum zf_outcome zf_compared_outcome(const struct zf_compared *compared, int64_t sample);

/**
 * Probability of a difference at least as large as that between `a` and `b` pictures that only one
 * of the nets has right, were either as likely to be right there: the exact two-sided sign test.
 * (McNemar 1947.) 1 without any.
 */
double zf_compare_chance(int64_t a, int64_t b);

/**
 * The pictures of an outcome in which the net that is wrong is the surest, of two that are wrong
 * the surer one; equal ones in their order.
 * samples  [most], written; returns how many
 */
size_t zf_compare_choose(const struct zf_compared *compared, enum zf_outcome outcome,
                         int64_t *samples, size_t most);

/* ---- page.c ---- */

/* What is shown; everything is lent. */
struct zf_compare_show {
    const struct zf_net *nets[2];
    const char *names[2]; /* of the models, that tell them apart */
    const struct zf_data *data;
    size_t shown;     /* pictures of each kind, at most ZF_ALBUM_MOST */
    size_t explained; /* of those, with both nets' maps */
    struct zf_compute compute;
    const struct zf_monitor *monitor;
};

enum zf_status zf_compare_page(const struct zf_compared *compared,
                               const struct zf_compare_show *show, struct zf_document *document,
                               struct zf_error *err);

#endif
