/* SPDX-License-Identifier: MIT */
/*
 * The portable maps of netpbm: PBM, PGM and PPM as text (P1 to P3) and as bytes (P4 to P6), PAM
 * (P7), and PFM (Pf, PF). A header of words is followed by rows of samples, from the top (of PFM
 * from the bottom); only the first picture of a file is read. libvips would take samples for 8 or
 * 16 bits whatever the header says is white, and does not read PAM.
 */
#include "picture.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/levels.h"

struct map {
    const struct zf_source *source;
    const uint8_t *at, *end;
    bool text, bits, floats, little_endian;
    int64_t width, height;
    int bands;    /* 1 grey, 2 with alpha, 3 RGB, 4 with alpha */
    uint32_t max; /* the sample that is white */
    bool beyond;  /* a sample was above it */
    float scale;  /* of floats */
};

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Over white space and comments, which go from # to the end of a line. */
static void skip_space(struct map *map)
{
    bool comment = false;

    for (; map->at < map->end && (comment || is_space(*map->at) || *map->at == '#'); map->at++)
        comment = *map->at == '#' || (comment && *map->at != '\n' && *map->at != '\r');
}

/* A number of at most 9 digits. */
static bool read_number(struct map *map, uint32_t *number)
{
    int digits = 0;

    skip_space(map);
    *number = 0;
    for (; map->at < map->end && is_digit(*map->at) && digits < 10; map->at++, digits++)
        *number = *number * 10 + (uint32_t)(*map->at - '0');
    return digits > 0 && digits < 10;
}

static bool read_sides(struct map *map)
{
    uint32_t width, height;

    if (!read_number(map, &width) || !read_number(map, &height))
        return false;
    map->width = width;
    map->height = height;
    return true;
}

/* Exactly one white space parts the header from samples that are bytes. */
static bool end_header(struct map *map)
{
    if (map->text)
        return true;
    return map->at < map->end && is_space(*map->at++);
}

static bool word_is(struct map *map, const char *word)
{
    const size_t length = strlen(word);

    if ((size_t)(map->end - map->at) <= length || memcmp(map->at, word, length) != 0 ||
        !is_space(map->at[length]))
        return false;
    map->at += length;
    return true;
}

/* PAM: lines of a name and a value, in any order, up to ENDHDR. */
static bool read_pam(struct map *map)
{
    uint32_t width = 0, height = 0, depth = 0;

    for (;;) {
        bool read = true;

        skip_space(map);
        if (word_is(map, "ENDHDR"))
            break;
        if (word_is(map, "WIDTH"))
            read = read_number(map, &width);
        else if (word_is(map, "HEIGHT"))
            read = read_number(map, &height);
        else if (word_is(map, "DEPTH"))
            read = read_number(map, &depth);
        else if (word_is(map, "MAXVAL"))
            read = read_number(map, &map->max);
        else if (!word_is(map, "TUPLTYPE"))
            return false;
        if (!read)
            return false;
        while (map->at < map->end && *map->at != '\n')
            map->at++;
    }
    map->width = width;
    map->height = height;
    map->bands = depth <= 4 ? (int)depth : 0;
    return end_header(map);
}

/* PFM: the sign of the scale is the byte order; its size is seldom meant, and nobody reads it. */
static bool read_pfm(struct map *map)
{
    if (!read_sides(map))
        return false;
    skip_space(map);
    map->little_endian = map->at < map->end && *map->at == '-';
    while (map->at < map->end && !is_space(*map->at))
        map->at++;
    return end_header(map);
}

static bool read_header(struct map *map)
{
    const uint8_t kind = map->at[1];
    bool read;

    map->at += 2;
    map->max = 1;
    map->bands = kind == '3' || kind == '6' || kind == 'F' ? 3 : 1;
    map->text = kind >= '1' && kind <= '3';
    map->bits = kind == '1' || kind == '4';
    map->floats = kind == 'F' || kind == 'f';
    if (kind == '7')
        read = read_pam(map);
    else if (map->floats)
        read = read_pfm(map);
    else
        read = read_sides(map) && (map->bits || read_number(map, &map->max)) && end_header(map);
    return read && map->bands > 0 && map->max >= 1 && map->max <= 65535;
}

static int64_t row_bytes(const struct map *map)
{
    const int64_t samples = map->width * map->bands;

    if (map->text)
        return map->bits ? samples : 2 * samples - 1; /* the least that it takes */
    if (map->bits)
        return (samples + 7) / 8;
    return samples * (map->floats ? 4 : map->max > 255 ? 2 : 1);
}

static enum zf_status truncated(const struct map *map, struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT,
                   "%s: truncated, %zu bytes do not hold its %" PRId64 " x %" PRId64 " px",
                   map->source->name, map->source->size, map->width, map->height);
}

static uint8_t level_of(struct map *map, uint32_t sample)
{
    if (sample > map->max) {
        map->beyond = true;
        sample = map->max;
    }
    return zf_level(sample, map->max);
}

