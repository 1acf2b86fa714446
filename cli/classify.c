/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "pipes.h"
#include "preparation.h"
#include "zf/classify.h"
#include "zf/image.h"
#include "zf/plan.h"

#define PREDICTIONS 5 /* classes shown an image */
#define SHOWN_NUMBERS 20
#define CLASSIFY_BATCH 16

/* Where classify's answers go: an array of JSON, or lines of text. */
struct answers {
    const struct zf_net *net;
    FILE *out;
    cJSON *images, *left_out; /* NULL = text */
    int64_t bad;              /* pictures that were left out */
};

/* A line, or an object of `predictions`. */
static void print_answer(const struct answers *answers, struct zf_prediction said,
                         cJSON *predictions)
{
    const char *label = zf_net_label(answers->net, said.index);
    const char *word = zf_net_answer_word(answers->net);
    cJSON *item;

    if (!predictions) {
        fprintf(answers->out,
                zf_net_answer(answers->net) == ZF_ANSWER_NUMBERS ? "  %-12.6g  %s\n"
                                                                 : "  %.4f  %s\n",
                (double)said.value, label);
        return;
    }
    item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "index", (double)said.index);
    cJSON_AddStringToObject(item, "label", label);
    cJSON_AddNumberToObject(item, word, (double)said.value);
    cJSON_AddItemToArray(predictions, item);
}

/* Plain numbers in their order; to people no more of them than a screen holds. */
static void print_numbers(struct answers *answers, const float *numbers, cJSON *predictions)
{
    const int64_t count = zf_net_class_count(answers->net);

    for (int64_t k = 0; predictions && k < count; k++)
        print_answer(answers, (struct zf_prediction){k, numbers[k]}, predictions);
    if (predictions)
        return;
    for (int64_t k = 0; k < count && k < SHOWN_NUMBERS; k++)
        print_answer(answers, (struct zf_prediction){k, numbers[k]}, NULL);
    if (count > SHOWN_NUMBERS)
        fprintf(answers->out, "  and %" PRId64 " more numbers; --json prints all\n",
                count - SHOWN_NUMBERS);
}

static void print_predictions(struct answers *answers, const char *path, int64_t sample,
                              const float *values)
{
    const bool numbers = zf_net_answer(answers->net) == ZF_ANSWER_NUMBERS;
    struct zf_prediction best[PREDICTIONS];
    const size_t count = numbers ? 0 : zf_predictions(answers->net, values, best, PREDICTIONS);
    cJSON *image = NULL, *predictions = NULL;

    if (answers->images) {
        image = cJSON_CreateObject();
        cJSON_AddStringToObject(image, "path", path);
        if (sample >= 0)
            cJSON_AddNumberToObject(image, "sample", (double)sample);
        predictions = cJSON_AddArrayToObject(image, "predictions");
        cJSON_AddItemToArray(answers->images, image);
    } else if (sample >= 0) {
        fprintf(answers->out, "%s, input %" PRId64 "\n", path, sample);
    } else {
        fprintf(answers->out, "%s\n", path);
    }
    if (numbers)
        print_numbers(answers, values, predictions);
    for (size_t i = 0; i < count; i++)
        print_answer(answers, best[i], predictions);
}

/* Inputs that wait for a full batch, and what each is called. */
struct queue {
    struct zf_tensor inputs, outputs; /* [CLASSIFY_BATCH, ...] */
    struct {
        const char *path;
        int64_t sample; /* of a file of several inputs; else -1 */
    } rows[CLASSIFY_BATCH];
    int64_t count;
    struct zf_plan *plan; /* made for the first batch, which no other exceeds */
};

static enum zf_status classify_queue(struct call *call, struct answers *answers,
                                     struct queue *queue, struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(answers->net);
    struct zf_plan_options options = {
        .compute = call->compute,
        .purpose = ZF_INFER,
        .watched = true,
        .brief = queue->count < CLASSIFY_BATCH, /* the first batch is the only one */
    };
    struct zf_tensor inputs = queue->inputs, outputs = queue->outputs;
    struct zf_error reason = {0};
    enum zf_status status;
    int64_t at = 0;

    options.compute.batch = queue->count;
    if (!queue->plan)
        ZF_CHECK(zf_plan_create(answers->net, &options, &queue->plan, err));
    inputs.n = outputs.n = queue->count;
    zf_plan_forward(queue->plan, &inputs);
    status = zf_plan_check_finite(queue->plan, &inputs, &at, &reason);
    if (status != ZF_OK)
        return zf_fail(err, status, "%s: %s", queue->rows[at].path, reason.message);
    ZF_CHECK(zf_plan_answer(queue->plan, &outputs, err));
    for (int64_t i = 0; i < queue->count * classes; i++) {
        if (!isfinite(outputs.data[i]))
            return zf_fail(err, ZF_EINPUT,
                           "%s: what it answers to %s is not finite (NaN or infinite)",
                           zf_net_name(answers->net), queue->rows[i / classes].path);
    }
    for (int64_t i = 0; i < queue->count; i++)
        print_predictions(answers, queue->rows[i].path, queue->rows[i].sample,
                          outputs.data + i * classes);
    queue->count = 0;
    return ZF_OK;
}

