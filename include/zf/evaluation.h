/* SPDX-License-Identifier: MIT */
/**
 * What goes wrong, beyond an error rate: which classes, which are taken for which, which pictures,
 * and whether the net knows it. A tally counts what zf_eval_run() hands it, picture by picture;
 * zf_evaluation_write() makes a page, JSON and CSV of it.
 *
 *     zf_tally_create(zf_net_class_count(net), 0, &tally, &err);
 *     options.answer = zf_tally_answer;
 *     options.user = tally;
 *     zf_eval_run(&net, 1, data, &options, &result, NULL, NULL, NULL, &err);
 *     zf_tally_finish(tally, &err);
 *
 * Threads: a tally is used by one thread at a time.
 */
#ifndef ZF_EVALUATION_H
#define ZF_EVALUATION_H

#include "zf/data.h"
#include "zf/document.h"
#include "zf/net.h"
#include "zf/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One class of the data. */
struct zf_class_count {
    int64_t pictures; /* of the class */
    int64_t right;    /* of those, answered rightly */
    int64_t taken;    /* of all pictures, taken for this class, rightly or not */
};

/* Pictures of one class that were taken for another. */
struct zf_confusion {
    int32_t label, predicted;
    int64_t pictures;
};

/* One picture's answer. */
struct zf_case {
    int64_t sample; /* index in the data set */
    int32_t label, predicted;
    float confidence;        /* the probability of `predicted` */
    float label_probability; /* and of the right class */
};

/* Answers whose confidence lies in (i / ZF_CONFIDENCE_BINS, (i + 1) / ZF_CONFIDENCE_BINS]. */
struct zf_confidence {
    int64_t pictures, right;
    double sum; /* of the confidences */
};

#define ZF_CONFIDENCE_BINS 10
#define ZF_TALLY_CASES 24 /* mistakes, and as many hits, that are kept */

/* Filled by zf_tally_answer(), to be read after zf_tally_finish(). Its memory does not grow with
   the number of pictures but with the pairs of classes that are confused, 16 bytes each. */
struct zf_tally {
    int64_t classes, pictures, right;
    struct zf_class_count *by_class; /* [classes] */
    struct zf_confusion *confusions; /* [confusion_count], commonest first, then by label */
    size_t confusion_count;
    struct zf_case mistakes[ZF_TALLY_CASES]; /* [mistake_count], most confident first */
    struct zf_case hits[ZF_TALLY_CASES];     /* [hit_count], least confident first */
    size_t mistake_count, hit_count;
    struct zf_confidence bins[ZF_CONFIDENCE_BINS];
    struct zf_tally_work *work; /* the library's own */
};

/**
 * An empty tally of a net's classes.
 *
 * model  whose answers are counted, as in struct zf_eval_answer
 * out    handed over; free with zf_tally_free()
 *
 * Returns ZF_ENOMEM.
 */
ZF_API enum zf_status zf_tally_create(int64_t classes, size_t model, struct zf_tally **out,
                                      struct zf_error *err);
ZF_API void zf_tally_free(struct zf_tally **tally); /* accepts NULL */

/**
 * Have every picture's answer written as a line of directory/pictures.csv as well: path, label,
 * predicted, confidence, label_probability, right. The file is there after zf_tally_finish().
 *
 * net, data  for the names of classes and pictures; lent, must outlive the tally
 * directory  lent likewise; made if missing
 */
ZF_API void zf_tally_write_pictures(struct zf_tally *tally, const struct zf_net *net,
                                    const struct zf_data *data, const char *directory);

/** Count one answer: what zf_eval_options.answer is set to; `user` is the tally. Pictures without a
 *  label do not count. ZF_ENOMEM, and ZF_EIO of the CSV file. */
ZF_API enum zf_status zf_tally_answer(void *user, const struct zf_eval_answer *answer,
                                      struct zf_error *err);

/** Sort what was counted; nothing is added afterwards. ZF_EIO of the CSV file. */
ZF_API enum zf_status zf_tally_finish(struct zf_tally *tally, struct zf_error *err);

/** Expected calibration error: the mean distance between confidence and share of right answers over
 *  the bins, weighted by their pictures. NaN without pictures. (Guo et al. 2017.) */
ZF_API double zf_tally_calibration_error(const struct zf_tally *tally);

/**
 * The classes with the largest share of mistakes, of equal ones those with more of them, then the
 * first; none without a mistake.
 * classes  [most], written; returns how many
 */
ZF_API size_t zf_tally_worst(const struct zf_tally *tally, int32_t *classes, size_t most);

/* What a page of an evaluation is made of; everything is lent. */
struct zf_evaluation {
    const struct zf_net *const *nets; /* [net_count] */
    const char *const *paths;         /* [net_count] of the models, for the page */
    size_t net_count;
    const struct zf_eval_result *results;  /* [net_count] */
    const struct zf_eval_result *ensemble; /* NULL with one net */
    const struct zf_tally *tally;          /* finished */
    const struct zf_data *data;            /* matched to the nets */
    int64_t images, views;
    int64_t explained; /* most confident mistakes that get an occlusion map, by the first net */
    struct zf_compute compute;
    const char *directory, *command; /* see zf_document_create() */
    bool single_file;                /* the page holds its pictures, however many */
    const struct zf_monitor *monitor;
};

/**
 * Write directory/index.html, eval.json, classes.csv, confusion.csv, and the figures.
 *
 * document  NULL, or handed over; free with zf_document_free()
 *
 * Returns ZF_EIO, ZF_ECANCELED, ZF_ENOMEM, and for a picture that can no longer be read what
 * zf_loader_next() does.
 */
ZF_API enum zf_status zf_evaluation_write(const struct zf_evaluation *evaluation,
                                          struct zf_document **document, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
