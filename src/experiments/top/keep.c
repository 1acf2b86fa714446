/* SPDX-License-Identifier: MIT */
/*
 * What a run of top that is not finished keeps in DIR/unfinished: the lists so far, and for each
 * layer that is done its part of the page, whose pictures lie in their places already. The
 * directory goes when the run is finished.
 */
#include "experiments/top/top.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/document.h"

/* ---- Whose it is. ---- */

static uint64_t add_text(uint64_t hash, const char *text)
{
    return zf_fnv(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

static uint64_t hash_of_net(const struct zf_net *net)
{
    uint64_t hash = add_text(ZF_FNV_START, zf_net_spec(net));

    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        const struct zf_parameter parameter = zf_net_parameter(net, i);

        hash = zf_fnv(hash, parameter.data, (size_t)parameter.count * sizeof *parameter.data);
    }
    for (int64_t k = 0; zf_net_has_labels(net) && k < zf_net_class_count(net); k++)
        hash = add_text(hash, zf_net_label(net, k));
    return hash;
}

static uint64_t hash_of_data(const struct zf_data *data)
{
    uint64_t hash = add_text(ZF_FNV_START, zf_data_name(data));

    for (int64_t i = 0; i < zf_data_count(data); i++) {
        const int64_t label = zf_data_label(data, i);

        hash = zf_fnv(add_text(hash, zf_data_path(data, i)), &label, sizeof label);
    }
    return hash;
}

char *zf_top_asked(const struct zf_net *net, const struct zf_data *data, const char *options)
{
    return zf_format("net %016" PRIx64 ", data %016" PRIx64 ", %s", hash_of_net(net),
                     hash_of_data(data), options);
}

/* ---- The directory. ---- */

static char *folder_of(const char *directory)
{
    return zf_path_join(directory, "unfinished");
}

static char *file_in(const char *directory, const char *name, const char *ending)
{
    return zf_format("%s/unfinished/%s%s", directory, name, ending);
}

char *zf_top_lists(const char *directory)
{
    return file_in(directory, "strongest", "");
}

void zf_top_forget(const char *directory)
{
    char *folder = folder_of(directory);
    DIR *listing = folder ? opendir(folder) : NULL;

    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        char *path = zf_path_join(folder, entry->d_name);

        if (path && entry->d_name[0] != '.')
            unlink(path);
        zf_free(path);
    }
    if (listing) {
        closedir(listing);
        rmdir(folder);
    }
    zf_free(folder);
}

enum zf_status zf_top_open(const char *directory, bool resume, struct zf_error *err)
{
    char *folder = folder_of(directory), *lists = zf_top_lists(directory);
    enum zf_status status = ZF_OK;

    if (!folder || !lists)
        status = zf_no_memory(err, "what is unfinished in %s", directory);
    else if (resume && access(lists, F_OK) != 0)
        status = zf_fail(err, ZF_EINPUT,
                         "%s holds no unfinished run of top: it is finished, or was not begun; "
                         "leave out --resume",
                         directory);
    if (status == ZF_OK && !resume) {
        zf_top_forget(directory);
        status = zf_directory_make(folder, err);
    }
    zf_free(lists);
    zf_free(folder);
    return status;
}

/* ---- Parts of the page. ---- */

bool zf_top_is_done(const char *directory, const char *slug)
{
    char *path = file_in(directory, slug, ".part");
    const bool done = path && access(path, F_OK) == 0;

    zf_free(path);
    return done;
}

enum zf_status zf_top_keep_layer(struct zf_document *document, const char *slug,
                                 struct zf_error *err)
{
    char *path = file_in(document->directory, slug, ".part");
    enum zf_status status = path ? zf_document_keep_part(document, 2, path, err)
                                 : zf_no_memory(err, "a part of the page");

    zf_free(path);
    return status;
}

enum zf_status zf_top_take_layer(struct zf_document *document, const char *slug,
                                 struct zf_error *err)
{
    char *path = file_in(document->directory, slug, ".part");
    enum zf_status status =
        path ? zf_document_take_part(document, path, err) : zf_no_memory(err, "a part of the page");

    zf_free(path);
    return status;
}
