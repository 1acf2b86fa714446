/* SPDX-License-Identifier: MIT */
/*
 * What the file's metadata says about pictures and classes. Keys and the forms that are read:
 *
 *     mean, std, scale  three numbers, or one for all, separated by commas or spaces
 *     channels          RGB or BGR
 *     resize            short:N, fit:N, warp:N or warp:HxW, in pixels; warp is to the crop's size
 *     crop              HxW, or N for a square: the size of the input, where that is left open
 *     labels            one a line; or names, classes: the same, or {0: 'a', 1: 'b'}, and the other
 *                       forms of zf_labels_parse()
 *
 * A value v of 0..255 becomes (v - mean) * scale / std. Where no mean is over 1 and a std is below
 * 1 they are meant for values of 0..1, as PyTorch's habit is, and are brought to 0..255 here. What
 * does not stand there is not guessed: mean 0, scale 1; and a short side of 256 for a crop of 224,
 * unless the picture has the crop's size already.
 */
#include "assemble.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "graph.h"
#include "model/labels.h"
#include "model/metadata.h"
#include "model/onnx/rebuild.h"

#define LONGEST_SIDE 65536 /* px */

/* Numbers with any of `between` around them; how many, -1 for another text or more than `most`. */
static int read_list(const char *text, const char *between, double *numbers, int most)
{
    int count = 0;

    for (const char *p = text; *p;) {
        char *end;

        if (strchr(between, *p)) {
            p++;
            continue;
        }
        if (count == most || (p[0] == '0' && tolower((unsigned char)p[1]) == 'x'))
            return -1; /* 0x7 is no number to people */
        numbers[count] = strtod(p, &end);
        if (end == p || !isfinite(numbers[count]) || fabs(numbers[count]) > 1e9)
            return -1;
        count++;
        p = end;
    }
    return count;
}

/* Three numbers or one; false, with nothing done, for a text that is neither. */
static bool read_three(const char *text, double out[3])
{
    double numbers[3];
    const int count = read_list(text, ", \t\n[]()", numbers, 3);

    if (count != 1 && count != 3)
        return false;
    for (int i = 0; i < 3; i++)
        out[i] = numbers[count == 1 ? 0 : i];
    return true;
}

static enum zf_status read_numbers(const struct zf_import *import, const char *key, double out[3])
{
    const char *text = zf_onnx_find_note(import->model, key);

    if (text && !read_three(text, out))
        return zf_fail(import->err, ZF_EINPUT, "%s: its %s is \"%.60s\", not three numbers",
                       import->path, key, text);
    return ZF_OK;
}

static enum zf_status read_values(const struct zf_import *import, struct zf_preparation *p)
{
    double mean[3] = {0, 0, 0}, std[3] = {1, 1, 1}, scale[3] = {1, 1, 1};
    bool unit = true, below = false;

    ZF_CHECK(read_numbers(import, "mean", mean));
    ZF_CHECK(read_numbers(import, "std", std));
    ZF_CHECK(read_numbers(import, "scale", scale));
    for (int i = 0; i < 3; i++) {
        unit = unit && mean[i] <= 1;
        below = below || (std[i] > 0 && std[i] < 1);
    }
    for (int i = 0; i < 3; i++) {
        if (std[i] <= 0)
            return zf_fail(import->err, ZF_EINPUT, "%s: a std of %g cannot be", import->path,
                           std[i]);
        p->mean[i] = (float)(unit && below ? mean[i] * 255 : mean[i]);
        p->scale[i] = (float)(scale[i] / (unit && below ? std[i] * 255 : std[i]));
    }
    return ZF_OK;
}

static bool says_nothing(const struct zf_import *import)
{
    static const char *const keys[] = {"mean", "std", "scale", "channels", "resize"};

    for (size_t i = 0; i < ZF_COUNT(keys); i++)
        if (zf_onnx_find_note(import->model, keys[i]))
            return false;
    return true;
}

