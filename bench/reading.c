/* SPDX-License-Identifier: MIT */
/*
 * How fast data sets are read in random order, for those who choose between a folder, shards and a
 * packed file:
 *
 *     bench-reading NET THREADS ROUNDS DATA...
 *
 * A round passes once over each DATA, one after the other, as training does. CSV: seconds to open,
 * seconds until the first pass has its order and its workers, pictures a second of each round.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "zf/data.h"

struct set {
    struct zf_data *data;
    struct zf_loader *loader;
};

static enum zf_status open_set(struct set *set, const char *name, const struct zf_net *net,
                               int threads, struct zf_error *err)
{
    const struct zf_loader_options options = {
        .batch = 64, .views = ZF_VIEWS_RANDOM, .shuffle = true, .threads = threads, .seed = 1};
    const double begun_s = zf_clock_s();
    double opened_s;

    ZF_CHECK(zf_data_open(name, &set->data, err));
    opened_s = zf_clock_s();
    ZF_CHECK(zf_loader_create(set->data, net, &options, &set->loader, err));
    printf("%s,open,%.3f,%" PRId64 "\n%s,order,%.3f,%" PRId64 "\n", name, opened_s - begun_s,
           zf_data_count(set->data), name, zf_clock_s() - opened_s, zf_data_count(set->data));
    return ZF_OK;
}

static enum zf_status pass(struct set *set, const char *name, struct zf_error *err)
{
    const double begun_s = zf_clock_s();
    struct zf_batch batch;
    int64_t read = 0;
    bool done = false;

    while (!done) {
        ZF_CHECK(zf_loader_next(set->loader, &batch, &done, err));
        read += batch.count;
    }
    printf("%s,read,%.3f,%.0f\n", name, zf_clock_s() - begun_s,
           (double)read / (zf_clock_s() - begun_s));
    return ZF_OK;
}

int main(int argc, char **argv)
{
    enum zf_status status = ZF_EINVAL;
    struct zf_error err = {0};
    struct zf_net *net = NULL;
    struct set sets[16] = {{0}};
    const int count = argc - 4;

    if (count < 1 || count > 16) {
        fprintf(stderr, "usage: %s NET THREADS ROUNDS DATA... (up to 16)\n", argv[0]);
        return 2;
    }
    printf("data,what,seconds,pictures or pictures a second\n");
    ZF_TRY(zf_net_load_spec(argv[1], 0, &net, &err));
    for (int k = 0; k < count; k++)
        ZF_TRY(open_set(&sets[k], argv[4 + k], net, atoi(argv[2]), &err));
    for (int round = 0; round < atoi(argv[3]); round++) {
        for (int k = 0; k < count; k++)
            ZF_TRY(pass(&sets[k], argv[4 + k], &err));
    }
fail:
    if (status != ZF_OK)
        fprintf(stderr, "%s\n", err.message);
    for (int k = 0; k < 16; k++) {
        zf_loader_free(&sets[k].loader);
        zf_data_free(&sets[k].data);
    }
    zf_net_free(&net);
    return status == ZF_OK ? 0 : 1;
}