/* Digits of PBM may stand without space between them. */
static enum zf_status read_text_row(struct map *map, uint8_t *levels, struct zf_error *err)
{
    for (int64_t i = 0; i < map->width * map->bands; i++) {
        uint32_t sample = 0;

        if (map->bits) {
            skip_space(map);
            if (map->at < map->end && (*map->at == '0' || *map->at == '1'))
                sample = *map->at++ == '1' ? 0 : 1; /* 1 is black */
            else if (map->at < map->end)
                return zf_fail(err, ZF_EINPUT, "%s: damaged, neither 0 nor 1 at byte %zu",
                               map->source->name, (size_t)(map->at - map->source->bytes));
            else
                return truncated(map, err);
        } else if (!read_number(map, &sample)) {
            if (map->at == map->end)
                return truncated(map, err);
            return zf_fail(err, ZF_EINPUT, "%s: damaged, no number at byte %zu", map->source->name,
                           (size_t)(map->at - map->source->bytes));
        }
        levels[i] = level_of(map, sample);
    }
    return ZF_OK;
}

static void read_float_row(struct map *map, float *values)
{
    const int first = map->little_endian ? 0 : 3, step = map->little_endian ? 1 : -1;

    for (int64_t i = 0; i < map->width * map->bands; i++, map->at += 4) {
        uint32_t bits = 0;

        for (int k = 0; k < 4; k++)
            bits |= (uint32_t)map->at[first + step * k] << 8 * k;
        memcpy(values + i, &bits, sizeof bits);
    }
}

static void read_row(struct map *map, uint8_t *levels)
{
    const uint8_t *row = map->at;

    map->at += row_bytes(map);
    for (int64_t i = 0; i < map->width * map->bands; i++) {
        if (map->bits)
            levels[i] = row[i / 8] >> (7 - i % 8) & 1 ? 0 : 255; /* 1 is black */
        else if (map->max > 255)
            levels[i] = level_of(map, (uint32_t)row[2 * i] << 8 | row[2 * i + 1]);
        else
            levels[i] = level_of(map, row[i]);
    }
}

static void to_rgb(const struct map *map, const uint8_t *levels, uint8_t *rgb)
{
    const int colours = map->bands >= 3 ? 3 : 1;

    for (int64_t x = 0; x < map->width; x++, levels += map->bands, rgb += 3) {
        for (int c = 0; c < 3; c++) {
            const uint8_t level = levels[colours == 3 ? c : 0];

            rgb[c] = map->bands > colours ? zf_level_on_white(level, levels[colours]) : level;
        }
    }
}

/* All floats are seen once before the first becomes a level. */
static enum zf_status find_scale(struct map *map, float *values, struct zf_error *err)
{
    const uint8_t *begin = map->at;
    struct zf_span span = {0};

    for (int64_t y = 0; y < map->height; y++) {
        read_float_row(map, values);
        zf_span_add(&span, values, map->width * map->bands);
    }
    map->at = begin;
    return zf_span_scale(&span, map->source->name, &map->scale, err);
}

/* `values` and `levels` are room for a row. */
static enum zf_status read_rows(struct map *map, float *values, uint8_t *levels,
                                struct zf_picture *picture, struct zf_error *err)
{
    enum zf_status status = map->floats ? find_scale(map, values, err) : ZF_OK;

    for (int64_t y = 0; status == ZF_OK && y < map->height; y++) {
        const int64_t row = map->floats ? map->height - 1 - y : y;

        if (map->floats) {
            read_float_row(map, values);
            for (int64_t i = 0; i < map->width * map->bands; i++)
                levels[i] = zf_level_of_float(values[i], map->scale);
        } else if (map->text) {
            status = read_text_row(map, levels, err);
        } else {
            read_row(map, levels);
        }
        if (status == ZF_OK)
            to_rgb(map, levels, picture->pixels + row * map->width * 3);
    }
    return status;
}

static enum zf_status pnm_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct map map = {
        .source = source,
        .at = source->bytes,
        .end = source->bytes + source->size,
    };
    struct zf_picture picture = {0};
    float *values = NULL;
    uint8_t *levels = NULL;

    if (!read_header(&map))
        return zf_fail(err, ZF_EINPUT, "%s: a portable map (P%c) whose header is damaged",
                       source->name, source->bytes[1]);
    ZF_TRY(zf_source_check_size(source, map.width, map.height, err));
    if (row_bytes(&map) > (map.end - map.at) / map.height) {
        status = truncated(&map, err);
        goto fail;
    }
    values = zf_alloc_raw((size_t)(map.floats ? map.width * map.bands : 0), sizeof *values);
    levels = zf_alloc_raw((size_t)(map.width * map.bands), 1);
    if (!values || !levels)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: no memory to decode it", source->name));
    ZF_TRY(zf_picture_init_raw(&picture, map.width, map.height, err));
    ZF_TRY(read_rows(&map, values, levels, &picture, err));
    *decoded = zf_decoded_whole(&picture);
    if (map.beyond)
        zf_decoded_note(decoded, "samples above the %u that its header calls white", map.max);
fail:
    zf_picture_release(&picture);
    zf_free(values);
    zf_free(levels);
    return status;
}

/* Text may begin with such letters, too: a number or a comment follows in a map, and in a PAM
 * words.
 */
static bool pnm_knows(const struct zf_source *source)
{
    const uint8_t *bytes = source->bytes;
    size_t at = 2;

    if (source->size < 3 || bytes[0] != 'P' || !memchr("1234567Ff", bytes[1], 9) ||
        !(is_space(bytes[2]) || bytes[2] == '#'))
        return false;
    while (at < source->size && is_space(bytes[at]))
        at++;
    return at < source->size && (bytes[at] == '#' || bytes[1] == '7' || is_digit(bytes[at]));
}

const struct zf_decoder zf_pnm_decoder = {"pnm", pnm_knows, pnm_decode};
