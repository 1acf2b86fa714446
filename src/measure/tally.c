/* SPDX-License-Identifier: MIT */
/* Answers counted as they come: by class, by pair of classes, by confidence; and the few pictures
   that are worth looking at. */
#include "zf/evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/loss.h"

#define FIRST_PAIRS 256 /* a power of two */

/* Until it is finished, `confusions` is a hash table of a power of two of slots, those without
   pictures empty. */
struct zf_tally_work {
    size_t model, slots;
    const struct zf_net *net;
    const struct zf_data *data;
    const char *directory; /* of the pictures' file; NULL = none */
    struct zf_output file;
};

enum zf_status zf_tally_create(int64_t classes, size_t model, struct zf_tally **out,
                               struct zf_error *err)
{
    struct zf_tally *tally = zf_alloc(1, sizeof *tally);

    if (tally) {
        tally->classes = classes;
        tally->by_class = zf_alloc((size_t)classes, sizeof *tally->by_class);
        tally->confusions = zf_alloc(FIRST_PAIRS, sizeof *tally->confusions);
        tally->work = zf_alloc(1, sizeof *tally->work);
    }
    if (!tally || !tally->by_class || !tally->confusions || !tally->work) {
        zf_tally_free(&tally);
        return zf_no_memory(err, "a tally of %" PRId64 " classes", classes);
    }
    tally->work->model = model;
    tally->work->slots = FIRST_PAIRS;
    *out = tally;
    return ZF_OK;
}

void zf_tally_free(struct zf_tally **tally)
{
    if (!tally || !*tally)
        return;
    if ((*tally)->work)
        zf_output_discard(&(*tally)->work->file);
    zf_free((*tally)->work);
    zf_free((*tally)->by_class);
    zf_free((*tally)->confusions);
    zf_free(*tally);
    *tally = NULL;
}

void zf_tally_write_pictures(struct zf_tally *tally, const struct zf_net *net,
                             const struct zf_data *data, const char *directory)
{
    tally->work->net = net;
    tally->work->data = data;
    tally->work->directory = directory;
}

/* With the first picture, so that an evaluation that cannot be leaves no trace. */
static enum zf_status open_file(struct zf_tally_work *work, struct zf_error *err)
{
    char *path = zf_path_join(work->directory, "pictures.csv");
    enum zf_status status;

    if (!path)
        return zf_no_memory(err, "the name of pictures.csv");
    ZF_TRY(zf_directory_make(work->directory, err));
    ZF_TRY(zf_output_open(&work->file, path, err));
    fputs("path,label,predicted,confidence,label_probability,right\n", work->file.stream);
fail:
    zf_free(path);
    return status;
}

static enum zf_status write_picture(struct zf_tally_work *work, const struct zf_case *given,
                                    struct zf_error *err)
{
    if (!work->directory)
        return ZF_OK;
    if (!work->file.stream)
        ZF_CHECK(open_file(work, err));
    zf_csv_text(work->file.stream, zf_data_path(work->data, given->sample));
    fputc(',', work->file.stream);
    zf_csv_text(work->file.stream, zf_net_label(work->net, given->label));
    fputc(',', work->file.stream);
    zf_csv_text(work->file.stream, zf_net_label(work->net, given->predicted));
    fprintf(work->file.stream, ",%.9g,%.9g,%d\n", (double)given->confidence,
            (double)given->label_probability, given->label == given->predicted);
    return ZF_OK;
}

/* ---- Pairs of classes. ---- */

