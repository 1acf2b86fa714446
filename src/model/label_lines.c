/* SPDX-License-Identifier: MIT */
/*
 * Labels of one a line, and what tables make of that: a number before or behind each name, a line
 * of headings, quotes. A number is left out only where all lines have theirs, from 0 on, each once.
 */
#include "model/labels.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/status.h"

enum { WNID = 9 /* n01440764 */ };

/* ---- WordNet's numbers ---- */

/* How much of a line is "n01440764" and what is between it and a name; 0 where no name follows. */
static size_t wnid_prefix(const char *line)
{
    if (line[0] != 'n' || strspn(line + 1, "0123456789") != WNID - 1 || !line[WNID] ||
        !strchr(" \t,;", line[WNID]) || line[WNID + 1] == '\0')
        return 0;
    return WNID + 1 + strspn(line + WNID + 1, " ");
}

/* Behind a class's number in a list of WordNet's, the name is what a person reads. */
static void drop_wnids(char **lines, int64_t count)
{
    for (int64_t k = 0; k < count; k++) {
        if (wnid_prefix(lines[k]) == 0)
            return;
    }
    for (int64_t k = 0; k < count; k++)
        lines[k] += wnid_prefix(lines[k]);
}

/* ---- Columns ---- */

/* A name between quotes without them, in place, where that is all there is. */
static char *unquote(char *text)
{
    const size_t length = strlen(text);
    const char quote = text[0];
    char *out = text, *end;

    if (length < 2 || (quote != '"' && quote != '\'') || text[length - 1] != quote)
        return text;
    for (const char *p = text + 1; p < text + length - 1; p++) {
        if (*p == quote && p[1] != quote)
            return text; /* two fields that are quoted, not one; nothing was changed before */
        p += *p == quote;
    }
    end = text + length - 1;
    for (const char *p = text + 1; p < end; p++) {
        *out++ = *p;
        p += *p == quote;
    }
    *out = '\0';
    return text;
}

/* A whole number that ends at a separator, or -1; *length is how much it takes. */
static int64_t number_at(const char *text, size_t *length)
{
    const bool quoted = text[0] == '"';
    const size_t digits = strspn(text + quoted, "0123456789");

    *length = digits + 2 * quoted;
    if (digits == 0 || digits > 7 || (quoted && text[digits + 1] != '"'))
        return -1;
    return strtoll(text + quoted, NULL, 10);
}

/* "12,name": the number, and in *name the rest; -1 for another line. */
static int64_t split_before(char *line, char separator, char **name)
{
    size_t length;
    const int64_t number = number_at(line, &length);

    if (number < 0 || line[length] != separator)
        return -1;
    *name = line + length + 1;
    *name += strspn(*name, " \t");
    return **name ? number : -1;
}

/* "name,12"; the line is cut there when `cut`. */
static int64_t split_behind(char *line, char separator, char **name, bool cut)
{
    char *last = strrchr(line, separator);
    size_t length;
    int64_t number;

    if (!last || last == line)
        return -1;
    number = number_at(last + 1 + strspn(last + 1, " "), &length);
    if (number < 0 || (last + 1 + strspn(last + 1, " "))[length] != '\0')
        return -1;
    if (cut)
        *last = '\0';
    *name = line;
    return number;
}

static int64_t split(char *line, char separator, bool behind, char **name, bool cut)
{
    return behind ? split_behind(line, separator, name, cut) : split_before(line, separator, name);
}

/* Whether the numbers of all lines are 0 to count - 1, each once; `seen` has room for them. */
static bool are_numbered(char **lines, int64_t count, char separator, bool behind, bool *seen)
{
    memset(seen, 0, (size_t)count * sizeof *seen);
    for (int64_t k = 0; k < count; k++) {
        char *name;
        const int64_t number = split(lines[k], separator, behind, &name, false);

        if (number < 0 || number >= count || seen[number])
            return false;
        seen[number] = true;
    }
    return true;
}

/* "0 stars", "1 star", "2 stars" are names with numbers, not numbers with names. */
static bool are_names(char **lines, int64_t count, char separator)
{
    int64_t repeated = 0;
    char *name, *last = NULL;

    for (int64_t k = 0; k < count; k++) {
        split_before(lines[k], separator, &name);
        for (int64_t j = k + 1; j < count && j < k + 3; j++) {
            split_before(lines[j], separator, &last);
            repeated += strcmp(name, last) == 0;
        }
    }
    return 10 * repeated < count;
}

