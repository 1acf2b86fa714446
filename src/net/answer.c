/* SPDX-License-Identifier: MIT */
/*
 * What the numbers that a net ends in mean, and how they become answers. Nothing of this is a
 * layer: the net computes what its file says.
 */
#include "net/answer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "net/layers/layers.h"

const char *const zf_answer_names[] = {
    [ZF_ANSWER_NUMBERS] = "numbers",
    [ZF_ANSWER_SOFTMAX] = "softmax",
    [ZF_ANSWER_SIGMOID] = "sigmoid",
    NULL,
};

/* What the net has done already. */
enum ending { PLAIN, SOFTMAX, LOG_SOFTMAX, SIGMOID };

static bool moves_only(const struct zf_layer *layer)
{
    return layer->type == &zf_layer_flatten || layer->type == &zf_layer_dropout;
}

static enum ending ending_of(const struct zf_net *net)
{
    int at = net->layer_count - 1;
    bool logarithm;

    while (at != ZF_NET_INPUT && moves_only(&net->layers[at]))
        at = net->layers[at].inputs[0];
    if (at == ZF_NET_INPUT)
        return PLAIN;
    if (net->layers[at].type == &zf_layer_sigmoid || net->layers[at].type == &zf_layer_hardsigmoid)
        return SIGMOID;
    logarithm = zf_layer_is_logarithm(&net->layers[at]);
    if (logarithm)
        at = net->layers[at].inputs[0];
    if (at == ZF_NET_INPUT || net->layers[at].type != &zf_layer_softmax)
        return PLAIN;
    return logarithm ? LOG_SOFTMAX : SOFTMAX;
}

static struct zf_shape shape_of(const struct zf_net *net)
{
    return zf_net_shape(net, net->layer_count - 1);
}

static bool ends_in_maps(const struct zf_net *net)
{
    return shape_of(net).h != 1 || shape_of(net).w != 1;
}

enum zf_answer zf_net_answer(const struct zf_net *net)
{
    return net->answer;
}

const char *zf_net_answer_word(const struct zf_net *net)
{
    return net->answer == ZF_ANSWER_NUMBERS ? "value" : "probability";
}

int64_t zf_answer_classes(const struct zf_net *net, enum zf_answer answer)
{
    const int64_t outputs = zf_net_output_count(net);

    return answer == ZF_ANSWER_SIGMOID && outputs == 1 ? 2 : outputs;
}

enum zf_answer zf_answer_of_layers(const struct zf_net *net)
{
    const enum ending ending = ending_of(net);

    if (ends_in_maps(net) || ending == PLAIN)
        return ZF_ANSWER_NUMBERS;
    return ending == SIGMOID ? ZF_ANSWER_SIGMOID : ZF_ANSWER_SOFTMAX;
}

enum zf_status zf_net_take_answer(struct zf_net *net, enum zf_answer answer, struct zf_error *err)
{
    const int64_t classes = zf_answer_classes(net, answer);

    net->answer = answer;
    return classes == net->classes ? ZF_OK : zf_net_set_class_count(net, classes, err);
}

enum zf_status zf_net_set_answer(struct zf_net *net, enum zf_answer answer, struct zf_error *err)
{
    const enum ending ending = ending_of(net);
    const bool classes = ending == SOFTMAX || ending == LOG_SOFTMAX;
    const char *last = net->layers[net->layer_count - 1].name;

    if (answer != ZF_ANSWER_NUMBERS)
        ZF_CHECK(zf_net_check_answers(net, err));
    if (answer == ZF_ANSWER_SOFTMAX && zf_net_output_count(net) == 1 && !classes)
        return zf_fail(err, ZF_EINPUT,
                       "%s has one output, which cannot be several classes: a yes or no (sigmoid) "
                       "or a number (numbers) it can be",
                       net->name);
    if (answer == ZF_ANSWER_SOFTMAX && ending == SIGMOID)
        return zf_fail(err, ZF_EINPUT,
                       "%s ends in %s, whose values are a yes or no each (sigmoid), not classes "
                       "that share one probability",
                       net->name, last);
    if (answer == ZF_ANSWER_SIGMOID && classes)
        return zf_fail(err, ZF_EINPUT,
                       "%s ends in %s, whose classes share one probability (softmax): they are not "
                       "a yes or no each",
                       net->name, last);
    return zf_net_take_answer(net, answer, err);
}

/* ---- From outputs to answers ---- */

static void apply_softmax(float *values, int64_t count)
{
    float largest = values[0];
    double sum = 0;

    for (int64_t k = 1; k < count; k++)
        largest = values[k] > largest ? values[k] : largest;
    for (int64_t k = 0; k < count; k++)
        sum += exp((double)values[k] - (double)largest);
    for (int64_t k = 0; k < count; k++)
        values[k] = (float)(exp((double)values[k] - (double)largest) / sum);
}

/* Of an output that is not finite nothing is certain. */
static double sigmoid(double x)
{
    return isfinite(x) ? 1 / (1 + exp(-x)) : NAN;
}

/* No and yes of one output; from the last to the first, as there are twice as many. */
static void split_yes(float *values, int64_t count, bool squashed)
{
    for (int64_t i = count; i-- > 0;) {
        const double x = (double)values[i];

        values[2 * i + 1] = (float)(squashed ? x : sigmoid(x));
        values[2 * i] = (float)(squashed ? 1 - x : sigmoid(-x));
    }
}

void zf_answer_from_outputs(const struct zf_net *net, float *values, int64_t images)
{
    const int64_t outputs = zf_net_output_count(net), count = images * outputs;
    const enum ending ending = ending_of(net);

    if (net->answer == ZF_ANSWER_SOFTMAX && ending == LOG_SOFTMAX) {
        for (int64_t i = 0; i < count; i++)
            values[i] = expf(values[i]);
    } else if (net->answer == ZF_ANSWER_SOFTMAX && ending == PLAIN) {
        for (int64_t i = 0; i < images; i++)
            apply_softmax(values + i * outputs, outputs);
    } else if (net->answer == ZF_ANSWER_SIGMOID && outputs == 1) {
        split_yes(values, images, ending == SIGMOID);
    } else if (net->answer == ZF_ANSWER_SIGMOID && ending == PLAIN) {
        for (int64_t i = 0; i < count; i++)
            values[i] = (float)sigmoid((double)values[i]);
    }
}
