/* SPDX-License-Identifier: MIT */
#include "image/vips_library.h"

#include <pthread.h>
#include <stddef.h>

#include "base/module.h"
#include "base/status.h"

/* In tests, which call libvips themselves, it is linked; then nothing has to be loaded. */
extern const struct zf_vips zf_vips_functions __attribute__((weak));

/* One for the process, as libvips is. */
const struct zf_vips *zf_vips;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static struct zf_error why_not;

static void load(void)
{
    zf_vips = &zf_vips_functions;
    if (!zf_vips)
        zf_vips = zf_module_load("zfscope-vips.so", "zf_vips_functions", &why_not);
}

enum zf_status zf_vips_load(struct zf_error *err)
{
    pthread_once(&load_once, load);
    return zf_vips ? ZF_OK : zf_fail(err, ZF_EIO, "%s", why_not.message);
}
