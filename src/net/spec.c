/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define LONGEST_SPEC (1 << 20) /* bytes */
#define LONGEST_LINE 160       /* inih truncates silently a little above this */
#define MOST_ENTRIES 32768     /* eight for each of the most layers */
#define MOST_CHANGES 1024      /* entries of a spec that says what it is based on */

/* What inih's reader callback walks over; counting lines here gives each entry its own. */
struct source {
    const char *next;
    int line;
    struct zf_spec *spec;
    bool out_of_memory, line_too_long, too_many;
};

static char *read_line(char *line, int size, void *user)
{
    struct source *source = user;
    const char *end = strchr(source->next, '\n');
    size_t length = end ? (size_t)(end - source->next) : strlen(source->next);

    if (source->next[0] == '\0' || source->too_many)
        return NULL;
    source->line++;
    if (length > LONGEST_LINE || length + 2 > (size_t)size) {
        source->line_too_long = true;
        return NULL;
    }
    memcpy(line, source->next, length);
    line[length] = '\0';
    source->next += length + (end ? 1 : 0);
    return line;
}

static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    /* inih ends a value where a comment begins, unless it begins at once. */
    const char *text = value && *value != ';' ? value : "";
    struct source *source = user;
    struct zf_spec *spec = source->spec;
    struct zf_spec_entry entry = {.origin = spec->origin, .line = source->line};
    void *entries = spec->entries;

    source->too_many = spec->count == MOST_ENTRIES;
    /* As zf_spec_text() writes it. */
    source->line_too_long = strlen(key) + sizeof " = " - 1 + strlen(text) > LONGEST_LINE;
    if (source->too_many || source->line_too_long)
        return 0;
    entry.section = zf_strdup(section);
    entry.key = zf_strdup(key);
    entry.value = zf_strdup(text);

    if (!entry.section || !entry.key || !entry.value ||
        !zf_grow(&entries, &spec->capacity, spec->count + 1, sizeof entry)) {
        zf_free(entry.section);
        zf_free(entry.key);
        zf_free(entry.value);
        source->out_of_memory = true;
        return 0;
    }
    spec->entries = entries;
    spec->entries[spec->count++] = entry;
    return 1;
}

enum zf_status zf_spec_parse(const char *text, const char *origin, struct zf_spec *spec,
                             struct zf_error *err)
{
    struct zf_spec parsed = {.origin = origin};
    struct source source = {.next = text, .spec = &parsed};
    enum zf_status status = ZF_OK;
    int line;

    if (strlen(text) > LONGEST_SPEC)
        return zf_fail(err, ZF_EINPUT, "%s: %zu bytes, too long for a spec (limit %d)", origin,
                       strlen(text), LONGEST_SPEC);
    line = ini_parse_stream(read_line, &source, take_entry, &source);
    if (source.line_too_long)
        status = zf_fail(err, ZF_EINPUT, "%s:%d: the line is longer than %d characters", origin,
                         source.line, LONGEST_LINE);
    else if (source.too_many)
        status = zf_fail(err, ZF_EINPUT, "%s:%d: more than %d entries", origin, source.line,
                         MOST_ENTRIES);
    else if (source.out_of_memory || line < 0)
        status = zf_fail(err, ZF_ENOMEM, "%s: out of memory", origin);
    else if (line > 0)
        status = zf_fail(err, ZF_EINPUT, "%s:%d: neither [section] nor key = value", origin, line);
    else if (parsed.count == 0)
        status = zf_fail(err, ZF_EINPUT, "%s: an empty spec; it needs [net] and layers", origin);
    if (status != ZF_OK) {
        zf_spec_release(&parsed);
        return status;
    }
    *spec = parsed;
    return ZF_OK;
}

void zf_spec_release(struct zf_spec *spec)
{
    for (size_t i = 0; i < spec->count; i++) {
        zf_free(spec->entries[i].section);
        zf_free(spec->entries[i].key);
        zf_free(spec->entries[i].value);
    }
    zf_free(spec->entries);
    zf_free(spec->by_section);
    *spec = (struct zf_spec){0};
}

static int compare_sections(const void *a, const void *b)
{
    const struct zf_spec_entry *const x = *(struct zf_spec_entry *const *)a;
    const struct zf_spec_entry *const y = *(struct zf_spec_entry *const *)b;
    const int order = strcmp(x->section, y->section);

    return order ? order : (x > y) - (x < y);
}

enum zf_status zf_spec_index(struct zf_spec *spec, struct zf_error *err)
{
    spec->by_section = zf_alloc_raw(spec->count, sizeof *spec->by_section);
    if (!spec->by_section)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", spec->origin);
    for (size_t i = 0; i < spec->count; i++)
        spec->by_section[i] = &spec->entries[i];
    qsort(spec->by_section, spec->count, sizeof *spec->by_section, compare_sections);
    return ZF_OK;
}

struct zf_spec_section zf_spec_section(const struct zf_spec *spec, const char *section)
{
    size_t low = 0, high = spec->count, end;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(spec->by_section[middle]->section, section) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < spec->count; end++)
        if (strcmp(spec->by_section[end]->section, section) != 0)
            break;
    return (struct zf_spec_section){spec->by_section + low, end - low};
}

