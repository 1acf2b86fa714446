/* SPDX-License-Identifier: MIT */
/*
 * The live page in headless Chromium: each act of a hand, and its address reloaded.
 *
 *     node tests/serve.mjs ZFSCOPE
 *
 * Needs Chromium and playwright-core (npm install playwright-core; NODE_PATH says where it is); where
 * one is missing it says so and ends with 77, which meson counts as skipped.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EPOCHS, check, load_playwright, make_world, named, open_page, serve, skip, stop, tally, text } from "./serve_world.mjs";
import { addresses } from "./serve_addresses.mjs";
import { large } from "./serve_large.mjs";
import { fits, saves } from "./serve_looks.mjs";

/* ---- What a visitor does. ---- */

const projected = (page) => page.waitForFunction(() => {
    const images = [...document.querySelectorAll("#projections img")];
    return images.length === 3 && images.every((image) => image.complete && image.naturalWidth > 0);
});

async function opens(browser, link) {
    const page = await open_page(browser, link);
    await page.waitForSelector(".tile");
    check(!page.url().includes("token"), "the token leaves the address", page.url());
    check(named(page, "data") === "0", "the first picture of the data set is shown");
    check((await page.locator("#classes tr").count()) === 5, "five classes");
    await page.context().close();
}

async function uploads(page, photo) {
    await page.setInputFiles("#file", photo);
    await page.waitForURL(/picture=[0-9a-f]{16}/);
    const classes = await text(page, "#classes");
    await page.reload();
    await page.waitForSelector("#classes tr");
    check(await text(page, "#classes") === classes, "an upload's address shows it again");
    const dropped = await page.evaluateHandle(([bytes]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], "photo.png", { type: "image/png" }));
        return transfer;
    }, [[...readFileSync(photo)]]);
    const before = page.url();
    await page.dispatchEvent("body", "drop", { dataTransfer: dropped });
    await page.waitForURL((url) => String(url) !== before);
    check(await text(page, "#classes") === classes, "a drop is answered as the file was");
    await page.setInputFiles("#file", { name: "x.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.waitForSelector("#message:has-text('the picture: ')");
}

async function looks_at_cells(page) {
    await page.click("#strip button:has-text('conv3')");
    await page.waitForSelector("#wall-title:has-text('conv3')");
    check((await page.locator("#marks .strong").count()) > 1, "the strongest cells are framed on the photo");
    await page.hover("#photo", { position: { x: 150, y: 150 } });
    check((await page.locator(".tile.sees").count()) > 0, "tiles whose cell sees what the pointer is on");
    await page.click(".tile >> nth=2");
    await projected(page);
    const title = await text(page, "#cell-title");
    check(/^Map \d+ of conv3, row \d+, column \d+/.test(title), "a cell is named", title);
    const frame = await page.locator("#marks .chosen").getAttribute("width");
    check(Number(frame) > 1, "its receptive field is framed on the photo", frame);
    await page.reload();
    await projected(page);
    check(await text(page, "#cell-title") === title, "its address shows it again");
    await page.waitForFunction(() => [...document.querySelectorAll(".precision")].every((one) => one.innerText === "exact"));

    await page.hover("#photo", { position: { x: 150, y: 150 } });
    check((await page.locator("#map-marks .seer").count()) > 0, "cells that see what the pointer is on");
    await page.focus("#map-view");
    const x = Number(named(page, "x"));
    await page.keyboard.press(x > 0 ? "ArrowLeft" : "ArrowRight");
    await page.waitForFunction((before) => document.querySelector("#cell-title").innerText !== before, title);
    check(Number(named(page, "x")) === (x > 0 ? x - 1 : x + 1), "an arrow key goes to the next cell", page.url());
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("#cell").hidden);
    await page.goForward();
    await projected(page);

    await page.focus(".tile >> nth=0");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll(".tile")[1].getAttribute("aria-current") === "true");
    await page.selectOption("#sort", "number");
    check((await page.locator(".tile >> nth=0").getAttribute("data-map")) === "0", "sorted by number");
}

