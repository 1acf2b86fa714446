/* SPDX-License-Identifier: MIT */
/**
 * Valid files, bent: decoded, changed in a field or a few, and encoded again, so that what lies
 * behind the decoder is reached. bend_onnx.c and bend_safetensors.c do it for their formats;
 * bend_nothing.c is linked with the targets of other ones.
 */
#ifndef ZF_FUZZ_BEND_H
#define ZF_FUZZ_BEND_H

#include <stddef.h>
#include <stdint.h>

/**
 * Bend the file of `size` bytes at `bytes`, which have room for `room`. The same seed bends the
 * same way. Returns the new size; 0 where it cannot be decoded or the result has no room, and the
 * bytes are as they were.
 */
size_t fuzz_bend(uint8_t *bytes, size_t size, size_t room, uint64_t seed);

/* ---- For those who do it. ---- */

/* Random numbers; the state is never 0. */
uint64_t fuzz_draw(uint64_t *state);

/* Below `count`, > 0. */
size_t fuzz_draw_below(uint64_t *state, size_t count);

/* A number where readers have their edges: small ones, negative ones, those around powers of two.
 */
int64_t fuzz_draw_edge(uint64_t *state);

/**
 * A text like `text`, or `other`, with a number changed, a line left out, or a byte. Returns
 * malloc'd memory, NULL where there is none.
 */
char *fuzz_bend_text(const char *text, const char *other, uint64_t *state);

#endif
