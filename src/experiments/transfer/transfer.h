/* SPDX-License-Identifier: MIT */
/* Transfer: what is asked (ask.c), a classifier on a layer (fit.c), the same task without the
   trained net (scratch.c), pictures that the model has seen (twins.c), the course of it
   (measure.c), a model of the best (save.c), and the document (page.c, twins_page.c). */
#ifndef ZF_EXPERIMENTS_TRANSFER_H
#define ZF_EXPERIMENTS_TRANSFER_H

#include "experiments/table.h"
#include "experiments/trainings.h"
#include "learn/classifier.h"
#include "learn/features.h"
#include "learn/folds.h"

/* ---- measure.c ---- */

struct zf_transfer_options {
    const int *layers; /* lent; NULL = what layers with parameters hand to the next one */
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
    const char *save; /* NULL, or where a model of the best features and classifier goes; lent */
    struct zf_train_options train; /* of `scratch`; its seed, strict and compute hold for
                                      everything */
};

/* One line of a table: accuracies are fractions, the mean of those of the classes. */
struct zf_transfer_row {
    int layer;                     /* of the net; -1 = trained from scratch */
    enum zf_classifier classifier; /* of a layer */
    int64_t per_class;
    struct zf_spread accuracy; /* over the folds; NaN where the classifier could not be had */
};

/* The model that was saved: of the first fold's classifier, which the pictures that this fold was
   tested on have not been shown. */
struct zf_transfer_saved {
    char *path;     /* NULL = none */
    char *held_out; /* the list of those pictures; NULL where they are no files of their own */
    const struct zf_transfer_row *row;
    double accuracy;               /* of the first fold: what the row has a mean of */
    double top1_error, top5_error; /* of the model, on the same pictures: what eval says */
    int64_t tested;
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
    struct zf_transfer_saved saved;
    size_t per_class_count; /* rows that differ in per_class only follow each other */
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
 * out        handed over; free with zf_transfer_free(); NULL on other ranks than the first
 *
 * Ranks (train.compute) share the pictures that run through the net; the rest is the first one's.
 *
 * Returns ZF_EINPUT when a class has too few images (named, with the numbers) or there is but one
 * class, ZF_EINVAL for an option or layer out of range, ZF_EUNSUPPORTED for the SVM in a build
 * without liblinear (features beyond its memory leave a gap in the table, with a message),
 * ZF_ENUMERIC when a feature is not finite, ZF_EIO when there is no room for the features,
 * ZF_ECANCELED, ZF_ENOMEM.
 */
enum zf_status zf_transfer_run(const struct zf_net *net, struct zf_data *data,
                               const struct zf_transfer_options *options, const char *directory,
                               struct zf_transfer **out, const struct zf_train_monitor *monitor,
                               struct zf_error *err);
void zf_transfer_free(struct zf_transfer **transfer);

/* ---- The parts. ---- */

/* The experiment at work: the options with their defaults, and what it has come to. */
struct zf_transfer_work {
    struct zf_transfer_options options;
    const struct zf_net *net;
    struct zf_data *data;
    const char *directory;
    struct zf_transfer *transfer;
    int *layers;               /* the default ones; owned */
    struct zf_compute compute; /* threads >= 1; of this process alone */
    struct zf_ranks *ranks;    /* that share the features */
    int64_t most;              /* largest of per_class */
    struct zf_fold *folds;     /* [options.folds] */
    double *accuracies;        /* [rows][folds] */
    int64_t done, total;       /* fits and trainings */
    int64_t measured;          /* those that came to an accuracy */
    struct zf_features *features;
    const struct zf_train_monitor *told;
    struct zf_monitor monitor; /* the same for what knows nothing of training */
};

/** Fill in the defaults of work->options and check them; sets layers, compute and most. */
enum zf_status zf_transfer_ask(struct zf_transfer_work *work, struct zf_error *err);

/**
 * Fit a classifier on the first per_class images a class of a fold, at options.layers[layer].
 * answers  [fold->test_count] classes; -1 for a picture that could not be read
 * fitted   NULL, or what it came to
 */
struct zf_transfer_fit {
    size_t layer; /* of options.layers */
    enum zf_classifier classifier;
    int64_t per_class;
};
enum zf_status zf_transfer_classify(const struct zf_transfer_work *work,
                                    const struct zf_transfer_fit *fit, const struct zf_fold *fold,
                                    int32_t *answers, const struct zf_linear *fitted,
                                    struct zf_error *err);

/** Which of options.layers a layer of the net is. */
size_t zf_transfer_place(const struct zf_transfer_work *work, int layer);

/** The row of the most training images that did best; not of those from scratch. */
const struct zf_transfer_row *zf_transfer_best(const struct zf_transfer *transfer);

/** Save a model of the best row, measure it and list what it was measured on; fills in
    transfer->saved. */
enum zf_status zf_transfer_save(const struct zf_transfer_work *work, const char *path,
                                struct zf_error *err);

/** What must hold for hours of training to be worth beginning. */
enum zf_status zf_transfer_check_scratch(const struct zf_transfer_work *work, struct zf_error *err);

/** Train options.scratch on fold f's images; answers as above. */
enum zf_status zf_transfer_scratch(const struct zf_transfer_work *work, int64_t f,
                                   int64_t per_class, int32_t *answers, struct zf_error *err);

/* ---- page.c, twins_page.c ---- */

void zf_transfer_page(const struct zf_transfer *transfer, struct zf_document *document);

/* What the page says of pictures that the model had seen; nothing if none were looked for. */
void zf_twins_page(const struct zf_transfer *transfer, struct zf_document *document);

#endif