/* Of several pictures one that cannot be read is named, and the others are answered. */
static enum zf_status leave_out(struct call *call, struct answers *answers, const char *path,
                                const struct zf_error *reason)
{
    const bool bad = reason->status == ZF_EINPUT || reason->status == ZF_EUNSUPPORTED;
    cJSON *item;

    if (!bad || call->args->word_count == 2)
        return reason->status;
    answers->bad++;
    progress_say(call->progress, "left out: %s", reason->message);
    if (answers->left_out) {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "path", pipes_name(call, path));
        cJSON_AddStringToObject(item, "reason", reason->message);
        cJSON_AddItemToArray(answers->left_out, item);
    }
    return ZF_OK;
}

static enum zf_status classify_file(struct call *call, struct answers *answers, struct queue *queue,
                                    const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_tensor loaded = {0};
    int64_t each;

    status = zf_input_load(path, answers->net, &loaded, NULL, err);
    if (status != ZF_OK)
        return leave_out(call, answers, path, err);
    each = loaded.c * loaded.h * loaded.w;
    for (int64_t i = 0; i < loaded.n; i++) {
        memcpy(queue->inputs.data + queue->count * each, loaded.data + i * each,
               (size_t)each * sizeof *loaded.data);
        queue->rows[queue->count].path = pipes_name(call, path);
        queue->rows[queue->count].sample = loaded.n > 1 ? i : -1;
        if (++queue->count == CLASSIFY_BATCH)
            ZF_TRY(classify_queue(call, answers, queue, err));
    }
fail:
    zf_tensor_release(&loaded);
    return status;
}

static enum zf_status run_classify(struct call *call, struct zf_error *err)
{
    const struct args *args = call->args;
    enum zf_status status;
    struct zf_net *net = NULL;
    struct zf_shape shape;
    struct queue queue = {0};
    struct answers answers = {.out = call->out};
    cJSON *json = NULL;

    ZF_TRY(model_open(call, args->words[0], &net, err));
    ZF_TRY(zf_net_check_answers(net, err));
    answers.net = net;
    shape = zf_net_input(net);
    ZF_TRY(zf_tensor_init(&queue.inputs, CLASSIFY_BATCH, shape.c, shape.h, shape.w, err));
    ZF_TRY(zf_tensor_init(&queue.outputs, CLASSIFY_BATCH, zf_net_class_count(net), 1, 1, err));
    if (call->common.json) {
        json = cJSON_CreateObject();
        answers.images = cJSON_AddArrayToObject(json, "images");
        answers.left_out = cJSON_AddArrayToObject(json, "left_out");
    }
    for (size_t i = 1; i < args->word_count; i++) {
        ZF_TRY(classify_file(call, &answers, &queue, args->words[i], err));
        if (!progress_show(call->progress, "classify", (int64_t)i, (int64_t)args->word_count - 1,
                           "", -1))
            ZF_LEAVE(zf_fail(err, ZF_ECANCELED, "stopped on request"));
    }
    if (queue.count > 0)
        ZF_TRY(classify_queue(call, &answers, &queue, err));
    if (json) {
        status = output_json(call->out, json, err);
        json = NULL;
    }
    if (status == ZF_OK && answers.bad > 0) {
        call->result_stands = true;
        status = zf_fail(err, ZF_EINPUT, "%" PRId64 " of %zu pictures cannot be read", answers.bad,
                         args->word_count - 1);
    }
fail:
    cJSON_Delete(json);
    zf_plan_free(&queue.plan);
    zf_tensor_release(&queue.inputs);
    zf_tensor_release(&queue.outputs);
    zf_net_free(&net);
    return status;
}

const struct command classify_command = {
    .name = "classify",
    .arguments = "MODEL IMAGE...",
    .summary = "the five most probable classes of each image; yes or no; or the numbers",
    .details =
        "Of several pictures those that cannot be read are named and left out; the exit code "
        "says that there were some. An IMAGE of - is a picture, or .npy, from stdin.",
    .output = OUTPUT_TEXT,
    .least = 2,
    .most = SIZE_MAX,
    .imports = true,
    .prepares = true,
    .reads_stdin = true,
    .run = run_classify,
};
