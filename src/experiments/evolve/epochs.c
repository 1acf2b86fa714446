/* SPDX-License-Identifier: MIT */
#include "experiments/evolve/epochs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "zf/model.h"

#define MAX_EPOCHS 10000
#define MAX_DIGITS 9

/* "0042.safetensors" is 42; -1 for another name. */
static int64_t number_of(const char *name)
{
    size_t digits = 0;

    while (isdigit((unsigned char)name[digits]))
        digits++;
    if (digits == 0 || digits > MAX_DIGITS || strcmp(name + digits, ".safetensors") != 0)
        return -1;
    return strtoll(name, NULL, 10);
}

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

enum zf_status zf_epochs_list(const char *run, int64_t **epochs, size_t *count,
                              struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *path = zf_path_join(run, "epochs");
    DIR *folder = path ? opendir(path) : NULL;
    const struct dirent *entry;
    int64_t *made = NULL;
    size_t found = 0, capacity = 0;

    if (path && !folder && errno != ENOENT && errno != ENOTDIR)
        ZF_LEAVE(zf_fail_errno(err, zf_status_of_errno(errno), errno, "%s", path));
    if (!folder)
        ZF_LEAVE(zf_fail(err, path ? ZF_EINPUT : ZF_ENOMEM,
                         "%s is no run of train: it has no folder epochs; a run is the directory "
                         "that train has filled",
                         run));
    while ((entry = zf_directory_next(folder, path, &status, err)) != NULL) {
        const int64_t number = number_of(entry->d_name);

        if (number < 0)
            continue;
        if (found == MAX_EPOCHS || !zf_grow((void **)&made, &capacity, found + 1, sizeof *made))
            ZF_LEAVE(zf_fail(err, found == MAX_EPOCHS ? ZF_EINPUT : ZF_ENOMEM,
                             "%s keeps more than %zu epochs", run, found));
        made[found++] = number;
    }
    if (status != ZF_OK)
        goto fail;
    if (found > 0)
        qsort(made, found, sizeof *made, compare);
    *epochs = made;
    *count = found;
    made = NULL;
fail:
    if (folder)
        closedir(folder);
    zf_free(made);
    zf_free(path);
    return status;
}

enum zf_status zf_epoch_load(const char *run, int64_t epoch, struct zf_net **net,
                             struct zf_error *err)
{
    char *path = zf_format("%s/epochs/%04" PRId64 ".safetensors", run, epoch);
    enum zf_status status =
        path ? zf_model_load(path, NULL, net, err) : zf_no_memory(err, "the epochs of %s", run);

    zf_free(path);
    return status;
}
