/* SPDX-License-Identifier: MIT */
#include "onnx_written.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "zf/model.h"

/* One of each chain type; conv1 and pool1 overhang, pool2 has a stride that leaves a rest. */
static const char spec[] =
    "[net]\nname = tiny\ninput = 3x12x10\nclasses = 3\nsize = 14\nscale = 0.03\n"
    "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\nstride = 2\nround = up\n"
    "[relu1]\ntype = relu\n"
    "[pool1]\ntype = maxpool\nkernel = 2\nstride = 2\nround = up\n"
    "[norm1]\ntype = lrn\nsize = 3\nalpha = 0.25\nbeta = 0.5\nk = 1.5\n"
    "[conv2]\ntype = conv\nmaps = 6\nkernel = 3\npad = 1\ngroups = 2\n"
    "[fc3]\ntype = fc\nmaps = 5\n"
    "[drop3]\ntype = dropout\nrate = 0.25\n"
    "[fc4]\ntype = fc\nmaps = classes\n"
    "[prob]\ntype = softmax\n";

static const char *const labels[] = {"back\\slash\nnewline", "h\303\251t\351\377", ""};

void written_read(const char *path, struct zf_bytes *bytes)
{
    struct zf_error err;

    if (zf_bytes_map(bytes, path, SIZE_MAX, &err) != ZF_OK)
        fail_msg("%s", err.message);
}

Onnx__ModelProto *written_unpack(const char *path)
{
    struct zf_bytes bytes = {0};
    Onnx__ModelProto *model;

    written_read(path, &bytes);
    model = onnx__model_proto__unpack(NULL, bytes.size, bytes.data);
    zf_bytes_release(&bytes);
    assert_non_null(model);
    return model;
}

void written_pack(const Onnx__ModelProto *model, const char *path)
{
    const size_t size = onnx__model_proto__get_packed_size(model);
    uint8_t *bytes = malloc(size);
    struct zf_error err;

    assert_non_null(bytes);
    onnx__model_proto__pack(model, bytes);
    assert_int_equal(zf_file_write(path, bytes, size, &err), ZF_OK);
    free(bytes);
}

static struct zf_net *make_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err;
    struct zf_preparation preparation;
    float mean[3 * 14 * 14];

    if (zf_net_parse_spec(spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 1);
    preparation = *zf_net_preparation(net);
    for (size_t i = 0; i < ZF_COUNT(mean); i++)
        mean[i] = 40.0f * (float)(1 + i / (14 * 14)); /* 40, 80, 120 */
    preparation.channels = ZF_CHANNELS_BGR;
    preparation.scale[2] = 1.0f / 3.0f;
    preparation.mean[0] = 0.1f;
    preparation.mean_image = mean;
    assert_int_equal(zf_net_set_preparation(net, &preparation, &err), ZF_OK);
    assert_int_equal(zf_net_set_labels(net, labels, &err), ZF_OK);
    return net;
}

int written_setup(void **state)
{
    struct written *f = calloc(1, sizeof *f);
    struct zf_error err;

    strcpy(f->directory, "/tmp/zf-test-onnx-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->onnx, sizeof f->onnx, "%s/model.onnx", f->directory);
    snprintf(f->other, sizeof f->other, "%s/other.onnx", f->directory);
    snprintf(f->native, sizeof f->native, "%s/model.safetensors", f->directory);
    f->net = make_net();
    if (zf_model_save(f->net, f->onnx, &err) != ZF_OK)
        fail_msg("%s", err.message);
    f->model = written_unpack(f->onnx);
    *state = f;
    return 0;
}

int written_teardown(void **state)
{
    struct written *f = *state;

    onnx__model_proto__free_unpacked(f->model, NULL);
    zf_net_free(&f->net);
    unlink(f->onnx);
    unlink(f->other);
    unlink(f->native);
    assert_int_equal(rmdir(f->directory), 0); /* nothing was left beside the final names */
    free(f);
    return 0;
}

Onnx__TensorProto *written_initialiser(const Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        if (strcmp(model->graph->initializer[i]->name, name) == 0)
            return model->graph->initializer[i];
    }
    fail_msg("there is no initialiser %s", name);
    return NULL;
}

void written_spec(struct written *f, const char *text)
{
    struct zf_net *net = NULL;
    struct zf_error err;

    if (zf_net_parse_spec(text, "other", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    if (zf_model_save(net, f->onnx, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_free(&net);
    onnx__model_proto__free_unpacked(f->model, NULL);
    f->model = written_unpack(f->onnx);
}
