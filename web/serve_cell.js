/* SPDX-License-Identifier: MIT */
/* One map and its cells, on the map and on the photo. */
import { ask, byId, complain, drawn, field, get, getNumber, layerNow, number, picture, set, world }
    from "/serve_common.js";
import { project, startProjections } from "/serve_projections.js";
import { fileOf } from "/serve_save.js";
import { markTile, nameOf, showSeeing, strongest, wall } from "/serve_wall.js";

const PEAKS = 6; /* strongest cells of a map that are marked */

let map = null; /* {key, values}: that is shown */

/* ---- The map, cell by cell. ---- */

/* As the tiles of the wall are. */
function shade(value) {
    const { signed } = wall().sheet;
    const limit = get("own") === null ? wall().sheet.limit : map.largest;
    const share = limit > 0 ? Math.max(-1, Math.min(1, value / limit)) : 0;
    return signed ? 127.5 + 127.5 * share : 255 * share;
}

function paint() {
    const height = map.values.length, width = map.values[0].length;
    const canvas = Object.assign(byId("map-canvas"), { width, height });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    map.values.flat().forEach((value, i) => image.data.set([shade(value), shade(value), shade(value), 255], 4 * i));
    context.putImageData(image, 0, 0);
    byId("map-view").style.aspectRatio = `${width} / ${height}`;
    byId("map-marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
    byId("save-map").href = canvas.toDataURL();
    byId("save-map").download = `${fileOf(layerNow().name)}-${get("map")}-map.png`;
}

/* Cells above zero that none beside them exceeds, the strongest first. */
function peaks() {
    const found = [];
    map.values.forEach((row, y) => row.forEach((value, x) => {
        const beside = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => map.values[y + dy]?.[x + dx] ?? -Infinity));
        if (value > 0 && value >= Math.max(...beside))
            found.push({ y, x, value });
    }));
    return found.sort((a, b) => b.value - a.value).slice(0, PEAKS);
}

/* ---- What is framed on the photo and on the map. ---- */

function frame(svg, box, name) {
    svg.append(drawn("rect", { ...box, class: name, "vector-effect": "non-scaling-stroke" }));
}

function markCell(cell, name) {
    frame(byId("map-marks"), { x: cell.x, y: cell.y, width: 1, height: 1 }, name);
    frame(byId("marks"), field(layerNow(), cell.y, cell.x), name);
}

/* The layer's strongest cells, each place once with the names of its maps; where each sees the whole
   picture there is nothing to mark. */
function markLayer() {
    const [, height, width] = world.model.input;
    const size = height / 22;
    const places = new Map();
    for (const { map: name, y, x } of layerNow().field.global ? [] : strongest())
        places.set(`${y},${x}`, [...(places.get(`${y},${x}`) ?? []), nameOf(name)]);
    for (const [place, names] of [...places].toReversed()) {
        const box = field(layerNow(), ...place.split(",").map(Number));
        const right = box.x > width * 0.75; /* so that the names have room */
        const label = drawn("text", {
            x: right ? box.x + box.width - size / 4 : box.x + size / 4, y: Math.min(box.y + size, height - size / 4),
            "font-size": size, "text-anchor": right ? "end" : "start", class: "mark-name",
        });
        label.textContent = names.join(" ");
        frame(byId("marks"), box, "strong");
        byId("marks").append(label);
    }
}

function mark(hovered = null) {
    const y = getNumber("y"), x = getNumber("x");
    const chosen = y === null ? null : { y, x };
    byId("marks").replaceChildren();
    byId("map-marks").replaceChildren();
    if (!map) {
        if (wall())
            markLayer();
        return;
    }
    for (const cell of map.peaks.toReversed())
        markCell(cell, "strong");
    if (chosen)
        markCell(chosen, "chosen");
    if (hovered)
        markCell(hovered, "hovered");
    const at = hovered ?? chosen;
    byId("map-note").textContent = at && map.values[at.y]
        ? `row ${at.y}, column ${at.x}: ${number(map.values[at.y][at.x], 4)}` : "";
}

