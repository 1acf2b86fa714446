/* SPDX-License-Identifier: MIT */
/* The oneDNN engine's life cycle, its runs, and its table of operations. */
#include "onednn.h"

#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"
#include "threads.h"

static void engine_free(struct zf_engine **engine)
{
    struct zf_engine *e = engine ? *engine : NULL;

    if (!e)
        return;
    for (size_t i = 0; i < e->step_count; i++)
        zf_onednn_step_release(&e->steps[i]);
    for (size_t i = 0; i < e->value_count; i++) {
        if (e->values[i].forward)
            dnnl_primitive_desc_destroy(e->values[i].forward);
        zf_onednn_transfer_release(&e->values[i].transfer);
    }
    zf_layouts_release(&e->layouts);
    if (e->attr)
        dnnl_primitive_attr_destroy(e->attr);
    if (e->relu_attr)
        dnnl_primitive_attr_destroy(e->relu_attr);
    zf_free(e->steps);
    zf_free(e->values);
    zf_free(e->arena);
    if (e->stream)
        dnnl_stream_destroy(e->stream);
    if (e->engine)
        dnnl_engine_destroy(e->engine);
    zf_free(e);
    *engine = NULL;
}

static dnnl_status_t make_attr(dnnl_primitive_attr_t *attr)
{
    const dnnl_status_t status = dnnl_primitive_attr_create(attr);

    return status == dnnl_success
               ? dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user)
               : status;
}

static dnnl_status_t rectify_result(dnnl_primitive_attr_t attr)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_post_ops_create(&ops);

    if (status == dnnl_success)
        status = dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attr, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    return status;
}

static enum zf_status engine_create(const struct zf_engine_config *config, struct zf_engine **out,
                                    struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_engine *e = NULL;
    dnnl_status_t made;

    if (config->batch < 1 || config->threads < 1)
        ZF_LEAVE(zf_fail(err, ZF_EINVAL, "a batch of %" PRId64 " on %d threads is not possible",
                         config->batch, config->threads));
    if (config->bf16 && !zf_onednn_may_use(ZF_CPU_AVX512_BF16)) {
        if (zf_cpu_has(ZF_CPU_AVX512_BF16))
            status = zf_fail(err, ZF_EUNSUPPORTED,
                             "held to %s, the processor has no bf16 arithmetic; use the precision "
                             "f32, or allow avx512_bf16",
                             zf_onednn_isa());
        else
            status = zf_fail(err, ZF_EUNSUPPORTED,
                             "this processor has no bf16 arithmetic, so it would be emulated "
                             "slowly; use the precision f32");
        goto fail;
    }
    e = zf_alloc(1, sizeof *e);
    if (!e)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "out of memory for an engine"));
    e->config = *config;
    e->layouts.error = &e->error;
    made = dnnl_engine_create(&e->engine, dnnl_cpu, 0);
    if (made == dnnl_success)
        made = dnnl_stream_create(&e->stream, e->engine, dnnl_stream_default_flags);
    if (made == dnnl_success)
        made = make_attr(&e->attr);
    if (made == dnnl_success)
        made = make_attr(&e->relu_attr);
    if (made == dnnl_success)
        made = rectify_result(e->relu_attr);
    if (made != dnnl_success)
        ZF_LEAVE(zf_fail(err,
                         made == dnnl_out_of_memory || made == dnnl_runtime_error ? ZF_ENOMEM
                                                                                  : ZF_EUNSUPPORTED,
                         "oneDNN does not start (its status %d)", (int)made));
    *out = e;
    e = NULL;
fail:
    engine_free(&e);
    return status;
}

static void engine_begin(struct zf_engine *e, int program)
{
    assert(program >= 0 && program < ZF_PROGRAM_LIMIT);
    e->program = program;
}

static void run_mark(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    const int *number = step->parameters;

    (void)e;
    if (run->passed)
        run->passed(run->user, *number);
}

static void engine_mark(struct zf_engine *e, int number)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_mark};

    if (zf_onednn_ok(e))
        zf_onednn_append_loop(e, &step, &number, sizeof number);
}

static void engine_run(struct zf_engine *e, int program, const struct zf_run *run)
{
    const int before = zf_onednn_threads_set(e->config.threads);

    for (size_t i = e->program_begin[program]; i < e->program_begin[program + 1]; i++) {
        const struct zf_onednn_step *step = &e->steps[i];
        dnnl_status_t status = dnnl_success;

        if (step->loop)
            step->loop(e, step, run);
        else
            status = dnnl_primitive_execute(step->primitive, e->stream, step->count, step->args);
        assert(status == dnnl_success);
        (void)status;
    }
    zf_onednn_threads_set(before);
}

static size_t engine_memory(const struct zf_engine *e)
{
    return e->arena_bytes;
}

#define ROW(name) .name = zf_onednn_##name,

const struct zf_engine_ops zf_engine_onednn = {
    .name = "onednn",
    .description = "oneDNN: vector code made for this processor",
    .library = "oneDNN",
    .version = zf_onednn_version,
    .isa = zf_onednn_isa,
    .hold = zf_onednn_hold,
    .create = engine_create,
    .free = engine_free,
    .begin = engine_begin,
    .mark = engine_mark,
    .input = zf_onednn_input,
    .host = zf_onednn_host,
    .like = zf_onednn_like,
    .keep = zf_onednn_keep,
    .dims = zf_onednn_dims,
    .finish = zf_onednn_finish,
    .run = engine_run,
    .write = zf_onednn_write,
    .read = zf_onednn_read,
    .zero = zf_onednn_zero,
    .poke = zf_onednn_poke,
    .peek = zf_onednn_peek,
    .map_maxima = zf_onednn_map_maxima,
    .largest = zf_onednn_largest,
    .memory = engine_memory,
    /* clang-format off */
    ZF_OPERATIONS(ROW)
    /* clang-format on */
};
