/* SPDX-License-Identifier: MIT */
/* A run's log.jsonl, as `report`, `diagnose` and a training that goes on take it. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/diagnose/diagnose.h"
#include "file.h"
#include "page/log.h"
#include "train/log.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_file("log.jsonl", bytes, size);
    struct zf_document *document = NULL;
    struct zf_log_summary summary = {0};
    struct zf_diagnosis_course course = {0};
    char model[128], *text = malloc(size + 1);
    struct zf_error err;
    bool accepted;

    if (!text)
        abort();
    memcpy(text, bytes, size);
    text[size] = '\0';
    accepted = zf_log_document(text, "log.jsonl", "/nowhere", &document, &err) == ZF_OK;
    zf_document_free(&document);
    if (zf_log_summarise(path, &summary, &err) == ZF_OK && summary.best_epoch < 0)
        abort();
    snprintf(model, sizeof model, "%s/model.safetensors", fuzz_directory());
    zf_diagnose_log(model, &course, &err);
    zf_log_cut(path, 1, &err);
    free(text);
    return accepted;
}