/* The pointer is on a tile of the wall, or on none: where its strongest cell looks. */
export function pointAt(tile) {
    mark();
    if (tile)
        frame(byId("marks"), field(layerNow(), tile.y, tile.x), "hovered");
}

/* ---- The photo. ---- */

function pixelAt(event) {
    const [, height, width] = world.model.input;
    const box = byId("photo").getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width * width, y: (event.clientY - box.top) / box.height * height };
}

const isIn = (box, pixel) => pixel.x >= box.x && pixel.x < box.x + box.width
    && pixel.y >= box.y && pixel.y < box.y + box.height;

/* Cells of the map whose receptive field has this pixel in it. */
function seers(pixel) {
    const layer = layerNow();
    return map.values.flatMap((row, y) => row.map((value, x) => ({ y, x, value })))
        .filter(({ y, x }) => isIn(field(layer, y, x), pixel));
}

function look(event) {
    if (event.buttons !== 0)
        return;
    const pixel = pixelAt(event);
    mark();
    if (map)
        seers(pixel).forEach(({ y, x }) => frame(byId("map-marks"), { x, y, width: 1, height: 1 }, "seer"));
    else if (wall())
        showSeeing((y, x) => isIn(field(layerNow(), y, x), pixel));
}

/* Of the cells that see this place, the one that answers to it most. */
function chooseAt(event) {
    if (!map || event.target.closest("#square"))
        return;
    const best = seers(pixelAt(event)).reduce((a, b) => (a && a.value >= b.value ? a : b), null);
    if (best)
        choose({ y: best.y, x: best.x });
}

/* ---- */

function cellAt(event) {
    const box = byId("map-view").getBoundingClientRect();
    const height = map.values.length, width = map.values[0].length;
    const y = Math.floor((event.clientY - box.top) / box.height * height);
    const x = Math.floor((event.clientX - box.left) / box.width * width);
    return y < 0 || x < 0 || y >= height || x >= width ? null : { y, x };
}

function choose(cell) {
    set(cell);
    mark();
    project(mark);
}

/* Show the map and the cell that the address names. */
export async function showCell() {
    const chosen = getNumber("map");
    byId("cell").hidden = chosen === null;
    markTile();
    if (chosen === null) {
        map = null;
        mark();
        return;
    }
    const named = { ...picture(), layer: layerNow().name, map: chosen };
    const key = JSON.stringify(named);
    byId("map-view").setAttribute("aria-label",
        `Cells of map ${nameOf(chosen)}: arrow keys go from cell to cell`);
    byId("map-canvas").setAttribute("aria-label", `Map ${nameOf(chosen)} of ${layerNow().name}`);
    project(mark);
    try {
        if (!map || map.key !== key) {
            const answer = await ask("activations", { ...named, form: "json" });
            map = { key, values: answer.values };
            map.largest = Math.max(...answer.values.flat().map(Math.abs));
            map.peaks = peaks();
        }
        paint();
        mark();
    } catch (error) {
        complain(error);
    }
}

function stepCell(event) {
    const [dy, dx] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (dy === undefined || !map)
        return;
    event.preventDefault();
    const y = Math.max(0, Math.min(map.values.length - 1, (getNumber("y") ?? 0) + dy));
    const x = Math.max(0, Math.min(map.values[0].length - 1, (getNumber("x") ?? 0) + dx));
    choose({ y, x });
}

export function startCell() {
    const view = byId("map-view"), photo = byId("photo");
    const [, height, width] = world.model.input;
    byId("marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
    view.addEventListener("pointermove", (event) => map && mark(cellAt(event)));
    view.addEventListener("pointerleave", () => mark());
    view.addEventListener("click", (event) => {
        const cell = map && cellAt(event);
        if (cell)
            choose(cell);
    });
    view.addEventListener("keydown", stepCell);
    photo.addEventListener("pointermove", look);
    photo.addEventListener("click", chooseAt);
    photo.addEventListener("pointerleave", () => {
        mark();
        showSeeing(() => false);
    });
    startProjections();
}
