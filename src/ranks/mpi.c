/* SPDX-License-Identifier: MIT */
/*
 * The only file that knows MPI, of which 3.1 is enough.
 *
 * A thread of its own moves what is on its way while this rank computes: MPI does nothing unless
 * it is called. The same thread gives the others a sign of life, and listens for theirs; MPI does
 * not say when a machine can no longer be reached. All calls are made under one lock.
 */
#include "ranks/carrier.h"

#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"

#define NAME_BYTES 288
#define TAG_ALIVE 1
#define TAG_PARCEL 2
#define ALIVE_EVERY_S 1.0
#define MOVE_NS 200000    /* between two looks at what is on its way */
#define IDLE_NS 20000000  /* the same while nothing is */
#define ABORT_WITHIN_S 10 /* MPI_Abort() may wait for a machine that is gone */

enum kind { CONTROL, SPREAD, COLLECT, PARCEL, LIFE, KINDS };

/* Lists that MPI may be reading: of spreadings, from and to, and of collectings. */
enum { FROM, TO = ZF_ON_THE_WAY, TOGETHER = 2 * ZF_ON_THE_WAY, LISTS = 3 * ZF_ON_THE_WAY };

/* What a sign of life says. */
static const char alive = 0, stop_soon = 1;

struct peer {
    double heard_s;      /* clock at its last sign */
    int signed_to, from; /* signs that were sent to it, and that have come from it */
    MPI_Request sign, stop;
};

struct state {
    MPI_Comm comm[KINDS];
    pthread_mutex_t lock;
    pthread_t pulse;
    bool beats, stopping; /* under the lock */
    bool asked_to_stop;   /* the same */
    int on_the_way;       /* the same */
    struct peer *peers;   /* [count] the same */
    int *counts, *begins; /* [LISTS][count]: of pieces, for MPI, which reads them meanwhile */
    int spread_turn, collect_turn;
    char *names; /* [count][NAME_BYTES] */
};

_Static_assert(sizeof(MPI_Request) <= sizeof(uintptr_t), "a request fits its room");

static struct state *state_of(struct zf_ranks *ranks)
{
    return ranks->state;
}

static const char *library(void)
{
    static char text[64];

#ifdef OPEN_MPI
    snprintf(text, sizeof text, "Open MPI %d.%d.%d", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION,
             OMPI_RELEASE_VERSION);
#elif defined(MPICH_VERSION)
    snprintf(text, sizeof text, "MPICH %s", MPICH_VERSION);
#else
    snprintf(text, sizeof text, "MPI %d.%d", MPI_VERSION, MPI_SUBVERSION);
#endif
    return text;
}

/* ---- Signs of life ---- */

static void give_signs(struct zf_ranks *ranks, struct state *s)
{
    for (int k = 0; k < ranks->count; k++) {
        int gone = 1;

        if (k == ranks->rank)
            continue;
        if (s->peers[k].sign != MPI_REQUEST_NULL) /* one that cannot leave is enough */
            MPI_Test(&s->peers[k].sign, &gone, MPI_STATUS_IGNORE);
        if (!gone)
            continue;
        MPI_Isend(&alive, 1, MPI_CHAR, k, TAG_ALIVE, s->comm[LIFE], &s->peers[k].sign);
        s->peers[k].signed_to++;
    }
}

static void take_signs(struct state *s)
{
    MPI_Status from;
    int there = 1;
    char sign;

    while (MPI_Iprobe(MPI_ANY_SOURCE, TAG_ALIVE, s->comm[LIFE], &there, &from) == MPI_SUCCESS &&
           there) {
        MPI_Recv(&sign, 1, MPI_CHAR, from.MPI_SOURCE, TAG_ALIVE, s->comm[LIFE], MPI_STATUS_IGNORE);
        s->peers[from.MPI_SOURCE].heard_s = zf_clock_s();
        s->peers[from.MPI_SOURCE].from++;
        s->asked_to_stop |= sign == stop_soon;
    }
}

