/* SPDX-License-Identifier: MIT */
/* Pictures of an evaluation with what they are and what they were taken for, and why. */
#include "base/status.h"
#include "experiments/album.h"
#include "experiments/eval/eval.h"

static const char *describe(struct zf_document *document, const struct zf_net *net,
                            const struct zf_case *given)
{
    if (given->label == given->predicted)
        return zf_document_words(document, "%s %.3f", zf_net_label(net, given->label),
                                 (double)given->confidence);
    return zf_document_words(document, "%s, taken for %s %.3f", zf_net_label(net, given->label),
                             zf_net_label(net, given->predicted), (double)given->confidence);
}

static enum zf_status load(struct zf_album *album, const struct zf_evaluation *evaluation,
                           const struct zf_case *cases, size_t count, struct zf_error *err)
{
    int64_t samples[ZF_TALLY_CASES] = {0};

    for (size_t i = 0; i < count; i++)
        samples[i] = cases[i].sample;
    return zf_album_load(album, evaluation->nets[0], evaluation->data, samples, count,
                         evaluation->compute.threads, err);
}

enum zf_status zf_cases_show(const struct zf_evaluation *evaluation, const struct zf_case *cases,
                             size_t count, const char *file, const char *caption,
                             struct zf_document *document, struct zf_error *err)
{
    const char *titles[ZF_TALLY_CASES];
    struct zf_album album;
    enum zf_status status;

    for (size_t i = 0; i < count; i++)
        titles[i] = describe(document, evaluation->nets[0], &cases[i]);
    ZF_TRY(load(&album, evaluation, cases, count, err));
    ZF_TRY(zf_album_show(&album, titles, file, caption, document, err));
fail:
    zf_album_release(&album);
    return status;
}

enum zf_status zf_cases_explain(const struct zf_evaluation *evaluation,
                                struct zf_document *document, struct zf_error *err)
{
    const struct zf_tally *tally = evaluation->tally;
    const struct zf_net *net = evaluation->nets[0];
    const size_t most = (size_t)evaluation->explained;
    const size_t count = tally->mistake_count < most ? tally->mistake_count : most;
    struct zf_album album;
    enum zf_status status;

    ZF_TRY(load(&album, evaluation, tally->mistakes, count, err));
    for (size_t i = 0; i < count; i++) {
        const struct zf_case *given = &tally->mistakes[i];

        ZF_TRY(zf_album_explain(
            &album, i, given->predicted, given->label, &evaluation->compute,
            zf_document_words(document, "why-%02zu.png", i),
            zf_document_words(document, "%s is %s (probability %.3g), taken for %s (%.3f).",
                              album.names[i], zf_net_label(net, given->label),
                              (double)given->label_probability, zf_net_label(net, given->predicted),
                              (double)given->confidence),
            document, evaluation->monitor, err));
    }
fail:
    zf_album_release(&album);
    return status;
}
