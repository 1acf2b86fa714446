/* SPDX-License-Identifier: MIT */
/* A unit as JSON. */
#include "experiments/unit/unit.h"

static const char *const group_names[] = {"strongest", "middle", "weakest"};

static void add_group(struct zf_json *json, const struct zf_net *net, const struct zf_data *data,
                      const struct zf_unit *unit, enum zf_unit_group which)
{
    const struct zf_unit_pictures *group = &unit->groups[which];

    zf_json_array(json, group_names[which]);
    for (size_t i = 0; i < group->count; i++) {
        const struct zf_top_entry *entry = &group->entries[i];
        const struct zf_unit_answer *answer = &group->answers[i];
        const int64_t label = zf_data_label(data, entry->sample);

        zf_json_object(json, NULL);
        zf_json_text(json, "image", zf_data_path(data, entry->sample));
        zf_json_int(json, "sample", entry->sample);
        zf_json_text(json, "label", label < 0 ? NULL : zf_data_class(data, label));
        zf_json_float(json, "activation", entry->activation);
        zf_json_int(json, "y", entry->y);
        zf_json_int(json, "x", entry->x);
        zf_json_object(json, "patch");
        zf_json_int(json, "x", entry->patch.x);
        zf_json_int(json, "y", entry->patch.y);
        zf_json_int(json, "width", entry->patch.width);
        zf_json_int(json, "height", entry->patch.height);
        zf_json_end(json);
        if (unit->votes && which != ZF_UNIT_WEAKEST) {
            zf_json_text(json, "predicted", zf_net_label(net, answer->class));
            zf_json_float(json, zf_net_answer_word(net), answer->value);
            zf_json_text(json, "silenced_predicted", zf_net_label(net, answer->silenced_class));
            zf_json_float(json, "silenced", answer->silenced_value);
        }
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_links(struct zf_json *json, const char *key, const char *share,
                      const struct zf_net *net, const struct zf_unit_link *links, size_t count)
{
    zf_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "layer",
                     links[i].layer < 0 ? "input" : zf_net_layer(net, links[i].layer).name);
        zf_json_int(json, "map", links[i].map);
        zf_json_real(json, share, links[i].share);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_classes(struct zf_json *json, const struct zf_data *data,
                        const struct zf_unit *unit)
{
    zf_json_array(json, "classes");
    for (size_t k = 0; k < unit->class_count; k++) {
        const struct zf_unit_class *class = &unit->classes[k];

        zf_json_object(json, NULL);
        zf_json_text(json, "label", zf_data_class(data, class->class));
        zf_json_int(json, "pictures", class->pictures);
        zf_json_int(json, "above_zero", class->active);
        zf_json_int(json, "of_the_strongest", class->strongest);
        zf_json_real(json, "mean", class->mean);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_wiring(struct zf_json *json, const struct zf_net *net, const struct zf_unit *unit)
{
    zf_json_text(json, "source", unit->source < 0 ? NULL : zf_net_layer(net, unit->source).name);
    zf_json_real(json, "source_value", unit->source_value);
    zf_json_real(json, "bias", unit->bias);
    add_links(json, "fed_by", "adds", net, unit->feeds, unit->feed_count);
    add_links(json, "feeds", "changes", net, unit->fed, unit->fed_count);
    zf_json_array(json, "votes");
    for (int64_t k = 0; k < unit->vote_count; k++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "label", zf_unit_vote_name(net, unit, k));
        zf_json_real(json, "adds", unit->votes[k]);
        zf_json_end(json);
    }
    zf_json_end(json);
}

void zf_unit_connections(struct zf_json *json, const struct zf_net *net, const struct zf_data *data,
                         const struct zf_unit *unit)
{
    add_group(json, net, data, unit, ZF_UNIT_STRONGEST);
    add_wiring(json, net, unit);
}

void zf_unit_numbers(struct zf_json *json, const struct zf_net *net, const struct zf_data *data,
                     const struct zf_unit *unit)
{
    zf_json_text(json, "net", zf_net_name(net));
    zf_json_text(json, "layer", zf_net_layer(net, unit->layer).name);
    zf_json_int(json, "map", unit->map);
    zf_json_text(json, "class", zf_unit_class_name(net, unit->layer, unit->map));
    zf_json_int(json, "images", unit->images);
    zf_json_int(json, "skipped", unit->skipped);
    zf_json_int(json, "above_zero", unit->active);
    zf_json_real(json, "mean", unit->mean);
    zf_json_real(json, "median", unit->median);
    zf_json_real(json, "largest", unit->most);
    zf_json_real(json, "dependence", unit->dependence);
    for (int g = 0; g < ZF_UNIT_GROUPS; g++)
        add_group(json, net, data, unit, (enum zf_unit_group)g);
    add_classes(json, data, unit);
    add_wiring(json, net, unit);
}
