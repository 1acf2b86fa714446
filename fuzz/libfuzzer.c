/* SPDX-License-Identifier: MIT */
#include "bend.h"
#include "target.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room); /* libFuzzer's own */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_accepts(bytes, size);
    return 0;
}

/* Three of four bend what can be decoded; the fourth, and what cannot be, gets other bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    const size_t bent = seed % 4 > 0 ? fuzz_bend(bytes, size, room, seed) : 0;

    return bent > 0 ? bent : LLVMFuzzerMutate(bytes, size, room);
}
