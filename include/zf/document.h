/* SPDX-License-Identifier: MIT */
/**
 * A result that a person reads: paragraphs, pictures, charts and tables with captions, and the
 * same as JSON for programs. Every experiment ends in one of these, and a report gathers them.
 *
 *     zf_document_create("out", "occlude", "What hides the answer", line, &document, &err);
 *     zf_document_parameter(document, "square", "32 px", &err);
 *     zf_document_picture(document, "dog.png", "The five panels of ...", &panels, &err);
 *     zf_document_save(document, json, &err);
 *
 * All text is plain UTF-8, copied, and escaped where it is written. Functions return ZF_ENOMEM,
 * and those that write a file ZF_EIO.
 *
 * Threads: a document is used by one thread at a time.
 */
#ifndef ZF_DOCUMENT_H
#define ZF_DOCUMENT_H

#include "zf/base.h"
#include "zf/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One line or set of marks. Values that are not finite leave a gap. */
struct zf_series {
    const char *name;        /* for the legend; NULL = none */
    const double *x;         /* [count]; of bars NULL: one per category */
    const double *y;         /* [count] */
    const double *deviation; /* [count] half length of an error bar, or NULL */
    size_t count;
};

enum zf_chart_kind { ZF_CHART_LINES, ZF_CHART_POINTS, ZF_CHART_BARS };

/* A chart; everything is lent. Axes fit the data, and begin at zero for bars. */
struct zf_chart {
    enum zf_chart_kind kind;
    const char *title;             /* above it, or NULL */
    const char *x_label, *y_label; /* with the unit: "shift, px" */
    const char *const *categories; /* [category_count], bars: names along x */
    size_t category_count;
    const char *const *point_names; /* ZF_CHART_POINTS: beside each point of the first series, or
                                       NULL */
    const struct zf_series *series;
    size_t series_count;
    bool from_zero; /* y begins at 0 */
    bool log_x;     /* x > 0 in powers of ten */
};

/* A table: `cells` row by row, columns * rows strings; numbers are aligned at their right end. */
struct zf_table {
    const char *caption;
    const char *const *columns; /* [column_count], with units */
    size_t column_count;
    const char *const *cells;
    size_t row_count;
};

struct zf_document;

/**
 * directory  of all its files; made if missing
 * kind       the experiment, "occlude": names the JSON file
 * title      one line
 * command    the command line that made it, or NULL
 * out        handed over; free with zf_document_free()
 */
ZF_API enum zf_status zf_document_create(const char *directory, const char *kind, const char *title,
                                         const char *command, struct zf_document **out,
                                         struct zf_error *err);
ZF_API void zf_document_free(struct zf_document **document);

/** What was asked: a name and a value with its unit. Shown together, in order. */
ZF_API enum zf_status zf_document_parameter(struct zf_document *document, const char *name,
                                            const char *value, struct zf_error *err);

/* The blocks of the page, in the order of the calls. */

ZF_API enum zf_status zf_document_heading(struct zf_document *document, const char *text,
                                          struct zf_error *err);
ZF_API enum zf_status zf_document_paragraph(struct zf_document *document, const char *text,
                                            struct zf_error *err);
ZF_API enum zf_status zf_document_table(struct zf_document *document, const struct zf_table *table,
                                        struct zf_error *err);

/** Write directory/file (a plain name) as PNG, and show it. */
ZF_API enum zf_status zf_document_picture(struct zf_document *document, const char *file,
                                          const char *caption, const struct zf_picture *picture,
                                          struct zf_error *err);

/** Write `count` charts as one SVG, `columns` side by side, and show them; they are drawn in the
 * page anew, so that a phone gets them one below the other. */
ZF_API enum zf_status zf_document_charts(struct zf_document *document, const char *file,
                                         const char *caption, const struct zf_chart *charts,
                                         size_t count, size_t columns, struct zf_error *err);

/**
 * Write directory/index.html, self-contained, and directory/KIND.json: the members of `json` (the
 * text of an object, or NULL) with "kind", "title", "command", "parameters" and "blocks" added,
 * which is what a report is made from. ZF_EINVAL when `json` is no object.
 */
ZF_API enum zf_status zf_document_save(struct zf_document *document, const char *json,
                                       struct zf_error *err);

/**
 * All documents, and pages of top, at or below `directory` as one self-contained page with a table
 * of contents. ZF_EINPUT where there are none.
 */
ZF_API enum zf_status zf_report_write(const char *directory, const char *path,
                                      struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
