/* SPDX-License-Identifier: MIT */
/*
 * Colours are made in Oklab (Ottosson 2020), where equal steps of L look like equal steps of
 * lightness: a map stays readable in grey print and to eyes that do not tell all hues apart.
 */
#include "page/heat.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"

#define PI 3.14159265358979323846
#define OTHER_CLASSES ((struct zf_rgb){196, 196, 192})

static double gamma_of(double linear)
{
    linear = fmin(fmax(linear, 0.0), 1.0);
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1.0 / 2.4) - 0.055;
}

/* Lightness 0..1, chroma, hue in degrees, to sRGB; what sRGB does not have is clipped. */
static struct zf_rgb oklch(double lightness, double chroma, double hue)
{
    const double a = chroma * cos(hue * PI / 180.0), b = chroma * sin(hue * PI / 180.0);
    const double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3.0);
    const double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3.0);
    const double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3.0);
    const double red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    const double green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    const double blue = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;

    return (struct zf_rgb){(uint8_t)lround(255.0 * gamma_of(red)),
                           (uint8_t)lround(255.0 * gamma_of(green)),
                           (uint8_t)lround(255.0 * gamma_of(blue))};
}

struct zf_rgb zf_heat_colour(double share)
{
    share = fmin(fmax(share, 0.0), 1.0);
    return oklch(0.26 + 0.68 * share, 0.09 + 0.03 * sin(PI * share), 285.0 - 180.0 * share);
}

void zf_heat_fit(struct zf_heat *heat)
{
    heat->low = INFINITY;
    heat->high = -INFINITY;
    for (int64_t i = 0; i < heat->rows * heat->columns; i++) {
        const double value = (double)heat->values[i];

        if (isfinite(value)) {
            heat->low = fmin(heat->low, value);
            heat->high = fmax(heat->high, value);
        }
    }
    if (heat->low > heat->high)
        heat->low = heat->high = 0.0;
}

static struct zf_box cell_box(const struct zf_lattice *lattice, int64_t columns, int64_t i)
{
    const int64_t *const x = lattice->x + i % columns, *const y = lattice->y + i / columns;

    return (struct zf_box){x[0], y[0], x[1] - x[0], y[1] - y[0]};
}

void zf_heat_draw(struct zf_picture *canvas, const struct zf_lattice *lattice,
                  const struct zf_heat *heat)
{
    const double span = heat->high - heat->low;

    for (int64_t i = 0; i < heat->rows * heat->columns; i++) {
        const double value = (double)heat->values[i];
        const double share = span > 0.0 ? (value - heat->low) / span : 0.5;

        zf_canvas_fill(canvas, cell_box(lattice, heat->columns, i),
                       isfinite(value) ? zf_heat_colour(share) : ZF_QUIET);
    }
}

void zf_heat_number(char *text, double value)
{
    const double size = fabs(value);

    /* Rounded to three digits it may have one more before the point. */
    if (size >= 99999.5 || (size > 0.0 && size < 0.000995))
        snprintf(text, 24, "%.2e", value);
    else
        snprintf(text, 24, "%.*f",
                 size >= 99.95   ? 0
                 : size >= 9.995 ? 1
                 : size >= 0.995 ? 2
                 : size > 0.0    ? 2 - (int)floor(log10(size))
                                 : 0,
                 value);
}

void zf_heat_bar(struct zf_picture *canvas, struct zf_box box, const struct zf_heat *heat,
                 const struct zf_lettering *lettering)
{
    const double ends[] = {heat->low, (heat->low + heat->high) / 2.0, heat->high};
    const double y = (double)(box.y + box.height) + lettering->height / 2.0;

    for (int64_t x = 0; x < box.width; x++)
        zf_canvas_fill(canvas, (struct zf_box){box.x + x, box.y, 1, box.height},
                       zf_heat_colour((double)x / (double)(box.width > 1 ? box.width - 1 : 1)));
    for (int i = 0; i < 3; i++) {
        char text[24];
        double width;

        zf_heat_number(text, ends[i]);
        width = zf_lettering_width(lettering, text);
        zf_canvas_text(canvas, lettering, (double)box.x + i / 2.0 * ((double)box.width - width), y,
                       width + 1.0, text);
    }
}

/* ---- Classes. ---- */

/* The class with the most cells, the lowest of equals; -1 when there are none. */
static int32_t take_most(int64_t *cells, int32_t classes)
{
    int32_t best = -1;

    for (int32_t k = 0; k < classes; k++) {
        if (cells[k] > 0 && (best < 0 || cells[k] > cells[best]))
            best = k;
    }
    return best;
}

enum zf_status zf_class_map_choose(struct zf_class_map *map, int32_t first, struct zf_error *err)
{
    const int64_t all = map->rows * map->columns;
    int32_t classes = first + 1, next = first;
    int64_t *cells;

    for (int64_t i = 0; i < all; i++)
        classes = map->classes[i] >= classes ? map->classes[i] + 1 : classes;
    cells = zf_alloc((size_t)classes, sizeof *cells);
    if (!cells)
        return zf_no_memory(err, "%d classes", classes);
    for (int64_t i = 0; i < all; i++)
        cells[map->classes[i]]++;
    map->other = all;
    for (map->count = 0; next >= 0 && map->count < ZF_CLASS_COLOURS; map->count++) {
        map->shown[map->count] = next;
        map->cells[map->count] = cells[next];
        map->other -= cells[next];
        cells[next] = 0;
        next = take_most(cells, classes);
    }
    zf_free(cells);
    return ZF_OK;
}

struct zf_rgb zf_class_map_colour(const struct zf_class_map *map, int32_t class)
{
    /* Neighbours in the list differ in hue and in lightness. */
    static const struct {
        double lightness, chroma, hue;
    } colours[ZF_CLASS_COLOURS] = {{0.45, 0.13, 255.0}, {0.78, 0.15, 70.0},  {0.58, 0.17, 25.0},
                                   {0.70, 0.13, 150.0}, {0.42, 0.15, 330.0}, {0.82, 0.10, 210.0},
                                   {0.52, 0.09, 110.0}};

    for (size_t i = 0; i < map->count; i++) {
        if (map->shown[i] == class)
            return oklch(colours[i].lightness, colours[i].chroma, colours[i].hue);
    }
    return OTHER_CLASSES;
}

void zf_class_map_draw(struct zf_picture *canvas, const struct zf_lattice *lattice,
                       const struct zf_class_map *map)
{
    for (int64_t i = 0; i < map->rows * map->columns; i++)
        zf_canvas_fill(canvas, cell_box(lattice, map->columns, i),
                       zf_class_map_colour(map, map->classes[i]));
}
