/* SPDX-License-Identifier: MIT */
/* Grids of values and of classes as colours, with the bar or legend that explains them. */
#ifndef ZF_PAGE_HEAT_H
#define ZF_PAGE_HEAT_H

#include "page/canvas.h"

/* Where the cells of a grid lie, px: cell (row, column) goes from x[column] to x[column + 1] and
   from y[row] to y[row + 1]. Lent. */
struct zf_lattice {
    const int64_t *x; /* [columns + 1] */
    const int64_t *y; /* [rows + 1] */
};

/* Lightness rises evenly from the lowest value to the highest, hue runs from blue to yellow. */
struct zf_heat {
    const float *values; /* [rows * columns]; what is not finite is quiet */
    int64_t rows, columns;
    double low, high; /* of the scale */
};

/* The smallest and largest finite value as the ends of the scale. */
void zf_heat_fit(struct zf_heat *heat);

struct zf_rgb zf_heat_colour(double share); /* 0 .. 1 */

/* Each cell a rectangle of one colour. */
void zf_heat_draw(struct zf_picture *canvas, const struct zf_lattice *lattice,
                  const struct zf_heat *heat);

/* A bar of `box` with the values of its ends and middle below it. */
void zf_heat_bar(struct zf_picture *canvas, struct zf_box box, const struct zf_heat *heat,
                 const struct zf_lettering *lettering);

/* A value at three digits as it stands beside a scale: 1010 and 0.0123, where "%.3g" has 1.01e+03.
   text: [24] */
void zf_heat_number(char *text, double value);

#define ZF_CLASS_COLOURS 7

/* Classes of a map that get a colour of their own: one that is given, then by their cells. */
struct zf_class_map {
    const int32_t *classes; /* [rows * columns] */
    int64_t rows, columns;
    size_t count; /* of the classes that follow */
    int32_t shown[ZF_CLASS_COLOURS];
    int64_t cells[ZF_CLASS_COLOURS];
    int64_t other; /* cells of classes without a colour: they are grey */
};

/* Choose what gets a colour; `first` leads the list even without cells. ZF_ENOMEM. */
enum zf_status zf_class_map_choose(struct zf_class_map *map, int32_t first, struct zf_error *err);

struct zf_rgb zf_class_map_colour(const struct zf_class_map *map, int32_t class);
void zf_class_map_draw(struct zf_picture *canvas, const struct zf_lattice *lattice,
                       const struct zf_class_map *map);

#endif
