/* SPDX-License-Identifier: MIT */
/*
 * Preloaded (LD_PRELOAD), it makes the n-th call of a kind fail, whoever calls: zfscope or a
 * library below it. What the C library does inside itself is not seen, so its streams have their
 * own wrappers here.
 *
 *     ZF_FAULT=KIND:N:ERRNO   the N-th call of KIND fails with this number; N = 0 fails none
 *     ZF_FAULT=short:0:0      none fails, but each read transfers 7 bytes and each write a half
 *     ZF_FAULT_LOG=FILE       gets a line "KIND N WHAT" of each call, or of the one that failed
 *
 * A call that fails does nothing, but close() and fclose() close first, as Linux does.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(default)

enum kind {
    OPEN,
    READ,
    READDIR,
    MMAP,
    MEMORY,
    WRITE,
    FSYNC,
    RENAME,
    CLOSE,
    THREAD,
    RANDOM,
    STAT,
    MAKE,
    KINDS
};
static const char *const names[KINDS] = {"open",   "read",  "readdir", "mmap",  "memory",
                                         "write",  "fsync", "rename",  "close", "thread",
                                         "random", "stat",  "make"};
static atomic_int calls[KINDS];
static int chosen = -1, place, number, log_fd = -1;
static bool transfers_are_short;

__attribute__((constructor)) static void set_up(void)
{
    const char *fault = getenv("ZF_FAULT"), *path = getenv("ZF_FAULT_LOG");
    char kind[16] = "";

    if (!fault || sscanf(fault, "%15[a-z]:%d:%d", kind, &place, &number) != 3)
        return;
    transfers_are_short = strcmp(kind, "short") == 0;
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kind, names[i]) == 0)
            chosen = i;
    if (path)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                              0644);
    if (log_fd >= 0) { /* out of the way of programs that count on the lowest number */
        const int low = log_fd;

        log_fd = fcntl(low, F_DUPFD_CLOEXEC, 400);
        syscall(SYS_close, low);
    }
}

/* What a descriptor is of. */
static const char *name_of(int fd, char *buffer, size_t size)
{
    char link[32];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1);
    buffer[length > 0 ? length : 0] = '\0';
    return buffer;
}

/* Counts a call of `kind` on `path` or on `fd`; true when it is to fail, with errno set. */
static bool fails(enum kind kind, const char *path, int fd)
{
    const int call = atomic_fetch_add(&calls[kind], 1) + 1;
    const bool hit = (int)kind == chosen && call == place;

    if (log_fd >= 0 && (hit || place == 0)) {
        char line[600], name[480];
        const int length = snprintf(line, sizeof line, "%s %d %.480s\n", names[kind], call,
                                    path      ? path
                                    : fd >= 0 ? name_of(fd, name, sizeof name)
                                              : "-");

        syscall(SYS_write, log_fd, line, (size_t)length);
    }
    if (hit)
        errno = number;
    return hit;
}

/* The next definition of the function NAME, of the type of its declaration. ISO C has no pointer
   to a function from one to data, POSIX has. */
#define REAL(NAME)                                                                                 \
    static __typeof__(&NAME) real;                                                                 \
    if (!real) {                                                                                   \
        void *found = dlsym(RTLD_NEXT, #NAME);                                                     \
        memcpy(&real, &found, sizeof real);                                                        \
    }

#define MODE(flags, mode)                                                                          \
    if ((flags)&O_CREAT) {                                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

#define OPEN_AS(NAME)                                                                              \
    int NAME(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        REAL(NAME)                                                                                 \
        MODE(flags, mode)                                                                          \
        return fails(OPEN, path, -1) ? -1 : real(path, flags, mode);                               \
    }
OPEN_AS(open)
OPEN_AS(open64)

#define OPENAT_AS(NAME)                                                                            \
    int NAME(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        REAL(NAME)                                                                                 \
        MODE(flags, mode)                                                                          \
        return fails(OPEN, path, -1) ? -1 : real(directory, path, flags, mode);                    \
    }
OPENAT_AS(openat)
OPENAT_AS(openat64)

/* A function of one line: fails with FAILED, or calls the real one. */
#define WRAP(TYPE, NAME, PARAMETERS, ARGUMENTS, KIND, PATH, FD, FAILED)                            \
    TYPE NAME PARAMETERS                                                                           \
    {                                                                                              \
        REAL(NAME)                                                                                 \
        return fails(KIND, PATH, FD) ? FAILED : real ARGUMENTS;                                    \
    }
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), OPEN, path, -1, NULL)
WRAP(FILE *, fopen64, (const char *path, const char *mode), (path, mode), OPEN, path, -1, NULL)
WRAP(FILE *, fdopen, (int fd, const char *mode), (fd, mode), OPEN, NULL, fd, NULL)
WRAP(DIR *, opendir, (const char *path), (path), OPEN, path, -1, NULL)
WRAP(DIR *, fdopendir, (int fd), (fd), OPEN, NULL, fd, NULL)
WRAP(struct dirent *, readdir, (DIR * folder), (folder), READDIR, NULL, dirfd(folder), NULL)
WRAP(struct dirent64 *, readdir64, (DIR * folder), (folder), READDIR, NULL, dirfd(folder), NULL)
WRAP(void *, mmap, (void *at, size_t size, int access, int flags, int fd, off_t offset),
     (at, size, access, flags, fd, offset), fd < 0 ? MEMORY : MMAP, NULL, fd, MAP_FAILED)
