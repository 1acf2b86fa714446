/* SPDX-License-Identifier: MIT */
/* What is sent back. */
#ifndef ZF_SERVE_REPLY_H
#define ZF_SERVE_REPLY_H

#include "page/json.h"
#include "zf/image.h"
#include "zf/tensor.h"

struct zf_reply {
    int status;           /* of HTTP; 0 = none yet */
    const char *type;     /* static */
    const uint8_t *bytes; /* `owned`, or static */
    uint8_t *owned;
    size_t size;
    const char *file; /* NULL, or a name for what is saved; static */
    bool document;    /* an experiment's page, with a policy of its own */
};

void zf_reply_release(struct zf_reply *reply);

/** A text that lives as long as the program. */
void zf_reply_static(struct zf_reply *reply, int status, const char *type, const char *text);

/** Bytes that are taken over. */
void zf_reply_bytes(struct zf_reply *reply, const char *type, uint8_t *bytes, size_t size);

/** {"error": the sentence}, with the status of HTTP that fits. */
void zf_reply_error(struct zf_reply *reply, const struct zf_error *error);

/** The same of a sentence. */
void zf_reply_refuse(struct zf_reply *reply, int status, const char *sentence);

enum zf_status zf_reply_png(struct zf_reply *reply, const struct zf_picture *picture,
                            struct zf_error *err);
enum zf_status zf_reply_jpeg(struct zf_reply *reply, const struct zf_picture *picture,
                             struct zf_error *err);

/** A .npy file of the tensor's four extents. */
enum zf_status zf_reply_npy(struct zf_reply *reply, const struct zf_tensor *tensor,
                            struct zf_error *err);

/** An object to fill by zf_json_...(), then the reply made of it, which gives it back. */
struct zf_json zf_reply_object(void);
enum zf_status zf_reply_json(struct zf_reply *reply, struct zf_json *json, struct zf_error *err);

#endif
