/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document_fixture.h"

struct zf_document *document_open(const char *directory, const char *kind, const char *command)
{
    struct zf_document *document = NULL;

    assert_int_equal(zf_document_create(directory, kind, kind, command, &document, NULL), ZF_OK);
    return document;
}

char *document_close(struct zf_document **document)
{
    struct zf_error err = {0};
    char *json = NULL;

    if (zf_document_save(*document, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_document_json(*document, &json, NULL), ZF_OK);
    zf_document_free(document);
    return json;
}
