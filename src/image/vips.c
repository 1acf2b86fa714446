/* SPDX-License-Identifier: MIT */
/*
 * Every format but JPEG, through libvips, whose operations are lazy: opening reads the header,
 * each step below only notes what to do, and pixels flow when copy_pixels() asks for them, strip
 * by strip on the calling thread.
 */
#include "picture.h"

#include <pthread.h>
#include <string.h>

#include <vips/vips.h>

#include "base/status.h"

static void drop_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer user)
{
    (void)domain;
    (void)level;
    (void)text;
    (void)user;
}

/* libvips is one for the process, and so must be the record of its start. */
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static bool started;

static void start(void)
{
    /* It would write its warnings to stderr; what matters of them comes as errors. */
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO,
                      drop_log, NULL);
    if (VIPS_INIT("zfscope") != 0)
        return;
    vips_block_untrusted_set(TRUE); /* only loaders that its authors fuzz */
    vips_concurrency_set(1);        /* our callers bring the threads */
    vips_cache_set_max(0);          /* no picture is read twice, so keep none */
    started = true;
}

enum zf_status zf_vips_start(struct zf_error *err)
{
    pthread_once(&start_once, start);
    if (!started)
        return zf_fail(err, ZF_EUNSUPPORTED, "libvips does not start on this machine");
    return ZF_OK;
}

enum zf_status zf_vips_fail(struct zf_error *err, enum zf_status status, const char *name,
                            const char *what)
{
    /* Copies and clears under libvips's lock. All threads write to that one buffer, so the text
       may also hold a line about a neighbour's file; the name and the status are always right. */
    char *text = vips_error_buffer_copy();
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        *p = ';';
    status = zf_fail(err, status, "%s: %s%s%s", name, what, length > 0 ? ": " : "", text);
    g_free(text);
    return status;
}

/* Whether libvips knows this kind of file and trusts its loader with files from outside. */
static bool has_loader(const struct zf_source *source)
{
    const char *loader = vips_foreign_find_load_buffer(source->bytes, source->size);
    VipsOperationClass *class;
    bool trusted;

    if (!loader) {
        vips_error_clear();
        return false;
    }
    class = g_type_class_ref(g_type_from_name(loader));
    trusted = (class->flags & VIPS_OPERATION_BLOCKED) == 0;
    g_type_class_unref(class);
    return trusted;
}

/* Plain RGB of 8 bits, still lazy. Returns NULL on failure; the steps belong to `owner`. */
static VipsImage *plain_rgb(VipsObject *owner, VipsImage *image)
{
    enum { STEPS = 4 };
    VipsImage **step = (VipsImage **)vips_object_local_array(owner, STEPS);

    if (vips_colourspace(image, &step[0], VIPS_INTERPRETATION_sRGB, NULL) != 0)
        return NULL;
    image = step[0];
    if (vips_image_hasalpha(image)) {
        const double white[] = {255.0, 255.0, 255.0};
        VipsArrayDouble *background = vips_array_double_new(white, 3);
        const int failed = vips_flatten(image, &step[1], "background", background, NULL);

        vips_area_unref(VIPS_AREA(background));
        if (failed)
            return NULL;
        image = step[1];
    }
    if (image->Bands != 3) {
        if (vips_extract_band(image, &step[2], 0, "n", 3, NULL) != 0)
            return NULL;
        image = step[2];
    }
    if (vips_cast_uchar(image, &step[3], NULL) != 0)
        return NULL;
    return step[3];
}

static bool copy_pixels(VipsImage *image, uint8_t *pixels)
{
    enum { ROWS = 64 };
    VipsRegion *region = vips_region_new(image);
    const size_t stride = (size_t)image->Xsize * 3;
    bool ok = region != NULL;

    for (int top = 0; ok && top < image->Ysize; top += ROWS) {
        const VipsRect strip = {0, top, image->Xsize, VIPS_MIN(ROWS, image->Ysize - top)};

        ok = vips_region_prepare(region, &strip) == 0;
        for (int y = top; ok && y < top + strip.height; y++) {
            /* What lies in memory may begin above the strip, but always at the left border. */
            const uint8_t *row = region->data + (ptrdiff_t)(y - region->valid.top) * region->bpl;

            memcpy(pixels + (size_t)y * stride, row, stride);
        }
    }
    if (region)
        g_object_unref(region);
    return ok;
}

static enum zf_status vips_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_picture picture = {0};
    VipsImage *image = NULL, *rgb;
    VipsObject *steps = NULL;

    ZF_TRY(zf_vips_start(err));
    if (!has_loader(source))
        return zf_fail(err, ZF_EINPUT,
                       "%s: not a picture of a kind that can be read (JPEG, PNG, "
                       "WebP, TIFF or GIF)",
                       source->name);
    image = vips_image_new_from_buffer(source->bytes, source->size, "", "access",
                                       VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
    if (!image) {
        status = zf_vips_fail(err, ZF_EINPUT, source->name, "cannot be read");
        goto fail;
    }
    ZF_TRY(zf_source_check_size(source, image->Xsize, image->Ysize, err));
    steps = VIPS_OBJECT(vips_image_new());
    rgb = plain_rgb(steps, image);
    if (!rgb) {
        status = zf_vips_fail(err, ZF_EINPUT, source->name, "has colours that are not understood");
        goto fail;
    }
    ZF_TRY(zf_picture_init_raw(&picture, rgb->Xsize, rgb->Ysize, err));
    if (!copy_pixels(rgb, picture.pixels)) {
        status = zf_vips_fail(err, ZF_EINPUT, source->name, "damaged or truncated");
        goto fail;
    }
    ZF_TRY(zf_picture_orient(&picture, vips_image_get_orientation(image), err));
    *decoded = (struct zf_decoded){
        .picture = picture,
        .width = picture.width,
        .height = picture.height,
        .original = {0, 0, picture.width, picture.height},
    };
    picture = (struct zf_picture){0};
fail:
    zf_picture_release(&picture);
    if (steps)
        g_object_unref(steps);
    if (image)
        g_object_unref(image);
    return status;
}

static bool vips_knows(const struct zf_source *source)
{
    (void)source;
    return true;
}

const struct zf_decoder zf_vips_decoder = {"vips", vips_knows, vips_decode};
