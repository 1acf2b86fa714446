/* SPDX-License-Identifier: MIT */
/*
 * Comparisons, logic and choices by numbers of the picture. What is true is a map of ones and
 * zeros: a > b is the rectified sign of a - b, and Where(c, a, b) is c a + (1 - c) b, in which one
 * of both terms is zero. So on the way down a choice passes the signal to what was chosen, and
 * nothing to what chose: the derivative, under every rule.
 */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "emit.h"
#include "operators.h"

/* ---- Layers on maps, or on constants and maps ---- */

static enum zf_status apply(struct zf_import_node *node, const char *part, const char *type,
                            const struct zf_key *keys, struct zf_operand *maps)
{
    return zf_import_add(node, part, type, &maps->layer, 1, keys, &maps->layer);
}

static enum zf_status apply_function(struct zf_import_node *node, const char *part,
                                     const char *function, struct zf_operand *maps)
{
    return apply(node, part, "function",
                 ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", function))), maps);
}

/* 1 - maps, as the node's output or, with a part, in place. */
static enum zf_status opposite(struct zf_import_node *node, const char *part,
                               struct zf_operand *maps)
{
    static const float one = 1;
    struct zf_operand constant = {.kind = ZF_OPERAND_FLOATS, .floats = &one}, made;

    ZF_CHECK(zf_combine_maps(node, ZF_DIFFERENCE, part, &constant, maps, &made));
    *maps = made;
    return part ? ZF_OK : zf_import_output(node, &made);
}

/* ---- Comparisons ---- */

static bool is_zero(const struct zf_operand *value)
{
    return zf_operand_is_constant(value) && zf_operand_count(value) == 1 &&
           zf_operand_at(value, 0) == 0;
}

/* The sign of a - b or of b - a, ties being 0. */
static enum zf_status sign_of(struct zf_import_node *node, bool swapped, struct zf_operand *made)
{
    struct zf_operand *a = NULL, *b = NULL;

    ZF_CHECK(zf_node_input(node, swapped, &a));
    ZF_CHECK(zf_node_input(node, !swapped, &b));
    *made = *a;
    if (!is_zero(b))
        ZF_CHECK(zf_combine_maps(node, ZF_DIFFERENCE, "difference", a, b, made));
    return apply_function(node, "sign", "sign", made);
}

static enum zf_status translate_greater(struct zf_import_node *node)
{
    struct zf_operand made;

    ZF_CHECK(sign_of(node, strcmp(node->proto->op_type, "Less") == 0, &made));
    ZF_CHECK(apply(node, NULL, "relu", NULL, &made));
    return zf_import_output(node, &made);
}

/* Not the other way round. */
static enum zf_status translate_or_equal(struct zf_import_node *node)
{
    struct zf_operand made;

    ZF_CHECK(sign_of(node, strcmp(node->proto->op_type, "GreaterOrEqual") == 0, &made));
    ZF_CHECK(apply(node, "beyond", "relu", NULL, &made));
    return opposite(node, NULL, &made);
}

static enum zf_status translate_equal(struct zf_import_node *node)
{
    struct zf_operand made;

    ZF_CHECK(sign_of(node, false, &made));
    ZF_CHECK(apply_function(node, "apart", "abs", &made));
    return opposite(node, NULL, &made);
}

/* ---- Logic ---- */

static enum zf_status translate_not(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, made;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    made = *src;
    return opposite(node, NULL, &made);
}

/* Of ones and zeros: their product, the larger, or how far they are apart. */
static enum zf_status translate_logic(struct zf_import_node *node)
{
    const char *op = node->proto->op_type;
    const bool both = strcmp(op, "And") == 0, either = strcmp(op, "Or") == 0;
    struct zf_operand *a = NULL, *b = NULL, made;

    ZF_CHECK(zf_node_input(node, 0, &a));
    ZF_CHECK(zf_node_input(node, 1, &b));
    ZF_CHECK(zf_combine_maps(node,
                             both     ? ZF_PRODUCT
                             : either ? ZF_LARGER
                                      : ZF_DIFFERENCE,
                             both || either ? NULL : "difference", a, b, &made));
    if (!both && !either)
        ZF_CHECK(apply_function(node, NULL, "abs", &made));
    return zf_import_output(node, &made);
}

/* ---- Choices ---- */

/* One side where a constant condition takes it, and 0 elsewhere, whatever stood there (minus
   infinity, say): numbers as they are, and of maps what they are multiplied by. */
static enum zf_status keep_taken(struct zf_import_node *node, struct zf_operand *condition,
                                 bool wanted, struct zf_operand *side, struct zf_operand *taken)
{
    static const float numbers[2] = {0, 1};
    struct zf_operand zero = {.kind = ZF_OPERAND_FLOATS, .floats = &numbers[0]};
    struct zf_operand one = {.kind = ZF_OPERAND_FLOATS, .floats = &numbers[1]};
    struct zf_operand *kept = zf_operand_is_constant(side) ? side : &one;
    struct zf_import_node choice = *node;

    choice.in[0] = condition;
    choice.in[1] = wanted ? kept : &zero;
    choice.in[2] = wanted ? &zero : kept;
    return zf_fold_combined(&choice, taken);
}

/* The choice's share of one side: condition * side, or (1 - condition) * side. *owned is what the
   caller is to release. */
static enum zf_status share(struct zf_import_node *node, bool wanted, struct zf_operand *side,
                            struct zf_operand *owned, struct zf_operand *made)
{
    const char *part = wanted ? "then" : "else";
    struct zf_operand gate = *node->in[0];

    if (zf_operand_is_constant(&gate)) {
        ZF_CHECK(keep_taken(node, node->in[0], wanted, side, owned));
        gate = *made = *owned;
        if (zf_operand_is_constant(side))
            return ZF_OK;
    } else if (!wanted) {
        ZF_CHECK(opposite(node, "otherwise", &gate));
    }
    return zf_combine_maps(node, ZF_PRODUCT, part, side, &gate, made);
}

static enum zf_status translate_where(struct zf_import_node *node)
{
    struct zf_operand *in[3], owned[2] = {{0}}, shares[2], made;
    enum zf_status status;

    for (int i = 0; i < 3; i++)
        ZF_TRY(zf_node_input(node, i, &in[i]));
    for (int i = 0; i < 2; i++)
        ZF_TRY(share(node, i == 0, in[1 + i], &owned[i], &shares[i]));
    ZF_TRY(zf_combine_maps(node, ZF_SUM, NULL, &shares[0], &shares[1], &made));
    ZF_TRY(zf_import_output(node, &made));
fail:
    zf_operand_release(&owned[0]);
    zf_operand_release(&owned[1]);
    return status;
}

const struct zf_operator zf_operators_choose[] = {
    {"Equal", zf_fold_arithmetic, translate_equal},
    {"Less", zf_fold_arithmetic, translate_greater},
    {"Greater", zf_fold_arithmetic, translate_greater},
    {"LessOrEqual", zf_fold_arithmetic, translate_or_equal},
    {"GreaterOrEqual", zf_fold_arithmetic, translate_or_equal},
    {"And", zf_fold_arithmetic, translate_logic},
    {"Or", zf_fold_arithmetic, translate_logic},
    {"Xor", zf_fold_arithmetic, translate_logic},
    {"Not", zf_fold_function, translate_not},
    {"Where", zf_fold_arithmetic, translate_where},
    {NULL, NULL, NULL},
};
