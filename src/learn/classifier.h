/* SPDX-License-Identifier: MIT */
/* Linear classifiers on feature vectors. A kind is one file with one const struct at its bottom. */
#ifndef ZF_LEARN_CLASSIFIER_H
#define ZF_LEARN_CLASSIFIER_H

#include "zf/plan.h"

enum zf_classifier {
    ZF_CLASSIFIER_SOFTMAX, /* multinomial logistic regression */
    ZF_CLASSIFIER_SVM,     /* linear, one class against the rest, by liblinear */
};

/** "softmax" or "svm"; NULL past the last. */
const char *zf_classifier_name(int classifier);

/** The classifier of that name; ZF_EINVAL. */
enum zf_status zf_classifier_find(const char *name, enum zf_classifier *out, struct zf_error *err);

/* Vectors with their classes; everything is lent. */
struct zf_examples {
    const float *const *rows; /* [count], each of `stride` values */
    const int32_t *labels;    /* [count] */
    int64_t count;
    int64_t stride; /* see zf_vector_stride() */
};

struct zf_fit_options {
    int64_t classes;
    double cost;    /* C: minimised is |w|^2 / 2 + C * sum of the losses */
    int64_t memory; /* bytes for a copy of the examples, where one is needed */
    struct zf_compute compute;
};

/* A fitted classifier: the class of a row is the first k with the largest
   weights[k] . row + biases[k]. The arrays are lent to be written. */
struct zf_linear {
    float *weights; /* [classes][stride] */
    float *biases;  /* [classes] */
};

struct zf_classifier_type {
    const char *name;
    bool built_in; /* whether this build has it */

    /* Fit on `train`, then answer[i] = the class of test->rows[i]. The same examples give the same
       answers. fitted: NULL, or what it came to. ZF_EUNSUPPORTED when the features are too large
       for it; ZF_EINPUT when `fitted` is asked for and a class has no examples. */
    enum zf_status (*run)(const struct zf_examples *train, const struct zf_examples *test,
                          const struct zf_fit_options *options, int32_t *answer,
                          const struct zf_linear *fitted, struct zf_error *err);
};

extern const struct zf_classifier_type zf_classifier_softmax;
extern const struct zf_classifier_type zf_classifier_svm;

/* By enum zf_classifier; NULL past the last. */
const struct zf_classifier_type *zf_classifier_at(int classifier);

#endif
