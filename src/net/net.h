/* SPDX-License-Identifier: MIT */
/* The inside of a net: its layers, their types, its one array of parameters. */
#ifndef ZF_NET_NET_H
#define ZF_NET_NET_H

#include "base/file.h"
#include "engine/engine.h"
#include "zf/net.h"
#include "zf/option.h"
#include "zf/plan.h"

#define ZF_LAYER_INPUTS 64    /* most inputs of one layer */
#define ZF_LAYER_PARAMETERS 2 /* weight and bias */
#define ZF_NET_INPUT (-1)     /* stands for the net's input in zf_layer.inputs */

struct zf_emit;
struct zf_layer;

/* What `infer` finds out about a layer from its parameters and the shapes of its inputs. */
struct zf_inferred {
    struct zf_shape out;
    struct zf_window window; /* for receptive fields; kernel 1 stride 1 where cells map to cells */
    bool global;             /* every cell sees all of the input */
    bool uneven;             /* windows that overhang the map are not as if zeros were outside */
    bool transposed; /* the window is the source's: each of its cells reaches `kernel` of the
                        result, that of the next `stride` further, pads cut off */
    struct zf_dims weight, bias; /* rank 0 = none */
    int64_t fan_in;              /* inputs of one output value */
    double start;                /* first value of every weight; 0 = drawn at random */
};

/* What project() wants to know of the forward pass: src, dst and state. */
enum zf_looks_back {
    ZF_LOOKS_NEVER,
    ZF_LOOKS_BY_MASK, /* under the rules that mask by it: all but the deconvnet's */
    ZF_LOOKS_ALWAYS,
};

/* What limits how large a layer's values can be. */
struct zf_magnitudes {
    const double *in; /* [count]: no number of that input is larger */
    int count;
    double weight; /* largest sum, over the weights of a row, of magnitudes: a filter's, or one */
    double bias;   /* largest magnitude */
};

/**
 * A layer type: one file in layers/, with forward, backward and project side by side; each is a
 * few lines that emit engine operations. Only `infer` can fail.
 */
struct zf_layer_type {
    const char *name; /* "conv" */
    const char *help;
    size_t params_size;
    const struct zf_option *options; /* fields of the params struct */
    size_t option_count;

    bool branches; /* takes two inputs or more; else exactly one */

    /* in: shapes of the inputs, `count` of them. Errors name the numbers, not the layer. */
    enum zf_status (*infer)(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err);
    /* Reads e->src, sets e->dst (and e->state where the way down needs it). */
    void (*forward)(struct zf_emit *e);
    /* Reads e->diff_dst, writes the parameters' gradients, sets e->diff_src if e->want_diff_src.
       The way down may overwrite a signal, so what goes to several inputs is copied. */
    void (*backward)(struct zf_emit *e);
    enum zf_looks_back looks_back;
    /* Reads e->diff_dst as the signal, sets e->diff_src. */
    void (*project)(struct zf_emit *e);
    /* The same for a box of the input's map, where the forward pass went over the whole map: see
       zf_op_unpool_box. NULL where forward on the box comes first, if project looks back. */
    zf_value (*project_box)(struct zf_emit *e, const struct zf_cut *box);
    /* The largest magnitude that its values can have, but for rounding and small factors; NULL
       where only a look at them can tell, as where NaN can come of finite numbers. See finite.c. */
    double (*largest)(const struct zf_layer *layer, const struct zf_magnitudes *m);
    bool squares;  /* its inputs' squares must be finite, too */
    float outside; /* what a window sees outside of the map */
    bool linear;   /* but for a bias: a changed input changes the output by what the change gives */
};

/* What a layer sees while a plan is built. */
struct zf_emit {
    const struct zf_engine_ops *op;
    struct zf_engine *engine;
    const struct zf_layer *layer;
    int index;               /* of the layer */
    struct zf_window window; /* the layer's; on boxes of its map, without pads */
    struct zf_shape out;     /* the layer's, or the box */
    enum zf_purpose purpose;
    enum zf_rule rule;
    bool fuse_relu; /* forward: the only user is a relu; rectify on the way out */
    bool fused;     /* forward of a relu: the layer below has done it already */

    zf_value src[ZF_LAYER_INPUTS], dst, state;
    struct zf_dims src_dims[ZF_LAYER_INPUTS];
    zf_value weight, bias, diff_weight, diff_bias;
    zf_value diff_dst, diff_src[ZF_LAYER_INPUTS];
    bool want_diff_src;
};

