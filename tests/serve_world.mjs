/* SPDX-License-Identifier: MIT */
/* What the tests of the live page share: a net, some photos, a server of them, and a browser's page. */
import { execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export const zfscope = path.resolve(process.argv[2] ?? "zfscope");
export const EPOCHS = 4; /* all kept: more than a phone has room for side by side */
export const tally = { failures: 0 };

export function skip(what) {
    console.log(`SKIP: ${what}`);
    process.exit(77);
}

export function check(good, what, found = "") {
    if (!good) {
        tally.failures++;
        console.log(`FAIL: ${what} ${found}`);
    }
}

export function load_playwright() {
    try {
        return createRequire(import.meta.url)("playwright-core");
    } catch {
        return skip("no playwright-core");
    }
}

export function make_world(directory) {
    const run = (...words) => execFileSync(zfscope, words, { cwd: directory, stdio: "ignore" });

    run("synth", "photos", "--images", "60");
    run("train", "zfnet32", "--data", "synth:train:40", "--val", "synth:val:20", "--epochs", EPOCHS,
        "--keep", "1,2,3,4", "-o", "run");
    const folder = path.join(directory, "photos/train");
    const kind = readdirSync(folder).sort()[1];
    return path.join(folder, kind, readdirSync(path.join(folder, kind)).sort()[0]);
}

export function serve(directory, { port = 0, data = "photos/val", run = "run" } = {}) {
    const served = spawn(zfscope, ["serve", "run/model.safetensors", "--data", data, "--run", run, "--port", port],
        { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
    return new Promise((resolve, reject) => {
        served.stdout.once("data", (line) => resolve({ served, link: new URL(String(line).trim()) }));
        served.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    });
}

export function stop(served) {
    return new Promise((resolve) => {
        served.removeAllListeners("exit");
        served.once("exit", resolve);
        served.kill("SIGTERM");
    });
}

/* `begin` is done before anything is asked for. */
export async function open_page(browser, link, where = "/", begin = () => {}) {
    const context = await browser.newContext({ viewport: { width: 1300, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    page.asked = new Set(); /* and not answered yet */
    page.on("request", (request) => {
        if (request.isNavigationRequest())
            page.asked.clear(); /* nobody waits for those of the page before */
        page.asked.add(request);
    });
    for (const end of ["requestfinished", "requestfailed"])
        page.on(end, (request) => page.asked.delete(request));
    page.on("pageerror", (error) => check(false, `${where}: an error in the page`, error.message));
    page.on("console", (message) => message.type() === "error" && !page.leaving
        && check(false, `${where}: the console`, message.text()));
    begin(page);
    const wanted = new URL(where, link.origin);
    wanted.searchParams.set("token", link.searchParams.get("token"));
    await page.goto(String(wanted));
    return page;
}

/* Until nothing has been on its way for a moment, as long as a machine with other work takes. */
export async function rest(page) {
    for (let quiet = 0, i = 0; quiet < 5; i++) {
        quiet = page.asked.size === 0 ? quiet + 1 : 0;
        if (i > 1200)
            throw new Error(`${page.url()} asks and asks`);
        await page.waitForTimeout(100);
    }
}

export const named = (page, name) => new URL(page.url()).searchParams.get(name);
export const text = (page, selector) => page.locator(selector).innerText();
