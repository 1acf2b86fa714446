/* SPDX-License-Identifier: MIT */
#include "data/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/status.h"
#include "base/words.h"
#include "image/kind.h"
#include "tensor/array_file.h"

/* In any case; one that ends in * stands for all names that begin so. */
static const char *const leftovers[] = {
    "__MACOSX",
    "Icon\r",
    "Thumbs.db*",
    "ehthumbs*",
    "desktop.ini",
    "$RECYCLE.BIN",
    "RECYCLER",
    "System Volume Information",
    "@eaDir",
    "SYNO*",
    "#recycle",
    "#snapshot",
    "@Recycle",
    "@__thumb",
    "@Recently-Snapshot",
    "lost+found",
    "__pycache__",
    "CVS",
    "_svn",
    "picasa.ini",
    "FOUND.*",
    "Network Trash Folder",
    "TheVolumeSettingsFolder",
    "@tmp",
    "node_modules",
    "~$*",
};

/* Used as they are: what is not what it says is a bad sample, by name. */
static const char *const pictures[] = {
    ".jpg", ".jpeg", ".jpe",  ".jfif", ".jif", ".png", ".apng", ".gif", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".ppm",  ".pgm", ".pbm", ".pnm",  ".pam", ".pfm", ".mpo",
};

/* Pictures to a person, but used only when their bytes are of a kind that is read. */
static const char *const doubtful[] = {
    ".heic", ".heif", ".hif",  ".avif", ".jp2",        ".j2k",     ".jpf",      ".jpx", ".j2c",
    ".jpc",  ".jxl",  ".svg",  ".svgz", ".psd",        ".psb",     ".xcf",      ".ico", ".cur",
    ".tga",  ".pcx",  ".exr",  ".hdr",  ".dds",        ".eps",     ".wmf",      ".emf", ".cr2",
    ".cr3",  ".nef",  ".arw",  ".dng",  ".orf",        ".rw2",     ".raf",      ".pef", ".srw",
    ".raw",  ".dcm",  ".fits", ".part", ".crdownload", ".partial", ".download", ".tmp",
};

/* Of these, what may break off anywhere, whatever it begins with. */
static const char *const unfinished[] = {".part", ".crdownload", ".partial", ".download", ".tmp"};

/* Other files are told apart by their bytes; these are common and never pictures. */
static const char *const texts[] = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml",   ".yaml", ".yml", ".md",   ".html",
    ".htm", ".log", ".ini", ".db",   ".py",    ".ipynb", ".mat",  ".pkl", ".zip",  ".tar",
    ".gz",  ".pdf", ".mp4", ".mov",  ".avi",   ".doc",   ".docx", ".xls", ".xlsx", ".aae",
};

#define IS_ONE_OF(ending, list) is_one_of(ending, list, ZF_COUNT(list))
static bool is_one_of(const char *ending, const char *const *list, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (strcmp(ending, list[k]) == 0)
            return true;
    }
    return false;
}

bool zf_name_is_leftover(const char *name)
{
    if (name[0] == '.' || zf_ends_in(name, "~")) /* hidden, or an editor's copy */
        return true;
    for (size_t k = 0; k < ZF_COUNT(leftovers); k++) {
        const size_t length = strlen(leftovers[k]);
        const bool begins = leftovers[k][length - 1] == '*';

        if (begins ? strncasecmp(name, leftovers[k], length - 1) == 0
                   : strcasecmp(name, leftovers[k]) == 0)
            return true;
    }
    return false;
}

bool zf_name_has_part(const char *name)
{
    for (const char *at = name; *at;) {
        const size_t length = strcspn(at, "_-. 0123456789");

        if (zf_part_of_data(at, length))
            return true;
        at += length + (at[length] != '\0');
    }
    return false;
}

const char *zf_part_of_data(const char *word, size_t length)
{
    static const char *const parts[][2] = {
        {"train", "train"},    {"training", "train"}, {"val", "val"},      {"valid", "val"},
        {"validation", "val"}, {"test", "test"},      {"testing", "test"}, {"dev", "val"}};

    for (size_t k = 0; k < ZF_COUNT(parts); k++) {
        if (strlen(parts[k][0]) == length && strncasecmp(word, parts[k][0], length) == 0)
            return parts[k][1];
    }
    return NULL;
}

struct zf_ending zf_ending_of(const char *name)
{
    struct zf_ending ending = {""};
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name || strlen(dot) >= sizeof ending.text)
        return ending;
    for (size_t k = 0; dot[k]; k++)
        ending.text[k] = (char)(dot[k] >= 'A' && dot[k] <= 'Z' ? dot[k] - 'A' + 'a' : dot[k]);
    return ending;
}

/* What the first bytes say; NULL for no kind that is read, and for a file that nobody may open. */
static enum zf_status find_kind(const char *path, const char **kind, struct zf_error *err)
{
    uint8_t head[ZF_KIND_BYTES];
    enum zf_status status;
    struct stat info;
    FILE *file;
    size_t size;

    *kind = NULL;
    if (stat(path, &info) != 0 || access(path, R_OK) != 0) {
        status = zf_status_of_errno(errno);
        return status == ZF_EINPUT ? ZF_OK : zf_fail_errno(err, status, errno, "%s", path);
    }
    status = zf_file_open(&file, path, err);
    if (status != ZF_OK)
        return status == ZF_EINPUT ? ZF_OK : status;
    size = fread(head, 1, sizeof head, file);
    if (ferror(file))
        status = zf_fail_errno(err, ZF_EIO, errno, "%s", path);
    fclose(file);
    if (status == ZF_OK)
        *kind = zf_picture_kind(head, size, (uint64_t)info.st_size);
    return status;
}

/* Whether the ending says all. */
static bool use_of_ending(const char *name, const struct zf_ending *ending, enum zf_file_use *use)
{
    *use = IS_ONE_OF(ending->text, pictures) ? ZF_FILE_PICTURE
           : zf_is_array(name)               ? ZF_FILE_ARRAY
                                             : ZF_FILE_OTHER;
    return *use != ZF_FILE_OTHER || IS_ONE_OF(ending->text, texts);
}

static enum zf_file_use use_of_kind(const struct zf_ending *ending, const char *kind)
{
    if (!IS_ONE_OF(ending->text, doubtful))
        return kind ? ZF_FILE_PICTURE : ZF_FILE_OTHER;
    /* A camera's raw file is a TIFF whose first picture is a thumbnail. */
    return kind && strcmp(kind, "TIFF") != 0 && !IS_ONE_OF(ending->text, unfinished)
               ? ZF_FILE_PICTURE
               : ZF_FILE_UNUSED;
}

enum zf_status zf_file_use_of(const char *path, const char *name, enum zf_file_use *use,
                              struct zf_error *err)
{
    const struct zf_ending ending = zf_ending_of(name);
    const char *kind;

    if (use_of_ending(name, &ending, use))
        return ZF_OK;
    ZF_CHECK(find_kind(path, &kind, err));
    *use = use_of_kind(&ending, kind);
    return ZF_OK;
}

bool zf_file_use_needs_head(const char *name)
{
    const struct zf_ending ending = zf_ending_of(name);
    enum zf_file_use use;

    return !use_of_ending(name, &ending, &use);
}

enum zf_file_use zf_file_use_of_head(const char *name, const uint8_t *head, size_t head_size,
                                     uint64_t file_size)
{
    const struct zf_ending ending = zf_ending_of(name);
    enum zf_file_use use;

    return use_of_ending(name, &ending, &use)
               ? use
               : use_of_kind(&ending, zf_picture_kind(head, head_size, file_size));
}
