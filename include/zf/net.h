/* SPDX-License-Identifier: MIT */
/**
 * A network: what it is. Layers, shapes, parameters, labels and how a picture is prepared for it.
 *
 * A net is read-only once built and may be shared by threads without locks; how it runs is a
 * `struct zf_plan` (zf/plan.h). Source of the built-in nets: Zeiler & Fergus 2013, figure 3 and
 * table 3.
 */
#ifndef ZF_NET_H
#define ZF_NET_H

#include "zf/base.h"
#include "zf/option.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zf_net;

/* Channels, height, width of one image's worth of a layer's output. */
struct zf_shape {
    int64_t c, h, w;
};

/**
 * The input pixels that a cell of a layer's output depends on: cell (y, x) sees rows
 * [y * stride_y + start_y, y * stride_y + start_y + height) and the like in x, unclipped: with
 * padding the window may begin before the picture. `global`: every cell sees the whole input.
 */
struct zf_receptive_field {
    int64_t height, width;
    int64_t stride_y, stride_x;
    int64_t start_y, start_x;
    bool global;
};

/* A window of pixels, clipped to the net's input. */
struct zf_box {
    int64_t x, y, width, height;
};

/* What can be asked about a layer; strings are lent and live as long as the net. */
struct zf_layer_info {
    const char *name; /* "conv1" */
    const char *type; /* "conv" */
    struct zf_shape shape;
    int64_t parameters;
    struct zf_receptive_field field;
    bool frozen; /* training leaves its parameters alone: the spec's "frozen = yes" */
};

/* One parameter tensor. `data` is plain: OIHW for a convolution, OI for a fully connected layer. */
struct zf_parameter {
    const char *name; /* "conv1.weight"; lent, lives as long as the net */
    int rank;
    int64_t dims[4];
    int64_t count;
    const float *data;
};

enum zf_resize {
    ZF_RESIZE_SHORT, /* shorter side to `size`, then the centre `size` x `size` square */
    ZF_RESIZE_WARP,  /* both sides to `size`, or to `size` x `width`, changing the aspect */
    ZF_RESIZE_FIT,   /* as short; but a picture that has the input's size already is left as it is,
                        in the middle of the square, whose border goes on with its outermost pixels */
};

enum zf_channels { ZF_CHANNELS_RGB, ZF_CHANNELS_BGR };

/**
 * How a picture becomes input: resize to a `size` x `size` square of values 0..255 (a warp may go
 * to `size` x `width` for a net whose input is no square), take a crop of the net's input size,
 * subtract the mean, multiply by `scale`. The paper: short side to 256, crop 224, per-pixel mean of
 * the training set, scale 1.
 */
struct zf_preparation {
    enum zf_resize resize;
    int64_t size;  /* px, >= the crop's longer side; of a warp that is no square, its height */
    int64_t width; /* 0 = a square; otherwise that of a warp, >= the crop's, without mean_image */
    enum zf_channels channels;
    float mean[3];           /* 0..255, in the order of `channels`; used when mean_image is NULL */
    float scale[3];          /* multiplies (value - mean) */
    const float *mean_image; /* NULL or the per-pixel mean, lent: [3, size, size], 0..255,
                                always red, green, blue, as zf_data_mean() gives it */
};

/**
 * What the numbers that a net ends in mean. It is said by the model's file, by the user, or else
 * by the last layers; no layer is added for it.
 */
enum zf_answer {
    ZF_ANSWER_NUMBERS, /* plain numbers (an age, places, an embedding), or maps */
    ZF_ANSWER_SOFTMAX, /* classes that share one probability */
    ZF_ANSWER_SIGMOID, /* one output: no or yes, two classes; several: each is a yes or no */
};

/**
 * Build a net from a spec: `name` is the path of an INI file, or the name of a built-in net
 * ("zfnet", see zf_net_builtin_name()). A name with a '/' or a '.' is always a path.
 *
 * classes  > 0 replaces the spec's number of classes; 0 keeps it
 * out      handed over; free with zf_net_free(). Parameters are zero.
 *
 * Returns ZF_EINPUT with the file, line, what was read and what would fit; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_load_spec(const char *name, int64_t classes, struct zf_net **out,
                                       struct zf_error *err);

/** The same from text in memory; `origin` stands for the file's name in error sentences. */
ZF_API enum zf_status zf_net_parse_spec(const char *text, const char *origin, int64_t classes,
                                        struct zf_net **out, struct zf_error *err);

/** Name of the i-th built-in net, NULL past the last. */
ZF_API const char *zf_net_builtin_name(size_t i);

