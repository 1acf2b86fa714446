/* SPDX-License-Identifier: MIT */
#include "serve/peers.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"

void zf_peers_init(struct zf_peers *peers, size_t most)
{
    *peers = (struct zf_peers){.most = most};
    pthread_mutex_init(&peers->lock, NULL);
}

void zf_peers_release(struct zf_peers *peers)
{
    pthread_mutex_destroy(&peers->lock);
}

/* What is read or written next fails, which ends the connection where it belongs. */
static void cut_off(struct zf_peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
    peer->until_s = 0;
}

static void make_room(struct zf_peers *peers)
{
    struct zf_peer *oldest = NULL;

    for (struct zf_peer *peer = peers->first; peer; peer = peer->next) {
        if (peer->until_s > 0)
            oldest = peer;
    }
    if (oldest)
        cut_off(oldest);
}

struct zf_peer *zf_peers_open(struct zf_peers *peers, int fd, double seconds)
{
    struct zf_peer *peer = zf_alloc(1, sizeof *peer);
    const double now = zf_clock_s();

    if (!peer)
        return NULL;
    *peer = (struct zf_peer){.fd = fd, .since_s = now, .until_s = now + seconds};
    pthread_mutex_lock(&peers->lock);
    if (++peers->count > peers->most)
        make_room(peers);
    peer->next = peers->first;
    if (peers->first)
        peers->first->previous = peer;
    peers->first = peer;
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void zf_peers_close(struct zf_peers *peers, struct zf_peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&peers->lock);
    if (peer->next)
        peer->next->previous = peer->previous;
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        peers->first = peer->next;
    peers->count--;
    pthread_mutex_unlock(&peers->lock);
    zf_free(peer);
}

void zf_peer_grant(struct zf_peers *peers, struct zf_peer *peer, double seconds)
{
    if (!peer)
        return;
    pthread_mutex_lock(&peers->lock);
    peer->until_s = seconds > 0 ? zf_clock_s() + seconds : 0;
    pthread_mutex_unlock(&peers->lock);
}

void zf_peers_sweep(struct zf_peers *peers)
{
    const double now = zf_clock_s();

    pthread_mutex_lock(&peers->lock);
    for (struct zf_peer *peer = peers->first; peer; peer = peer->next) {
        if (peer->until_s > 0 && peer->until_s < now)
            cut_off(peer);
    }
    pthread_mutex_unlock(&peers->lock);
}
