/* SPDX-License-Identifier: MIT */
/* A cell's projection in double, as `project` has it. It takes about a second, so it has a plan of
   its own on a thread of its own, and nobody who looks at pictures waits for it. */
#include <string.h>

#include "base/status.h"
#include "serve/server.h"

/* On the worker's thread, whose the pictures are. */
enum zf_status zf_take_input(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_sight *sight;

    ZF_CHECK(zf_sights_find(&asked->server->sights, &asked->request, &sight, err));
    ZF_CHECK(zf_tensor_init(&asked->input, 1, sight->input.c, sight->input.h, sight->input.w, err));
    memcpy(asked->input.data, sight->input.data,
           (size_t)zf_tensor_count(&asked->input) * sizeof *asked->input.data);
    return ZF_OK;
}

enum zf_status zf_answer_exact(struct zf_asked *asked, struct zf_error *err)
{
    const struct zf_server *server = asked->server;
    const struct zf_shape in = zf_net_input(server->net);
    struct zf_compute compute = server->options->compute;
    int form = ZF_FORM_NPY, rule = ZF_RULE_DECONVNET;
    struct zf_tensor pixels = {0};
    struct zf_activation wanted;
    enum zf_status status;

    ZF_CHECK(zf_asked_activation(asked, &wanted, err));
    ZF_CHECK(zf_request_choice(&asked->request, "form", zf_form_names, &form, err));
    ZF_CHECK(zf_request_choice(&asked->request, "rule", zf_rule_names, &rule, err));
    if (form == ZF_FORM_JSON)
        return zf_fail(err, ZF_EINVAL, "form is png or npy here");
    compute.exact = compute.precision == ZF_PRECISION_F32;
    ZF_CHECK(zf_tensor_init(&pixels, 1, in.c, in.h, in.w, err));
    ZF_TRY(zf_project(server->net, &asked->input, (enum zf_rule)rule, &compute, &wanted, &pixels,
                      err));
    status = form == ZF_FORM_PNG ? zf_reply_projection(asked, &pixels, &wanted, err)
                                 : zf_reply_npy(&asked->reply, &pixels, err);
fail:
    zf_tensor_release(&pixels);
    return status;
}