/** Free a net; accepts NULL and *net == NULL, leaves NULL. */
ZF_API void zf_net_free(struct zf_net **net);

ZF_API const char *zf_net_name(const struct zf_net *net);

/** The spec the net was built from, with the number of classes it has now; lent. */
ZF_API const char *zf_net_spec(const struct zf_net *net);

/** "base.onnx, crc32c 0123abcd": the model that its training went on from; NULL = none. Lent. */
ZF_API const char *zf_net_from(const struct zf_net *net);
ZF_API struct zf_shape zf_net_input(const struct zf_net *net);

/** Classes that the net tells apart: 2 of a yes or no; of plain numbers how many there are. */
ZF_API int64_t zf_net_class_count(const struct zf_net *net);

/** Values, or maps, that the last layer has. */
ZF_API int64_t zf_net_output_count(const struct zf_net *net);

/** What they mean; and what one of the answers is: "probability", or "value" of plain numbers. */
ZF_API enum zf_answer zf_net_answer(const struct zf_net *net);
ZF_API const char *zf_net_answer_word(const struct zf_net *net);

/**
 * Say what a net's outputs mean, while it is not shared. Where the number of classes changes, its
 * labels are gone. ZF_EINPUT for what its last layers cannot mean: classes of one output, a yes or
 * no of a softmax's outputs, classes of a sigmoid's; ZF_EUNSUPPORTED of maps; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_set_answer(struct zf_net *net, enum zf_answer answer,
                                        struct zf_error *err);

/** Whether the net ends in one value a class, not in maps, which name no class: ZF_EUNSUPPORTED. */
ZF_API enum zf_status zf_net_check_answers(const struct zf_net *net, struct zf_error *err);

/**
 * Are all parameters finite? ZF_EINPUT with the first tensor that has NaN or infinity, how many,
 * and how many other tensors have some: a rectifier may make a confident answer of a NaN. Goes
 * through all parameters.
 */
ZF_API enum zf_status zf_net_check_finite(const struct zf_net *net, struct zf_error *err);

/** Layers in order of evaluation: 0 <= i < zf_net_layer_count(). */
ZF_API int zf_net_layer_count(const struct zf_net *net);
ZF_API struct zf_layer_info zf_net_layer(const struct zf_net *net, int i);

/** How many layers feed layer i, and the index of the k-th of them, -1 for the net's input. */
ZF_API int zf_net_layer_input_count(const struct zf_net *net, int i);
ZF_API int zf_net_layer_input(const struct zf_net *net, int i, int k);

/**
 * Index of a layer by its name, another name that its model gave it (of an ONNX file: the tensor's,
 * those of nodes that were folded into it), a unique prefix of its name, or its index in decimal.
 * Returns ZF_EINPUT with the known names otherwise.
 */
ZF_API enum zf_status zf_net_find_layer(const struct zf_net *net, const char *name, int *out,
                                        struct zf_error *err);

/** A comma list of them; *layers is handed over, free with zf_free(). NULL when `names` names none.
 */
ZF_API enum zf_status zf_net_find_layers(const struct zf_net *net, const char *names, int **layers,
                                         size_t *count, struct zf_error *err);

/**
 * A class by its label, in any case where only one is so called, or by one of the names that its
 * label lists ("Tinca tinca" of "tench, Tinca tinca"); or else by its index. ZF_EINPUT otherwise,
 * with the closest label, and where several can be meant, with their indices and labels.
 */
ZF_API enum zf_status zf_net_find_class(const struct zf_net *net, const char *name, int64_t *out,
                                        struct zf_error *err);

/** The last layer whose maps are the classes or numbers: that below a softmax or sigmoid. */
ZF_API int zf_net_class_layer(const struct zf_net *net);

/**
 * A map by its number, or of a layer from zf_net_class_layer() on by its class. ZF_EINVAL for a
 * number out of range, ZF_EINPUT for no such class, and for a name where maps are no classes.
 */
ZF_API enum zf_status zf_net_find_map(const struct zf_net *net, int layer, const char *name,
                                      int64_t *map, struct zf_error *err);

/**
 * The pixels of the net's input that cell (y, x) of layer i sees, clipped to the input: the patch
 * that is shown beside a projection. (Paper: figure 2.)
 */
ZF_API struct zf_box zf_net_patch(const struct zf_net *net, int i, int64_t y, int64_t x);

/** Parameter tensors in order: 0 <= i < zf_net_parameter_tensors(). */
ZF_API int zf_net_parameter_tensors(const struct zf_net *net);
ZF_API struct zf_parameter zf_net_parameter(const struct zf_net *net, int i);

