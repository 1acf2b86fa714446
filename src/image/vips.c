/* SPDX-License-Identifier: MIT */
/*
 * PNG, TIFF, WebP, GIF, HEIC, AVIF and JPEG 2000, through libvips, whose operations are lazy:
 * opening reads the header, each step only notes what to do, and pixels flow when zf_vips_rows()
 * asks for them, strip by strip on the calling thread.
 */
#include "image/vips.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/recognise.h"
#include "base/status.h"
#include "image/jp2.h"
#include "image/kind.h"
#include "image/pages.h"
#include "image/peek.h"
#include "image/tiff.h"

#define MOST_HELD INT64_C(50000000) /* pixels */

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
    if (zf_vips_load(NULL) != ZF_OK)
        return;
    /* It would write its warnings to stderr; what matters of them comes as errors. */
    zf_vips->log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO,
                             drop_log, NULL);
    if (zf_vips->init("zfscope") != 0)
        return;
    zf_vips->block_untrusted_set(TRUE); /* only loaders that its authors fuzz */
    zf_vips->operation_block_set("VipsForeignLoadJp2kBuffer",
                                 FALSE); /* and one behind zf_jp2_check() */
    zf_vips->concurrency_set(1);         /* our callers bring the threads */
    zf_vips->cache_set_max(0);           /* no picture is read twice, so keep none */
    started = true;
}

enum zf_status zf_vips_start(struct zf_error *err)
{
    ZF_CHECK(zf_vips_load(err));
    pthread_once(&start_once, start);
    if (!started)
        return zf_fail(err, ZF_EUNSUPPORTED, "libvips does not start on this machine");
    return ZF_OK;
}

enum zf_status zf_vips_fail(struct zf_error *err, enum zf_status status, const char *name,
                            const char *what)
{
    /* Copies and clears under libvips's lock. All threads write to that one buffer, so the text
       may also hold a line about a neighbour's file, or its want of memory; the name is always
       right. */
    char *text = zf_vips->error_buffer_copy();
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    /* A thread that does not start says nothing of the picture. */
    if (strstr(text, "creating thread"))
        status = ZF_EIO;
    else if (strstr(text, "out of memory"))
        status = ZF_ENOMEM;
    for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        *p = ';';
    status = zf_fail(err, status, "%s: %s%s%s", name, what, length > 0 ? ": " : "", text);
    zf_vips->free(text);
    return status;
}

/* libvips knows fewer of their names than libheif does, so this one is called by its own. */
static bool is_heif(const struct zf_source *source)
{
    const size_t head = source->size < ZF_KIND_BYTES ? source->size : ZF_KIND_BYTES;
    const char *kind = zf_picture_kind(source->bytes, head, source->size);

    return kind && (strcmp(kind, "AVIF") == 0 || strcmp(kind, "HEIC") == 0);
}

/* What reads this kind of file, "VipsForeignLoadPngBuffer"; NULL when nothing may. Static. */
static const char *find_loader(const struct zf_source *source)
{
    const char *loader = is_heif(source)
                             ? "VipsForeignLoadHeifBuffer"
                             : zf_vips->foreign_find_load_buffer(source->bytes, source->size);
    const GType type = loader ? zf_vips->type_from_name(loader) : 0;
    VipsOperationClass *class;
    bool trusted;

    if (type == 0) {
        zf_vips->error_clear();
        return NULL;
    }
    class = zf_vips->type_class_ref(type);
    trusted = (class->flags & VIPS_OPERATION_BLOCKED) == 0;
    zf_vips->type_class_unref(class);
    return trusted ? loader : NULL;
}

bool zf_vips_rows(VipsImage *image, zf_vips_row *row, void *user)
{
    enum { ROWS = 64 };
    VipsRegion *region = zf_vips->region_new(image);
    bool ok = region != NULL;

    for (int top = 0; ok && top < image->Ysize; top += ROWS) {
        const VipsRect strip = {0, top, image->Xsize, VIPS_MIN(ROWS, image->Ysize - top)};

        ok = zf_vips->region_prepare(region, &strip) == 0;
        for (int y = top; ok && y < top + strip.height; y++) {
            /* What lies in memory may begin above the strip, but always at the left border. */
            row(user, y, region->data + (ptrdiff_t)(y - region->valid.top) * region->bpl);
        }
    }
    if (region)
        zf_vips->object_unref(region);
    return ok;
}

/* Channels behind the colours that the file does not call alpha would be taken for it. */
static VipsImage *drop_unnamed(const struct zf_source *source, VipsImage *image)
{
    const int colours = image->Bands - 1;
    VipsImage *named = NULL;

    if ((colours != 1 && colours != 3) || image->Type == VIPS_INTERPRETATION_CMYK ||
        !zf_tiff_has_unnamed(source))
        return image;
    zf_vips->extract_band(image, &named, 0, "n", colours, NULL);
    zf_vips->object_unref(image);
    return named;
}

