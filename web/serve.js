/* SPDX-License-Identifier: MIT */
/* The picture's page: what it shows follows from the address. */
import { ask, byId, complain, element, get, layerNow, link, meet, number, onAddress, picture, say, set, world }
    from "/serve_common.js";
import { saves } from "/serve_save.js";
import { startChoosing } from "/serve_choose.js";
import { startWall, showLayer } from "/serve_wall.js";
import { startCell, showCell } from "/serve_cell.js";
import { startHiding, showHiding } from "/serve_hide.js";
import { startMoving, showMoving } from "/serve_move.js";

/* The classes with their bars; `now` are those of a changed picture. */
export function showClasses(now = null) {
    const before = world.seen.predictions;
    const shown = now ?? before;
    const word = world.model.answer === "numbers" ? "value" : "probability";
    const most = Math.max(...shown.map((row) => Math.abs(row[word])), 1e-30);
    const rows = shown.map((row) => {
        const was = before.find((other) => other.index === row.index)?.[word];
        const value = row[word];
        const bar = element("span", { className: "bar-of" });
        bar.style.width = `${100 * (word === "value" ? Math.abs(value) / most : value)}%`;
        return element("tr", {},
            element("th", { scope: "row", textContent: row.label, dir: "auto" }),
            element("td", { className: "bar-cell" }, bar),
            element("td", {
                className: "figure",
                textContent: word === "value" ? number(value, 5) : value.toFixed(4),
                title: now && was !== undefined ? `${number(was, 4)} when nothing is hidden` : "",
            }));
    });
    byId("classes").replaceChildren(...rows);
    byId("classes").classList.toggle("changed", now !== null);
}

function showTitle() {
    const { answer, classes, ends_in_maps } = world.model;
    const count = world.seen.predictions.length;
    byId("classes-title").textContent = `What the net says${ends_in_maps ? ": the mean of each of its maps" : ""}`
        + (count === classes ? "" : ` (the ${answer === "numbers" ? `first ${count}` : `${count} most probable`} `
            + `of ${classes.toLocaleString("en")})`);
}

function showNote() {
    const seen = world.seen;
    const [channels, height, width] = world.model.input;
    const parts = [];
    if (seen.path !== undefined)
        parts.push(seen.label ? `${seen.path}, of class ${seen.label}` : seen.path);
    parts.push(`${width} × ${height} px${channels === 1 ? ", in grey" : ""}: what the net sees`);
    byId("photo-note").textContent = parts.join("; ");
    byId("picture-saves").replaceChildren(...saves([["the picture (PNG)", link("shown", picture()), "picture.png"],
        ["with what lies on it (PNG)", byId("photo"), "seen.png"],
        ["its answer (JSON)", link("picture", picture()), "answer.json"]]));
}

let shownPicture = "";

async function showPicture() {
    const named = picture();
    const key = JSON.stringify(named);
    if (!named) {
        byId("work").hidden = true;
        return false;
    }
    if (key === shownPicture)
        return true;
    world.seen = world.given?.key === key ? world.given.answer : await ask("picture", named);
    world.given = null;
    shownPicture = key;
    byId("shown").src = link("shown", named);
    byId("work").hidden = false;
    document.querySelector("a[href^='/experiments']").href = `/experiments?${new URLSearchParams(named)}`;
    showNote();
    showTitle();
    showClasses();
    return true;
}

async function showAll() {
    try {
        if (!await showPicture())
            return;
        say(get("layer") === null || world.layers.has(get("layer")) ? ""
            : `this net has no layer ${get("layer")}; ${layerNow().name} is shown`);
        await showLayer();
        showCell();
        showHiding();
        showMoving();
    } catch (error) {
        if (error.status === 422 && get("picture"))
            byId("work").hidden = true;
        complain(error);
    }
}

/* The server has been given a picture and has answered. */
export function take(answer) {
    const named = answer.picture !== undefined ? { picture: answer.picture } : { data: answer.data };
    world.given = { key: JSON.stringify(named), answer };
    set({
        picture: null, data: null, y: null, x: null, shift: null, scale: null, turn: null,
        whole: null, move: get("move") && 1, ...named,
    }, true);
    return showAll();
}

async function start() {
    try {
        const model = await meet();
        byId("notes").replaceChildren(...model.notes.map((textContent) =>
            element("li", { textContent, dir: "auto", className: textContent.startsWith("warning") ? "warning" : "" })));
        byId("notes").hidden = model.notes.length === 0;
        document.title = `${model.name} - zfscope`;
        byId("title").textContent = model.name;
    } catch (error) {
        complain(error);
        return;
    }
    startChoosing(take);
    startWall();
    startCell();
    startHiding(showClasses);
    startMoving(showClasses);
    onAddress(showAll);
    if (!picture() && world.model.data)
        set({ data: 0 });
    await showAll();
}

start();
