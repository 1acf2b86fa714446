/* SPDX-License-Identifier: MIT */
#include "page/template.h"

#include <string.h>

const char *zf_web_file(const char *name)
{
    const struct zf_embedded *file = zf_web_files;

    while (file->name && strcmp(file->name, name) != 0)
        file++;
    return file->name ? file->text : "";
}

static void write_field(const struct zf_template *page, const char *name, size_t length)
{
    for (size_t i = 0; i < page->field_count; i++) {
        const struct zf_template_field *field = &page->fields[i];

        if (strlen(field->name) == length && strncmp(name, field->name, length) == 0)
            field->write(page->stream, page->user);
    }
}

void zf_template_write(struct zf_template *page, const char *stop)
{
    const char *open;

    while ((open = strstr(page->rest, "{{")) != NULL) {
        const char *name = open + 2, *close = strstr(name, "}}");
        size_t length = close ? (size_t)(close - name) : strlen(name);

        fwrite(page->rest, 1, (size_t)(open - page->rest), page->stream);
        page->rest = close ? close + 2 : name + length;
        if (stop && strlen(stop) == length && strncmp(name, stop, length) == 0)
            return;
        write_field(page, name, length);
    }
    fputs(page->rest, page->stream);
    page->rest += strlen(page->rest);
}
