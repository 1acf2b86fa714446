/* SPDX-License-Identifier: MIT */
#include "page/chart.h"

#include <math.h>
#include <string.h>

#include "page/text.h"

#define FONT 12.5  /* px */
#define TITLE 14.5 /* px */
#define ROW 18.0   /* px, a line of text */
#define PLOT_HEIGHT 190.0
#define MARGIN 12.0
#define TICK 5.0
#define LONGEST_CATEGORY 130.0 /* px: the rest of an angled label is cut off */
#define DIAGONAL 0.71          /* width of a label at 45 degrees, as a share of its length */
#define TITLE_LINES 3

double zf_text_width(const char *text, double size)
{
    double width = 0;

    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if ((c & 0xc0) != 0x80)
            width += c >= 0xe3 ? 1.0 : 0.6; /* from U+3000 on, letters are square */
    }
    return width * size;
}

bool zf_frame_takes(const struct zf_chart *chart, const struct zf_series *series, size_t i)
{
    if (!zf_axis_takes(series->y[i]))
        return false;
    if (chart->kind == ZF_CHART_BARS)
        return i < chart->category_count;
    return zf_axis_takes(series->x[i]) && (!chart->log_x || series->x[i] > 0);
}

double zf_frame_x(const struct zf_frame *frame, double value)
{
    return frame->left + zf_axis_place(&frame->x, value) * (frame->right - frame->left);
}

double zf_frame_y(const struct zf_frame *frame, double value)
{
    return frame->bottom - zf_axis_place(&frame->y, value) * (frame->bottom - frame->top);
}

/* ---- Fitting. ---- */

struct range {
    double low, high; /* low > high: empty */
    bool whole;       /* all values are whole numbers */
};

static const struct range empty_range = {INFINITY, -INFINITY, true};

static void extend(struct range *range, double value)
{
    if (!zf_axis_takes(value))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
    range->whole = range->whole && value == round(value);
}

static void find_ranges(const struct zf_chart *chart, struct range *x, struct range *y)
{
    *x = *y = empty_range;
    for (size_t s = 0; s < chart->series_count; s++) {
        const struct zf_series *series = &chart->series[s];

        for (size_t i = 0; i < series->count; i++) {
            const double reach = series->deviation && zf_axis_takes(series->deviation[i])
                                     ? fabs(series->deviation[i])
                                     : 0;

            if (!zf_frame_takes(chart, series, i))
                continue;
            if (chart->kind != ZF_CHART_BARS)
                extend(x, series->x[i]);
            extend(y, series->y[i] - reach);
            extend(y, series->y[i] + reach);
        }
    }
    if (x->low > x->high)
        *x = (struct range){chart->log_x ? 1 : 0, chart->log_x ? 10 : 1, false};
    if (y->low > y->high)
        *y = (struct range){0, 1, false};
    if (chart->from_zero || chart->kind == ZF_CHART_BARS)
        extend(y, 0);
    if (y->low == 0 && y->high == 0) /* nothing at all is not less than nothing either */
        y->high = 1;
}

static double widest_tick(const struct zf_axis *axis)
{
    double widest = 0;

    for (size_t i = 0; i < axis->tick_count; i++)
        widest = fmax(widest, zf_text_width(axis->ticks[i].label, FONT));
    return widest;
}

/* As many ticks as have room for their labels. */
static void fit_x(struct zf_frame *frame, struct range range)
{
    const struct zf_chart *chart = frame->chart;
    const double width = frame->right - frame->left;
    const bool points = chart->kind == ZF_CHART_POINTS;

    for (size_t most = 9; most >= 3; most--) {
        if (chart->log_x)
            zf_axis_log(&frame->x, range.low, range.high, most);
        else
            zf_axis_linear(&frame->x, range.low, range.high, most, points, range.whole);
        if ((widest_tick(&frame->x) + FONT) * (double)frame->x.tick_count <= width + FONT)
            break;
    }
}

/* Labels of categories stand upright where they fit, else at an angle; of very many, some. Returns
   the height they take. */
static double fit_categories(struct zf_frame *frame)
{
    const struct zf_chart *chart = frame->chart;
    const size_t count = chart->category_count ? chart->category_count : 1;
    double slot = (frame->right - frame->left) / (double)count, widest = 0;

    frame->x = (struct zf_axis){.low = -0.5, .high = (double)count - 0.5};
    for (size_t i = 0; i < chart->category_count; i++)
        widest = fmax(widest, zf_text_width(chart->categories[i], FONT));
    frame->angled = widest + 6 > slot;
    if (!frame->angled)
        return ROW;
    widest = fmin(widest, LONGEST_CATEGORY) * DIAGONAL;
    frame->left = fmax(frame->left, widest + FONT - slot / 2);
    slot = (frame->right - frame->left) / (double)count;
    frame->every = (size_t)ceil((FONT + 4) / slot);
    return widest + ROW;
}

