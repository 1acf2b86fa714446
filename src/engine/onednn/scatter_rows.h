/* SPDX-License-Identifier: MIT */
/* The additions of scatter.c, for one width of vectors. Included there once for each instruction
   set, with NAME, TARGET, LANES and FMA defined. */
typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec NAME(vec)
#define LOAD(from) ((vec) * (const NAME(loose) *)(from))

/* `vectors` of a row of the canvas stay in registers over all numbers of a cell.
   from [lane, stride]: the filters' parts for this row */
TARGET static ALWAYS_INLINE void NAME(add_part)(int64_t vectors, const struct entry *cell,
                                                int64_t count, const float *from, int64_t stride,
                                                float *to)
{
    vec sums[MOST_VECTORS];

    UNROLL
    for (int64_t j = 0; j < vectors; j++)
        sums[j] = LOAD(to + j * LANES);
    for (int64_t k = 0; k < count; k++) {
        const vec factor = cell[k].factor - (vec){0};
        const float *filter = from + cell[k].lane * stride;

        UNROLL
        for (int64_t j = 0; j < vectors; j++)
            sums[j] = FMA(factor, LOAD(filter + j * LANES), sums[j]);
    }
    UNROLL
    for (int64_t j = 0; j < vectors; j++)
        *(NAME(loose) *)(to + j * LANES) = (NAME(loose))sums[j];
}

#define CASE(n)                                                                                    \
    case n:                                                                                        \
        NAME(add_part)(n, cell, count, from, stride, to);                                          \
        break;

/* The numbers of one cell to one row of the canvas. */
TARGET static ALWAYS_INLINE void NAME(add_row)(const struct entry *cell, int64_t count,
                                               const float *from, int64_t stride, float *to,
                                               int64_t size)
{
    for (; size >= MOST_VECTORS * LANES; size -= MOST_VECTORS * LANES) {
        NAME(add_part)(MOST_VECTORS, cell, count, from, stride, to);
        from += MOST_VECTORS * LANES;
        to += MOST_VECTORS * LANES;
    }
    switch (size / LANES) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
    }
}
#undef CASE

/* The entries' filters between them and a group of maps of the canvas stay in cache. */
TARGET static void NAME(add_filters)(const struct scatter *s, struct list *list)
{
    const int64_t rows = s->window.kernel_h, size = s->filter_row;
    const int64_t stride = s->canvas.groups * rows * size;

    for (int64_t g = 0; g < s->canvas.groups; g++)
        for (int64_t k = 0, count; k < list->count; k += count) {
            const struct entry *cell = list->entries + k;
            const float *from = list->filters + g * rows * size;
            float *to = list->canvas + g * s->canvas.group + cell->to;

            for (count = 1; k + count < list->count && cell[count].to == cell->to;)
                count++;
            for (int64_t i = 0; i < rows; i++)
                NAME(add_row)
            (cell, count, from + i * size, stride, to + i * s->canvas.row, size);
        }
    list->count = 0;
}

#undef vec
#undef LOAD
#undef NAME
#undef TARGET
#undef LANES
#undef FMA
