/* SPDX-License-Identifier: MIT */
/* An evaluation as a document: page.c the whole of it, matrix.c the figure of what is taken for
   what, cases.c the pictures, tables.c the CSV files. */
#ifndef ZF_EXPERIMENTS_EVAL_H
#define ZF_EXPERIMENTS_EVAL_H

#include "zf/evaluation.h"

/* ---- matrix.c ---- */

#define ZF_MATRIX_CLASSES 32 /* of a matrix whose numbers can be read */

/**
 * Classes of the data or of the answers, in their order: all where they are at most
 * ZF_MATRIX_CLASSES, else that many which are involved in most mistakes.
 *
 * classes  [ZF_MATRIX_CLASSES], written
 * whole    whether they are all
 *
 * Returns how many; 0 when memory is short, as there is always one.
 */
size_t zf_matrix_choose(const struct zf_tally *tally, int32_t *classes, bool *whole);

/**
 * A row for each true class, a column for each answer; colours are shares of the row, numbers are
 * pictures. Where the classes are not all, a last column has what was taken for others.
 */
enum zf_status zf_matrix_draw(const struct zf_net *net, const struct zf_tally *tally,
                              const int32_t *classes, size_t count, bool whole,
                              struct zf_picture *out, struct zf_error *err);

/* All classes, in their order, at a pixel or more each; colours are shares of the row. */
enum zf_status zf_matrix_overview(const struct zf_tally *tally, struct zf_picture *out,
                                  struct zf_error *err);

/* ---- cases.c ---- */

/* Cases as one picture with a panel each. */
enum zf_status zf_cases_show(const struct zf_evaluation *evaluation, const struct zf_case *cases,
                             size_t count, const char *file, const char *caption,
                             struct zf_document *document, struct zf_error *err);

/* And of the most confident mistakes, what speaks for the wrong answer. */
enum zf_status zf_cases_explain(const struct zf_evaluation *evaluation,
                                struct zf_document *document, struct zf_error *err);

/* ---- tables.c ---- */

enum zf_status zf_evaluation_tables(const struct zf_evaluation *evaluation, struct zf_error *err);

#endif
