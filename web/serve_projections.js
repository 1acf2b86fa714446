/* SPDX-License-Identifier: MIT */
/* What a cell's activation projects to by each rule, side by side: in float32 at once, then, from a
   thread that nobody waits for, in double. */
import { Newest, SMALL, ask, byId, cutOut, element, field, get, getNumber, hand, layerNow, link, number,
    picture, set, world } from "/serve_common.js";
import { fileOf, saves } from "/serve_save.js";
import { nameOf } from "/serve_wall.js";

const EXACT_AFTER_MS = 400; /* a hand that goes from cell to cell does not ask for them */

const projecting = new Newest();
let projected = null; /* the server's answer, and the cell that it is of */
let later = null; /* timer of the exact ones */
let leaving = new AbortController(); /* ends those on their way */

function cellNamed() {
    return { ...picture(), layer: layerNow().name, map: get("map"), y: get("y"), x: get("x") };
}

const isWhole = () => get("view") === "whole";

/* What is shown of the picture: the receptive field, or all. */
function boxOf(answer) {
    const [, height, width] = world.model.input;
    return isWhole() ? { x: 0, y: 0, width, height } : field(layerNow(), answer.y, answer.x);
}

function seenPatch(box) {
    return element("figure", {},
        cutOut(link("shown", picture()), box, isWhole() ? "The picture" : "The part of the picture that the cell sees"),
        element("figcaption", { textContent: isWhole() ? "the picture" : "what it sees" }));
}

function projection(answer, cell, rule, box) {
    const limit = byId("own-scale").checked ? 0 : answer.limit;
    const wanted = { ...cell, rule, limit, form: "png", field: isWhole() ? null : 1 };
    const image = element("img", {
        width: box.width, height: box.height, className: box.width < SMALL ? "pixels" : "",
        alt: `Projection by the rule ${rule}`, src: link("projection", wanted),
    });
    const precision = element("span", { className: "precision", textContent: "float32" });
    const made = element("figure", {}, image, element("figcaption", {},
        element("b", { textContent: rule }), ` largest ${number(answer.largest[rule])} `, precision));
    return { made, image, precision, rule, wanted };
}

/* One after the other, the newest cell's alone. */
async function sharpen(figures, signal) {
    for (const { image, precision, rule, wanted } of figures) {
        const response = await fetch(link("exact", { ...wanted, hand: hand(`exact-${rule}`) }), { signal });
        if (!response.ok)
            return;
        const bytes = await response.blob();
        if (signal.aborted)
            return;
        image.src = URL.createObjectURL(bytes);
        image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
        precision.textContent = "exact";
    }
}

function forgetExact() {
    clearTimeout(later);
    leaving.abort();
    leaving = new AbortController();
}

function showSaves(answer, cell) {
    const place = `${fileOf(answer.layer)}-${answer.map}`;
    const rows = [["all of these (PNG)", byId("projections"), `${place}-rules.png`],
        ["what it sees (PNG)", byId("projections").querySelector("svg"), `${place}-seen.png`],
        ["the numbers (JSON)", link("projection", cell), `${place}.json`],
        ["the map (.npy)", link("activations", { ...picture(), layer: cell.layer, map: cell.map }), `${place}.npy`]];
    for (const rule of world.model.rules) {
        rows.push([`${rule} (PNG)`, link("exact", { ...cell, rule, form: "png" }), `${place}-${rule}.png`],
            [`${rule} (.npy)`, link("exact", { ...cell, rule, form: "npy" }), `${place}-${rule}.npy`]);
    }
    byId("saves").replaceChildren(...saves(rows));
}

function showProjections() {
    const { answer } = projected;
    const cell = { ...cellNamed(), map: answer.map, y: answer.y, x: answer.x };
    const box = boxOf(answer);
    const figures = world.model.rules.map((rule) => projection(answer, cell, rule, box));
    forgetExact();
    byId("projections").replaceChildren(seenPatch(box), ...figures.map((figure) => figure.made));
    const { signal } = leaving;
    later = setTimeout(() => sharpen(figures, signal).catch(() => {}), EXACT_AFTER_MS);
    byId("unit-link").hidden = world.model.data === null;
    byId("unit-link").href = `/unit/${encodeURIComponent(answer.layer)}/${answer.map}`;
    showSaves(answer, cell);
}

/* Of the cell that the address names; without one of the map's strongest, which `placed` is told of. */
export function project(placed) {
    const cell = cellNamed();
    byId("view").checked = !isWhole();
    byId("own-scale").checked = get("scales") === "own";
    forgetExact();
    projecting.ask(async () => {
        const answer = await ask("projection", { ...cell, hand: hand("cell") });
        if (JSON.stringify(cell) !== JSON.stringify(cellNamed()))
            return;
        projected = { answer };
        if (getNumber("y") === null) {
            set({ y: answer.y, x: answer.x });
            placed();
        }
        byId("cell-title").textContent = `Map ${nameOf(answer.map)} of ${answer.layer}, row ${answer.y}, `
            + `column ${answer.x}: ${number(answer.activation, 4)}`;
        showProjections();
    });
}

export function startProjections() {
    byId("own-scale").addEventListener("change", (event) => {
        set({ scales: event.target.checked ? "own" : null });
        if (projected)
            showProjections();
    });
    byId("view").addEventListener("change", (event) => {
        set({ view: event.target.checked ? null : "whole" });
        if (projected)
            showProjections();
    });
}
