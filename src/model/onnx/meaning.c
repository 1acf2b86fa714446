/* SPDX-License-Identifier: MIT */
/*
 * What the outputs of a model from elsewhere mean: as its metadata says, else its last layers,
 * else what nets that end so are mostly for. A user who knows better says --answer.
 */
#include "assemble.h"

#include <ctype.h>
#include <strings.h>

#include "rebuild.h"
#include "model/metadata.h"
#include "net/answer.h"
#include "net/layers/layers.h"

#define WORD_BYTES 24

/* What exporters of other programs write about the task, and what it makes of the outputs. */
static const struct {
    const char *key, *value;
    enum zf_answer answer;
} tasks[] = {
    {"problem_type", "single_label_classification", ZF_ANSWER_SOFTMAX},
    {"problem_type", "multi_label_classification", ZF_ANSWER_SIGMOID},
    {"problem_type", "regression", ZF_ANSWER_NUMBERS},
    {"task", "classify", ZF_ANSWER_SOFTMAX},
    {"task", "image-classification", ZF_ANSWER_SOFTMAX},
    {"task", "regression", ZF_ANSWER_NUMBERS},
    {"task", "detect", ZF_ANSWER_NUMBERS},
    {"task", "pose", ZF_ANSWER_NUMBERS},
    {"task", "feature-extraction", ZF_ANSWER_NUMBERS},
};

/* Words in an output's name that no class has. */
static const char *const number_words[] = {
    "age",      "angle",      "angles",   "bbox",      "bboxes",   "box",        "boxes",
    "codes",    "coordinate", "coords",   "depth",     "embed",    "embedding",  "embeddings",
    "feature",  "features",   "keypoint", "keypoints", "landmark", "landmarks",  "latent",
    "loc",      "offset",     "offsets",  "points",    "pose",     "regression", "regressor",
    "steering", "value",      "vector",   "yaw",
};

static bool is_number_word(const char *word)
{
    for (size_t i = 0; i < ZF_COUNT(number_words); i++)
        if (strcasecmp(word, number_words[i]) == 0)
            return true;
    return false;
}

/* Words end where letters end, and where a capital follows a small letter: "boxLocation_1". */
static bool names_numbers(const char *name)
{
    char word[WORD_BYTES];
    size_t length = 0;

    for (const char *p = name;; p++) {
        const bool letter = isalpha((unsigned char)*p);
        const bool begins =
            letter && p > name && isupper((unsigned char)*p) && islower((unsigned char)p[-1]);

        if ((!letter || begins) && length > 0) {
            word[length] = '\0';
            if (is_number_word(word))
                return true;
            length = 0;
        }
        if (*p == '\0')
            return false;
        if (letter && length < sizeof word - 1)
            word[length++] = *p;
    }
}

/* Sums of what is below, with weights or without: numbers of any sign that nothing has bent. */
static bool ends_in_sums(const struct zf_net *net)
{
    static const struct zf_layer_type *const sums[] = {
        &zf_layer_fc,  &zf_layer_conv,    &zf_layer_matmul,  &zf_layer_avgpool,
        &zf_layer_add, &zf_layer_flatten, &zf_layer_dropout,
    };
    const struct zf_layer *last = &net->layers[net->layer_count - 1];

    for (size_t i = 0; i < ZF_COUNT(sums); i++)
        if (last->type == sums[i])
            return true;
    return false;
}

static bool read_task(const struct zf_import *import, enum zf_answer *answer)
{
    for (size_t i = 0; i < ZF_COUNT(tasks); i++) {
        const char *value = zf_onnx_find_note(import->model, tasks[i].key);

        if (value && strcasecmp(value, tasks[i].value) == 0) {
            *answer = tasks[i].answer;
            return true;
        }
    }
    return false;
}

static enum zf_answer guess(const struct zf_import *import, const struct zf_net *net)
{
    const int64_t outputs = zf_net_output_count(net);

    if (import->options->until || names_numbers(import->target->name) || !ends_in_sums(net))
        return ZF_ANSWER_NUMBERS;
    return outputs == 1 ? ZF_ANSWER_SIGMOID : ZF_ANSWER_SOFTMAX;
}

enum zf_status zf_import_answer(const struct zf_import *import, struct zf_net *net)
{
    const char *note = zf_onnx_find_note(import->model, "answer");
    enum zf_answer answer = net->answer;
    struct zf_error ignored = {0};

    if (note)
        return zf_metadata_read_answer(note, import->path, net, import->err);
    if (zf_net_check_answers(net, &ignored) != ZF_OK)
        return ZF_OK;
    if (read_task(import, &answer) && zf_net_set_answer(net, answer, &ignored) == ZF_OK)
        return ZF_OK;
    if (net->answer != ZF_ANSWER_NUMBERS)
        return ZF_OK;
    return zf_net_take_answer(net, guess(import, net), import->err);
}
