/* SPDX-License-Identifier: MIT */
/* What a build without libmicrohttpd has instead of src/serve's other files. */
#include "zf/serve.h"

enum zf_status zf_serve(const struct zf_serve_options *options, const struct zf_monitor *monitor,
                        struct zf_error *err)
{
    (void)options;
    (void)monitor;
    return zf_fail(err, ZF_EUNSUPPORTED,
                   "this build has no server: install libmicrohttpd-dev (elsewhere libmicrohttpd), "
                   "then `meson setup --wipe build && ninja -C build`");
}
