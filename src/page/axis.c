/* SPDX-License-Identifier: MIT */
#include "page/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"

#define LARGEST 1e300   /* differences and means of two such values stay finite */
#define SMALLEST 1e-290 /* range: below it digits are lost */
#define MINUS "−"

bool zf_axis_takes(double value)
{
    return isfinite(value) && fabs(value) <= LARGEST;
}

double zf_axis_place(const struct zf_axis *axis, double value)
{
    if (axis->log)
        return (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

/* 1, 2 or 5 times a power of ten, not below `least`. */
static double round_step(double least, int *exponent)
{
    static const double multiples[] = {1, 2, 5, 10};
    double power;
    size_t i = 0;

    *exponent = (int)floor(log10(least));
    power = pow(10, *exponent);
    while (i < 3 && multiples[i] * power < least * (1 - 1e-9))
        i++;
    *exponent += i == 3;
    return multiples[i] * power;
}

static void write_exponent(char *label, size_t size, int exponent)
{
    static const char *const digits[10] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char number[16];
    size_t used = 0;

    snprintf(number, sizeof number, "%d", exponent);
    for (const char *c = number; *c && used + 4 < size; c++) {
        const char *text = *c == '-' ? "⁻" : digits[*c - '0'];

        memcpy(label + used, text, strlen(text));
        used += strlen(text);
    }
    label[used] = '\0';
}

/* "-2.5" with a proper minus, and the power of ten that all labels of the axis share. */
static void write_label(char *label, size_t size, double value, int decimals, int exponent)
{
    const double mantissa = exponent == 0 ? value : value / pow(10, exponent);
    char power[24] = "", number[ZF_COUNT_TEXT];

    if (value == 0) {
        snprintf(label, size, "0");
        return;
    }
    if (decimals == 0 && fabs(mantissa) < 1e15)
        zf_count_text(llround(fabs(mantissa)), ZF_THIN_GAP, number);
    else
        snprintf(number, sizeof number, "%.*f", decimals, fabs(mantissa));
    if (exponent != 0)
        write_exponent(power, sizeof power, exponent);
    snprintf(label, size, "%s%s%s%s", value < 0 ? MINUS : "", number, exponent != 0 ? "·10" : "",
             power);
}

/* A range that is a point, or hardly more, becomes one around it. */
static void widen(double *low, double *high)
{
    const double middle = *low / 2 + *high / 2;
    const double magnitude = fmax(fabs(*low), fabs(*high));

    if (*high - *low > fmax(1e-12 * magnitude, SMALLEST))
        return;
    *low = middle - (magnitude > SMALLEST ? 0.5 * magnitude : 1);
    *high = middle + (magnitude > SMALLEST ? 0.5 * magnitude : 1);
}

/* What the labels of an axis share: a power of ten where they would be long, and decimals. */
static void write_labels(struct zf_axis *axis, int step_exponent)
{
    const double magnitude = fmax(fabs(axis->low), fabs(axis->high));
    const int power = (int)floor(log10(magnitude) + 1e-9);
    const int shared = power >= 6 || power < -3 ? power : 0;
    const int decimals = shared > step_exponent ? shared - step_exponent : 0;

    for (size_t i = 0; i < axis->tick_count; i++)
        write_label(axis->ticks[i].label, sizeof axis->ticks[i].label, axis->ticks[i].value,
                    decimals > 15 ? 15 : decimals, shared);
}

void zf_axis_linear(struct zf_axis *axis, double low, double high, size_t most, bool extend,
                    bool whole)
{
    double step, first, last;
    int exponent;

    widen(&low, &high);
    if (whole) {
        low = floor(low);
        high = ceil(high);
    }
    /* Extending adds a tick at either end. */
    step = (high - low) / (double)(most - (extend ? 2 : 1));
    if (whole) /* the ends are whole and not the same: a step of 1 has two ticks */
        step = fmax(step, 1.0);
    do {
        step = round_step(step, &exponent);
        first = extend ? floor(low / step + 1e-9) : ceil(low / step - 1e-9);
        last = extend ? ceil(high / step - 1e-9) : floor(high / step + 1e-9);
        if (last < first + 1)
            step /= 2.6; /* which rounds to the step below */
    } while (last < first + 1);
    *axis = (struct zf_axis){.low = extend ? fmin(low, first * step) : low,
                             .high = extend ? fmax(high, last * step) : high};
    for (double i = first; i <= last && axis->tick_count < ZF_AXIS_TICKS; i++)
        axis->ticks[axis->tick_count++].value = i * step;
    write_labels(axis, exponent);
}

static void add_log_tick(struct zf_axis *axis, double multiple, int exponent)
{
    struct zf_tick *tick = &axis->ticks[axis->tick_count];
    const double value = multiple * pow(10, exponent);
    const bool plain = exponent >= -3 && exponent < 6;

    if (axis->tick_count == ZF_AXIS_TICKS || value < axis->low * (1 - 1e-9) ||
        value > axis->high * (1 + 1e-9))
        return;
    tick->value = value;
    write_label(tick->label, sizeof tick->label, value, plain && exponent < 0 ? -exponent : 0,
                plain ? 0 : exponent);
    axis->tick_count++;
}

void zf_axis_log(struct zf_axis *axis, double low, double high, size_t most)
{
    int first, last, every;

    if (!(high > low * (1 + 1e-9))) {
        low /= 2;
        high *= 2;
    }
    *axis = (struct zf_axis){.low = low, .high = high, .log = true};
    first = (int)floor(log10(low));
    last = (int)ceil(log10(high));
    every = (last - first) / (int)most + 1;
    for (int exponent = first; exponent <= last; exponent += every) {
        add_log_tick(axis, 1, exponent);
        if (last - first <= 2) {
            add_log_tick(axis, 2, exponent);
            add_log_tick(axis, 5, exponent);
        }
    }
}
