/* SPDX-License-Identifier: MIT */
/* What all engines share, and the parts of the reference that are not arithmetic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine_compare.h"
#include "held.h"
#include "base/memory.h"
#include "base/status.h"

/* ---- Windows ---- */

/* Windows counted one by one over `padded` cells; they begin at 0, stride, 2 * stride, ... */
static int64_t windows_that_fit(int64_t padded, int64_t kernel, int64_t stride)
{
    int64_t count = 0;

    for (int64_t begin = 0; begin + kernel <= padded; begin += stride)
        count++;
    return count;
}

/* cuda-convnet goes on until a window has reached the end, as long as it begins before the
   trailing pad. */
static int64_t windows_that_cover(int64_t padded, int64_t kernel, int64_t stride, int64_t inside)
{
    int64_t count = 1;

    if (padded < kernel)
        return 0;
    for (int64_t begin = stride; begin + kernel < padded + stride && begin < inside;
         begin += stride)
        count++;
    return count;
}

static void window_extents_are_what_counting_windows_gives(void **state)
{
    (void)state;
    for (int64_t in = 1; in <= 64; in++) {
        for (int64_t kernel = 1; kernel <= 11; kernel++) {
            for (int64_t code = 0; code < 6 * kernel * kernel; code++) {
                const int64_t stride = code % 6 + 1;
                const int64_t before = code / 6 % kernel, after = code / 6 / kernel;
                const int64_t padded = before + in + after;

                assert_int_equal(zf_window_extent(in, kernel, stride, before, after, false),
                                 windows_that_fit(padded, kernel, stride));
                assert_int_equal(zf_window_extent(in, kernel, stride, before, after, true),
                                 windows_that_cover(padded, kernel, stride, before + in));
            }
        }
    }
}

static void rounding_up_gives_the_sizes_of_the_paper(void **state)
{
    (void)state;
    assert_int_equal(zf_window_extent(224, 7, 2, 0, 0, true), 110);
    assert_int_equal(zf_window_extent(224, 7, 2, 0, 0, false), 109);
    assert_int_equal(zf_window_extent(110, 3, 2, 0, 0, true), 55);
    assert_int_equal(zf_window_extent(55, 5, 2, 0, 0, true), 26);
    assert_int_equal(zf_window_extent(26, 3, 2, 0, 0, true), 13);
    assert_int_equal(zf_window_extent(13, 3, 1, 1, 1, true), 13);
    assert_int_equal(zf_window_extent(13, 3, 2, 0, 0, true), 6);
}

static void a_kernel_that_does_not_fit_has_no_extent(void **state)
{
    (void)state;
    assert_true(zf_window_extent(2, 3, 2, 0, 0, true) < 1);
    assert_true(zf_window_extent(2, 3, 2, 0, 0, false) < 1);
    assert_int_equal(zf_window_extent(2, 3, 2, 0, 1, false), 1);
}

/* ---- The table ---- */

static void engines_are_found_by_name(void **state)
{
    const struct zf_engine_ops *found = NULL;
    struct zf_error err;
    size_t count = 0;

    (void)state;
    for (; zf_engine_at(count); count++) {
        assert_int_equal(zf_engine_find(zf_engine_at(count)->name, &found, &err), ZF_OK);
        assert_ptr_equal(found, zf_engine_at(count));
    }
    assert_ptr_equal(zf_engine_at(count - 1), &zf_engine_reference);
    assert_int_equal(zf_engine_find(NULL, &found, &err), ZF_OK);
    assert_ptr_equal(found, zf_engine_at(0));
}

static void an_unknown_engine_is_refused_with_the_names_that_exist(void **state)
{
    const struct zf_engine_ops *found = NULL;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_engine_find("abacus", &found, &err), ZF_EINVAL);
    assert_null(found);
    assert_non_null(strstr(err.message, "abacus"));
    for (size_t i = 0; zf_engine_at(i); i++)
        assert_non_null(strstr(err.message, zf_engine_at(i)->name));
}

/* ---- Access ---- */

