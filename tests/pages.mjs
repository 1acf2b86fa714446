/* SPDX-License-Identifier: MIT */
/*
 * Every page in headless Chromium: three widths, light and dark, the keyboard alone; what gets into
 * one as markup runs nothing and fetches nothing.
 *
 *     node tests/pages.mjs ZFSCOPE
 *
 * Needs Chromium and playwright-core (npm install playwright-core; NODE_PATH says where it is); where
 * one is missing it says so and ends with 77, which meson counts as skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const WIDTHS = [390, 800, 1400];
const LEAST_TEXT = 11; /* px on a phone */
const LEAST_CONTRAST = 4.5; /* WCAG 2, level AA */

/* Names that no line of a phone has room for, and no place to break. */
const PHOTOS = "photos_of_shapes_in_a_folder_whose_name_is_longer_than_a_line";
const RUN = "run_of_a_small_net_in_a_folder_whose_name_is_longer_than_a_line";

const zfscope = path.resolve(process.argv[2] ?? "zfscope");
let failures = 0;

function skip(what) {
    console.log(`SKIP: ${what}`);
    process.exit(77);
}

function check(good, what, found = "") {
    if (!good) {
        failures++;
        console.log(`FAIL: ${what} ${found}`);
    }
}

function find_browser() {
    return ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .find((name) => existsSync(name));
}

function load_playwright() {
    try {
        return createRequire(import.meta.url)("playwright-core");
    } catch {
        return null;
    }
}

/* Where two parts of some drawings are said to be. */
function write_parts(directory) {
    const drawings = readdirSync(path.join(directory, PHOTOS, "train"), { recursive: true })
        .filter((name) => name.endsWith(".png")).sort().slice(0, 3);
    const lines = drawings.flatMap((file) => ["one", "other"].map(
        (part, i) => [path.join(PHOTOS, "train", file), part, 20 + 20 * i, 30].join("\t")));

    writeFileSync(path.join(directory, "parts.tsv"), `${lines.join("\n")}\n`);
}

