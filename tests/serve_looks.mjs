/* SPDX-License-Identifier: MIT */
/* How the live page looks at all widths and in both schemes, and what of it can be saved. */
import { readFileSync } from "node:fs";
import { check, open_page, rest } from "./serve_world.mjs";

/* Of all text that is seen, what is too small, or too like its ground; of all pictures and acts, what has no name. */
function flaws() {
    const channels = (colour) => (colour.match(/[0-9.]+/g) ?? []).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const [r, g, b, a = 1] = channels(getComputedStyle(at).backgroundColor);
            if (a === 1)
                return [r, g, b];
        }
        return [255, 255, 255];
    };
    const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const found = [];
    for (const one of document.querySelectorAll("body *")) {
        const words = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
        const style = getComputedStyle(one);
        const painted = one.namespaceURI.endsWith("svg");
        if (!words || !one.checkVisibility() || one.closest("[aria-hidden]") || one.matches("option, :disabled"))
            continue;
        const box = one.getBoundingClientRect();
        const size = painted ? box.height / 1.2 : parseFloat(style.fontSize);
        const apart = contrast(luminance(channels(painted ? style.fill : style.color)), luminance(ground(one)));
        if (size < 10.9)
            found.push(`${size.toFixed(1)} px: ${words.slice(0, 30)}`);
        if (apart < 4.5)
            found.push(`contrast ${apart.toFixed(2)}: ${words.slice(0, 30)}`);
    }
    const named = (one) => one.innerText || one.ariaLabel || one.title || one.labels?.length || one.getAttribute("aria-labelledby")
        || one.querySelector?.("img[alt]");
    for (const one of document.querySelectorAll("button, a[href], input, select, summary, [tabindex]")) {
        if (one.checkVisibility() && !named(one))
            found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
    }
    for (const one of document.querySelectorAll("img, svg:not([aria-hidden]), canvas:not([aria-hidden])")) {
        if (one.checkVisibility() && !one.alt && !one.ariaLabel && !one.closest("[aria-label], button, a"))
            found.push(`no words for a picture: ${one.outerHTML.slice(0, 80)}`);
    }
    found.push(...[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && one.id !== "strip"
        && one.scrollWidth > one.clientWidth && ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
        .map((one) => `scrolls sideways: ${one.outerHTML.slice(0, 80)}`));
    return found;
}

