/* SPDX-License-Identifier: MIT */
#ifndef ZF_SERVE_LISTEN_H
#define ZF_SERVE_LISTEN_H

#include "zf/base.h"

/**
 * A socket that listens on a TCP port of an address, a name or numbers. A *port of 0 becomes the
 * one that was free. The caller closes *fd.
 *
 * ZF_EINVAL for what is no address; ZF_EIO, with the address, the port and the reason.
 */
enum zf_status zf_listen(const char *address, int *port, int *fd, struct zf_error *err);

#endif
