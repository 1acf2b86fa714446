/* SPDX-License-Identifier: MIT */
/* The additions of scatter.c, for one width of vectors. Included there once for each instruction
   set, with NAME, TARGET, LANES, SUMS, PART and FMA defined. */
typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec NAME(vec)
#define LOAD(from) ((vec) * (const NAME(loose) *)(from))

/* `rows` x `vectors` of the canvas stay in registers over all numbers of a cell. from: the part of
   the filters that is added there, that of the group's first map; next: its distance from row to
   row */
TARGET static ALWAYS_INLINE void NAME(add_part)(const struct scatter *s, const struct numbers *cell,
                                                const float *from, int64_t next, float *to,
                                                int64_t rows, int64_t vectors)
{
    vec sums[MOST_SUMS];

    UNROLL
    for (int64_t j = 0; j < rows * vectors; j++)
        sums[j] = LOAD(to + j / vectors * s->canvas.row + j % vectors * LANES);
    for (int64_t k = 0; k < cell->count; k++) {
        const vec factor = cell->factors[k] - (vec){0};
        const float *filter = from + cell->lanes[k] * s->filter;

        UNROLL
        for (int64_t j = 0; j < rows * vectors; j++)
            sums[j] = FMA(factor, LOAD(filter + j / vectors * next + j % vectors * LANES), sums[j]);
    }
    UNROLL
    for (int64_t j = 0; j < rows * vectors; j++)
        *(NAME(loose) *)(to + j / vectors * s->canvas.row + j % vectors * LANES) =
            (NAME(loose))sums[j];
}

/* `vectors` of every row, as many rows at a time as registers hold. */
TARGET static ALWAYS_INLINE void NAME(add_column)(const struct scatter *s,
                                                  const struct numbers *cell, const float *from,
                                                  int64_t next, float *to, int64_t vectors)
{
    const int64_t down = s->canvas.row;
    int64_t left = s->window.kernel_h;

#define ROWS(n)                                                                                    \
    for (; (n)*vectors <= SUMS && left >= (n); left -= (n)) {                                      \
        NAME(add_part)(s, cell, from, next, to, n, vectors);                                       \
        from += (n)*next;                                                                          \
        to += (n)*down;                                                                            \
    }
    if (vectors == 2) /* as of 7x7 filters of three maps */
        ROWS(7)
    if (vectors == 5) /* as of 5x5 filters of sixteen */
        ROWS(5)
    if (vectors <= 4)
        ROWS(3)
    ROWS(1)
#undef ROWS
}

#define CASE(n)                                                                                    \
    case n:                                                                                        \
        NAME(add_column)(s, cell, from, (n)*LANES, to, n);                                         \
        break;

/* The numbers of one cell, with a group of maps of the canvas. */
TARGET static ALWAYS_INLINE void NAME(add_cell)(const struct scatter *s, const struct numbers *cell,
                                                const float *from, float *to)
{
    int64_t left = s->filter_row / LANES;

    switch (left) { /* whole rows, at distances that the compiler knows */
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(10)
    default:
        for (; left > 0; left -= PART) {
            NAME(add_column)(s, cell, from, s->filter_row, to, PART);
            from += PART * LANES;
            to += PART * LANES;
        }
    }
}
#undef CASE

/* The numbers' filters between them and a group of maps of the canvas stay in cache. */
TARGET static void NAME(add_filters)(const struct scatter *s, struct list *list)
{
    const int64_t filter = s->window.kernel_h * s->filter_row;

    for (int64_t g = 0; g < s->canvas.groups; g++) {
        int64_t first = 0;

        for (int64_t k = 0; k < list->cell_count; first = list->cells[k++].end) {
            const struct numbers cell = {list->factors + first, list->lanes + first,
                                         list->cells[k].end - first};

            NAME(add_cell)
            (s, &cell, list->filters + g * filter,
             list->canvas + g * s->canvas.group + list->cells[k].to);
        }
    }
    list->count = list->cell_count = 0;
}

#undef SUMS
#undef PART
#undef vec
#undef LOAD
#undef NAME
#undef TARGET
#undef LANES
#undef FMA
