/* SPDX-License-Identifier: MIT */
/* A unit's page: what it answers to first, then what it is made of, then what hangs on it. */
#include "experiments/unit/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "page/document.h"

#define BINS 24         /* of the histogram */
#define MOST_CLASSES 12 /* of the table */
#define MOST_VOTES 8    /* for and against, of the chart */

struct page {
    const struct zf_net *net;
    const struct zf_data *data;
    const struct zf_unit *unit;
    struct zf_document *document;
    const char *name; /* "map 12 of conv5" */
};

static double percent(int64_t part, int64_t all)
{
    return 100.0 * (double)part / (double)all;
}

/* ---- In words. ---- */

static void add_lead(const struct page *page)
{
    const struct zf_unit *unit = page->unit;
    const char *class = zf_unit_class_name(page->net, unit->layer, unit->map);
    const struct zf_unit_class *first = unit->class_count > 0 ? &unit->classes[0] : NULL;

    if (class)
        zf_document_paragraph(page->document,
                              "Its maps are the net's classes: this is what it "
                              "says about %s.",
                              class);
    zf_document_paragraph(
        page->document,
        "Of %s pictures, it is above zero somewhere in %s "
        "(%.0f%%). By each picture's strongest cell, its largest value is %.4g, its median %.4g.",
        zf_document_count(page->document, unit->images),
        zf_document_count(page->document, unit->active), percent(unit->active, unit->images),
        unit->most, unit->median);
    if (unit->most <= 0.0)
        zf_document_paragraph(page->document,
                              "It is dead: never above zero, so that nothing behind a rectifier "
                              "ever sees it. What follows shows where it is the least negative.");
    if (first && unit->class_count > 1)
        zf_document_paragraph(
            page->document,
            "It answers most to pictures of %s, by %.4g on average (%.4g over all pictures); "
            "%" PRId64 " of its %zu strongest are of them.",
            zf_data_class(page->data, first->class), first->mean, unit->mean, first->strongest,
            unit->groups[ZF_UNIT_STRONGEST].count);
}

/* ---- Pictures. ---- */

static const char *title_of(const struct page *page, const struct zf_top_entry *entry)
{
    const int64_t label = zf_data_label(page->data, entry->sample);

    return label < 0
               ? zf_document_words(page->document, "%.4g", (double)entry->activation)
               : zf_document_words(page->document, "%s: %.4g", zf_data_class(page->data, label),
                                   (double)entry->activation);
}

static enum zf_status add_group(const struct page *page, enum zf_unit_group which, float limit,
                                const char *file, const char *caption, struct zf_error *err)
{
    const struct zf_unit_pictures *group = &page->unit->groups[which];
    const char *titles[ZF_UNIT_SHOWN];
    struct zf_panel panels[ZF_UNIT_SHOWN];
    struct zf_picture canvas = {0};
    enum zf_status status;

    if (group->count == 0)
        return ZF_OK;
    for (size_t i = 0; i < group->count; i++)
        titles[i] = title_of(page, &group->entries[i]);
    ZF_TRY(zf_unit_draw(page->net, group, limit, titles, &canvas, panels, err));
    zf_document_panels(page->document, &canvas, file, panels, group->count,
                       group->projections.data ? ZF_UNIT_PANEL : ZF_UNIT_SMALL, caption);
fail:
    zf_picture_release(&canvas);
    return status;
}

static enum zf_status add_pictures(const struct page *page, enum zf_rule rule, struct zf_error *err)
{
    struct zf_document *document = page->document;
    const struct zf_unit *unit = page->unit;
    const float limit = zf_unit_limit(page->net, unit);
    const char *depends =
        isnan(unit->dependence)
            ? "Nothing of them reached the pixels."
            : zf_document_words(
                  document,
                  "They depend on the picture by %.2f, the mean of the first three: 0 would be the "
                  "same for every picture, 1 nothing in common with others'.%s",
                  unit->dependence,
                  unit->dependence < ZF_DEPENDS_LITTLE
                      ? " So little that they show the unit's filters, and not what excited it."
                      : "");

