/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "preparation.h"
#include "recipes.h"
#include "zf/data.h"
#include "zf/image.h"
#include "zf/plan.h"
#include "zf/train.h"

/* ---- eval ---- */

struct eval_options {
    const char *data;
    int views;
    int64_t batch;
    bool strict;
};

static const char *const view_choices[] = {"1", "10", NULL};

static const struct zf_option eval_table[] = {
    ZF_OPTION_ROW_TEXT(eval_options, data, "DATA", "labelled pictures"),
    ZF_OPTION_ROW_CHOICE(eval_options, views, "N",
                         "crops a picture: the centre, or the paper's ten averaged", 0,
                         view_choices),
    ZF_OPTION_ROW_INT(eval_options, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_FLAG(eval_options, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
};

/* What eval found out, for printing. */
struct evaluation {
    const char *const *paths;
    size_t count;
    struct zf_eval_result *results, ensemble;
    int64_t images;
    const char *views;
    struct recipes *recipes; /* [count], or NULL */
};

/* And which --prepare and --resize to give from now on. */
static void print_recipes(FILE *out, const char *path, const struct recipes *recipes)
{
    const struct recipe_trial *best = &recipes->trials[recipes->best];

    fprintf(out, "%-12s%-12s%-14sresize\n", "top-1 error", "top-5 error", "prepare");
    for (int i = 0; i < recipes->count; i++)
        fprintf(out, "%-12.4f%-12.4f%-14s%s\n", recipes->trials[i].result.top1_error,
                recipes->trials[i].result.top5_error, recipes->trials[i].prepare,
                recipes->trials[i].resize);
    fprintf(out, "%s on %" PRId64 " pictures: best by --prepare %s --resize %s\n\n", path,
            recipes->images, best->prepare, best->resize);
}

static void add_recipes(cJSON *model, const struct recipes *recipes)
{
    cJSON *list = cJSON_AddArrayToObject(model, "recipes");

    for (int i = 0; i < recipes->count; i++) {
        cJSON *recipe = cJSON_CreateObject();

        cJSON_AddStringToObject(recipe, "prepare", recipes->trials[i].prepare);
        cJSON_AddStringToObject(recipe, "resize", recipes->trials[i].resize);
        cJSON_AddNumberToObject(recipe, "top1_error", recipes->trials[i].result.top1_error);
        cJSON_AddNumberToObject(recipe, "top5_error", recipes->trials[i].result.top5_error);
        cJSON_AddItemToArray(list, recipe);
    }
    cJSON_AddNumberToObject(model, "best", recipes->best);
}

static enum zf_status print_evaluation(const struct call *call, const struct evaluation *found,
                                       struct zf_error *err)
{
    cJSON *json, *models, *ensemble = NULL;

    if (!call->common.json) {
        fprintf(call->out, "%-12s%-12s%s\n", "top-1 error", "top-5 error", "model");
        for (size_t i = 0; i < found->count; i++)
            fprintf(call->out, "%-12.4f%-12.4f%s\n", found->results[i].top1_error,
                    found->results[i].top5_error, found->paths[i]);
        if (found->count > 1)
            fprintf(call->out, "%-12.4f%-12.4fall %zu together\n", found->ensemble.top1_error,
                    found->ensemble.top5_error, found->count);
        fprintf(call->out, "%" PRId64 " pictures, %s view%s each\n", found->images, found->views,
                strcmp(found->views, "1") == 0 ? "" : "s");
        return ZF_OK;
    }
    json = cJSON_CreateObject();
    models = cJSON_AddArrayToObject(json, "models");
    for (size_t i = 0; i < found->count; i++) {
        cJSON *model = cJSON_CreateObject();

        cJSON_AddStringToObject(model, "path", found->paths[i]);
        cJSON_AddNumberToObject(model, "top1_error", found->results[i].top1_error);
        cJSON_AddNumberToObject(model, "top5_error", found->results[i].top5_error);
        if (found->recipes)
            add_recipes(model, &found->recipes[i]);
        cJSON_AddItemToArray(models, model);
    }
    if (found->count > 1) {
        ensemble = cJSON_AddObjectToObject(json, "ensemble");
        cJSON_AddNumberToObject(ensemble, "top1_error", found->ensemble.top1_error);
        cJSON_AddNumberToObject(ensemble, "top5_error", found->ensemble.top5_error);
    } else {
        cJSON_AddNullToObject(json, "ensemble");
    }
    cJSON_AddNumberToObject(json, "images", (double)found->images);
    cJSON_AddNumberToObject(json, "views", strtod(found->views, NULL));
    return output_json(call->out, json, err);
}

/* --prepare auto: each model by itself. */
static enum zf_status find_recipes(const struct call *call, struct zf_net **nets,
                                   const struct zf_data *data,
                                   const struct zf_eval_options *options, struct evaluation *found,
                                   struct zf_error *err)
{
    found->recipes = calloc(found->count, sizeof *found->recipes);
    if (!found->recipes)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (size_t i = 0; i < found->count; i++) {
        ZF_CHECK(recipes_try(call, nets[i], data, options, &found->recipes[i], err));
        if (!call->common.json)
            print_recipes(call->out, found->paths[i], &found->recipes[i]);
    }
    return ZF_OK;
}

static enum zf_status run_eval(struct call *call, struct zf_error *err)
{
    const struct option_table table = {eval_table, ZF_COUNT(eval_table)};
    const size_t count = call->args->word_count;
    enum zf_status status;
    struct eval_options given;
    struct zf_eval_options options = {0};
    struct evaluation found = {.paths = call->args->words, .count = count};
    struct zf_data *data = NULL;
    struct zf_net **nets = calloc(count, sizeof *nets);

    found.results = calloc(count, sizeof *found.results);
    if (!nets || !found.results)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "out of memory"));
    ZF_TRY(args_read(call->args, table, &given, err));
    ZF_TRY(need(call, given.data, "--data DATA", err));
    for (size_t i = 0; i < count; i++)
        ZF_TRY(model_open(call, call->args->words[i], &nets[i], err));
    ZF_TRY(zf_data_open_noting(given.data, call->monitor, &data, err));
    options.compute = call->compute;
    options.compute.batch = given.batch;
    options.ten_views = given.views == 1;
    options.strict = given.strict;
    found.views = view_choices[given.views];
    if (preparation_is_auto(call))
        ZF_TRY(find_recipes(call, nets, data, &options, &found, err));
    ZF_TRY(zf_eval_run((const struct zf_net *const *)nets, count, data, &options, found.results,
                       &found.ensemble, &found.images, call->monitor, err));
    ZF_TRY(print_evaluation(call, &found, err));
fail:
    for (size_t i = 0; nets && i < count; i++)
        zf_net_free(&nets[i]);
    free(nets);
    free(found.results);
    free(found.recipes);
    zf_data_free(&data);
    return status;
}

