/* SPDX-License-Identifier: MIT */
/**
 * A result that a person reads: paragraphs, pictures, charts and tables with captions; the same as
 * JSON for programs, and in a few lines for a terminal. Every experiment fills one, and a report
 * gathers them.
 *
 *     zf_document_create("out", "occlude", "What hides the answer", line, &document, &err);
 *     zf_document_parameter(document, "square", "%d px", 32);
 *     zf_document_picture(document, &panels, "dog.png", "The five panels of %s.", "dog.jpg");
 *     zf_document_save(document, &err);
 *     zf_document_free(&document);
 *
 * All text is plain UTF-8, copied, and escaped where it is written. Nothing fails on the spot: the
 * first failure (ZF_ENOMEM, or ZF_EIO of a file) is remembered, what comes after it is left out,
 * and zf_document_save() returns it.
 *
 * Threads: a document is used by one thread at a time.
 */
#ifndef ZF_DOCUMENT_H
#define ZF_DOCUMENT_H

#include "zf/base.h"
#include "zf/image.h"
#include "zf/look.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zf_document;

/**
 * directory  of all its files; made, if missing, with the first of them
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
ZF_API void zf_document_parameter(struct zf_document *document, const char *name,
                                  const char *format, ...) ZF_PRINTF(3, 4);

/* ---- The blocks of the page, in the order of the calls. ---- */

ZF_API void zf_document_heading(struct zf_document *document, const char *format, ...)
    ZF_PRINTF(2, 3);
ZF_API void zf_document_paragraph(struct zf_document *document, const char *format, ...)
    ZF_PRINTF(2, 3);

/** A paragraph for those who want to know more: how to read what follows. The page folds it. */
ZF_API void zf_document_remark(struct zf_document *document, const char *format, ...)
    ZF_PRINTF(2, 3);

/** A table with a caption; its cells follow, row by row. Numbers are aligned at their right end; a
 *  value that is not finite is a dash. */
ZF_API void zf_document_table(struct zf_document *document, const char *const *columns,
                              size_t column_count, const char *format, ...) ZF_PRINTF(4, 5);
ZF_API void zf_document_cell(struct zf_document *document, const char *format, ...) ZF_PRINTF(2, 3);
ZF_API void zf_document_number(struct zf_document *document, int decimals, double value);

/** Write directory/file (a plain name) as PNG, and show it with a caption. */
ZF_API void zf_document_picture(struct zf_document *document, const struct zf_picture *picture,
                                const char *file, const char *format, ...) ZF_PRINTF(4, 5);

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

/**
 * Show `count` charts with a caption, `columns` side by side, and write them as one SVG, `file`
 * (NULL = none). They are drawn in the page anew, so that a phone gets them one below the other.
 */
ZF_API void zf_document_charts(struct zf_document *document, const struct zf_chart *charts,
                               size_t count, size_t columns, const char *file, const char *format,
                               ...) ZF_PRINTF(6, 7);

/**
 * Room for `count` items of `size` bytes, zeroed, that lives as long as the document: for what a
 * chart is made of. NULL when memory is short.
 */
ZF_API void *zf_document_room(struct zf_document *document, size_t count, size_t size);

/** A formatted text that lives as long; "" when memory is short. */
ZF_API const char *zf_document_words(struct zf_document *document, const char *format, ...)
    ZF_PRINTF(2, 3);

/* ---- The numbers, for programs: the members of KIND.json. ---- */

/* JSON on its way. `key` names a member of an object; within an array it is NULL. */
struct zf_json;

ZF_API struct zf_json *zf_document_numbers(struct zf_document *document);

/** Begin an object or array, which all that follows goes into until zf_json_end(). */
ZF_API void zf_json_object(struct zf_json *json, const char *key);
ZF_API void zf_json_array(struct zf_json *json, const char *key);
ZF_API void zf_json_end(struct zf_json *json);

