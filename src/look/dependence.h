/* SPDX-License-Identifier: MIT */
/* The inside of zf_project_dependence(). */
#ifndef ZF_LOOK_DEPENDENCE_H
#define ZF_LOOK_DEPENDENCE_H

#include "look/patch.h"
#include "zf/look.h"

/** Pearson's of two arrays; 0 where one of them is the same all over. */
double zf_correlation(const float *a, const float *b, int64_t count);

#endif
