/* SPDX-License-Identifier: MIT */
/* The loops of Winograd's algorithm, for one width of vectors. Declares the table of functions, and
   is included by winograd.c once for each instruction set, which defines NAME, TARGET, LANES,
   TILES, MAPS and FMA. */
typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(mask) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec NAME(vec)
#define LOAD(from) ((vec) * (const NAME(loose) *)(from))
#define STORE(to, numbers) (*(NAME(loose) *)(to) = (NAME(loose))(numbers))
#define ALL(number) ((number) - (vec){0})

/*
 * ---- The transforms of one row or column of a tile ----
 *
 * Filter, source and result are polynomials that are multiplied by their values at side points
 * (Toom, Cook), the last being infinity. Values at +-p share their even and odd parts. For m = 2
 * the points are 0, +-1 and infinity.
 */

/* d [side] -> t [side] */
TARGET static ALWAYS_INLINE void NAME(source)(int64_t side, const vec *d, vec *t)
{
    const vec aa = ALL(A * A), bb = ALL(B * B);

    if (side == 4) {
        t[0] = d[0] - d[2];
        t[1] = d[1] + d[2];
        t[2] = d[2] - d[1];
        t[3] = d[3] - d[1];
    } else {
        const vec both = ALL(A * A + B * B), product = ALL(A * A * B * B);
        const vec even_a = FMA(-bb, d[2], d[4]), odd_a = FMA(-bb, d[1], d[3]);
        const vec even_b = FMA(-aa, d[2], d[4]), odd_b = FMA(-aa, d[1], d[3]);

        t[0] = FMA(product, d[0], FMA(-both, d[2], d[4]));
        t[1] = FMA(ALL(A), odd_a, even_a);
        t[2] = FMA(ALL(-A), odd_a, even_a);
        t[3] = FMA(ALL(B), odd_b, even_b);
        t[4] = FMA(ALL(-B), odd_b, even_b);
        t[5] = FMA(product, d[1], FMA(-both, d[3], d[5]));
    }
}

/* m [side] -> t [side - 2] */
TARGET static ALWAYS_INLINE void NAME(result)(int64_t side, const vec *m, vec *t)
{
    const vec sum_a = m[1] + m[2], difference_a = m[1] - m[2];

    if (side == 4) {
        t[0] = m[0] + sum_a;
        t[1] = difference_a + m[3];
    } else {
        const vec sum_b = m[3] + m[4], difference_b = m[3] - m[4];

        t[0] = m[0] + sum_a + sum_b;
        t[1] = FMA(ALL(A), difference_a, ALL(B) * difference_b);
        t[2] = FMA(ALL(A * A), sum_a, ALL(B * B) * sum_b);
        t[3] = FMA(ALL(A * A * A), difference_a, FMA(ALL(B * B * B), difference_b, m[5]));
    }
}

/* g [3] -> t [side] */
TARGET static ALWAYS_INLINE void NAME(filter)(int64_t side, const vec *g, vec *t)
{
    if (side == 4) {
        const vec even = ALL(0.5f) * (g[0] + g[2]), odd = ALL(0.5f) * g[1];

        t[0] = g[0];
        t[1] = even + odd;
        t[2] = even - odd;
        t[3] = g[2];
    } else {
        const float of_a = 1 / (2 * A * A * (A * A - B * B));
        const float of_b = 1 / (2 * B * B * (B * B - A * A));
        const vec even_a = ALL(of_a) * g[0] + ALL(of_a * A * A) * g[2];
        const vec even_b = ALL(of_b) * g[0] + ALL(of_b * B * B) * g[2];
        const vec odd_a = ALL(of_a * A) * g[1], odd_b = ALL(of_b * B) * g[1];

        t[0] = ALL(1 / (A * A * B * B)) * g[0];
        t[1] = even_a + odd_a;
        t[2] = even_a - odd_a;
        t[3] = even_b + odd_b;
        t[4] = even_b - odd_b;
        t[5] = g[2];
    }
}

/* ---- A block of tiles ---- */

/* One block of maps of a tile: cells at rows[y] + columns[x] -> [side^2] vectors, step apart */
TARGET static ALWAYS_INLINE void NAME(take_tile)(int64_t side, const float *from,
                                                 const int64_t *rows, const int64_t *columns,
                                                 float *to, int64_t step)
{
    vec rotated[SIDE][SIDE], d[SIDE], t[SIDE];

    UNROLL
    for (int64_t x = 0; x < side; x++) {
        UNROLL
        for (int64_t y = 0; y < side; y++)
            d[y] = rows[y] < 0 || columns[x] < 0 ? (vec){0} : LOAD(from + rows[y] + columns[x]);
        NAME(source)(side, d, t);
        UNROLL
        for (int64_t y = 0; y < side; y++)
            rotated[y][x] = t[y];
    }
    UNROLL
    for (int64_t y = 0; y < side; y++) {
        NAME(source)(side, rotated[y], t);
        UNROLL
        for (int64_t x = 0; x < side; x++)
            STORE(to + (y * side + x) * step, t[x]);
    }
}

