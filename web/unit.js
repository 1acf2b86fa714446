/* SPDX-License-Identifier: MIT */
/* One unit over the data set, at /unit/LAYER/MAP: its strongest pictures and how active it is. */
import { SMALL, ask, byId, complain, cutOut, drawn, element, get, getNumber, link, meet, number, onAddress, say, set, world }
    from "/serve_common.js";
import { fileOf, saves } from "/serve_save.js";
import { addressOf, showConnections } from "/unit_connections.js";

const NINE = 9;
const POLL_MS = 2000;
const WIDTH = 380, HEIGHT = 150, BOTTOM = 20;

let unit = null; /* what the server says of it */

/* ---- The address: /unit/LAYER/MAP?rule=&from= ---- */

function named() {
    const parts = location.pathname.slice("/unit/".length).split("/");
    const map = Number(parts.pop());
    return { layer: decodeURIComponent(parts.join("/")), map: Number.isInteger(map) ? map : 0 };
}

function rule() {
    return world.model.rules.includes(get("rule")) ? get("rule") : world.model.rules[0];
}

/* ---- Its pictures. ---- */

const fileNow = () => `${fileOf(unit.layer)}-${unit.map}`;

function pictureOf(entry, limit) {
    const [, height, width] = world.model.input;
    const cell = { data: entry.data, layer: unit.layer, map: unit.map, y: entry.y, x: entry.x };
    const { patch } = entry;
    const whole = patch.width === width && patch.height === height;
    const shown = link("shown", { data: entry.data });
    const frame = drawn("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    frame.append(drawn("rect", { ...patch, class: "chosen", "vector-effect": "non-scaling-stroke" }));
    const name = entry.path.split("/").at(-1);
    const file = `${fileNow()}-${entry.data}`;
    const parts = element("a", { href: `/?${new URLSearchParams(cell)}`, className: whole ? "parts two" : "parts", title: `Look at ${entry.path}` },
        element("span", { className: "photo" },
            element("img", { width, height, loading: "lazy", src: shown, alt: name }), frame),
        ...(whole ? [] : [cutOut(shown, patch, "What the cell sees")]),
        element("img", {
            width: patch.width, height: patch.height, loading: "lazy", alt: `Its projection by ${rule()}`,
            className: patch.width < SMALL ? "pixels" : "",
            src: link("projection", { ...cell, rule: rule(), form: "png", limit, field: 1 }),
        }));
    return element("figure", {}, parts,
        element("figcaption", {}, element("b", { textContent: number(entry.activation, 4) }),
            ` ${entry.label ?? ""} `, element("span", { className: "path", textContent: name, title: entry.path, dir: "auto" })),
        element("p", { className: "quiet" }, ...saves([["these (PNG)", parts, `${file}.png`],
            ["the projection (PNG)", link("projection", { ...cell, rule: rule(), form: "png", limit }), `${file}-${rule()}.png`],
            ["the projection (.npy)", link("exact", { ...cell, rule: rule(), form: "npy" }), `${file}-${rule()}.npy`]])));
}

async function showNine() {
    const from = Math.max(0, Math.min(getNumber("from") ?? 0, Math.max(0, unit.top.length - 1)));
    const shown = unit.top.slice(from, from + NINE);
    byId("rule").value = rule();
    byId("earlier").disabled = from === 0;
    byId("later").disabled = from + NINE >= unit.top.length;
    byId("which").textContent = shown.length === 0 ? "" : `${from + 1} to ${from + shown.length} of the ${unit.top.length} kept`;
    if (shown.length === 0) {
        byId("nine").replaceChildren();
        return;
    }
    /* The strongest sets the scale of all. */
    const first = unit.top[0];
    const said = await ask("projection", {
        data: first.data, layer: unit.layer, map: unit.map, y: first.y, x: first.x,
    });
    byId("nine").replaceChildren(...shown.map((entry) => pictureOf(entry, said.largest[rule()])));
    byId("nine-saves").replaceChildren(...saves([["all of these (PNG)", byId("nine"), `${fileNow()}-top.png`]]));
}

/* ---- Its numbers. ---- */

function showHistogram() {
    const { width, counts } = unit.histogram;
    const silent = unit.pictures - unit.active;
    const last = Math.max(0, counts.findLastIndex((count) => count > 0));
    const bars = counts.slice(0, last + 1);
    const most = Math.max(1, ...bars);
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "curve wide" });
    const step = WIDTH / bars.length;
    svg.setAttribute("aria-label", `Histogram of the strongest cell over ${unit.active} pictures where it is above zero`);
    bars.forEach((count, i) => {
        const height = count / most * (HEIGHT - BOTTOM - 4);
        const bar = drawn("rect", { x: i * step + 0.5, y: HEIGHT - BOTTOM - height, width: Math.max(1, step - 1), height, class: "point" });
        const title = drawn("title", {});
        title.textContent = `${number(i * width)} to ${number((i + 1) * width)}: ${count} pictures`;
        bar.append(title);
        svg.append(bar);
    });
    for (const [value, x, anchor] of [[0, 0, "start"], [(last + 1) * width, WIDTH, "end"]]) {
        const label = drawn("text", { x, y: HEIGHT - 4, "text-anchor": anchor });
        label.textContent = number(value);
        svg.append(label);
    }
    byId("histogram").replaceChildren(...(unit.active > 0 ? [svg] : []));
    byId("activity").textContent = unit.pictures === 0 ? "No picture has been looked at yet."
        : `Its strongest cell is above zero in ${unit.active} of ${unit.pictures} pictures, not in ${silent}; `
            + `mean ${number(unit.mean)}, deviation ${number(unit.deviation)}.`;
}