WRAP(void *, mmap64, (void *at, size_t size, int access, int flags, int fd, off64_t offset),
     (at, size, access, flags, fd, offset), fd < 0 ? MEMORY : MMAP, NULL, fd, MAP_FAILED)
WRAP(int, mprotect, (void *at, size_t size, int access), (at, size, access), MEMORY, NULL, -1, -1)
WRAP(int, fsync, (int fd), (fd), FSYNC, NULL, fd, -1)
WRAP(int, fdatasync, (int fd), (fd), FSYNC, NULL, fd, -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), RENAME, to, -1, -1)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), WRITE, NULL, fd, -1)
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), WRITE, NULL, fd, -1)
WRAP(ssize_t, getrandom, (void *to, size_t size, unsigned flags), (to, size, flags), RANDOM, NULL,
     -1, -1)
WRAP(int, getentropy, (void *to, size_t size), (to, size), RANDOM, NULL, -1, -1)
WRAP(int, stat, (const char *path, struct stat *to), (path, to), STAT, path, -1, -1)
WRAP(int, lstat, (const char *path, struct stat *to), (path, to), STAT, path, -1, -1)
WRAP(int, fstat, (int fd, struct stat *to), (fd, to), STAT, NULL, fd, -1)
WRAP(int, stat64, (const char *path, struct stat64 *to), (path, to), STAT, path, -1, -1)
WRAP(int, lstat64, (const char *path, struct stat64 *to), (path, to), STAT, path, -1, -1)
WRAP(int, fstat64, (int fd, struct stat64 *to), (fd, to), STAT, NULL, fd, -1)
WRAP(int, access, (const char *path, int how), (path, how), STAT, path, -1, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), MAKE, path, -1, -1)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), MAKE, NULL, -1, NULL)

/* A stream that failed says so to ferror(). */
static bool fails_of(FILE *stream)
{
    const bool hit = fails(READ, NULL, fileno(stream));

    if (hit)
        stream->_flags |= _IO_ERR_SEEN;
    return hit;
}

#define WRAP_STREAM(TYPE, NAME, PARAMETERS, ARGUMENTS, FAILED)                                     \
    TYPE NAME PARAMETERS                                                                           \
    {                                                                                              \
        REAL(NAME)                                                                                 \
        return fails_of(stream) ? FAILED : real ARGUMENTS;                                         \
    }

/* Streams: those of memory (no descriptor) are left alone. */
WRAP(int, fflush, (FILE * stream), (stream), WRITE, NULL, stream ? fileno(stream) : -1, EOF)
WRAP_STREAM(char *, fgets, (char *to, int size, FILE *stream), (to, size, stream), NULL)
WRAP_STREAM(ssize_t, getline, (char **line, size_t *size, FILE *stream), (line, size, stream), -1)
WRAP_STREAM(size_t, fread, (void *to, size_t size, size_t count, FILE *stream),
            (to, size, count, stream), 0)

int close(int fd)
{
    const bool failed = fails(CLOSE, NULL, fd);
    const int kept = errno;
    REAL(close)
    const int result = real(fd);

    if (failed)
        errno = kept;
    return failed ? -1 : result;
}

int fclose(FILE *stream)
{
    const int fd = fileno(stream);
    const bool failed = fd >= 0 && fails(CLOSE, NULL, fd);
    const int kept = errno;
    REAL(fclose)
    const int result = real(stream);

    if (failed)
        errno = kept;
    return failed ? EOF : result;
}

ssize_t read(int fd, void *to, size_t size)
{
    REAL(read)
    if (fails(READ, NULL, fd))
        return -1;
    return real(fd, to, transfers_are_short && size > 7 ? 7 : size);
}

WRAP(ssize_t, pread, (int fd, void *to, size_t size, off_t offset), (fd, to, size, offset), READ,
     NULL, fd, -1)
WRAP(ssize_t, pread64, (int fd, void *to, size_t size, off64_t offset), (fd, to, size, offset),
     READ, NULL, fd, -1)

ssize_t write(int fd, const void *from, size_t size)
{
    REAL(write)
    if (fails(WRITE, NULL, fd))
        return -1;
    return real(fd, from, transfers_are_short && size > 1 ? (size + 1) / 2 : size);
}

/* What these are where a program was built with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
size_t __fread_chk(void *to, size_t room, size_t size, size_t count, FILE *stream);
char *__fgets_chk(char *to, size_t room, int size, FILE *stream);
WRAP(int, __open_2, (const char *path, int flags), (path, flags), OPEN, path, -1, -1)
WRAP(int, __open64_2, (const char *path, int flags), (path, flags), OPEN, path, -1, -1)
WRAP(ssize_t, __read_chk, (int fd, void *to, size_t size, size_t room), (fd, to, size, room), READ,
     NULL, fd, -1)
WRAP_STREAM(size_t, __fread_chk, (void *to, size_t room, size_t size, size_t count, FILE *stream),
            (to, room, size, count, stream), 0)
WRAP_STREAM(char *, __fgets_chk, (char *to, size_t room, int size, FILE *stream),
            (to, room, size, stream), NULL)

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *),
                   void *argument)
{
    REAL(pthread_create)
    return fails(THREAD, NULL, -1) ? number : real(thread, how, start, argument);
}
