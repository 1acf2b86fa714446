/* SPDX-License-Identifier: MIT */
/**
 * Several processes, on one machine or many, that work on one thing: MPI's ranks.
 *
 * Everything that takes a `struct zf_ranks *` takes NULL for a process that works alone, and what
 * it computes does not depend on how many there are. Calls that say *together* are made by all
 * ranks, in the same order; one that a rank cannot come to must end in zf_ranks_leave() there.
 *
 *     zf_ranks_join(&ranks, &err);              started by mpirun or srun
 *     status = open_my_data(&data, &err);       may fail on one rank
 *     status = zf_ranks_agree(ranks, status, &err);
 *     ...
 *     zf_ranks_leave(&ranks, status);
 *
 * A rank that dies, or that cannot be reached any more, fails every call of the others within
 * ZF_RANKS_SILENCE_S seconds, with a sentence that names it.
 *
 * Threads: of one process, one at a time.
 */
#ifndef ZF_RANKS_H
#define ZF_RANKS_H

#include "zf/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ZF_RANKS_SILENCE_S 20 /* after which a rank is taken for lost */

struct zf_ranks;

/** The MPI that this build has, "Open MPI 4.1.4" or the like; NULL for none. Static storage. */
ZF_API const char *zf_ranks_library(void);

/**
 * Together: meet the others that the launcher started. Once in a process.
 *
 * out  handed over; end with zf_ranks_leave()
 *
 * Returns ZF_EUNSUPPORTED in a build without MPI, ZF_EIO when MPI does not start; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_ranks_join(struct zf_ranks **out, struct zf_error *err);

/** Which one this is, from 0, and how many there are: 0 and 1 of NULL. */
ZF_API int zf_ranks_rank(const struct zf_ranks *ranks);
ZF_API int zf_ranks_count(const struct zf_ranks *ranks);

/**
 * Together: how did it go for everybody? ZF_OK where all bring ZF_OK; else, on all, what the lowest
 * of those that failed brings, with its sentence. *err holds this rank's own before the call.
 */
ZF_API enum zf_status zf_ranks_agree(struct zf_ranks *ranks, enum zf_status mine,
                                     struct zf_error *err);

/**
 * Should this rank tell the user of a failure that it ends with? One alone does of what all know;
 * each does of what it did not come to tell the others.
 */
ZF_API bool zf_ranks_speaks(const struct zf_ranks *ranks, enum zf_status status);

/**
 * Has a rank failed, or been asked to stop, so that this one's work is in vain? What a monitor asks
 * that can end it: zf_ranks_agree() is where the reason comes out. Any thread.
 */
ZF_API bool zf_ranks_stopping(struct zf_ranks *ranks);

/**
 * The end, with what this rank comes to. Together where that is ZF_OK or was agreed on; otherwise
 * it ends the other ranks as well, and does not return.
 */
ZF_API void zf_ranks_leave(struct zf_ranks **ranks, enum zf_status status);

#ifdef __cplusplus
}
#endif

#endif