function showLabels() {
    const counts = new Map();
    for (const { label } of unit.top.filter((entry) => entry.label !== null))
        counts.set(label, (counts.get(label) ?? 0) + 1);
    const rows = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([label, count]) => {
        const bar = element("span", { className: "bar-of" });
        bar.style.width = `${100 * count / unit.top.length}%`;
        return element("tr", {}, element("th", { scope: "row", textContent: label, dir: "auto" }),
            element("td", { className: "bar-cell" }, bar), element("td", { className: "figure", textContent: count }));
    });
    byId("labels").replaceChildren(...rows);
    byId("labels-title").hidden = rows.length === 0;
}

/* Another unit's page, by the same rule. */
function besides(layer, map) {
    return addressOf(layer, map) + (get("rule") ? `?${new URLSearchParams({ rule: get("rule") })}` : "");
}

function showNeighbours() {
    const { layer, map, maps } = unit;
    for (const [id, other] of [["before", map - 1], ["after", map + 1]]) {
        byId(id).hidden = other < 0 || other >= maps;
        byId(id).href = besides(layer, other);
    }
    byId("layer").value = layer;
    byId("map").value = map;
    byId("map").max = maps - 1;
}

/* Filters over the picture's channels are little pictures. */
function showFilter() {
    byId("filter").hidden = !unit.filter;
    if (!unit.filter)
        return;
    const named = { layer: unit.layer, map: unit.map };
    byId("filter-picture").src = link("filter", named);
    byId("filter-saves").replaceChildren(...saves([["PNG", link("filter", named), `${fileNow()}-filter.png`],
        [".npy", link("filter", { ...named, form: "npy" }), `${fileNow()}-filter.npy`]]));
}

function showSaves() {
    byId("whole-story").href = `/experiments?${new URLSearchParams({ "unit.layer": unit.layer, "unit.map": unit.map })}#unit`;
    const named = { layer: unit.layer, map: unit.map };
    byId("unit-saves").replaceChildren(...saves([["its numbers (JSON)", link("unit", named), `${fileNow()}.json`],
        ...(unit.active > 0 ? [["the histogram (PNG)", byId("histogram"), `${fileNow()}-histogram.png`]] : [])]));
    byId("connections-saves").replaceChildren(...saves(
        [["its connections (JSON)", link("connections", named), `${fileNow()}-connections.json`]]));
}

/* ---- */

let timer = null;

async function show(asked = ask("unit", named())) {
    clearTimeout(timer);
    try {
        unit = await asked;
        document.title = `${unit.layer}, map ${unit.map} - zfscope`;
        byId("title").textContent = `Map ${unit.map} of ${unit.layer}`;
        byId("growing").textContent = unit.done < unit.images
            ? `${unit.done.toLocaleString("en")} of ${unit.images.toLocaleString("en")} pictures looked at so far; it goes on while nobody asks for anything else.` : "";
        showNeighbours();
        showFilter();
        showHistogram();
        showLabels();
        await showNine();
        showSaves();
        say("");
        showConnections(unit);
        if (unit.done < unit.images)
            timer = setTimeout(watch, POLL_MS);
    } catch (error) {
        complain(error);
    }
}

/* Again only where there is news: what is looked at keeps the pass waiting. */
async function watch() {
    try {
        const { done, images } = await ask("units");
        if (done - unit.done > images / 20 || done === images) {
            await show();
            return;
        }
        byId("growing").textContent = `${done.toLocaleString("en")} of ${images.toLocaleString("en")} pictures looked at so far.`;
    } catch (error) {
        complain(error);
    }
    timer = setTimeout(watch, POLL_MS);
}

async function start() {
    const asked = ask("unit", named()); /* all three at once */
    asked.catch(() => {}); /* show() says what is wrong with it */
    try {
        const [{ layers }] = await Promise.all([ask("units"), meet()]);
        byId("layer").replaceChildren(...layers.map((name) => element("option", { value: name, textContent: name })));
        byId("rule").replaceChildren(...world.model.rules.map((name) => element("option", { value: name, textContent: name })));
    } catch (error) {
        complain(error);
        return;
    }
    byId("rule").addEventListener("change", (event) => {
        set({ rule: event.target.value });
        showNine().catch(complain);
    });
    for (const [id, by] of [["earlier", -NINE], ["later", NINE]]) {
        byId(id).addEventListener("click", () => {
            set({ from: Math.max(0, (getNumber("from") ?? 0) + by) || null }, true);
            showNine().catch(complain);
        });
    }
    byId("layer").addEventListener("change", (event) => location.assign(besides(event.target.value, 0)));
    byId("map").addEventListener("change", (event) => location.assign(besides(unit.layer, event.target.value)));
    onAddress(() => show());
    await show(asked);
}

start();
