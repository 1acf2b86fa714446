/* SPDX-License-Identifier: MIT */
/* An evaluation as a page and as JSON. */
#include "experiments/eval/eval.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/document.h"

#define WORST 40      /* classes of the table */
#define COMMONEST 20  /* pairs of the table */
#define IN_NUMBERS 20 /* classes of a matrix that is a table as well */
#define CONFIDENCE 20 /* pictures of a bin whose share of right answers means something */

/* ---- Numbers. ---- */

static void add_result(struct zf_json *json, const struct zf_eval_result *result)
{
    zf_json_real(json, "top1_error", result->top1_error);
    zf_json_real(json, "top5_error", result->top5_error);
}

static void add_cases(struct zf_json *json, const char *key, const struct zf_evaluation *e,
                      const struct zf_case *cases, size_t count)
{
    zf_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "path", zf_data_path(e->data, cases[i].sample));
        zf_json_text(json, "label", zf_net_label(e->nets[0], cases[i].label));
        zf_json_text(json, "predicted", zf_net_label(e->nets[0], cases[i].predicted));
        zf_json_float(json, "confidence", cases[i].confidence);
        zf_json_float(json, "label_probability", cases[i].label_probability);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_classes(struct zf_json *json, const struct zf_evaluation *e)
{
    zf_json_array(json, "classes");
    for (int32_t k = 0; k < e->tally->classes; k++) {
        const struct zf_class_count *class = &e->tally->by_class[k];

        zf_json_object(json, NULL);
        zf_json_int(json, "class", k);
        zf_json_text(json, "label", zf_net_label(e->nets[0], k));
        zf_json_int(json, "pictures", class->pictures);
        zf_json_int(json, "right", class->right);
        zf_json_int(json, "taken_for_it", class->taken);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_array(json, "confusions");
    for (size_t i = 0; i < e->tally->confusion_count; i++) {
        const struct zf_confusion *pair = &e->tally->confusions[i];

        zf_json_object(json, NULL);
        zf_json_text(json, "label", zf_net_label(e->nets[0], pair->label));
        zf_json_text(json, "predicted", zf_net_label(e->nets[0], pair->predicted));
        zf_json_int(json, "pictures", pair->pictures);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_calibration(struct zf_json *json, const struct zf_tally *tally)
{
    zf_json_object(json, "calibration");
    zf_json_real(json, "expected_error", zf_tally_calibration_error(tally));
    zf_json_array(json, "bins");
    for (int i = 0; i < ZF_CONFIDENCE_BINS; i++) {
        zf_json_object(json, NULL);
        zf_json_real(json, "up_to", (i + 1.0) / ZF_CONFIDENCE_BINS);
        zf_json_int(json, "pictures", tally->bins[i].pictures);
        zf_json_int(json, "right", tally->bins[i].right);
        zf_json_real(json, "confidence", tally->bins[i].sum / (double)tally->bins[i].pictures);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_evaluation *e)
{
    zf_json_array(json, "models");
    for (size_t i = 0; i < e->net_count; i++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "path", e->paths[i]);
        add_result(json, &e->results[i]);
        zf_json_end(json);
    }
    zf_json_end(json);
    if (e->ensemble) {
        zf_json_object(json, "ensemble");
        add_result(json, e->ensemble);
        zf_json_end(json);
    } else {
        zf_json_text(json, "ensemble", NULL);
    }
    zf_json_int(json, "images", e->images);
    zf_json_int(json, "views", e->views);
    add_classes(json, e);
    add_calibration(json, e->tally);
    add_cases(json, "mistakes", e, e->tally->mistakes, e->tally->mistake_count);
    add_cases(json, "least_confident_hits", e, e->tally->hits, e->tally->hit_count);
}

/* ---- The page. ---- */

static void add_results(struct zf_document *document, const struct zf_evaluation *e)
{
    static const char *const columns[] = {"model", "top-1 error, %", "top-5 error, %"};

    zf_document_table(document, columns, ZF_COUNT(columns), "%s",
                      e->ensemble ? "All that follows is about the models together: their "
                                    "probabilities are averaged."
                                  : "");
    for (size_t i = 0; i < e->net_count + (e->ensemble != NULL); i++) {
        const struct zf_eval_result *result = i < e->net_count ? &e->results[i] : e->ensemble;

        zf_document_cell(document, "%s", i < e->net_count ? e->paths[i] : "all together");
        zf_document_number(document, 2, 100.0 * result->top1_error);
        zf_document_number(document, 2, 100.0 * result->top5_error);
    }
}

/* Where the true share of errors lies with 95 % certainty, of pictures drawn as these were. (Wilson
   1927.) */
static void interval(int64_t wrong, int64_t pictures, double *low, double *high)
{
    const double z = 1.959964, n = (double)pictures, p = (double)wrong / n;
    const double middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    const double half = z / (1.0 + z * z / n) * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));

    *low = fmax(0.0, middle - half);
    *high = fmin(1.0, middle + half);
}

static void add_lead(struct zf_document *document, const struct zf_evaluation *e)
{
    const struct zf_tally *tally = e->tally;
    const int64_t wrong = tally->pictures - tally->right;
    double low, high;

    interval(wrong, tally->pictures, &low, &high);
    zf_document_paragraph(
        document,
        "%s of %s pictures are taken for another class: %.1f%% "
        "(of other pictures of this kind, %.1f to %.1f%%, with a certainty of "
        "95%%).",
        zf_document_count(document, wrong), zf_document_count(document, tally->pictures),
        100.0 * (double)wrong / (double)tally->pictures, 100.0 * low, 100.0 * high);
    if (zf_net_answer(e->nets[0]) == ZF_ANSWER_SIGMOID && zf_net_output_count(e->nets[0]) > 1)
        zf_document_paragraph(document, "Each output is a yes or no of its own; a picture counts "
                                        "as taken for the class whose yes is the most probable.");
}

/* The class that most pictures of class k are taken for: the first of its pairs. */
static const struct zf_confusion *commonest_of(const struct zf_tally *tally, int32_t k)
{
    for (size_t i = 0; i < tally->confusion_count; i++) {
        if (tally->confusions[i].label == k)
            return &tally->confusions[i];
    }
    return NULL;
}

static void add_class_table(struct zf_document *document, const struct zf_evaluation *e)
{
    static const char *const columns[] = {"class",    "pictures",         "wrong",
                                          "error, %", "mostly taken for", "others taken for it"};
    const struct zf_tally *tally = e->tally;
    int32_t worst[WORST];
    const size_t count = zf_tally_worst(tally, worst, WORST);
    int64_t faulty = 0, empty = 0;

    for (int64_t k = 0; k < tally->classes; k++) {
        faulty += tally->by_class[k].right < tally->by_class[k].pictures;
        empty += tally->by_class[k].pictures == 0;
    }
    zf_document_heading(document, "Which classes");
    zf_document_paragraph(
        document,
        "%s of %s classes have mistakes; %s have no picture here. classes.csv has "
        "all of them.",
        zf_document_count(document, faulty), zf_document_count(document, tally->classes),
        zf_document_count(document, empty));
    if (count == 0)
        return;
    zf_document_table(document, columns, ZF_COUNT(columns), "The worst first%s.",
                      faulty > WORST ? ", no more than forty" : "");
    for (size_t i = 0; i < count; i++) {
        const struct zf_class_count *class = &tally->by_class[worst[i]];
        const struct zf_confusion *other = commonest_of(tally, worst[i]);

        zf_document_cell(document, "%s", zf_net_label(e->nets[0], worst[i]));
        zf_document_count_cell(document, class->pictures);
        zf_document_count_cell(document, class->pictures - class->right);
        zf_document_number(document, 1,
                           100.0 * (1.0 - (double)class->right / (double)class->pictures));
        zf_document_cell(document, "%s (%s)", zf_net_label(e->nets[0], other->predicted),
                         zf_document_count(document, other->pictures));
        zf_document_count_cell(document, class->taken - class->right);
    }
}

static void add_pair_table(struct zf_document *document, const struct zf_evaluation *e)
{
    static const char *const columns[] = {"class", "taken for", "pictures", "of the class, %",
                                          "the other way round"};
    const struct zf_tally *tally = e->tally;

    if (tally->confusion_count == 0)
        return;
    zf_document_table(document, columns, ZF_COUNT(columns),
                      "The commonest of %s pairs; confusion.csv has all.",
                      zf_document_count(document, (int64_t)tally->confusion_count));
    for (size_t i = 0; i < tally->confusion_count && i < COMMONEST; i++) {
        const struct zf_confusion *pair = &tally->confusions[i];
        int64_t reverse = 0;

        for (size_t k = 0; k < tally->confusion_count; k++) {
            if (tally->confusions[k].label == pair->predicted &&
                tally->confusions[k].predicted == pair->label)
                reverse = tally->confusions[k].pictures;
        }
        zf_document_cell(document, "%s", zf_net_label(e->nets[0], pair->label));
        zf_document_cell(document, "%s", zf_net_label(e->nets[0], pair->predicted));
        zf_document_count_cell(document, pair->pictures);
        zf_document_number(document, 1,
                           100.0 * (double)pair->pictures /
                               (double)tally->by_class[pair->label].pictures);
        zf_document_count_cell(document, reverse);
    }
}

static int64_t taken_for(const struct zf_tally *tally, int32_t label, int32_t predicted)
{
    if (label == predicted)
        return tally->by_class[label].right;
    for (size_t i = 0; i < tally->confusion_count; i++) {
        const struct zf_confusion *pair = &tally->confusions[i];

        if (pair->label == label && pair->predicted == predicted)
            return pair->pictures;
    }
    return 0;
}

/* For a phone, on which the picture becomes too small to be read. */
static void add_matrix_table(struct zf_document *document, const struct zf_evaluation *e,
                             const int32_t *classes, size_t count)
{
    const char *columns[IN_NUMBERS + 1] = {"is, and is taken for"};

    for (size_t k = 0; k < count; k++)
        columns[k + 1] = zf_net_label(e->nets[0], classes[k]);
    zf_document_table(document, columns, count + 1, "The same in numbers.");
    for (size_t row = 0; row < count; row++) {
        zf_document_cell(document, "%s", zf_net_label(e->nets[0], classes[row]));
        for (size_t k = 0; k < count; k++) {
            const int64_t pictures = taken_for(e->tally, classes[row], classes[k]);

            if (pictures > 0)
                zf_document_count_cell(document, pictures);
            else
                zf_document_cell(document, "%s", "");
        }
    }
}

static enum zf_status add_matrix(struct zf_document *document, const struct zf_evaluation *e,
                                 struct zf_error *err)
{
    struct zf_picture picture = {0};
    int32_t classes[ZF_MATRIX_CLASSES];
    enum zf_status status;
    bool whole;
    const size_t count = zf_matrix_choose(e->tally, classes, &whole);

    zf_document_heading(document, "What is taken for what");
    ZF_TRY(zf_matrix_draw(e->nets[0], e->tally, classes, count, whole, &picture, err));
    zf_document_picture(
        document, &picture, "matrix.png",
        "Rows are what pictures are, columns what they are taken for; numbers are pictures, "
        "colours their share of the row, and the diagonal, framed, is right.%s",
        whole ? "" : " Of all classes these have the most mistakes from or to them.");
    zf_picture_release(&picture);
    if (whole && count <= IN_NUMBERS)
        add_matrix_table(document, e, classes, count);
    if (!whole) {
        ZF_TRY(zf_matrix_overview(e->tally, &picture, err));
        zf_document_picture(document, &picture, "matrix-all.png",
                            "All %s classes in their order, from the top and from the left. "
                            " Light is a large share of the row; grey rows have no pictures. "
                            "Columns that stand out are classes that much is taken for, blocks "
                            "beside the diagonal are groups of like classes.",
                            zf_document_count(document, e->tally->classes));
    }
    add_pair_table(document, e);
fail:
    zf_picture_release(&picture);
    return status;
}

static enum zf_status add_pictures(struct zf_document *document, const struct zf_evaluation *e,
                                   struct zf_error *err)
{
    const struct zf_tally *tally = e->tally;

    if (tally->mistake_count > 0) {
        zf_document_heading(document, "The most confident mistakes");
        ZF_CHECK(zf_cases_show(e, tally->mistakes, tally->mistake_count, "mistakes.png",
                               "As the net sees them, the surest first. Wrong labels of the data "
                               "are found here, too.",
                               document, err));
    }
    if (tally->mistake_count > 0 && e->explained > 0) {
        zf_document_heading(document, "Why: what speaks for the wrong answer");
        ZF_CHECK(zf_cases_explain(e, document, err));
    }
    if (tally->hit_count > 0) {
        zf_document_heading(document, "The least confident right answers");
        ZF_CHECK(zf_cases_show(e, tally->hits, tally->hit_count, "hits.png",
                               "Right, but nearly not: the least confident first.", document, err));
    }
    return ZF_OK;
}

static void add_chart(struct zf_document *document, const struct zf_tally *tally)
{
    double *values = zf_document_room(document, 3 * ZF_CONFIDENCE_BINS + 2, sizeof *values);
    double *x = values, *y, *error, *ends;
    struct zf_series series[2];

    if (!values)
        return;
    y = values + ZF_CONFIDENCE_BINS;
    error = values + 2 * ZF_CONFIDENCE_BINS;
    ends = values + 3 * ZF_CONFIDENCE_BINS;
    ends[1] = 1.0;
    for (int i = 0; i < ZF_CONFIDENCE_BINS; i++) {
        const struct zf_confidence *bin = &tally->bins[i];
        double low = NAN, high = NAN;

        x[i] = bin->pictures > 0 ? bin->sum / (double)bin->pictures : NAN;
        y[i] = bin->pictures > 0 ? (double)bin->right / (double)bin->pictures : NAN;
        if (bin->pictures > 0)
            interval(bin->right, bin->pictures, &low, &high);
        error[i] = (high - low) / 2.0;
    }
    series[0] = (struct zf_series){"right answers", x, y, error, ZF_CONFIDENCE_BINS};
    series[1] = (struct zf_series){"as sure as right", ends, ends, NULL, 2};
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_LINES,
                                          .title = "As sure as right?",
                                          .x_label = "mean probability of the answer",
                                          .y_label = "share of right answers",
                                          .series = series,
                                          .series_count = 2,
                                          .from_zero = true},
                       1, 1, "calibration.svg",
                       "Below the straight line the net is surer than it should be, above it less "
                       "sure. Bars are intervals of 95 %% certainty.");
}

