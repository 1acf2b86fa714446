/* SPDX-License-Identifier: MIT */
/*
 * Random use of the live page in headless Chromium: how soon each act is seen, and whether the memory of server and
 * page stays flat.
 *
 *     node bench/serve_use.mjs ZFSCOPE MODEL DATA [--minutes 30] [--seed 1] [--rest 0]
 *
 * The same seed acts alike, as far as time allows. Between acts a person rests, --rest ms at the median, and what
 * was begun goes on; without it no hand is that quick. An act is timed in the page, from the event to the moment that
 * what it asks for is shown. Prints median and 95th percentile of each act, ms, and every minute the memory; ends
 * with 1 where the page says an error. Needs Chromium and playwright-core (NODE_PATH says where it is).
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const MINUTE = 60000;
const [zfscope, model, data, ...rest] = process.argv.slice(2);
const option = (name, usual) => (rest.includes(name) ? Number(rest[rest.indexOf(name) + 1]) : usual);
const minutes = option("--minutes", 30), rest_ms = option("--rest", 0);
let state = option("--seed", 1);
let errors = 0;

/* A linear congruential generator: what is random is what the seed says. */
function below(count) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * count);
}

const pick = (list) => list[below(list.length)];

/* ---- Figures. ---- */

const times = new Map();
const memory = [];

function note(act, ms) {
    times.set(act, [...(times.get(act) ?? []), ms]);
}

function print() {
    for (const [act, all] of [...times].sort()) {
        const sorted = all.toSorted((a, b) => a - b);
        const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0).padStart(6);
        console.log(`${act.padEnd(44)} n ${String(sorted.length).padStart(5)}  median ${at(0.5)}  95th ${at(0.95)}`);
    }
}

function megabytesOf(pid) {
    const line = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+([0-9]+)/);
    return Math.round(Number(line[1]) / 1024);
}

async function noteMemory(page, session, pid) {
    await session.send("HeapProfiler.collectGarbage");
    const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
    const nodes = (await session.send("Memory.getDOMCounters")).nodes;
    memory.push({ server: megabytesOf(pid), page: heap / 2 ** 20, nodes });
    const { server, page: used } = memory.at(-1);
    console.log(`minute ${memory.length - 1}: server ${server} MiB, page ${used.toFixed(1)} MiB of JavaScript, ${nodes} nodes`);
}

/* ---- Acts. ---- */

/* Act in the page: begin(), then wait for frames until done() is true. */
function timed(page, begin, done, argument) {
    return page.evaluate(async ([begin, done, argument]) => {
        const until = new Function("argument", `return (${done})(argument)`);
        const start = performance.now();
        new Function("argument", `(${begin})(argument)`)(argument);
        while (!until(argument)) {
            await new Promise(requestAnimationFrame);
            if (performance.now() - start > 60000)
                throw new Error(`not seen within a minute: ${done}`);
        }
        return performance.now() - start;
    }, [String(begin), String(done), argument]);
}

/* The wall is there when the sheet of its tiles is, which an image of the same address tells. */
const wallShown = () => {
    const face = document.querySelector(".tile .face");
    const sheet = face && face.style.backgroundImage.slice(5, -2);
    if (!sheet || sheet === globalThis.sheetBefore || document.querySelectorAll("#classes tr").length === 0)
        return false;
    if (globalThis.probe?.name !== sheet)
        globalThis.probe = Object.assign(new Image(), { name: sheet, src: sheet });
    return globalThis.probe.complete;
};

const rememberSheet = () => {
    globalThis.sheetBefore = document.querySelector(".tile .face")?.style.backgroundImage.slice(5, -2);
};

async function opensPhoto(page, photos) {
    const bytes = [...readFileSync(pick(photos))];
    await page.evaluate(rememberSheet);
    note("a photo, to classes and the first wall", await timed(page, (bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], "photo.jpg", { type: "image/jpeg" }));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
    }, wallShown, bytes));
}

async function choosesLayer(page) {
    const tabs = await page.locator("#strip button:not([aria-selected=true])").count();
    const tab = below(tabs);
    await page.evaluate(rememberSheet);
    note("a layer, to its wall", await timed(page,
        (tab) => document.querySelectorAll("#strip button:not([aria-selected=true])")[tab].click(), wallShown, tab));
}

const projectionsShown = () => {
    const images = [...document.querySelectorAll("#projections img")];
    return images.length > 0 && images[0] !== globalThis.imageBefore
        && images.every((image) => image.complete && image.naturalWidth > 0);
};

