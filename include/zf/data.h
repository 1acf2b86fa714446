/* SPDX-License-Identifier: MIT */
/**
 * Labelled data sets and the loader that turns them into batches.
 *
 * A data set is named by one string: an ImageFolder directory (DATA/<class>/.../picture), a
 * list.tsv (path <tab> label, paths relative to the list, which may lead into tars), a packed file
 * (zf_data_pack) or a directory of its parts (zf_data_pack_part), tar files
 * ("shards/{000000..001281}.tar", a directory of them, one, or one that holds a tar a class), or
 * "synth:" (generated; "synth:train" with 4000 pictures or "synth:val" with 800, optionally
 * "synth:train:N" for N pictures). A directory of pictures without class folders is a data set
 * without labels. Where there is no picture, .npy and .npz files are samples, an input each. What
 * other programs leave behind (hidden files, __MACOSX, Thumbs.db, @eaDir ...) does not count;
 * docs/pictures-and-folders.md says which files do.
 */
#ifndef ZF_DATA_H
#define ZF_DATA_H

#include "zf/base.h"
#include "zf/image.h"
#include "zf/net.h"
#include "zf/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zf_data;

/**
 * Open a data set: lists it, decodes nothing. Of tars an index is kept, NAME.tar.zfindex beside
 * each, or in the monitor's cache directory. Classes are ordered by name, samples by class, then
 * path, both bytewise, so the order is the same on every machine.
 *
 * out  handed over; free with zf_data_free()
 *
 * Returns ZF_EINPUT when there is nothing there or no picture, and for a directory whose folders
 * are not classes but train, val and the like.
 */
ZF_API enum zf_status zf_data_open(const char *name, struct zf_data **out, struct zf_error *err);
ZF_API void zf_data_free(struct zf_data **data);

/** zf_data_open(), which tells the monitor what zf_data_note() would say. */
ZF_API enum zf_status zf_data_open_noting(const char *name, const struct zf_monitor *monitor,
                                          struct zf_data **out, struct zf_error *err);

/**
 * Some samples of a data set as one of its own, in the order given, with all of its classes.
 *
 * whole    lent; must outlive the subset, and not be matched to another net meanwhile
 * samples  [count] indices; copied
 * out      handed over; free with zf_data_free()
 *
 * Returns ZF_EINVAL for an index out of range, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_data_subset(const struct zf_data *whole, const int64_t *samples,
                                     int64_t count, struct zf_data **out, struct zf_error *err);

/**
 * Two data sets of one: of each class about `share` of its pictures to validate on, drawn by (seed,
 * class), and the rest to train on. Of a class of two or more there is at least one in each; a
 * single one is trained on.
 *
 * whole       lent; must outlive both, and not be matched to another net meanwhile
 * share       of each class, between 0 and 1
 * train, val  handed over; free with zf_data_free()
 *
 * Returns ZF_EINVAL for another share, ZF_EINPUT for data without labels, or with no class of two;
 * ZF_ENOMEM.
 */
ZF_API enum zf_status zf_data_split(const struct zf_data *whole, double share, uint64_t seed,
                                    struct zf_data **train, struct zf_data **val,
                                    struct zf_error *err);

ZF_API const char *zf_data_name(const struct zf_data *data);
ZF_API int64_t zf_data_count(const struct zf_data *data); /* samples */

/** What a person should know of a data set that can be used all the same, such as files that are
   not used, classes without pictures, or that there is but one class. Sentences, lent. */
ZF_API int64_t zf_data_note_count(const struct zf_data *data);
ZF_API const char *zf_data_note(const struct zf_data *data, int64_t k);

ZF_API int64_t zf_data_class_count(const struct zf_data *data); /* 0 = no labels */
ZF_API const char *zf_data_class(const struct zf_data *data, int64_t k);
ZF_API int64_t zf_data_label(const struct zf_data *data, int64_t i); /* -1 = none */

/** The path of sample i (or "synth:train#17", or "shards/000000.tar/a.jpg"), as it stands in
 * results. Lent. */
ZF_API const char *zf_data_path(const struct zf_data *data, int64_t i);

