/* SPDX-License-Identifier: MIT */
/* A net as a page: what it is, and its layers beside the graph of who feeds whom. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/document.h"
#include "page/lanes.h"
#include "page/text.h"

#define ROW 28  /* px of a row; web/net.css has the same */
#define LANE 18 /* px between lanes */
#define NODE 5  /* px of a node's radius */
#define HEAD 34 /* px of the table's head; web/net.css has the same */

static void format_shape(struct zf_shape shape, char *text, size_t size)
{
    if (shape.h == 1 && shape.w == 1)
        snprintf(text, size, "%" PRId64, shape.c);
    else
        snprintf(text, size, "%" PRId64 " × %" PRId64 " × %" PRId64, shape.c, shape.h, shape.w);
}

/* "27 / 8": a cell sees 27 px, and the next one looks 8 further. */
static void format_field(const struct zf_layer_info *info, char *text, size_t size)
{
    if (info->field.global)
        snprintf(text, size, "all");
    else
        snprintf(text, size, "%" PRId64 " / %" PRId64, info->field.height, info->field.stride_y);
}

static const char *name_of(const struct zf_net *net, int row)
{
    return row == 0 ? "input" : zf_net_layer(net, row - 1).name;
}

/* "pool3, conv4": what feeds a layer. Of the document's. */
static const char *names_of_inputs(struct zf_document *document, const struct zf_net *net, int row)
{
    const char *names = "";

    for (int k = 0; row > 0 && k < zf_net_layer_input_count(net, row - 1); k++)
        names = zf_document_words(document, "%s%s%s", names, k ? ", " : "",
                                  name_of(net, zf_lanes_input(net, row, k)));
    return names;
}

/* ---- The graph. ---- */

static double x_of(int lane)
{
    return LANE * (lane + 0.5);
}

static double y_of(int row)
{
    return HEAD + ROW * (row + 0.5);
}

/* What a row gives: down its lane, and at each row that takes it over to the node there. */
static void draw_edges(FILE *out, const struct zf_net *net, const struct zf_lanes *lanes, int row)
{
    for (int k = 0; row > 0 && k < zf_net_layer_input_count(net, row - 1); k++) {
        const int from = zf_lanes_input(net, row, k);
        const double x = x_of(lanes->lane[from]), to = x_of(lanes->lane[row]);
        const double turn = y_of(row) - ROW, end = y_of(row);

        fprintf(out, "<path d=\"M%g %gV%g", x, y_of(from), x == to ? end : turn);
        if (x != to)
            fprintf(out, "C%g %g %g %g %g %g", x, turn + ROW * 0.6, to, turn + ROW * 0.4, to, end);
        fprintf(out, "\"/>\n");
    }
}

static void draw_node(FILE *out, const struct zf_net *net, const struct zf_lanes *lanes, int row)
{
    const bool weights = row > 0 && zf_net_layer(net, row - 1).parameters > 0;

    fprintf(out, "<circle%s cx=\"%g\" cy=\"%g\" r=\"%d\"><title>",
            weights ? " class=\"weights\"" : "", x_of(lanes->lane[row]), y_of(row), NODE);
    zf_text_html(out, name_of(net, row));
    fputs("</title></circle>\n", out);
}

static void draw_graph(FILE *out, const struct zf_net *net, const struct zf_lanes *lanes)
{
    const int width = LANE * lanes->lane_count, height = HEAD + ROW * lanes->rows;

    fprintf(out,
            "<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"The "
            "graph: which layer feeds which. The last column of the table has it in words.\">\n",
            width, height, width, height);
    for (int row = 0; row < lanes->rows; row++)
        draw_edges(out, net, lanes, row);
    for (int row = 0; row < lanes->rows; row++)
        draw_node(out, net, lanes, row);
    fputs("</svg>\n", out);
}

/* ---- The list. ---- */

static const char *const columns[] = {"layer",      "type",     "maps × height × width",
                                      "parameters", "sees, px", "from"};

static void fill_row(struct zf_document *document, const struct zf_net *net, int row)
{
    char shape[64], field[48];

    if (row == 0) {
        format_shape(zf_net_input(net), shape, sizeof shape);
        zf_document_cell(document, "input");
        zf_document_cell(document, "pictures");
        zf_document_cell(document, "%s", shape);
        for (int i = 3; i < (int)ZF_COUNT(columns); i++)
            zf_document_cell(document, "%s", "");
        return;
    }
    const struct zf_layer_info info = zf_net_layer(net, row - 1);

    format_shape(info.shape, shape, sizeof shape);
    format_field(&info, field, sizeof field);
    zf_document_cell(document, "%s", info.name);
    zf_document_cell(document, "%s", info.type);
    zf_document_cell(document, "%s", shape);
    zf_document_cell(document, "%s",
                     info.parameters > 0 ? zf_document_count(document, info.parameters) : "");
    zf_document_cell(document, "%s", field);
    zf_document_cell(document, "%s", names_of_inputs(document, net, row));
}

