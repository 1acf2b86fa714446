/* SPDX-License-Identifier: MIT */
/*
 * Einsum: sums of products, by letters. Two inputs at a time: with a constant matrix it is a
 * convolution of one cell, or a fully connected layer; sums over letters of two inputs are a matrix
 * product, without sums it is a product of spread inputs; and what has no partner is added up
 * first. The way down is that of these layers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "einsum.h"
#include "emit.h"
#include "operators.h"

#define LETTERS ((ZF_EINSUM_TERMS + 2) * ZF_ONNX_RANK + 1) /* of all terms one after the other */

/* A tensor and the letters of its axes. */
struct term {
    struct zf_operand value;
    char labels[ZF_ONNX_RANK + 1];
};

static bool has(const char *labels, char label)
{
    return strchr(labels, label) != NULL;
}

/* Letters one after the other; out [LETTERS]. */
static void string(char *out, const char *a, const char *b, const char *c)
{
    snprintf(out, LETTERS, "%s%s%s", a, b, c);
}

/* out [ZF_ONNX_RANK + 1] */
static void name_axes(char *out, const char *labels)
{
    const size_t length = strlen(labels) < ZF_ONNX_RANK ? strlen(labels) : ZF_ONNX_RANK;

    memcpy(out, labels, length);
    out[length] = '\0';
}

static int64_t extent_of(const struct term *term, char label)
{
    return term->value.dims[strchr(term->labels, label) - term->labels];
}

static int64_t extents_of(const struct term *term, const char *labels)
{
    int64_t count = 1;

    for (; *labels; labels++)
        count *= extent_of(term, *labels);
    return count;
}

/* The letters of `labels` that are, or are not, in `others`, behind those in out. */
static void pick(const char *labels, const char *others, bool wanted, char *out)
{
    size_t count = strlen(out);

    for (; *labels && count < ZF_ONNX_RANK; labels++)
        if (has(others, *labels) == wanted)
            out[count++] = *labels;
    out[count] = '\0';
}

/* Maps with their axes in this order; letters that they lack become axes of extent 1, and those
   that are left out are such. */
static void put_in_order(struct term *term, const char *labels)
{
    int64_t dims[ZF_ONNX_RANK];
    int order[ZF_ONNX_RANK], count = 0, rank = 0;

    for (const char *label = labels; *label; label++) {
        if (has(term->labels, *label))
            order[count++] = (int)(strchr(term->labels, *label) - term->labels);
        dims[rank++] = has(term->labels, *label) ? extent_of(term, *label) : 1;
    }
    for (const char *label = term->labels; *label; label++)
        if (!has(labels, *label))
            order[count++] = (int)(label - term->labels);
    zf_operand_transpose(&term->value, order);
    zf_operand_reshape(&term->value, rank, dims);
    name_axes(term->labels, labels);
}

static enum zf_status no_constant(struct zf_import_node *node, struct term *term)
{
    const struct zf_view view = zf_view_of(term->value.rank, term->value.dims);
    struct zf_operand filled;

    if (term->value.kind == ZF_OPERAND_MAPS)
        return ZF_OK;
    ZF_CHECK(zf_import_filled(node, "constant", &term->value, &view, &filled));
    term->value = filled;
    return ZF_OK;
}

/* ---- Sums ---- */

/* Letters that are not in `kept` are added up: by a convolution of ones. */
static enum zf_status add_up(struct zf_import_node *node, const char *part, struct term *term,
                             const char *kept)
{
    char left[ZF_ONNX_RANK + 1] = "", summed[ZF_ONNX_RANK + 1] = "";
    struct zf_view view = {{ZF_ROLE_C}};
    int64_t dims[ZF_ONNX_RANK], count;
    float *weight;
    int layer;

    pick(term->labels, kept, true, left);
    pick(term->labels, kept, false, summed);
    count = extents_of(term, summed);
    if (!*summed)
        return ZF_OK;
    ZF_CHECK(no_constant(node, term));
    if (count > 1) {
        for (int i = 0; i < term->value.rank; i++) {
            const bool gone = has(summed, term->labels[i]);

            view.role[i] = gone ? ZF_ROLE_C : ZF_ROLE_H;
            dims[i] = gone ? 1 : term->value.dims[i];
        }
        ZF_CHECK(zf_import_bring(node, "arrange", &term->value, &view));
        ZF_CHECK(zf_import_add(node, part, "conv", &term->value.layer, 1,
                               ZF_KEYS(ZF_KEY("maps", 1), ZF_KEY("kernel", 1)), &layer));
        weight = zf_import_room(node->import, count, sizeof *weight);
        if (!weight)
            return node->import->err->status;
        for (int64_t i = 0; i < count; i++)
            weight[i] = 1;
        zf_import_own(node->import, layer, weight, count, NULL, 0);
        zf_operand_place(&term->value, layer, term->value.rank, dims, &view);
    }
    put_in_order(term, left);
    return ZF_OK;
}

