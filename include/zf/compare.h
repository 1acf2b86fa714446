/* SPDX-License-Identifier: MIT */
/**
 * Experiments that compare nets: variants trained from scratch (paper: table 3), and features that
 * serve another task (tables 4, 5 and 7). Ensembles (table 2) are zf_eval_run() of zf/train.h.
 */
#ifndef ZF_COMPARE_H
#define ZF_COMPARE_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mean and sample deviation over runs or folds; the deviation of one is 0. */
struct zf_spread {
    double mean, deviation;
};

/* ---- Variants of a net, each trained from scratch. ---- */

struct zf_variant {
    const char *net; /* a spec file or the name of a built-in net; lent */
    struct zf_recipe recipe;
};

struct zf_ablate_options {
    const struct zf_variant *variants; /* lent */
    size_t variant_count;
    int64_t seeds; /* runs a variant, >= 1: of seeds train.seed, train.seed + 1, ... */
    struct zf_train_options train; /* of every run; its recipe is the variant's. With `resume`,
                                      runs that are there go on, and finished ones are not done
                                      again. */
};

/* One run. Errors are fractions, of the model that was best in validation, on centre crops. */
struct zf_ablation_run {
    int64_t seed;
    int64_t epochs, best_epoch; /* trained; whose model it is */
    double train_top1_error, val_top1_error, val_top5_error;
    double seconds; /* of training */
};

struct zf_ablation_row {
    char *net; /* its name */
    int64_t parameters;
    struct zf_ablation_run *runs; /* [zf_ablation.seeds] */
    struct zf_spread train_top1_error, val_top1_error, val_top5_error, epochs, seconds;
};

struct zf_ablation {
    size_t row_count;
    struct zf_ablation_row *rows;
    int64_t seeds;
    int64_t classes, train_images, val_images;
    struct zf_recipe recipe; /* of the first variant */
    char *data_name, *val_name;
};

/**
 * Train every variant on the same data with the same budget and seeds, and measure its errors on
 * the training and the validation data. (Paper: table 3.)
 *
 * data, val  lent; both needed
 * directory  each run is in directory/NET-sSEED/, as zf_train_run() leaves it
 * out        handed over; free with zf_ablation_free()
 *
 * Everything that can be checked is checked before the first run begins: ZF_EINPUT for a net that
 * cannot take the data's classes or two of one name, ZF_EINVAL for budgets that differ, or for runs
 * that are there without `resume`. ZF_ECANCELED after a stop by the monitor (what was done is
 * kept), and what zf_train_run() and zf_eval_run() return.
 */
ZF_API enum zf_status zf_ablate_run(const struct zf_ablate_options *options, struct zf_data *data,
                                    struct zf_data *val, const char *directory,
                                    struct zf_ablation **out,
                                    const struct zf_train_monitor *monitor, struct zf_error *err);
ZF_API void zf_ablation_free(struct zf_ablation **ablation);

/**
 * Write directory/index.html, ablate.json and the chart. `command` may be NULL. ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_ablation_report(const struct zf_ablation *ablation, const char *directory,
                                         const char *command, struct zf_error *err);

/** The contents of ablate.json: {"rows":[...]}; handed over, free with zf_text_free(). */
ZF_API enum zf_status zf_ablation_json(const struct zf_ablation *ablation, char **json,
                                       struct zf_error *err);

/* ---- Features of a trained net under a new classifier. ---- */

enum zf_classifier {
    ZF_CLASSIFIER_SOFTMAX, /* multinomial logistic regression */
    ZF_CLASSIFIER_SVM,     /* linear, one class against the rest, by liblinear */
};

/** "softmax" or "svm"; NULL past the last. */
ZF_API const char *zf_classifier_name(int classifier);

