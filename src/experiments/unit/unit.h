/* SPDX-License-Identifier: MIT */
/*
 * One unit, that is one map of a layer: what it answers to (survey.c), what feeds it and what hangs
 * on it (wiring.c), and its page.
 */
#ifndef ZF_EXPERIMENTS_UNIT_H
#define ZF_EXPERIMENTS_UNIT_H

#include "experiments/album.h"
#include "experiments/table.h"
#include "zf/look.h"

#define ZF_UNIT_SHOWN 9 /* pictures of a group, at most */
#define ZF_UNIT_LINKS 8 /* units that feed it, and that it feeds, at most */

struct zf_unit_options {
    int layer;
    int64_t map;
    enum zf_rule rule;
    bool strict; /* a picture that cannot be read is an error instead of being skipped */
    struct zf_compute compute; /* batch 0 = chosen */
};

/* How strongly the unit answers to a picture is its strongest cell there. */
enum zf_unit_group {
    ZF_UNIT_STRONGEST,
    ZF_UNIT_MIDDLE, /* around the median of the pictures where it is above zero */
    ZF_UNIT_WEAKEST,
    ZF_UNIT_GROUPS
};

/* What the net says about a picture, and what it says with the unit set to zero. */
struct zf_unit_answer {
    int64_t class, silenced_class;
    float value, silenced_value; /* of `class`, both: probability, or value of plain numbers */
};

struct zf_unit_pictures {
    size_t count;
    struct zf_top_entry entries[ZF_UNIT_SHOWN]; /* strongest first */
    struct zf_album album;
    struct zf_tensor projections; /* [count, c, h, w] of the entries; empty of the weakest */
    struct zf_unit_answer answers[ZF_UNIT_SHOWN]; /* not of the weakest */
};

/* The data's pictures of one class. */
struct zf_unit_class {
    int64_t class, pictures, active; /* active: above zero */
    int64_t strongest;               /* of the nine */
    double mean;                     /* of the strongest cells */
};

/* A unit that feeds this one, or that it feeds. */
struct zf_unit_link {
    int layer; /* -1 = the net's input */
    int64_t map;
    double share; /* see zf_unit.feeds and .fed */
};

struct zf_unit {
    int layer;
    int64_t map;
    int64_t images, skipped;
    int64_t active;            /* pictures where it is above zero */
    double mean, median, most; /* over the pictures */
    float *values;             /* [samples of the data]; NAN where a picture was skipped */
    struct zf_unit_pictures groups[ZF_UNIT_GROUPS];
    struct zf_unit_class *classes; /* largest mean first; classes without pictures are left out */
    size_t class_count;
    double dependence; /* of projections on the picture: mean of up to three of the strongest */

    /* The convolution or fully connected layer that computes the map, layers that keep maps apart
       aside; -1 where it comes of several layers or of none. `share`: what a map of its input adds
       to the sum at its strongest cell, mean of the strongest pictures; with the bias, all add up
       to source_value. */
    int source;
    double source_value, bias;
    struct zf_unit_link feeds[ZF_UNIT_LINKS];
    size_t feed_count;

    /* `share`: how the next learned layers' maps change when the unit is silenced, by their most
       changed cell: with it less without it, mean of the strongest pictures. */
    struct zf_unit_link fed[ZF_UNIT_LINKS];
    size_t fed_count;

    /* [votes] of zf_net_class_layer(): what the unit adds to each class's score, the value before
       softmax or sigmoid, mean of the strongest pictures. NULL where the net ends in maps. */
    double *votes;
    int64_t vote_count;
};

/**
 * Measure one unit: a pass over `data`, then its own pictures, with it and with it set to zero.
 *
 * net, data  lent; must outlive *out
 * out        handed over; free with zf_unit_free()
 *
 * Memory: that of a plan, 4 bytes a picture of the data, and 45 inputs of the net; time: a pass up
 * to the unit's layer, some 36 runs of the whole net and 40 projections. Returns ZF_EINVAL for a
 * unit that the net does not have, ZF_EINPUT for bad data, ZF_ECANCELED, ZF_ENOMEM.
 */
enum zf_status zf_unit_measure(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_unit_options *options, struct zf_unit **out,
                               const struct zf_monitor *monitor, struct zf_error *err);
void zf_unit_free(struct zf_unit **unit);

/**
 * Of one unit what feeds it, what hangs on it, its votes and the answers without it, but no pass:
 * its strongest pictures are known already.
 *
 * entries  [count] strongest first, at most ZF_UNIT_SHOWN; copied. Of what zf_unit_measure() fills
 *          in, the group of the strongest has no projections and the others are empty.
 *
 * Time: 18 runs of the whole net. Returns what zf_unit_measure() does.
 */
enum zf_status zf_unit_connect(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_unit_options *options,
                               const struct zf_top_entry *entries, size_t count,
                               struct zf_unit **out, const struct zf_monitor *monitor,
                               struct zf_error *err);

/**
 * Go from a map to the one of the convolution or fully connected layer that computes it, through
 * layers that keep maps apart and those that join them; false where there is none. The map is one
 * of the layer's.
 */
bool zf_unit_trace(const struct zf_net *net, int *layer, int64_t *map);

/** The class that a unit stands for, its label; NULL where it is no class's. Lent. */
const char *zf_unit_class_name(const struct zf_net *net, int layer, int64_t map);

/** The label of output k of zf_net_class_layer(). */
const char *zf_unit_vote_name(const struct zf_net *net, const struct zf_unit *unit, int64_t k);

/* ---- wiring.c: the last three groups of fields, and the answers. ---- */

enum zf_status zf_unit_wire(const struct zf_net *net, const struct zf_unit_options *options,
                            struct zf_unit *unit, const struct zf_monitor *monitor,
                            struct zf_error *err);

/* ---- page.c, numbers.c ---- */

enum zf_status zf_unit_page(const struct zf_net *net, const struct zf_data *data,
                            const struct zf_unit *unit, enum zf_rule rule,
                            struct zf_document *document, struct zf_error *err);
/* What zf_unit_connect() fills in, as zf_unit_numbers() has it. */
void zf_unit_connections(struct zf_json *json, const struct zf_net *net, const struct zf_data *data,
                         const struct zf_unit *unit);
void zf_unit_numbers(struct zf_json *json, const struct zf_net *net, const struct zf_data *data,
                     const struct zf_unit *unit);

#endif