/* Breaks between words; calls `write` (may be NULL) for each line. Returns the number of lines. */
static size_t wrap(FILE *stream, const char *text, double y)
{
    size_t lines = 0;

    while (*text && lines < TITLE_LINES) {
        char line[256] = "";
        size_t length = 0, end = 0;

        while (text[end] && end < sizeof line - 1) {
            memcpy(line, text, end + 1);
            line[end + 1] = '\0';
            if (zf_text_width(line, TITLE) > ZF_CHART_WIDTH - 2 * MARGIN && length > 0)
                break;
            end++;
            if (text[end] == ' ' || text[end] == '\0')
                length = end;
        }
        length = length ? length : end;
        while (length > 1 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
        memcpy(line, text, length);
        line[length] = '\0';
        text += length;
        while (*text == ' ')
            text++;
        if (stream) {
            fprintf(stream, "<text class=\"zf-title\" x=\"%.1f\" y=\"%.1f\">", MARGIN,
                    y + ROW * (double)lines);
            zf_text_html(stream, line);
            fputs("</text>\n", stream);
        }
        lines++;
    }
    return lines;
}

static bool has_legend(const struct zf_chart *chart)
{
    for (size_t s = 0; s < chart->series_count; s++) {
        if (chart->series[s].name)
            return true;
    }
    return false;
}

/* Names in rows; returns the height. */
static double legend(FILE *stream, const struct zf_chart *chart, double y)
{
    double x = MARGIN, top = y;

    if (!has_legend(chart))
        return 0;
    for (size_t s = 0; s < chart->series_count; s++) {
        const char *name = chart->series[s].name;
        const double width = 24 + zf_text_width(name ? name : "", FONT);

        if (!name)
            continue;
        if (x > MARGIN && x + width > ZF_CHART_WIDTH - MARGIN) {
            x = MARGIN;
            y += ROW;
        }
        if (stream) {
            fprintf(stream, "<g class=\"zf-s%zu\">", s % ZF_CHART_SERIES);
            if (chart->kind == ZF_CHART_BARS)
                fprintf(stream,
                        "<rect class=\"zf-bar\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"10\"/>",
                        x, y - 9);
            if (chart->kind == ZF_CHART_LINES)
                fprintf(stream, "<path class=\"zf-line\" d=\"M%.1f %.1fh18\"/>", x, y - 4);
            if (chart->kind != ZF_CHART_BARS)
                zf_marker_write(stream, s, x + 9, y - 4);
            fprintf(stream, "</g><text x=\"%.1f\" y=\"%.1f\">", x + 22, y);
            zf_text_html(stream, name);
            fputs("</text>\n", stream);
        }
        x += width + 14;
    }
    return y - top + ROW + 4;
}

void zf_frame_fit(struct zf_frame *frame, const struct zf_chart *chart)
{
    struct range x, y;
    double below = ROW;

    *frame = (struct zf_frame){.chart = chart, .every = 1};
    find_ranges(chart, &x, &y);
    zf_axis_linear(&frame->y, y.low, y.high, 7, true, y.whole);
    frame->left = MARGIN + widest_tick(&frame->y) + TICK + 3;
    frame->right = ZF_CHART_WIDTH - MARGIN - 4;
    frame->top = MARGIN + (chart->title ? ROW * (double)wrap(NULL, chart->title, 0) + 4 : 0) +
                 legend(NULL, chart, 0) + (chart->y_label ? ROW + 4 : 4);
    frame->bottom = frame->top + PLOT_HEIGHT;
    if (chart->kind == ZF_CHART_BARS)
        below = fit_categories(frame);
    else
        fit_x(frame, x);
    frame->height = frame->bottom + TICK + below + (chart->x_label ? ROW : 0) + 8;
}

/* ---- Drawing. ---- */

void zf_marker_write(FILE *stream, size_t series, double x, double y)
{
    switch (series % 4) {
    case 0:
        fprintf(stream, "<circle class=\"zf-mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", x, y);
        break;
    case 1:
        fprintf(stream, "<path class=\"zf-mark\" d=\"M%.1f %.1fh6.4v6.4h-6.4z\"/>", x - 3.2,
                y - 3.2);
        break;
    case 2:
        fprintf(stream, "<path class=\"zf-mark\" d=\"M%.1f %.1fl4.2 7.2h-8.4z\"/>", x, y - 4.5);
        break;
    default:
        fprintf(stream, "<path class=\"zf-mark\" d=\"M%.1f %.1fl4.4 4.4-4.4 4.4-4.4-4.4z\"/>", x,
                y - 4.4);
        break;
    }
}

static void write_y_axis(FILE *stream, const struct zf_frame *frame)
{
    fputs("<g class=\"zf-grid\" stroke=\"#888\">", stream);
    for (size_t i = 0; i < frame->y.tick_count; i++)
        fprintf(stream, "<path d=\"M%.1f %.1fH%.1f\"/>", frame->left,
                zf_frame_y(frame, frame->y.ticks[i].value), frame->right);
    fputs("</g>\n<g class=\"zf-labels\" text-anchor=\"end\">", stream);
    for (size_t i = 0; i < frame->y.tick_count; i++)
        fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", frame->left - TICK - 2,
                zf_frame_y(frame, frame->y.ticks[i].value) + 4, frame->y.ticks[i].label);
    fputs("</g>\n", stream);
}

