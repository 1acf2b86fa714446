/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "preparation.h"
#include "recipes.h"
#include "zf/data.h"
#include "zf/evaluation.h"
#include "zf/train.h"

struct eval_options {
    const char *data;
    int views;
    int64_t batch, explain;
    bool strict, single_file;
};

static const char *const view_choices[] = {"1", "10", NULL};

static const struct zf_option eval_table[] = {
    ZF_OPTION_ROW_TEXT(eval_options, data, "DATA", "labelled pictures"),
    ZF_OPTION_ROW_CHOICE(eval_options, views, "N",
                         "crops a picture: the centre, or the paper's ten averaged", 0,
                         view_choices),
    ZF_OPTION_ROW_INT(eval_options, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_INT(eval_options, explain, "N",
                      "most confident mistakes of -o DIR that get an occlusion map", 4, 0,
                      ZF_TALLY_CASES),
    ZF_OPTION_ROW_FLAG(eval_options, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
    ZF_OPTION_ROW_FLAG(eval_options, single_file,
                       "all pictures in the page of -o DIR; else more than 4 MiB of them lie in "
                       "DIR/pictures"),
};

/* What eval found out, for printing. */
struct evaluation {
    const char *const *paths;
    size_t count;
    struct zf_eval_result *results, ensemble;
    int64_t images;
    const char *views;
    struct recipes *recipes; /* [count], or NULL */
    const struct zf_net *net;
    const struct zf_data *data;
    struct zf_tally *tally; /* of the model, or of all together */
};

#define SAID 3    /* of each kind, on a line */
#define LISTED 10 /* in JSON */

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

/* Three lines: which classes, which for which, which picture. */
static void print_mistakes(FILE *out, const struct evaluation *found)
{
    const struct zf_tally *tally = found->tally;
    const struct zf_net *net = found->net;
    const struct zf_case *surest = tally->mistakes;
    int32_t worst[SAID];
    const size_t count = zf_tally_worst(tally, worst, SAID);

    if (tally->mistake_count == 0)
        return;
    fputs("most errors in:  ", out);
    for (size_t i = 0; i < count; i++) {
        const struct zf_class_count *class = &tally->by_class[worst[i]];

        fprintf(out, "%s%s, %" PRId64 " of %" PRId64, i ? "; " : "", zf_net_label(net, worst[i]),
                class->pictures - class->right, class->pictures);
    }
    fputs("\nmost confused:   ", out);
    for (size_t i = 0; i < tally->confusion_count && i < SAID; i++) {
        const struct zf_confusion *pair = &tally->confusions[i];

        fprintf(out, "%s%s taken for %s, %" PRId64, i ? "; " : "", zf_net_label(net, pair->label),
                zf_net_label(net, pair->predicted), pair->pictures);
    }
    fprintf(out, "\nsurest mistake:  %s is %s, taken for %s with %.4f\n",
            zf_data_path(found->data, surest->sample), zf_net_label(net, surest->label),
            zf_net_label(net, surest->predicted), (double)surest->confidence);
}

static void add_mistakes(cJSON *json, const struct evaluation *found)
{
    const struct zf_tally *tally = found->tally;
    const struct zf_net *net = found->net;
    cJSON *classes = cJSON_AddArrayToObject(json, "worst_classes"), *item;
    cJSON *confusions = cJSON_AddArrayToObject(json, "confusions");
    int32_t worst[LISTED];
    const size_t count = zf_tally_worst(tally, worst, LISTED);

    for (size_t i = 0; i < count; i++) {
        const struct zf_class_count *class = &tally->by_class[worst[i]];

        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "label", zf_net_label(net, worst[i]));
        cJSON_AddNumberToObject(item, "pictures", (double)class->pictures);
        cJSON_AddNumberToObject(item, "wrong", (double)(class->pictures - class->right));
        cJSON_AddItemToArray(classes, item);
    }
    for (size_t i = 0; i < tally->confusion_count && i < LISTED; i++) {
        const struct zf_confusion *pair = &tally->confusions[i];

        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "label", zf_net_label(net, pair->label));
        cJSON_AddStringToObject(item, "predicted", zf_net_label(net, pair->predicted));
        cJSON_AddNumberToObject(item, "pictures", (double)pair->pictures);
        cJSON_AddItemToArray(confusions, item);
    }
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
        print_mistakes(call->out, found);
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
    add_mistakes(json, found);
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

/* DIR/pictures.csv grows while the data are gone over. */
static enum zf_status begin_tally(const struct call *call, struct evaluation *found,
                                  struct zf_error *err)
{
    const size_t model = found->count > 1 ? found->count : 0;

    ZF_CHECK(zf_tally_create(zf_net_class_count(found->net), model, &found->tally, err));
    if (call->output == OUTPUT_DIRECTORY)
        zf_tally_write_pictures(found->tally, found->net, found->data, call->common.out);
    return ZF_OK;
}

static enum zf_status write_page(const struct call *call, struct zf_net *const *nets,
                                 const struct evaluation *found, const struct eval_options *given,
                                 struct zf_error *err)
{
    struct zf_document *document = NULL;
    char *json = NULL;
    enum zf_status status;

    ZF_TRY(zf_evaluation_write(
        &(struct zf_evaluation){.nets = (const struct zf_net *const *)nets,
                                .paths = found->paths,
                                .net_count = found->count,
                                .results = found->results,
                                .ensemble = found->count > 1 ? &found->ensemble : NULL,
                                .tally = found->tally,
                                .data = found->data,
                                .images = found->images,
                                .views = given->views == 1 ? 10 : 1,
                                .explained = given->explain,
                                .compute = zf_compute_alone(call->compute),
                                .directory = call->common.out,
                                .single_file = given->single_file,
                                .command = call->line,
                                .monitor = call->monitor},
        &document, err));
    if (call->common.json) {
        ZF_TRY(zf_document_json(document, &json, err));
        fprintf(call->out, "%s\n", json);
    }
    progress_say(call->progress,
                 "wrote %s/index.html, eval.json, classes.csv, confusion.csv and "
                 "pictures.csv",
                 call->common.out);
fail:
    zf_free(json);
    zf_document_free(&document);
    return status;
}

static enum zf_status open_all(struct call *call, struct eval_options *given, struct zf_net **nets,
                               struct zf_data **data, struct zf_error *err)
{
    const struct option_table table = {eval_table, ZF_COUNT(eval_table)};

    ZF_CHECK(args_read(call->args, table, given, err));
    ZF_CHECK(need(call, given->data, "--data DATA", err));
    for (size_t i = 0; i < call->args->word_count; i++)
        ZF_CHECK(model_open(call, call->args->words[i], &nets[i], err));
    return zf_data_open_noting(given->data, call->monitor, data, err);
}

static enum zf_status run_eval(struct call *call, struct zf_error *err)
{
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
    ZF_TRY(zf_ranks_agree(call->ranks, open_all(call, &given, nets, &data, err), err));
    options.compute = call->compute;
    options.compute.batch = given.batch;
    options.ten_views = given.views == 1;
    options.strict = given.strict;
    found.views = view_choices[given.views];
    found.net = nets[0];
    found.data = data;
    if (preparation_is_auto(call))
        ZF_TRY(find_recipes(call, nets, data, &options, &found, err));
    ZF_TRY(begin_tally(call, &found, err));
    options.answer = zf_tally_answer;
    options.user = found.tally;
    ZF_TRY(zf_eval_run((const struct zf_net *const *)nets, count, data, &options, found.results,
                       &found.ensemble, &found.images, call->monitor, err));
    ZF_TRY(zf_tally_finish(found.tally, err));
    if (zf_ranks_rank(call->ranks) > 0) /* the first has what the others have found */
        goto fail;
    if (call->output == OUTPUT_DIRECTORY)
        ZF_TRY(write_page(call, nets, &found, &given, err));
    if (call->output != OUTPUT_DIRECTORY || !call->common.json)
        ZF_TRY(print_evaluation(call, &found, err));
fail:
    for (size_t i = 0; nets && i < count; i++)
        zf_net_free(&nets[i]);
    free(nets);
    free(found.results);
    free(found.recipes);
    zf_tally_free(&found.tally);
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
        "names the best and goes on with it.\n-o DIR writes DIR/index.html: errors by class, the "
        "confusion matrix, the most confident mistakes and the least confident right answers as "
        "pictures, and whether the probabilities mean what they say; as data beside it eval.json, "
        "classes.csv, confusion.csv and pictures.csv, a line for each picture. Of several models "
        "it is about all of them together. -o FILE.json (or another ending) writes the result "
        "alone.",
    .output = OUTPUT_EITHER,
    .least = 1,
    .most = SIZE_MAX,
    .options = eval_table,
    .option_count = ZF_COUNT(eval_table),
    .shares = true,
    .imports = true,
    .prepares = true,
    .run = run_eval,
};