/**
 * Renumber the labels to a net's classes, by name; from then on the classes are the net's. Accents
 * may be written in either way that Unicode has. ImageNet's numbers ("n01440764") are classes of
 * nets with its thousand outputs. Returns ZF_EINPUT when a class of the data is not among the net's
 * labels (named, with both counts), or when the net has no labels and the counts differ.
 */
ZF_API enum zf_status zf_data_match(struct zf_data *data, const struct zf_net *net,
                                    struct zf_error *err);

/**
 * Give a net without labels the names of ImageNet's classes, when it has 1000 outputs, or 1001 with
 * a background first. *named says whether it was done. ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_name_imagenet(struct zf_net *net, bool *named, struct zf_error *err);

/**
 * The square picture of sample i, from which crops are taken; what a file costs is bounded by the
 * default zf_picture_limits. Thread-safe.
 */
ZF_API enum zf_status zf_data_square(const struct zf_data *data, int64_t i, enum zf_resize resize,
                                     int64_t size, struct zf_picture *square, struct zf_error *err);

/**
 * Keep squares in memory once they are decoded, when all of the data set fit in 1 GiB: for what
 * goes over it more than once. Without this, memory does not grow with the number of pictures.
 * Takes effect when the next loader is made, for all loaders of the data set; where memory is
 * short, squares are decoded again instead. Cannot fail; thread-safe.
 */
ZF_API void zf_data_keep(const struct zf_data *data);

/** The same, of a data set whose squares fit in 64 MiB: for what goes over it a few times. */
ZF_API void zf_data_keep_some(const struct zf_data *data);

/**
 * Check every sample: decodes all of them on `threads` threads. Those of a packed file are held
 * against their checksums; opening or training from it does not take the time for that.
 *
 * finding  NULL, or called (on the calling thread, in order of index) for each sample that cannot
 * be used, with the reason, and for each that is used but odd, with what is odd about it (a JPEG
 *          without its end marker, say)
 * found    NULL, or filled with how many of both there are
 */
struct zf_data_found {
    int64_t bad, odd;
};
typedef void zf_data_finding(void *user, int64_t i, const char *path, const char *what, bool used);
ZF_API enum zf_status zf_data_check(const struct zf_data *data, int threads,
                                    zf_data_finding *finding, void *user,
                                    struct zf_data_found *found, const struct zf_monitor *monitor,
                                    struct zf_error *err);

/**
 * Decode once into a training-ready file: squares of `size` px by `resize`, labels, class names.
 * It is memory-mapped when opened and trains to the same bits as what it was made from. Bad
 * samples are left out and reported through the monitor.
 */
ZF_API enum zf_status zf_data_pack(const struct zf_data *data, enum zf_resize resize, int64_t size,
                                   int threads, const char *path, const struct zf_monitor *monitor,
                                   struct zf_error *err);

/**
 * Part `part` of `parts`, 1 .. parts, of that file, as "part-0003-of-0008.zfpack" in a directory,
 * which is a data set when all parts are there: the same samples in the same order as the one file.
 * Each part is some neighbouring samples, so parts can be made at once, and on several machines.
 *
 * there  whether this part of this data was there, whole, and was left alone
 *
 * Returns ZF_EINPUT for another data set's part in its place, and as zf_data_pack().
 */
ZF_API enum zf_status zf_data_pack_part(const struct zf_data *data, enum zf_resize resize,
                                        int64_t size, int threads, const char *directory,
                                        int64_t part, int64_t parts, bool *there,
                                        const struct zf_monitor *monitor, struct zf_error *err);
#define ZF_MOST_PARTS 9999

/**
 * Per-pixel mean of the squares of all good samples (paper, section 3).
 * mean  [3, size, size] values 0..255, RGB; handed over, free with zf_tensor_release()
 */
ZF_API enum zf_status zf_data_mean(const struct zf_data *data, enum zf_resize resize, int64_t size,
                                   int threads, struct zf_tensor *mean,
                                   const struct zf_monitor *monitor, struct zf_error *err);

