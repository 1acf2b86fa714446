/* SPDX-License-Identifier: MIT */
#ifndef ZF_RANKS_TRAFFIC_H
#define ZF_RANKS_TRAFFIC_H

#include <stdint.h>

/* Something on its way; 0 = nothing. Room for the carrier's own handle. */
struct zf_traffic {
    uintptr_t request;
};

#endif
