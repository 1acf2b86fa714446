/* SPDX-License-Identifier: MIT */
/* A training as it goes on: its log read again and again. */
import { ask, byId, complain, drawn, element, link, meet, number, say } from "/serve_common.js";
import { saves } from "/serve_save.js";
import { showKept, startMaps } from "/training_maps.js";

const POLL_MS = 2000;
const RECENT = 5; /* epochs, whose mean is the pace */
const LATE = 4, LATE_S = 60; /* so many times the pace, and so many seconds, without a word: it is over */
const FILTER_PX = 48, GAP_PX = 2; /* of a sheet of filters */
const WIDTH = 420, HEIGHT = 220, LEFT = 54, TOP = 10, BOTTOM = 40;

const charts = [
    { title: "loss", lines: [["loss", "training"], ["val_loss", "validation"]] },
    { title: "top-1 error", lines: [["train_top1_error", "training"], ["val_top1_error", "validation"]] },
    { title: "top-5 error", lines: [["val_top5_error", "validation"]] },
    { title: "learning rate", lines: [["lr", "rate"]] },
    { title: "images a second", lines: [["images_per_second", "rate"]] },
];

function text(svg, words, attributes) {
    const made = drawn("text", attributes);
    made.textContent = words;
    svg.append(made);
}

function chartOf(chart, rows) {
    const lines = chart.lines
        .map(([key, name]) => [name, rows.filter((row) => Number.isFinite(row[key])).map((row) => [row.epoch, row[key]])])
        .filter(([, points]) => points.length > 0);
    if (lines.length === 0)
        return null;
    const last = Math.max(2, ...rows.map((row) => row.epoch));
    const high = Math.max(...lines.flatMap(([, points]) => points.map(([, value]) => value))) || 1;
    const x = (epoch) => LEFT + (epoch - 1) / (last - 1) * (WIDTH - LEFT - 10);
    const y = (value) => TOP + (1 - value / high) * (HEIGHT - TOP - BOTTOM);
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "curve wide" });
    svg.setAttribute("aria-label", `${chart.title} by epoch: ` + lines.map(([name, points]) =>
        `${name} ${number(points.at(-1)[1])} at epoch ${points.at(-1)[0]}`).join(", "));
    for (const share of [0, 0.5, 1]) {
        svg.append(drawn("line", { x1: LEFT, x2: WIDTH - 10, y1: y(share * high), y2: y(share * high), class: "grid" }));
        text(svg, number(share * high), { x: LEFT - 6, y: y(share * high) + 4, "text-anchor": "end" });
    }
    text(svg, "1", { x: x(1), y: HEIGHT - BOTTOM + 17 });
    text(svg, `epoch ${last}`, { x: x(last), y: HEIGHT - BOTTOM + 17, "text-anchor": "end" });
    lines.forEach(([name, points], i) => {
        svg.append(drawn("polyline", { class: `line line-${i}`, points: points.map((at) => `${x(at[0])},${y(at[1])}`).join(" ") }));
        for (const [epoch, value] of points) {
            const dot = drawn("circle", { cx: x(epoch), cy: y(value), r: 2.5, class: `point point-${i}` });
            const title = drawn("title", {});
            title.textContent = `${name}, epoch ${epoch}: ${number(value, 4)}`;
            dot.append(title);
            svg.append(dot);
        }
        text(svg, `${i ? "┄" : "─"} ${name}`, { x: LEFT + 110 * i, y: HEIGHT - 4, class: `name-${i}` });
    });
    return element("figure", {}, element("figcaption", {}, element("b", { textContent: chart.title })), svg);
}

