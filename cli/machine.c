/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "zf/image.h"
#include "zf/ranks.h"

/* Rounds that a thread waits for the others before it sleeps: as fast as spinning on for
   milliseconds on a machine of one's own, and 40 % faster where other programs want the cores
   (docs/decisions.md). */
#define SPIN_COUNT "10000"

static bool is_address_space_limited(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* There is no call for it, and setting the variable earlier does not reach libgomp: glibc resets
   the environment after .preinit_array, and nothing else of ours runs before libgomp's constructor.
 */
void machine_share_cores(char **argv, bool runs_net)
{
    const bool spins = runs_net && !getenv("GOMP_SPINCOUNT") && !getenv("OMP_WAIT_POLICY");
    const bool limited = is_address_space_limited();
    const bool blas = (runs_net || limited) && !getenv("OPENBLAS_NUM_THREADS");
    /* Each thread would reserve 64 MiB of its own for malloc(), where there is little in all. */
    const bool arenas = limited && !getenv("MALLOC_ARENA_MAX");

    if ((spins && setenv("GOMP_SPINCOUNT", SPIN_COUNT, 1) != 0) ||
        (blas && setenv("OPENBLAS_NUM_THREADS", "1", 1) != 0) ||
        (arenas && setenv("MALLOC_ARENA_MAX", "1", 1) != 0))
        return;
    if (spins || blas || arenas)
        execv("/proc/self/exe", argv); /* where that is not to be had, go on as we are */
}

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
