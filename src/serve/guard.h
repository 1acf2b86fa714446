/* SPDX-License-Identifier: MIT */
/* Who may ask: those who know the token, from a page of this server's own. */
#ifndef ZF_SERVE_GUARD_H
#define ZF_SERVE_GUARD_H

#include "serve/request.h"

#define ZF_TOKEN_CHARS 32 /* 128 random bits in hexadecimal */

struct zf_guard {
    char token[ZF_TOKEN_CHARS + 1];
    char cookie[32];     /* its name: a browser keeps one jar for all ports of a host */
    char address[64];    /* that is listened on, as it was asked for, */
    char host_name[256]; /* and this machine's name */
    bool loopback;       /* nobody outside of this machine can reach it */
};

enum zf_verdict {
    ZF_ADMITTED,
    ZF_INTRODUCED,  /* by the token in the address: a page is to be sent a cookie instead */
    ZF_UNKNOWN,     /* no token, or another */
    ZF_FOREIGN,     /* a page of somebody else's asks */
    ZF_MISDIRECTED, /* under a name that is not this server's: DNS rebinding */
};

/** Draw a token. ZF_EIO where the system gives no random numbers. */
enum zf_status zf_guard_init(struct zf_guard *guard, const char *address, int port,
                             struct zf_error *err);

/**
 * Names in Host are believed only where they cannot have been rebound: "localhost", the address
 * that was asked for, and for a server that others can reach any address in numbers and this
 * machine's name. What has an Origin must have that of the Host.
 */
enum zf_verdict zf_guard_judge(const struct zf_guard *guard, const struct zf_request *request);

/** Compares in a time that does not tell how much is equal; `text` is what somebody sent. */
bool zf_guard_knows(const struct zf_guard *guard, const char *text, size_t length);

#endif