/* A page of each kind, of a net that was drawn and not trained. */
function make_pages(directory) {
    const run = (...words) => execFileSync(zfscope, words, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    const model = `${RUN}/model.safetensors`;

    run("synth", PHOTOS, "--images", "20");
    const folder = path.join(directory, PHOTOS, "val");
    const kind = readdirSync(folder).sort()[0];
    const photo = path.join(PHOTOS, "val", kind, readdirSync(path.join(folder, kind)).sort()[0]);

    run("train", "zfnet32", "--data", "synth:train:40", "--val", "synth:val:20", "--epochs", "2",
        "--keep", "1,2", "-o", RUN);
    run("top", model, "--data", "synth:val:20", "--layer", "conv1", "conv5", "-o", "out/top");
    run("top", model, "--data", "synth:val:20", "--layer", "conv1", "--single-file", "-o", "out/single");
    run("unit", model, "--data", "synth:val:40", "--layer", "relu5", "--map", "3", "-o", "out/unit");
    run("unit", model, "--data", "synth:val:20", "--layer", "fc8", "--map", kind, "-o", "out/class");
    run("occlude", model, photo, "--stride", "6", "-o", "out/occlude");
    run("invariance", model, photo, "-o", "out/invariance");
    run("diagnose", model, "--data", "synth:val:20", "-o", "out/diagnose");
    run("evolve", RUN, "--data", "synth:val:20", "--maps", "2", "-o", "out/evolve");
    run("eval", model, "--data", "synth:val:40", "-o", "out/eval");
    run("compare", `${RUN}/epochs/0001.safetensors`, model, "--data", "synth:val:40", "-o", "out/compare");
    writeFileSync(path.join(directory, "other.ini"), "[net]\nbase = zfnet32\nname = other\n");
    run("ablate", "--nets", "zfnet32", "other.ini", "--data", "synth:train:20", "--val", "synth:val:20",
        "--epochs", "1", "-o", "out/ablate");
    run("transfer", model, "--data", `${PHOTOS}/train`, "--per-class", "1", "--folds", "2", "-o",
        "out/transfer");
    write_parts(directory);
    run("correspond", model, "parts.tsv", "-o", "out/correspond");
    mkdirSync(path.join(directory, "out/info"));
    run("info", model, "-o", "out/info/index.html");
    run("report", ".", "-o", "report.html");
    return [...readdirSync(path.join(directory, "out")).map((name) => `out/${name}/index.html`), "report.html"];
}

/* ---- In the page. ---- */

/* Ticks between whole numbers on axes of what comes in whole numbers. */
function ticks_between() {
    const counted = /^(epochs?|maps|pictures|training pictures)\b/;
    const found = [];
    for (const chart of document.querySelectorAll(".zf-chart")) {
        const [y, x] = chart.querySelectorAll(".zf-labels");
        for (const unit of chart.querySelectorAll(".zf-unit")) {
            const labels = [...(unit.getAttribute("text-anchor") === "end" ? x : y).children];
            if (counted.test(unit.textContent))
                found.push(...labels.map((label) => label.textContent).filter((text) => text.includes(".")));
        }
    }
    return found;
}

/* What is wrong with the words and pictures that are seen. */
function look(least_contrast) {
    const luminance = (colour) => {
        const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((value) => {
            const share = value / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/, 0\)$|transparent/.test(colour))
                return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const found = { smallest: Infinity, smallestText: "", faint: [], nameless: [], ungrouped: [] };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);

    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (text === "" || !element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false })
            || /^(SCRIPT|STYLE|TITLE|NOSCRIPT|OPTION)$/i.test(element.tagName)
            || element.getClientRects().length === 0)
            continue;
        const style = getComputedStyle(element);
        const svg = element.closest("svg");
        const scale = svg?.viewBox.baseVal?.width
            ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
        const size = parseFloat(style.fontSize) * scale;
        const ink = luminance(svg ? style.fill : style.color), paper = luminance(behind(element));
        const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        if (size < found.smallest)
            Object.assign(found, { smallest: size, smallestText: text });
        if (contrast < least_contrast)
            found.faint.push(`${text.slice(0, 40)} (${contrast.toFixed(2)})`);
        if (!element.closest("code") && /(^|[\s(])[1-9]\d{4,}(?=[\s),;:]|\.?(\s|$))/.test(text))
            found.ungrouped.push(text.slice(0, 40));
    }
    for (const image of document.images) {
        if (!image.alt.trim())
            found.nameless.push(image.src.slice(0, 60));
    }
    return found;
}

/* One width in light or dark. */
async function look_at(page, where, width, colorScheme) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `${where} no sideways scrolling`, `${wide} px`);
    const found = await page.evaluate(look, LEAST_CONTRAST);
    check(found.smallest < Infinity, `${where} has words`);
    check(width > 390 || found.smallest >= LEAST_TEXT, `${where} words of ${LEAST_TEXT} px`,
          `${found.smallest.toFixed(1)} px: ${found.smallestText}`);
    check(found.faint.length === 0, `${where} contrast of ${LEAST_CONTRAST}`, found.faint.slice(0, 5));
    check(found.nameless.length === 0, `${where} every picture has a text`, found.nameless);
    check(found.ungrouped.length === 0, `${where} long numbers are in groups of digits`, found.ungrouped);
    const between = await page.evaluate(ticks_between);
    check(between.length === 0, `${where} axes of whole numbers have whole ticks`, between);
}

async function look_through(browser, file, name) {
    const page = await browser.newPage();
    let where = name;

    page.on("console", (message) => check(message.type() !== "error", where, message.text()));
    page.on("pageerror", (error) => check(false, where, error.message));
    await page.goto(`file://${file}`);
    for (const width of WIDTHS) {
        for (const scheme of ["light", "dark"]) {
            where = `${name}, ${width} px, ${scheme}:`;
            await look_at(page, where, width, scheme);
        }
    }
    await page.close();
}

