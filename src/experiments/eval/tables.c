/* SPDX-License-Identifier: MIT */
/* The counts as CSV files, for spreadsheets and scripts. */
#include "experiments/eval/eval.h"

#include <inttypes.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

typedef void write_rows(FILE *out, const struct zf_net *net, const struct zf_tally *tally);

static void write_classes(FILE *out, const struct zf_net *net, const struct zf_tally *tally)
{
    fputs("class,label,pictures,right,taken_for_it,error\n", out);
    for (int32_t k = 0; k < tally->classes; k++) {
        const struct zf_class_count *class = &tally->by_class[k];

        fprintf(out, "%" PRId32 ",", k);
        zf_csv_text(out, zf_net_label(net, k));
        fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",", class->pictures, class->right,
                class->taken);
        if (class->pictures > 0)
            fprintf(out, "%.9g", 1.0 - (double)class->right / (double)class->pictures);
        fputc('\n', out);
    }
}

static void write_pair(FILE *out, const struct zf_net *net, int32_t label, int32_t predicted,
                       int64_t pictures)
{
    zf_csv_text(out, zf_net_label(net, label));
    fputc(',', out);
    zf_csv_text(out, zf_net_label(net, predicted));
    fprintf(out, ",%" PRId64 "\n", pictures);
}

static void write_confusions(FILE *out, const struct zf_net *net, const struct zf_tally *tally)
{
    fputs("label,predicted,pictures\n", out);
    for (int32_t k = 0; k < tally->classes; k++) {
        if (tally->by_class[k].right > 0)
            write_pair(out, net, k, k, tally->by_class[k].right);
    }
    for (size_t i = 0; i < tally->confusion_count; i++)
        write_pair(out, net, tally->confusions[i].label, tally->confusions[i].predicted,
                   tally->confusions[i].pictures);
}

static enum zf_status write_file(const struct zf_evaluation *evaluation, const char *name,
                                 write_rows *rows, struct zf_error *err)
{
    struct zf_output out = {0};
    char *path = zf_path_join(evaluation->directory, name);
    enum zf_status status;

    if (!path)
        return zf_no_memory(err, "the name of %s", name);
    ZF_TRY(zf_output_open(&out, path, err));
    rows(out.stream, evaluation->nets[0], evaluation->tally);
    ZF_TRY(zf_output_commit(&out, err));
fail:
    zf_output_discard(&out);
    zf_free(path);
    return status;
}

enum zf_status zf_evaluation_tables(const struct zf_evaluation *evaluation, struct zf_error *err)
{
    ZF_CHECK(zf_directory_make(evaluation->directory, err));
    ZF_CHECK(write_file(evaluation, "classes.csv", write_classes, err));
    return write_file(evaluation, "confusion.csv", write_confusions, err);
}
