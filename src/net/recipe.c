/* SPDX-License-Identifier: MIT */
/* The recipe as options. Defaults are the paper's (section 3) where it states one. */
#include "zf/net.h"

#include "base/status.h"

static const char *const init_names[] = {"normal", "he", NULL};

#define FIELD(field) offsetof(struct zf_recipe, field)

/* Weight decay, patience and the factor of the rate are not in the paper: 5e-4 is Krizhevsky et
   al.'s, who also divide the rate by 10. */
static const struct zf_option recipe_options[] = {
    {"batch", "IMAGES", "images a training step", ZF_OPTION_INT, FIELD(batch), 128, 1, 65536, NULL},
    {"epochs", "N", "passes over the training data; 0 writes the untrained net", ZF_OPTION_INT,
     FIELD(epochs), 70, 0, 1000000, NULL},
    {"lr", "RATE", "learning rate at the start", ZF_OPTION_REAL, FIELD(lr), 1e-2, 0, 1e30, NULL},
    {"momentum", "FACTOR", "share of the last step that the next one keeps", ZF_OPTION_REAL,
     FIELD(momentum), 0.9, 0, 1, NULL},
    {"weight_decay", "FACTOR", "pull of the weights towards zero; biases are left alone",
     ZF_OPTION_REAL, FIELD(weight_decay), 5e-4, 0, 1, NULL},
    {"rms_limit", "RMS", "convolution filters of a larger RMS are scaled back to it; 0 = off",
     ZF_OPTION_REAL, FIELD(rms_limit), 1e-1, 0, 1e30, NULL},
    {"init", "KIND", "first weights: normal of deviation init-std, or He et al.'s by fan-in",
     ZF_OPTION_CHOICE, FIELD(init), ZF_INIT_NORMAL, 0, 1, init_names},
    {"init_std", "STD", "deviation of the first weights", ZF_OPTION_REAL, FIELD(init_std), 1e-2, 0,
     1e3, NULL},
    {"patience", "EPOCHS", "epochs without a lower validation error before the rate falls",
     ZF_OPTION_INT, FIELD(patience), 5, 1, 1000000, NULL},
    {"lr_drop", "FACTOR", "factor by which the rate falls", ZF_OPTION_REAL, FIELD(lr_drop), 0.1,
     1e-6, 1, NULL},
    {"drops", "N", "end training at the plateau after this many falls of the rate; 0 = never",
     ZF_OPTION_INT, FIELD(drops), 0, 0, 1000, NULL},
    {"min_scale", "SHARE", "smallest random crop as a share of the picture; 1 = plain crops",
     ZF_OPTION_REAL, FIELD(min_scale), 1, 0.05, 1, NULL},
};

const struct zf_option *zf_recipe_options(size_t *count)
{
    *count = ZF_COUNT(recipe_options);
    return recipe_options;
}
