/* SPDX-License-Identifier: MIT */
/*
 * Results come from files that anybody may have written, so each number that a sentence needs is
 * looked for, and the sentence is left out where one is missing.
 */
#include "page/story.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"

#define ALONE 0.01 /* a p below it tells a part from random places */
#define MOST_CLASSES 12

/* ---- Reading. ---- */

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(member(object, key));
}

/* NAN where there is none. */
static double number(const cJSON *object, const char *key)
{
    const cJSON *item = member(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static const cJSON *first(const cJSON *object, const char *key)
{
    const cJSON *list = member(object, key);

    return cJSON_IsArray(list) ? list->child : NULL;
}

/* The value of a parameter that the page shows. */
static const char *parameter(const cJSON *root, const char *name)
{
    for (const cJSON *item = first(root, "parameters"); item; item = item->next) {
        if (text(item, "name") && strcmp(text(item, "name"), name) == 0)
            return text(item, "value");
    }
    return NULL;
}

/* Of a grid of numbers the smallest. */
static double smallest(const cJSON *rows)
{
    double least = INFINITY;
    const cJSON *row, *cell;

    cJSON_ArrayForEach(row, rows)
    {
        cJSON_ArrayForEach(cell, row)
        {
            if (cJSON_IsNumber(cell))
                least = fmin(least, cell->valuedouble);
        }
    }
    return least;
}

/* ---- Sentences. ---- */

/* A count as it stands in a sentence; `text` as in zf_count_text(). */
static const char *counted(double count, char *text)
{
    return fabs(count) < 1e15 ? zf_count_text(llround(count), ZF_THIN_GAP, text) : "?";
}

static char *of_training(const cJSON *root)
{
    const char *epochs = parameter(root, "epochs");
    const char *lowest = parameter(root, "lowest validation error");

    if (!epochs)
        return NULL;
    return lowest
               ? zf_format("After %s epochs; the lowest validation error was %s.", epochs, lowest)
               : zf_format("After %s epochs, without validation data.", epochs);
}

static char *of_eval(const cJSON *root)
{
    const cJSON *pair = first(root, "confusions"), *model = first(root, "models");
    const cJSON *together = member(root, "ensemble");
    const double error = 100.0 * number(cJSON_IsObject(together) ? together : model, "top1_error");
    const double images = number(root, "images");
    char count[ZF_COUNT_TEXT], most[ZF_COUNT_TEXT];

    if (isnan(error) || isnan(images))
        return NULL;
    if (!text(pair, "label") || !text(pair, "predicted") || isnan(number(pair, "pictures")))
        return zf_format("%.1f%% of %s pictures are taken for another class.", error,
                         counted(images, count));
    return zf_format(
        "%.1f%% of %s pictures are taken for another class, most often %s for %s (%s).", error,
        counted(images, count), text(pair, "label"), text(pair, "predicted"),
        counted(number(pair, "pictures"), most));
}

static char *of_compare(const cJSON *root)
{
    const cJSON *a = first(root, "models"), *b = a ? a->next : NULL;
    char count[ZF_COUNT_TEXT];

    if (!text(a, "path") || !text(b, "path") || isnan(number(a, "top1_error")) ||
        isnan(number(b, "top1_error")) || isnan(number(root, "images")))
        return NULL;
    return zf_format("%s gets %.1f%% of %s pictures wrong, %s %.1f%%.", text(a, "path"),
                     100.0 * number(a, "top1_error"), counted(number(root, "images"), count),
                     text(b, "path"), 100.0 * number(b, "top1_error"));
}

static char *of_top(const cJSON *root)
{
    const cJSON *layer, *map;
    int layers = 0, maps = 0, dead = 0;
    char none[48], shown[ZF_COUNT_TEXT], images[ZF_COUNT_TEXT];

    cJSON_ArrayForEach(layer, member(root, "layers"))
    {
        layers++;
        cJSON_ArrayForEach(map, member(layer, "maps"))
        {
            maps++;
            dead += !(number(first(map, "top"), "activation") > 0.0);
        }
    }
    if (maps == 0 || isnan(number(root, "images")))
        return NULL;
    snprintf(none, sizeof none, "; %d of them to nothing", dead);
    return zf_format("What %s maps of %d %s answer to among %s pictures%s.", counted(maps, shown),
                     layers, layers == 1 ? "layer" : "layers",
                     counted(number(root, "images"), images), dead > 0 ? none : "");
}

static char *of_unit(const cJSON *root)
{
    const char *layer = text(root, "layer"), *class = text(first(root, "classes"), "label");
    char above[ZF_COUNT_TEXT], images[ZF_COUNT_TEXT];

    if (!layer || isnan(number(root, "map")) || isnan(number(root, "above_zero")) ||
        isnan(number(root, "images")))
        return NULL;
    return zf_format("Map %.0f of %s is above zero in %s of %s pictures%s%s.", number(root, "map"),
                     layer, counted(number(root, "above_zero"), above),
                     counted(number(root, "images"), images), class ? ", and answers most to " : "",
                     class ? class : "");
}

static char *of_evolve(const cJSON *root)
{
    const cJSON *from = first(root, "epochs"), *to = from ? from->prev : NULL, *layer;
    int maps = 0;

    cJSON_ArrayForEach(layer, member(root, "layers"))
    {
        maps += cJSON_GetArraySize(member(layer, "maps"));
    }
    return cJSON_IsNumber(from) && cJSON_IsNumber(to)
               ? zf_format("How %d maps came to be, from epoch %.0f to %.0f.", maps,
                           from->valuedouble, to->valuedouble)
               : NULL;
}

static char *of_occlude(const cJSON *root)
{
    const cJSON *image = first(root, "images"), *map = member(image, "probability_map");
    const char *word = map ? "probability" : "value";
    const double least = smallest(map ? map : member(image, "value_map"));

    if (!text(image, "label") || isnan(number(image, word)) || isinf(least))
        return NULL;
    return zf_format("Hiding a square of %.0f px lowers the %s of %s from %.3g to %.3g at the "
                     "worst place%s.",
                     number(image, "size"), word, text(image, "label"), number(image, word), least,
                     image->next ? ", in the first picture" : "");
}

static char *of_invariance(const cJSON *root)
{
    const cJSON *image = first(root, "images"), *motion = first(image, "transforms"), *value;
    double least = INFINITY;

    cJSON_ArrayForEach(value, member(motion, "probability"))
    {
        if (cJSON_IsNumber(value))
            least = fmin(least, value->valuedouble);
    }
    if (!text(image, "label") || isinf(least) || isnan(number(image, "probability")))
        return NULL;
    return zf_format("Shifting the picture lowers the probability of %s from %.3g to %.3g at the "
                     "least%s.",
                     text(image, "label"), number(image, "probability"), least,
                     image->next ? ", in the first picture" : "");
}

static char *of_correspond(const cJSON *root)
{
    const cJSON *layer = first(root, "layers"), *part;
    int parts = 0, alone = 0;

    cJSON_ArrayForEach(part, member(layer, "parts"))
    {
        parts += !isnan(number(part, "p"));
        alone += number(part, "p") < ALONE;
    }
    return parts > 0 && text(layer, "name")
               ? zf_format("In %s, hiding %d of %d parts changes different pictures alike (p below "
                           "%.2f).",
                           text(layer, "name"), alone, parts, ALONE)
               : NULL;
}

static char *of_diagnose(const cJSON *root)
{
    const cJSON *layer, *odd = NULL;
    int layers = 0, found = 0;

    cJSON_ArrayForEach(layer, member(root, "layers"))
    {
        const char *verdict = text(layer, "verdict");

        layers++;
        if (verdict && strncmp(verdict, "Nothing stands out", 18) != 0) {
            odd = found++ == 0 ? layer : odd;
        }
    }
    if (layers == 0)
        return NULL;
    return found == 0 ? zf_format("Nothing stands out in %d layers.", layers)
                      : zf_format("%d of %d layers stand out. %s: %s", found, layers,
                                  text(odd, "name") ? text(odd, "name") : "", text(odd, "verdict"));
}

/* The first of the objects in `list` where `key` is the smallest, or the largest. */
static const cJSON *best_of(const cJSON *list, const char *key, double sign)
{
    const cJSON *item, *best = NULL;

    cJSON_ArrayForEach(item, list)
    {
        if (!isnan(number(item, key)) &&
            (!best || sign * number(item, key) > sign * number(best, key)))
            best = item;
    }
    return best;
}

static char *of_ablate(const cJSON *root)
{
    const cJSON *list = member(root, "rows") ? member(root, "rows") : member(root, "nets");
    const cJSON *best = best_of(list, "val_top1_error", -1.0);

    return best && text(best, "net")
               ? zf_format("Of %d nets, %s has the lowest validation error: %.1f%%.",
                           cJSON_GetArraySize(list), text(best, "net"),
                           100.0 * number(best, "val_top1_error"))
               : NULL;
}

static char *of_transfer(const cJSON *root)
{
    const cJSON *best = best_of(member(root, "rows"), "accuracy_mean", 1.0);

    return best && text(best, "layer")
               ? zf_format("The features of %s do best on the new task: %.1f%% right, with %.0f "
                           "pictures a class.",
                           text(best, "layer"), 100.0 * number(best, "accuracy_mean"),
                           number(best, "per_class"))
               : NULL;
}

/* ---- Kinds and parts. ---- */

/* In the order of the story. */
static const struct {
    const char *kind;
    enum zf_part part;
    char *(*headline)(const cJSON *root);
} kinds[] = {
    {"train", ZF_PART_TRAINING, of_training},
    {"eval", ZF_PART_MISTAKES, of_eval},
    {"compare", ZF_PART_MISTAKES, of_compare},
    {"top", ZF_PART_FEATURES, of_top},
    {"unit", ZF_PART_FEATURES, of_unit},
    {"evolve", ZF_PART_FEATURES, of_evolve},
    {"occlude", ZF_PART_REASONS, of_occlude},
    {"invariance", ZF_PART_REASONS, of_invariance},
    {"correspond", ZF_PART_REASONS, of_correspond},
    {"diagnose", ZF_PART_CHANGES, of_diagnose},
    {"ablate", ZF_PART_CHANGES, of_ablate},
    {"transfer", ZF_PART_CHANGES, of_transfer},
};

static const char *const titles[ZF_PARTS][2] = {
    [ZF_PART_TRAINING] = {"How it learned", "Did the loss still fall, and did the errors on "
                                            "pictures that it does not learn from fall with it?"},
    [ZF_PART_MISTAKES] = {"What it gets wrong", "Which classes, which pictures, and for what are "
                                                "they taken?"},
    [ZF_PART_FEATURES] = {"What it looks for", "Each map of a net answers to something. To what, "
                                               "is seen from the pictures where it answers most."},
    [ZF_PART_REASONS] = {"Why it says so", "What in a picture does an answer need?"},
    [ZF_PART_CHANGES] = {"What to change", "What looks wrong inside, and what other nets or other "
                                           "data would give."},
    [ZF_PART_MORE] = {"More", "Results of other kinds."},
};

const char *zf_part_title(enum zf_part part)
{
    return titles[part][0];
}

const char *zf_part_question(enum zf_part part)
{
    return titles[part][1];
}

static size_t find_kind(const cJSON *root)
{
    size_t i = 0;

    while (i < ZF_COUNT(kinds) && text(root, "kind") &&
           strcmp(kinds[i].kind, text(root, "kind")) != 0)
        i++;
    return text(root, "kind") ? i : ZF_COUNT(kinds);
}

size_t zf_story_place(const cJSON *root)
{
    return find_kind(root);
}

size_t zf_story_places(void)
{
    return ZF_COUNT(kinds) + 1;
}

enum zf_part zf_story_part(const cJSON *root)
{
    const size_t i = find_kind(root);

    return i < ZF_COUNT(kinds) ? kinds[i].part : ZF_PART_MORE;
}

char *zf_story_headline(const cJSON *root)
{
    const size_t i = find_kind(root);

    return i < ZF_COUNT(kinds) ? kinds[i].headline(root) : NULL;
}

/* ---- The task. ---- */

static const char *data_of(const cJSON *root)
{
    return text(root, "data") ? text(root, "data") : parameter(root, "data");
}

static const char *net_of(const cJSON *root)
{
    return text(root, "net");
}

/* A list of what the results say, each thing once. */
static void add_distinct(const cJSON *const *roots, size_t count,
                         const char *(*said)(const cJSON *root), char *list, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = said(roots[i]);
        bool known = !name || !*name;

        for (size_t k = 0; k < i && !known; k++)
            known = said(roots[k]) && strcmp(said(roots[k]), name) == 0;
        if (!known)
            zf_add_name(list, size, name);
    }
}

static void add_classes(const cJSON *root, char *list, size_t size)
{
    const cJSON *class;
    int count = 0;

    if (*list)
        return;
    cJSON_ArrayForEach(class, member(root, "classes"))
    {
        if (text(class, "label") && count++ < MOST_CLASSES)
            zf_add_name(list, size, text(class, "label"));
    }
    if (count > MOST_CLASSES) {
        const size_t used = strlen(list);

        snprintf(list + used, size - used, " and %d more", count - MOST_CLASSES);
    }
}

char *zf_story_task(const cJSON *const *roots, size_t count)
{
    char nets[256] = "", data[512] = "", classes[512] = "";

    add_distinct(roots, count, net_of, nets, sizeof nets);
    add_distinct(roots, count, data_of, data, sizeof data);
    for (size_t i = 0; i < count; i++)
        add_classes(roots[i], classes, sizeof classes);
    if (!*nets && !*data && !*classes)
        return NULL;
    return zf_format("%s%s%s%s%s%s%s%s%s", *nets ? "The net: " : "", nets, *nets ? ". " : "",
                     *classes ? "What it tells apart: " : "", classes, *classes ? ". " : "",
                     *data ? "Looked at with: " : "", data, *data ? "." : "");
}
