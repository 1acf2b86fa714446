/* SPDX-License-Identifier: MIT */
/* Figure 7 of one picture. */
#ifndef ZF_REPORT_OCCLUDE_H
#define ZF_REPORT_OCCLUDE_H

#include "report/canvas.h"
#include "zf/probe.h"

#define ZF_ALMOST_SURE 0.99f /* a probability that says less than its odds do */
#define ZF_OTHERS 3          /* pictures of a data set in which the same map is strong */

/* One of those: its patch and the projection from it, as a person sees them. */
struct zf_other {
    size_t rank; /* among the strongest */
    struct zf_picture patch, projection;
};

/* Of one image, strongest first; one more than is shown, as the image may be among them itself. */
struct zf_others {
    struct zf_other items[ZF_OTHERS + 1];
    size_t count;
};

/* The five panels; others may be NULL. */
enum zf_status zf_occlude_figure(const struct zf_net *net, const struct zf_occlusions *result,
                                 size_t image, const struct zf_picture *shown,
                                 const struct zf_others *others, struct zf_picture *figure,
                                 struct zf_error *err);

#endif
