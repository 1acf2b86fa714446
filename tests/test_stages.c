/* SPDX-License-Identifier: MIT */
/* Which layers top looks at when none is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "look/choose.h"
#include "zf/net.h"

#define BLOCK(a) "[" a "]\ntype = conv\nmaps = 4\nkernel = 3\npad = 1\n[" a "r]\ntype = relu\n"
#define POOL(name) "[" name "]\ntype = maxpool\nkernel = 2\nstride = 2\n"
#define HEAD "[net]\nname = deep\ninput = 3x32x32\nclasses = 5\n"

/* Nine convolutions, the last of which makes the classes. */
static const char deep[] = HEAD BLOCK("a1") BLOCK("a2") POOL("p1") BLOCK("b1") BLOCK("b2")
    BLOCK("b3") POOL("p2") BLOCK("c1") BLOCK("c2")
        BLOCK("c3") "[drop]\ntype = dropout\n[classes]\ntype = conv\nmaps = 5\nkernel = "
                    "1\n[mean]\ntype = avgpool\n"
                    "kernel = 8\n[flat]\ntype = flatten\n[prob]\ntype = softmax\n";

static const char small[] = HEAD BLOCK("a1") POOL("p1") BLOCK("b1") "[fc]\ntype = fc\nmaps = 5\n"
                                                                    "[prob]\ntype = softmax\n";

static struct zf_net *net_of(const char *spec)
{
    struct zf_error err = {0};
    struct zf_net *net = NULL;

    if (zf_net_parse_spec(spec, "deep", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static void assert_chosen(const char *spec, bool all, bool stages, const char *expected)
{
    struct zf_net *net = net_of(spec);
    char names[256] = "";
    int *layers = NULL;
    size_t count = 0;
    bool ends = !stages;

    assert_int_equal(zf_choose_stages(net, all, &layers, &count, &ends, NULL), ZF_OK);
    for (size_t i = 0; i < count; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s ",
                 zf_net_layer(net, layers[i]).name);
    assert_string_equal(names, expected);
    assert_int_equal(ends, stages);
    zf_free(layers);
    zf_net_free(&net);
}

static void a_deep_net_is_looked_at_where_its_stages_end(void **state)
{
    (void)state;
    assert_chosen(deep, false, true, "a2r b3r c3r ");
}

static void every_convolution_is_looked_at_when_asked_for_or_few(void **state)
{
    (void)state;
    assert_chosen(deep, true, false, "a1 a2 b1 b2 b3 c1 c2 c3 classes ");
    assert_chosen(small, false, false, "a1 b1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_net_is_looked_at_where_its_stages_end),
        cmocka_unit_test(every_convolution_is_looked_at_when_asked_for_or_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
