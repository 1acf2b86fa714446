/* SPDX-License-Identifier: MIT */
#include "engine_fixture.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

void reference_rig(struct rig *rig, uint64_t seed, int64_t batch)
{
    rig_init(rig, &zf_engine_reference, seed, NULL);
    rig_create_engine(rig, batch, true, true);
}

zf_value given(struct rig *rig, struct zf_dims dims, const float *numbers)
{
    const zf_value value = rig_input(rig, dims, SIGN, 0.0);

    memcpy(rig->inputs[rig->input_count - 1].plain, numbers,
           (size_t)dims_count(dims) * sizeof *numbers);
    return value;
}

zf_value held(struct rig *rig, struct zf_dims dims, const float *numbers)
{
    float *array = rig_array(rig, dims_count(dims), SIGN, 0.0);

    memcpy(array, numbers, (size_t)dims_count(dims) * sizeof *numbers);
    return rig->ops->host(rig->e, dims, array);
}

struct zf_dims vector(int64_t count)
{
    return (struct zf_dims){1, {count}};
}

struct zf_dims matrix(int64_t rows, int64_t columns)
{
    return (struct zf_dims){2, {rows, columns}};
}

float *read_all(struct rig *rig, zf_value value)
{
    const struct zf_dims dims = rig->ops->dims(rig->e, value);
    float *numbers = rig_array(rig, dims_count(dims), SIGN, 0.0);

    rig->ops->read(rig->e, value, numbers, dims.d[0]);
    return numbers;
}

void expect_near(const float *got, const double *expected, int64_t count, double margin)
{
    for (int64_t i = 0; i < count; i++) {
        if (!(fabs((double)got[i] - expected[i]) <= margin))
            fail_msg("[%" PRId64 "]: expected %.9g, got %.9g", i, expected[i], (double)got[i]);
    }
}

void expect_numbers(struct rig *rig, zf_value value, const double *expected, double margin)
{
    expect_near(read_all(rig, value), expected, dims_count(rig->ops->dims(rig->e, value)), margin);
}

double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <diff, output> with everything as it stands now. */
static double loss_of(struct rig *rig, zf_value output, const float *diff)
{
    rig_run(rig, ZF_PROGRAM_REFRESH);
    rig_forward(rig);
    return dot(read_all(rig, output), diff, dims_count(rig->ops->dims(rig->e, output)));
}

void expect_gradient(struct rig *rig, zf_value output, const float *diff, float *numbers,
                     const float *analytic, int64_t count)
{
    const float step = 0x1p-6f;
    double norm = 0.0, off = 0.0;

    for (int64_t i = 0; i < count; i++) {
        static const float offsets[4] = {-2.0f, -1.0f, 1.0f, 2.0f};
        static const double factors[4] = {1.0, -8.0, 8.0, -1.0};
        const size_t arrays = rig->array_count;
        const float middle = numbers[i];
        double slope = 0.0;

        for (int k = 0; k < 4; k++) {
            numbers[i] = middle + offsets[k] * step;
            slope += factors[k] * loss_of(rig, output, diff);
            while (rig->array_count > arrays)
                zf_free(rig->arrays[--rig->array_count]);
        }
        numbers[i] = middle;
        slope /= 12.0 * (double)step;
        norm += slope * slope;
        off += (slope - (double)analytic[i]) * (slope - (double)analytic[i]);
    }
    if (!(sqrt(off) <= 1e-4 * sqrt(norm) + 1e-5))
        fail_msg("gradient of %" PRId64 " numbers: off by %g of %g", count, sqrt(off), sqrt(norm));
}
