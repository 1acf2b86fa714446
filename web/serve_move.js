/* SPDX-License-Identifier: MIT */
/* Sliders that shift, enlarge and turn the picture, and the curves that grow by it (figure 5). */
import { Newest, ask, byId, drawn, element, get, getNumber, hand, link, number, picture, set, world }
    from "/serve_common.js";
import { asJson, saves } from "/serve_save.js";

const moving = new Newest();
const WIDTH = 300, HEIGHT = 130, LEFT = 40, BOTTOM = 18;

let showClasses;
let motions; /* by name: slider, unit, at rest, what the server calls it, and the points so far */
let points = {};
let away = false; /* the photo is shown moved */

function valuesOf(motion) {
    const { min, max, step } = motion.slider;
    const count = Math.round((Number(max) - Number(min)) / Number(step));
    return Array.from({ length: count + 1 }, (_, i) => Number(min) + i * Number(step));
}

/* ---- Curves. ---- */

/* Probabilities lie between 0 and 1, plain numbers anywhere. */
function rangeOf(values) {
    const least = Math.min(0, ...values), most = Math.max(0, ...values);
    return world.model.answer !== "numbers" ? [0, 1] : [least, most > least ? most : least + 1];
}

function curve(name, motion) {
    const known = [...(points[name] ?? new Map())].sort((a, b) => a[0] - b[0]);
    const low = Number(motion.slider.min), high = Number(motion.slider.max);
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img" });
    const x = (value) => LEFT + (value - low) / (high - low) * (WIDTH - LEFT - 6);
    const [least, most] = rangeOf(known.map(([, said]) => said));
    const y = (value) => 6 + (most - value) / (most - least) * (HEIGHT - BOTTOM - 12);
    svg.setAttribute("aria-label", `${world.model.answer === "numbers" ? "Value" : "Probability"} by ${motion.title}: `
        + `${known.length} points`);
    for (const value of [least, (least + most) / 2, most]) {
        svg.append(drawn("line", { x1: LEFT, x2: WIDTH - 6, y1: y(value), y2: y(value), class: "grid" }));
        const label = drawn("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" });
        label.textContent = number(value);
        svg.append(label);
    }
    for (const value of [low, high]) {
        const label = drawn("text", { x: x(value), y: HEIGHT - 4, "text-anchor": value === low ? "start" : "end" });
        label.textContent = `${value}${motion.unit}`;
        svg.append(label);
    }
    if (known.length > 0)
        svg.append(drawn("polyline", {
            points: known.map(([value, said]) => `${x(value)},${y(said)}`).join(" "), class: "line",
        }));
    for (const [value, said] of known)
        svg.append(drawn("circle", { cx: x(value), cy: y(said), r: known.length > 40 ? 1.5 : 2.5, class: "point" }));
    return element("figure", {}, svg, element("figcaption", { textContent: `by ${motion.title}` }));
}

function drawCurves() {
    const shown = Object.entries(motions).filter(([name]) => points[name]?.size > 0);
    byId("curves").replaceChildren(...shown.map(([name, motion]) => curve(name, motion)));
    const numbers = shown.map(([name, motion]) => [motion.title, [...points[name]].sort((a, b) => a[0] - b[0])]);
    byId("move-saves").replaceChildren(...saves(shown.length === 0 ? [] : [
        ["the picture (PNG)", byId("shown").src, "moved.png"],
        ["what the net says of it (JSON)", link("moved", { ...picture(), ...asked(valuesNow()) }), "moved.json"],
        ["the curves (PNG)", byId("curves"), "curves.png"],
        ["the curves (JSON)", asJson(Object.fromEntries(numbers)), "curves.json"],
    ]));
}

/* ---- Motion. ---- */

function asked(values) {
    return Object.fromEntries(Object.entries(motions)
        .filter(([name]) => values[name] !== undefined)
        .map(([name, motion]) => [motion.parameter, values[name]]));
}

function note(values, said) {
    const away = Object.entries(motions).filter(([name, motion]) => (values[name] ?? motion.rest) !== motion.rest);
    for (const [name, motion] of Object.entries(motions)) {
        if (away.every(([other]) => other === name)) { /* no other motion mixes in */
            points[name] ??= new Map();
            points[name].set(values[name] ?? motion.rest, said.probability);
        }
    }
}

