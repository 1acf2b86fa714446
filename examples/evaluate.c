/* SPDX-License-Identifier: MIT */
/* How often is it wrong, and where? Usage: evaluate MODEL DATA, DATA a directory with a folder of
   pictures for each class. */
#include <inttypes.h>
#include <stdio.h>

#include <zf/evaluation.h>
#include <zf/model.h>

static void print(const struct zf_net *net, const struct zf_tally *tally, double error)
{
    printf("top-1 error %.4f on %" PRId64 " pictures\n", error, tally->pictures);
    for (size_t i = 0; i < tally->confusion_count && i < 3; i++)
        printf("%s taken for %s: %" PRId64 "\n", zf_net_label(net, tally->confusions[i].label),
               zf_net_label(net, tally->confusions[i].predicted), tally->confusions[i].pictures);
}

static enum zf_status evaluate(char **argv, struct zf_error *err)
{
    struct zf_net *net = NULL;
    struct zf_data *data = NULL;
    struct zf_tally *tally = NULL;
    struct zf_eval_options options = {.answer = zf_tally_answer};
    struct zf_eval_result result;
    enum zf_status status;

    if ((status = zf_model_open(argv[1], NULL, &net, err)) == ZF_OK &&
        (status = zf_data_open(argv[2], &data, err)) == ZF_OK &&
        (status = zf_tally_create(zf_net_class_count(net), 0, &tally, err)) == ZF_OK) {
        const struct zf_net *const nets[] = {net};

        options.user = tally;
        if ((status = zf_eval_run(nets, 1, data, &options, &result, NULL, NULL, NULL, err)) ==
                ZF_OK &&
            (status = zf_tally_finish(tally, err)) == ZF_OK)
            print(net, tally, result.top1_error);
    }
    zf_tally_free(&tally);
    zf_data_free(&data);
    zf_net_free(&net);
    return status;
}

int main(int argc, char **argv)
{
    struct zf_error err = {0};

    if (argc == 3 && evaluate(argv, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n", argc == 3 ? err.message : "usage: evaluate MODEL DATA");
    return 1;
}
