/* SPDX-License-Identifier: MIT */
/* The parts of a diagnosis. */
#ifndef ZF_EXPERIMENTS_DIAGNOSE_H
#define ZF_EXPERIMENTS_DIAGNOSE_H

#include "zf/diagnose.h"

/* ---- filters.c: what the weights tell. ---- */

/* RMS, bands, duplicates, dominating filters, and aliasing of the first layer. */
enum zf_status zf_diagnose_filters(const struct zf_net *net, struct zf_diagnosis *diagnosis,
                                   struct zf_error *err);

/* ---- firing.c: what the activations tell. ---- */

/* How often each map of each layer fires over the data, and which are dead and saturated. */
enum zf_status zf_diagnose_firing(const struct zf_net *net, const struct zf_data *data,
                                  const struct zf_top_options *options,
                                  struct zf_diagnosis *diagnosis, const struct zf_monitor *monitor,
                                  struct zf_error *err);

/* ---- verdict.c ---- */

/* Fill in the verdict of layer i. ZF_ENOMEM. */
enum zf_status zf_diagnose_verdict(struct zf_diagnosis *diagnosis, size_t i, const char *first,
                                   struct zf_error *err);

#endif