static void add_calibration_part(struct zf_document *document, const struct zf_evaluation *e)
{
    static const char *const columns[] = {"probability of the answer", "pictures", "mean, %",
                                          "right, %"};
    const struct zf_tally *tally = e->tally;
    double sum = 0.0;

    for (int i = 0; i < ZF_CONFIDENCE_BINS; i++)
        sum += tally->bins[i].sum;
    zf_document_heading(document, "Is it as sure as it is right?");
    zf_document_paragraph(
        document,
        "The net's answers have a mean probability of %.1f%%, and %.1f%% of them are right. Over "
        "ten steps of probability the two differ by %.1f points on average (expected calibration "
        "error).",
        100.0 * sum / (double)tally->pictures,
        100.0 * (double)tally->right / (double)tally->pictures,
        100.0 * zf_tally_calibration_error(tally));
    add_chart(document, tally);
    zf_document_table(document, columns, ZF_COUNT(columns), "By steps of probability.");
    for (int i = 0; i < ZF_CONFIDENCE_BINS; i++) {
        const struct zf_confidence *bin = &tally->bins[i];
        const double pictures = (double)bin->pictures;

        zf_document_cell(document, "%d to %d%%", i * 100 / ZF_CONFIDENCE_BINS,
                         (i + 1) * 100 / ZF_CONFIDENCE_BINS);
        zf_document_count_cell(document, bin->pictures);
        zf_document_number(document, 1, 100.0 * bin->sum / pictures);
        zf_document_number(document, 1, 100.0 * (double)bin->right / pictures);
    }
}

enum zf_status zf_evaluation_write(const struct zf_evaluation *e, struct zf_document **document,
                                   struct zf_error *err)
{
    struct zf_document *made = NULL;
    enum zf_status status;

    ZF_TRY(zf_document_create(e->directory, "eval", "What goes wrong", e->command, &made, err));
    if (e->single_file)
        zf_document_single_file(made);
    zf_document_parameter(made, "data", "%s, %s pictures", zf_data_name(e->data),
                          zf_document_count(made, e->images));
    zf_document_parameter(made, "views", "%" PRId64 " a picture", e->views);
    add_lead(made, e);
    add_results(made, e);
    add_class_table(made, e);
    ZF_TRY(add_matrix(made, e, err));
    ZF_TRY(add_pictures(made, e, err));
    add_calibration_part(made, e);
    add_numbers(zf_document_numbers(made), e);
    ZF_TRY(zf_evaluation_tables(e, err));
    ZF_TRY(zf_document_save(made, err));
    if (document) {
        *document = made;
        made = NULL;
    }
fail:
    zf_document_free(&made);
    return status;
}