const struct command eval_command = {
    .name = "eval",
    .arguments = "MODEL...",
    .summary = "top-1 and top-5 error on labelled pictures; of several models also together",
    .details =
        "Errors are fractions. With several models the probabilities are averaged as well "
        "(an ensemble). --prepare auto tries the usual recipes on up to 200 of the pictures, "
        "names the best and goes on with it.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = SIZE_MAX,
    .options = eval_table,
    .option_count = ZF_COUNT(eval_table),
    .imports = true,
    .prepares = true,
    .run = run_eval,
};

/* ---- classify ---- */

#define PREDICTIONS 5 /* classes shown an image */
#define SHOWN_NUMBERS 20
#define CLASSIFY_BATCH 16

struct prediction {
    int64_t index;
    float value; /* a probability, or of a net of plain numbers the number */
};

/* The most probable classes, best first; equal ones by index. Returns how many. */
static size_t best_classes(const float *probabilities, int64_t classes,
                           struct prediction best[PREDICTIONS])
{
    size_t count = 0;

    for (int64_t k = 0; k < classes; k++) {
        size_t at = count;

        while (at > 0 && probabilities[k] > best[at - 1].value)
            at--;
        if (at == PREDICTIONS)
            continue;
        count += count < PREDICTIONS;
        for (size_t j = count - 1; j > at; j--)
            best[j] = best[j - 1];
        best[at] = (struct prediction){k, probabilities[k]};
    }
    return count;
}

/* Where classify's answers go: an array of JSON, or lines of text. */
struct answers {
    const struct zf_net *net;
    FILE *out;
    cJSON *images, *left_out; /* NULL = text */
    int64_t bad;              /* pictures that were left out */
};

/* A line, or an object of `predictions`. */
static void print_answer(const struct answers *answers, struct prediction said, cJSON *predictions)
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
        print_answer(answers, (struct prediction){k, numbers[k]}, predictions);
    if (predictions)
        return;
    for (int64_t k = 0; k < count && k < SHOWN_NUMBERS; k++)
        print_answer(answers, (struct prediction){k, numbers[k]}, NULL);
    if (count > SHOWN_NUMBERS)
        fprintf(answers->out, "  and %" PRId64 " more numbers; --json prints all\n",
                count - SHOWN_NUMBERS);
}

static void print_predictions(struct answers *answers, const char *path, int64_t sample,
                              const float *values)
{
    const bool numbers = zf_net_answer(answers->net) == ZF_ANSWER_NUMBERS;
    struct prediction best[PREDICTIONS];
    const size_t count = numbers ? 0 : best_classes(values, zf_net_class_count(answers->net), best);
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
    const bool bad = reason->status == ZF_EINPUT || reason->status == ZF_EUNSUPPORTED ||
                     reason->status == ZF_EIO;
    cJSON *item;

    if (!bad || call->args->word_count == 2)
        return reason->status;
    answers->bad++;
    progress_say(call->progress, "left out: %s", reason->message);
    if (answers->left_out) {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "path", path);
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
        queue->rows[queue->count].path = path;
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
        "says that there were some.",
    .output = OUTPUT_TEXT,
    .least = 2,
    .most = SIZE_MAX,
    .imports = true,
    .prepares = true,
    .run = run_classify,
};
