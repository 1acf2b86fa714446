/* SPDX-License-Identifier: MIT */
/* A data set of 100 000 pictures, and a training that goes on while it is looked at. */
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { check, open_page, rest, serve, stop, text, zfscope } from "./serve_world.mjs";

const PICTURES = 100000;
const FIRST_PAGE = 300 * 1024; /* bytes */
const PAINT_MS = 1000;

/* Bytes of the first page, and when it was painted. */
async function first_page(browser, link) {
    const page = await open_page(browser, link, "/", (page) => {
        page.bytes = 0;
        page.on("response", async (response) => { page.bytes += (await response.body().catch(() => "")).length; });
    });
    await page.waitForSelector(".tile");
    await rest(page);
    const [paint] = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint"));
    return { page, paint: paint.startTime };
}

async function many_pictures(browser, link, few) {
    const { page, paint } = await first_page(browser, link);
    check(page.bytes < FIRST_PAGE, `the first page of ${PICTURES} pictures is small`, page.bytes);
    /* The machine may have other work: then those of few pictures take as long. */
    check(paint < Math.max(PAINT_MS, 2 * few), "and soon painted", `${paint} ms, ${few} ms with few`);
    await page.click("#browse");
    await page.waitForSelector(".gallery button");
    await page.fill("#from", String(PICTURES - 1));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#gallery-note:has-text('99999 to 99999 of 100,000')");
    await page.click(".gallery button");
    await page.waitForURL(/data=99999/);
    await page.context().close();
}

async function training_goes_on(browser, link) {
    const page = await open_page(browser, link, "/training");
    const epochs = async () => Number((await text(page, "#says")).match(/: ([0-9]+) epochs/)?.[1] ?? 0);
    await page.waitForSelector("#charts svg");
    const before = await epochs();
    await page.waitForSelector("#says:has-text('is on its way; about')");
    await page.waitForFunction((before) => Number(document.querySelector("#says").innerText.match(/: ([0-9]+) epochs/)?.[1]) > before,
        before);
    await page.waitForSelector("#growth figure");
    await page.context().close();
}

export async function large(browser, directory, photo, link) {
    const few = (await first_page(browser, link));
    await few.page.context().close();
    writeFileSync(path.join(directory, "list.tsv"), `${photo}\tthis\n`.repeat(PICTURES));
    const train = spawn(zfscope, ["train", "zfnet32", "--data", "synth:train:100", "--val", "synth:val:20", "--epochs", "500",
        "--keep", "1,2,3", "-o", "growing"], { cwd: directory, stdio: "ignore" });
    while (!existsSync(path.join(directory, "growing/log.jsonl")))
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    const { served, link: there } = await serve(directory, { data: "list.tsv", run: "growing" });
    try {
        await training_goes_on(browser, there);
        train.kill("SIGTERM");
        await many_pictures(browser, there, few.paint);
    } finally {
        train.kill("SIGKILL");
        await stop(served);
    }
}
