/* SPDX-License-Identifier: MIT */
#include "zf/option.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "words.h"

static void *field_of(const struct zf_option *option, void *target)
{
    return (char *)target + option->offset;
}

void zf_option_put(const struct zf_option *option, double value, void *target)
{
    void *field = field_of(option, target);

    switch (option->kind) {
    case ZF_OPTION_INT:
        *(int64_t *)field = (int64_t)value;
        break;
    case ZF_OPTION_REAL:
        *(double *)field = value;
        break;
    case ZF_OPTION_FLAG:
        *(bool *)field = value != 0;
        break;
    case ZF_OPTION_CHOICE:
        *(int *)field = (int)value;
        break;
    case ZF_OPTION_TEXT:
        *(const char **)field = NULL;
        break;
    case ZF_OPTION_EXTENTS:
        *(struct zf_extents *)field = (struct zf_extents){1, {(int64_t)value}};
        break;
    }
}

void zf_options_defaults(const struct zf_option *options, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++)
        zf_option_put(&options[i], options[i].initial, target);
}

double zf_option_largest(const struct zf_option *option)
{
    int count = 0;

    if (option->kind == ZF_OPTION_FLAG)
        return 1;
    if (option->kind != ZF_OPTION_CHOICE)
        return option->max;
    while (option->choices[count])
        count++;
    return count - 1;
}

/* "a whole number from 1 to 64": what would fit, for the sentence about what does not. */
static enum zf_status fail_number(const struct zf_option *option, const char *what,
                                  const char *text, struct zf_error *err)
{
    char range[96] = "";

    if (isfinite(option->min) && isfinite(option->max))
        snprintf(range, sizeof range, " from %.12g to %.12g", option->min, option->max);
    else if (isfinite(option->min))
        snprintf(range, sizeof range, " of at least %.12g", option->min);
    else if (isfinite(option->max))
        snprintf(range, sizeof range, " of at most %.12g", option->max);
    return zf_fail(err, ZF_EINVAL, "%s takes %s%s, not '%s'", option->name, what, range, text);
}

static enum zf_status set_int(const struct zf_option *option, const char *text, int64_t *field,
                              struct zf_error *err)
{
    char *end = NULL;
    int64_t value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || (double)value < option->min ||
        (double)value > option->max)
        return fail_number(option, "a whole number", text, err);
    *field = value;
    return ZF_OK;
}

static enum zf_status set_real(const struct zf_option *option, const char *text, double *field,
                               struct zf_error *err)
{
    char *end = NULL;
    const double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value) || value < option->min ||
        value > option->max)
        return fail_number(option, "a number", text, err);
    *field = value;
    return ZF_OK;
}

static enum zf_status set_flag(const struct zf_option *option, const char *text, bool *field,
                               struct zf_error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"yes", true}, {"true", true},   {"on", true},   {"1", true},
        {"no", false}, {"false", false}, {"off", false}, {"0", false},
    };

    for (size_t i = 0; i < ZF_COUNT(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *field = words[i].value;
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINVAL, "%s takes yes or no, not '%s'", option->name, text);
}

static enum zf_status set_choice(const struct zf_option *option, const char *text, int *field,
                                 struct zf_error *err)
{
    char known[256] = "";

    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            *field = i;
            return ZF_OK;
        }
        zf_add_name(known, sizeof known, option->choices[i]);
    }
    return zf_fail(err, ZF_EINVAL, "%s takes one of %s, not '%s'", option->name, known, text);
}

/* "3", "3x5" or "1x1x2x2", or the option's word. */
static enum zf_status set_extents(const struct zf_option *option, const char *text,
                                  struct zf_extents *field, struct zf_error *err)
{
    struct zf_extents read = {0};
    const char *at = text;

    if (option->choices && strcmp(text, option->choices[0]) == 0) {
        *field = read;
        return ZF_OK;
    }
    for (;;) {
        char *end = NULL;
        int64_t value;

        errno = 0;
        value = strtoll(at, &end, 10);
        if (end == at || errno != 0 || read.count == 4 || (double)value < option->min ||
            (double)value > option->max || (*end != 'x' && *end != '\0'))
            break;
        read.value[read.count++] = value;
        if (*end == '\0' && read.count != 3) {
            *field = read;
            return ZF_OK;
        }
        if (*end == '\0')
            break;
        at = end + 1;
    }
    return fail_number(option, "one, two (HxW) or four (TxLxBxR) whole numbers", text, err);
}

enum zf_status zf_option_set(const struct zf_option *option, const char *text, void *target,
                             struct zf_error *err)
{
    void *field = field_of(option, target);

    switch (option->kind) {
    case ZF_OPTION_INT:
        return set_int(option, text, field, err);
    case ZF_OPTION_REAL:
        return set_real(option, text, field, err);
    case ZF_OPTION_FLAG:
        return set_flag(option, text, field, err);
    case ZF_OPTION_CHOICE:
        return set_choice(option, text, field, err);
    case ZF_OPTION_TEXT:
        *(const char **)field = text;
        return ZF_OK;
    case ZF_OPTION_EXTENTS:
        return set_extents(option, text, field, err);
    }
    return zf_fail(err, ZF_EINVAL, "%s: an option of unknown kind", option->name);
}

double zf_option_number(const struct zf_option *option, const void *target)
{
    const void *field = (const char *)target + option->offset;

    switch (option->kind) {
    case ZF_OPTION_INT:
        return (double)*(const int64_t *)field;
    case ZF_OPTION_REAL:
        return *(const double *)field;
    case ZF_OPTION_FLAG:
        return *(const bool *)field;
    case ZF_OPTION_CHOICE:
        return *(const int *)field;
    case ZF_OPTION_TEXT:
    case ZF_OPTION_EXTENTS:
        return 0;
    }
    return 0;
}

const char *zf_option_text(const struct zf_option *option, const void *target)
{
    const void *field = (const char *)target + option->offset;

    return option->kind == ZF_OPTION_TEXT ? *(const char *const *)field : NULL;
}

static bool names_match(const char *a, const char *b)
{
    for (; *a || *b; a++, b++) {
        const char x = *a == '-' ? '_' : *a;
        const char y = *b == '-' ? '_' : *b;

        if (x != y)
            return false;
    }
    return true;
}

const struct zf_option *zf_option_find(const struct zf_option *options, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names_match(options[i].name, name))
            return &options[i];
    }
    return NULL;
}

enum zf_status zf_settings_apply(const struct zf_setting *settings, size_t setting_count,
                                 const struct zf_option *options, size_t count, void *target,
                                 struct zf_error *err)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct zf_setting *setting = &settings[i];

        for (size_t k = 0; k < count; k++) {
            if (setting->option == &options[k])
                ZF_CHECK(zf_option_set(setting->option, setting->text ? setting->text : "yes",
                                       target, err));
        }
    }
    return ZF_OK;
}