/**
 * Render the generated data set as files: path/train/<class>/NNNNN.png, path/val/..., and
 * path/truth.json with each picture's object box and named parts:
 *
 *     {"images":[{"path":"train/fish/00012.png","label":"fish",
 *                 "box":{"x","y","width","height"},"parts":[{"name","x","y"}]}]}
 *
 * in pixels; left and right are the picture's.
 *
 * images  training pictures, 10 or more; a fifth as many for validation, others than in training
 *
 * Returns ZF_EINVAL when path/train or path/val exists already; ZF_EIO; ZF_ECANCELED.
 */
ZF_API enum zf_status zf_synth_write(const char *path, int64_t images, uint64_t seed, int threads,
                                     const struct zf_monitor *monitor, struct zf_error *err);

/* ---- Loader: batches of prepared inputs, decoded ahead by worker threads. ---- */

enum zf_views {
    ZF_VIEWS_CENTRE, /* one centre crop a sample */
    ZF_VIEWS_TEN,    /* the paper's ten, one after the other: batch must be a multiple of 10 */
    ZF_VIEWS_RANDOM, /* a random crop and mirror, by (seed, epoch, sample) */
};

struct zf_loader_options {
    int64_t batch; /* inputs a batch */
    enum zf_views views;
    double min_scale; /* of random views: the window's side is drawn from [min_scale * size, size]
                         and brought to the crop's size; 1 or 0 = plain crops, as in the paper */
    bool shuffle;     /* by (seed, epoch) */
    bool drop_last;   /* leave out a last batch that is not full */
    bool strict;      /* a bad sample fails the call instead of being skipped */
    int threads;      /* workers >= 1; results do not depend on it */
    uint64_t seed;
    int64_t epoch;       /* of the first pass */
    int64_t first_batch; /* skip this many batches of the first pass (resuming) */
    /* Of every `of` visits only `share`, from the first + `from`, which several loaders so divide;
       0 = all. Both are whole batches. With drop_last only. */
    int64_t of, from, share;
    const int64_t *samples; /* NULL, or the indices to visit (lent, must outlive the loader) */
    int64_t sample_count;   /* of `samples` */
    bool part;              /* these are some of those that several loaders read: that none of
                               them is good is no error */
};

/* One batch; everything is lent until the next call. Slots from `count` on are zero. */
struct zf_batch {
    struct zf_tensor input; /* [batch, c, h, w] */
    const int32_t *labels;  /* [batch]; -1 = none or an empty slot */
    const int64_t *samples; /* [batch]; index in the data set; -1 = an empty slot */
    int64_t count;          /* inputs that are filled: slots 0 .. count-1 */
    double waited_s;        /* time this call waited for the workers */
};

struct zf_loader;

/**
 * data and net (for its input shape and preparation) are lent and must outlive the loader.
 * A bad sample is left out of its batch: those behind it in the same batch move up and `count` is
 * smaller; other batches do not change.
 */
ZF_API enum zf_status zf_loader_create(const struct zf_data *data, const struct zf_net *net,
                                       const struct zf_loader_options *options,
                                       struct zf_loader **out, struct zf_error *err);
ZF_API void zf_loader_free(struct zf_loader **loader);

/** Batches in a pass. */
ZF_API int64_t zf_loader_batches(const struct zf_loader *loader);

/**
 * The next batch. At the end of a pass *done is true and *batch is empty; the call after that
 * starts the next pass with epoch + 1. A batch of bad samples only has count 0 and is no end.
 * Returns ZF_EINPUT for a bad sample when strict, or when a whole pass, not divided, had no good
 * sample; every
 * later call then returns the same.
 */
ZF_API enum zf_status zf_loader_next(struct zf_loader *loader, struct zf_batch *batch, bool *done,
                                     struct zf_error *err);

/** Distinct bad samples met so far, and the sentence about the i-th distinct one (first 100 are
 * kept). */
ZF_API int64_t zf_loader_skipped(const struct zf_loader *loader);
ZF_API const char *zf_loader_skipped_reason(const struct zf_loader *loader, int64_t i);

#ifdef __cplusplus
}
#endif

#endif