/* ---- Products ---- */

/* Number (n, k) of the matrix that a constant is: along its letters `rows` and `columns`. */
static double matrix_at(const struct term *term, const char *rows, int64_t n, const char *columns,
                        int64_t k)
{
    int64_t place = 0, stride = 1, at[ZF_ONNX_RANK];

    for (size_t i = strlen(rows); i-- > 0; n /= extent_of(term, rows[i]))
        at[strchr(term->labels, rows[i]) - term->labels] = n % extent_of(term, rows[i]);
    for (size_t i = strlen(columns); i-- > 0; k /= extent_of(term, columns[i]))
        at[strchr(term->labels, columns[i]) - term->labels] = k % extent_of(term, columns[i]);
    for (int i = term->value.rank; i-- > 0; stride *= term->value.dims[i])
        place += at[i] * stride;
    return zf_operand_at(&term->value, place);
}

/* Maps times a constant matrix, over the letters `summed`: these become the maps of a cell. */
static enum zf_status multiply_constant(struct zf_import_node *node, const char *part,
                                        struct term *a, const struct term *b, const char *summed,
                                        struct term *made)
{
    char rows[ZF_ONNX_RANK + 1] = "", left[ZF_ONNX_RANK + 1] = "", labels[LETTERS];
    int64_t dims[2 * ZF_ONNX_RANK] = {0}, inputs, outputs;
    struct zf_view view, after = {{ZF_ROLE_C}};
    bool fits = true;
    float *weight;
    int rank = 0, layer;

    pick(b->labels, summed, false, rows);
    pick(a->labels, summed, false, left);
    inputs = extents_of(a, summed);
    outputs = extents_of(b, rows);
    if (strlen(left) + strlen(rows) > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a product of more than %d dimensions",
                            ZF_ONNX_RANK);
    string(labels, left, rows, "");
    ZF_CHECK(zf_import_settle(node, &a->value, &view));
    for (int i = 0; i < a->value.rank; i++)
        fits = fits &&
               (a->value.dims[i] == 1 || has(summed, a->labels[i]) == (view.role[i] == ZF_ROLE_C));
    for (int i = 0; i < a->value.rank && !fits; i++)
        view.role[i] = has(summed, a->labels[i]) ? ZF_ROLE_C
                       : a->labels[i] == *left   ? ZF_ROLE_H
                                                 : ZF_ROLE_W;
    ZF_CHECK(zf_import_bring(node, "arrange", &a->value, &view));
    ZF_CHECK(zf_import_add(node, part, extents_of(a, left) == 1 ? "fc" : "conv", &a->value.layer, 1,
                           extents_of(a, left) == 1
                               ? ZF_KEYS(ZF_KEY("maps", outputs))
                               : ZF_KEYS(ZF_KEY("maps", outputs), ZF_KEY("kernel", 1)),
                           &layer));
    weight = zf_import_room(node->import, inputs * outputs, sizeof *weight);
    if (!weight)
        return node->import->err->status;
    zf_import_own(node->import, layer, weight, inputs * outputs, NULL, 0);
    for (int64_t n = 0; n < outputs; n++)
        for (int64_t k = 0; k < inputs; k++)
            weight[n * inputs + k] = (float)matrix_at(b, rows, n, summed, k);
    for (const char *label = labels; *label; label++, rank++) {
        const bool of_a = has(left, *label);

        dims[rank] = extent_of(of_a ? a : b, *label);
        after.role[rank] = of_a ? view.role[strchr(a->labels, *label) - a->labels] : ZF_ROLE_C;
    }
    name_axes(made->labels, labels);
    zf_operand_place(&made->value, layer, rank, dims, &after);
    return ZF_OK;
}

