/* SPDX-License-Identifier: MIT */
/* CRC-32C, eight bytes at a time: table k is the effect of a byte that k more bytes follow. */
#include "crc32c.h"

#include <pthread.h>

#define POLYNOMIAL UINT32_C(0x82F63B78) /* Castagnoli's, bits reversed */
#define SLICES 8

/* A constant of the program, made when it is first asked for. */
static uint32_t table[SLICES][256];

static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int k = 1; k < SLICES; k++)
            table[k][byte] = (table[k - 1][byte] >> 8) ^ table[0][table[k - 1][byte] & 255];
    }
}

uint32_t zf_crc32c(uint32_t crc, const void *data, size_t size)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    const uint8_t *p = data;

    pthread_once(&filled, fill_tables);
    crc = ~crc;
    for (; size >= SLICES; size -= SLICES, p += SLICES) {
        uint32_t low =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

        low ^= crc;
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^
              table[4][low >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
              table[0][p[7]];
    }
    for (; size > 0; size--, p++)
        crc = (crc >> 8) ^ table[0][(crc ^ *p) & 255];
    return ~crc;
}
