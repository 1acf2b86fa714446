/* SPDX-License-Identifier: MIT */
/* Where pictures come from: a file, a drop, the clipboard, the camera, the data set. */
import { ask, byId, complain, element, link, say, world } from "/serve_common.js";

const PAGE = 60;

let take; /* what is done with the answer */

async function send(file) {
    say("reading the picture …");
    try {
        await take(await ask("pictures", {}, { method: "POST", body: file }));
    } catch (error) {
        complain(error);
    }
}

function fileOf(transfer) {
    return [...transfer.files].find(Boolean) ?? null;
}

function startDrops() {
    addEventListener("dragover", (event) => {
        if (event.dataTransfer?.types.includes("Files")) {
            event.preventDefault();
            document.body.classList.add("dropping");
        }
    });
    addEventListener("dragleave", (event) => {
        if (!event.relatedTarget)
            document.body.classList.remove("dropping");
    });
    addEventListener("drop", (event) => {
        const file = event.dataTransfer ? fileOf(event.dataTransfer) : null;
        document.body.classList.remove("dropping");
        if (file) {
            event.preventDefault();
            send(file);
        }
    });
    addEventListener("paste", (event) => {
        const file = event.clipboardData ? fileOf(event.clipboardData) : null;
        if (file)
            send(file);
    });
}

/* ---- The data set, a page at a time. ---- */

function card(item) {
    const name = item.label ?? item.path.split("/").at(-1);
    const image = element("img", {
        src: link("thumbnail", { data: item.data }), alt: "", width: 96, height: 96, loading: "lazy",
    });
    const made = element("button", { type: "button", title: item.path },
        image, element("span", { textContent: name, dir: "auto" }));
    made.setAttribute("aria-label", `${item.path}${item.label ? `, ${item.label}` : ""}`);
    made.addEventListener("click", async () => {
        byId("gallery").close();
        try {
            await take(await ask("picture", { data: item.data }));
        } catch (error) {
            complain(error);
        }
    });
    return made;
}

async function showPage(from) {
    const images = world.model.data.images;
    const begin = Math.max(0, Math.min(from, images - 1));
    const page = await ask("data", { from: begin, count: PAGE });
    byId("from").value = begin;
    byId("from").max = images - 1;
    byId("earlier").disabled = begin === 0;
    byId("later").disabled = begin + PAGE >= images;
    byId("gallery-note").textContent =
        `${begin} to ${begin + page.items.length - 1} of ${images.toLocaleString("en")}`;
    byId("gallery-items").replaceChildren(...page.items.map(card));
}

function startGallery() {
    const turn = (by) => showPage(Number(byId("from").value) + by).catch(complain);
    byId("browse").hidden = false;
    byId("browse").addEventListener("click", () => {
        byId("gallery").showModal();
        turn(0);
    });
    byId("gallery-close").addEventListener("click", () => byId("gallery").close());
    byId("earlier").addEventListener("click", () => turn(-PAGE));
    byId("later").addEventListener("click", () => turn(PAGE));
    byId("from").addEventListener("change", () => turn(0));
}

/* ---- The camera, where the browser has one. ---- */

function startCamera() {
    const video = byId("video");
    const end = () => {
        for (const track of video.srcObject?.getTracks() ?? [])
            track.stop();
        video.srcObject = null;
    };
    byId("camera").hidden = false;
    byId("camera").addEventListener("click", async () => {
        try {
            video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
            byId("camera-view").showModal();
        } catch {
            say("the browser gives no picture of the camera");
        }
    });
    byId("camera-view").addEventListener("close", end);
    byId("camera-close").addEventListener("click", () => byId("camera-view").close());
    byId("snap").addEventListener("click", () => {
        const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
        canvas.getContext("2d").drawImage(video, 0, 0);
        byId("camera-view").close();
        canvas.toBlob(send, "image/png");
    });
}

export function startChoosing(taker) {
    take = taker;
    byId("file").addEventListener("change", (event) => {
        if (event.target.files[0])
            send(event.target.files[0]);
        event.target.value = ""; /* the same file may be chosen again */
    });
    startDrops();
    if (world.model.data)
        startGallery();
    if (navigator.mediaDevices?.getUserMedia)
        startCamera();
}
