/* SPDX-License-Identifier: MIT */
/*
 * Connections and how long each may take: a client that sends or reads a byte a second is never
 * idle, but late. Thread-safe.
 */
#ifndef ZF_SERVE_PEERS_H
#define ZF_SERVE_PEERS_H

#include <pthread.h>

#include "zf/base.h"

struct zf_peer {
    int fd;
    double since_s;
    double until_s; /* 0 = it waits for us */
    struct zf_peer *next, *previous;
};

struct zf_peers {
    pthread_mutex_t lock;
    struct zf_peer *first; /* the newest */
    size_t count, most;    /* beyond `most` the oldest of those that we wait for is cut off */
};

void zf_peers_init(struct zf_peers *peers, size_t most);
void zf_peers_release(struct zf_peers *peers);

/** NULL when memory is short. */
struct zf_peer *zf_peers_open(struct zf_peers *peers, int fd, double seconds);
void zf_peers_close(struct zf_peers *peers, struct zf_peer *peer);

/** From now on it has so many seconds; 0 = it waits for us. */
void zf_peer_grant(struct zf_peers *peers, struct zf_peer *peer, double seconds);

/** Cut off those that are late. */
void zf_peers_sweep(struct zf_peers *peers);

#endif
