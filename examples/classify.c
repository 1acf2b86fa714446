/* SPDX-License-Identifier: MIT */
/* What is in the picture? Usage: classify MODEL IMAGE [PREPARATION [LABELS]], for instance
   classify resnet18.onnx newt.jpg torchvision imagenet.txt */
#include <stdio.h>

#include <zf/classify.h>
#include <zf/image.h>
#include <zf/model.h>

static enum zf_status classify(int argc, char **argv, struct zf_error *err)
{
    struct zf_net *net = NULL;
    struct zf_prediction best[5];
    size_t count = 0;
    enum zf_status status;

    if ((status = zf_model_open(argv[1], NULL, &net, err)) == ZF_OK && /* safetensors or ONNX */
        (argc < 4 || (status = zf_net_prepare_as(net, argv[3], err)) == ZF_OK) &&
        (argc < 5 || (status = zf_net_load_labels(net, argv[4], err)) == ZF_OK))
        status = zf_classify(net, argv[2], NULL, best, 5, &count, err);
    for (size_t i = 0; i < count; i++)
        printf("%.4f  %s\n", (double)best[i].value, zf_net_label(net, best[i].index));
    zf_net_free(&net);
    return status;
}

int main(int argc, char **argv)
{
    struct zf_error err = {0};

    if (argc >= 3 && classify(argc, argv, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n",
            argc >= 3 ? err.message : "usage: classify MODEL IMAGE [PREPARATION [LABELS]]");
    return 1;
}
