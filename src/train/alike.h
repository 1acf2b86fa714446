/* SPDX-License-Identifier: MIT */
/* Whether ranks that share work were given the same: see zf/ranks.h. */
#ifndef ZF_TRAIN_ALIKE_H
#define ZF_TRAIN_ALIKE_H

#include "ranks/facts.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/plan.h"

/** Its spec and its parameters. ZF_ENOMEM. */
enum zf_status zf_facts_add_net(struct zf_facts *facts, const struct zf_net *net,
                                struct zf_error *err);

/** Its paths and labels; NULL = none. `name` as in zf_facts_add(). */
void zf_facts_add_data(struct zf_facts *facts, const char *name, const struct zf_data *data);

/* What a command is about. */
struct zf_alike {
    const struct zf_compute *compute; /* with the ranks */
    const struct zf_net *const *nets; /* [net_count] */
    size_t net_count;
    const struct zf_data *data; /* NULL = none */
};

/**
 * Together, and nothing of a process that is alone: is it the same program, on the same kind of
 * engine, with the same nets and data, everywhere? ZF_EINPUT names the first rank that differs, and
 * in what.
 */
enum zf_status zf_alike_check(const struct zf_alike *alike, struct zf_error *err);

#endif