static bool reorder(char **lines, int64_t count, char separator, bool behind)
{
    char **ordered = zf_alloc((size_t)count, sizeof *ordered);

    if (!ordered)
        return false;
    for (int64_t k = 0; k < count; k++) {
        char *name;
        const int64_t number = split(lines[k], separator, behind, &name, true);

        ordered[number] = name;
    }
    memcpy(lines, ordered, (size_t)count * sizeof *lines);
    zf_free(ordered);
    return true;
}

/* Numbered lines in the order of their numbers, which are left out; *first is the first line, or
   that behind the headings of a table. False when memory is short. */
static bool take_numbers(char **lines, int64_t count, int64_t *first)
{
    static const char separators[] = ",;\t: ";
    bool *seen = zf_alloc((size_t)count, sizeof *seen);
    bool fits = seen != NULL;

    *first = 0;
    for (int64_t head = 0; fits && head < 2 && head < count - 1; head++) {
        for (const char *s = separators; *s; s++) {
            for (int behind = 0; behind < (s < separators + 3 ? 2 : 1); behind++) {
                if (!are_numbered(lines + head, count - head, *s, behind, seen) ||
                    (!behind && !are_names(lines + head, count - head, *s)))
                    continue;
                *first = head;
                fits = reorder(lines + head, count - head, *s, behind);
                zf_free(seen);
                return fits;
            }
        }
    }
    zf_free(seen);
    return fits;
}

/* ---- Lines ---- */

static bool is_heading(const char *line)
{
    static const char *const words[] = {"label",   "labels",     "name",       "names",
                                        "class",   "classes",    "class_name", "label_name",
                                        "labels:", "class name", "category",   "species"};

    for (size_t k = 0; k < ZF_COUNT(words); k++) {
        if (strcasecmp(line, words[k]) == 0)
            return true;
    }
    return false;
}

/* One line of all names, where their number is that of the classes; NULL for another. */
static char **split_row(char *line, int64_t expected)
{
    int64_t count = 1;
    char **names;

    for (const char *p = line; *p; p++)
        count += *p == ',';
    names = count == expected && expected > 1 ? zf_alloc((size_t)count, sizeof *names) : NULL;
    for (int64_t k = 0; names && k < count; k++) {
        char *comma = line + strcspn(line, ",");

        names[k] = line + strspn(line, " \t");
        line = comma + 1;
        *comma = '\0';
    }
    return names;
}

/* Ends of lines are \n, \r\n or \r. Empty lines at the end are no labels; others are. */
static char **split_lines(char *text, int64_t *count)
{
    size_t length = strlen(text);
    char **lines, *line = text;

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    *count = 1;
    for (const char *p = text; *p; p++)
        *count += *p == '\n' || (*p == '\r' && p[1] != '\n');
    lines = zf_alloc((size_t)*count, sizeof *lines);
    for (int64_t k = 0; lines && k < *count; k++) {
        size_t end = strcspn(line, "\r\n");
        char *next = line + end + (line[end] == '\r' && line[end + 1] == '\n') + 1;

        line[end] = '\0';
        while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'))
            line[--end] = '\0';
        lines[k] = line;
        line = next;
    }
    return lines;
}

/* The lines that are labels, as they are to be shown but for their quotes; false when memory is
   short. */
static bool choose_lines(char ***lines, int64_t expected, int64_t *count, int64_t *first)
{
    char **row;

    *first = 0;
    if (*count == 1 && (row = split_row((*lines)[0], expected)) != NULL) {
        zf_free(*lines);
        *lines = row;
        *count = expected;
    }
    if (*count > 1 && !take_numbers(*lines, *count, first))
        return false;
    if (*first == 0 && *count == expected + 1 && is_heading((*lines)[0]))
        *first = 1;
    drop_wnids(*lines + *first, *count - *first);
    return true;
}

enum zf_status zf_labels_of_lines(char *text, const char *name, int64_t expected,
                                  struct zf_labels *labels, struct zf_error *err)
{
    enum zf_status status;
    int64_t count, first;
    char **lines = split_lines(text, &count);

    if (!lines || !choose_lines(&lines, expected, &count, &first))
        ZF_LEAVE(zf_no_memory(err, "the labels of %s", name));
    ZF_TRY(zf_labels_make_room(labels, count - first, name, err));
    for (int64_t k = 0; k < count - first; k++) {
        labels->items[k] = zf_strdup(unquote(lines[first + k]));
        if (!labels->items[k])
            ZF_LEAVE(zf_no_memory(err, "the labels of %s", name));
    }
fail:
    zf_free(lines);
    return status;
}
