/* SPDX-License-Identifier: MIT */
#include "measure/signs.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

#define WORD 64                      /* values a word */
#define MAX_BYTES ((int64_t)1 << 30) /* of all vectors of a layer */

enum zf_status zf_signs_init(struct zf_signs *signs, size_t count, int64_t length,
                             struct zf_error *err)
{
    struct zf_signs made = {.count = count, .length = length};
    int64_t bytes;

    made.words = (size_t)((length + WORD - 1) / WORD);
    if (!zf_mul3((int64_t)count, (int64_t)made.words, 2 * sizeof(uint64_t), &bytes) ||
        bytes > MAX_BYTES)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%zu changes of %" PRId64 " features are more than the limit of 1 GiB; take "
                       "fewer pictures or random places, or a higher layer",
                       count, length);
    made.plus = zf_alloc(count * made.words, sizeof *made.plus);
    made.minus = zf_alloc(count * made.words, sizeof *made.minus);
    if (!made.plus || !made.minus) {
        zf_signs_release(&made);
        return zf_no_memory(err, "%zu changes of %" PRId64 " features", count, length);
    }
    *signs = made;
    return ZF_OK;
}

void zf_signs_release(struct zf_signs *signs)
{
    zf_free(signs->plus);
    zf_free(signs->minus);
    *signs = (struct zf_signs){0};
}

void zf_signs_set(struct zf_signs *signs, size_t i, const float *base, const float *changed,
                  float least)
{
    uint64_t *plus = signs->plus + i * signs->words, *minus = signs->minus + i * signs->words;

    for (int64_t v = 0; v < signs->length; v++) {
        const float change = base[v] - changed[v];

        plus[v / WORD] |= (uint64_t)(change > least) << v % WORD;
        minus[v / WORD] |= (uint64_t)(change < -least) << v % WORD;
    }
}

/* Bits that are set: sums of neighbouring bits, pairs, nibbles, then of all bytes at the top. */
static int count_bits(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)((word * UINT64_C(0x0101010101010101)) >> 56);
}

double zf_signs_distance(const struct zf_signs *signs, size_t a, size_t b)
{
    const uint64_t *plus_a = signs->plus + a * signs->words;
    const uint64_t *plus_b = signs->plus + b * signs->words;
    const uint64_t *minus_a = signs->minus + a * signs->words;
    const uint64_t *minus_b = signs->minus + b * signs->words;
    int64_t different = 0;

    for (size_t w = 0; w < signs->words; w++)
        different += count_bits((plus_a[w] ^ plus_b[w]) | (minus_a[w] ^ minus_b[w]));
    return (double)different / (double)signs->length;
}
