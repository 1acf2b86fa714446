/* SPDX-License-Identifier: MIT */
/* What made a map fire? Usage: project MODEL IMAGE LAYER OUT.npy, for the middle cell of map 0. */
#include <stdio.h>

#include <zf/image.h>
#include <zf/model.h>
#include <zf/plan.h>

static enum zf_status project(char **argv, struct zf_error *err)
{
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    struct zf_tensor input = {0}, pixels = {0};
    int layer = 0;
    const struct zf_plan_options options = {
        .compute.batch = 1, .purpose = ZF_PROJECT, .taps = &layer, .tap_count = 1};
    enum zf_status status;

    /* [README] */
    if ((status = zf_model_load(argv[1], NULL, &net, err)) == ZF_OK &&
        (status = zf_input_load(argv[2], net, &input, NULL, err)) == ZF_OK &&
        (status = zf_net_find_layer(net, argv[3], &layer, err)) == ZF_OK &&
        (status = zf_plan_create(net, &options, &plan, err)) == ZF_OK &&
        (status = zf_tensor_init(&pixels, 1, input.c, input.h, input.w, err)) == ZF_OK) {
        const struct zf_shape shape = zf_net_layer(net, layer).shape;
        const struct zf_place middle = {.map = 0, .y = shape.h / 2, .x = shape.w / 2};
        zf_plan_forward(plan, &input); /* remembers the switches */
        zf_plan_project(plan, layer, &middle, NULL, 1, &pixels);
        status = zf_tensor_save_npy(&pixels, argv[4], err);
    }
    /* [README] */
    zf_tensor_release(&pixels);
    zf_tensor_release(&input);
    zf_plan_free(&plan);
    zf_net_free(&net);
    return status;
}

int main(int argc, char **argv)
{
    struct zf_error err = {0};

    if (argc == 5 && project(argv, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n", argc == 5 ? err.message : "usage: project MODEL IMAGE LAYER OUT.npy");
    return 1;
}