/* Tiles [tile, tile + tiles) of the blocks of maps [group, group + groups) of all sources ->
   [side^2, src_groups, tiles, LANES] */
TARGET static ALWAYS_INLINE void NAME(take)(const struct zf_winograd *w, int64_t side,
                                            const struct zf_winograd_part *part, const float *src,
                                            float *to)
{
    const int64_t map = w->y.in * w->x.in * LANES, end = part->group + part->groups;

    for (int64_t i = 0; i < part->tiles; i++) {
        const int64_t y = (part->tile + i) / w->x.tiles * (side - 2);
        const int64_t x = (part->tile + i) % w->x.tiles * (side - 2);
        int64_t rows[SIDE], columns[SIDE];

        for (int64_t c = part->group; c < end;) {
            const int64_t source = c / w->src_blocks;

            locate(&w->y, y, side, w->stride, source / w->stride - w->y.pad, w->y.in,
                   w->x.samples * w->src_blocks * map, w->x.in * LANES, rows);
            locate(&w->x, x, side, w->stride, source % w->stride - w->x.pad, w->x.in,
                   w->src_blocks * map, LANES, columns);
            for (; c < end && c / w->src_blocks == source; c++)
                NAME(take_tile)
            (side, src + c % w->src_blocks * map, rows, columns, to + (c * part->tiles + i) * LANES,
             part->src_step);
        }
    }
}

/* [side^2, dst_blocks, tiles, LANES] -> dst */
TARGET static ALWAYS_INLINE void NAME(give)(const struct zf_winograd *w, int64_t side,
                                            const struct zf_winograd_part *part, const float *from,
                                            const float *bias, bool relu, float *dst)
{
    const int64_t map = w->y.out * w->x.out * LANES;

    for (int64_t i = 0; i < part->tiles; i++) {
        int64_t rows[SIDE], columns[SIDE];

        locate(&w->y, (part->tile + i) / w->x.tiles * (side - 2), side - 2, 1, 0, w->y.out,
               w->x.samples * w->dst_blocks * map, w->x.out * LANES, rows);
        locate(&w->x, (part->tile + i) % w->x.tiles * (side - 2), side - 2, 1, 0, w->x.out,
               w->dst_blocks * map, LANES, columns);
        for (int64_t c = 0; c < part->groups; c++) {
            const float *in = from + (c * part->tiles + i) * LANES;
            float *to = dst + (part->group + c) * map;
            vec rotated[SIDE][SIDE], m[SIDE], t[SIDE], shift = {0};

            if (bias)
                for (int64_t l = 0; l < LANES && (part->group + c) * LANES + l < w->dst_maps; l++)
                    shift[l] = bias[(part->group + c) * LANES + l];
            UNROLL
            for (int64_t x = 0; x < side; x++) {
                UNROLL
                for (int64_t y = 0; y < side; y++)
                    m[y] = LOAD(in + (y * side + x) * part->dst_step);
                NAME(result)(side, m, t);
                UNROLL
                for (int64_t y = 0; y < side - 2; y++)
                    rotated[y][x] = t[y];
            }
            UNROLL
            for (int64_t y = 0; y < side - 2; y++) {
                NAME(result)(side, rotated[y], t);
                UNROLL
                for (int64_t x = 0; x < side - 2; x++) {
                    vec sum = t[x] + shift;

                    if (relu)
                        sum = (vec)((NAME(mask))sum & (sum > (vec){0}));
                    if (rows[y] >= 0 && columns[x] >= 0)
                        STORE(to + rows[y] + columns[x], sum);
                }
            }
        }
    }
}

/* `tiles` times `width` vectors of results stay in registers over all maps of the source.
   v [groups, step], u [groups * LANES, width, LANES], m [width, step] */
TARGET static ALWAYS_INLINE void NAME(panel)(int64_t tiles, int64_t width, const float *v,
                                             const float *u, float *m, int64_t step, int64_t groups)
{
    vec sums[TILES][WIDTH];

    UNROLL
    for (int64_t i = 0; i < tiles; i++)
        UNROLL
    for (int64_t k = 0; k < width; k++)
        sums[i][k] = (vec){0};
    for (int64_t c = 0; c < groups; c++, v += step)
        for (int64_t l = 0; l < LANES; l++, u += width * LANES) {
            vec filters[WIDTH];

            UNROLL
            for (int64_t k = 0; k < width; k++) {
                __builtin_prefetch(u + AHEAD + k * LANES);
                filters[k] = LOAD(u + k * LANES);
            }
            UNROLL
            for (int64_t i = 0; i < tiles; i++) {
                const vec number = ALL(v[i * LANES + l]);

                UNROLL
                for (int64_t k = 0; k < width; k++)
                    sums[i][k] = FMA(number, filters[k], sums[i][k]);
            }
        }
    UNROLL
    for (int64_t i = 0; i < tiles; i++)
        UNROLL
    for (int64_t k = 0; k < width; k++)
        STORE(m + k * step + i * LANES, sums[i][k]);
}

#define CASE(n)                                                                                    \
    case n:                                                                                        \
        if (n <= TILES)                                                                            \
            NAME(panel)(n <= TILES ? n : TILES, width, v, u, m, step, groups);                     \
        break;

