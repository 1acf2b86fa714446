/* SPDX-License-Identifier: MIT */
/* What is taken for what, as a matrix: some classes with names and numbers, or all as pixels. */
#include "experiments/eval/eval.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/heat.h"

#define GAP 16
#define NAMES 200 /* px beside the rows */
#define HEAD 26   /* px above the columns */
#define WIDE 84   /* px of a cell, of few classes */
#define NARROW 34 /* and of many */
#define OVERVIEW                                                                                   \
    960 /* px that the matrix of all classes fills at least, and twice that at most                \
         */

static const struct zf_lettering name_letters = {10.0, {40, 42, 46}};

/* ---- Which classes. ---- */

/* Pictures that the class has to do with a mistake of; -1 = neither in the data nor answered. */
static int64_t involvement(const struct zf_class_count *class)
{
    return class->pictures + class->taken > 0 ? class->pictures + class->taken - 2 * class->right
                                              : -1;
}

size_t zf_matrix_choose(const struct zf_tally *tally, int32_t *classes, bool *whole)
{
    int64_t least[ZF_MATRIX_CLASSES]; /* involvement of those that are chosen */
    size_t count = 0, present = 0;

    for (int32_t k = 0; k < tally->classes; k++) {
        const int64_t own = involvement(&tally->by_class[k]);
        size_t lowest = 0, at;

        if (own < 0)
            continue;
        present++;
        for (size_t i = 1; count == ZF_MATRIX_CLASSES && i < count; i++)
            lowest = least[i] <= least[lowest] ? i : lowest; /* the later class of equal ones */
        if (count == ZF_MATRIX_CLASSES && own <= least[lowest])
            continue;
        if (count == ZF_MATRIX_CLASSES) {
            for (at = lowest; at + 1 < count; at++) {
                classes[at] = classes[at + 1];
                least[at] = least[at + 1];
            }
            count--;
        }
        classes[count] = k;
        least[count++] = own;
    }
    *whole = present == count;
    return count;
}

/* ---- A matrix to read. ---- */

struct matrix {
    const struct zf_net *net;
    const struct zf_tally *tally;
    const int32_t *classes;
    size_t count, columns; /* classes, and one more where they are not all */
    int64_t *pictures;     /* [count * columns] */
    struct zf_picture canvas;
    int64_t cell;
};

static enum zf_status fill(struct matrix *m, struct zf_error *err)
{
    int32_t *place = zf_alloc((size_t)m->tally->classes, sizeof *place); /* 0 = not shown */

    m->pictures = zf_alloc(m->count * m->columns, sizeof *m->pictures);
    if (!place || !m->pictures) {
        zf_free(place);
        return zf_no_memory(err, "a matrix of %zu classes", m->count);
    }
    for (size_t i = 0; i < m->count; i++) {
        place[m->classes[i]] = (int32_t)i + 1;
        m->pictures[i * m->columns + i] = m->tally->by_class[m->classes[i]].right;
    }
    for (size_t i = 0; i < m->tally->confusion_count; i++) {
        const struct zf_confusion *pair = &m->tally->confusions[i];
        const int32_t row = place[pair->label], column = place[pair->predicted];

        if (row > 0)
            m->pictures[(size_t)(row - 1) * m->columns +
                        (column > 0 ? (size_t)column - 1 : m->count)] += pair->pictures;
    }
    zf_free(place);
    return ZF_OK;
}

/* In the middle of a box that starts at `left`. */
static void write_centred(struct matrix *m, const char *text, int64_t left, int64_t top,
                          struct zf_rgb colour)
{
    const struct zf_lettering letters = {name_letters.height, colour};
    const double room = (double)m->cell - 4.0;
    const double width = fmin(zf_lettering_width(&letters, text), room);

    zf_canvas_text(&m->canvas, &letters, (double)left + ((double)m->cell - width) / 2.0,
                   (double)top, room + 2.0, text);
}

/* Names above the columns where they all fit, else the classes' numbers, which the rows have too.
 */
static void draw_heads(struct matrix *m)
{
    bool fit = true;
    char text[32];

    for (size_t i = 0; i < m->count; i++)
        fit = fit && zf_lettering_width(&name_letters, zf_net_label(m->net, m->classes[i])) <=
                         (double)m->cell - 6.0;
    for (size_t i = 0; i < m->columns; i++) {
        const int64_t left = GAP + NAMES + (int64_t)i * m->cell;

        if (i < m->count)
            snprintf(text, sizeof text, "%" PRId32, m->classes[i]);
        write_centred(m,
                      i == m->count ? "rest"
                      : fit         ? zf_net_label(m->net, m->classes[i])
                                    : text,
                      left, GAP + HEAD - 16, ZF_INK);
    }
}