    zf_document_heading(document, "What it answers to most");
    ZF_CHECK(add_group(
        page, ZF_UNIT_STRONGEST, limit, "strongest.png",
        zf_document_words(document,
                          "All that the net sees of each picture, and framed the patch that the "
                          "unit's strongest cell looks at; beside it that activation, led back to "
                          "pixels (%s). %s",
                          zf_rule_names[rule], depends),
        err));
    zf_document_heading(document, "What it answers to less");
    ZF_CHECK(add_group(page, ZF_UNIT_MIDDLE, limit, "middle.png",
                       "From the middle of the pictures where it is above zero, with projections "
                       "on the same scale: fainter is weaker.",
                       err));
    return add_group(page, ZF_UNIT_WEAKEST, limit, "weakest.png",
                     "The pictures that it answers to least, with its strongest cell in them.",
                     err);
}

/* ---- Over the data. ---- */

/* The lowest value; 0 where none is below. */
static double lowest(const struct zf_unit *unit, int64_t samples)
{
    double low = 0.0;

    for (int64_t i = 0; i < samples; i++)
        low = fmin(low, (double)unit->values[i]); /* of a number and NAN the number */
    return low;
}

static void add_histogram(const struct page *page)
{
    struct zf_document *document = page->document;
    const struct zf_unit *unit = page->unit;
    const int64_t samples = zf_data_count(page->data);
    const double low = lowest(unit, samples);
    const double step = (fmax(unit->most, low + 1e-12) - low) / BINS;
    double *counts = zf_document_room(document, BINS, sizeof *counts);
    const char **names = zf_document_room(document, BINS, sizeof *names);
    struct zf_series series = {.y = counts, .count = BINS};
    int64_t zeros = 0;

    if (!counts || !names)
        return;
    for (int64_t i = 0; i < samples; i++) {
        const double value = (double)unit->values[i];
        const int bin = isnan(value) ? 0 : (int)((value - low) / step);

        if (low == 0.0 && value == 0.0)
            zeros++;
        else if (!isnan(value))
            counts[bin < BINS ? bin : BINS - 1]++;
    }
    for (int b = 0; b < BINS; b++)
        names[b] = b % 4 == 0 ? zf_document_words(document, "%.3g", low + step * b) : "";
    zf_document_heading(document, "How often, and how strongly");
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_BARS,
                                          .title = "Its activity over the data",
                                          .x_label = "strongest cell of a picture, from",
                                          .y_label = "pictures",
                                          .categories = names,
                                          .category_count = BINS,
                                          .series = &series,
                                          .series_count = 1},
                       1, 1, "activity.svg",
                       "Each picture counts once, at the unit's strongest "
                       "cell in it.%s",
                       zeros > 0 ? zf_document_words(document,
                                                     " %" PRId64 " of %" PRId64
                                                     " pictures, in which it is zero, are left "
                                                     "out.",
                                                     zeros, unit->images)
                                 : "");
}

static void add_classes(const struct page *page)
{
    static const char *const columns[] = {"class", "mean", "of the strongest", "pictures",
                                          "above zero, %"};
    const struct zf_unit *unit = page->unit;

    if (unit->class_count < 2)
        return;
    zf_document_table(page->document, columns, ZF_COUNT(columns),
                      "By the pictures' classes, the largest mean first%s.",
                      unit->class_count > MOST_CLASSES
                          ? zf_document_words(page->document, "; %d of %zu, all are in unit.json",
                                              MOST_CLASSES, unit->class_count)
                          : "");
    for (size_t k = 0; k < unit->class_count && k < MOST_CLASSES; k++) {
        const struct zf_unit_class *class = &unit->classes[k];

        zf_document_cell(page->document, "%s", zf_data_class(page->data, class->class));
        zf_document_cell(page->document, "%.4g", class->mean);
        zf_document_cell(page->document, "%" PRId64, class->strongest);
        zf_document_count_cell(page->document, class->pictures);
        zf_document_number(page->document, 0, percent(class->active, class->pictures));
    }
}

/* ---- Connections. ---- */

static void add_link(const struct page *page, const struct zf_unit_link *link)
{
    static const char *const colours[] = {"red", "green", "blue"};
    const bool bgr = zf_net_preparation(page->net)->channels == ZF_CHANNELS_BGR;

    if (link->layer < 0 && zf_net_input(page->net).c == 3)
        zf_document_cell(page->document, "the picture's %s",
                         colours[bgr ? 2 - link->map : link->map]);
    else if (link->layer < 0)
        zf_document_cell(page->document, "the picture");
    else
        zf_document_cell(page->document, "%s, map %" PRId64,
                         zf_net_layer(page->net, link->layer).name, link->map);
    zf_document_cell(page->document, "%+.4g", link->share);
}

