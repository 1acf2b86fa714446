/* SPDX-License-Identifier: MIT */
/* The strip of layers, and a layer as a wall of its maps. */
import { ask, byId, complain, element, get, getNumber, layerNow, link, number, picture, set, world }
    from "/serve_common.js";
import { pointAt, showCell } from "/serve_cell.js";
import { fileOf, saves } from "/serve_save.js";

const AT_ONCE = matchMedia("(max-width: 860px)").matches ? 32 : 128; /* tiles; more where they are asked for */
const MARKED = 8; /* strongest maps whose strongest cells are marked on the photo */

let shown = { key: "", layer: null };

/* ---- The strip. ---- */

function shapeOf(layer) {
    const [maps, height, width] = layer.shape;
    return height === 1 && width === 1 ? `${maps}` : `${maps} × ${height} × ${width}`;
}

function choose(layer) {
    set({ layer: layer.name, map: null, y: null, x: null, tiles: null }, true);
    showLayer().then(showCell).catch(complain);
}

function startStrip() {
    const tabs = world.model.layers.map((layer) => {
        const tab = element("button", { type: "button", id: `layer-${layer.index}` },
            element("b", { textContent: layer.name, dir: "auto" }),
            element("span", { textContent: `${layer.type} ${shapeOf(layer)}` }));
        tab.setAttribute("role", "tab");
        tab.addEventListener("click", () => choose(layer));
        return tab;
    });
    byId("strip").replaceChildren(...tabs);
    byId("strip").addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const at = tabs.indexOf(document.activeElement);
        if (step === undefined || at < 0 || !tabs[at + step])
            return;
        event.preventDefault();
        tabs[at + step].focus();
        tabs[at + step].click();
    });
}

function markStrip(layer) {
    for (const [i, tab] of [...byId("strip").children].entries()) {
        const here = i === layer.index;
        tab.setAttribute("aria-selected", here);
        tab.tabIndex = here ? 0 : -1;
        if (here) /* within the strip alone: the page stays where it is */
            byId("strip").scrollLeft = tab.offsetLeft - byId("strip").clientWidth / 2;
    }
}

/* ---- The wall. ---- */

export const wall = () => shown.layer;

function place(tile, map) {
    const { columns } = shown.layer.sheet;
    const rows = Math.ceil(shown.layer.maps / columns);
    const column = map % columns, row = Math.floor(map / columns);
    tile.style.backgroundImage = `url("${shown.sheet}")`;
    tile.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
    tile.style.backgroundPosition = `${columns > 1 ? 100 * column / (columns - 1) : 0}% `
        + `${rows > 1 ? 100 * row / (rows - 1) : 0}%`;
}

function tileOf(map) {
    const { strength, y, x, sheet } = shown.layer;
    const face = element("span", { className: "face" });
    const made = element("button", { type: "button", className: "tile" }, face,
        element("span", { className: "head" }, element("b", { textContent: nameOf(map) }), " ",
            number(strength[map], 2)));
    face.style.aspectRatio = `${sheet.tile_width} / ${sheet.tile_height}`;
    place(face, map);
    made.dataset.map = map;
    made.setAttribute("aria-label",
        `map ${nameOf(map)}, strongest ${number(strength[map])} at row ${y[map]}, column ${x[map]}`);
    return made;
}

/* At the net's end a map is a class. */
export function nameOf(map) {
    const layer = layerNow();
    const { class_layer: first, labels, answer } = world.model;
    return layer.index >= first && answer !== "numbers" && layer.shape[0] === labels.length
        ? labels[map] : String(map);
}

/* In deviations from what is usual over the data set. */
function unusual(map) {
    const { mean, deviation } = shown.usual;
    return deviation[map] > 0 ? (shown.layer.strength[map] - mean[map]) / deviation[map] : 0;
}

function orderNow() {
    const { maps, strength } = shown.layer;
    const wanted = byId("find").value.trim().toLowerCase();
    const order = [...Array(maps).keys()]
        .filter((map) => wanted === "" || nameOf(map).toLowerCase().startsWith(wanted));
    const by = get("sort") ?? "strength";
    if (by === "strength" || (by === "unusual" && !shown.usual))
        order.sort((a, b) => strength[b] - strength[a] || a - b);
    else if (by === "unusual")
        order.sort((a, b) => unusual(b) - unusual(a) || a - b);
    return order;
}

function showTiles() {
    const order = orderNow();
    const limit = getNumber("tiles") ?? AT_ONCE;
    const tiles = order.slice(0, limit).map(tileOf);
    for (const [i, tile] of tiles.entries())
        tile.tabIndex = i === 0 ? 0 : -1;
    byId("wall").replaceChildren(...tiles);
    byId("wall").style.setProperty("--tile",
        `${Math.max(64, Math.min(96, shown.layer.sheet.tile_width * 2))}px`);
    byId("more").hidden = order.length <= limit;
    byId("more").textContent = `Show ${Math.min(AT_ONCE, order.length - limit)} more of ${order.length}`;
    markTile();
}

