/* SPDX-License-Identifier: MIT */
/* Fields of CSV files (RFC 4180). */
#ifndef ZF_BASE_CSV_H
#define ZF_BASE_CSV_H

#include <stdio.h>

/* A text as one field, in quotes where it has a comma, a quote or an end of line. */
void zf_csv_text(FILE *stream, const char *text);

#endif