/** Number of parameters: weights and biases together. */
ZF_API int64_t zf_net_parameter_count(const struct zf_net *net);

/**
 * Multiply-adds of one forward run of one image: of layer i, or of the whole net with i = -1.
 * Convolutions and fully connected layers count; the rest is small beside them.
 */
ZF_API int64_t zf_net_macs(const struct zf_net *net, int i);

/** Label of class k, or its number in decimal when the net has no labels. Lent. */
ZF_API const char *zf_net_label(const struct zf_net *net, int64_t k);
ZF_API bool zf_net_has_labels(const struct zf_net *net);

/** Set all labels; `labels` holds zf_net_class_count() strings and is copied. ZF_ENOMEM. */
ZF_API enum zf_status zf_net_set_labels(struct zf_net *net, const char *const *labels,
                                        struct zf_error *err);

ZF_API const struct zf_preparation *zf_net_preparation(const struct zf_net *net);

/**
 * Replace the preparation; mean_image, where set, is copied. ZF_EINVAL when the resized picture is
 * smaller than the crop, or a width is given where none can be; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_set_preparation(struct zf_net *net,
                                             const struct zf_preparation *preparation,
                                             struct zf_error *err);

/* How a net is trained when the user does not say otherwise: the spec's [train] section. */
enum zf_init_kind { ZF_INIT_NORMAL, ZF_INIT_HE };

struct zf_recipe {
    int64_t batch; /* images a step */
    int64_t epochs;
    double lr, momentum; /* step = momentum * step - lr * gradient */
    double weight_decay; /* on weights, none on biases */
    double rms_limit;    /* RMS above which a convolution filter is scaled back; 0 = off */
    int init;            /* enum zf_init_kind */
    double init_std;     /* of ZF_INIT_NORMAL */
    int64_t patience;    /* epochs without a lower validation error before the rate falls */
    double lr_drop;      /* factor by which it falls */
    int64_t drops;       /* training ends after this many falls plus one more plateau; 0 = never */
    double min_scale;    /* see zf_loader_options; 1 = the paper's plain crops */
    double warmup;    /* epochs over which the rate rises to what it is, step by step; 0 = none */
    int64_t lr_batch; /* the batch that lr is for: with another one the rate is lr * batch /
                         lr_batch (Goyal et al. 2017); 0 = lr is for any */
};

ZF_API const struct zf_recipe *zf_net_recipe(const struct zf_net *net);

/** The fields of struct zf_recipe as options: for the command line, and for a spec's [train]. */
ZF_API const struct zf_option *zf_recipe_options(size_t *count);

/**
 * Draw the weights: normal of deviation init_std, or He et al.'s sqrt(2 / fan in), divided in the
 * first layer by the inputs' deviation and init_std in the last one; biases 0.
 * Equal seeds give equal weights. (Paper: section 3.)
 */
ZF_API void zf_net_init_parameters(struct zf_net *net, enum zf_init_kind kind, double init_std,
                                   uint64_t seed);

/** The same of the parameters of one layer. */
ZF_API void zf_net_init_layer(struct zf_net *net, int layer, enum zf_init_kind kind,
                              double init_std, uint64_t seed);

/* How a training goes on from a trained net. */
struct zf_continuation {
    int64_t classes; /* of the new last layer; 0 = the net's own stays */
    bool on_top;     /* the new layer goes on top of all others, instead of the last one with
                        weights; needs classes */
    bool normalised; /* with on_top: what reaches the new layer is divided by the root of the mean
                        of its squares */
    const bool *frozen; /* NULL = none, or [layers of `from`]: which training leaves alone; lent */
    const char *origin; /* name of the model, for the record; lent */
};

/**
 * A net to train on from: the layers of `from` with their parameters and preparation, and a softmax
 * at the end, also where `from` leaves it to the reader of its outputs. Its spec records the origin
 * with a CRC-32C of the parameters ([net] from) and which layers are frozen, so that a model says
 * where it comes from, and a resumed run is held to the same.
 *
 * from   built, its parameters set; lent, unchanged
 * out    handed over; free with zf_net_free(). Labels are those of `from` where its last layer
 *        stays, else none
 * fresh  the new layer's index, its parameters zero (see zf_net_init_layer()); -1 = none. Layers
 *        below it keep their indices.
 *
 * Returns ZF_EUNSUPPORTED when the last layer cannot be replaced, or the net ends in maps;
 * ZF_ENOMEM.
 */
ZF_API enum zf_status zf_net_continue(const struct zf_net *from, const struct zf_continuation *how,
                                      struct zf_net **out, int *fresh, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
