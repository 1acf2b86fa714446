/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

static enum zf_status create(const struct zf_engine_config *config, struct zf_engine **out,
                             struct zf_error *err)
{
    struct zf_engine *e;

    if (config->batch < 1)
        return zf_fail(err, ZF_EINVAL, "a batch of %" PRId64 " is less than 1", config->batch);
    if (config->bf16)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "the reference engine, which exact projections run on, computes in double "
                       "and takes the precision f32 only, not bf16");
    e = zf_alloc(1, sizeof *e);
    if (!e)
        return zf_fail(err, ZF_ENOMEM, "reference engine: out of memory");
    e->config = *config;
    e->building = &e->programs[ZF_PROGRAM_FORWARD];
    *out = e;
    return ZF_OK;
}

static void free_engine(struct zf_engine **engine)
{
    struct zf_engine *e = engine ? *engine : NULL;

    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++) {
        zf_free(e->values[i].data);
        zf_free(e->values[i].switches);
    }
    for (size_t i = 0; i < ZF_PROGRAM_LIMIT; i++) {
        for (size_t k = 0; k < e->programs[i].count; k++)
            zf_free(e->programs[i].ops[k].parameters);
        zf_free(e->programs[i].ops);
    }
    zf_free(e->values);
    zf_free(e->scratch);
    zf_free(e);
    *engine = NULL;
}

static void begin(struct zf_engine *e, int program)
{
    assert(program >= 0 && program < ZF_PROGRAM_LIMIT && !e->finished);
    e->building = &e->programs[program];
}

static void run_mark(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int *number = op->parameters;

    (void)e;
    if (run->passed)
        run->passed(run->user, *number);
}

static void mark(struct zf_engine *e, int number)
{
    zf_ref_emit_with(e, zf_ref_op_of(run_mark), &number, sizeof number);
}

static zf_value like(struct zf_engine *e, zf_value other)
{
    return zf_ref_value(e, zf_ref_dims(e, other));
}

/* Every value has memory of its own, so nothing is lost. */
static void keep(struct zf_engine *e, zf_value value)
{
    (void)e;
    (void)value;
}

static enum zf_status finish(struct zf_engine *e, struct zf_error *err)
{
    for (size_t i = 0; i < e->count && !zf_ref_failed(e); i++) {
        struct zf_ref_value *value = &e->values[i];
        const size_t count = (size_t)zf_ref_count(value->dims);

        if (value->of_switches)
            value->switches = zf_alloc(count, sizeof *value->switches);
        else if (!value->host)
            value->data = zf_alloc(count, sizeof *value->data);
        if (!value->data && !value->switches && !value->host)
            zf_fail(&e->error, ZF_ENOMEM, "no memory for a value of %zu numbers", count);
    }
    if (!zf_ref_failed(e) && !(e->scratch = zf_alloc(e->scratch_count, sizeof *e->scratch)))
        zf_fail(&e->error, ZF_ENOMEM, "no memory for %zu numbers", e->scratch_count);
    e->finished = true;
    if (zf_ref_failed(e))
        return zf_fail(err, e->error.status, "%s", e->error.message);
    return ZF_OK;
}

static void run(struct zf_engine *e, int program, const struct zf_run *what)
{
    assert(program >= 0 && program < ZF_PROGRAM_LIMIT && e->finished && !zf_ref_failed(e));
    for (size_t i = 0; i < e->programs[program].count; i++) {
        const struct zf_ref_op *op = &e->programs[program].ops[i];

        op->run(e, op, what);
    }
}

static void write(struct zf_engine *e, zf_value value, const float *plain, int64_t rows)
{
    const struct zf_dims dims = zf_ref_dims(e, value);
    double *data = zf_ref_data(e, value);

    assert(rows >= 0 && rows <= dims.d[0]);
    for (int64_t i = 0; i < rows * zf_ref_sample(dims); i++)
        data[i] = (double)plain[i];
}

