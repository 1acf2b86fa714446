/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr() */
#include "base/module.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/status.h"

/* The path of a file; NULL without memory. */
static char *find(const char *file)
{
    static const char inside; /* of the library */
    Dl_info here = {0};
    const char *name;
    char *path;
    int folder;

    dladdr(&inside, &here);
    name = here.dli_fname ? strrchr(here.dli_fname, '/') : NULL;
    folder = name ? (int)(name - here.dli_fname) + 1 : 0;
    path = zf_format("%.*s%s", folder, here.dli_fname, file);
    if (path && access(path, F_OK) != 0) {
        zf_free(path);
        path = zf_format("%.*szfscope/%s", folder, here.dli_fname, file);
    }
    return path;
}

const void *zf_module_load(const char *file, const char *symbol, struct zf_error *err)
{
    char *path = find(file);
    void *module = path ? dlopen(path, RTLD_LAZY | RTLD_LOCAL) : NULL;
    const void *found = module ? dlsym(module, symbol) : NULL;

    if (!path)
        zf_no_memory(err, "the path of %s", file);
    else if (!found)
        zf_fail(err, ZF_EIO, "%s", dlerror());
    zf_free(path);
    return found;
}
