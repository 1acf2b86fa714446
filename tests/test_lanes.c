/* SPDX-License-Identifier: MIT */
/* The graph of a net beside the list of its layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "page/lanes.h"

#define CONV(name, from)                                                                           \
    "[" name "]\ntype = conv\nmaps = 4\nkernel = 3\npad = 1\ninputs = " from "\n"

static const char chain[] = "[net]\nname = chain\ninput = 3x8x8\nclasses = 2\n"
                            "[a]\ntype = conv\nmaps = 4\nkernel = 3\n[b]\ntype = relu\n"
                            "[c]\ntype = fc\nmaps = 2\n[d]\ntype = softmax\n";

/* A branch beside another, joined, and a value that skips over both. */
static const char branches[] = "[net]\nname = branches\ninput = 3x8x8\nclasses = 2\n" CONV(
    "a", "input") CONV("b", "a") CONV("c", "b") CONV("d", "a")
    CONV("e", "d") "[f]\ntype = add\ninputs = c\ninputs = e\ninputs = a\n" CONV("g", "f")
        CONV("h", "f") "[i]\ntype = concat\ninputs = g\ninputs = h\n[j]\ntype = fc\nmaps = 2\n"
                       "[k]\ntype = softmax\n";

static struct zf_net *parse(const char *text)
{
    struct zf_error err = {0};
    struct zf_net *net = NULL;

    if (zf_net_parse_spec(text, "test", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static struct zf_lanes lay(const struct zf_net *net)
{
    struct zf_lanes lanes = {0};

    assert_int_equal(zf_lanes_lay(net, &lanes, NULL), ZF_OK);
    assert_int_equal(lanes.rows, zf_net_layer_count(net) + 1);
    return lanes;
}

static void a_chain_is_one_lane(void **state)
{
    struct zf_net *net = parse(chain);
    struct zf_lanes lanes = lay(net);

    (void)state;
    assert_int_equal(lanes.lane_count, 1);
    for (int row = 0; row < lanes.rows; row++)
        assert_int_equal(lanes.lane[row], 0);
    zf_lanes_release(&lanes);
    zf_net_free(&net);
}

/* Between a row and the last that takes it, its lane is its own. */
static void assert_nothing_stands_in_the_way(const struct zf_lanes *lanes)
{
    for (int from = 0; from < lanes->rows; from++) {
        assert_in_range(lanes->lane[from], 0, lanes->lane_count - 1);
        for (int row = from + 1; row < lanes->last[from]; row++)
            assert_int_not_equal(lanes->lane[row], lanes->lane[from]);
    }
}

static void branches_lie_side_by_side(void **state)
{
    struct zf_net *net = parse(branches);
    struct zf_lanes lanes = lay(net);
    enum { INPUT, A, B, C, D, E, F, G, H, I };

    (void)state;
    assert_nothing_stands_in_the_way(&lanes);
    assert_int_equal(lanes.last[A], F);
    assert_int_equal(lanes.last[C], F);
    assert_int_equal(lanes.lane[B], lanes.lane[C]);
    assert_int_equal(lanes.lane[D], lanes.lane[E]);
    assert_int_not_equal(lanes.lane[B], lanes.lane[D]);
    assert_int_equal(lanes.lane[F], lanes.lane[A]);
    assert_int_not_equal(lanes.lane[G], lanes.lane[H]);
    assert_int_equal(lanes.lane[I], lanes.lane[F]);
    assert_int_equal(lanes.lane_count, 3);
    assert_int_equal(zf_lanes_input(net, A, 0), INPUT);
    assert_int_equal(zf_lanes_input(net, F, 1), E);
    zf_lanes_release(&lanes);
    zf_net_free(&net);
}

static void every_built_in_net_has_room(void **state)
{
    const char *name;

    (void)state;
    for (size_t i = 0; (name = zf_net_builtin_name(i)); i++) {
        struct zf_net *net = NULL;
        struct zf_lanes lanes;

        assert_int_equal(zf_net_load_spec(name, 0, &net, NULL), ZF_OK);
        lanes = lay(net);
        assert_nothing_stands_in_the_way(&lanes);
        zf_lanes_release(&lanes);
        zf_net_free(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_one_lane),
        cmocka_unit_test(branches_lie_side_by_side),
        cmocka_unit_test(every_built_in_net_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
