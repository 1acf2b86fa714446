/* SPDX-License-Identifier: MIT */
/* One map, its cells, and what a cell's activation projects to by each rule. */
import { Newest, ask, byId, complain, drawn, element, field, get, getNumber, hand, layerNow, link, number,
    picture, set, world } from "/serve_common.js";
import { markTile, nameOf, wall } from "/serve_wall.js";

const projecting = new Newest();
let map = null; /* {key, values}: that is shown */

/* ---- The map, cell by cell. ---- */

function shade(value) {
    const { limit, signed } = wall().sheet;
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
}

function frame(svg, box, name) {
    svg.append(drawn("rect", { ...box, class: name, "vector-effect": "non-scaling-stroke" }));
}

/* What is framed on the map and on the photo: the cell that was chosen, and the one under the
   pointer. */
function mark(hovered = null) {
    const layer = layerNow();
    const y = getNumber("y"), x = getNumber("x");
    byId("marks").replaceChildren();
    byId("map-marks").replaceChildren();
    if (!map)
        return;
    for (const [cell, name] of [[y === null ? null : { y, x }, "chosen"], [hovered, "hovered"]]) {
        if (!cell)
            continue;
        frame(byId("map-marks"), { x: cell.x, y: cell.y, width: 1, height: 1 }, name);
        frame(byId("marks"), field(layer, cell.y, cell.x), name);
    }
    const at = hovered ?? (y === null ? null : { y, x });
    byId("map-note").textContent = at && map.values[at.y]
        ? `row ${at.y}, column ${at.x}: ${number(map.values[at.y][at.x], 4)}` : "";
}

function cellAt(event) {
    const box = byId("map-view").getBoundingClientRect();
    const height = map.values.length, width = map.values[0].length;
    const y = Math.floor((event.clientY - box.top) / box.height * height);
    const x = Math.floor((event.clientX - box.left) / box.width * width);
    return y < 0 || x < 0 || y >= height || x >= width ? null : { y, x };
}

/* Cells whose receptive field has this pixel in it. */
function markSeers(pixel) {
    const layer = layerNow();
    mark();
    for (let y = 0; y < map.values.length; y++) {
        for (let x = 0; x < map.values[0].length; x++) {
            const box = field(layer, y, x);
            if (pixel.x >= box.x && pixel.x < box.x + box.width
                && pixel.y >= box.y && pixel.y < box.y + box.height)
                frame(byId("map-marks"), { x, y, width: 1, height: 1 }, "seer");
        }
    }
}

function choose(cell) {
    set(cell);
    mark();
    project();
}

/* ---- Projections. ---- */

function cellNamed() {
    return { ...picture(), layer: layerNow().name, map: get("map"), y: get("y"), x: get("x") };
}

function caption(answer, rule) {
    return element("figcaption", {},
        element("b", { textContent: rule }), ` largest ${number(answer.largest[rule])}`);
}

function showProjections(answer) {
    const own = byId("own-scale").checked;
    const cell = { ...cellNamed(), map: answer.map, y: answer.y, x: answer.x };
    const [, height, width] = world.model.input;
    const figures = world.model.rules.map((rule) => {
        const image = element("img", {
            width, height, alt: `Projection by the rule ${rule}`,
            src: link("projection", { ...cell, rule, form: "png", limit: own ? 0 : answer.limit }),
        });
        return element("figure", {}, image, caption(answer, rule));
    });
    byId("projections").replaceChildren(...figures);
    byId("unit-link").hidden = world.model.data === null;
    byId("unit-link").href = `/unit/${encodeURIComponent(answer.layer)}/${answer.map}`;
    const saves = [["the numbers (JSON)", link("projection", cell), "projection.json"],
        ["the map (.npy)", link("activations", { ...picture(), layer: cell.layer, map: cell.map }), "map.npy"],
        ["the layer (.npy)", link("activations", { ...picture(), layer: cell.layer }), "layer.npy"]];
    for (const rule of world.model.rules) {
        saves.push([`${rule} (PNG)`, link("projection", { ...cell, rule, form: "png" }), `${rule}.png`],
            [`${rule} (.npy)`, link("projection", { ...cell, rule, form: "npy" }), `${rule}.npy`]);
    }
    byId("saves").replaceChildren("Save: ", ...saves.flatMap(([text, href, download], i) =>
        [i ? ", " : "", element("a", { href, download, textContent: text })]));
}

let projected = null;

function project() {
    const cell = cellNamed();
    projecting.ask(async () => {
        const answer = await ask("projection", { ...cell, hand: hand("cell") });
        if (JSON.stringify(cell) !== JSON.stringify(cellNamed()))
            return;
        projected = answer;
        if (getNumber("y") === null) { /* the strongest, which has a place now */
            set({ y: answer.y, x: answer.x });
            mark();
        }
        byId("cell-title").textContent = `Map ${nameOf(answer.map)} of ${answer.layer}, row ${answer.y}, `
            + `column ${answer.x}: ${number(answer.activation, 4)}`;
        showProjections(answer);
    });
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
    project();
    try {
        if (!map || map.key !== key) {
            const answer = await ask("activations", { ...named, form: "json" });
            map = { key, values: answer.values };
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
    photo.addEventListener("pointermove", (event) => {
        const box = photo.getBoundingClientRect();
        if (map && event.buttons === 0)
            markSeers({
                x: (event.clientX - box.left) / box.width * width,
                y: (event.clientY - box.top) / box.height * height,
            });
    });
    photo.addEventListener("pointerleave", () => mark());
    byId("own-scale").addEventListener("change", () => projected && showProjections(projected));
}
