/* SPDX-License-Identifier: MIT */
/* What the page's parts share: the address, the server, elements, words. */

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function drawn(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes))
        made.setAttribute(name, value);
    return made;
}

export function number(value, digits = 3) {
    return value === null || value === undefined ? "–" : String(Number(value.toPrecision(digits)));
}

export const SMALL = 64; /* px: what is smaller is enlarged pixel by pixel */

/* The part of a picture within a box, px of the input. */
export function cutOut(src, box, name) {
    const [, height, width] = world.model.input;
    const svg = drawn("svg", {
        viewBox: `${box.x} ${box.y} ${box.width} ${box.height}`, role: "img", class: "patch", "aria-label": name,
    });
    svg.append(drawn("image", { href: src, width, height, class: box.width < SMALL ? "pixels" : "" }));
    return svg;
}

/* ---- Tables. ---- */

const COLUMN_PX = 96; /* that a column wants */

/* Where there is no room for its columns, each row becomes a few lines, in which a cell says whose it is. */
function settle(table) {
    table.classList.toggle("stacked", innerWidth < COLUMN_PX * (table.tHead.rows[0].cells.length + 1));
}

addEventListener("resize", () => document.querySelectorAll("table.plain").forEach(settle));

function cellOf(tag, role, value, of) {
    const isFigure = typeof value === "number" || value?.localName === "b";
    const made = element(tag, { dir: "auto", className: isFigure ? "figure" : "" },
        typeof value === "number" || value === null ? number(value) : value);
    made.setAttribute("role", role); /* which what is laid out otherwise would lose */
    made.dataset.of = of;
    return made;
}

function rowOf(cells) {
    const made = element("tr", {}, ...cells);
    made.setAttribute("role", "row");
    return made;
}

/* Of rows of words, numbers (in a <b> where they stand out) and elements, the first of which names its row. */
export function tableOf(name, head, rows) {
    const made = element("table", { className: "plain", ariaLabel: name },
        element("thead", {}, rowOf(head.map((words) => cellOf("th", "columnheader", words, "")))),
        element("tbody", {}, ...rows.map((row) => rowOf(row.map((value, i) =>
            (i === 0 ? cellOf("th", "rowheader", value, "") : cellOf("td", "cell", value, head[i])))))));
    made.setAttribute("role", "table");
    settle(made);
    return made;
}

/* ---- The address: everything that is seen follows from it. ---- */

const state = new URLSearchParams(location.search);
const watchers = [];

state.delete("token"); /* a cookie stands for it from now on */
history.replaceState(null, "", address());

function address() {
    const words = state.toString().replaceAll("%2C", ",");
    return location.pathname + (words ? `?${words}` : "") + location.hash;
}

export const get = (name) => state.get(name);

export function getNumber(name) {
    const value = state.get(name);
    return value === null || value === "" || !Number.isFinite(Number(value)) ? null : Number(value);
}

/* null takes a name out. `step`: the browser's Back comes here again. */
export function set(changes, step = false) {
    for (const [name, value] of Object.entries(changes)) {
        if (value === null)
            state.delete(name);
        else
            state.set(name, value);
    }
    history[step ? "pushState" : "replaceState"](null, "", address());
}

export function onAddress(watcher) {
    watchers.push(watcher);
}

addEventListener("popstate", () => {
    const now = new URLSearchParams(location.search);
    for (const name of [...state.keys()])
        state.delete(name);
    for (const [name, value] of now)
        state.set(name, value);
    for (const watcher of watchers)
        watcher();
});

/* What of the address names the picture. */
export function picture() {
    return state.has("picture") ? { picture: state.get("picture") }
        : state.has("data") ? { data: state.get("data") } : null;
}

/* ---- The server. ---- */

export function link(path, parameters = {}) {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
        if (value !== null && value !== undefined)
            words.set(name, value);
    }
    return `/api/${path}${words.size ? `?${words}` : ""}`;
}

export class Refused extends Error {
    constructor(status, sentence) {
        super(sentence);
        this.status = status;
    }
}

export async function ask(path, parameters, options = {}) {
    let response;
    try {
        response = await fetch(link(path, parameters), options);
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
        throw new Refused(0, "zfscope serve does not answer: is it running still?");
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok)
        throw new Refused(response.status, answer.error ?? `the server says ${response.status}`);
    return answer;
}

/* Of many questions in a row the newest alone matters: at most one is on its way, and one waits. */
export class Newest {
    #busy = false;
    #next = null;

    /* work(signal) resolves when it is answered */
    ask(work) {
        this.#next = work;
        if (!this.#busy)
            this.#run();
    }

    cancel() {
        this.#next = null;
    }

    async #run() {
        this.#busy = true;
        while (this.#next) {
            const work = this.#next;
            this.#next = null;
            try {
                await work();
                say("");
            } catch (error) {
                complain(error);
            }
        }
        this.#busy = false;
    }
}

/* This page's name for what its hands drag: older questions of one hand are dropped. */
export const hand = (what) => `${pageName}-${what}`;
const pageName = Math.random().toString(36).slice(2);

/* ---- A line for what goes wrong. ---- */

export function say(sentence) {
    byId("message").textContent = sentence;
    byId("message").hidden = sentence === "";
}

export function complain(error) {
    if (error.name === "AbortError" || error.status === 409)
        return;
    say(error.message);
}

/* ---- What has been learned of the net, and of the picture. ---- */

export const world = { model: null, layers: new Map(), seen: null };

export function layerNow() {
    const named = world.layers.get(get("layer"));
    if (named)
        return named;
    const convolution = world.model.layers.findLast((layer) => layer.type === "conv");
    const next = convolution && world.model.layers[convolution.index + 1];
    return next?.type === "relu" ? next : convolution ?? world.model.layers[0];
}

/* The pixels that a cell sees, clipped to the input. */
export function field(layer, y, x) {
    const [, height, width] = world.model.input;
    const seen = layer.field;
    if (seen.global)
        return { x: 0, y: 0, width, height };
    const top = Math.max(0, y * seen.stride_y + seen.start_y);
    const left = Math.max(0, x * seen.stride_x + seen.start_x);
    const bottom = Math.min(height, y * seen.stride_y + seen.start_y + seen.height);
    const right = Math.min(width, x * seen.stride_x + seen.start_x + seen.width);
    return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/* What every page begins with. */
export async function meet() {
    const model = await ask("model");
    world.model = model;
    for (const [index, layer] of model.layers.entries())
        world.layers.set(layer.name, Object.assign(layer, { index }));
    byId("model").textContent = `${model.model}: input ${model.input.join(" × ")}, `
        + `${model.layers.length} layers, ${model.parameters.toLocaleString("en")} parameters`;
    byId("to-training").hidden = model.run === null;
    for (const to of document.querySelectorAll(".pages a")) {
        if (to.pathname === location.pathname)
            to.setAttribute("aria-current", "page");
    }
    return model;
}