struct zf_transfer_options {
    const int *layers; /* lent; NULL = what each layer with parameters hands to the next one */
    size_t layer_count;
    const int64_t *per_class; /* training images a class, each >= 1; lent */
    size_t per_class_count;
    int64_t folds;                         /* random splits, >= 1 */
    int64_t test_per_class;                /* at most; 0 = 50 */
    const enum zf_classifier *classifiers; /* lent; NULL = softmax */
    size_t classifier_count;
    double cost; /* C of the classifier: weight of an image's loss beside |w|^2 / 2; 0 = 10 */
    int64_t svm_memory; /* bytes that the SVM's copy of the features may take; 0 = 2 GiB */
    const struct zf_variant *scratch; /* NULL, or a net to train from scratch on each fold */
    struct zf_data *seen; /* NULL, or the data that the model was trained on: what is in both? */
    double same;          /* correlation from which two pictures are the same; 0 = 0.95 */
    struct zf_train_options train; /* of `scratch`; its seed, threads, strict, engine, exact and
                                      precision hold for everything */
};

/* One line of a table: accuracies are fractions, the mean of those of the classes. */
struct zf_transfer_row {
    int layer;                     /* of the net; -1 = trained from scratch */
    enum zf_classifier classifier; /* of a layer */
    int64_t per_class;
    struct zf_spread accuracy; /* over the folds; NaN where the classifier could not be had */
};

/* Two pictures that are nearly the same. */
struct zf_transfer_twin {
    int64_t sample; /* of the target data */
    int64_t seen;   /* of the data seen in training: the most alike */
    double correlation;
};

struct zf_transfer {
    size_t row_count;
    struct zf_transfer_row *rows; /* by layer, classifier, count; scratch first */
    size_t per_class_count;       /* rows that differ in per_class only follow each other */
    int64_t folds, test_per_class, classes, images;
    int64_t seed;
    double cost;
    double chance;                      /* accuracy of guessing */
    int64_t fewest_tested, most_tested; /* images of a class */
    char *model, *data_name, *scratch;  /* scratch: NULL = none */
    char **layers;                      /* names of the rows' layers, by index of the net */
    int layer_count;
    bool compared; /* with the data seen in training */
    int64_t seen_images;
    double same;
    size_t twin_count;
    struct zf_transfer_twin *twins;   /* most alike first */
    char **twin_paths;                /* [2 * twin_count]: of the target, of the one seen */
    size_t twin_pictured;             /* of the first ones, ... */
    struct zf_picture *twin_pictures; /* ... [2 * twin_pictured] squares, in the same order */
};

/**
 * Train new classifiers on the frozen features of `net`, and measure them. (Paper: sections 5.2
 * and 5.3, tables 4, 5 and 7.)
 *
 * Each fold draws, class by class, the largest of per_class training images and up to
 * test_per_class others to test on; smaller counts take the first of the same images, so all rows
 * are measured on the same pictures. Features are those of centre crops, each picture's divided by
 * their Euclidean length. Every picture runs through the net once; features wait in an unnamed
 * file in `directory`, mapped into memory, so that memory does not grow with their number.
 *
 * data       labelled, two classes or more; lent
 * directory  made if missing: of that file, and of runs from scratch (scratch-nN-fF/)
 * out        handed over; free with zf_transfer_free()
 *
 * Returns ZF_EINPUT when a class has too few images (named, with the numbers) or there is but one
 * class, ZF_EINVAL for an option or layer out of range, ZF_EUNSUPPORTED for the SVM in a build
 * without liblinear (features beyond its memory leave a gap in the table, with a message),
 * ZF_ENUMERIC when a feature is not finite, ZF_EIO when there is no room for the features,
 * ZF_ECANCELED, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_transfer_run(const struct zf_net *net, struct zf_data *data,
                                      const struct zf_transfer_options *options,
                                      const char *directory, struct zf_transfer **out,
                                      const struct zf_train_monitor *monitor, struct zf_error *err);
ZF_API void zf_transfer_free(struct zf_transfer **transfer);

/** As of zf_ablation_report() and zf_ablation_json(). */
ZF_API enum zf_status zf_transfer_report(const struct zf_transfer *transfer, const char *directory,
                                         const char *command, struct zf_error *err);
ZF_API enum zf_status zf_transfer_json(const struct zf_transfer *transfer, char **json,
                                       struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
