/* SPDX-License-Identifier: MIT */
#include "page/chart.h"

#include <math.h>
#include <string.h>

#include "page/template.h"
#include "page/text.h"

#define FONT 12.5
#define MARKED 60  /* points of a line up to which each gets a marker */
#define GAP 20     /* px between charts of a file */
#define PLACED 256 /* names beside points that are kept apart */

/* ---- Marks of one value. ---- */

/* What a person sees who rests on a mark. */
static void write_tip(FILE *stream, const struct zf_chart *chart, const struct zf_series *series,
                      size_t i)
{
    const char *of = NULL;

    if (chart->kind == ZF_CHART_BARS)
        of = chart->categories[i];
    else if (chart->point_names && series == chart->series)
        of = chart->point_names[i];
    fputs("<title>", stream);
    if (series->name) {
        zf_text_html(stream, series->name);
        fputs(of ? ", " : ": ", stream);
    }
    if (of) {
        zf_text_html(stream, of);
        fputs(": ", stream);
    }
    if (chart->kind != ZF_CHART_BARS)
        fprintf(stream, "(%.6g, %.6g)", series->x[i], series->y[i]);
    else
        fprintf(stream, "%.6g", series->y[i]);
    if (series->deviation && zf_axis_takes(series->deviation[i]))
        fprintf(stream, " ± %.3g", series->deviation[i]);
    fputs("</title>", stream);
}

static void write_deviation(FILE *stream, const struct zf_frame *frame,
                            const struct zf_series *series, size_t i, double x)
{
    double low, high;

    if (!series->deviation || !zf_axis_takes(series->deviation[i]))
        return;
    low = zf_frame_y(frame, series->y[i] - series->deviation[i]);
    high = zf_frame_y(frame, series->y[i] + series->deviation[i]);
    fprintf(stream, "<path class=\"zf-deviation\" d=\"M%.1f %.1fh8m-4 0V%.1fm-4 0h8\"/>", x - 4,
            low, high);
}

/* ---- Kinds. ---- */

static void write_mark(FILE *stream, const struct zf_frame *frame, size_t s, size_t i)
{
    const struct zf_series *series = &frame->chart->series[s];
    const double x = zf_frame_x(frame, series->x[i]), y = zf_frame_y(frame, series->y[i]);

    write_deviation(stream, frame, series, i, x);
    fputs("<g>", stream);
    zf_marker_write(stream, s, x, y);
    write_tip(stream, frame->chart, series, i);
    fputs("</g>\n", stream);
}

/* A value without neighbours would leave no trace in a line. */
static bool stands_alone(const struct zf_chart *chart, const struct zf_series *series, size_t i)
{
    return (i == 0 || !zf_frame_takes(chart, series, i - 1)) &&
           (i + 1 == series->count || !zf_frame_takes(chart, series, i + 1));
}

/* Marks help to tell few values apart, and hide a line of many. */
static bool is_marked(const struct zf_chart *chart)
{
    for (size_t s = 0; s < chart->series_count; s++) {
        if (chart->series[s].count > MARKED)
            return false;
    }
    return true;
}

static void write_line(FILE *stream, const struct zf_frame *frame, size_t s)
{
    const struct zf_series *series = &frame->chart->series[s];
    const bool marked = is_marked(frame->chart);
    bool drawing = false;

    fputs("<path class=\"zf-line\" d=\"", stream);
    for (size_t i = 0; i < series->count; i++) {
        if (zf_frame_takes(frame->chart, series, i))
            fprintf(stream, "%c%.1f %.1f", drawing ? 'L' : 'M', zf_frame_x(frame, series->x[i]),
                    zf_frame_y(frame, series->y[i]));
        drawing = zf_frame_takes(frame->chart, series, i);
    }
    fputs("\"/>\n", stream);
    for (size_t i = 0; i < series->count; i++) {
        if (zf_frame_takes(frame->chart, series, i) &&
            (marked || series->deviation || stands_alone(frame->chart, series, i)))
            write_mark(stream, frame, s, i);
    }
}

