/* SPDX-License-Identifier: MIT */
/* Train a net on a folder of pictures, a fifth of each class kept to validate on.
   Usage: train NET DATA RUN [EPOCHS], NET a spec file or the name of a built-in net. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <zf/train.h>

static void print_epoch(void *user, const struct zf_epoch *epoch, bool best)
{
    (void)user;
    printf("epoch %" PRId64 ": loss %.4f, validation error %.4f%s\n", epoch->epoch, epoch->loss,
           epoch->val_top1_error, best ? " (best)" : "");
}

static enum zf_status train(int argc, char **argv, struct zf_error *err)
{
    const struct zf_train_monitor monitor = {.epoch = print_epoch};
    struct zf_train_options options = {.seed = 1};
    struct zf_data *data = NULL, *part = NULL, *val = NULL;
    struct zf_net *net = NULL;
    enum zf_status status;

    if ((status = zf_data_open(argv[2], &data, err)) == ZF_OK &&
        (status = zf_data_split(data, 0.2, 1, &part, &val, err)) == ZF_OK &&
        (status = zf_net_load_spec(argv[1], zf_data_class_count(data), &net, err)) == ZF_OK) {
        options.recipe = *zf_net_recipe(net);
        if (argc > 4)
            options.recipe.epochs = strtoll(argv[4], NULL, 10);
        /* RUN/model.safetensors is the best of all epochs. */
        status = zf_train_run(net, part, val, argv[3], &options, &monitor, err);
    }
    zf_net_free(&net);
    zf_data_free(&val);
    zf_data_free(&part);
    zf_data_free(&data);
    return status;
}

int main(int argc, char **argv)
{
    struct zf_error err = {0};

    if (argc >= 4 && train(argc, argv, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n", argc >= 4 ? err.message : "usage: train NET DATA RUN [EPOCHS]");
    return 1;
}
