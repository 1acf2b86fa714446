/* SPDX-License-Identifier: MIT */
/* Two nets as numbers, as a page, and in a few lines. */
#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/album.h"
#include "experiments/compare/compare.h"
#include "page/document.h"

#define LISTED 40 /* classes of the table */

static const char *const keys[ZF_OUTCOMES] = {
    [ZF_BOTH_RIGHT] = "both_right",
    [ZF_ONLY_FIRST] = "only_first_right",
    [ZF_ONLY_SECOND] = "only_second_right",
    [ZF_BOTH_WRONG] = "both_wrong",
};

/* ---- Numbers. ---- */

static void add_verdict(struct zf_json *json, const struct zf_net *net,
                        const struct zf_verdict *verdict)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "predicted", zf_net_label(net, verdict->predicted));
    zf_json_float(json, "confidence", verdict->confidence);
    zf_json_float(json, "label_probability", verdict->label_probability);
    zf_json_end(json);
}

/* Every picture of which the nets do not say the same. */
static void add_pictures(struct zf_json *json, const struct zf_compared *compared,
                         const struct zf_compare_show *show, enum zf_outcome outcome)
{
    zf_json_array(json, outcome == ZF_ONLY_FIRST ? "pictures_only_first_right"
                                                 : "pictures_only_second_right");
    for (int64_t i = 0; i < compared->samples; i++) {
        if (compared->verdicts[0][i].predicted < 0 || compared->verdicts[1][i].predicted < 0 ||
            zf_compared_outcome(compared, i) != outcome)
            continue;
        zf_json_object(json, NULL);
        zf_json_text(json, "path", zf_data_path(show->data, i));
        zf_json_text(json, "label", zf_net_label(show->nets[0], compared->labels[i]));
        zf_json_array(json, "answers");
        for (int k = 0; k < 2; k++)
            add_verdict(json, show->nets[k], &compared->verdicts[k][i]);
        zf_json_end(json);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_compared *compared,
                        const struct zf_compare_show *show)
{
    zf_json_array(json, "models");
    for (int k = 0; k < 2; k++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "path", show->names[k]);
        zf_json_real(json, "top1_error", compared->results[k].top1_error);
        zf_json_real(json, "top5_error", compared->results[k].top5_error);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_int(json, "images", compared->pictures);
    for (int o = 0; o < ZF_OUTCOMES; o++)
        zf_json_int(json, keys[o], compared->counts[o]);
    zf_json_int(json, "both_wrong_alike", compared->same_mistake);
    zf_json_real(
        json, "chance",
        zf_compare_chance(compared->counts[ZF_ONLY_FIRST], compared->counts[ZF_ONLY_SECOND]));
    zf_json_array(json, "classes");
    for (int64_t c = 0; c < compared->classes; c++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "label", zf_net_label(show->nets[0], c));
        for (int o = 0; o < ZF_OUTCOMES; o++)
            zf_json_int(json, keys[o], compared->by_class[c][o]);
        zf_json_end(json);
    }
    zf_json_end(json);
    add_pictures(json, compared, show, ZF_ONLY_FIRST);
    add_pictures(json, compared, show, ZF_ONLY_SECOND);
}

/* ---- The page. ---- */

