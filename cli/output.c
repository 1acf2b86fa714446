/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

/* The directory that `path` would be made in, as an owned string: "a/b" for "a/b/c", "." for "c".
 */
static char *parent_of(const char *path)
{
    size_t length = strlen(path);
    char *parent;

    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    parent = calloc(length + 2, 1);
    if (parent)
        memcpy(parent, length ? path : ".", length ? length : 1);
    return parent;
}

enum zf_status output_status(int error_number)
{
    switch (error_number) {
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return ZF_EIO;
    default:
        return ZF_EINPUT;
    }
}

static enum zf_status check_writable(const char *path, const char *directory, struct zf_error *err)
{
    struct stat info;

    if (stat(directory, &info) != 0)
        return zf_fail(err, output_status(errno), "cannot write %s: %s: %s", path, directory,
                       strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return zf_fail(err, ZF_EINPUT, "cannot write %s: %s is not a directory", path, directory);
    if (access(directory, W_OK | X_OK) != 0)
        return zf_fail(err, output_status(errno), "cannot write %s: %s: %s", path, directory,
                       strerror(errno));
    return ZF_OK;
}

enum zf_status output_check_file(const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct stat info;
    char *parent = parent_of(path);

    if (!parent)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    if (*path == '\0' || path[strlen(path) - 1] == '/')
        status = zf_fail(err, ZF_EINPUT, "cannot write '%s': that is not a file name", path);
    else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        status = zf_fail(err, ZF_EINPUT, "cannot write %s: it is a directory", path);
    else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        status = zf_fail(err, ZF_EINPUT, "cannot write %s: it is not a regular file", path);
    else
        status = check_writable(path, parent, err);
    free(parent);
    return status;
}

enum zf_status output_check_directory(const char *path, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct stat info;
    char *known = calloc(strlen(path) + 2, 1); /* the deepest part that exists */

    if (!known)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    strcpy(known, *path ? path : ".");
    while (status == ZF_OK && stat(known, &info) != 0) {
        char *parent;

        if (errno != ENOENT) {
            status =
                zf_fail(err, output_status(errno), "cannot write %s: %s", path, strerror(errno));
            break;
        }
        parent = parent_of(known);
        if (!parent)
            status = zf_fail(err, ZF_ENOMEM, "out of memory");
        free(known);
        known = parent;
    }
    if (status == ZF_OK)
        status = check_writable(path, known, err);
    free(known);
    return status;
}

bool output_is_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    struct stat info;

    if (stat(path, &info) == 0)
        return !S_ISDIR(info.st_mode);
    return dot && dot > name && dot[1] &&
           !dot[1 + strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

void output_make_parents(const char *file)
{
    char *path = strdup(file);

    for (char *slash = path ? strchr(path + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    free(path);
}

enum zf_status output_json(FILE *out, cJSON *json, struct zf_error *err)
{
    char *text = json ? zf_json_sound(cJSON_Print(json)) : NULL;

    cJSON_Delete(json);
    if (!text)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return ZF_OK;
}

cJSON *json_box(struct zf_box box)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddNumberToObject(json, "x", (double)box.x);
    cJSON_AddNumberToObject(json, "y", (double)box.y);
    cJSON_AddNumberToObject(json, "width", (double)box.width);
    cJSON_AddNumberToObject(json, "height", (double)box.height);
    return json;
}

cJSON *json_shape(struct zf_shape shape)
{
    const double extents[] = {(double)shape.c, (double)shape.h, (double)shape.w};

    return cJSON_CreateDoubleArray(extents, 3);
}

const char *format_count(int64_t value, char *text, size_t size)
{
    char digits[32];
    size_t used = 0;
    const int length = snprintf(digits, sizeof digits, "%" PRId64, value);

    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            text[used++] = ' ';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}