TARGET static ALWAYS_INLINE void NAME(panels)(int64_t tiles, int64_t width, const float *v,
                                              const float *u, float *m, int64_t step,
                                              int64_t groups)
{
    switch (tiles) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
    }
}
#undef CASE

/* [side^2, src_groups, tiles, LANES] times filters -> [side^2, groups, tiles, LANES] */
TARGET static void NAME(multiply)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                                  const float *v, const float *filters, float *m)
{
    const int64_t step = part->tiles * LANES, rounds = (part->tiles + TILES - 1) / TILES;
    const int64_t panel = w->src_groups * LANES * LANES;

    for (int64_t p = 0; p < w->side * w->side; p++)
        for (int64_t c = 0; c < part->groups; c += WIDTH) {
            const float *u = filters + (p * w->dst_blocks + part->group + c) * panel;
            const int64_t groups = groups_at(w, p);

            for (int64_t i = 0; i < rounds; i++) {
                const int64_t from = part->tiles * i / rounds;
                const int64_t count = part->tiles * (i + 1) / rounds - from;
                const float *numbers = v + p * part->src_step + from * LANES;
                float *sums = m + p * part->dst_step + c * step + from * LANES;

                if (part->groups - c >= WIDTH)
                    NAME(panels)(count, WIDTH, numbers, u, sums, step, groups);
                else
                    NAME(panels)(count, 1, numbers, u, sums, step, groups);
            }
        }
}

TARGET static void NAME(transform_source)(const struct zf_winograd *w,
                                          const struct zf_winograd_part *part, const float *src,
                                          float *to)
{
    if (w->side == 4)
        NAME(take)(w, 4, part, src, to);
    else
        NAME(take)(w, 6, part, src, to);
}

TARGET static void NAME(transform_result)(const struct zf_winograd *w,
                                          const struct zf_winograd_part *part, const float *from,
                                          const float *bias, bool relu, float *dst)
{
    if (w->side == 4)
        NAME(give)(w, 4, part, from, bias, relu, dst);
    else
        NAME(give)(w, 6, part, from, bias, relu, dst);
}

/* The filters from one map of one source to LANES maps of the result. */
TARGET static ALWAYS_INLINE void NAME(take_filters)(const struct zf_winograd *w, int64_t side,
                                                    const float *weight, bool down, int64_t map,
                                                    int64_t group, float *to, int64_t step)
{
    const int64_t source = map / (w->src_blocks * LANES), i = map % (w->src_blocks * LANES);
    const int64_t area = w->kernel * w->kernel;
    vec g[9] = {0}, half[SIDE][3], t[SIDE];

    for (int64_t l = 0; l < LANES; l++) {
        const int64_t o = group * LANES + l;
        const float *taps = weight + (down ? i * w->dst_maps + o : o * w->src_maps + i) * area;

        for (int64_t k = 0; k < 9 && o < w->dst_maps && i < w->src_maps; k++) {
            const int64_t y = k / 3 * w->stride + source / w->stride;
            const int64_t x = k % 3 * w->stride + source % w->stride;

            if (y < w->kernel && x < w->kernel)
                g[down ? 8 - k : k][l] = taps[y * w->kernel + x];
        }
    }
    UNROLL
    for (int64_t x = 0; x < 3; x++) {
        const vec column[3] = {g[x], g[3 + x], g[6 + x]};

        NAME(filter)(side, column, t);
        UNROLL
        for (int64_t y = 0; y < side; y++)
            half[y][x] = t[y];
    }
    UNROLL
    for (int64_t y = 0; y < side; y++) {
        NAME(filter)(side, half[y], t);
        UNROLL
        for (int64_t x = 0; x < side; x++)
            STORE(to + (y * side + x) * step, t[x]);
    }
}

/* -> [side^2, panels, src_groups * LANES, WIDTH, LANES], the last panel narrower where need be */
TARGET static void NAME(transform_filters)(const struct zf_winograd *w, const float *weight,
                                           bool down, int64_t group, float *filters)
{
    const int64_t all = w->src_groups * LANES, step = w->dst_blocks * all * LANES;
    const int64_t first = group / WIDTH * WIDTH;
    const int64_t width = w->dst_blocks - first < WIDTH ? w->dst_blocks - first : WIDTH;

    for (int64_t i = 0; i < all; i++) {
        float *to = filters + (first * all + i * width + group - first) * LANES;

        if (w->side == 4)
            NAME(take_filters)(w, 4, weight, down, i, group, to, step);
        else
            NAME(take_filters)(w, 6, weight, down, i, group, to, step);
    }
}

#include "winograd_gradient_kernels.h"

static const struct zf_winograd_kernels NAME(kernels) = {
    LANES,
    TILES,
    NAME(transform_source),
    NAME(multiply),
    NAME(transform_result),
    NAME(transform_filters),
    NAME(spread_result),
    NAME(add_products),
    NAME(gather_filters),
    NAME(add_cells),
};

#undef vec
#undef LOAD
#undef STORE
#undef ALL
#undef NAME
#undef TARGET
#undef LANES
#undef TILES
#undef MAPS
#undef FMA
