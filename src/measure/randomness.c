/* SPDX-License-Identifier: MIT */
#include "measure/randomness.h"

#include <math.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_PAIRED 512 /* rows whose products are taken */
#define STEPS 24        /* of Lanczos: the edge is met to a part of a thousand */
#define TINY 1e-3       /* of the largest length: such rows are dead */

/* Rows of length sqrt(columns) each, in double, one after the other. */
struct matrix {
    double *values;
    double *lengths; /* root mean squares before, [rows] */
    size_t rows, columns;
};

static double square(double x)
{
    return x * x;
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static enum zf_status matrix_init(struct matrix *m, const float *weights, size_t rows,
                                  size_t columns, struct zf_error *err)
{
    double largest = 0;

    m->columns = columns;
    m->values = zf_alloc_raw(rows * columns, sizeof *m->values);
    m->lengths = zf_alloc(rows, sizeof *m->lengths);
    if (!m->values || !m->lengths)
        return zf_no_memory(err, "a matrix of %zu weights", rows * columns);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t r = 0; r < rows; r++) {
            const float *row = weights + r * columns;
            double *to = m->values + m->rows * columns, sum = 0;

            for (size_t i = 0; i < columns; i++)
                sum += square((double)row[i]);
            sum = sqrt(sum / (double)columns);
            largest = fmax(largest, sum);
            if (pass == 0 || !(sum > TINY * largest))
                continue;
            for (size_t i = 0; i < columns; i++)
                to[i] = (double)row[i] / sum;
            m->lengths[m->rows++] = sum;
        }
    }
    return ZF_OK;
}

static void matrix_release(struct matrix *m)
{
    zf_free(m->values);
    zf_free(m->lengths);
}

/* Of the numbers before their rows were brought to one length, which takes n / (n + 2) of it. */
static double fourth_moment(const struct matrix *m)
{
    const size_t count = m->rows * m->columns;
    const double n = (double)m->columns;
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += square(square(m->values[i]));
    return sum / (double)count * (n + 2) / n;
}

/* n cos^2 has mean 1 and variance 2 (n - 1) / (n + 2) for directions at random. */
static double measure_pairs(const struct matrix *m)
{
    const size_t rows = m->rows < MOST_PAIRED ? m->rows : MOST_PAIRED;
    const double n = (double)m->columns, count = (double)(rows * (rows - 1)) / 2;
    double sum = 0;

    for (size_t a = 1; a < rows; a++)
        for (size_t b = 0; b < a; b++)
            sum += square(dot(m->values + a * m->columns, m->values + b * m->columns, m->columns)) /
                       n -
                   1;
    return sum / sqrt(2 * count * (n - 1) / (n + 2));
}

/* The logarithm of a length has the variance (k - 1) / 4n, k being the fourth moment; and a little
   more where n is small, which is that of a chi-square's logarithm. */
static double measure_rows(const struct matrix *m, double k)
{
    const double count = (double)m->rows;
    const double n = (double)m->columns;
    const double expected = fmax(k - 1, 0.1) / (4 * n) * (1 + 1 / n);
    double sum = 0, squares = 0;

    for (size_t r = 0; r < m->rows; r++) {
        sum += log(m->lengths[r]);
        squares += square(log(m->lengths[r]));
    }
    return ((squares - sum * sum / count) / (count - 1) / expected - 1) * sqrt((count - 1) / 2);
}

/* A column's mean square is 1 with the variance (k - 1) / rows. */
static double measure_columns(const struct matrix *m, double k)
{
    const double n = (double)m->columns;
    double sum = 0;

    for (size_t c = 0; c < m->columns; c++) {
        double squares = 0;

        for (size_t r = 0; r < m->rows; r++)
            squares += square(m->values[r * m->columns + c]);
        sum += square(squares / (double)m->rows - 1) * (double)m->rows / fmax(k - 1, 0.1);
    }
    return (sum - n) / sqrt(2 * n);
}

/* dst [rows] = M src, or dst [columns] = M' src. */
static void multiply(const struct matrix *m, const double *src, double *dst)
{
    for (size_t r = 0; r < m->rows; r++)
        dst[r] = dot(m->values + r * m->columns, src, m->columns);
}