const struct zf_spec_entry *zf_spec_find(const struct zf_spec *spec, const char *section,
                                         const char *key)
{
    if (spec->by_section) {
        const struct zf_spec_section found = zf_spec_section(spec, section);

        for (size_t i = 0; i < found.count; i++)
            if (strcmp(found.entries[i]->key, key) == 0)
                return found.entries[i];
        return NULL;
    }
    for (size_t i = 0; i < spec->count; i++)
        if (strcmp(spec->entries[i].section, section) == 0 &&
            strcmp(spec->entries[i].key, key) == 0)
            return &spec->entries[i];
    return NULL;
}

bool zf_spec_opens_section(const struct zf_spec *spec, size_t i)
{
    return i == 0 || strcmp(spec->entries[i].section, spec->entries[i - 1].section) != 0;
}

bool zf_spec_replace(struct zf_spec *spec, size_t i, const char *value)
{
    char *copy = zf_strdup(value);

    if (!copy)
        return false;
    zf_free(spec->entries[i].value);
    spec->entries[i].value = copy;
    return true;
}

static void drop_entry(struct zf_spec *spec, size_t i)
{
    zf_free(spec->entries[i].section);
    zf_free(spec->entries[i].key);
    zf_free(spec->entries[i].value);
    memmove(&spec->entries[i], &spec->entries[i + 1],
            (spec->count - i - 1) * sizeof spec->entries[0]);
    spec->count--;
}

/* Behind the last entry of its section, or at the end. Takes the strings of *entry. */
static bool insert_entry(struct zf_spec *spec, struct zf_spec_entry *entry)
{
    size_t at = spec->count;
    void *entries = spec->entries;

    if (!zf_grow(&entries, &spec->capacity, spec->count + 1, sizeof *entry))
        return false;
    spec->entries = entries;
    while (at > 0 && strcmp(spec->entries[at - 1].section, entry->section) != 0)
        at--;
    if (at == 0)
        at = spec->count;
    memmove(&spec->entries[at + 1], &spec->entries[at],
            (spec->count - at) * sizeof spec->entries[0]);
    spec->entries[at] = *entry;
    *entry = (struct zf_spec_entry){0};
    spec->count++;
    return true;
}

bool zf_spec_remove(struct zf_spec *spec, const char *name, size_t length)
{
    const size_t before = spec->count;

    for (size_t i = spec->count; i-- > 0;)
        if (strncmp(spec->entries[i].section, name, length) == 0 &&
            spec->entries[i].section[length] == '\0')
            drop_entry(spec, i);
    return spec->count < before;
}

enum zf_status zf_spec_derive(struct zf_spec *spec, struct zf_spec *base, struct zf_error *err)
{
    if (spec->count > MOST_CHANGES)
        return zf_fail(err, ZF_EINPUT, "%s: %zu entries that change a base; the limit is %d",
                       spec->origin, spec->count, MOST_CHANGES);
    for (size_t i = 0; i < spec->count; i++) {
        struct zf_spec_entry *entry = &spec->entries[i];
        const struct zf_spec_entry *old = zf_spec_find(base, entry->section, entry->key);
        const bool in_net = strcmp(entry->section, "net") == 0;

        if (in_net && strcmp(entry->key, "base") == 0)
            continue;
        if (in_net && strcmp(entry->key, "remove") == 0) {
            for (const char *p = entry->value; *p;) {
                const size_t length = strcspn(p, ", \t");

                if (!zf_spec_remove(base, p, length))
                    return zf_fail(err, ZF_EINPUT,
                                   "%s:%d: [net] remove: there is no [%.*s] in the base",
                                   entry->origin, entry->line, (int)length, p);
                p += length + strspn(p + length, ", \t");
            }
        } else if (old) {
            struct zf_spec_entry *kept = &base->entries[old - base->entries];

            zf_free(kept->value);
            kept->value = entry->value;
            kept->origin = entry->origin;
            kept->line = entry->line;
            entry->value = NULL;
        } else if (!insert_entry(base, entry))
            return zf_fail(err, ZF_ENOMEM, "%s: out of memory", spec->origin);
    }
    base->origin = spec->origin;
    zf_spec_release(spec);
    *spec = *base;
    *base = (struct zf_spec){0};
    return ZF_OK;
}

char *zf_spec_text(const struct zf_spec *spec)
{
    size_t size = 1, used = 0;
    char *text;

    for (size_t i = 0; i < spec->count; i++)
        size += strlen(spec->entries[i].section) + strlen(spec->entries[i].key) +
                strlen(spec->entries[i].value) + sizeof "\n[]\n = \n";
    text = zf_alloc_raw(size, 1);
    if (!text)
        return NULL;
    text[0] = '\0';
    for (size_t i = 0; i < spec->count; i++) {
        const struct zf_spec_entry *e = &spec->entries[i];

        if (zf_spec_opens_section(spec, i))
            used +=
                (size_t)snprintf(text + used, size - used, "%s[%s]\n", i ? "\n" : "", e->section);
        used += (size_t)snprintf(text + used, size - used, "%s = %s\n", e->key, e->value);
    }
    return text;
}
