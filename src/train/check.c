/* SPDX-License-Identifier: MIT */
/* What of a run on disk is whole, and from where it would go on. Nothing is changed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "train/checkpoint.h"
#include "train/log.h"
#include "zf/model.h"
#include "zf/net.h"

struct check {
    const char *run;
    zf_run_finding *finding;
    void *user;
    struct zf_run_found found;
};

/* Whether a file is whole, and what is told of it then. */
typedef enum zf_status look_at(struct check *check, const char *name, const char *path, char *what,
                               size_t size, struct zf_error *err);

static enum zf_status look_at_checkpoint(struct check *check, const char *name, const char *path,
                                         char *what, size_t size, struct zf_error *err)
{
    struct zf_run_found *found = &check->found;
    int64_t epochs;

    ZF_CHECK(zf_checkpoint_verify(path, &epochs, err));
    snprintf(what, size, "after %" PRId64 " epochs", epochs);
    if (!found->checkpoint) { /* the first that is whole is the newest */
        found->checkpoint = strcmp(name, "checkpoint") == 0 ? "checkpoint" : "checkpoint.previous";
        found->epochs = epochs;
    }
    return ZF_OK;
}

static enum zf_status look_at_model(struct check *check, const char *name, const char *path,
                                    char *what, size_t size, struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = NULL;

    (void)check;
    (void)name;
    ZF_TRY(zf_model_load(path, NULL, &net, err));
    ZF_TRY(zf_net_check_finite(net, err));
    snprintf(what, size, "%" PRId64 " parameters", zf_net_parameter_count(net));
fail:
    zf_net_free(&net);
    return status;
}

static enum zf_status look_at_log(struct check *check, const char *name, const char *path,
                                  char *what, size_t size, struct zf_error *err)
{
    struct zf_log_summary sum;

    (void)check;
    (void)name;
    ZF_CHECK(zf_log_summarise(path, &sum, err));
    snprintf(what, size, "%" PRId64 " epochs", sum.epochs);
    return ZF_OK;
}

/* `name` in the run, where it is there. That the machine fails is no finding about a file. */
static enum zf_status look(struct check *check, const char *name, look_at *at, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_error reason = {0};
    char *path = zf_path_join(check->run, name);
    char what[64];

    if (!path)
        return zf_no_memory(err, "%s in %s", name, check->run);
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        status = at(check, name, path, what, sizeof what, &reason);
        if (status == ZF_OK || status == ZF_EINPUT || status == ZF_EUNSUPPORTED) {
            check->found.files++;
            check->found.bad += status != ZF_OK;
            check->finding(check->user, name, status == ZF_OK ? what : reason.message,
                           status == ZF_OK);
            status = ZF_OK;
        } else {
            zf_fail(err, status, "%s", reason.message);
        }
    }
    zf_free(path);
    return status;
}

static enum zf_status look_at_epochs(struct check *check, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_names names = {0};
    char *folder = zf_path_join(check->run, "epochs");

    if (!folder)
        return zf_no_memory(err, "the epochs of %s", check->run);
    if (access(folder, F_OK) != 0 && errno == ENOENT)
        goto fail;
    ZF_TRY(zf_directory_list(folder, &names, err));
    for (size_t k = 0; k < names.count; k++) {
        char name[300];

        if (!zf_ends_in(names.items[k], ".safetensors"))
            continue;
        snprintf(name, sizeof name, "epochs/%s", names.items[k]);
        ZF_TRY(look(check, name, look_at_model, err));
    }
fail:
    zf_names_release(&names);
    zf_free(folder);
    return status;
}

bool zf_run_exists(const char *directory)
{
    return zf_checkpoint_exists(directory);
}

enum zf_status zf_run_check(const char *directory, zf_run_finding *finding, void *user,
                            struct zf_run_found *found, struct zf_error *err)
{
    struct check check = {.run = directory, .finding = finding, .user = user};

    ZF_CHECK(look(&check, "checkpoint", look_at_checkpoint, err));
    ZF_CHECK(look(&check, "checkpoint.previous", look_at_checkpoint, err));
    ZF_CHECK(look(&check, "model.safetensors", look_at_model, err));
    ZF_CHECK(look_at_epochs(&check, err));
    ZF_CHECK(look(&check, "log.jsonl", look_at_log, err));
    *found = check.found;
    return ZF_OK;
}