function span(seconds) {
    const minutes = Math.round(seconds / 60);
    return seconds < 90 ? `${Math.round(seconds)} s` : minutes < 90 ? `${minutes} min`
        : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/* By the pace of the last epochs; a training may end sooner, where its error falls no longer. */
function timeLeft(rows, { age, planned }) {
    const last = rows.at(-1);
    const paces = rows.slice(-RECENT).map((row) => row.seconds);
    const pace = paces.reduce((a, b) => a + b) / paces.length;
    if (!Number.isFinite(planned))
        return "";
    if (last.epoch >= planned)
        return `All ${planned} epochs are over.`;
    if (age > LATE * pace + LATE_S)
        return `Nothing new for ${span(age)}: it has ended, or was stopped.`;
    return `Epoch ${last.epoch + 1} of ${planned} is on its way; about ${span(Math.max(0, (planned - last.epoch) * pace - age))} left.`;
}

function describe(answer) {
    const rows = answer.lines.filter((row) => Number.isFinite(row.epoch));
    const last = rows.at(-1);
    if (!last)
        return `${answer.run}: no epoch is over yet.`;
    const best = rows.filter((row) => row.best).at(-1);
    return `${answer.run}: ${rows.length} epochs, the last took ${number(last.seconds)} s `
        + `at ${number(last.images_per_second, 4)} images a second`
        + (last.val_top1_error !== undefined && last.val_top1_error !== null
            ? `; top-1 error ${number(last.val_top1_error)}${best ? `, best so far at epoch ${best.epoch}` : ""}` : "")
        + `. ${timeLeft(rows, answer)}`;
}

/* The sheet with the page's own ground between its tiles. */
function filtersOf(epoch) {
    const canvas = element("canvas", { width: 1, height: 1, ariaLabel: `First filters after epoch ${epoch}` });
    const sheet = element("img", { src: link("filters", { epoch }) });
    canvas.setAttribute("role", "img");
    sheet.addEventListener("load", () => {
        const { width, height } = Object.assign(canvas, { width: sheet.naturalWidth, height: sheet.naturalHeight });
        const context = canvas.getContext("2d");
        context.drawImage(sheet, 0, 0);
        for (let at = 0; at < Math.max(width, height); at += FILTER_PX + GAP_PX) {
            context.clearRect(at, 0, GAP_PX, height);
            context.clearRect(0, at, width, GAP_PX);
        }
    });
    return canvas;
}

function showFilters(epochs) {
    const there = new Set([...byId("growth").children].map((figure) => Number(figure.dataset.epoch)));
    byId("filters").hidden = epochs.length === 0;
    for (const epoch of epochs) {
        if (there.has(epoch))
            continue;
        const figure = element("figure", {},
            filtersOf(epoch),
            element("figcaption", { textContent: epoch === 0 ? "untrained" : `epoch ${epoch}` }),
            element("p", { className: "quiet" }, ...saves([["PNG", link("filters", { epoch }), `filters-${epoch}.png`],
                [".npy", link("filters", { epoch, form: "npy" }), `filters-${epoch}.npy`]])));
        figure.dataset.epoch = epoch;
        byId("growth").append(figure);
    }
}

function showCharts(rows) {
    const figures = charts.map((chart) => [chart.title, chartOf(chart, rows)]).filter(([, figure]) => figure);
    byId("charts").replaceChildren(...figures.map(([, figure]) => figure));
    byId("run-saves").replaceChildren(...saves([["all numbers (JSON)", link("run"), "run.json"],
        ...figures.map(([title, figure]) => [`${title} (PNG)`, figure, `${title.replaceAll(" ", "-")}.png`])]));
}

let shown = "";

async function look() {
    try {
        const answer = await ask("run");
        const rows = answer.lines.filter((row) => Number.isFinite(row.epoch));
        const now = JSON.stringify(rows.at(-1) ?? null) + rows.length;
        byId("says").textContent = describe(answer);
        if (now !== shown)
            showCharts(rows);
        shown = now;
        showFilters(answer.epochs);
        showKept(answer.epochs);
        say("");
    } catch (error) {
        complain(error);
    }
    setTimeout(look, POLL_MS);
}

meet().then(() => {
    startMaps();
    return look();
}, complain);
