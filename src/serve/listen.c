/* SPDX-License-Identifier: MIT */
#include "serve/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/status.h"

static int open_socket(const struct addrinfo *at)
{
    const int on = 1;
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failed;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

static int port_of(int fd, int otherwise)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char text[16];

    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0 ||
        getnameinfo((struct sockaddr *)&at, size, NULL, 0, text, sizeof text, NI_NUMERICSERV) != 0)
        return otherwise;
    return (int)strtol(text, NULL, 10);
}

enum zf_status zf_listen(const char *address, int *port, int *fd, struct zf_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char text[16];
    int failed, opened = -1;

    snprintf(text, sizeof text, "%d", *port);
    failed = getaddrinfo(address, text, &hints, &found);
    if (failed)
        return zf_fail(err, ZF_EINVAL, "%s is no address of this machine: %s", address,
                       gai_strerror(failed));
    for (const struct addrinfo *at = found; at && opened < 0; at = at->ai_next)
        opened = open_socket(at);
    failed = errno;
    freeaddrinfo(found);
    if (opened < 0 && failed == EADDRINUSE)
        return zf_fail(err, ZF_EIO,
                       "port %d of %s is in use: name another with --port, or 0 for a free one",
                       *port, address);
    if (opened < 0)
        return zf_fail_errno(err, ZF_EIO, failed, "cannot listen on port %d of %s", *port, address);
    *port = port_of(opened, *port);
    *fd = opened;
    return ZF_OK;
}