async function clicksCell(page) {
    const tiles = await page.locator(".tile").count();
    await page.evaluate(() => { globalThis.imageBefore = document.querySelector("#projections img"); });
    note("a cell, to its projections", await timed(page,
        (tile) => document.querySelectorAll(".tile")[tile].click(), projectionsShown, below(tiles)));
}

async function dragsSquare(page) {
    if (!await page.evaluate(() => document.querySelector("#hide").open)) {
        await page.click("#hide summary");
        await page.waitForSelector("#classes.changed");
    }
    for (let i = 0; i < 12; i++) {
        note("a dragged square, to its answer", await timed(page, (key) => {
            globalThis.rowBefore = document.querySelector("#classes tr");
            document.querySelector("#square").dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
        }, () => document.querySelector("#classes tr") !== globalThis.rowBefore,
        pick(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"])));
    }
}

async function fillsPlaces(page) {
    await dragsSquare(page);
    note("every place, first seen", await timed(page, () => {
        document.querySelector("#heat").hidden = true;
        document.querySelector("#whole").click();
    }, () => !document.querySelector("#heat").hidden));
    const begun = performance.now();
    await page.waitForSelector("#stop", { state: "hidden", timeout: MINUTE });
    note("every place, done after that", performance.now() - begun);
    await page.click("#hide summary");
}

async function turns(page) {
    if (!await page.evaluate(() => document.querySelector("#move").open))
        await page.click("#move summary");
    note("a turned picture, to its answer", await timed(page, (value) => {
        globalThis.rowBefore = document.querySelector("#classes tr");
        const slider = document.querySelector("#turn");
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    }, () => document.querySelector("#classes tr") !== globalThis.rowBefore, 10 * (1 + below(34))));
    await page.click("#unmoved");
    await page.click("#move summary");
}

async function readsUnit(page, origin, layers) {
    const begun = performance.now();
    await page.goto(`${origin}/unit/${encodeURIComponent(pick(layers))}/${below(8)}`, { waitUntil: "commit" });
    await page.waitForSelector("#histogram svg, #activity:has-text('above zero')");
    note("a unit's page, to its numbers", performance.now() - begun);
    await page.waitForFunction(() => [...document.querySelectorAll("#nine img")].some((image) => image.complete));
    note("a unit's page, to its first picture", performance.now() - begun);
    await page.goBack();
    await page.waitForSelector(".tile");
}

/* ---- */

async function use(page, origin, session, pid) {
    const photos = readdirSync(data, { recursive: true }).map((name) => path.join(data, name))
        .filter((name) => statSync(name).isFile());
    const layers = await page.evaluate(async () => (await (await fetch("/api/units")).json()).layers);
    const acts = [opensPhoto, opensPhoto, choosesLayer, choosesLayer, clicksCell, clicksCell, clicksCell, dragsSquare, dragsSquare,
        fillsPlaces, turns, readsUnit];
    const begun = performance.now();
    while (performance.now() - begun < minutes * MINUTE) {
        const act = pick(acts);
        await page.waitForTimeout(rest_ms * (0.5 + below(100) / 100));
        try {
            await (act === opensPhoto ? act(page, photos) : act === readsUnit ? act(page, origin, layers) : act(page));
        } catch (error) {
            errors++;
            console.log(`${act.name}: ${error.message}`);
            await page.goto(origin);
            await page.waitForSelector(".tile");
        }
        if (performance.now() - begun > memory.length * MINUTE)
            await noteMemory(page, session, pid);
    }
}

async function main() {
    const { chromium } = createRequire(import.meta.url)("playwright-core");
    const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((name) => existsSync(name));
    const served = spawn(zfscope, ["serve", model, "--data", data, "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
    const link = new URL(await new Promise((resolve) => served.stdout.once("data", (line) => resolve(String(line).trim()))));
    const browser = await chromium.launch({
        executablePath, args: ["--enable-precise-memory-info", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
    });
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on("pageerror", (error) => { errors++; console.log(`an error in the page: ${error.message}`); });
    page.on("console", (message) => {
        if (message.type() === "error") {
            errors++;
            console.log(`the console: ${message.text()}`);
        }
    });
    const begun = performance.now();
    await page.goto(String(link), { waitUntil: "commit" });
    await page.waitForSelector(".tile");
    note("the first page, to its wall", performance.now() - begun);
    await use(page, link.origin, await page.context().newCDPSession(page), served.pid);
    print();
    await browser.close();
    served.kill("SIGTERM");
    console.log(`${errors} errors`);
    process.exit(errors > 0 ? 1 : 0);
}

main();
