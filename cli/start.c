/* SPDX-License-Identifier: MIT */
/*
 * What a shell starts. OpenMP's runtime and OpenBLAS read their settings while they are loaded,
 * before main(), and have no calls for them. So this program is linked with neither: it makes the
 * settings, and then loads the rest of itself, which main.c begins.
 */
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program.h"

#define EXIT_UNLOADED 127 /* as for any program whose libraries cannot be loaded */

/* Rounds that a thread waits for the others before it sleeps: as fast as spinning on for
   milliseconds on a machine of one's own, and 40 % faster where other programs want the cores
   (docs/decisions.md). */
#define SPIN_COUNT "10000"

static bool is_address_space_limited(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* Where the user's environment says otherwise, that holds. */
static void share_the_machine(void)
{
    if (!getenv("OMP_WAIT_POLICY"))
        setenv("GOMP_SPINCOUNT", SPIN_COUNT, 0);
    /* liblinear may have brought OpenBLAS, whose threads are of no use here; where address space is
       limited they ask for memory without end, and ending the program waits for them. */
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    /* Each thread would reserve 64 MiB of its own for malloc(), where there is little in all. */
    if (is_address_space_limited() && !getenv("MALLOC_ARENA_MAX"))
        mallopt(M_ARENA_MAX, 1);
}

/* Where the rest stands: beside this program where both were built, and in a folder of the
   libraries where they are installed. */
static void find(char *path, size_t size)
{
    char *self = realpath((const char *)getauxval(AT_EXECFN), NULL);
    const char *name = self ? strrchr(self, '/') : NULL;
    const int folder = name ? (int)(name - self) : 0;

    snprintf(path, size, "%.*s/" PROGRAM_FILE, folder, self ? self : "");
    if (access(path, F_OK) != 0)
        snprintf(path, size, "%.*s/" PROGRAM_FOLDER "/" PROGRAM_FILE, folder, self ? self : "");
    free(self);
}

/* NULL when it cannot be; dlerror() has the reason. Open MPI's components look for its symbols
   among those of the whole program, so it is GLOBAL; LAZY leaves it to each library whether all of
   the functions that it calls are looked up at once. */
static const struct program *load(void)
{
    char path[PATH_MAX];
    void *loaded;

    find(path, sizeof path);
    loaded = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    return loaded ? dlsym(loaded, "zfscope_program") : NULL;
}

int main(int argc, char **argv)
{
    const struct program *program;

    share_the_machine();
    program = load();
    if (!program) {
        fprintf(stderr, "zfscope: %s\n", dlerror());
        return EXIT_UNLOADED;
    }
    return program->run(argc, argv);
}