/* A map is found, opened, passed on from and closed without a mouse. */
async function use_keyboard(browser, file) {
    const page = await browser.newPage();
    const title = () => page.textContent("#detail-title");

    await page.goto(`file://${file}#conv5`);
    await page.waitForSelector("#conv5 .map");
    for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(() => document.activeElement.classList.contains("map")))
            break;
    }
    await page.keyboard.press("Enter");
    await page.waitForSelector("#detail[open]", { timeout: 5000 });
    const first = await title();
    check(/^conv5, map \d+$/.test(first), "Enter opens a map", first);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((old) => document.querySelector("#detail-title").textContent !== old,
                               first, { timeout: 5000 });
    await page.keyboard.press("Escape");
    check(await page.evaluate(() => !document.querySelector("#detail").open), "Escape closes it");
    await page.close();
}

/* What a hostile name would be if it got through as markup: each says so by an attribute of the root. */
const INTRUDERS = {
    script: "<script>document.documentElement.dataset.script = 1</script>",
    handler: "<img src=\"data:,\" onerror=\"document.documentElement.dataset.handler = 1\">",
    file: "<script src=\"intruder.js\"></script>",
    frame: "<iframe srcdoc=\"<script>parent.document.documentElement.dataset.frame = 1</script>\"></iframe>",
    style: "<style>:root { --intruder: style; }</style>",
    attribute: "<p id=\"intruder\" style=\"--intruder: attribute\"></p>",
};

/* Which of them did something. */
async function let_in(browser, file, change) {
    const folder = path.dirname(file), changed = path.join(folder, "intruders.html");
    const text = change(readFileSync(file, "utf8"));
    const page = await browser.newPage();
    const styled = (selector) => page.evaluate((name) =>
        getComputedStyle(document.querySelector(name)).getPropertyValue("--intruder").trim(), selector);

    writeFileSync(path.join(folder, "intruder.js"), "document.documentElement.dataset.file = 1;");
    writeFileSync(changed, text.replace("<main>", `<main>${Object.values(INTRUDERS).join("\n")}`));
    await page.goto(`file://${changed}`);
    await page.waitForTimeout(200);
    const done = Object.keys(await page.evaluate(() => ({ ...document.documentElement.dataset })));
    done.push(await styled(":root"), await styled("#intruder"));
    await page.close();
    return [...new Set(done)].filter((name) => name).sort();
}

/* The same without the policy shows that each of them would have. */
async function let_nothing_in(browser, file, name) {
    const policy = /<meta http-equiv="Content-Security-Policy"[^>]*>/;
    const without = await let_in(browser, file, (text) => text.replace(policy, ""));
    const held = await let_in(browser, file, (text) => text);

    check(without.join() === Object.keys(INTRUDERS).sort().join(), `${name}: without a policy`, without);
    check(held.length === 0, `${name}: the policy holds`, held);
}

const playwright = load_playwright();
const executablePath = find_browser();

if (!playwright)
    skip("playwright-core is not installed");
if (!executablePath)
    skip("there is no Chromium");
const directory = mkdtempSync(path.join(tmpdir(), "zfscope-pages-"));
try {
    const pages = make_pages(directory);
    const browser = await playwright.chromium.launch({ executablePath, args: ["--no-sandbox"] });
    for (const name of pages) {
        await look_through(browser, path.join(directory, name), name);
        await let_nothing_in(browser, path.join(directory, name), name);
    }
    await use_keyboard(browser, path.join(directory, "out/top/index.html"));
    await browser.close();
    console.log(`${pages.length} pages, ${failures} complaints`);
} finally {
    rmSync(directory, { recursive: true, force: true });
}
process.exit(failures ? 1 : 0);