static void write_points(FILE *stream, const struct zf_frame *frame, size_t s)
{
    for (size_t i = 0; i < frame->chart->series[s].count; i++) {
        if (zf_frame_takes(frame->chart, &frame->chart->series[s], i))
            write_mark(stream, frame, s, i);
    }
}

static void write_bars(FILE *stream, const struct zf_frame *frame, size_t s)
{
    const struct zf_chart *chart = frame->chart;
    const struct zf_series *series = &chart->series[s];
    const double slot = zf_frame_x(frame, 1) - zf_frame_x(frame, 0);
    const double width = slot * 0.8 / (double)chart->series_count;
    const double zero = zf_frame_y(frame, 0);

    for (size_t i = 0; i < series->count; i++) {
        const double left = zf_frame_x(frame, (double)i) - slot * 0.4 + width * (double)s;
        double y;

        if (!zf_frame_takes(chart, series, i))
            continue;
        y = zf_frame_y(frame, series->y[i]);
        fprintf(stream,
                "<rect class=\"zf-bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
                left, fmin(y, zero), fmax(width - 1, 0.5), fabs(y - zero));
        write_tip(stream, chart, series, i);
        fputs("</rect>", stream);
        write_deviation(stream, frame, series, i, left + width / 2);
        fputc('\n', stream);
    }
}

/* ---- Names beside points. ---- */

struct spot {
    double left, top, right, bottom;
};

static bool overlaps(const struct spot *spot, const struct spot *others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (spot->left < others[i].right && others[i].left < spot->right &&
            spot->top < others[i].bottom && others[i].top < spot->bottom)
            return true;
    }
    return false;
}

/* Right, left, above or below of its point, where nothing lies yet; a name that finds no room is
   left to the tip. */
static bool find_room(const struct zf_frame *frame, const char *name, double x, double y,
                      const struct spot *others, size_t count, struct spot *room)
{
    const double width = zf_text_width(name, FONT), height = FONT + 1;
    const double corners[4][2] = {{x + 7, y - height / 2},
                                  {x - 7 - width, y - height / 2},
                                  {x - width / 2, y - 8 - height},
                                  {x - width / 2, y + 8}};

    for (size_t i = 0; i < 4; i++) {
        *room = (struct spot){corners[i][0], corners[i][1], corners[i][0] + width,
                              corners[i][1] + height};
        if (room->left >= frame->left && room->right <= ZF_CHART_WIDTH - 2 &&
            room->top >= frame->top - 4 && room->bottom <= frame->bottom &&
            !overlaps(room, others, count))
            return true;
    }
    return false;
}

static void write_names(FILE *stream, const struct zf_frame *frame)
{
    const struct zf_chart *chart = frame->chart;
    const struct zf_series *series = chart->series;
    struct spot taken[PLACED];
    size_t count = 0;

    if (chart->kind != ZF_CHART_POINTS || !chart->point_names || chart->series_count == 0)
        return;
    for (size_t s = 0; s < chart->series_count; s++) {
        for (size_t i = 0; i < chart->series[s].count && count < PLACED / 2; i++) {
            const double x = chart->series[s].x[i], y = chart->series[s].y[i];

            if (zf_frame_takes(chart, &chart->series[s], i))
                taken[count++] = (struct spot){zf_frame_x(frame, x) - 4, zf_frame_y(frame, y) - 4,
                                               zf_frame_x(frame, x) + 4, zf_frame_y(frame, y) + 4};
        }
    }
    for (size_t i = 0; i < series->count && count < PLACED; i++) {
        const char *name = chart->point_names[i];

        if (!name || !zf_frame_takes(chart, series, i) ||
            !find_room(frame, name, zf_frame_x(frame, series->x[i]),
                       zf_frame_y(frame, series->y[i]), taken, count, &taken[count]))
            continue;
        fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\">", taken[count].left, taken[count].bottom - 3);
        zf_text_html(stream, name);
        fputs("</text>\n", stream);
        count++;
    }
}

