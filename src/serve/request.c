/* SPDX-License-Identifier: MIT */
#include "serve/request.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool copy(char *to, size_t room, const char *from)
{
    const size_t length = strlen(from);

    if (length >= room)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)from[i] < 0x20 || from[i] == 0x7f)
            return false;
    }
    memcpy(to, from, length + 1);
    return true;
}

static int hex(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

size_t zf_request_unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        if (from[0] == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
            const int byte = hex(from[1]) * 16 + hex(from[2]);

            *to = byte == 0 ? 1 : (char)byte;
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

bool zf_request_path(struct zf_request *request, const char *path)
{
    return path[0] == '/' && copy(request->path, sizeof request->path, path);
}

bool zf_request_add(struct zf_request *request, const char *name, const char *value)
{
    struct zf_param *param = &request->params[request->param_count];

    if (request->param_count == ZF_PARAMS || !copy(param->name, sizeof param->name, name) ||
        !copy(param->value, sizeof param->value, value ? value : ""))
        return false;
    request->param_count++;
    return true;
}

const char *zf_request_text(const struct zf_request *request, const char *name)
{
    for (size_t i = 0; i < request->param_count; i++) {
        if (strcmp(request->params[i].name, name) == 0)
            return request->params[i].value;
    }
    return NULL;
}

enum zf_status zf_request_int(const struct zf_request *request, const char *name, int64_t least,
                              int64_t most, int64_t *value, struct zf_error *err)
{
    const char *text = zf_request_text(request, name);
    char *end;
    int64_t read;

    if (!text)
        return ZF_OK;
    errno = 0;
    read = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0' || errno != 0 || read < least || read > most)
        return zf_fail(err, ZF_EINVAL,
                       "%s is a whole number from %" PRId64 " to %" PRId64 ", not '%s'", name,
                       least, most, text);
    *value = read;
    return ZF_OK;
}

enum zf_status zf_request_real(const struct zf_request *request, const char *name, double least,
                               double most, double *value, struct zf_error *err)
{
    const char *text = zf_request_text(request, name);
    char *end;
    double read;

    if (!text)
        return ZF_OK;
    read = strtod(text, &end);
    if (text[0] == '\0' || *end != '\0' || !(read >= least && read <= most))
        return zf_fail(err, ZF_EINVAL, "%s is a number from %g to %g, not '%s'", name, least, most,
                       text);
    *value = read;
    return ZF_OK;
}

enum zf_status zf_request_choice(const struct zf_request *request, const char *name,
                                 const char *const *names, int *value, struct zf_error *err)
{
    const char *text = zf_request_text(request, name);

    for (int i = 0; text && names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *value = i;
            return ZF_OK;
        }
    }
    return text ? zf_fail(err, ZF_EINVAL, "there is no %s '%s'", name, text) : ZF_OK;
}
