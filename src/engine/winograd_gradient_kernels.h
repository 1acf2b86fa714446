/* SPDX-License-Identifier: MIT */
/* The loops of the gradient of filters; included by winograd_kernels.h. Each transform is that of
   the way up transposed, from what was its result to what was its source. */

/* t [side - 2] -> m [side] */
TARGET static ALWAYS_INLINE void NAME(spread)(int64_t side, const vec *t, vec *m)
{
    if (side == 4) {
        m[0] = t[0];
        m[1] = t[0] + t[1];
        m[2] = t[0] - t[1];
        m[3] = t[1];
    } else {
        const vec even_a = FMA(ALL(A * A), t[2], t[0]), even_b = FMA(ALL(B * B), t[2], t[0]);
        const vec odd_a = FMA(ALL(A * A * A), t[3], ALL(A) * t[1]);
        const vec odd_b = FMA(ALL(B * B * B), t[3], ALL(B) * t[1]);

        m[0] = t[0];
        m[1] = even_a + odd_a;
        m[2] = even_a - odd_a;
        m[3] = even_b + odd_b;
        m[4] = even_b - odd_b;
        m[5] = t[3];
    }
}

/* t [side] -> g [3] */
TARGET static ALWAYS_INLINE void NAME(gather)(int64_t side, const vec *t, vec *g)
{
    const vec sum_a = t[1] + t[2], difference_a = t[1] - t[2];

    if (side == 4) {
        g[0] = FMA(ALL(0.5f), sum_a, t[0]);
        g[1] = ALL(0.5f) * difference_a;
        g[2] = FMA(ALL(0.5f), sum_a, t[3]);
    } else {
        const float of_a = 1 / (2 * A * A * (A * A - B * B));
        const float of_b = 1 / (2 * B * B * (B * B - A * A));
        const vec sum_b = t[3] + t[4], difference_b = t[3] - t[4];

        g[0] = FMA(ALL(1 / (A * A * B * B)), t[0], FMA(ALL(of_a), sum_a, ALL(of_b) * sum_b));
        g[1] = FMA(ALL(of_a * A), difference_a, ALL(of_b * B) * difference_b);
        g[2] = FMA(ALL(of_a * A * A), sum_a, FMA(ALL(of_b * B * B), sum_b, t[5]));
    }
}

/* One block of maps of a tile: cells at rows[y] + columns[x] -> [side^2] vectors, step apart */
TARGET static ALWAYS_INLINE void NAME(spread_tile)(int64_t side, const float *from,
                                                   const int64_t *rows, const int64_t *columns,
                                                   float *to, int64_t step)
{
    vec rotated[SIDE][SIDE], d[SIDE], m[SIDE];

    UNROLL
    for (int64_t x = 0; x < side - 2; x++) {
        UNROLL
        for (int64_t y = 0; y < side - 2; y++)
            d[y] = rows[y] < 0 || columns[x] < 0 ? (vec){0} : LOAD(from + rows[y] + columns[x]);
        NAME(spread)(side, d, m);
        UNROLL
        for (int64_t y = 0; y < side; y++)
            rotated[y][x] = m[y];
    }
    UNROLL
    for (int64_t y = 0; y < side; y++) {
        NAME(spread)(side, rotated[y], m);
        UNROLL
        for (int64_t x = 0; x < side; x++)
            STORE(to + (y * side + x) * step, m[x]);
    }
}

/* Tiles [tile, tile + tiles) of a block of maps of the result -> [side^2, dst_blocks, tiles,
   LANES] */
TARGET static ALWAYS_INLINE void NAME(spread_tiles)(const struct zf_winograd *w, int64_t side,
                                                    const struct zf_winograd_part *part,
                                                    const float *diff_dst, float *to)
{
    const int64_t map = w->y.out * w->x.out * LANES;

    for (int64_t i = 0; i < part->tiles; i++) {
        int64_t rows[SIDE], columns[SIDE];

        locate(&w->y, (part->tile + i) / w->x.tiles * (side - 2), side - 2, 1, 0, w->y.out,
               w->x.samples * w->dst_blocks * map, w->x.out * LANES, rows);
        locate(&w->x, (part->tile + i) % w->x.tiles * (side - 2), side - 2, 1, 0, w->x.out,
               w->dst_blocks * map, LANES, columns);
        NAME(spread_tile)
        (side, diff_dst + part->group * map, rows, columns,
         to + (part->group * part->tiles + i) * LANES, part->dst_step);
    }
}

TARGET static void NAME(spread_result)(const struct zf_winograd *w,
                                       const struct zf_winograd_part *part, const float *diff_dst,
                                       float *to)
{
    if (w->side == 4)
        NAME(spread_tiles)(w, 4, part, diff_dst, to);
    else
        NAME(spread_tiles)(w, 6, part, diff_dst, to);
}

/* MAPS maps of the source times `width` vectors of the result stay in registers over all tiles.
   v [tiles, LANES], m [width, tiles, LANES], sums [width, step] */