ZF_API void zf_json_int(struct zf_json *json, const char *key, int64_t value);
ZF_API void zf_json_flag(struct zf_json *json, const char *key, bool value);
ZF_API void zf_json_text(struct zf_json *json, const char *key, const char *value); /* NULL: null */

/** With 12 digits, and with the 9 that tell a float from its neighbours; not finite becomes null.
 */
ZF_API void zf_json_real(struct zf_json *json, const char *key, double value);
ZF_API void zf_json_float(struct zf_json *json, const char *key, float value);

/** Arrays of numbers; a grid is an array of its rows. */
ZF_API void zf_json_reals(struct zf_json *json, const char *key, const double *values,
                          size_t count);
ZF_API void zf_json_float_grid(struct zf_json *json, const char *key, const float *values,
                               int64_t rows, int64_t columns);
ZF_API void zf_json_int_grid(struct zf_json *json, const char *key, const int32_t *values,
                             int64_t rows, int64_t columns);

/** The seconds that it took: in zf_document_json(), but in no file, so that equal runs leave equal
 *  files. */
ZF_API void zf_document_took(struct zf_document *document, double seconds);

/** The numbers as the text of one object; handed over, free with zf_free(). */
ZF_API enum zf_status zf_document_json(const struct zf_document *document, char **text,
                                       struct zf_error *err);

/* ---- The few lines for a terminal. ---- */

/** More of the lines, newlines included. */
ZF_API void zf_document_say(struct zf_document *document, const char *format, ...) ZF_PRINTF(2, 3);
ZF_API const char *zf_document_said(const struct zf_document *document); /* lent */

/* ---- One projection. ---- */

/**
 * A picture, the projection of one of its activations, and the picture where that is strong, side
 * by side at one scale, 480 px each, with the receptive field framed, and what they are in words.
 *
 * input, pixels, activation  as of zf_project()
 * figure                     overwritten, owned by the caller
 *
 * ZF_EUNSUPPORTED for a net that takes neither 1 channel nor 3; ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_projection_figure(const struct zf_net *net, const struct zf_tensor *input,
                                           const struct zf_tensor *pixels, enum zf_rule rule,
                                           const struct zf_activation *activation,
                                           struct zf_picture *figure, struct zf_error *err);

/**
 * The same for a slide, 1920 px wide.
 * slide  overwritten, owned by the caller
 * svg    NULL, or a path: the same with words and frames that can be edited
 * Also returns ZF_EIO.
 */
ZF_API enum zf_status zf_projection_slide(const struct zf_net *net, const struct zf_tensor *input,
                                          const struct zf_tensor *pixels, enum zf_rule rule,
                                          const struct zf_activation *activation,
                                          struct zf_picture *slide, const char *svg,
                                          struct zf_error *err);

/* ---- Files. ---- */

/**
 * Write directory/index.html and directory/KIND.json. The page holds its pictures, or, where they
 * are more than 4 MiB, has them in directory/pictures. The JSON has the numbers with "kind",
 * "title", "command", "parameters" and "blocks" added, which is what a report is made from. Returns
 * the first failure of all calls.
 */
ZF_API enum zf_status zf_document_save(struct zf_document *document, struct zf_error *err);

struct zf_report_options {
    bool single_file;                 /* the page holds all its pictures, and needs no other file */
    const struct zf_monitor *monitor; /* is told where pictures went;
                                         or NULL */
};

/**
 * All documents, and logs of train, at or below `directory` as one page with a table of contents.
 * Of more than 4 MiB, its pictures lie in files beside it, of "page.html" in the folder page_files.
 * options  NULL = defaults
 * ZF_EINPUT where there are no results; ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_report_write(const char *directory, const char *path,
                                      const struct zf_report_options *options,
                                      struct zf_error *err);

/**
 * A net's layers beside the graph of which feeds which, as a self-contained page.
 * command  the command line that made it, or NULL
 * Returns ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_page_write(const struct zf_net *net, const char *command,
                                        const char *path, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
