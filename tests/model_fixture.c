/* SPDX-License-Identifier: MIT */
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
#include "model_fixture.h"
#include "zf/model.h"

const char model_spec[] = "[net]\nname = tiny\ninput = 3x6x6\nclasses = 3\n"
                          "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\nstride = 2\n"
                          "[relu1]\ntype = relu\n"
                          "[fc2]\ntype = fc\nmaps = classes\n"
                          "[prob]\ntype = softmax\n";

static const char *const odd_labels[] = {"a \"quoted\"\\n\nlabel\twith\x01", "h\303\251t\351\377",
                                         ""};

struct zf_net *model_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err;
    struct zf_preparation preparation;
    float mean[3 * 8 * 8];

    assert_int_equal(zf_net_parse_spec(model_spec, "tiny", 0, &net, &err), ZF_OK);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 1);
    preparation = *zf_net_preparation(net);
    for (size_t i = 0; i < ZF_COUNT(mean); i++)
        mean[i] = 100.0f + (float)i / 3.0f;
    preparation.resize = ZF_RESIZE_WARP;
    preparation.channels = ZF_CHANNELS_BGR;
    preparation.size = 8;
    preparation.mean[1] = 0.1f;
    preparation.scale[2] = 1.0f / 3.0f;
    preparation.mean_image = mean;
    assert_int_equal(zf_net_set_preparation(net, &preparation, &err), ZF_OK);
    assert_int_equal(zf_net_set_labels(net, odd_labels, &err), ZF_OK);
    return net;
}

void model_read(const char *path, uint8_t *bytes, size_t *size)
{
    FILE *stream = fopen(path, "rb");

    assert_non_null(stream);
    *size = fread(bytes, 1, MODEL_MOST_BYTES, stream);
    assert_true(*size < MODEL_MOST_BYTES);
    fclose(stream);
}

void model_write(const char *path, const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");

    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

int model_set_up(void **state)
{
    struct model_fixture *f = calloc(1, sizeof *f);
    struct zf_net *net = model_net();
    struct zf_error err;

    strcpy(f->directory, "/tmp/zf-test-model-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->good, sizeof f->good, "%s/good.safetensors", f->directory);
    snprintf(f->bent, sizeof f->bent, "%s/bent.safetensors", f->directory);
    assert_int_equal(zf_model_save(net, f->good, &err), ZF_OK);
    model_read(f->good, f->bytes, &f->size);
    zf_net_free(&net);
    *state = f;
    return 0;
}

int model_tear_down(void **state)
{
    struct model_fixture *f = *state;

    unlink(f->good);
    unlink(f->bent);
    assert_int_equal(rmdir(f->directory), 0); /* nothing was left beside the final names */
    free(f);
    return 0;
}