TARGET static ALWAYS_INLINE void NAME(square)(int64_t width, int64_t tiles, const float *v,
                                              const float *m, float *sums, int64_t step, bool first)
{
    vec square[MAPS][WIDTH];

    UNROLL
    for (int64_t i = 0; i < MAPS; i++)
        UNROLL
    for (int64_t k = 0; k < width; k++)
        square[i][k] = (vec){0};
    for (int64_t t = 0; t < tiles; t++) {
        vec results[WIDTH];

        UNROLL
        for (int64_t k = 0; k < width; k++)
            results[k] = LOAD(m + (k * tiles + t) * LANES);
        UNROLL
        for (int64_t i = 0; i < MAPS; i++) {
            const vec number = ALL(v[t * LANES + i]);

            UNROLL
            for (int64_t k = 0; k < width; k++)
                square[i][k] = FMA(number, results[k], square[i][k]);
        }
    }
    UNROLL
    for (int64_t i = 0; i < MAPS; i++)
        UNROLL
    for (int64_t k = 0; k < width; k++) {
        float *to = sums + k * step + i * LANES;

        STORE(to, first ? square[i][k] : LOAD(to) + square[i][k]);
    }
}

/* v [src_groups, tiles, LANES] and m [dst_blocks, tiles, LANES] of one place; sums [dst_blocks,
   src_groups * LANES, LANES], of which the part's blocks of maps of the result are added to, or
   written at the first tile. */
TARGET static void NAME(add_products)(const struct zf_winograd *w,
                                      const struct zf_winograd_part *part, int64_t place,
                                      const float *v, const float *m, float *sums)
{
    const int64_t step = w->src_groups * LANES * LANES, maps = groups_at(w, place) * LANES;
    const float *results = m + part->group * part->tiles * LANES;

    for (int64_t i = 0; i < maps; i += MAPS) {
        const float *numbers = v + i / LANES * part->tiles * LANES + i % LANES;
        float *to = sums + part->group * step + i * LANES;

        if (part->groups == WIDTH)
            NAME(square)(WIDTH, part->tiles, numbers, results, to, step, part->tile == 0);
        else
            NAME(square)(1, part->tiles, numbers, results, to, step, part->tile == 0);
    }
}

/* The filters from one map of one source to LANES maps of the result. */
TARGET static ALWAYS_INLINE void NAME(give_filters)(const struct zf_winograd *w, int64_t side,
                                                    const float *sums, int64_t step, int64_t map,
                                                    int64_t group, float *diff_weight)
{
    const int64_t source = map / (w->src_blocks * LANES), i = map % (w->src_blocks * LANES);
    const int64_t area = w->kernel * w->kernel;
    vec half[3][SIDE], column[SIDE], g[3];

    UNROLL
    for (int64_t x = 0; x < side; x++) {
        UNROLL
        for (int64_t y = 0; y < side; y++)
            column[y] = LOAD(sums + (y * side + x) * step);
        NAME(gather)(side, column, g);
        UNROLL
        for (int64_t y = 0; y < 3; y++)
            half[y][x] = g[y];
    }
    UNROLL
    for (int64_t k = 0; k < 3; k++) {
        const int64_t y = k * w->stride + source / w->stride;

        NAME(gather)(side, half[k], g);
        for (int64_t j = 0; j < 3 && y < w->kernel; j++) {
            const int64_t x = j * w->stride + source % w->stride;
            float *tap = diff_weight + (group * LANES * w->src_maps + i) * area + y * w->kernel + x;

            if (x < w->kernel)
                for (int64_t l = 0; l < LANES && group * LANES + l < w->dst_maps; l++)
                    tap[l * w->src_maps * area] = g[j][l];
        }
    }
}

/* sums [side^2, dst_blocks, src_groups * LANES, LANES] -> diff_weight */
TARGET static void NAME(gather_filters)(const struct zf_winograd *w, const float *sums,
                                        int64_t group, float *diff_weight)
{
    const int64_t all = w->src_groups * LANES, step = w->dst_blocks * all * LANES;

    for (int64_t i = 0; i < all; i++) {
        const float *from = sums + (group * all + i) * LANES;

        if (i % (w->src_blocks * LANES) >= w->src_maps)
            continue;
        if (w->side == 4)
            NAME(give_filters)(w, 4, from, step, i, group, diff_weight);
        else
            NAME(give_filters)(w, 6, from, step, i, group, diff_weight);
    }
}

/* The sums of LANES maps over all samples and cells. */
TARGET static void NAME(add_cells)(const struct zf_winograd *w, const float *diff_dst,
                                   int64_t group, float *diff_bias)
{
    const int64_t samples = w->y.samples * w->x.samples, cells = w->y.out * w->x.out;
    double sums[LANES] = {0};

    for (int64_t n = 0; n < samples; n++) {
        const float *from = diff_dst + (n * w->dst_blocks + group) * cells * LANES;
        vec sum = {0};

        for (int64_t i = 0; i < cells; i++)
            sum += LOAD(from + i * LANES);
        for (int64_t l = 0; l < LANES; l++)
            sums[l] += (double)sum[l];
    }
    for (int64_t l = 0; l < LANES && group * LANES + l < w->dst_maps; l++)
        diff_bias[group * LANES + l] = (float)sums[l];
}
