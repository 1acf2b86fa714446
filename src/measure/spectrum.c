/* SPDX-License-Identifier: MIT */
/*
 * The transform is separable: rows, then columns. Filters and patches are so small that sums over
 * a table of sines are as good as a fast transform, and plainer. A real plane's spectrum is
 * symmetric, so that of fx only 0 to 1/2 is computed; all in between count twice.
 */
#include "measure/spectrum.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"

#define LOW (1.0 / 8)  /* cycles per pixel */
#define HIGH (1.0 / 4) /* cycles per pixel */
#define PI 3.14159265358979323846

struct transform {
    int64_t height, width, side;
    double *cosine, *sine;    /* [side] of 2 pi i / side */
    double *real, *imaginary; /* [height, side / 2 + 1]: rows transformed */
};

static void transform_rows(struct transform *t, const float *src)
{
    const int64_t half = t->side / 2 + 1;

    for (int64_t y = 0; y < t->height; y++) {
        for (int64_t fx = 0; fx < half; fx++) {
            double real = 0, imaginary = 0;

            for (int64_t x = 0; x < t->width; x++) {
                const int64_t i = fx * x % t->side;

                real += (double)src[y * t->width + x] * t->cosine[i];
                imaginary -= (double)src[y * t->width + x] * t->sine[i];
            }
            t->real[y * half + fx] = real;
            t->imaginary[y * half + fx] = imaginary;
        }
    }
}

static double energy_at(const struct transform *t, int64_t fy, int64_t fx)
{
    const int64_t half = t->side / 2 + 1;
    double real = 0, imaginary = 0;

    for (int64_t y = 0; y < t->height; y++) {
        const int64_t i = fy * y % t->side;
        const double a = t->real[y * half + fx], b = t->imaginary[y * half + fx];

        real += a * t->cosine[i] + b * t->sine[i];
        imaginary += b * t->cosine[i] - a * t->sine[i];
    }
    return real * real + imaginary * imaginary;
}

static enum zf_band band_of(double fy, double fx)
{
    const double f = sqrt(fy * fy + fx * fx);

    return f < LOW ? ZF_BAND_LOW : f < HIGH ? ZF_BAND_MIDDLE : ZF_BAND_HIGH;
}

static void collect(struct zf_spectrum *spectrum, const struct transform *t, int64_t stride)
{
    const double nyquist = 0.5 / (double)stride + 1e-9;

    for (int64_t i = 0; i < t->side; i++) {
        const double fy = (double)(i <= t->side / 2 ? i : i - t->side) / (double)t->side;

        for (int64_t j = 0; j <= t->side / 2; j++) {
            const double fx = (double)j / (double)t->side;
            const bool alone = j == 0 || 2 * j == t->side; /* its own mirror image */
            const double energy = energy_at(t, i, j) * (alone ? 1 : 2);

            spectrum->band[band_of(fy, fx)] += energy;
            spectrum->folded += fabs(fy) > nyquist || fx > nyquist ? energy : 0;
            spectrum->total += energy;
        }
    }
}

enum zf_status zf_spectrum_add(struct zf_spectrum *spectrum, const float *src, int64_t height,
                               int64_t width, int64_t side, int64_t stride, struct zf_error *err)
{
    struct transform t = {.height = height, .width = width, .side = side};
    enum zf_status status = ZF_OK;
    size_t cells;

    if (height < 1 || width < 1 || height > side || width > side || side > ZF_SPECTRUM_SIDE ||
        stride < 1)
        return zf_fail(err, ZF_EINVAL,
                       "a plane of %" PRId64 "x%" PRId64 " does not fit a spectrum of %" PRId64,
                       height, width, side);
    cells = (size_t)(height * (side / 2 + 1));
    t.cosine = zf_alloc((size_t)side, sizeof(double));
    t.sine = zf_alloc((size_t)side, sizeof(double));
    t.real = zf_alloc(cells, sizeof(double));
    t.imaginary = zf_alloc(cells, sizeof(double));
    if (!t.cosine || !t.sine || !t.real || !t.imaginary)
        ZF_LEAVE(zf_no_memory(err, "a spectrum of %" PRId64, side));
    for (int64_t i = 0; i < side; i++) {
        t.cosine[i] = cos(2 * PI * (double)i / (double)side);
        t.sine[i] = sin(2 * PI * (double)i / (double)side);
    }
    transform_rows(&t, src);
    collect(spectrum, &t, stride);
fail:
    zf_free(t.imaginary);
    zf_free(t.real);
    zf_free(t.sine);
    zf_free(t.cosine);
    return status;
}