/* The slot of a pair, or the empty one that it would get. */
static struct zf_confusion *find(struct zf_confusion *slots, size_t count, int32_t label,
                                 int32_t predicted)
{
    const uint64_t pair = (uint64_t)(uint32_t)label << 32 | (uint32_t)predicted;
    size_t at = (size_t)((pair * 0x9e3779b97f4a7c15u) >> 32) & (count - 1);

    while (slots[at].pictures > 0 && (slots[at].label != label || slots[at].predicted != predicted))
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool make_room(struct zf_tally *tally)
{
    struct zf_tally_work *work = tally->work;
    struct zf_confusion *larger;

    if (2 * tally->confusion_count < work->slots)
        return true;
    larger = zf_alloc(2 * work->slots, sizeof *larger);
    for (size_t i = 0; larger && i < work->slots; i++) {
        const struct zf_confusion *slot = &tally->confusions[i];

        if (slot->pictures > 0)
            *find(larger, 2 * work->slots, slot->label, slot->predicted) = *slot;
    }
    if (!larger)
        return false;
    zf_free(tally->confusions);
    tally->confusions = larger;
    work->slots *= 2;
    return true;
}

static enum zf_status add_confusion(struct zf_tally *tally, int32_t label, int32_t predicted,
                                    struct zf_error *err)
{
    struct zf_confusion *slot;

    if (!make_room(tally))
        return zf_no_memory(err, "%zu pairs of classes", 2 * tally->confusion_count);
    slot = find(tally->confusions, tally->work->slots, label, predicted);
    tally->confusion_count += slot->pictures == 0;
    *slot = (struct zf_confusion){label, predicted, slot->pictures + 1};
    return ZF_OK;
}

/* ---- Pictures. ---- */

/* Keep the cases of the lowest rank; of equal ones those that came first. */
static void offer(struct zf_case *cases, size_t *count, float rank, float sign,
                  const struct zf_case *given)
{
    size_t at = *count;

    while (at > 0 && rank < sign * cases[at - 1].confidence)
        at--;
    if (at == ZF_TALLY_CASES)
        return;
    *count += *count < ZF_TALLY_CASES;
    for (size_t i = *count - 1; i > at; i--)
        cases[i] = cases[i - 1];
    cases[at] = *given;
}

enum zf_status zf_tally_answer(void *user, const struct zf_eval_answer *answer,
                               struct zf_error *err)
{
    struct zf_tally *tally = user;
    struct zf_case given = {.sample = answer->sample, .label = answer->label};
    struct zf_confidence *bin;
    int place;

    if (answer->model != tally->work->model || answer->label < 0)
        return ZF_OK;
    given.predicted = zf_most_probable(answer->probabilities, answer->classes);
    given.confidence = answer->probabilities[given.predicted];
    given.label_probability = answer->probabilities[given.label];
    tally->pictures++;
    tally->by_class[given.label].pictures++;
    tally->by_class[given.predicted].taken++;
    place = (int)ceilf(given.confidence * ZF_CONFIDENCE_BINS) - 1;
    bin = &tally->bins[place < 0 ? 0 : place < ZF_CONFIDENCE_BINS ? place : ZF_CONFIDENCE_BINS - 1];
    bin->pictures++;
    bin->sum += (double)given.confidence;
    ZF_CHECK(write_picture(tally->work, &given, err));
    if (given.predicted == given.label) {
        tally->right++;
        tally->by_class[given.label].right++;
        bin->right++;
        offer(tally->hits, &tally->hit_count, given.confidence, 1.0f, &given);
        return ZF_OK;
    }
    offer(tally->mistakes, &tally->mistake_count, -given.confidence, -1.0f, &given);
    return add_confusion(tally, given.label, given.predicted, err);
}

/* ---- What comes of it. ---- */

static int commoner(const void *a, const void *b)
{
    const struct zf_confusion *p = a, *q = b;

    if (p->pictures != q->pictures)
        return p->pictures > q->pictures ? -1 : 1;
    if (p->label != q->label)
        return p->label < q->label ? -1 : 1;
    return p->predicted < q->predicted ? -1 : p->predicted > q->predicted;
}

enum zf_status zf_tally_finish(struct zf_tally *tally, struct zf_error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < tally->work->slots; i++) {
        if (tally->confusions[i].pictures > 0)
            tally->confusions[count++] = tally->confusions[i];
    }
    qsort(tally->confusions, count, sizeof *tally->confusions, commoner);
    return tally->work->file.stream ? zf_output_commit(&tally->work->file, err) : ZF_OK;
}

double zf_tally_calibration_error(const struct zf_tally *tally)
{
    double sum = 0.0;

    for (int i = 0; i < ZF_CONFIDENCE_BINS; i++)
        sum += fabs((double)tally->bins[i].right - tally->bins[i].sum);
    return tally->pictures > 0 ? sum / (double)tally->pictures : NAN;
}

/* a before b: more mistakes a picture, compared without rounding; then more mistakes. */
static bool is_worse(const struct zf_class_count *a, const struct zf_class_count *b)
{
    const int64_t wrong_a = a->pictures - a->right, wrong_b = b->pictures - b->right;

    if (wrong_a * b->pictures != wrong_b * a->pictures)
        return wrong_a * b->pictures > wrong_b * a->pictures;
    return wrong_a > wrong_b;
}

size_t zf_tally_worst(const struct zf_tally *tally, int32_t *classes, size_t most)
{
    size_t count = 0;

    for (int32_t k = 0; k < tally->classes; k++) {
        const struct zf_class_count *class = &tally->by_class[k];
        size_t at = count;

        if (class->right == class->pictures)
            continue;
        while (at > 0 && is_worse(class, &tally->by_class[classes[at - 1]]))
            at--;
        if (at == most)
            continue;
        count += count < most;
        for (size_t i = count - 1; i > at; i--)
            classes[i] = classes[i - 1];
        classes[at] = k;
    }
    return count;
}
