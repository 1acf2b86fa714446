/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DOCUMENT_FIXTURE_H
#define TESTS_DOCUMENT_FIXTURE_H

#include "zf/document.h"

/* A document that must be made. */
struct zf_document *document_open(const char *directory, const char *kind, const char *command);

/* It must be saved; its numbers as text, free with zf_free(). */
char *document_close(struct zf_document **document);

#endif