/* One or two sides, "256" or "224x160"; how many, 0 for another text. */
static int read_sides(const char *text, int64_t out[2])
{
    double sides[2] = {0, 0};
    const int count = read_list(text, "x, \t\n[]()", sides, 2);

    if (count < 1)
        return 0;
    if (count == 1)
        sides[1] = sides[0];
    for (int i = 0; i < 2; i++) {
        if (!(sides[i] >= 1 && sides[i] < LONGEST_SIDE) || floor(sides[i]) < sides[i])
            return 0;
        out[i] = (int64_t)sides[i];
    }
    return count;
}

/* "short:256", or "256" for the same. What cannot be read is left as it is. */
static void read_resize(const char *text, struct zf_shape crop, struct zf_preparation *p)
{
    const char *number = strrchr(text, ':');
    const bool warp = strncmp(text, "warp", 4) == 0;
    int64_t sides[2] = {crop.h, crop.w};
    const int count = read_sides(number ? number + 1 : text, sides);

    p->resize = warp                           ? ZF_RESIZE_WARP
                : strncmp(text, "fit", 3) == 0 ? ZF_RESIZE_FIT
                                               : ZF_RESIZE_SHORT;
    if (count == 1 || (warp && (count == 2 || !number))) {
        p->size = sides[0];
        p->width = warp ? sides[1] : 0;
    }
}

enum zf_status zf_import_crop(const struct zf_import *import, struct zf_shape *out)
{
    const char *text = zf_onnx_find_note(import->model, "crop");
    int64_t sides[2] = {0, 0};

    if (text && read_sides(text, sides) == 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: its crop is \"%.60s\", not HxW in pixels",
                       import->path, text);
    out->h = sides[0];
    out->w = sides[1];
    return ZF_OK;
}

/* ---- Labels ---- */

/* Names that are not as many as the classes (part of a net has other ones) are left out. */
static enum zf_status read_labels(const struct zf_import *import, const char *text,
                                  struct zf_net *net, bool *done)
{
    const int64_t classes = zf_net_class_count(net);
    const struct zf_bytes bytes = {.data = (const uint8_t *)text, .size = strlen(text)};
    struct zf_labels labels = {0};
    struct zf_error ignored = {0};
    enum zf_status status = zf_labels_parse(&bytes, import->path, classes, &labels, &ignored);

    *done = status == ZF_OK && labels.count == classes;
    if (*done)
        status = zf_net_set_labels(net, (const char *const *)labels.items, import->err);
    else
        status = status == ZF_ENOMEM ? zf_no_memory(import->err, "the labels of %s", import->path)
                                     : ZF_OK;
    zf_labels_release(&labels);
    return status;
}

enum zf_status zf_import_preparation(const struct zf_import *import, struct zf_net *net)
{
    static const char *const label_keys[] = {"labels", "names", "classes"};
    struct zf_preparation p = *zf_net_preparation(net);
    const struct zf_shape in = zf_net_input(net);
    const int64_t longer = in.h > in.w ? in.h : in.w;
    const char *channels = zf_onnx_find_note(import->model, "channels");
    const char *resize = zf_onnx_find_note(import->model, "resize");
    bool done = false;

    p.resize = ZF_RESIZE_FIT;
    p.width = 0;
    p.size = (longer * 256 + 112) / 224;
    p.mean_image = NULL;
    if (says_nothing(import))
        ZF_CHECK(zf_import_recipe(import, in, &p));
    else
        ZF_CHECK(read_values(import, &p));
    if (channels && toupper((unsigned char)channels[0]) == 'B')
        p.channels = ZF_CHANNELS_BGR;
    if (resize)
        read_resize(resize, in, &p);
    ZF_CHECK(zf_metadata_set_preparation(net, &p, import->path, import->err));
    for (size_t i = 0; i < ZF_COUNT(label_keys) && !done; i++) {
        const char *text = zf_onnx_find_note(import->model, label_keys[i]);

        if (text)
            ZF_CHECK(read_labels(import, text, net, &done));
    }
    return done ? ZF_OK : zf_import_labels_beside(import, net);
}
