/* SPDX-License-Identifier: MIT */
/* A square that a hand drags over the picture, and the map of all its places. */
import { Newest, ask, byId, get, hand, layerNow, link, number, picture, set, world } from "/serve_common.js";
import { saves } from "/serve_save.js";

const POLL_MS = 150, FIRST_POLL_MS = 30; /* until there is something to see */
const answering = new Newest();
let showClasses;
let square = null; /* {x, y, side}, px of the input */
let growing = null; /* timer of the whole map */
let grown = null;
let kept = {}; /* what can be saved: of the square, and of the map of places */

/* The layer whose map is followed, where one is chosen. */
function followed() {
    return get("map") === null ? {} : { layer: layerNow().name, map: get("map") };
}

function colour() {
    return get("colour") ?? "mean";
}

/* ---- The square. ---- */

function draw() {
    const [, height, width] = world.model.input;
    const box = byId("square");
    box.hidden = square === null;
    if (!square)
        return;
    box.style.left = `${100 * square.x / width}%`;
    box.style.top = `${100 * square.y / height}%`;
    box.style.width = `${100 * square.side / width}%`;
    box.style.height = `${100 * square.side / height}%`;
    box.style.background = colour() === "mean" ? "#808080" : `rgb(${colour()})`;
    box.setAttribute("aria-label",
        `Square that hides ${square.side} px at ${square.x}, ${square.y}: arrow keys move it, plus and minus size it`);
    byId("side").value = square.side;
    byId("side-value").textContent = `${square.side} px`;
}

function put(x, y, side) {
    const [, height, width] = world.model.input;
    const longest = Math.min(width, height);
    const fits = Math.round(Math.max(2, Math.min(side, longest)));
    square = {
        x: Math.round(Math.max(0, Math.min(x, width - fits))),
        y: Math.round(Math.max(0, Math.min(y, height - fits))),
        side: fits,
    };
    set({ hide: `${square.x},${square.y},${square.side}` });
    draw();
    answer();
}

function answer() {
    const { x, y, side } = square;
    const asked = { ...picture(), ...followed(), x, y, width: side, height: side, colour: colour() };
    answering.ask(async () => {
        const said = await ask("hidden", { ...asked, hand: hand("square") });
        if (!square)
            return;
        showClasses(said.predictions);
        byId("hidden-says").textContent =
            `${said.label}: ${number(said.probability, 4)}; map ${said.map} of ${said.layer}: sum ${number(said.activation, 4)}`;
        showSaves({ square: ["the square's numbers (JSON)", link("hidden", asked), "hidden.json"] });
    });
}

function remove() {
    square = null;
    answering.cancel();
    set({ hide: null });
    draw();
    byId("hidden-says").textContent = "";
    showSaves({ square: null });
    if (world.seen)
        showClasses();
}

function showSaves(news) {
    kept = { ...kept, ...news };
    byId("hide-saves").replaceChildren(...saves(Object.values(kept).filter(Boolean)));
}

/* Dragged by its middle it moves, by its corner it grows. */
function startDragging() {
    const [, height, width] = world.model.input;
    const box = byId("square");
    let from = null;
    box.addEventListener("pointerdown", (event) => {
        box.setPointerCapture(event.pointerId);
        from = { at: { ...square }, x: event.clientX, y: event.clientY, grows: event.target.id === "corner" };
        box.focus();
        event.preventDefault();
    });
    box.addEventListener("pointermove", (event) => {
        if (!from)
            return;
        const photo = byId("photo").getBoundingClientRect();
        const dx = (event.clientX - from.x) / photo.width * width;
        const dy = (event.clientY - from.y) / photo.height * height;
        if (from.grows)
            put(from.at.x, from.at.y, from.at.side + Math.max(dx, dy));
        else
            put(from.at.x + dx, from.at.y + dy, from.at.side);
    });
    for (const end of ["pointerup", "pointercancel"])
        box.addEventListener(end, () => { from = null; });
    box.addEventListener("keydown", (event) => {
        const far = event.shiftKey ? 8 : 1;
        const [dx, dy, grow] = {
            ArrowLeft: [-far, 0, 0], ArrowRight: [far, 0, 0], ArrowUp: [0, -far, 0], ArrowDown: [0, far, 0],
            "+": [0, 0, 2], "=": [0, 0, 2], "-": [0, 0, -2],
        }[event.key] ?? [];
        if (dx === undefined || !square)
            return;
        event.preventDefault();
        put(square.x + dx, square.y + dy, square.side + grow);
    });
}

/* ---- Every place. ---- */

/* A place is coloured where the middle of its square is. */
const insetOf = ({ size, stride }) => Math.max(0, (size - stride) / 2);

