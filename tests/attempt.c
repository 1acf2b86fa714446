/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attempt.h"
#include "base/memory.h"
#include "base/status.h"
#include "net/net.h"

static const char spec[] =
    "[net]\nname = tiny\ninput = 3x12x12\nclasses = 10\nsize = 16\nscale = 0.02\n"
    "[train]\nbatch = 16\nepochs = 5\nlr = 0.02\ninit = he\npatience = 1\n"
    "[conv1]\ntype = conv\nmaps = 6\nkernel = 5\nstride = 2\nround = up\n"
    "[relu1]\ntype = relu\n"
    "[pool1]\ntype = maxpool\nkernel = 2\nstride = 2\n"
    "[fc2]\ntype = fc\nmaps = 24\n"
    "[relu2]\ntype = relu\n"
    "[drop2]\ntype = dropout\n"
    "[fc3]\ntype = fc\nmaps = classes\n"
    "[prob]\ntype = softmax\n";

static bool on_step(void *user, const struct zf_train_state *at)
{
    struct attempt *a = user;

    a->last_loss = at->loss;
    return ++a->steps != a->stop_after;
}

static void on_epoch(void *user, const struct zf_epoch *epoch, bool best)
{
    struct attempt *a = user;

    a->epochs++;
    if (best)
        a->best_epoch = epoch->epoch;
}

static void on_message(void *user, const char *sentence)
{
    struct attempt *a = user;

    snprintf(a->told, sizeof a->told, "%s", sentence);
}

struct zf_net *attempt_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

struct attempt attempt_begin(const char *run)
{
    struct zf_net *net = attempt_net();
    struct attempt attempt = {.run = run, .recipe = *zf_net_recipe(net), .threads = 1};

    zf_net_free(&net);
    return attempt;
}

enum zf_status attempt_run_watched(struct attempt *a, const struct zf_train_monitor *monitor)
{
    enum zf_status status;
    const struct zf_train_options options = {
        .recipe = a->recipe,
        .seed = 5,
        .compute = {.threads = (int)a->threads, .exact = a->exact},
        .save_every_s = 1,
        .continues = a->from != NULL,
        .resume = a->resume,
        .shards = a->shards};
    const struct zf_continuation how = {.frozen = a->frozen, .origin = "base"};
    int fresh;
    struct zf_net *net = NULL;
    struct zf_data *data = NULL, *val = NULL;

    ZF_TRY(a->from ? zf_net_continue(a->from, &how, &net, &fresh, &a->err)
                   : zf_net_parse_spec(spec, "tiny", 0, &net, &a->err));
    ZF_TRY(zf_data_open(a->data ? a->data : "synth:train:100", &data, &a->err));
    ZF_TRY(zf_data_open("synth:val:40", &val, &a->err));
    ZF_TRY(zf_train_run(net, data, val, a->run, &options, monitor, &a->err));
fail:
    zf_net_free(&net);
    zf_data_free(&data);
    zf_data_free(&val);
    return status;
}

enum zf_status attempt_run(struct attempt *a)
{
    const struct zf_train_monitor monitor = {
        .user = a, .step = on_step, .epoch = on_epoch, .message = on_message};

    return attempt_run_watched(a, &monitor);
}

void attempt_remove(const char *path)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

int attempt_set_up(void **state)
{
    char *path = zf_strdup("/tmp/zf-resume-XXXXXX");

    assert_non_null(mkdtemp(path));
    *state = path;
    return 0;
}

int attempt_tear_down(void **state)
{
    attempt_remove(*state);
    zf_free(*state);
    return 0;
}

struct zf_bytes attempt_file(const char *run, const char *name)
{
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/%s", run, name);
    if (zf_bytes_map(&bytes, path, 1 << 28, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return bytes;
}
