/* SPDX-License-Identifier: MIT */
/* The kept epochs of a training: how many maps are dead, and what chosen maps look for. The server looks at
   one epoch at a time, which takes a second or so. */
import { ask, byId, complain, element, get, link, number, set, tableOf, world } from "/serve_common.js";
import { asJson, fileOf, saves } from "/serve_save.js";

const MOST_MAPS = 6;

const known = new Map(); /* by epoch, and by layer and epoch: what the server says */
let epochs = [];
let asking = false;

/* Learned of an epoch, with the peaks of the layer that is looked at. */
async function learn(epoch, layer) {
    const key = `${epoch} ${layer ?? ""}`;
    if (!known.has(key))
        known.set(key, await ask("epoch", { epoch, layer }));
    return known.get(key);
}

/* ---- Dead maps. ---- */

function showDead(rows) {
    const layers = rows[0].layers.map((row) => row.layer);
    const cell = ({ dead }) => (dead > 0 ? element("b", { textContent: dead }) : dead);
    byId("dead").replaceChildren(tableOf("Dead maps", ["layer", "maps", ...rows.map((row) => `epoch ${row.epoch}`)],
        layers.map((name, l) => [name, rows[0].layers[l].maps, ...rows.map((row) => cell(row.layers[l]))])));
    byId("dead-says").textContent = `How many maps none of the same ${rows[0].pictures} pictures of the data makes fire.`;
    byId("dead-saves").replaceChildren(...saves([["these numbers (JSON)",
        asJson(rows.map(({ epoch, pictures, layers }) => ({ epoch, pictures, layers }))), "dead.json"]]));
}

/* ---- Chosen maps. ---- */

const layerNow = (first) => first.layers.find((row) => row.layer === get("layer"))
    ?? first.layers[Math.min(1, first.layers.length - 1)];

function mapsNow(layer, last) {
    const named = (get("maps") ?? "").split(/[ ,]+/).filter((word) => /^[0-9]+$/.test(word)).map(Number)
        .filter((map) => map < layer.maps);
    if (named.length > 0)
        return named.slice(0, MOST_MAPS);
    const alive = last.peaks.map((peak, map) => [peak, map]).filter(([peak]) => peak.activation > 0);
    return alive.slice(0, 3).map(([, map]) => map); /* that fire in the end */
}

function grownOf(row, map) {
    const { data, activation, y, x } = row.peaks[map];
    const caption = element("figcaption", {}, `epoch ${row.epoch}: `, element("b", { textContent: number(activation) }));
    if (!(activation > 0))
        return element("figure", {}, element("p", { className: "quiet", textContent: "does not fire" }), caption);
    return element("figure", {}, pairOf(link("grown", { epoch: row.epoch, layer: row.layer, map, data, y, x }),
        `Map ${map} of ${row.layer} after epoch ${row.epoch}`), caption);
}

/* The two halves of a picture, apart. */
function pairOf(src, name) {
    const halves = [`${name}: what it sees`, `${name}: its projection`]
        .map((alt) => element("img", { className: "pixels", loading: "lazy", alt, src }));
    halves[0].addEventListener("load", () => {
        const { naturalWidth, naturalHeight } = halves[0];
        for (const half of halves)
            half.style.aspectRatio = `${naturalWidth / 2} / ${naturalHeight}`;
    });
    return element("div", { className: "pair" }, ...halves);
}

async function showGrown() {
    const first = await learn(epochs[0]);
    const layer = layerNow(first);
    byId("layer").replaceChildren(...first.layers.map((row) => element("option", { value: row.layer, textContent: row.layer })));
    byId("layer").value = layer.layer;
    const rows = [];
    for (const epoch of epochs)
        rows.push(await learn(epoch, layer.layer));
    const maps = mapsNow(layer, rows.at(-1));
    byId("maps").placeholder = maps.join(", ");
    byId("grown").replaceChildren(...maps.map((map) => sectionOf(map, rows, layer)));
}

function sectionOf(map, rows, { layer }) {
    const pairs = element("div", { className: "pairs" }, ...rows.map((row) => grownOf(row, map)));
    const numbers = rows.map((row) => ({ epoch: row.epoch, ...row.peaks[map] }));
    return element("section", {}, element("h3", { textContent: `Map ${map} of ${layer}` }), pairs,
        element("p", { className: "quiet" }, ...saves([["these pictures (PNG)", pairs, `${fileOf(layer)}-${map}-grown.png`],
            ["their cells (JSON)", asJson(numbers), `${fileOf(layer)}-${map}-grown.json`]])));
}

/* ---- */

async function look() {
    if (asking || epochs.length === 0)
        return;
    asking = true;
    try {
        const rows = [];
        for (const epoch of epochs) {
            rows.push(await learn(epoch));
            showDead(rows);
        }
        await showGrown();
    } catch (error) {
        complain(error);
    }
    asking = false;
}

/* There are these kept epochs now. */
export function showKept(now) {
    if (now.join() === epochs.join() || !world.model.data)
        return;
    epochs = now;
    byId("kept").hidden = epochs.length === 0;
    look();
}

export function startMaps() {
    byId("maps").value = get("maps") ?? "";
    byId("layer").addEventListener("change", (event) => {
        byId("maps").value = "";
        set({ layer: event.target.value, maps: null });
        showGrown().catch(complain);
    });
    byId("maps").addEventListener("change", (event) => {
        set({ maps: event.target.value.trim() || null });
        showGrown().catch(complain);
    });
}
