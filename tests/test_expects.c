/* SPDX-License-Identifier: MIT */
/* Which values of pictures a net's own first layers were made for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/net.h"
#include "zf/image.h"

#define CONV "[conv]\ntype = conv\nmaps = 4\nkernel = 3\n[relu]\ntype = relu\n"
#define WHOLE "[net]\nname = t\ninput = 3x8x8\n[first]\ntype = scale\n" CONV
#define PARTS                                                                                      \
    "[net]\nname = t\ninput = 3x8x8\n[r]\ntype = slice\nmaps = 1\n[gb]\ntype = slice\n"            \
    "first = 1\nmaps = 2\ninputs = input\n[first]\ntype = scale\ninputs = r\n[second]\n"           \
    "type = scale\ninputs = gb\n[join]\ntype = concat\ninputs = second, first\n" CONV
#define BEHIND "[net]\nname = t\ninput = 3x8x8\n" CONV "[first]\ntype = scale\n"

/* A net whose scale layers multiply channel c by a[c] and add b[c]. */
static int expected_by(const char *spec, const double a[3], const double b[3], const char *layer)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    const char *said = "none";
    int range, c = 0;

    if (zf_net_parse_spec(spec, "test", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < net->slot_count; i += 2) {
        if (net->slots[i].dims.rank != 1)
            continue;
        for (int64_t k = 0; k < net->slots[i].count; k++, c++) {
            net->parameters[net->slots[i].offset + k] = (float)a[c % 3];
            net->parameters[net->slots[i + 1].offset + k] = (float)b[c % 3];
        }
    }
    range = zf_net_expects(net, &said);
    assert_string_equal(said, range == 0 ? "none" : layer);
    zf_net_free(&net);
    return range;
}

static const double mean[] = {123.675, 116.28, 103.53}, deviation[] = {58.395, 57.12, 57.375};

static void a_normalisation_says_its_range_also_in_parts(void **state)
{
    const double to_255[] = {1 / deviation[0], 1 / deviation[1], 1 / deviation[2]};
    const double by_255[] = {-mean[0] * to_255[0], -mean[1] * to_255[1], -mean[2] * to_255[2]};
    const double to_1[] = {255 * to_255[0], 255 * to_255[1], 255 * to_255[2]};

    (void)state;
    assert_int_equal(expected_by(WHOLE, to_255, by_255, "first"), 255);
    assert_int_equal(expected_by(WHOLE, to_1, by_255, "first"), 1);
    assert_int_equal(expected_by(PARTS, to_255, by_255, "first"), 255);
    assert_int_equal(expected_by(PARTS, to_1, by_255, "first"), 1);
}

static void a_rescaling_and_a_mean_alone_are_for_255(void **state)
{
    const double rescale[] = {1 / 255.0, 1 / 255.0, 1 / 255.0}, none[] = {0, 0, 0};
    const double halves[] = {1 / 127.5, 1 / 127.5, 1 / 127.5}, down[] = {-1, -1, -1};
    const double one[] = {1, 1, 1}, away[] = {-123.68, -116.78, -103.94};

    (void)state;
    assert_int_equal(expected_by(WHOLE, rescale, none, "first"), 255);
    assert_int_equal(expected_by(WHOLE, halves, down, "first"), 255);
    assert_int_equal(expected_by(WHOLE, one, away, "first"), 255);
}

static void what_is_near_the_identity_or_behind_a_filter_says_nothing(void **state)
{
    const double one[] = {1, 1.2, 0.9}, little[] = {0.1, -0.1, 0};
    const double rescale[] = {1 / 255.0, 1 / 255.0, 1 / 255.0}, none[] = {0, 0, 0};
    const double mixed[] = {1 / 255.0, 1, 1 / 255.0};

    (void)state;
    assert_int_equal(expected_by(WHOLE, one, little, "first"), 0);
    assert_int_equal(expected_by(WHOLE, mixed, none, "first"), 0);
    assert_int_equal(expected_by(BEHIND, rescale, none, "first"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_normalisation_says_its_range_also_in_parts),
        cmocka_unit_test(a_rescaling_and_a_mean_alone_are_for_255),
        cmocka_unit_test(what_is_near_the_identity_or_behind_a_filter_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
