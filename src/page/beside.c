/* SPDX-License-Identifier: MIT */
#include "page/beside.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/text.h"

#define JPEG_QUALITY 88

static enum zf_status save(struct zf_beside *beside, const char *name, const uint8_t *bytes,
                           size_t size, struct zf_error *err)
{
    char *path = zf_path_join(beside->folder, name);
    enum zf_status status =
        path ? zf_directory_make(beside->folder, err) : zf_no_memory(err, "the name of %s", name);

    if (status == ZF_OK)
        status = zf_file_write(path, bytes, size, err);
    zf_free(path);
    return status;
}

bool zf_beside_overflows(const struct zf_beside *beside)
{
    return beside && !beside->used && beside->held > ZF_PAGE_MOST;
}

enum zf_status zf_source_write(FILE *out, struct zf_beside *beside, const uint8_t *bytes,
                               size_t size, bool jpeg, struct zf_error *err)
{
    char name[32];

    if (beside && beside->used) {
        snprintf(name, sizeof name, "%04d.%s", ++beside->count, jpeg ? "jpg" : "png");
        ZF_CHECK(save(beside, name, bytes, size, err));
        fprintf(out, "src=\"%s/%s\"", beside->address, name);
        return ZF_OK;
    }
    if (beside)
        beside->held += (int64_t)size / 3 * 4;
    if (zf_beside_overflows(beside)) /* the page is written again, with files */
        return ZF_OK;
    fprintf(out, "src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
    zf_text_base64(out, bytes, size);
    fputs("\"", out);
    return ZF_OK;
}

enum zf_status zf_source_draw(FILE *out, struct zf_beside *beside, const struct zf_picture *picture,
                              struct zf_error *err)
{
    uint8_t *png = NULL, *jpeg = NULL;
    size_t png_size = 0, jpeg_size = 0;
    enum zf_status status;
    bool small;

    ZF_TRY(zf_picture_encode(picture, 0, &png, &png_size, err));
    ZF_TRY(zf_picture_encode(picture, JPEG_QUALITY, &jpeg, &jpeg_size, err));
    small = jpeg_size < png_size / 2;
    ZF_TRY(
        zf_source_write(out, beside, small ? jpeg : png, small ? jpeg_size : png_size, small, err));
fail:
    zf_bytes_free(jpeg);
    zf_bytes_free(png);
    return status;
}