static void read(struct zf_engine *e, zf_value value, float *plain, int64_t rows)
{
    const struct zf_dims dims = zf_ref_dims(e, value);
    const double *data = zf_ref_data(e, value);

    assert(rows >= 0 && rows <= dims.d[0]);
    for (int64_t i = 0; i < rows * zf_ref_sample(dims); i++)
        plain[i] = (float)data[i];
}

static void zero(struct zf_engine *e, zf_value value)
{
    double *data = zf_ref_data(e, value);

    memset(data, 0, (size_t)zf_ref_count(zf_ref_dims(e, value)) * sizeof *data);
}

static double *cell_of(struct zf_engine *e, zf_value value, struct zf_cell cell)
{
    const struct zf_dims dims = zf_ref_dims(e, value);

    assert(cell.n >= 0 && cell.n < dims.d[0] && cell.c >= 0 && cell.c < dims.d[1]);
    assert(cell.y >= 0 && cell.y < dims.d[2] && cell.x >= 0 && cell.x < dims.d[3]);
    return zf_ref_data(e, value) +
           ((cell.n * dims.d[1] + cell.c) * dims.d[2] + cell.y) * dims.d[3] + cell.x;
}

static void poke(struct zf_engine *e, zf_value value, struct zf_cell cell, float number)
{
    *cell_of(e, value, cell) = (double)number;
}

static float peek(struct zf_engine *e, zf_value value, struct zf_cell cell)
{
    return (float)*cell_of(e, value, cell);
}

/* A map of nothing but NaN gives -INFINITY at 0. */
static void map_maxima(struct zf_engine *e, zf_value value, float *strongest, int32_t *where,
                       int64_t rows)
{
    const struct zf_dims dims = zf_ref_dims(e, value);
    const int64_t cells = dims.d[2] * dims.d[3];
    const double *map = zf_ref_data(e, value);

    assert(rows >= 0 && rows <= dims.d[0] && cells <= INT32_MAX);
    for (int64_t m = 0; m < rows * dims.d[1]; m++, map += cells) {
        double best = -INFINITY;

        where[m] = 0;
        for (int64_t i = 0; i < cells; i++) {
            if (map[i] > best) {
                best = map[i];
                where[m] = (int32_t)i;
            }
        }
        strongest[m] = (float)best;
    }
}

static float largest(struct zf_engine *e, zf_value value, int64_t rows)
{
    const double *data = zf_ref_data(e, value);
    const int64_t count = rows * zf_ref_sample(zf_ref_dims(e, value));
    double most = 0;

    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(data[i]))
            return INFINITY;
        most = fabs(data[i]) > most ? fabs(data[i]) : most;
    }
    return (float)most;
}

static size_t memory(const struct zf_engine *e)
{
    size_t bytes =
        sizeof *e + e->capacity * sizeof *e->values + e->scratch_count * sizeof *e->scratch;

    for (size_t i = 0; i < ZF_PROGRAM_LIMIT; i++)
        bytes += e->programs[i].capacity * sizeof *e->programs[i].ops;
    for (size_t i = 0; i < e->count; i++) {
        const size_t each = e->values[i].of_switches ? sizeof(int32_t) : sizeof(double);

        if (!e->values[i].host)
            bytes += (size_t)zf_ref_count(e->values[i].dims) * each;
    }
    return bytes;
}

#define ROW(name) .name = zf_ref_##name,

const struct zf_engine_ops zf_engine_reference = {
    .name = "reference",
    .description = "plain C loops in double: the truth that others are held against",
    .isa = zf_cpu_built_for_text,
    .create = create,
    .free = free_engine,
    .begin = begin,
    .mark = mark,
    .input = zf_ref_value,
    .host = zf_ref_host_value,
    .like = like,
    .keep = keep,
    .dims = zf_ref_dims,
    .finish = finish,
    .run = run,
    .write = write,
    .read = read,
    .zero = zero,
    .poke = poke,
    .peek = peek,
    .map_maxima = map_maxima,
    .largest = largest,
    .memory = memory,
    /* clang-format off */
    ZF_OPERATIONS(ROW)
    /* clang-format on */
};
