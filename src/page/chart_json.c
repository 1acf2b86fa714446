/* SPDX-License-Identifier: MIT */
/*
 * {"kind","title","x_label","y_label","from_zero","log_x","categories":[...],"point_names":[...],
 * "series":[{"name","x":[...],"y":[...],"deviation":[...]}]}: members that a chart does not have
 * are left out, and null among the numbers is a gap.
 */
#include "page/chart.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/text.h"

#define MAX_SERIES 256
#define MAX_VALUES 1000000 /* of a chart read back */

static const char *const kinds[] = {
    [ZF_CHART_LINES] = "lines", [ZF_CHART_POINTS] = "points", [ZF_CHART_BARS] = "bars"};

/* ---- Writing. ---- */

static bool add_numbers(cJSON *object, const char *key, const double *values, size_t count)
{
    cJSON *list;

    if (!values)
        return true;
    list = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; list && i < count; i++) {
        cJSON *item = zf_axis_takes(values[i]) ? cJSON_CreateNumber(values[i]) : cJSON_CreateNull();

        if (!cJSON_AddItemToArray(list, item))
            return false;
    }
    return list != NULL;
}

static bool add_names(cJSON *object, const char *key, const char *const *names, size_t count)
{
    cJSON *list;

    if (!names)
        return true;
    list = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; list && i < count; i++) {
        if (!cJSON_AddItemToArray(list, zf_text_json(names[i])))
            return false;
    }
    return list != NULL;
}

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return !text || cJSON_AddItemToObject(object, key, zf_text_json(text));
}

static bool add_series(cJSON *list, const struct zf_chart *chart, const struct zf_series *series)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(list, object) && add_text(object, "name", series->name) &&
           (chart->kind == ZF_CHART_BARS || add_numbers(object, "x", series->x, series->count)) &&
           add_numbers(object, "y", series->y, series->count) &&
           add_numbers(object, "deviation", series->deviation, series->count);
}

cJSON *zf_chart_json(const struct zf_chart *chart)
{
    const size_t names = chart->series_count ? chart->series[0].count : 0;
    cJSON *object = cJSON_CreateObject(), *list;

    if (!add_text(object, "kind", kinds[chart->kind]) || !add_text(object, "title", chart->title) ||
        !add_text(object, "x_label", chart->x_label) ||
        !add_text(object, "y_label", chart->y_label) ||
        !cJSON_AddBoolToObject(object, "from_zero", chart->from_zero) ||
        !cJSON_AddBoolToObject(object, "log_x", chart->log_x) ||
        (chart->kind == ZF_CHART_BARS &&
         !add_names(object, "categories", chart->categories, chart->category_count)) ||
        (chart->kind == ZF_CHART_POINTS &&
         !add_names(object, "point_names", chart->point_names, names)) ||
        !(list = cJSON_AddArrayToObject(object, "series")))
        goto fail;
    for (size_t s = 0; s < chart->series_count; s++) {
        if (!add_series(list, chart, &chart->series[s]))
            goto fail;
    }
    return object;
fail:
    cJSON_Delete(object);
    return NULL;
}

/* ---- Reading. ---- */

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool flag_of(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static enum zf_status read_numbers(const cJSON *series, const char *key, size_t count,
                                   const double **values, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(series, key), *item;
    double *made;
    size_t i = 0;

    if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != count || count > MAX_VALUES)
        return zf_fail(err, ZF_EINPUT, "a chart's \"%s\" is not a list of %zu numbers", key, count);
    made = zf_alloc(count, sizeof *made);
    if (!made)
        return zf_no_memory(err, "a chart of %zu values", count);
    cJSON_ArrayForEach(item, list)
    {
        made[i++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    }
    *values = made;
    return ZF_OK;
}

static enum zf_status read_series(const cJSON *json, enum zf_chart_kind kind,
                                  struct zf_series *series, struct zf_error *err)
{
    series->name = text_of(json, "name");
    series->count = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "y"));
    ZF_CHECK(read_numbers(json, "y", series->count, &series->y, err));
    if (kind != ZF_CHART_BARS)
        ZF_CHECK(read_numbers(json, "x", series->count, &series->x, err));
    if (cJSON_HasObjectItem(json, "deviation"))
        ZF_CHECK(read_numbers(json, "deviation", series->count, &series->deviation, err));
    return ZF_OK;
}