struct zf_layer {
    char *section; /* of the spec: what `inputs` refers to */
    char *name;
    char *aka;   /* further names, each ended by a newline; NULL = none */
    bool frozen; /* training leaves its parameters alone */
    const struct zf_layer_type *type;
    void *params; /* type->params_size bytes */
    int inputs[ZF_LAYER_INPUTS];
    int input_count;
    struct zf_inferred inferred;
    struct zf_receptive_field field;
    int first_parameter, parameter_count; /* in zf_net.parameters */
};

/* A parameter tensor: `offset` floats into the net's one array. */
struct zf_parameter_slot {
    char *name;
    struct zf_dims dims;
    int64_t count, offset;
    int layer;
    bool is_bias;
};

struct zf_net {
    char *name;
    char *spec;
    char *from; /* the model that its training went on from; NULL = none */
    struct zf_shape input;
    int64_t classes; /* what the outputs tell apart; more than outputs of a yes or no */
    enum zf_answer answer;
    struct zf_layer *layers;
    int layer_count;
    struct zf_parameter_slot *slots;
    int slot_count;
    float *parameters;    /* one array: an update or an exchange between machines is one loop */
    int64_t floats;       /* of it, with alignment gaps, which nobody reads */
    struct zf_bytes file; /* whose mapping the parameters lie in; empty = they are allocated */
    char **labels;        /* [classes] */
    bool labelled;        /* they are names, not just numbers */
    struct zf_preparation preparation;
    float *mean_image; /* what preparation.mean_image points to */
    struct zf_recipe recipe;
};

/** Shape of a layer's output, or of the input. */
static inline struct zf_shape zf_net_shape(const struct zf_net *net, int layer)
{
    return layer == ZF_NET_INPUT ? net->input : net->layers[layer].inferred.out;
}

/** Free what a layer holds; accepts empty, leaves empty. */
void zf_layer_release(struct zf_layer *layer);

/** The i-th layer type, NULL past the last. */
const struct zf_layer_type *zf_layer_type_at(size_t i);

/** The parts of zf_net_allocate(): parameters, all zero; labels "0", "1", ... */
enum zf_status zf_net_allocate_parameters(struct zf_net *net, struct zf_error *err);
enum zf_status zf_net_number_labels(struct zf_net *net, struct zf_error *err);

/** Another number of classes, with numbers for names. */
enum zf_status zf_net_set_class_count(struct zf_net *net, int64_t classes, struct zf_error *err);

/**
 * zf_net_parse_spec() in two parts: a net without room for its parameters and labels, then that
 * room, with zeros and with numbers for names. In between a reader of models holds the shapes
 * against its file, before memory is spent on them. zf_net_parameter().data is NULL until then, and
 * there are no labels to be asked for.
 */
enum zf_status zf_net_parse_shapes(const char *text, const char *origin, int64_t classes,
                                   struct zf_net **out, struct zf_error *err);
enum zf_status zf_net_allocate(struct zf_net *net, struct zf_error *err);

/**
 * Let the parameters be those of a mapped file, from byte `offset` on, where they lie as in the
 * net's array: a large model is then read only where it is used, and shared by processes. What is
 * written to them stays this net's. Takes the mapping over, leaving *file empty; false, with
 * nothing changed, when it is not aligned or too short. zf_net_allocate() then has room
 * already.
 */
bool zf_net_map_parameters(struct zf_net *net, struct zf_bytes *file, size_t offset);

/** For the trainer and the readers of models, while the net is not shared. */
float *zf_net_parameters_mutable(struct zf_net *net, int64_t *floats);

/**
 * A net of the layers of `from` up to layer `end`, those that it is computed from and no others,
 * with their parameters and the preparation; labels are numbers.
 *
 * out  handed over; free with zf_net_free()
 *
 * ZF_ENOMEM.
 */
enum zf_status zf_net_cut(const struct zf_net *from, int end, struct zf_net **out,
                          struct zf_error *err);

/** A window of padding and rounding as spec files say it, filled in for a map of `in`. */
struct zf_spatial_params {
    struct zf_extents kernel, stride, pad, dilation;
    int round; /* 0 down, 1 up */
};
enum zf_status zf_spatial_window(const struct zf_spatial_params *params, struct zf_shape in,
                                 struct zf_window *window, int64_t *out_h, int64_t *out_w,
                                 struct zf_error *err);

#endif
