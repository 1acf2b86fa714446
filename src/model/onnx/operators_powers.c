/* SPDX-License-Identifier: MIT */
/* The p-th root of the sum of |x|^p over each map. */
#include <math.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

static enum zf_status apply(struct zf_import_node *node, const char *part, const char *type,
                            const struct zf_key *keys, int *layer)
{
    return zf_import_add(node, part, type, layer, 1, keys, layer);
}

/* |x|^p; of even powers the sign goes by itself. */
static enum zf_status raise(struct zf_import_node *node, double p, int *layer)
{
    if (fmod(p, 2) != 0)
        ZF_CHECK(apply(node, "abs", "function",
                       ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "abs"))), layer));
    return p == 1 ? ZF_OK : apply(node, "power", "power", ZF_KEYS(ZF_KEY("exponent", p)), layer);
}

/* A sum is a mean times how many there are, and its root is that of both. */
static enum zf_status translate_global(struct zf_import_node *node)
{
    const double p = (double)zf_node_integer(node, "p", 2);
    struct zf_operand *src = NULL, made;
    struct zf_shape shape;

    if (!(p >= 1 && p <= 64))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a power of %g; 1 to 64 are read", p);
    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_import_settle_plain(node, src));
    shape = zf_import_shape(node->import, src->layer);
    made = *src;
    ZF_CHECK(raise(node, p, &made.layer));
    ZF_CHECK(apply(node, "mean", "avgpool", ZF_KEYS(ZF_KEY_ALL("kernel")), &made.layer));
    if (p != 1)
        ZF_CHECK(apply(node, "root", "power", ZF_KEYS(ZF_KEY("exponent", 1 / p)), &made.layer));
    zf_operand_plain(&made, made.layer, zf_import_shape(node->import, made.layer));
    return zf_import_linear(node, &made, pow((double)(shape.h * shape.w), 1 / p), 0);
}

const struct zf_operator zf_operators_powers[] = {
    {"GlobalLpPool", NULL, translate_global},
    {NULL, NULL, NULL},
};