static void draw_row(struct matrix *m, size_t row)
{
    const struct zf_class_count *class = &m->tally->by_class[m->classes[row]];
    const int64_t top = GAP + HEAD + (int64_t)row * m->cell, middle = top + m->cell / 2 - 5;
    char text[32];

    snprintf(text, sizeof text, "%" PRId32, m->classes[row]);
    zf_canvas_text(&m->canvas, &name_letters, GAP, (double)middle, 40.0, text);
    zf_canvas_text(&m->canvas, &name_letters, GAP + 40.0, (double)middle, NAMES - 48.0,
                   zf_net_label(m->net, m->classes[row]));
    for (size_t i = 0; i < m->columns; i++) {
        const int64_t pictures = m->pictures[row * m->columns + i];
        const double share = class->pictures > 0 ? (double)pictures / (double)class->pictures : 0.0;
        const struct zf_box box = {GAP + NAMES + (int64_t)i * m->cell, top, m->cell - 1,
                                   m->cell - 1};

        zf_canvas_fill(&m->canvas, box, pictures > 0 ? zf_heat_colour(share) : ZF_QUIET);
        snprintf(text, sizeof text, pictures < 10000 ? "%" PRId64 : "%" PRId64 "k",
                 pictures < 10000 ? pictures : (pictures + 500) / 1000);
        if (pictures > 0)
            write_centred(m, text, box.x, middle, share > 0.5 ? ZF_INK : ZF_PAPER);
        if (i == row)
            zf_canvas_frame(&m->canvas, box, 1, ZF_INK);
    }
}

enum zf_status zf_matrix_draw(const struct zf_net *net, const struct zf_tally *tally,
                              const int32_t *classes, size_t count, bool whole,
                              struct zf_picture *out, struct zf_error *err)
{
    struct matrix m = {
        .net = net, .tally = tally, .classes = classes, .count = count, .columns = count + !whole};
    enum zf_status status;

    m.cell = 800 / (int64_t)m.columns;
    m.cell = m.cell > WIDE ? WIDE : m.cell < NARROW ? NARROW : m.cell;
    ZF_TRY(fill(&m, err));
    ZF_TRY(zf_canvas_init(&m.canvas, 2 * GAP + NAMES + (int64_t)m.columns * m.cell,
                          2 * GAP + HEAD + (int64_t)count * m.cell, err));
    draw_heads(&m);
    for (size_t i = 0; i < count; i++)
        draw_row(&m, i);
    *out = m.canvas;
    m.canvas = (struct zf_picture){0};
fail:
    zf_picture_release(&m.canvas);
    zf_free(m.pictures);
    return status;
}

/* ---- All classes. ---- */

/* Small shares are what there is to see, so colours rise with their root. */
static struct zf_rgb overview_colour(int64_t pictures, int64_t of)
{
    return zf_heat_colour(0.12 + 0.88 * sqrt((double)pictures / (double)of));
}

enum zf_status zf_matrix_overview(const struct zf_tally *tally, struct zf_picture *out,
                                  struct zf_error *err)
{
    const int64_t n = tally->classes, joined = (n + 2 * OVERVIEW - 1) / (2 * OVERVIEW);
    const int64_t cells = (n + joined - 1) / joined;
    const int64_t side = cells < OVERVIEW ? OVERVIEW / cells : 1;

    ZF_CHECK(zf_canvas_init(out, cells * side, cells * side, err));
    zf_canvas_fill(out, zf_picture_box(out), ZF_QUIET);
    for (int64_t k = 0; k < n; k++) {
        const struct zf_class_count *class = &tally->by_class[k];
        const int64_t at = k / joined * side;

        if (class->pictures > 0)
            zf_canvas_fill(out, (struct zf_box){0, at, cells * side, side}, zf_heat_colour(0.0));
    }
    /* Of several that share a cell the commonest is drawn last. */
    for (size_t i = tally->confusion_count; i-- > 0;) {
        const struct zf_confusion *pair = &tally->confusions[i];

        zf_canvas_fill(out,
                       (struct zf_box){pair->predicted / joined * side, pair->label / joined * side,
                                       side, side},
                       overview_colour(pair->pictures, tally->by_class[pair->label].pictures));
    }
    for (int64_t k = 0; k < n; k++) {
        const struct zf_class_count *class = &tally->by_class[k];
        const int64_t at = k / joined * side;

        if (class->right > 0)
            zf_canvas_fill(out, (struct zf_box){at, at, side, side},
                           overview_colour(class->right, class->pictures));
    }
    return ZF_OK;
}