enum zf_status zf_vips_open(const struct zf_source *source, VipsImage **image, struct zf_error *err)
{
    *image = NULL;
    if (is_heif(source))
        zf_vips->heifload_buffer((void *)(uintptr_t)source->bytes, source->size, image, "access",
                                 VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
    else
        *image = zf_vips->image_new_from_buffer(source->bytes, source->size, "", "access",
                                                VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                                VIPS_FAIL_ON_ERROR, NULL);
    if (*image)
        *image = drop_unnamed(source, *image);
    if (!*image)
        return zf_vips_fail(err, ZF_EINPUT, source->name, "cannot be read");
    return ZF_OK;
}

/* libheif has turned the picture already, by boxes that overrule EXIF; TIFF has a tag of its own.
 */
static int orientation_of(const struct zf_source *source, VipsImage *image, const char *loader)
{
    const void *exif;
    uint64_t at, length;
    size_t size;

    if (strstr(loader, "Heif"))
        return 1;
    if (zf_png_exif(source, &at, &length)) /* libvips sees one in front of the pixels alone */
        return zf_exif_orientation(source->bytes + at, (size_t)length);
    if (!strstr(loader, "Tiff") && zf_vips->image_get_typeof(image, VIPS_META_EXIF_NAME) != 0 &&
        zf_vips->image_get_blob(image, VIPS_META_EXIF_NAME, &exif, &size) == 0)
        return zf_exif_orientation(exif, size);
    return zf_vips->image_get_orientation(image);
}

/* Their libraries hold the whole of them, or of the frame, beside the picture that is made: 7 to 11
   bytes a pixel in all, where a picture that comes row by row takes 3. */
static enum zf_status check_held(const struct zf_source *source, VipsImage *image,
                                 const char *loader, struct zf_error *err)
{
    static const char *const kinds[] = {"Webp", "Nsgif", "Heif"};
    bool held = zf_vips->image_get_typeof(image, "interlaced") != 0; /* PNG */

    for (size_t i = 0; i < ZF_COUNT(kinds); i++)
        held = held || strstr(loader, kinds[i]) != NULL;
    if (!held || image->Xsize <= MOST_HELD / image->Ysize)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: %d x %d px, more than the limit of %" PRId64
                   " pixels of a GIF, WebP, HEIC, AVIF or interlaced PNG",
                   source->name, image->Xsize, image->Ysize, MOST_HELD);
}

/* A GIF's first frame may be smaller than the picture; what is around it is transparent. */
static void whiten_around(struct zf_picture *picture, struct zf_box frame)
{
    for (int64_t y = 0; y < picture->height; y++) {
        const bool inside = y >= frame.y && y < frame.y + frame.height;

        for (int64_t x = 0; x < picture->width; x++) {
            if (!inside || x < frame.x || x >= frame.x + frame.width)
                memset(picture->pixels + 3 * (y * picture->width + x), 255, 3);
        }
    }
}

static enum zf_status refuse(const struct zf_source *source, struct zf_error *err)
{
    const char *what = zf_recognise(source->bytes, source->size);

    return zf_fail(err, ZF_EINPUT,
                   "%s: %s%snot a picture of a kind that can be read (JPEG, PNG, WebP, TIFF, GIF, "
                   "BMP, PNM, HEIC, AVIF or JPEG 2000)",
                   source->name, what ? what : "", what ? "; " : "");
}

static enum zf_status vips_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_decoded made = {0};
    VipsImage *image = NULL;
    struct zf_box frame;
    const char *loader;

    ZF_TRY(zf_vips_start(err));
    ZF_TRY(zf_tiff_check(source, err));
    loader = find_loader(source);
    if (!loader)
        return refuse(source, err);
    if (strstr(loader, "Jp2k"))
        ZF_TRY(zf_jp2_check(source, err));
    ZF_TRY(zf_pages_check(source, err));
    ZF_TRY(zf_vips_open(source, &image, err));
    ZF_TRY(zf_source_check_size(source, image->Xsize, image->Ysize, err));
    ZF_TRY(check_held(source, image, loader, err));
    ZF_TRY(zf_picture_init_raw(&made.picture, image->Xsize, image->Ysize, err));
    ZF_TRY(zf_vips_to_rgb(source, image, &made, err));
    if (zf_gif_frame(source, &frame))
        whiten_around(&made.picture, frame);
    ZF_TRY(zf_picture_orient(&made.picture, orientation_of(source, image, loader), err));
    *decoded = zf_decoded_whole(&made.picture);
    decoded->odd = made.odd;
fail:
    zf_picture_release(&made.picture);
    if (image)
        zf_vips->object_unref(image);
    return status;
}

static bool vips_knows(const struct zf_source *source)
{
    (void)source;
    return true;
}

const struct zf_decoder zf_vips_decoder = {"vips", vips_knows, vips_decode};