/* Where it is low, hiding hurts: that is what is coloured. */
function paint() {
    const rows = grown[byId("heat-of").value];
    const known = rows.flat().filter((value) => value !== null);
    const low = Math.min(...known), high = Math.max(...known);
    const canvas = Object.assign(byId("heat"), { width: rows[0].length, height: rows.length });
    const context = canvas.getContext("2d");
    const image = context.createImageData(rows[0].length, rows.length);
    /* A place that is not known yet is as its coarse neighbour. */
    const near = (y, x) => [1, 2, 4].map((step) => rows[y - y % step][x - x % step]).find((value) => value !== null);
    rows.flat().forEach((_, i) => {
        const value = near(Math.floor(i / rows[0].length), i % rows[0].length) ?? null;
        const hurt = value === null || high === low ? 0 : (high - value) / (high - low);
        image.data.set([214, 60, 20, value === null ? 0 : 40 + 190 * hurt], 4 * i);
    });
    context.putImageData(image, 0, 0);
    const [, height, width] = world.model.input;
    const inset = insetOf(grown);
    canvas.style.left = `${100 * inset / width}%`;
    canvas.style.top = `${100 * inset / height}%`;
    canvas.style.width = `${100 * (width - 2 * inset) / width}%`;
    canvas.style.height = `${100 * (height - 2 * inset) / height}%`;
    canvas.hidden = false;
    byId("whole-says").textContent = `${grown.label}: ${number(grown.probability)} when nothing is hidden; `
        + `${number(Math.min(...grown.probability_map.flat().filter((value) => value !== null)))} at the place that hurts most `
        + `(square of ${grown.size} px, steps of ${grown.stride} px). Dark orange hurts.`;
}

function endGrowing() {
    clearTimeout(growing);
    growing = null;
    byId("stop").hidden = true;
    byId("whole-progress").hidden = true;
}

async function grow(stop = false) {
    const side = square ? { size: square.side } : {};
    const of = JSON.stringify(picture());
    const asked = { ...picture(), ...followed(), ...side, colour: colour() };
    try {
        const answered = await ask("occlusion", { ...asked, stop: stop ? 1 : null });
        if (stop || of !== JSON.stringify(picture()))
            return;
        grown = answered;
    } catch (error) {
        endGrowing();
        byId("whole-says").textContent = error.message;
        return;
    }
    byId("whole-progress").value = grown.done / grown.places;
    if (grown.done > 0) {
        byId("heat-of").hidden = false;
        paint();
    }
    if (grown.done === grown.places) {
        endGrowing();
        showSaves({ places: ["the map of places (JSON)", link("occlusion", asked), "occlusion.json"] });
    } else if (growing !== null)
        growing = setTimeout(grow, grown.done > 0 ? POLL_MS : FIRST_POLL_MS);
}

function startGrowing() {
    endGrowing();
    set({ whole: 1 });
    byId("stop").hidden = false;
    byId("whole-progress").hidden = false;
    growing = setTimeout(grow, 0);
}

function forgetWhole() {
    endGrowing();
    grown = null;
    byId("heat").hidden = true;
    byId("heat-of").hidden = true;
    byId("whole-says").textContent = "";
    showSaves({ places: null });
}

/* ---- */

/* What the address says of it. */
export function showHiding() {
    const [x, y, side] = (get("hide") ?? "").split(",").map(Number);
    const options = [...byId("colour").options].map((option) => option.value);
    byId("colour").value = options.includes(colour()) ? colour() : "other";
    byId("other-colour").hidden = byId("colour").value !== "other";
    if (byId("colour").value === "other")
        byId("other-colour").value = `#${colour().split(",").map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
    byId("heat-of").value = get("heat") === "activity" ? "activation_map" : "probability_map";
    forgetWhole();
    if (Number.isFinite(side)) {
        byId("hide").open = true;
        put(x, y, side);
    } else if (square) {
        remove();
    }
    if (get("whole") !== null) {
        byId("hide").open = true;
        startGrowing();
    }
    byId("hide").open = square !== null || get("whole") !== null;
}

function setColour() {
    const chosen = byId("colour").value;
    const parts = byId("other-colour").value.match(/[0-9a-f]{2}/g).map((part) => parseInt(part, 16));
    byId("other-colour").hidden = chosen !== "other";
    set({ colour: chosen === "mean" ? null : chosen === "other" ? parts.join(",") : chosen });
    if (square) {
        draw();
        answer();
    }
}

export function startHiding(show) {
    const [, height, width] = world.model.input;
    const usual = Math.max(2, Math.round(Math.min(32, Math.min(width, height) * 2 / 7)));
    showClasses = show;
    if (world.model.answer === "numbers")
        byId("heat-of").options[0].textContent = "the value";
    byId("side").max = Math.min(width, height);
    byId("side").value = usual;
    byId("hide").addEventListener("toggle", () => {
        if (byId("hide").open && !square && get("whole") === null)
            put((width - usual) / 2, (height - usual) / 2, usual);
        else if (!byId("hide").open && square) {
            remove();
            set({ whole: null });
            forgetWhole();
        }
    });
    byId("side").addEventListener("input", (event) => square && put(square.x, square.y, Number(event.target.value)));
    byId("colour").addEventListener("change", setColour);
    byId("other-colour").addEventListener("input", setColour);
    byId("whole").addEventListener("click", startGrowing);
    byId("heat-of").addEventListener("change", (event) => {
        set({ heat: event.target.value === "activation_map" ? "activity" : null });
        if (grown)
            paint();
    });
    byId("stop").addEventListener("click", () => {
        endGrowing();
        set({ whole: null });
        grow(true);
    });
    startDragging();
}
