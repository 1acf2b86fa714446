/* SPDX-License-Identifier: MIT */
/* The windows of unpool_box.c, for one width of vectors. Included there once for each instruction
   set, with NAME, TARGET and LANES defined. */
typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(mask) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec NAME(vec)
#define mask NAME(mask)
#define LOAD(from) ((vec) * (const NAME(loose) *)(from))
#define CHOOSE(which, a, b) (((which) & (mask)(a)) | (~(which) & (mask)(b)))

/* LANES maps from `lane` on: of each the first largest of the window's numbers, then to it. */
TARGET static ALWAYS_INLINE void NAME(unpool_lanes)(const struct job *job, struct taps ys,
                                                    struct taps xs, const float *signal,
                                                    int64_t lane)
{
    const vec add = LOAD(signal + lane);
    vec best = LOAD(seen_at(job, ys.first, xs.first) + lane);
    mask at = {0};
    int32_t tap = 0;

    for (int64_t y = ys.first; y < ys.end; y += ys.step)
        for (int64_t x = xs.first; x < xs.end; x += xs.step, tap++) {
            const vec number = LOAD(seen_at(job, y, x) + lane);
            const mask larger = number > best;

            best = (vec)CHOOSE(larger, number, best);
            at = CHOOSE(larger, tap - (mask){0}, at);
        }
    tap = 0;
    for (int64_t y = ys.first; y < ys.end; y += ys.step)
        for (int64_t x = xs.first; x < xs.end; x += xs.step, tap++) {
            float *to = box_at(job, y, x);

            if (to)
                *(NAME(loose) *)(to + lane) =
                    (NAME(loose))(LOAD(to + lane) + (vec)((at == tap) & (mask)add));
        }
}

TARGET static void NAME(unpool)(const struct job *job)
{
    const struct zf_window *w = &job->how->window;
    const struct zf_cut *box = &job->how->box;

    for (int64_t i = 0; i < job->signal.height; i++)
        for (int64_t k = 0; k < job->signal.width; k++) {
            const struct taps ys =
                taps_of(job->windows.y + i * w->stride_h, w->kernel_h, w->dilate_h, box->height);
            const struct taps xs =
                taps_of(job->windows.x + k * w->stride_w, w->kernel_w, w->dilate_w, box->width);
            const float *signal = (const float *)(const void *)(job->from + i * job->signal.row +
                                                                k * job->signal.cell);
            int64_t lane = 0;

            if (ys.first >= ys.end || xs.first >= xs.end)
                continue; /* the window is outside of the map */
            for (; lane + LANES <= job->signal.lanes; lane += LANES)
                NAME(unpool_lanes)(job, ys, xs, signal, lane);
            for (; lane < job->signal.lanes; lane++)
                unpool_lane(job, ys, xs, signal, lane);
        }
}

#undef vec
#undef mask
#undef LOAD
#undef CHOOSE
#undef NAME
#undef TARGET
#undef LANES
