/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "look_world.h"

#include <ftw.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/net.h"

static const char spec[] = "[net]\nname = tiny\ninput = 3x20x20\nclasses = 2\nsize = 20\n"
                           "[conv1]\ntype = conv\nmaps = 6\nkernel = 5\nstride = 2\npad = 2\n"
                           "[relu1]\ntype = relu\n"
                           "[pool1]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n"
                           "[conv2]\ntype = conv\nmaps = 40\nkernel = 3\npad = 1\n"
                           "[relu2]\ntype = relu\n"
                           "[fc3]\ntype = fc\nmaps = 2\n"
                           "[prob]\ntype = softmax\n";

static void save_noise(struct world *w, int i, const char *path)
{
    struct zf_picture picture;
    struct zf_random random =
        zf_random_stream(7, ZF_RANDOM_TEST, (uint64_t)(i == TWIN_B ? TWIN_A : i), 0);

    must(w, zf_picture_init(&picture, SIDE, SIDE, &w->err));
    for (int64_t p = 0; p < SIDE * SIDE * 3; p++)
        picture.pixels[p] = (uint8_t)zf_random_below(&random, 256);
    must(w, zf_picture_save_png(&picture, path, &w->err));
    zf_picture_release(&picture);
}

char *in_world(const struct world *w, const char *name)
{
    char *path = zf_path_join(w->directory, name);

    assert_non_null(path);
    return path;
}

static struct zf_net *build_net(struct world *w, const char *text)
{
    struct zf_net *net = NULL;

    must(w, zf_net_parse_spec(text, "test", 0, &net, &w->err));
    zf_net_init_parameters(net, ZF_INIT_HE, 0.02, 3); /* the deviation of fc3 */
    return net;
}

int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    strcpy(w->directory, "/tmp/zf-look-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    for (int i = 0; i < PICTURES; i++) {
        char name[64];
        char *path, *folder;

        /* Classes are in order, so sample i of the data set is picture i. */
        snprintf(name, sizeof name, "data/%s/%03d.png", i < 20 ? "cats" : "d\xf6gs <b>", i);
        path = in_world(w, name);
        folder = zf_strdup(path);
        *strrchr(folder, '/') = '\0';
        must(w, zf_directory_make(folder, &w->err));
        save_noise(w, i, path);
        zf_free(folder);
        zf_free(path);
    }
    {
        char *path = in_world(w, "data");

        must(w, zf_data_open(path, &w->data, &w->err));
        zf_free(path);
    }
    assert_int_equal(zf_data_count(w->data), PICTURES);
    w->net = build_net(w, spec);
    *state = w;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

int tear_down(void **state)
{
    struct world *w = *state;

    zf_data_free(&w->data);
    zf_net_free(&w->net);
    nftw(w->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

float *weights_of(struct zf_net *net)
{
    int64_t floats;

    return zf_net_parameters_mutable(net, &floats);
}

struct zf_top *run_top(struct world *w, const struct zf_top_options *options)
{
    struct zf_top_options exact = *options;
    struct zf_top *top = NULL;

    exact.compute.engine = "reference";
    must(w, zf_top_run(w->net, w->data, &exact, &top, NULL, &w->err));
    return top;
}

void prepared(struct world *w, int64_t i, float *dst)
{
    const struct zf_preparation *how = zf_net_preparation(w->net);
    struct zf_shape input = zf_net_input(w->net);
    struct zf_picture square = {0};

    must(w, zf_data_square(w->data, i, how->resize, how->size, &square, &w->err));
    zf_picture_prepare(&square, how, input, zf_view_centre(how, input), dst);
    zf_picture_release(&square);
}

int layer_index(struct world *w, const char *name)
{
    int index = -1;

    must(w, zf_net_find_layer(w->net, name, &index, &w->err));
    return index;
}

bool stop_at_once(void *user, const char *stage, int64_t done, int64_t total)
{
    (void)stage;
    assert_true(done >= 0 && done <= total);
    ++*(int *)user;
    return false;
}
