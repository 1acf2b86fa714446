/* SPDX-License-Identifier: MIT */
/* The order in which a report tells its results, and what each says in one sentence. */
#ifndef ZF_PAGE_STORY_H
#define ZF_PAGE_STORY_H

#include <cjson/cJSON.h>

#include "zf/base.h"

/* The parts of the story, each with a heading and a line that says what is asked. */
enum zf_part {
    ZF_PART_TRAINING,
    ZF_PART_MISTAKES,
    ZF_PART_FEATURES,
    ZF_PART_REASONS,
    ZF_PART_CHANGES,
    ZF_PART_MORE, /* of kinds that this version does not know */
    ZF_PARTS
};

const char *zf_part_title(enum zf_part part);
const char *zf_part_question(enum zf_part part);

/** Where a result belongs, by its "kind"; see document.h. */
enum zf_part zf_story_part(const cJSON *root);

/** When its kind is told, in [0, zf_story_places()); parts follow one another. */
size_t zf_story_place(const cJSON *root);
size_t zf_story_places(void);

/**
 * What came of a result, in a sentence made of its numbers; NULL where they are not there, or
 * memory is short. Free with zf_free().
 */
char *zf_story_headline(const cJSON *root);

/**
 * What the results are about: the nets, the data and its classes, as far as they say it. NULL where
 * none does, or memory is short. Free with zf_free().
 */
char *zf_story_task(const cJSON *const *roots, size_t count);

#endif