/* Maps times maps: a matrix for each of the letters that both have and the result keeps. */
static enum zf_status multiply_maps(struct zf_import_node *node, const char *part, struct term *a,
                                    struct term *b, const char *both, const char *summed,
                                    struct term *made)
{
    char rows[ZF_ONNX_RANK + 1] = "", columns[ZF_ONNX_RANK + 1] = "";
    char first[LETTERS], second[LETTERS], labels[LETTERS];
    const size_t batch = strlen(both);
    struct zf_view views[3] = {{{ZF_ROLE_C}}, {{ZF_ROLE_C}}, {{ZF_ROLE_C}}};
    int64_t dims[ZF_ONNX_RANK];
    int layer;

    pick(a->labels, b->labels, false, rows);
    pick(b->labels, a->labels, false, columns);
    string(first, both, rows, summed);
    string(second, both, summed, columns);
    string(labels, both, rows, columns);
    if (strlen(labels) > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a product of more than %d dimensions",
                            ZF_ONNX_RANK);
    for (size_t i = 0; labels[i]; i++)
        dims[i] = extent_of(has(a->labels, labels[i]) ? a : b, labels[i]);
    put_in_order(a, first);
    put_in_order(b, second);
    for (size_t i = batch; i < ZF_ONNX_RANK; i++) {
        views[0].role[i] = i < batch + strlen(rows) ? ZF_ROLE_H : ZF_ROLE_W;
        views[1].role[i] = i < batch + strlen(summed) ? ZF_ROLE_H : ZF_ROLE_W;
        views[2].role[i] = views[0].role[i];
    }
    ZF_CHECK(zf_import_bring(node, "first", &a->value, &views[0]));
    ZF_CHECK(zf_import_bring(node, "second", &b->value, &views[1]));
    ZF_CHECK(zf_import_add(node, part, "matmul", (const int[]){a->value.layer, b->value.layer}, 2,
                           NULL, &layer));
    name_axes(made->labels, labels);
    zf_operand_place(&made->value, layer, (int)strlen(labels), dims, &views[2]);
    return ZF_OK;
}

/* Two terms as one that has the letters of `kept`. */
static enum zf_status join(struct zf_import_node *node, const char *part, struct term *a,
                           struct term *b, const char *kept, struct term *made)
{
    char shared[ZF_ONNX_RANK + 1] = "", both[ZF_ONNX_RANK + 1] = "", summed[ZF_ONNX_RANK + 1] = "";
    char labels[LETTERS], of_a[LETTERS], of_b[LETTERS], all[ZF_ONNX_RANK + 1] = "";
    bool matrix;

    for (const char *label = a->labels; *label; label++)
        if (has(b->labels, *label) && extent_of(a, *label) != extent_of(b, *label))
            return zf_node_fail(node, ZF_EUNSUPPORTED, "\"%c\" is %" PRId64 " and %" PRId64, *label,
                                extent_of(a, *label), extent_of(b, *label));
    string(of_b, kept, b->labels, "");
    ZF_CHECK(add_up(node, "sum1", a, of_b));
    string(of_a, kept, a->labels, "");
    ZF_CHECK(add_up(node, "sum2", b, of_a));
    pick(a->labels, b->labels, true, shared);
    pick(shared, kept, true, both);
    pick(shared, kept, false, summed);
    if (!*summed) {
        string(labels, a->labels, b->labels, "");
        pick(kept, labels, true, all);
        ZF_CHECK(no_constant(node, a));
        ZF_CHECK(no_constant(node, b));
        put_in_order(a, all);
        put_in_order(b, all);
        name_axes(made->labels, all);
        return zf_combine_maps(node, ZF_PRODUCT, part, &a->value, &b->value, &made->value);
    }
    matrix = extents_of(a, both) == 1;
    for (int k = 0; k < 2 && matrix; k++) {
        struct term *maps = k == 0 ? a : b, *constant = k == 0 ? b : a;

        if (constant->value.kind != ZF_OPERAND_FLOATS || maps->value.kind != ZF_OPERAND_MAPS)
            continue;
        if (*both) { /* of extent 1, and the maps have them */
            struct term plain = *constant;
            int rank = 0;

            for (int i = 0; i < constant->value.rank; i++) {
                if (has(both, constant->labels[i]))
                    continue;
                plain.labels[rank] = constant->labels[i];
                plain.value.dims[rank++] = constant->value.dims[i];
            }
            plain.labels[rank] = '\0';
            plain.value.rank = rank;
            return multiply_constant(node, part, maps, &plain, summed, made);
        }
        return multiply_constant(node, part, maps, constant, summed, made);
    }
    ZF_CHECK(no_constant(node, a));
    ZF_CHECK(no_constant(node, b));
    return multiply_maps(node, part, a, b, both, summed, made);
}