static void open_rig(struct rig *rig, int64_t batch)
{
    rig_init(rig, &zf_engine_reference, 0, NULL);
    rig_create_engine(rig, batch, false, true);
}

static void only_the_first_rows_are_written_and_read(void **state)
{
    static const float ones[] = {1, 1, 1, 1, 1, 1}, twos[] = {2, 2};
    static const float expected[] = {2, 2, 1, 1, -1, -1};
    float got[] = {-1, -1, -1, -1, -1, -1};
    struct rig rig;
    zf_value x;

    (void)state;
    open_rig(&rig, 3);
    x = rig.ops->input(rig.e, dims4(3, 2, 1, 1));
    rig_finish(&rig);
    rig.ops->write(rig.e, x, ones, 3);
    rig.ops->write(rig.e, x, twos, 1);
    rig.ops->read(rig.e, x, got, 2);
    assert_memory_equal(got, expected, sizeof got);
    rig_release(&rig);
}

static void a_poked_cell_stands_in_its_nchw_place(void **state)
{
    const struct zf_dims dims = dims4(2, 3, 4, 5);
    const struct zf_cell cell = {1, 2, 0, 4};
    float got[2 * 3 * 4 * 5];
    struct rig rig;
    zf_value x, seed;

    (void)state;
    open_rig(&rig, 2);
    x = rig_input(&rig, dims, NORMAL, 1.0);
    seed = rig.ops->like(rig.e, x);
    rig_finish(&rig);
    rig.ops->write(rig.e, seed, rig.inputs[0].plain, 2);
    rig.ops->zero(rig.e, seed);
    rig.ops->poke(rig.e, seed, cell, 7.0f);
    rig.ops->read(rig.e, seed, got, 2);
    for (int i = 0; i < 2 * 3 * 4 * 5; i++)
        assert_true(got[i] == (i == ((1 * 3 + 2) * 4 + 0) * 5 + 4 ? 7.0f : 0.0f));
    assert_true(rig.ops->peek(rig.e, seed, cell) == 7.0f);
    rig_release(&rig);
}

static void the_strongest_cell_is_the_first_on_a_tie_and_never_nan(void **state)
{
    static const float maps[] = {1, 3, 3, 2, NAN, -5, -4, NAN, -1, -1, -1, -1, 0, 0, 0, 9};
    static const float expected[] = {3, -4, -1};
    float strongest[3];
    int32_t where[3];
    struct rig rig;
    zf_value x;

    (void)state;
    open_rig(&rig, 4);
    x = rig.ops->input(rig.e, dims4(4, 1, 2, 2));
    rig_finish(&rig);
    rig.ops->write(rig.e, x, maps, 4);
    rig.ops->map_maxima(rig.e, x, strongest, where, 3);
    assert_memory_equal(strongest, expected, sizeof strongest);
    assert_int_equal(where[0], 1);
    assert_int_equal(where[1], 2);
    assert_int_equal(where[2], 0);
    rig_release(&rig);
}

/* ---- Failing ---- */

