/* SPDX-License-Identifier: MIT */
/* Bytes as text, for formats whose metadata is text only: RFC 4648, section 4, with padding. */
#ifndef ZF_MODEL_BASE64_H
#define ZF_MODEL_BASE64_H

#include "zf/base.h"

/** NULL when memory is short; free with zf_free(). */
char *zf_base64_encode(const void *bytes, size_t size);

/** Decode into exactly `size` bytes; false when the text is anything else than that many. */
bool zf_base64_decode(const char *text, void *bytes, size_t size);

#endif