static enum zf_status translate_einsum(struct zf_import_node *node)
{
    char kept[LETTERS];
    struct zf_equation equation;
    struct term term, next, made;
    struct zf_operand *in = NULL;
    bool layered = false;

    ZF_CHECK(zf_einsum_read(node, &equation));
    ZF_CHECK(zf_node_input(node, 0, &in));
    term.value = *in;
    name_axes(term.labels, equation.terms[0]);
    for (int i = 1; i < equation.count; i++) {
        name_axes(kept, equation.made);
        for (int k = i + 1; k < equation.count; k++)
            snprintf(kept + strlen(kept), LETTERS - strlen(kept), "%s", equation.terms[k]);
        ZF_CHECK(zf_node_input(node, i, &in));
        next.value = *in;
        name_axes(next.labels, equation.terms[i]);
        ZF_CHECK(join(node, i + 1 == equation.count ? NULL : "next", &term, &next, kept, &made));
        term = made;
        layered = true;
    }
    if (!layered) {
        const int before = term.value.layer;

        ZF_CHECK(add_up(node, NULL, &term, equation.made));
        layered = term.value.layer != before;
    }
    put_in_order(&term, equation.made);
    return layered ? zf_import_output(node, &term.value) : zf_import_alias(node, &term.value);
}

/* ---- Constants ---- */

/* The output's cells, each a sum over all the other letters. */
static enum zf_status fold_einsum(struct zf_import_node *node)
{
    char all[2 * ZF_ONNX_RANK + 1] = "";
    int64_t extents[2 * ZF_ONNX_RANK] = {0}, total = 1, outside = 1;
    struct zf_operand *in[ZF_EINSUM_TERMS] = {0}, made = {0};
    struct zf_equation equation;
    enum zf_status status;
    size_t count;

    ZF_TRY(zf_einsum_read(node, &equation));
    snprintf(all, sizeof all, "%s", equation.made);
    for (int k = 0; k < equation.count; k++) {
        ZF_TRY(zf_node_input(node, k, &in[k]));
        for (int i = 0; i < in[k]->rank; i++) {
            const char label = equation.terms[k][i];

            count = strlen(all);
            if (!has(all, label) && count == 2 * ZF_ONNX_RANK)
                return zf_node_fail(node, ZF_EUNSUPPORTED, "more than %d letters",
                                    2 * ZF_ONNX_RANK);
            if (!has(all, label))
                all[count] = label;
            if (extents[strchr(all, label) - all] > 0 &&
                extents[strchr(all, label) - all] != in[k]->dims[i])
                return zf_node_fail(node, ZF_EUNSUPPORTED, "\"%c\" with two extents", label);
            extents[strchr(all, label) - all] = in[k]->dims[i];
        }
    }
    count = strlen(all);
    for (size_t i = 0; i < count; i++)
        if (!zf_mul3(total, extents[i], 1, &total))
            return zf_node_fail(node, ZF_EINPUT, "a sum that is too large");
    for (size_t i = strlen(equation.made); i < count; i++)
        outside *= extents[i];
    ZF_TRY(zf_import_work(node->import, total));
    ZF_TRY(zf_fold_make(node, in[0]->kind, (int)strlen(equation.made), extents, &made));
    for (int64_t cell = 0; cell < zf_operand_count(&made); cell++) {
        double sum = 0;

        for (int64_t inner = 0; inner < outside; inner++) {
            int64_t left = cell * outside + inner, at[2 * ZF_ONNX_RANK];
            double product = 1;

            for (size_t i = count; i-- > 0; left /= extents[i])
                at[i] = left % extents[i];
            for (int k = 0; k < equation.count; k++) {
                int64_t place = 0;

                for (int i = 0; i < in[k]->rank; i++)
                    place = place * in[k]->dims[i] + at[strchr(all, equation.terms[k][i]) - all];
                product *= zf_operand_at(in[k], place);
            }
            sum += product;
        }
        ZF_TRY(zf_fold_set(node, &made, cell, sum));
    }
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}

const struct zf_operator zf_operators_einsum[] = {
    {"Einsum", fold_einsum, translate_einsum},
    {NULL, NULL, NULL},
};
