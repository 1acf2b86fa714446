/* SPDX-License-Identifier: MIT */
/* Charts as SVG. Colours come from web/chart.css, in a light and a dark scheme. */
#ifndef ZF_PAGE_CHART_H
#define ZF_PAGE_CHART_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "page/axis.h"
#include "zf/document.h"

#define ZF_CHART_SERIES 8  /* distinct colours */
#define ZF_CHART_WIDTH 440 /* px; on a phone it shrinks little, so that text stays readable */

/* Where there are more lines than colours, every n-th becomes a series; returns n. */
static inline size_t zf_chart_every(size_t count)
{
    return (count + ZF_CHART_SERIES - 1) / ZF_CHART_SERIES;
}

/* ---- chart.c ---- */

/* One chart as an <svg> within a page. */
void zf_chart_write(FILE *stream, const struct zf_chart *chart);

/* A whole SVG file: charts in rows of `columns`. */
void zf_charts_write(FILE *stream, const struct zf_chart *charts, size_t count, size_t columns);

/* ---- chart_json.c: a chart's data, from which a report draws it again. ---- */

/* NULL when memory is short. */
cJSON *zf_chart_json(const struct zf_chart *chart);

/**
 * The chart that zf_chart_json() describes; strings are lent from `json`.
 * ZF_EINPUT with what is wrong. Release with zf_chart_release().
 */
enum zf_status zf_chart_parse(const cJSON *json, struct zf_chart *chart, struct zf_error *err);
void zf_chart_release(struct zf_chart *chart); /* accepts empty */

/* ---- chart_frame.c: title, legend and axes. ---- */

/* The layout of a chart, px. */
struct zf_frame {
    const struct zf_chart *chart;
    struct zf_axis x, y;             /* x of bars: categories at 0, 1, ... */
    double left, right, top, bottom; /* the plot */
    double height;                   /* of the whole chart */
    bool angled;                     /* labels of categories are written at an angle */
    size_t every;                    /* every n-th category has a label */
};

void zf_frame_fit(struct zf_frame *frame, const struct zf_chart *chart);

/* Title, legend, axes with their labels. */
void zf_frame_write(FILE *stream, const struct zf_frame *frame);

double zf_frame_x(const struct zf_frame *frame, double value);
double zf_frame_y(const struct zf_frame *frame, double value);

/* Whether a series has something to draw at i. */
bool zf_frame_takes(const struct zf_chart *chart, const struct zf_series *series, size_t i);

/* Width of text in px, estimated on the large side: the browser chooses the font. */
double zf_text_width(const char *text, double size);

/* A marker of the series' shape around (x, y). */
void zf_marker_write(FILE *stream, size_t series, double x, double y);

#endif
