/* SPDX-License-Identifier: MIT */
#include "image/levels.h"

#include <math.h>

#include "base/status.h"

void zf_span_add(struct zf_span *span, const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const float value = values[i];

        if (!isfinite(value)) {
            span->not_finite = true;
        } else if (!span->begun) {
            span->begun = true;
            span->low = span->high = value;
        } else {
            span->low = value < span->low ? value : span->low;
            span->high = value > span->high ? value : span->high;
        }
    }
}

enum zf_status zf_span_scale(const struct zf_span *span, const char *name, float *scale,
                             struct zf_error *err)
{
    static const struct {
        float most, white;
        bool of_floats, of_integers;
    } ranges[] = {
        {2.0f, 1.0f, true, false},
        {256.0f, 255.0f, true, true},
        {4095.0f, 4095.0f, false, true},
        {65536.0f, 65535.0f, true, true},
    };

    if (span->not_finite)
        return zf_fail(err, ZF_EINPUT, "%s: holds values that are not finite", name);
    for (size_t k = 0; k < ZF_COUNT(ranges); k++) {
        if (span->high > ranges[k].most ||
            !(span->whole ? ranges[k].of_integers : ranges[k].of_floats))
            continue;
        if (span->low < -0.1f * span->high)
            break;
        *scale = 255.0f / ranges[k].white;
        return ZF_OK;
    }
    return zf_fail(err, ZF_EINPUT,
                   "%s: values from %g to %g, where a picture's go from 0 to 1, 255 or 65535", name,
                   (double)span->low, (double)span->high);
}