const valuesNow = () => Object.fromEntries(Object.entries(motions)
    .map(([name, motion]) => [name, Number(motion.slider.value)]));

function move() {
    const values = valuesNow();
    const rests = Object.entries(motions).every(([name, motion]) => values[name] === motion.rest);
    away = !rests;
    for (const [name, motion] of Object.entries(motions)) {
        motion.output.textContent = `${values[name]}${motion.unit}`;
        set({ [name]: values[name] === motion.rest ? null : values[name] });
    }
    const named = { ...picture(), ...asked(values) };
    const of = JSON.stringify(picture());
    moving.ask(async () => {
        const said = await ask("moved", { ...named, hand: hand("move") });
        if (of !== JSON.stringify(picture()))
            return;
        byId("shown").src = rests ? link("shown", picture()) : link("moved", { ...named, form: "png" });
        note(values, said);
        drawCurves();
        showClasses(rests ? null : said.predictions);
        byId("moved-says").textContent = rests ? "" : `${said.label}: ${number(said.probability, 4)}; features moved by `
            + said.distance.map((row) => `${number(row.distance)} (${row.layer})`).join(" and ");
    });
}

let filling = ""; /* the picture whose curves are being filled */

async function fill() {
    const key = JSON.stringify(picture());
    const wanted = Object.entries(motions).flatMap(([name, motion]) => valuesOf(motion).map((value) => ({ [name]: value })));
    if (filling === key)
        return;
    filling = key;
    byId("curves").ariaBusy = true;
    try {
        for (const values of wanted) {
            const said = await ask("moved", { ...picture(), ...asked(values) });
            if (filling !== key || key !== JSON.stringify(picture()))
                return;
            note(values, said);
            drawCurves();
        }
    } catch (error) {
        byId("moved-says").textContent = error.message;
    } finally {
        if (filling === key) {
            filling = "";
            byId("curves").ariaBusy = false;
        }
    }
}

let shownPicture = "";

const isGiven = () => Object.keys(motions).some((name) => getNumber(name) !== null);

/* What the address says of it. */
export function showMoving() {
    const key = JSON.stringify(picture());
    if (key !== shownPicture) {
        away = false;
        points = {};
        drawCurves();
        byId("moved-says").textContent = "";
    }
    shownPicture = key;
    for (const [name, motion] of Object.entries(motions)) {
        motion.slider.value = getNumber(name) ?? motion.rest;
        motion.output.textContent = `${motion.slider.value}${motion.unit}`;
    }
    byId("move").open = isGiven() || get("move") !== null;
    if (isGiven() || away)
        move();
    if (get("move") === "curves")
        fill();
}

function rest() {
    for (const { slider, rest } of Object.values(motions))
        slider.value = rest;
    move();
}

/* How far it is shifted, px, and in which steps, of which one is none at all. */
export function reachOf(height) {
    const far = Math.max(1, Math.round(60 * height / 224));
    const step = Math.max(1, Math.floor(far / 12));
    return { far: far - far % step, step };
}

export function startMoving(show) {
    const [, height] = world.model.input;
    const { far, step } = reachOf(height);
    const motion = (id, title, unit, rest, parameter) => {
        const slider = byId(id);
        return { slider, output: slider.parentElement.querySelector("output"), title, unit, rest, parameter };
    };
    showClasses = show;
    Object.assign(byId("shift"), { min: -far, max: far, step });
    motions = {
        shift: motion("shift", "shift", " px", 0, "shift_y"),
        scale: motion("scale", "scale", "", 1, "scale"),
        turn: motion("turn", "rotation", "°", 0, "degrees"),
    };
    for (const { slider } of Object.values(motions))
        slider.addEventListener("input", move);
    byId("fill-curves").addEventListener("click", () => {
        set({ move: "curves" });
        fill();
    });
    byId("unmoved").addEventListener("click", rest);
    byId("move").addEventListener("toggle", () => {
        if (byId("move").open) {
            set({ move: get("move") ?? (isGiven() ? null : 1) });
            return;
        }
        set({ move: null });
        if (away)
            rest();
    });
}
