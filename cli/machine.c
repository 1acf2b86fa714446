/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "zf/image.h"
#include "zf/ranks.h"

char *machine_cache_directory(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && cache[0] == '/'; /* another one is to be ignored, says XDG */
    const char *base = own ? cache : home, *folder = own ? "zfscope" : ".cache/zfscope";
    const size_t size = base && base[0] == '/' ? strlen(base) + strlen(folder) + 2 : 0;
    char *path = size > 0 ? malloc(size) : NULL;

    if (path)
        snprintf(path, size, "%s/%s", base, folder);
    return path;
}

double machine_peak_rss_mib(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024; /* Linux counts in KiB */
}

const char *machine_slow(void)
{
    struct zf_engine_info best;

    if (zf_engine_describe(NULL, &best, NULL) != ZF_OK || best.library)
        return NULL;
    return "this build is without oneDNN, so nets run on plain loops, 15 to 30 times slower: "
           "install "
           "libdnnl-dev (elsewhere oneDNN), then `meson setup --wipe build && ninja -C build`";
}

void machine_print_versions(FILE *out)
{
    struct zf_engine_info engine = {0};
    struct zf_image_library library;

    zf_engine_describe(NULL, &engine, NULL);
    fprintf(out, "zfscope %s\n", zf_version());
    fprintf(out, "engine %s\n", engine.name);
    if (engine.library)
        fprintf(out, "%s %s\n", engine.library, engine.version);
    fprintf(out, "instruction set %s\n", engine.isa);
    if (zf_ranks_library())
        fprintf(out, "%s\n", zf_ranks_library());
    for (size_t i = 0; zf_image_library(i, &library); i++)
        fprintf(out, "%s %s\n", library.name, library.version);
}

void machine_add_versions(cJSON *json, const char *engine)
{
    struct zf_engine_info info = {0};
    struct zf_image_library library;
    cJSON *node;

    cJSON_AddStringToObject(json, "zfscope", zf_version());
    zf_engine_describe(engine, &info, NULL);
    node = cJSON_AddObjectToObject(json, "engine");
    cJSON_AddStringToObject(node, "name", info.name);
    if (info.library) {
        cJSON_AddStringToObject(node, "library", info.library);
        cJSON_AddStringToObject(node, "version", info.version);
    } else {
        cJSON_AddNullToObject(node, "library");
        cJSON_AddNullToObject(node, "version");
    }
    cJSON_AddStringToObject(node, "isa", info.isa);
    node = cJSON_AddObjectToObject(json, "libraries");
    for (size_t i = 0; zf_image_library(i, &library); i++)
        cJSON_AddStringToObject(node, library.name, library.version);
}