static void write_cells(FILE *out, const cJSON *row)
{
    const cJSON *cell;
    int column = 0;

    fputs("<tr>", out);
    cJSON_ArrayForEach(cell, row)
    {
        const char *tag = column == 0 ? "th" : "td";

        fprintf(out, "<%s%s>", tag, column == 0 ? " scope=\"row\"" : "");
        zf_text_html(out, cJSON_GetStringValue(cell));
        fprintf(out, "</%s>", tag);
        column++;
    }
    fputs("</tr>\n", out);
}

/* The table beside the graph, row by row. NULL when memory is short. */
static char *write_both(const struct zf_net *net, const struct zf_lanes *lanes, const cJSON *rows)
{
    char *html = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&html, &size);
    const cJSON *row;

    if (!out)
        return NULL;
    fputs("<div class=\"net\" tabindex=\"0\" role=\"region\" aria-label=\"The layers\">\n", out);
    draw_graph(out, net, lanes);
    fputs("<table><thead><tr>", out);
    for (size_t c = 0; c < ZF_COUNT(columns); c++)
        fprintf(out, "<th scope=\"col\">%s</th>", columns[c]);
    fputs("</tr></thead><tbody>\n", out);
    cJSON_ArrayForEach(row, rows)
    {
        write_cells(out, row);
    }
    fputs("</tbody></table></div>\n", out);
    if (fclose(out) == 0)
        return html;
    free(html);
    return NULL;
}

/* ---- The page. ---- */

static void tell_facts(struct zf_document *document, const struct zf_net *net)
{
    int with_weights = 0;
    char shape[64];

    for (int i = 0; i < zf_net_layer_count(net); i++)
        with_weights += zf_net_layer(net, i).parameters > 0;
    format_shape(zf_net_input(net), shape, sizeof shape);
    zf_document_parameter(document, "input", "%s", shape);
    zf_document_parameter(document, "parameters", "%s",
                          zf_document_count(document, zf_net_parameter_count(net)));
    zf_document_parameter(document, "a picture takes", "%.3g billion multiplications and additions",
                          (double)zf_net_macs(net, -1) * 1e-9);
    zf_document_paragraph(document,
                          "%d layers, %d of them with weights, which are filled dots. What a layer "
                          "gives runs down its line to each layer that takes it; branches lie side "
                          "by side.",
                          zf_net_layer_count(net), with_weights);
    zf_document_remark(
        document, "A map is what one filter answers at every place. A cell is one of these "
                  "places; it sees so many pixels of the input, 27 / 8 for instance 27 of them "
                  "to a side, and its neighbour the same 8 px further on. Where branches meet, "
                  "it is what the largest sees. Each of these names can be given as --layer.");
}

enum zf_status zf_net_page_write(const struct zf_net *net, const char *command, const char *path,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *document = NULL;
    struct zf_lanes lanes = {0};
    char *title = zf_format("The layers of %s", zf_net_name(net));
    const cJSON *blocks, *table;

    if (!title)
        return zf_no_memory(err, "the page of %s", zf_net_name(net));
    ZF_TRY(zf_document_create(".", "info", title, command, &document, err));
    ZF_TRY(zf_lanes_lay(net, &lanes, err));
    tell_facts(document, net);
    zf_document_table(document, columns, ZF_COUNT(columns), "Every layer.");
    for (int row = 0; row < lanes.rows; row++)
        fill_row(document, net, row);
    blocks = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    table = cJSON_GetArrayItem(blocks, cJSON_GetArraySize(blocks) - 1);
    zf_document_dress(document, &(struct zf_dress){.style = "net.css"});
    zf_document_replace(document, 1,
                        write_both(net, &lanes, cJSON_GetObjectItemCaseSensitive(table, "rows")));
    if (!zf_document_stands(document)) {
        status = zf_no_memory(err, "the page of %s", zf_net_name(net));
        goto fail;
    }
    ZF_TRY(zf_sections_write(
        path, title, NULL,
        &(struct zf_section){
            .root = document->root, .directory = ".", .id = "top", .dress = &document->dress},
        1, NULL, err));
fail:
    zf_lanes_release(&lanes);
    zf_document_free(&document);
    zf_free(title);
    return status;
}
