/* SPDX-License-Identifier: MIT */
/* Links that save: what the server sends, and as PNG what the page itself has drawn. */
import { complain, element } from "/serve_common.js";

const SCALE = 2; /* px of a saved drawing for each of the page */
const SOON_MS = 10000; /* the browser has taken the file by then */

/* A style sheet does not travel with a drawing: these become attributes of its parts. */
const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "paint-order", "filter", "font-family",
    "font-size", "font-weight"];

/* ---- What is seen, drawn once more. ---- */

async function drawingOf(svg, { width, height }) {
    const copy = svg.cloneNode(true);
    const parts = [copy, ...copy.querySelectorAll("*")];
    for (const [i, one] of [svg, ...svg.querySelectorAll("*")].entries()) {
        const style = getComputedStyle(one);
        for (const name of LOOKS)
            parts[i].setAttribute(name, style.getPropertyValue(name));
    }
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
    await image.decode();
    return image;
}

/* A picture may be further down than has been loaded. */
async function loaded(image) {
    image.loading = "eager";
    await image.decode();
    return image;
}

async function draw(context, one, box) {
    const { left, top, width, height } = box;
    const style = getComputedStyle(one);
    const within = one.querySelector("image"); /* of a part of a picture */
    context.imageSmoothingEnabled = getComputedStyle(within ?? one).imageRendering !== "pixelated";
    if (within) {
        const source = await loaded(element("img", { src: within.getAttribute("href") }));
        const { x, y, width: across, height: down } = one.viewBox.baseVal;
        context.drawImage(source, x, y, across, down, left, top, width, height);
    } else if (one.matches("svg")) {
        context.drawImage(await drawingOf(one, box), left, top, width, height);
    } else if (one.matches("figcaption")) {
        context.font = style.font;
        context.fillStyle = style.color;
        context.textBaseline = "top";
        context.fillText(one.innerText.replaceAll("\n", " "), left, top, width);
    } else if (one.matches(".square")) {
        context.fillStyle = style.backgroundColor;
        context.fillRect(left, top, width, height);
    } else {
        const source = one.matches("img") ? await loaded(one) : one;
        const across = source.naturalWidth ?? source.width, down = source.naturalHeight ?? source.height;
        const shown = style.objectFit === "cover" ? down * width / height : across; /* a half of it, or all */
        context.drawImage(source, (across - shown) * parseFloat(style.objectPosition) / 100, 0, shown, down,
            left, top, width, height);
    }
}

/* The pictures of a place as they lie there, with their captions, on a canvas. */
async function asSeen(place) {
    const parts = [place, ...place.querySelectorAll("*")]
        .filter((one) => one.matches("img, canvas, svg, .square, figcaption") && one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()]);
    const left = Math.min(...parts.map(([, box]) => box.left)), top = Math.min(...parts.map(([, box]) => box.top));
    const canvas = element("canvas", {
        width: SCALE * (Math.max(...parts.map(([, box]) => box.right)) - left),
        height: SCALE * (Math.max(...parts.map(([, box]) => box.bottom)) - top),
    });
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(SCALE, SCALE);
    context.translate(-left, -top);
    for (const [one, box] of parts)
        await draw(context, one, box);
    return canvas;
}

/* ---- Links. ---- */

async function saveSeen(place, download) {
    const canvas = await asSeen(place);
    const href = URL.createObjectURL(await new Promise((resolve) => { canvas.toBlob(resolve); }));
    element("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), SOON_MS);
}

function saveLink([textContent, from, download]) {
    const drawn = typeof from !== "string";
    const made = element("a", { href: drawn ? "#" : from, download, textContent, title: download });
    if (drawn) {
        made.addEventListener("click", (event) => {
            event.preventDefault();
            saveSeen(from, download).catch(complain);
        });
    }
    return made;
}

/* Of [words, what, name of the file]: an address, or the place of the page whose pictures are saved. */
export function saves(rows) {
    return rows.length === 0 ? [] : ["Save: ", ...rows.flatMap((row, i) => [i ? ", " : "", saveLink(row)])];
}

/* The address of numbers that the page has gathered. */
export const asJson = (values) => `data:application/json,${encodeURIComponent(JSON.stringify(values))}`;

/* A name for a file of a layer's. */
export const fileOf = (layer) => layer.replaceAll("/", "-");
