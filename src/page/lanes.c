/* SPDX-License-Identifier: MIT */
#include "page/lanes.h"

#include "base/memory.h"
#include "base/status.h"

int zf_lanes_input(const struct zf_net *net, int row, int k)
{
    return zf_net_layer_input(net, row - 1, k) + 1; /* the input is layer -1 */
}

static int input_count(const struct zf_net *net, int row)
{
    return row == 0 ? 0 : zf_net_layer_input_count(net, row - 1);
}

/* The leftmost lane that nothing runs in; `until[l]` is the row where what runs in lane l ends. */
static int free_lane(const int *until, int count, int row)
{
    int lane = 0;

    while (lane < count && until[lane] > row)
        lane++;
    return lane;
}

/* Lanes whose values end at a row are free for it, so a chain goes straight down, and the last of
   some branches, or what joins them, goes on in the lane that all began in. */
static void lay(struct zf_lanes *lanes, int *until)
{
    for (int row = 0; row < lanes->rows; row++) {
        const int lane = free_lane(until, lanes->lane_count, row);

        lanes->lane[row] = lane;
        lanes->lane_count = lane < lanes->lane_count ? lanes->lane_count : lane + 1;
        until[lane] = lanes->last[row];
    }
}

enum zf_status zf_lanes_lay(const struct zf_net *net, struct zf_lanes *lanes, struct zf_error *err)
{
    const int rows = zf_net_layer_count(net) + 1;
    int *until = zf_alloc((size_t)rows, sizeof *until);

    *lanes = (struct zf_lanes){.rows = rows,
                               .lane = zf_alloc((size_t)rows, sizeof *lanes->lane),
                               .last = zf_alloc((size_t)rows, sizeof *lanes->last)};
    if (!until || !lanes->lane || !lanes->last) {
        zf_free(until);
        zf_lanes_release(lanes);
        return zf_no_memory(err, "the graph of %d layers", rows);
    }
    for (int row = 0; row < rows; row++) {
        lanes->last[row] = row;
        for (int k = 0; k < input_count(net, row); k++)
            lanes->last[zf_lanes_input(net, row, k)] = row;
    }
    lay(lanes, until);
    zf_free(until);
    return ZF_OK;
}

void zf_lanes_release(struct zf_lanes *lanes)
{
    zf_free(lanes->lane);
    zf_free(lanes->last);
    *lanes = (struct zf_lanes){0};
}