static void *pulse(void *user)
{
    struct zf_ranks *ranks = user;
    struct state *s = state_of(ranks);
    double signed_s = 0;
    bool stopping = false;

    while (!stopping) {
        int moves;

        pthread_mutex_lock(&s->lock);
        if (zf_clock_s() - signed_s >= ALIVE_EVERY_S) {
            give_signs(ranks, s);
            signed_s = zf_clock_s();
        }
        take_signs(s); /* which moves all the rest */
        stopping = s->stopping;
        moves = s->on_the_way;
        pthread_mutex_unlock(&s->lock);
        nanosleep(&(struct timespec){.tv_nsec = moves > 0 ? MOVE_NS : IDLE_NS}, NULL);
    }
    return NULL;
}

static int lost(struct zf_ranks *ranks)
{
    struct state *s = state_of(ranks);
    const double now = zf_clock_s();
    int found = -1;

    pthread_mutex_lock(&s->lock);
    for (int k = 0; k < ranks->count && found < 0; k++)
        if (k != ranks->rank && now - s->peers[k].heard_s > ZF_RANKS_SILENCE_S)
            found = k;
    s->stopping |= found >= 0; /* nothing more arrives where what was lent is given back */
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void stop(struct zf_ranks *ranks)
{
    struct state *s = state_of(ranks);

    pthread_mutex_lock(&s->lock);
    s->asked_to_stop = true;
    for (int k = 0; k < ranks->count; k++) /* once is enough */
        if (k != ranks->rank && s->peers[k].stop == MPI_REQUEST_NULL) {
            MPI_Isend(&stop_soon, 1, MPI_CHAR, k, TAG_ALIVE, s->comm[LIFE], &s->peers[k].stop);
            s->peers[k].signed_to++;
        }
    pthread_mutex_unlock(&s->lock);
}

static bool stopping(struct zf_ranks *ranks)
{
    struct state *s = state_of(ranks);
    bool asked;

    pthread_mutex_lock(&s->lock);
    asked = s->asked_to_stop;
    pthread_mutex_unlock(&s->lock);
    return asked;
}

/* ---- Traffic ---- */

static void keep(struct state *s, struct zf_traffic *traffic, MPI_Request request)
{
    traffic->request = 0;
    memcpy(&traffic->request, &request, sizeof request);
    s->on_the_way++;
}

/* A failed call leaves something that is never done: the silence behind it ends the wait. */
static void gather(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                   struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    MPI_Request request = MPI_REQUEST_NULL;

    pthread_mutex_lock(&s->lock);
    MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, s->comm[CONTROL],
                   &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static void share(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                  struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    MPI_Request request = MPI_REQUEST_NULL;

    pthread_mutex_lock(&s->lock);
    MPI_Ibcast(data, (int)bytes, MPI_BYTE, from, s->comm[CONTROL], &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static void count_pieces(const struct zf_ranks *ranks, const int *pieces, int *counts, int *begins)
{
    for (int k = 0; k < ranks->count; k++) {
        begins[k] = pieces[k];
        counts[k] = pieces[k + 1] - pieces[k];
    }
}

static void spread(struct zf_ranks *ranks, const float *values, const int *pieces, float *others,
                   struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    const int n = ranks->count;
    const int from = (FROM + s->spread_turn) * n, to = (TO + s->spread_turn) * n;
    int *counts = s->counts + from, *begins = s->begins + from;
    int *sizes = s->counts + to, *places = s->begins + to;
    MPI_Request request = MPI_REQUEST_NULL;

    s->spread_turn = (s->spread_turn + 1) % ZF_ON_THE_WAY;
    count_pieces(ranks, pieces, counts, begins);
    for (int k = 0; k < n; k++) {
        sizes[k] = counts[ranks->rank];
        places[k] = k * sizes[k];
    }
    counts[ranks->rank] = sizes[ranks->rank] = 0; /* which are here */
    pthread_mutex_lock(&s->lock);
    MPI_Ialltoallv(values, counts, begins, MPI_FLOAT, others, sizes, places, MPI_FLOAT,
                   s->comm[SPREAD], &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static void collect(struct zf_ranks *ranks, float *values, const int *pieces,
                    struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    const int list = (TOGETHER + s->collect_turn) * ranks->count;
    int *counts = s->counts + list, *begins = s->begins + list;
    MPI_Request request = MPI_REQUEST_NULL;

    s->collect_turn = (s->collect_turn + 1) % ZF_ON_THE_WAY;
    count_pieces(ranks, pieces, counts, begins);
    pthread_mutex_lock(&s->lock);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, begins, MPI_FLOAT,
                    s->comm[COLLECT], &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static void send(struct zf_ranks *ranks, int to, const void *data, size_t bytes,
                 struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    MPI_Request request = MPI_REQUEST_NULL;

    pthread_mutex_lock(&s->lock);
    MPI_Issend(data, (int)bytes, MPI_BYTE, to, TAG_PARCEL, s->comm[PARCEL], &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static void receive(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                    struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    MPI_Request request = MPI_REQUEST_NULL;

    pthread_mutex_lock(&s->lock);
    MPI_Irecv(data, (int)bytes, MPI_BYTE, from, TAG_PARCEL, s->comm[PARCEL], &request);
    keep(s, traffic, request);
    pthread_mutex_unlock(&s->lock);
}

static bool done(struct zf_ranks *ranks, struct zf_traffic *traffic)
{
    struct state *s = state_of(ranks);
    MPI_Request request;
    int is_done = 0;

    if (traffic->request == 0)
        return true;
    memcpy(&request, &traffic->request, sizeof request);
    pthread_mutex_lock(&s->lock);
    MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
    if (is_done)
        s->on_the_way--;
    pthread_mutex_unlock(&s->lock);
    if (is_done)
        traffic->request = 0;
    else
        memcpy(&traffic->request, &request, sizeof request);
    return is_done != 0;
}

/* ---- The beginning and the end ---- */

static void release(struct zf_ranks *ranks, struct state *s)
{
    if (!s)
        return;
    zf_free(s->peers);
    zf_free(s->counts);
    zf_free(s->begins);
    zf_free(s->names);
    zf_free(ranks->names);
    zf_free(s);
    ranks->names = NULL;
    ranks->state = NULL;
}

static enum zf_status allocate(struct zf_ranks *ranks, struct zf_error *err)
{
    const size_t count = (size_t)ranks->count;
    struct state *s = zf_alloc(1, sizeof *s);

    ranks->state = s;
    ranks->names = zf_alloc(count, sizeof *ranks->names);
    if (!s || !ranks->names)
        return zf_no_memory(err, "%zu ranks", count);
    s->peers = zf_alloc(count, sizeof *s->peers);
    s->counts = zf_alloc(LISTS * count, sizeof *s->counts);
    s->begins = zf_alloc(LISTS * count, sizeof *s->begins);
    s->names = zf_alloc(count, NAME_BYTES);
    if (!s->peers || !s->counts || !s->begins || !s->names)
        return zf_no_memory(err, "%zu ranks", count);
    for (size_t k = 0; k < count; k++) {
        s->peers[k] = (struct peer){
            .heard_s = zf_clock_s(), .sign = MPI_REQUEST_NULL, .stop = MPI_REQUEST_NULL};
        ranks->names[k] = s->names + k * NAME_BYTES;
    }
    return ZF_OK;
}

static enum zf_status meet(struct zf_ranks *ranks, struct state *s, struct zf_error *err)
{
    char host[MPI_MAX_PROCESSOR_NAME] = "", name[NAME_BYTES] = "";
    int length, failed = 0;

    MPI_Get_processor_name(host, &length);
    snprintf(name, sizeof name, "%d of %d (%.200s)", ranks->rank, ranks->count, host);
    failed = MPI_Allgather(name, NAME_BYTES, MPI_BYTE, s->names, NAME_BYTES, MPI_BYTE,
                           MPI_COMM_WORLD) != MPI_SUCCESS;
    for (int k = 0; k < KINDS && !failed; k++)
        failed = MPI_Comm_dup(MPI_COMM_WORLD, &s->comm[k]) != MPI_SUCCESS;
    if (failed)
        return zf_fail(err, ZF_EIO, "MPI did not bring the ranks together");
    pthread_mutex_init(&s->lock, NULL);
    for (int k = 0; k < ranks->count; k++)
        s->peers[k].heard_s = zf_clock_s();
    s->beats = pthread_create(&s->pulse, NULL, pulse, ranks) == 0;
    if (!s->beats)
        return zf_fail(err, ZF_ENOMEM, "no thread for the ranks' signs of life");
    return ZF_OK;
}

/* The signals of the program go to the thread that it runs on. */
static enum zf_status meet_unsignalled(struct zf_ranks *ranks, struct state *s,
                                       struct zf_error *err)
{
    enum zf_status status;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = meet(ranks, s, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static enum zf_status join(struct zf_ranks *ranks, struct zf_error *err)
{
    enum zf_status status;
    int provided = 0;

    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
        return zf_fail(err, ZF_EIO, "%s did not start", library());
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* copies of it inherit that */
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks->count);
    if (provided < MPI_THREAD_SERIALIZED)
        return zf_fail(err, ZF_EUNSUPPORTED, "this %s allows no second thread to call it",
                       library());
    status = allocate(ranks, err);
    if (status == ZF_OK)
        status = meet_unsignalled(ranks, ranks->state, err);
    if (status != ZF_OK)
        MPI_Abort(MPI_COMM_WORLD, 1); /* the others wait for this one */
    return status;
}

/* The others go on giving signs until all have come to the end. */
static void wait_for_all(struct zf_ranks *ranks, struct state *s)
{
    struct zf_traffic traffic = {0};
    MPI_Request request = MPI_REQUEST_NULL;

    pthread_mutex_lock(&s->lock);
    MPI_Ibarrier(s->comm[CONTROL], &request);
    keep(s, &traffic, request);
    pthread_mutex_unlock(&s->lock);
    zf_traffic_wait(ranks, &traffic, NULL);
}

/* Nobody gives signs any more; what is on its way is taken, or MPI would speak of it. */
static void take_last_signs(const struct zf_ranks *ranks, struct state *s)
{
    int *sent = s->counts, *expected = s->begins, left = 1;

    for (int k = 0; k < ranks->count; k++)
        sent[k] = s->peers[k].signed_to;
    MPI_Alltoall(sent, 1, MPI_INT, expected, 1, MPI_INT, s->comm[CONTROL]);
    while (left > 0) {
        take_signs(s);
        left = 0;
        for (int k = 0; k < ranks->count; k++)
            left += expected[k] - s->peers[k].from;
    }
}

static void leave(struct zf_ranks *ranks, bool together)
{
    struct state *s = state_of(ranks);

    if (together)
        wait_for_all(ranks, s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->pulse, NULL);
    if (!together || ranks->lost >= 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(ABORT_WITHIN_S);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    take_last_signs(ranks, s);
    for (int k = 0; k < ranks->count; k++) {
        if (s->peers[k].sign != MPI_REQUEST_NULL)
            MPI_Request_free(&s->peers[k].sign);
        if (s->peers[k].stop != MPI_REQUEST_NULL)
            MPI_Request_free(&s->peers[k].stop);
    }
    for (int k = 0; k < KINDS; k++)
        MPI_Comm_free(&s->comm[k]);
    MPI_Finalize();
    pthread_mutex_destroy(&s->lock);
    release(ranks, s);
}

const struct zf_carrier zf_mpi_carrier = {
    .library = library,
    .join = join,
    .leave = leave,
    .gather = gather,
    .share = share,
    .spread = spread,
    .collect = collect,
    .send = send,
    .receive = receive,
    .done = done,
    .lost = lost,
    .stop = stop,
    .stopping = stopping,
};
