/* SPDX-License-Identifier: MIT */
#include "report/cells.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"

#define CELL_BYTES 2048 /* of a sentence; what is longer is cut */

const char *zf_cells_add(struct zf_cells *cells, const char *format, ...)
{
    char text[CELL_BYTES];
    char *item;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    item = zf_strdup(text);
    if (!item || !zf_grow((void **)&cells->items, &cells->capacity, cells->count + 1,
                          sizeof *cells->items)) {
        zf_free(item);
        cells->failed = true;
        return "";
    }
    cells->items[cells->count++] = item;
    return item;
}

const char *zf_cells_add_percent(struct zf_cells *cells, struct zf_spread spread, bool several)
{
    if (isnan(spread.mean))
        return zf_cells_add(cells, "-");
    if (several)
        return zf_cells_add(cells, "%.1f \u00b1 %.1f", 100 * spread.mean, 100 * spread.deviation);
    return zf_cells_add(cells, "%.1f", 100 * spread.mean);
}

enum zf_status zf_cells_check(const struct zf_cells *cells, struct zf_error *err)
{
    if (cells->failed)
        return zf_fail(err, ZF_ENOMEM, "out of memory after %zu cells of a table or sentences",
                       cells->count);
    return ZF_OK;
}

void zf_cells_release(struct zf_cells *cells)
{
    for (size_t i = 0; i < cells->count; i++)
        zf_free(cells->items[i]);
    zf_free(cells->items);
    *cells = (struct zf_cells){0};
}