static void add_feeds(const struct page *page)
{
    static const char *const below[] = {"map", "adds"}, *const above[] = {"map", "changes by"};
    const struct zf_unit *unit = page->unit;

    zf_document_heading(page->document, "What feeds it, and what it feeds");
    if (unit->source < 0) {
        zf_document_paragraph(page->document, "It is put together of several layers' maps, or of "
                                              "none, and sums over no filter of its own.");
    } else {
        zf_document_table(
            page->document, below, ZF_COUNT(below),
            "The maps that add most, up or down, to its sum of %.4g in %s: at the strongest cell, "
            "mean of the strongest pictures. The bias adds %.4g.",
            unit->source_value, zf_net_layer(page->net, unit->source).name, unit->bias);
        for (size_t i = 0; i < unit->feed_count; i++)
            add_link(page, &unit->feeds[i]);
    }
    if (unit->fed_count == 0) {
        zf_document_paragraph(page->document, "No learned layer follows that it changes.");
        return;
    }
    zf_document_table(page->document, above, ZF_COUNT(above),
                      "The maps of the next learned layers that change most when it is set to "
                      "zero: with it less without it, at the most changed cell, mean of the "
                      "strongest pictures.");
    for (size_t i = 0; i < unit->fed_count; i++)
        add_link(page, &unit->fed[i]);
}

/* ---- Votes. ---- */

struct vote {
    int64_t k;
    double adds;
};

static int by_adds(const void *left, const void *right)
{
    const struct vote *a = left, *b = right;

    if (a->adds != b->adds)
        return a->adds < b->adds ? 1 : -1;
    return (a->k > b->k) - (a->k < b->k);
}

static void add_votes(const struct page *page)
{
    struct zf_document *document = page->document;
    const struct zf_unit *unit = page->unit;
    const size_t all = (size_t)unit->vote_count;
    const size_t count = all < 2 * MOST_VOTES ? all : 2 * MOST_VOTES;
    struct vote *votes = zf_document_room(document, all, sizeof *votes);
    double *adds = zf_document_room(document, count, sizeof *adds);
    const char **names = zf_document_room(document, count, sizeof *names);
    struct zf_series series = {.y = adds, .count = count};

    if (!votes || !adds || !names)
        return;
    for (size_t k = 0; k < all; k++)
        votes[k] = (struct vote){(int64_t)k, unit->votes[k]};
    qsort(votes, all, sizeof *votes, by_adds);
    for (size_t i = 0; i < count; i++) {
        const struct vote *vote = &votes[i < count / 2 ? i : all - count + i];

        adds[i] = vote->adds;
        names[i] = zf_unit_vote_name(page->net, unit, vote->k);
    }
    zf_document_heading(document, "Which classes it votes for");
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_BARS,
                                          .title = "What it adds to each class's score",
                                          .x_label = "class",
                                          .y_label = "score with it, less without",
                                          .categories = names,
                                          .category_count = count,
                                          .series = &series,
                                          .series_count = 1},
                       1, 1, "votes.svg",
                       "Scores are the values of %s; mean of its strongest pictures%s.",
                       zf_net_layer(page->net, zf_net_class_layer(page->net)).name,
                       count < all ? ", the classes at both ends" : "");
}

/* ---- Silenced. ---- */

/* Mean of what the answers lose, and how many become others. */
static double loss(const struct zf_unit_pictures *group, int64_t *changed)
{
    double sum = 0.0;

    *changed = 0;
    for (size_t i = 0; i < group->count; i++) {
        sum += (double)group->answers[i].value - (double)group->answers[i].silenced_value;
        *changed += group->answers[i].class != group->answers[i].silenced_class;
    }
    return group->count ? sum / (double)group->count : 0.0;
}

