/* SPDX-License-Identifier: MIT */
/* The recipe as options. Defaults are the paper's (section 3) where it states one. */
#include "zf/net.h"

#include "base/status.h"

static const char *const init_names[] = {"normal", "he", NULL};

/* Weight decay, patience and the factor of the rate are not in the paper: 5e-4 is Krizhevsky et
   al.'s, who also divide the rate by 10. */
static const struct zf_option recipe_options[] = {
    ZF_OPTION_ROW_INT(zf_recipe, batch, "IMAGES", "images a training step", 128, 1, 65536),
    ZF_OPTION_ROW_INT(zf_recipe, epochs, "N",
                      "passes over the training data; 0 writes the untrained net", 70, 0, 1000000),
    ZF_OPTION_ROW_REAL(zf_recipe, lr, "RATE", "learning rate at the start", 1e-2, 0, 1e30),
    ZF_OPTION_ROW_REAL(zf_recipe, momentum, "FACTOR",
                       "share of the last step that the next one keeps", 0.9, 0, 1),
    ZF_OPTION_ROW_REAL(zf_recipe, weight_decay, "FACTOR",
                       "pull of the weights towards zero; biases are left alone", 5e-4, 0, 1),
    ZF_OPTION_ROW_REAL(zf_recipe, rms_limit, "RMS",
                       "convolution filters of a larger RMS are scaled back to it; 0 = off", 1e-1,
                       0, 1e30),
    ZF_OPTION_ROW_CHOICE(zf_recipe, init, "KIND",
                         "first weights: normal of deviation init-std, or He et al.'s by fan-in",
                         ZF_INIT_NORMAL, init_names),
    ZF_OPTION_ROW_REAL(zf_recipe, init_std, "STD", "deviation of the first weights", 1e-2, 0, 1e3),
    ZF_OPTION_ROW_INT(zf_recipe, patience, "EPOCHS",
                      "epochs without a lower validation error before the rate falls", 5, 1,
                      1000000),
    ZF_OPTION_ROW_REAL(zf_recipe, lr_drop, "FACTOR", "factor by which the rate falls", 0.1, 1e-6,
                       1),
    ZF_OPTION_ROW_INT(zf_recipe, drops, "N",
                      "end training at the plateau after this many falls of the rate; 0 = never", 0,
                      0, 1000),
    ZF_OPTION_ROW_REAL(zf_recipe, min_scale, "SHARE",
                       "smallest random crop as a share of the picture; 1 = plain crops", 1, 0.05,
                       1),
    ZF_OPTION_ROW_REAL(zf_recipe, warmup, "EPOCHS",
                       "the rate rises over these first epochs; 0 = from the start as it is", 0, 0,
                       1e6),
    ZF_OPTION_ROW_INT(zf_recipe, lr_batch, "IMAGES",
                      "the batch that --lr is for: the rate is lr x batch / N; 0 = for any", 0, 0,
                      65536),
};

const struct zf_option *zf_recipe_options(size_t *count)
{
    *count = ZF_COUNT(recipe_options);
    return recipe_options;
}