async function hides(page) {
    await page.click("#hide summary");
    await page.waitForSelector("#classes.changed");
    const box = await page.locator("#square").boundingBox();
    const before = named(page, "hide");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 60, box.y + box.height / 2 + 40, { steps: 8 });
    await page.mouse.up();
    check(named(page, "hide") !== before, "the square is dragged", named(page, "hide"));
    const side = Number(named(page, "hide").split(",")[2]);
    await page.focus("#square");
    await page.keyboard.press("+");
    check(Number(named(page, "hide").split(",")[2]) === side + 2, "and grows by the keyboard", named(page, "hide"));
    await page.waitForFunction(() => document.querySelector("#hidden-says").innerText.includes("sum"));
    await page.selectOption("#colour", "255,255,255");
    const address = page.url();
    await page.reload();
    await page.waitForSelector("#classes.changed");
    check(page.url() === address, "its address shows it again", page.url());
    await page.click("#whole");
    await page.waitForSelector("#heat:not([hidden])");
    await page.waitForSelector("#stop", { state: "hidden" });
    check((await text(page, "#whole-says")).includes("hurts"), "every place");
    await page.click("#hide summary");
    await page.waitForSelector("#classes:not(.changed)");
    check(named(page, "hide") === null && named(page, "whole") === null, "closed, nothing is hidden", page.url());
}

async function moves(page) {
    const rests = await page.evaluate(async () => {
        const { reachOf } = await import("/serve_move.js");
        return [6, 28, 64, 224, 240, 256, 299, 416].map(reachOf).every(({ far, step }) => far > 0 && far % step === 0);
    });
    check(rests, "pictures of any height have a place where they are not shifted");
    await page.click("#move summary");
    await page.focus("#turn");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.querySelector("#moved-says").innerText.includes("features"));
    check(named(page, "turn") === "10", "the picture is turned", page.url());
    check((await page.locator("#curves svg").count()) > 0, "a curve grows");
    await page.click("#unmoved");
    await page.waitForSelector("#classes:not(.changed)");
}

async function picks(page) {
    await page.click("#browse");
    await page.waitForSelector(".gallery button");
    await page.click(".gallery button >> nth=5");
    await page.waitForURL(/data=5/);
    await page.waitForSelector("#gallery", { state: "hidden" });
}

async function looks_at_units(browser, link) {
    const page = await open_page(browser, link, "/unit/relu2/3");
    await page.waitForSelector("#title:has-text('Map 3 of conv2')");
    await page.waitForSelector(".nine figure");
    await page.selectOption("#rule", "guided");
    await page.waitForFunction(() => document.querySelector(".nine .parts > img").src.includes("guided"));
    await page.waitForSelector("#connections:not([hidden])");
    check((await page.locator("#fed-by tr").count()) > 0 && (await page.locator("#silenced tbody tr").count()) === 9,
        "what feeds it, and what the net says without it");
    await page.click("#after");
    await page.waitForSelector("#title:has-text('Map 4 of conv2')");
    check(new URL(page.url()).pathname === "/unit/conv2/4", "the next unit", page.url());
    await page.context().close();
}

async function runs_experiments(browser, link) {
    const page = await open_page(browser, link, "/experiments?data=2");
    await page.click("#diagnose summary");
    await page.click("#diagnose button[type=submit]");
    await page.waitForSelector(".trial.done", { timeout: 60000 });
    const [result] = await Promise.all([page.context().waitForEvent("page"), page.click(".trial.done a >> nth=0")]);
    await result.waitForSelector("h1");
    check(await result.evaluate(() => origin) === "null", "its page has no rights here");
    await page.goto(`${link.origin}/training`);
    await page.waitForSelector("#charts svg");
    check((await page.locator("#growth figure").count()) === EPOCHS, "the first filters of each kept epoch");
    await page.waitForSelector(".pairs img");
    check((await page.locator("#dead thead th").count()) === 2 + EPOCHS, "dead maps of each kept epoch");
    await page.fill("#maps", "4, 7");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#grown h3:has-text('Map 7')");
    check(named(page, "maps") === "4, 7", "chosen maps stand in the address", page.url());
    await page.context().close();
}

/* Tab, as often as it takes; the ring that shows where one is has to be there. */
async function tab_to(page, selector, key = "Tab") {
    for (let i = 0; i < 80; i++) {
        await page.keyboard.press(key);
        const [there, ring, what] = await page.evaluate((wanted) => {
            const one = document.activeElement;
            return [one.matches(wanted), getComputedStyle(one).outlineStyle !== "none" || one.matches("body, input[type=file]"),
                one.outerHTML.slice(0, 80)];
        }, selector);
        check(ring, "what has the focus is seen to have it", what);
        if (there)
            return;
    }
    throw new Error(`Tab does not lead to ${selector}`);
}

