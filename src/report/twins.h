/* SPDX-License-Identifier: MIT */
#ifndef ZF_REPORT_TWINS_H
#define ZF_REPORT_TWINS_H

#include "zf/compare.h"
#include "zf/document.h"

/* What a transfer's page says of pictures that the model had seen; nothing if none were looked
   for. */
enum zf_status zf_twins_add(const struct zf_transfer *transfer, struct zf_document *document,
                            struct zf_error *err);

#endif
