/* SPDX-License-Identifier: MIT */
/* A picture as a vector, for search, clustering or a classifier of one's own: the output of a layer
   as NumPy. Usage: features MODEL IMAGE LAYER OUT.npy */
#include <stdio.h>

#include <zf/image.h>
#include <zf/model.h>
#include <zf/plan.h>

static enum zf_status write_features(char **argv, struct zf_error *err)
{
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    struct zf_tensor input = {0}, features = {0};
    int layer = 0;
    const struct zf_plan_options options = {
        .compute.batch = 1, .purpose = ZF_INFER, .taps = &layer, .tap_count = 1, .taps_only = true};
    enum zf_status status;

    if ((status = zf_model_open(argv[1], NULL, &net, err)) == ZF_OK &&
        (status = zf_input_load(argv[2], net, &input, NULL, err)) == ZF_OK &&
        (status = zf_net_find_layer(net, argv[3], &layer, err)) == ZF_OK &&
        (status = zf_plan_create(net, &options, &plan, err)) == ZF_OK) {
        const struct zf_shape shape = zf_net_layer(net, layer).shape;

        if ((status = zf_tensor_init(&features, 1, shape.c, shape.h, shape.w, err)) == ZF_OK) {
            zf_plan_forward(plan, &input); /* nothing above the layer is computed */
            zf_plan_read(plan, layer, &features);
            status = zf_tensor_save_npy(&features, argv[4], err);
        }
    }
    zf_tensor_release(&features);
    zf_tensor_release(&input);
    zf_plan_free(&plan);
    zf_net_free(&net);
    return status;
}

int main(int argc, char **argv)
{
    struct zf_error err = {0};

    if (argc == 5 && write_features(argv, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n", argc == 5 ? err.message : "usage: features MODEL IMAGE LAYER OUT.npy");
    return 1;
}