static void add_silence(const struct page *page)
{
    static const char *const columns[] = {"picture", "the net says", "with", "without",
                                          "then says"};
    const struct zf_unit_pictures *strongest = &page->unit->groups[ZF_UNIT_STRONGEST];
    const struct zf_unit_pictures *middle = &page->unit->groups[ZF_UNIT_MIDDLE];
    const char *word = zf_net_answer_word(page->net);
    int64_t changed, changed_middle;
    const double mean = loss(strongest, &changed), mean_middle = loss(middle, &changed_middle);

    zf_document_heading(page->document, "What changes without it");
    zf_document_paragraph(
        page->document,
        "With the unit's map set to zero, the net says something else about %" PRId64
        " of its %zu strongest pictures, and the %s of what it said falls by %.3g on average; of "
        "the %zu from the middle, about %" PRId64 ", and by %.3g.",
        changed, strongest->count, word, mean, middle->count, changed_middle, mean_middle);
    zf_document_table(page->document, columns, ZF_COUNT(columns),
                      "Its strongest pictures: the %s of what the net says, with the unit and "
                      "without it, and what it says then.",
                      word);
    for (size_t i = 0; i < strongest->count; i++) {
        const struct zf_unit_answer *answer = &strongest->answers[i];

        zf_document_cell(page->document, "%s", strongest->album.names[i]);
        zf_document_cell(page->document, "%s", zf_net_label(page->net, answer->class));
        zf_document_cell(page->document, "%.4g", (double)answer->value);
        zf_document_cell(page->document, "%.4g", (double)answer->silenced_value);
        zf_document_cell(page->document, "%s",
                         answer->class == answer->silenced_class
                             ? "the same"
                             : zf_net_label(page->net, answer->silenced_class));
    }
}

/* ---- All of it. ---- */

static void say(const struct page *page)
{
    const struct zf_unit *unit = page->unit;
    const struct zf_unit_pictures *strongest = &unit->groups[ZF_UNIT_STRONGEST];

    zf_document_say(page->document, "%s: above zero in %" PRId64 " of %" PRId64 " pictures\n",
                    page->name, unit->active, unit->images);
    if (unit->class_count > 1)
        zf_document_say(page->document, "  answers most to  %s, by %.4g (all: %.4g)\n",
                        zf_data_class(page->data, unit->classes[0].class), unit->classes[0].mean,
                        unit->mean);
    if (unit->votes) {
        int64_t best = 0, changed;
        const double mean = loss(strongest, &changed);

        for (int64_t k = 1; k < unit->vote_count; k++)
            best = unit->votes[k] > unit->votes[best] ? k : best;
        zf_document_say(page->document, "  votes most for   %s, by %+.4g\n",
                        zf_unit_vote_name(page->net, unit, best), unit->votes[best]);
        zf_document_say(page->document,
                        "  without it       %" PRId64 " of %zu answers change, their %s falls by "
                        "%.3g\n",
                        changed, strongest->count, zf_net_answer_word(page->net), mean);
    }
}

enum zf_status zf_unit_page(const struct zf_net *net, const struct zf_data *data,
                            const struct zf_unit *unit, enum zf_rule rule,
                            struct zf_document *document, struct zf_error *err)
{
    const struct page page = {.net = net,
                              .data = data,
                              .unit = unit,
                              .document = document,
                              .name =
                                  zf_document_words(document, "map %" PRId64 " of %s", unit->map,
                                                    zf_net_layer(net, unit->layer).name)};

    zf_document_parameter(document, "unit", "%s", page.name);
    zf_document_parameter(document, "net", "%s", zf_net_name(net));
    zf_document_parameter(document, "pictures", "%s", zf_data_name(data));
    if (unit->skipped > 0)
        zf_document_parameter(document, "could not be read", "%" PRId64, unit->skipped);
    zf_document_parameter(document, "rule", "%s", zf_rule_names[rule]);
    add_lead(&page);
    ZF_CHECK(add_pictures(&page, rule, err));
    add_histogram(&page);
    add_classes(&page);
    if (unit->votes) {
        add_votes(&page);
        add_silence(&page);
    } else {
        zf_document_paragraph(document, "The net ends in maps, which name no class: so there are "
                                        "no votes, and no answers that could change.");
    }
    add_feeds(&page);
    zf_unit_numbers(zf_document_numbers(document), net, data, unit);
    say(&page);
    return ZF_OK;
}