static void multiply_transposed(const struct matrix *m, const double *src, double *dst)
{
    for (size_t c = 0; c < m->columns; c++)
        dst[c] = 0;
    for (size_t r = 0; r < m->rows; r++)
        for (size_t c = 0; c < m->columns; c++)
            dst[c] += src[r] * m->values[r * m->columns + c];
}

/* Largest eigenvalue of a symmetric tridiagonal matrix, by how many pivots of T - x are positive.
 */
static double largest_eigenvalue(const double *diagonal, const double *beside, int count)
{
    double low = 0, high = 0;

    for (int i = 0; i < count; i++)
        high = fmax(high, diagonal[i] + fabs(beside[i]) + (i > 0 ? fabs(beside[i - 1]) : 0));
    for (int step = 0; step < 60; step++) {
        const double x = (low + high) / 2;
        double pivot = 1;
        bool above = false;

        for (int i = 0; i < count && !above; i++) {
            pivot = diagonal[i] - x - (i > 0 ? square(beside[i - 1]) / pivot : 0);
            above = pivot >= 0;
        }
        *(above ? &low : &high) = x;
    }
    return high;
}

/* Lanczos on M M': the largest eigenvalue is met first, also without orthogonalising again. */
static enum zf_status largest_square(const struct matrix *m, double *out, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    double diagonal[STEPS] = {0}, beside[STEPS] = {0};
    double *room = zf_alloc(3 * m->rows + m->columns, sizeof *room);
    double *now = room, *before, *next, *between;
    int count = 0;

    if (!room)
        return zf_no_memory(err, "%zu filters", m->rows);
    before = room + m->rows;
    next = room + 2 * m->rows;
    between = room + 3 * m->rows;
    for (size_t r = 0; r < m->rows; r++) /* no direction that a net would prefer */
        now[r] = sin(1.0 + (double)(r * r)) / sqrt((double)m->rows);
    for (double length = sqrt(dot(now, now, m->rows)); count < STEPS && length > 1e-9;) {
        for (size_t r = 0; r < m->rows; r++)
            now[r] /= length;
        multiply_transposed(m, now, between);
        multiply(m, between, next);
        diagonal[count] = dot(now, next, m->rows);
        for (size_t r = 0; r < m->rows; r++) {
            next[r] -= diagonal[count] * now[r] + (count > 0 ? beside[count - 1] * before[r] : 0);
            before[r] = now[r];
            now[r] = next[r];
        }
        length = sqrt(dot(now, now, m->rows));
        beside[count++] = length;
        if (length < 1e-9 * diagonal[0])
            break;
    }
    *out = largest_eigenvalue(diagonal, beside, count);
    zf_free(room);
    return status;
}

static enum zf_status measure_direction(const struct matrix *m, double *out, struct zf_error *err)
{
    const double a = sqrt((double)m->rows), b = sqrt((double)m->columns);
    double largest = 0;

    ZF_CHECK(largest_square(m, &largest, err));
    *out = (largest - square(a + b)) / ((a + b) * cbrt(1 / a + 1 / b));
    return ZF_OK;
}

enum zf_status zf_randomness_measure(const float *weights, size_t rows, size_t columns,
                                     struct zf_randomness *out, struct zf_error *err)
{
    enum zf_status status;
    struct matrix m = {0};
    double k;

    *out = (struct zf_randomness){.most = NAN};
    if (rows < ZF_RANDOMNESS_ROWS || columns < ZF_RANDOMNESS_ROWS ||
        rows * columns < ZF_RANDOMNESS_LEAST)
        return ZF_OK;
    ZF_TRY(matrix_init(&m, weights, rows, columns, err));
    if (m.rows < ZF_RANDOMNESS_ROWS || m.rows * columns < ZF_RANDOMNESS_LEAST)
        goto fail;
    k = fourth_moment(&m);
    out->pairs = measure_pairs(&m);
    out->rows = measure_rows(&m, k);
    out->columns = measure_columns(&m, k);
    out->tails = (k - 3) / sqrt(24 / (double)(m.rows * columns));
    ZF_TRY(measure_direction(&m, &out->direction, err));
    out->most = fmax(fmax(fabs(out->pairs), fmax(fabs(out->rows), fabs(out->columns))),
                     fmax(out->tails, out->direction));
fail:
    matrix_release(&m);
    return status;
}
