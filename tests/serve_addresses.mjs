/* SPDX-License-Identifier: MIT */
/* The address names all that is seen: in another browser, and by Back and Forward, it shows the same. */
import { check, open_page } from "./serve_world.mjs";

/* All that a visitor sees, but for where the pointer is; "" while something is on its way. */
function seen() {
    const visible = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    const isBusy = visible("[aria-busy=true]").length > 0 || visible("img").some((one) => !one.complete && one.loading !== "lazy") || visible("#stop").length > 0
        || visible(".precision").some((one) => one.innerText !== "exact")
        || visible("[role=status]").some((one) => one.innerText.endsWith("…"));
    return isBusy || !document.querySelector("#model").innerText ? "" : [
        document.title,
        document.querySelector("main").innerText,
        document.querySelector("#message").innerText,
        ...visible("input, select").map((one) => `${one.id || one.name} ${one.type === "checkbox" ? one.checked : one.value}`),
        ...visible("details").map((one) => `${one.id} ${one.open}`),
        ...visible("[aria-selected], [aria-current]").map((one) => `${one.ariaSelected} ${one.ariaCurrent} ${one.innerText}`),
        ...visible("img, image").map((one) => (one.src ?? one.href.baseVal).replace(/^blob:.*/, "blob")),
        ...visible("canvas").map((one) => one.toDataURL()),
        ...visible("rect.chosen").map((one) => one.outerHTML),
        ...visible("#square, #heat").map((one) => one.style.cssText),
    ].join("\n");
}

async function settled(page) {
    let before = "";
    await page.mouse.move(0, 0);
    for (let i = 0; i < 300; i++) {
        const now = await page.evaluate(seen);
        if (now !== "" && now === before && page.asked.size === 0)
            return now;
        before = now;
        await page.waitForTimeout(100);
    }
    throw new Error(`${page.url()} does not come to rest`);
}

function difference(a, b) {
    const left = a.split("\n"), right = b.split("\n");
    const at = left.findIndex((line, i) => line !== right[i]);
    return `'${left[at]?.slice(0, 100)}' is '${right[at]?.slice(0, 100)}'`;
}

/* What each state begins with is one step of the browser's history. */
const states = {
    "a layer, sorted": async (page) => {
        await page.click("#strip button:has-text('conv3')");
        await page.selectOption("#sort", "unusual");
        await page.check("#own");
        await page.fill("#find", "1");
    },
    "a cell": async (page) => {
        await page.click(".tile >> nth=3");
        await page.waitForSelector("#projections img");
        await page.focus("#map-view");
        await page.keyboard.press("ArrowDown");
        await page.uncheck("#view");
        await page.check("#own-scale");
    },
    "more maps": async (page) => {
        await page.click("#strip button:has-text('fc6')");
        await page.waitForSelector("#wall-title:has-text('fc6')");
        await page.fill("#find", "");
        await page.click("#more");
    },
    "a place hidden, and every place": async (page) => {
        await page.click("#browse");
        await page.click(".gallery button >> nth=5");
        await page.waitForURL(/data=5/);
        await page.click("#hide summary");
        await page.focus("#square");
        await page.keyboard.press("Shift+ArrowDown");
        await page.selectOption("#colour", "other");
        await page.fill("#other-colour", "#00ff40");
        await page.click("#whole");
        await page.waitForSelector("#heat-of");
        await page.selectOption("#heat-of", "activation_map");
    },
    "turned, with curves": async (page) => {
        await page.click("#browse");
        await page.click(".gallery button >> nth=6");
        await page.waitForURL(/data=6/);
        await page.click("#move summary");
        await page.focus("#turn");
        await page.keyboard.press("ArrowRight");
        await page.click("#fill-curves");
        await page.waitForFunction(() => document.querySelectorAll("#curves figure").length === 3);
    },
    "as it was": async (page) => {
        await page.click("#strip button:has-text('conv2')");
        await page.click("#unmoved");
        await page.waitForSelector("#classes:not(.changed)");
    },
    "another rule": async (page, origin) => {
        await page.goto(`${origin}/unit/conv2/3`);
        await page.waitForSelector(".nine figure");
        await page.selectOption("#rule", "guided");
    },
    "weaker pictures": async (page) => {
        await page.click("#later");
        await page.waitForURL(/from=9/);
    },
    "its neighbour": async (page) => {
        await page.click("#after");
        await page.waitForURL(/conv2.4/);
    },
    "maps of a training": async (page, origin) => {
        await page.goto(`${origin}/training`);
        await page.waitForSelector(".pair img");
        await page.selectOption("#layer", "relu3");
        await page.fill("#maps", "4, 7");
        await page.keyboard.press("Enter");
        await page.waitForSelector("#grown h3:has-text('Map 7 of relu3')");
    },
    "experiments, filled in": async (page, origin) => {
        await page.goto(`${origin}/experiments?data=2`);
        await page.click("#occlude summary");
        await page.fill("#occlude [name='option.stride']", "5");
        await page.click("#diagnose summary");
    },
};

export async function addresses(browser, link) {
    const page = await open_page(browser, link, "/?data=2");
    const shown = [await settled(page)];
    for (const [name, act] of Object.entries(states)) {
        await act(page, link.origin);
        const here = await settled(page);
        shown.push(here);
        const other = await open_page(browser, link, page.url().slice(link.origin.length));
        const there = await settled(other);
        check(here === there, `${name}, in another browser:`, difference(here, there));
        await other.context().close();
    }
    const names = ["the first page", ...Object.keys(states)];
    const walk = async (way, at) => {
        await page[way]();
        const now = await settled(page);
        check(now === shown[at], `${way} to ${names[at]}:`, difference(shown[at], now));
    };
    for (let at = names.length - 2; at >= 0; at--)
        await walk("goBack", at);
    for (let at = 1; at < names.length; at++)
        await walk("goForward", at);
    await page.context().close();
}