static void add_lead(struct zf_document *document, const struct zf_compared *compared,
                     const struct zf_compare_show *show)
{
    static const char *const columns[] = {"model", "top-1 error, %", "top-5 error, %",
                                          "right where the other is wrong"};
    const int64_t first = compared->counts[ZF_ONLY_FIRST];
    const int64_t second = compared->counts[ZF_ONLY_SECOND];
    const double chance = zf_compare_chance(first, second);

    zf_document_paragraph(document,
                          "A is %s, B is %s. Of %s pictures both have %s right and %s wrong, %s of "
                          "these with the same "
                          "answer; A alone has %s right, B alone %s.",
                          show->names[0], show->names[1],
                          zf_document_count(document, compared->pictures),
                          zf_document_count(document, compared->counts[ZF_BOTH_RIGHT]),
                          zf_document_count(document, compared->counts[ZF_BOTH_WRONG]),
                          zf_document_count(document, compared->same_mistake),
                          zf_document_count(document, first), zf_document_count(document, second));
    zf_document_paragraph(
        document,
        chance < 0.05 ? "Were neither better, a difference as large as that would come in %.3g%% "
                        "of such data sets: %s is better on pictures like these."
                      : "Were neither better, a difference as large as that would come in %.3g%% "
                        "of such data sets: by these pictures neither is shown to be better.%.0s",
        100.0 * chance, first > second ? "A" : "B");
    zf_document_table(document, columns, ZF_COUNT(columns), "%s", "");
    for (int k = 0; k < 2; k++) {
        zf_document_cell(document, "%s: %s", k ? "B" : "A", show->names[k]);
        zf_document_number(document, 2, 100.0 * compared->results[k].top1_error);
        zf_document_number(document, 2, 100.0 * compared->results[k].top5_error);
        zf_document_count_cell(document, k ? second : first);
    }
}

static int64_t differing(const struct zf_compared *compared, int64_t class)
{
    return compared->by_class[class][ZF_ONLY_FIRST] + compared->by_class[class][ZF_ONLY_SECOND];
}

/* The classes in which the nets differ most, of equal ones the first. */
static size_t choose_classes(const struct zf_compared *compared, int64_t *classes)
{
    size_t count = 0;

    for (int64_t c = 0; c < compared->classes; c++) {
        size_t at = count;

        if (differing(compared, c) == 0)
            continue;
        while (at > 0 && differing(compared, c) > differing(compared, classes[at - 1]))
            at--;
        if (at == LISTED)
            continue;
        count += count < LISTED;
        for (size_t i = count - 1; i > at; i--)
            classes[i] = classes[i - 1];
        classes[at] = c;
    }
    return count;
}

static void add_classes(struct zf_document *document, const struct zf_compared *compared,
                        const struct zf_compare_show *show)
{
    static const char *const columns[] = {"class",        "pictures",     "both right",
                                          "only A right", "only B right", "both wrong"};
    int64_t classes[LISTED];
    const size_t count = choose_classes(compared, classes);

    if (count == 0)
        return;
    zf_document_heading(document, "Which classes");
    zf_document_table(document, columns, ZF_COUNT(columns),
                      "Where they differ most, no more than forty; compare.json has all classes.");
    for (size_t i = 0; i < count; i++) {
        const int64_t *counts = compared->by_class[classes[i]];
        int64_t all = 0;

        for (int o = 0; o < ZF_OUTCOMES; o++)
            all += counts[o];
        zf_document_cell(document, "%s", zf_net_label(show->nets[0], classes[i]));
        zf_document_count_cell(document, all);
        for (int o = 0; o < ZF_OUTCOMES; o++)
            zf_document_count_cell(document, counts[o]);
    }
}

static const char *answer(struct zf_document *document, const struct zf_compare_show *show, int k,
                          const struct zf_verdict *verdict)
{
    return zf_document_words(document, "%s: %s %.3f", k ? "B" : "A",
                             zf_net_label(show->nets[k], verdict->predicted),
                             (double)verdict->confidence);
}

/* Both nets' maps for their own answers. */
static enum zf_status explain(struct zf_document *document, const struct zf_compared *compared,
                              const struct zf_compare_show *show, enum zf_outcome outcome,
                              const int64_t *samples, size_t count, struct zf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < 2; k++) {
            const struct zf_verdict *verdict = &compared->verdicts[k][samples[i]];
            const int32_t *labels = k ? compared->second_labels : compared->labels;
            struct zf_album album;
            enum zf_status status;

            status = zf_album_load(&album, show->nets[k], show->data, &samples[i], 1,
                                   show->compute.threads, err);
            if (status == ZF_OK)
                status = zf_album_explain(
                    &album, 0, verdict->predicted, labels[samples[i]], &show->compute,
                    zf_document_words(document, "only-%s-%02zu-%s.png",
                                      outcome == ZF_ONLY_FIRST ? "a" : "b", i, k ? "b" : "a"),
                    zf_document_words(document, "%s, which is %s. %s, %s.", album.names[0],
                                      zf_net_label(show->nets[0], compared->labels[samples[i]]),
                                      answer(document, show, k, verdict),
                                      verdict->right ? "right" : "wrong"),
                    document, show->monitor, err);
            zf_album_release(&album);
            ZF_CHECK(status);
        }
    }
    return ZF_OK;
}