/* Of all pictures, those that a line of white goes through, which is no gap on a dark page. */
function white_gaps() {
    const found = [];
    for (const one of document.querySelectorAll("img, canvas")) {
        const width = one.naturalWidth ?? one.width, height = one.naturalHeight ?? one.height;
        const canvas = Object.assign(document.createElement("canvas"), { width, height });
        if (!one.checkVisibility() || width < 3)
            continue;
        const context = canvas.getContext("2d");
        context.drawImage(one, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        const white = (x, y) => [0, 1, 2, 3].every((c) => data[4 * (y * width + x) + c] === 255);
        for (let x = 1; x < width - 1; x++) {
            if (Array.from({ length: height }, (_, y) => white(x, y)).every(Boolean)) {
                found.push(`white in column ${x}: ${one.outerHTML.slice(0, 80)}`);
                break;
            }
        }
    }
    return found;
}

/* What a screen reader says of them: every control and every picture has a name. */
async function names(page, where) {
    const wanted = ["button", "link", "textbox", "searchbox", "checkbox", "slider", "combobox", "spinbutton", "tab", "image", "Canvas",
        "progressbar", "application", "ColorWell", "DisclosureTriangle", "DisclosureTriangleGrouped", "table", "dialog", "region"];
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const of = nodes.filter(({ ignored, role }) => !ignored && wanted.includes(role.value));
    check(of.length > 5, `${where} has controls`, of.length);
    for (const { role, backendDOMNodeId } of of.filter(({ name }) => !name?.value)) {
        const { node } = await session.send("DOM.describeNode", { backendNodeId: backendDOMNodeId });
        check(false, `${where}: a ${role.value} has a name`, node.attributes.join(" "));
    }
}

export async function fits(browser, link) {
    for (const where of ["/?data=1&layer=conv3", "/?data=1&layer=conv3&map=2&y=0&x=0&hide=4,4,8", "/?data=1&turn=20", "/unit/conv2/1",
        "/experiments?data=1#occlude", "/training"]) {
        const page = await open_page(browser, link, where);
        await page.waitForSelector("#model:not(:empty)");
        await rest(page);
        await names(page, where);
        for (const [width, colorScheme] of [[390, "dark"], [390, "light"], [800, "light"], [1400, "dark"]]) {
            await page.setViewportSize({ width, height: 800 });
            await page.emulateMedia({ colorScheme });
            await page.waitForTimeout(100);
            const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            check(over <= 0, `${where} fits ${width} px`, over);
            const found = await page.evaluate(flaws);
            check(found.length === 0, `${where} at ${width} px, ${colorScheme}`, found.slice(0, 6));
            if (colorScheme === "dark") {
                const gaps = await page.evaluate(white_gaps);
                check(gaps.length === 0, `${where}: no white gaps in the dark`, gaps.slice(0, 3));
            }
        }
        await page.context().close();
    }
}


/* ---- What can be saved. ---- */

/* Of each page the files, by the end of their names, and what each begins with. */
const files = {
    "/?data=1&layer=conv3&map=2&y=1&x=1&hide=4,4,8&whole=1": ["picture.png", "seen.png", "answer.json", "hidden.json",
        "occlusion.json", "rules.png", "-2-seen.png", "-2.json", "-2.npy", "deconvnet.png", "deconvnet.npy", "gradient.png",
        "gradient.npy", "guided.png", "guided.npy", "-map.png", "conv3.png", "conv3.json", "conv3.npy"],
    "/?data=1&turn=20": ["moved.png", "moved.json", "curves.png", "curves.json"],
    "/unit/conv1/3": ["-filter.png", "-filter.npy", "-3.json", "-histogram.png", "-connections.json", "-top.png",
        "deconvnet.png", "deconvnet.npy", /conv1-3-[0-9]+[.]png$/],
    "/training": ["run.json", "loss.png", "top-1-error.png", "top-5-error.png", "learning-rate.png", "images-a-second.png",
        "dead.json", "-grown.png", "-grown.json", "filters-4.png", "filters-4.npy"],
    "/experiments": ["diagnose.html", "diagnose.json"],
};

const begins = {
    png: (bytes) => bytes.subarray(1, 4).toString() === "PNG" && bytes.length > 100,
    npy: (bytes) => bytes.subarray(1, 6).toString() === "NUMPY",
    json: (bytes) => Object.keys(JSON.parse(bytes)).length > 0,
    html: (bytes) => bytes.toString().startsWith("<!doctype html>"),
};

const AT_ONCE = 8; /* of the eleventh that a page saves Chromium asks its user first */

async function saves_from(page, where, name) {
    /* Found and clicked at once: the page may write its links anew at any time. */
    const begun = page.waitForEvent("download", { timeout: 20000 }).catch(() => null);
    const found = await page.waitForFunction(([text, form]) => {
        const fits = (one) => (form ? new RegExp(form).test(one.download) : one.download.endsWith(text));
        const wanted = [...document.querySelectorAll("a[download]")].find(fits);
        wanted?.click();
        return wanted !== undefined;
    }, [name, name.source], { timeout: 8000 }).catch(() => null);
    if (!found) {
        check(false, `${where}: ${name} can be saved`);
        return;
    }
    const download = await begun;
    if (!download) {
        check(false, `${where}: ${name} is saved`, await page.locator("#message").innerText());
        return;
    }
    const bytes = readFileSync(await download.path());
    check(begins[download.suggestedFilename().split(".").pop()](bytes), `${where}: ${name} is what it is called`,
        bytes.subarray(0, 80));
}

export async function saves(browser, link) {
    for (const [where, names] of Object.entries(files)) {
        for (let first = 0; first < names.length; first += AT_ONCE) {
            const page = await open_page(browser, link, where);
            for (const name of names.slice(first, first + AT_ONCE))
                await saves_from(page, where, name);
            await page.context().close();
        }
    }
}
