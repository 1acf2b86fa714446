/* SPDX-License-Identifier: MIT */
#include "einsum.h"

#include <ctype.h>
#include <string.h>

#include "base/status.h"

/* The equation without spaces, as text that ends. */
static enum zf_status read_text(const struct zf_import_node *node, char *text, size_t size)
{
    const Onnx__AttributeProto *said = zf_node_attribute(node, "equation");
    size_t length = 0;

    for (size_t i = 0; said && i < said->s.len; i++) {
        const char c = (char)said->s.data[i];

        if (isspace((unsigned char)c))
            continue;
        if (length + 1 == size || !(isalpha((unsigned char)c) || strchr(".,->", c)) || c == '\0')
            return zf_node_fail(node, ZF_EINPUT, "an equation that is none");
        text[length++] = c;
    }
    text[length] = '\0';
    return length > 0 ? ZF_OK : zf_node_fail(node, ZF_EINPUT, "it has no equation");
}

/* One term: letters, and a digit for each of `spread` axes in place of "...". */
static bool expand(const char *text, size_t length, int spread, char *out)
{
    int count = 0;

    for (size_t i = 0; i < length; i++) {
        const bool dots = text[i] == '.';

        if (dots && (i + 2 >= length || text[i + 1] != '.' || text[i + 2] != '.'))
            return false;
        if (!dots && !isalpha((unsigned char)text[i]))
            return false;
        if (count + (dots ? spread : 1) > ZF_ONNX_RANK)
            return false;
        for (int k = 0; dots && k < spread; k++)
            out[count++] = (char)('0' + k);
        if (!dots)
            out[count++] = text[i];
        i += dots ? 2 : 0;
    }
    out[count] = '\0';
    return true;
}

static int letters_of(const char *text, size_t length)
{
    int count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] != '.';
    return count;
}

static bool has_twice(const char *labels)
{
    for (; *labels; labels++)
        if (strchr(labels + 1, *labels))
            return true;
    return false;
}

/* Without "->": the axes of "...", then each letter that stands once, in the alphabet's order. */
static bool imply(struct zf_equation *equation, int spread)
{
    int count = 0;

    for (int k = 0; k < spread; k++)
        equation->made[count++] = (char)('0' + k);
    for (char letter = 'A'; letter <= 'z'; letter++) {
        int seen = 0;

        for (int i = 0; isalpha((unsigned char)letter) && i < equation->count; i++)
            seen += strchr(equation->terms[i], letter) != NULL;
        if (seen == 1 && count == ZF_ONNX_RANK)
            return false;
        if (seen == 1)
            equation->made[count++] = letter;
    }
    equation->made[count] = '\0';
    return true;
}

/* Each axis of the output is one of an input's. */
static bool is_made_of_inputs(const struct zf_equation *equation)
{
    for (const char *label = equation->made; *label; label++) {
        bool found = false;

        for (int i = 0; i < equation->count; i++)
            found = found || strchr(equation->terms[i], *label);
        if (!found)
            return false;
    }
    return true;
}

enum zf_status zf_einsum_read(const struct zf_import_node *node, struct zf_equation *equation)
{
    char text[128];
    const char *at = text, *arrow;
    int spread = 0;
    bool fits = true;

    ZF_CHECK(read_text(node, text, sizeof text));
    arrow = strstr(text, "->");
    *equation = (struct zf_equation){.count = node->in_count};
    if (node->in_count < 1 || node->in_count > ZF_EINSUM_TERMS)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%d inputs", node->in_count);
    for (int i = 0; i < node->in_count && fits; i++) {
        const size_t length = strcspn(at, i + 1 < node->in_count ? "," : "-");
        struct zf_operand *in = NULL;
        int rest;

        ZF_CHECK(zf_node_input(node, i, &in));
        rest = in->rank - letters_of(at, length);
        fits = expand(at, length, rest, equation->terms[i]) && rest >= 0 &&
               (int)strlen(equation->terms[i]) == in->rank &&
               (i + 1 == node->in_count || at[length] == ',');
        if (fits && memchr(at, '.', length) && rest > 0 && spread > 0 && spread != rest)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "\"...\" for %d axes and for %d", spread,
                                rest);
        spread = rest > spread ? rest : spread;
        at += length + (i + 1 < node->in_count);
    }
    fits = fits && at == (arrow ? arrow : text + strlen(text));
    fits = fits && (arrow ? expand(arrow + 2, strlen(arrow + 2), spread, equation->made)
                          : imply(equation, spread));
    if (!fits || has_twice(equation->made) || !is_made_of_inputs(equation))
        return zf_node_fail(node, ZF_EINPUT, "its equation \"%s\" does not fit its inputs", text);
    for (int i = 0; i < equation->count; i++)
        if (has_twice(equation->terms[i]))
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a diagonal, in its equation \"%s\"", text);
    return ZF_OK;
}
