/* SPDX-License-Identifier: MIT */
/* Every address that is answered. */
#include <string.h>

#include "serve/server.h"

static const struct zf_route routes[] = {
    {.path = "/api/model", .answer = zf_answer_model},
    {.path = "/api/data", .answer = zf_answer_data},
    {.path = "/api/thumbnail", .lane = ZF_LANE_READER, .answer = zf_answer_thumbnail},
    {.path = "/api/pictures",
     .post = true,
     .most_body = ZF_MOST_PICTURE_BYTES,
     .first_lane = ZF_LANE_READER,
     .first = zf_read_upload,
     .lane = ZF_LANE_WORKER,
     .answer = zf_answer_upload},
    {.path = "/api/picture", .lane = ZF_LANE_WORKER, .answer = zf_answer_picture},
    {.path = "/api/shown", .lane = ZF_LANE_WORKER, .answer = zf_answer_shown},
    {.path = "/api/layer", .lane = ZF_LANE_WORKER, .answer = zf_answer_layer},
    {.path = "/api/sheet", .lane = ZF_LANE_WORKER, .answer = zf_answer_sheet},
    {.path = "/api/activations", .lane = ZF_LANE_WORKER, .answer = zf_answer_activations},
    {.path = "/api/projection", .lane = ZF_LANE_WORKER, .answer = zf_answer_projection},
    {.path = "/api/exact",
     .first_lane = ZF_LANE_WORKER,
     .first = zf_take_input,
     .lane = ZF_LANE_PATIENT,
     .answer = zf_answer_exact},
    {.path = "/api/hidden", .lane = ZF_LANE_WORKER, .answer = zf_answer_hidden},
    {.path = "/api/occlusion", .lane = ZF_LANE_WORKER, .answer = zf_answer_occlusion},
    {.path = "/api/moved", .lane = ZF_LANE_WORKER, .answer = zf_answer_moved},
    {.path = "/api/experiments", .answer = zf_answer_experiments},
    {.path = "/api/trials", .answer = zf_answer_trials},
    {.path = "/api/try", .post = true, .lane = ZF_LANE_WORKER, .answer = zf_answer_try},
    {.path = "/api/cancel", .post = true, .lane = ZF_LANE_READER, .answer = zf_answer_cancel},
    {.path = "/result", .lane = ZF_LANE_READER, .answer = zf_answer_result},
    {.path = "/report", .lane = ZF_LANE_READER, .answer = zf_answer_report},
    {.path = "/api/epoch", .lane = ZF_LANE_PATIENT, .answer = zf_answer_epoch},
    {.path = "/api/grown", .lane = ZF_LANE_PATIENT, .answer = zf_answer_grown},
    {.path = "/api/run", .lane = ZF_LANE_READER, .answer = zf_answer_run},
    {.path = "/api/filters", .lane = ZF_LANE_READER, .answer = zf_answer_filters},
    {.path = "/api/units", .answer = zf_answer_units},
    {.path = "/api/unit", .answer = zf_answer_unit},
    {.path = "/api/connections", .lane = ZF_LANE_PATIENT, .answer = zf_answer_connections},
    {.path = "/api/filter", .lane = ZF_LANE_READER, .answer = zf_answer_filter},
    {.path = "/", .answer = zf_answer_page},
};

const struct zf_route *zf_route_find(const struct zf_request *request, bool *other_method)
{
    *other_method = false;
    for (size_t i = 0; i < ZF_COUNT(routes); i++) {
        const size_t length = strlen(routes[i].path);
        const bool below = routes[i].path[length - 1] == '/';

        if (below ? strncmp(request->path, routes[i].path, length) != 0
                  : strcmp(request->path, routes[i].path) != 0)
            continue;
        *other_method = routes[i].post != request->post;
        return *other_method ? NULL : &routes[i];
    }
    return NULL;
}