/* Every one a string; lent. */
static enum zf_status read_names(const cJSON *json, const char *key, const char *const **names,
                                 size_t *count, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    const char **made;
    size_t i = 0;

    *count = (size_t)cJSON_GetArraySize(list);
    if (*count > MAX_VALUES)
        return zf_fail(err, ZF_EINPUT, "a chart has %zu %s; at most %d are read", *count, key,
                       MAX_VALUES);
    made = zf_alloc(*count, sizeof *made);
    if (!made)
        return zf_no_memory(err, "the %zu %s of a chart", *count, key);
    cJSON_ArrayForEach(item, list)
    {
        made[i++] = cJSON_IsString(item) ? item->valuestring : "";
    }
    *names = made;
    return ZF_OK;
}

static enum zf_status read_kind(const cJSON *json, enum zf_chart_kind *kind, struct zf_error *err)
{
    const char *name = text_of(json, "kind");

    for (size_t i = 0; name && i < ZF_COUNT(kinds); i++) {
        if (strcmp(name, kinds[i]) == 0) {
            *kind = (enum zf_chart_kind)i;
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINPUT, "a chart of the kind \"%s\"; there are lines, points and bars",
                   name ? name : "");
}

enum zf_status zf_chart_parse(const cJSON *json, struct zf_chart *chart, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "series"), *item;
    const size_t count = (size_t)cJSON_GetArraySize(list);
    enum zf_status status;
    struct zf_chart made = {0};
    struct zf_series *series = NULL;
    size_t names = 0;

    ZF_TRY(read_kind(json, &made.kind, err));
    made.title = text_of(json, "title");
    made.x_label = text_of(json, "x_label");
    made.y_label = text_of(json, "y_label");
    made.from_zero = flag_of(json, "from_zero");
    made.log_x = flag_of(json, "log_x");
    series = count <= MAX_SERIES ? zf_alloc(count, sizeof *series) : NULL;
    if (!series) {
        status = zf_fail(err, count <= MAX_SERIES ? ZF_ENOMEM : ZF_EINPUT,
                         "no room for the %zu series of a chart; at most %d are read", count,
                         MAX_SERIES);
        goto fail;
    }
    made.series = series;
    cJSON_ArrayForEach(item, list)
    {
        ZF_TRY(read_series(item, made.kind, &series[made.series_count++], err));
    }
    if (made.kind == ZF_CHART_BARS)
        ZF_TRY(read_names(json, "categories", &made.categories, &made.category_count, err));
    if (made.kind == ZF_CHART_POINTS && cJSON_HasObjectItem(json, "point_names")) {
        ZF_TRY(read_names(json, "point_names", &made.point_names, &names, err));
        if (count == 0 || names != series[0].count) {
            status = zf_fail(err, ZF_EINPUT, "a chart names %zu points and has %zu", names,
                             count ? series[0].count : 0);
            goto fail;
        }
    }
    *chart = made;
    made = (struct zf_chart){0};
    status = ZF_OK;
fail:
    zf_chart_release(&made);
    return status;
}

/* What a parsed chart owns is lent, and so const, in a chart in general. */
static void release(const void *memory)
{
    zf_free((void *)(uintptr_t)memory);
}

void zf_chart_release(struct zf_chart *chart)
{
    for (size_t s = 0; s < chart->series_count; s++) {
        release(chart->series[s].x);
        release(chart->series[s].y);
        release(chart->series[s].deviation);
    }
    release(chart->series);
    release(chart->categories);
    release(chart->point_names);
    *chart = (struct zf_chart){0};
}
