/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "net/net.h"

/* What a net was made of must make it again. */
static void expect_the_same_again(const struct zf_net *net)
{
    struct zf_net *again = NULL;
    struct zf_error err;

    if (zf_net_parse_shapes(zf_net_spec(net), "again.ini", 0, &again, &err) != ZF_OK ||
        zf_net_parameter_count(again) != zf_net_parameter_count(net) ||
        strcmp(zf_net_spec(again), zf_net_spec(net)) != 0)
        abort();
    zf_net_free(&again);
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    struct zf_net *net = NULL;
    struct zf_error err;
    bool accepted;

    if (!text)
        abort();
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    accepted = zf_net_parse_shapes(text, "fuzz.ini", 0, &net, &err) == ZF_OK;
    free(text);
    if (accepted)
        expect_the_same_again(net);
    zf_net_free(&net);
    return accepted;
}