/* ---- A chart. ---- */

static void write_data(FILE *stream, const struct zf_frame *frame)
{
    static void (*const kinds[])(FILE *, const struct zf_frame *, size_t) = {
        [ZF_CHART_LINES] = write_line,
        [ZF_CHART_POINTS] = write_points,
        [ZF_CHART_BARS] = write_bars,
    };
    const struct zf_chart *chart = frame->chart;
    bool empty = true;

    for (size_t s = 0; s < chart->series_count; s++) {
        fprintf(stream, "<g class=\"zf-s%zu\">", s % ZF_CHART_SERIES);
        kinds[chart->kind](stream, frame, s);
        fputs("</g>\n", stream);
        for (size_t i = 0; empty && i < chart->series[s].count; i++)
            empty = !zf_frame_takes(chart, &chart->series[s], i);
    }
    write_names(stream, frame);
    if (empty)
        fprintf(stream,
                "<text class=\"zf-unit\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">no data"
                "</text>\n",
                (frame->left + frame->right) / 2, (frame->top + frame->bottom) / 2);
}

/* What a person hears who cannot see the chart. */
static void write_label(FILE *stream, const struct zf_chart *chart)
{
    const char *joint = ": ";

    fputs("role=\"img\" aria-label=\"Chart: ", stream);
    zf_text_html(stream, chart->title ? chart->title : chart->y_label ? chart->y_label : "values");
    if (chart->x_label) {
        fputs(" by ", stream);
        zf_text_html(stream, chart->x_label);
    }
    for (size_t s = 0; s < chart->series_count; s++) {
        if (!chart->series[s].name)
            continue;
        fputs(joint, stream);
        zf_text_html(stream, chart->series[s].name);
        joint = ", ";
    }
    fputs("\"", stream);
}

void zf_chart_write(FILE *stream, const struct zf_chart *chart)
{
    struct zf_frame frame;

    zf_frame_fit(&frame, chart);
    fprintf(stream, "<svg class=\"zf-chart\" viewBox=\"0 0 %d %.0f\" ", ZF_CHART_WIDTH,
            frame.height);
    write_label(stream, chart);
    fputs(">\n", stream);
    zf_frame_write(stream, &frame);
    write_data(stream, &frame);
    fputs("</svg>\n", stream);
}

static double row_height(const struct zf_chart *charts, size_t count)
{
    struct zf_frame frame;
    double height = 0;

    for (size_t i = 0; i < count; i++) {
        zf_frame_fit(&frame, &charts[i]);
        height = fmax(height, ceil(frame.height));
    }
    return height;
}

void zf_charts_write(FILE *stream, const struct zf_chart *charts, size_t count, size_t columns)
{
    const size_t across = columns == 0 ? 1 : columns < count ? columns : count ? count : 1;
    const double width = (double)across * (ZF_CHART_WIDTH + GAP) + GAP;
    double height = GAP, y = GAP;

    for (size_t i = 0; i < count; i += across)
        height += row_height(charts + i, count - i < across ? count - i : across) + GAP;
    fprintf(stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\">\n<style>\n",
            width, height, width, height);
    fputs(zf_web_file("colours.css"), stream);
    fputs(zf_web_file("chart.css"), stream);
    fprintf(stream,
            "</style>\n<rect class=\"zf-paper\" width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n",
            width, height);
    for (size_t i = 0; i < count; i++) {
        struct zf_frame frame;

        zf_frame_fit(&frame, &charts[i]);
        fprintf(stream, "<g class=\"zf-chart\" transform=\"translate(%zu %.0f)\" ",
                GAP + i % across * (ZF_CHART_WIDTH + GAP), y);
        write_label(stream, &charts[i]);
        fputs(">\n", stream);
        zf_frame_write(stream, &frame);
        write_data(stream, &frame);
        fputs("</g>\n", stream);
        if (i % across == across - 1)
            y += row_height(charts + i + 1 - across, across) + GAP;
    }
    fputs("</svg>\n", stream);
}