static void a_kernel_that_does_not_fit_is_told_by_finish(void **state)
{
    const struct zf_window window = {7, 7, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    struct zf_error err = {0};
    struct rig rig;
    zf_value x, switches;

    (void)state;
    open_rig(&rig, 1);
    x = rig_input(&rig, dims4(1, 3, 5, 5), NORMAL, 1.0);
    x = rig.ops->maxpool_forward(rig.e, &window, x, &switches);
    for (int i = 0; i < 3; i++) /* whatever follows is harmless */
        x = rig.ops->relu_forward(rig.e, x);
    x = rig.ops->unpool(rig.e, &window, x, switches, rig.ops->dims(rig.e, x));
    rig.ops->keep(rig.e, rig.ops->like(rig.e, x));
    assert_int_equal(rig.ops->finish(rig.e, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "1x3x0x0"));
    rig_release(&rig);
}

static void a_batch_of_none_is_refused(void **state)
{
    struct zf_engine *e = NULL;

    (void)state;
    assert_int_equal(zf_engine_reference.create(&(struct zf_engine_config){.batch = 0}, &e, NULL),
                     ZF_EINVAL);
    assert_null(e);
}

static int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

/* A small net; every allocation on the way may fail. */
static enum zf_status build(struct zf_engine **e, zf_value *top, float *parameters)
{
    const struct zf_window window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0};
    const struct zf_lrn lrn = {5, 1e-4f, 0.75f, 2.0f};
    const struct zf_engine_ops *ops = &zf_engine_reference;
    enum zf_status status;
    zf_value x, w, switches, scales;

    ZF_TRY(ops->create(&(struct zf_engine_config){.batch = 2, .threads = 1}, e, NULL));
    ops->begin(*e, ZF_PROGRAM_FORWARD);
    x = ops->input(*e, dims4(2, 3, 6, 6));
    w = ops->host(*e, dims4(4, 3, 3, 3), parameters);
    x = ops->conv_forward(*e, &window, x, w, ZF_NO_VALUE, true);
    x = ops->maxpool_forward(*e, &window, x, &switches);
    x = ops->lrn_forward(*e, &lrn, x, &scales);
    *top = ops->fc_forward(*e, x, ops->host(*e, dims4(2, 4, 6, 6), parameters), ZF_NO_VALUE, false);
    ops->begin(*e, ZF_PROGRAM_PROJECT);
    x = ops->unpool(*e, &window, ops->like(*e, x), switches, ops->dims(*e, x));
    x = ops->rectify(*e, ZF_RECTIFY_SIGNAL, x, ZF_NO_VALUE);
    for (int i = 0; i < 40; i++) /* more than the arrays of values and operations begin with */
        x = ops->add(*e, x, x);
    ops->conv_backward_data(*e, &window, x, w, dims4(2, 3, 6, 6));
    ZF_TRY(ops->finish(*e, NULL));
    status = ZF_OK;
fail:
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    float parameters[2 * 4 * 6 * 6] = {0};
    enum zf_status status = ZF_ENOMEM;
    int failures = 0;

    (void)state;
    for (int n = 0; status != ZF_OK; n++) {
        struct zf_engine *e = NULL;
        zf_value top;

        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = build(&e, &top, parameters);
        zf_alloc_allowed = NULL;
        failures += status == ZF_ENOMEM;
        assert_true(status == ZF_ENOMEM || status == ZF_OK);
        zf_engine_reference.free(&e);
        assert_null(e);
    }
    assert_true(failures > 50);
}

static void running_allocates_nothing(void **state)
{
    float parameters[2 * 4 * 6 * 6] = {0};
    const struct zf_run run = {.count = 2};
    struct zf_engine *e = NULL;
    zf_value top;

    (void)state;
    assert_int_equal(build(&e, &top, parameters), ZF_OK);
    assert_true(zf_engine_reference.memory(e) > 2 * 3 * 6 * 6 * sizeof(float));
    allocations_left = 1;
    zf_alloc_allowed = allow_some;
    zf_engine_reference.run(e, ZF_PROGRAM_FORWARD, &run);
    zf_engine_reference.run(e, ZF_PROGRAM_PROJECT, &run);
    zf_alloc_allowed = NULL;
    assert_int_equal(allocations_left, 1);
    zf_engine_reference.free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_extents_are_what_counting_windows_gives),
        cmocka_unit_test(rounding_up_gives_the_sizes_of_the_paper),
        cmocka_unit_test(a_kernel_that_does_not_fit_has_no_extent),
        cmocka_unit_test(engines_are_found_by_name),
        cmocka_unit_test(an_unknown_engine_is_refused_with_the_names_that_exist),
        cmocka_unit_test(only_the_first_rows_are_written_and_read),
        cmocka_unit_test(a_poked_cell_stands_in_its_nchw_place),
        cmocka_unit_test(the_strongest_cell_is_the_first_on_a_tie_and_never_nan),
        cmocka_unit_test(a_kernel_that_does_not_fit_is_told_by_finish),
        cmocka_unit_test(a_batch_of_none_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(running_allocates_nothing),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