static enum zf_status add_outcome(struct zf_document *document, const struct zf_compared *compared,
                                  const struct zf_compare_show *show, enum zf_outcome outcome,
                                  struct zf_error *err)
{
    static const struct {
        const char *heading, *file;
    } texts[ZF_OUTCOMES] = {
        [ZF_ONLY_FIRST] = {"Only A is right", "only-a.png"},
        [ZF_ONLY_SECOND] = {"Only B is right", "only-b.png"},
        [ZF_BOTH_WRONG] = {"Both are wrong", "both-wrong.png"},
    };
    int64_t samples[ZF_ALBUM_MOST];
    const char *titles[ZF_ALBUM_MOST];
    const size_t count = zf_compare_choose(compared, outcome, samples, show->shown);
    const bool explains = outcome != ZF_BOTH_WRONG;
    struct zf_album album = {0};
    enum zf_status status = ZF_OK;

    if (count == 0)
        return ZF_OK;
    zf_document_heading(document, "%s", texts[outcome].heading);
    for (size_t i = 0; i < count; i++)
        titles[i] = zf_document_words(
            document, "%s. %s, %s", zf_net_label(show->nets[0], compared->labels[samples[i]]),
            answer(document, show, 0, &compared->verdicts[0][samples[i]]),
            answer(document, show, 1, &compared->verdicts[1][samples[i]]));
    ZF_TRY(zf_album_load(&album, show->nets[0], show->data, samples, count, show->compute.threads,
                         err));
    ZF_TRY(zf_album_show(&album, titles, texts[outcome].file,
                         zf_document_words(document,
                                           "%zu of %s pictures: those where the net that is "
                                           "wrong is the surest, with what each says.",
                                           count,
                                           zf_document_count(document, compared->counts[outcome])),
                         document, err));
    if (explains)
        ZF_TRY(explain(document, compared, show, outcome, samples,
                       count < show->explained ? count : show->explained, err));
fail:
    zf_album_release(&album);
    return status;
}

enum zf_status zf_compare_page(const struct zf_compared *compared,
                               const struct zf_compare_show *show, struct zf_document *document,
                               struct zf_error *err)
{
    const int64_t first = compared->counts[ZF_ONLY_FIRST];
    const int64_t second = compared->counts[ZF_ONLY_SECOND];

    zf_document_parameter(document, "data", "%s", zf_data_name(show->data));
    add_lead(document, compared, show);
    add_classes(document, compared, show);
    ZF_CHECK(add_outcome(document, compared, show, ZF_ONLY_FIRST, err));
    ZF_CHECK(add_outcome(document, compared, show, ZF_ONLY_SECOND, err));
    ZF_CHECK(add_outcome(document, compared, show, ZF_BOTH_WRONG, err));
    add_numbers(zf_document_numbers(document), compared, show);
    zf_document_say(
        document,
        "top-1 error  only it is right  model\n%-13.4f%-18" PRId64 "%s\n%-13.4f%-18" PRId64
        "%s\n%" PRId64 " pictures: both right %" PRId64 ", both wrong %" PRId64 " (%" PRId64
        " with the same answer); chance of such a difference %.2g\n",
        compared->results[0].top1_error, first, show->names[0], compared->results[1].top1_error,
        second, show->names[1], compared->pictures, compared->counts[ZF_BOTH_RIGHT],
        compared->counts[ZF_BOTH_WRONG], compared->same_mistake, zf_compare_chance(first, second));
    return ZF_OK;
}