/* The maps that answer most, as they are sorted now, with the place of their strongest cell. */
export function strongest() {
    const { strength, y, x } = shown.layer;
    return orderNow().filter((map) => strength[map] > 0).slice(0, MARKED)
        .map((map) => ({ map, y: y[map], x: x[map] }));
}

/* Tiles whose strongest cell sees what the pointer is on. */
export function showSeeing(sees) {
    const { y, x } = shown.layer;
    for (const tile of byId("wall").children)
        tile.classList.toggle("sees", sees(y[tile.dataset.map], x[tile.dataset.map]));
}

export function markTile() {
    const map = getNumber("map");
    for (const tile of byId("wall").children)
        tile.setAttribute("aria-current", Number(tile.dataset.map) === map);
}

function describe(layer) {
    const { maps, sheet, strength } = shown.layer;
    const silent = strength.filter((value) => !(value > 0)).length;
    const own = get("own") !== null;
    byId("wall-title").textContent = `${maps} ${maps === 1 ? "map" : "maps"} of ${layer.name}`;
    byId("wall-note").textContent = (own ? `${sheet.signed ? "Grey" : "Black"} is zero, white each map's largest. `
        : sheet.signed ? `Grey is zero, white ${number(sheet.limit)}, black ${number(-sheet.limit)}. `
            : `Black is zero, white ${number(sheet.limit)}. `)
        + (silent === 0 ? "All fire on this picture. " : silent === maps ? "None fires on this picture. "
            : `${silent} of them ${silent === 1 ? "does" : "do"} not fire on this picture. `)
        + (layer.field.global ? "" : "The strongest cells of the first are framed on the photo.");
    const named = { ...picture(), layer: layer.name };
    const file = fileOf(layer.name);
    byId("wall-saves").replaceChildren(...saves([["these maps (PNG)", shown.sheet, `${file}.png`],
        ["their numbers (JSON)", link("layer", named), `${file}.json`],
        ["the layer (.npy)", link("activations", named), `${file}.npy`]]));
}

/* Load and show the layer that the address names. */
export async function showLayer() {
    const layer = layerNow();
    const named = { ...picture(), layer: layer.name };
    const own = get("own") !== null ? 1 : null;
    const key = JSON.stringify([named, own]);
    byId("sort").value = get("sort") ?? "strength";
    byId("own").checked = own !== null;
    byId("find").value = get("find") ?? "";
    markStrip(layer);
    if (key === shown.key) {
        showTiles();
        return;
    }
    const sheet = link("sheet", { ...named, own });
    const loading = new Image();
    loading.src = sheet; /* both at once */
    const [answer, usual] = await Promise.all([ask("layer", named),
        world.model.data ? ask("units", { layer: layer.name }) : {}]);
    shown = { key, layer: answer, sheet, usual: usual.done > 0 && usual.mean ? usual : null };
    byId("unusual").hidden = shown.usual === null;
    describe(layer);
    showTiles();
}

/* The arrow keys go from tile to tile as the eye does. */
function step(event) {
    const tiles = [...byId("wall").children];
    const at = tiles.indexOf(document.activeElement);
    if (at < 0)
        return;
    const across = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (by === undefined || !tiles[at + by])
        return;
    event.preventDefault();
    tiles[at].tabIndex = -1;
    tiles[at + by].tabIndex = 0;
    tiles[at + by].focus();
}

export function startWall() {
    startStrip();
    byId("sort").addEventListener("change", (event) => {
        set({ sort: event.target.value });
        showTiles();
        pointAt(null);
    });
    byId("own").addEventListener("change", (event) => {
        set({ own: event.target.checked ? 1 : null });
        showLayer().then(showCell).catch(complain);
    });
    byId("find").addEventListener("input", (event) => {
        set({ find: event.target.value.trim() || null });
        showTiles();
        pointAt(null);
    });
    byId("more").addEventListener("click", () => {
        set({ tiles: (getNumber("tiles") ?? AT_ONCE) + AT_ONCE });
        showTiles();
    });
    byId("wall").addEventListener("keydown", step);
    byId("wall").addEventListener("pointerover", (event) => {
        const map = event.target.closest(".tile")?.dataset.map;
        pointAt(map === undefined ? null : { y: shown.layer.y[map], x: shown.layer.x[map] });
    });
    byId("wall").addEventListener("pointerleave", () => pointAt(null));
    byId("wall").addEventListener("click", (event) => {
        const map = event.target.closest(".tile")?.dataset.map;
        if (map === undefined)
            return;
        set({ map, y: shown.layer.y[map], x: shown.layer.x[map] }, true);
        markTile();
        showCell();
    });
}
