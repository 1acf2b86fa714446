/* SPDX-License-Identifier: MIT */
/* A spec file taken apart: sections in order, each with its lines; and put together again. */
#ifndef ZF_NET_SPEC_H
#define ZF_NET_SPEC_H

#include "zf/base.h"

struct zf_spec_entry {
    char *section, *key, *value;
    const char *origin; /* file or built-in net; lent */
    int line;
    int layer; /* for the builder: from 1, the layer whose section begins here; 0 = none so far */
};

struct zf_spec {
    struct zf_spec_entry *entries; /* in order */
    size_t count, capacity;
    struct zf_spec_entry **by_section; /* [count], in order within each; NULL = not indexed */
    const char *origin;                /* for error sentences; lent */
};

/** Take `text` apart. ZF_EINPUT with the line; release with zf_spec_release(). */
enum zf_status zf_spec_parse(const char *text, const char *origin, struct zf_spec *spec,
                             struct zf_error *err);
void zf_spec_release(struct zf_spec *spec);

/**
 * Index the entries, so that a section is found without a look at all others; from then on only
 * values may change. ZF_ENOMEM.
 */
enum zf_status zf_spec_index(struct zf_spec *spec, struct zf_error *err);

/** The entries of a section of an indexed spec, in order. */
struct zf_spec_section {
    struct zf_spec_entry *const *entries;
    size_t count;
};
struct zf_spec_section zf_spec_section(const struct zf_spec *spec, const char *section);

/** The entry, or NULL; the first of several. */
const struct zf_spec_entry *zf_spec_find(const struct zf_spec *spec, const char *section,
                                         const char *key);

/** Is entry i the first of its section? */
bool zf_spec_opens_section(const struct zf_spec *spec, size_t i);

/** Replace the value of entry i. False when memory is short. */
bool zf_spec_replace(struct zf_spec *spec, size_t i, const char *value);

/** Leave out a section; `length` bytes of `name`. False when there is none. */
bool zf_spec_remove(struct zf_spec *spec, const char *name, size_t length);

/**
 * Make `spec` a variant of `base`: entries of `spec` replace those of the same section and key or
 * are added, and the sections that [net] remove lists are left out. Both keys, base and remove,
 * are gone afterwards. `base` is taken apart and left empty. ZF_EINPUT for a section to be removed
 * that is not there; ZF_ENOMEM.
 */
enum zf_status zf_spec_derive(struct zf_spec *spec, struct zf_spec *base, struct zf_error *err);

/** The spec as text again; NULL when memory is short; free with zf_free(). */
char *zf_spec_text(const struct zf_spec *spec);

#endif