async function by_keyboard(browser, link) {
    const page = await open_page(browser, link, "/?data=1&layer=conv2");
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    await page.waitForSelector(".tile");
    await tab_to(page, "#browse");
    await press("Enter");
    await page.waitForSelector(".gallery button");
    await tab_to(page, ".gallery button");
    await press("Tab", "Tab", "Enter");
    await page.waitForSelector("#gallery", { state: "hidden" });
    await page.waitForFunction(() => new URLSearchParams(location.search).get("data") !== "1"); /* a picture is chosen */
    await page.waitForSelector(".tile");
    await tab_to(page, "#hide summary");
    await press("Enter");
    await page.waitForSelector("#classes.changed");
    await tab_to(page, "#square", "Shift+Tab"); /* it lies on the photo, above */
    const before = named(page, "hide");
    await press("ArrowRight", "ArrowDown", "+");
    check(named(page, "hide") !== before, "the square moves and grows", named(page, "hide"));
    await tab_to(page, "#whole");
    await press("Enter");
    await page.waitForSelector("#stop", { state: "hidden" });
    await tab_to(page, "#move summary");
    await press("Enter");
    await tab_to(page, "#turn");
    await press("ArrowRight");
    await page.waitForFunction(() => document.querySelector("#moved-says").innerText.includes("features"));
    await tab_to(page, "#unmoved");
    await press("Enter");
    await tab_to(page, "#strip [aria-selected=true]");
    await press("ArrowRight");
    await page.waitForFunction(() => new URLSearchParams(location.search).get("layer") === "relu2");
    await tab_to(page, "#sort");
    await press("ArrowDown");
    check(named(page, "sort") === "number", "sorted otherwise", page.url());
    await tab_to(page, ".tile");
    await press("ArrowRight", "Enter");
    await projected(page);
    await tab_to(page, "#map-view", "Shift+Tab");
    await press("ArrowDown");
    await tab_to(page, "#unit-link");
    await press("Enter");
    await page.waitForSelector(".nine figure");
    await tab_to(page, "#rule");
    await press("ArrowDown");
    check(named(page, "rule") === "gradient", "another rule", page.url());
    await page.goto(`${link.origin}/experiments?data=1`);
    await page.waitForSelector("#diagnose summary");
    await tab_to(page, "#diagnose summary");
    await press("Enter");
    await tab_to(page, "#diagnose button");
    await press("Enter");
    await page.waitForSelector(".trial");
    await page.context().close();
}

async function survives(browser, directory, link, served) {
    const pages = [await open_page(browser, link), await open_page(browser, link, "/?data=3")];
    for (const page of pages)
        await page.waitForSelector(".tile");
    check(await text(pages[0], "#photo-note") !== await text(pages[1], "#photo-note"), "two browsers look at two pictures");
    for (const page of pages)
        page.leaving = true;
    check(await stop(served) === 0, "the server ends in good order");
    await pages[0].click("#strip button >> nth=0");
    await pages[0].waitForSelector("#message:has-text('does not answer')");
    const again = await serve(directory, { port: link.port });
    const page = await open_page(browser, again.link, "/?data=3");
    await page.waitForSelector(".tile");
    return again.served;
}

async function main() {
    const playwright = load_playwright();
    const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((name) => existsSync(name))
        ?? skip("no Chromium");
    const directory = mkdtempSync(path.join(tmpdir(), "zfscope-serve-pages-"));
    const photo = make_world(directory);
    let { served, link } = await serve(directory);
    const browser = await playwright.chromium.launch({
        executablePath: chromium, args: process.getuid() === 0 ? ["--no-sandbox"] : [],
    });
    try {
        await opens(browser, link);
        const page = await open_page(browser, link);
        await page.waitForSelector(".tile");
        await looks_at_cells(page);
        await hides(page);
        await moves(page);
        await picks(page);
        page.leaving = true; /* an upload that is refused is an error in the console */
        await uploads(page, photo);
        await looks_at_units(browser, link);
        await runs_experiments(browser, link);
        await fits(browser, link);
        await saves(browser, link);
        await addresses(browser, link);
        await large(browser, directory, photo, link);
        await by_keyboard(browser, link);
        served = await survives(browser, directory, link, served);
    } catch (error) {
        check(false, "an act", error.stack);
    } finally {
        await browser.close();
        await stop(served);
        rmSync(directory, { recursive: true });
    }
    console.log(tally.failures === 0 ? "all good" : `${tally.failures} failures`);
    process.exit(tally.failures > 0 ? 1 : 0);
}

main();