static bool within_character(const char *text)
{
    return ((unsigned char)*text & 0xc0) == 0x80;
}

/* The name, or as much of its beginning as an angled label has room for. */
static void clip(char *text, size_t size, const char *name)
{
    size_t length = strlen(name);

    snprintf(text, size, "%s", name);
    while (length > 0 && (length + 4 > size || zf_text_width(text, FONT) > LONGEST_CATEGORY)) {
        do
            length--;
        while (length > 0 && within_character(name + length));
        if (length + 4 <= size)
            snprintf(text, size, "%.*s…", (int)length, name);
    }
}

static void write_category(FILE *stream, const struct zf_frame *frame, size_t i)
{
    const char *name = frame->chart->categories[i];
    const double x = zf_frame_x(frame, (double)i), y = frame->bottom + TICK + 12;
    char text[128];

    if (!frame->angled) {
        fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\">", x, y);
        zf_text_html(stream, name);
        fputs("</text>", stream);
        return;
    }
    clip(text, sizeof text, name);
    fprintf(stream, "<text transform=\"translate(%.1f %.1f) rotate(-45)\">", x + 4, y - 4);
    zf_text_html(stream, text);
    fputs("</text>", stream);
}

static void write_x_axis(FILE *stream, const struct zf_frame *frame)
{
    const bool bars = frame->chart->kind == ZF_CHART_BARS;

    fprintf(stream, "<g class=\"zf-labels\" text-anchor=\"%s\">",
            bars && frame->angled ? "end" : "middle");
    for (size_t i = 0; bars && i < frame->chart->category_count; i += frame->every)
        write_category(stream, frame, i);
    for (size_t i = 0; !bars && i < frame->x.tick_count; i++) {
        const double x = zf_frame_x(frame, frame->x.ticks[i].value);
        const double half = zf_text_width(frame->x.ticks[i].label, FONT) / 2;

        /* The outermost must not leave the picture. */
        fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", fmin(x, ZF_CHART_WIDTH - half - 2),
                frame->bottom + TICK + 12, frame->x.ticks[i].label);
    }
    fputs("</g>\n<g class=\"zf-axis\" stroke=\"#555\">", stream);
    for (size_t i = 0; !bars && i < frame->x.tick_count; i++)
        fprintf(stream, "<path d=\"M%.1f %.1fv%.1f\"/>", zf_frame_x(frame, frame->x.ticks[i].value),
                frame->bottom, TICK);
    fprintf(stream, "<path d=\"M%.1f %.1fH%.1f\"/></g>\n", frame->left,
            bars ? zf_frame_y(frame, 0) : frame->bottom, frame->right);
}

void zf_frame_write(FILE *stream, const struct zf_frame *frame)
{
    const struct zf_chart *chart = frame->chart;
    double y = MARGIN + 6;

    if (chart->title)
        y += ROW * (double)wrap(stream, chart->title, y) + 4;
    legend(stream, chart, y);
    write_y_axis(stream, frame);
    write_x_axis(stream, frame);
    if (chart->y_label) {
        fprintf(stream, "<text class=\"zf-unit\" x=\"%.1f\" y=\"%.1f\">", MARGIN, frame->top - 10);
        zf_text_html(stream, chart->y_label);
        fputs("</text>\n", stream);
    }
    if (chart->x_label) {
        fprintf(stream, "<text class=\"zf-unit\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">",
                frame->right, frame->height - 8);
        zf_text_html(stream, chart->x_label);
        fputs("</text>\n", stream);
    }
}
