/* SPDX-License-Identifier: MIT */
/* Tabs, order, search and the view of one map. A layer's maps stand in the page, or are loaded from
   maps/LAYER.js and maps/LAYER/MAP.jpg beside it when they are first looked at. */
"use strict";

(() => {
    const byId = (id) => document.getElementById(id);
    const sections = [...document.querySelectorAll("section.layer")];
    const tabs = [...document.querySelectorAll(".tabs a")];
    const detail = byId("detail");

    /* A layer: its section, and for each map the block and what top.json says about it. */
    const layers = sections.map((section) => ({
        section, id: section.id, maps: null, loading: null, shown: [],
        source: section.querySelector(".maps").dataset.source,
    }));
    let layer = null;
    let current = null; /* the map in the dialog */

    function element(tag, name, ...children) {
        const made = document.createElement(tag);
        made.className = name;
        made.append(...children);
        return made;
    }

    function count(top) {
        const counts = new Map();
        for (const entry of top) {
            if (entry.label !== null)
                counts.set(entry.label, (counts.get(entry.label) || 0) + 1);
        }
        return [...counts].sort((a, b) => b[1] - a[1]);
    }

    /* ---- Layers. ---- */

    /* A picture that is far below is not asked for before it comes into view. */
    function makeBlock(target, map) {
        const { tile, columns, rows } = target.section.dataset;
        const strongest = map.top.length ? map.top[0].activation : 0;
        const block = element("a", strongest > 0 ? "map" : "map dead");
        const image = new Image(2 * tile * columns, tile * rows);
        block.id = `${target.id}/${map.map}`;
        block.href = `#${block.id}`;
        image.loading = "lazy";
        image.decoding = "async";
        image.alt = `Map ${map.map} of ${target.data.name}: ${map.top.length} projections, `
            + "and the patches they come from";
        image.src = `${target.source}/${map.map}.jpg`;
        block.append(
            element("span", "head", element("b", "", String(map.map)), " ",
                    element("span", "", String(Number(strongest.toPrecision(4))))),
            element("span", "sprite", image));
        return block;
    }

    function take(target, data) {
        const given = target.section.querySelectorAll(".map");
        target.data = data;
        target.maps = data.maps.map((map, i) => {
            const [label, most] = count(map.top)[0] || ["", 0];
            const block = given[i] || makeBlock(target, map);
            const words = map.top.map((entry) => `${entry.label ?? ""}\n${entry.image}`);
            const note = map.class ?? (most > 0 ? `${most}/${map.top.length} ${label}` : "");
            if (note !== "") {
                const span = element("span", "class", note);
                span.title = map.class ? `what the net says about ${map.class}`
                    : `${most} of ${map.top.length} are ${label}`;
                block.querySelector(".head").append(span);
            }
            return {
                number: map.map, top: map.top, block, count: most, name: map.class,
                strength: map.top.length ? map.top[0].activation : 0,
                dead: block.classList.contains("dead"),
                words: [map.class ?? "", ...words].join("\n").toLowerCase(),
            };
        });
    }

    /* What the files beside the page call. */
    window.zfLayer = (id, data) => take(layers.find((one) => one.id === id), data);

    /* Layers are large: one is read when it is first looked at. */
    function read(target) {
        if (target.source && !target.maps && !target.loading) {
            target.loading = new Promise((resolve, reject) => {
                const script = document.createElement("script");
                script.src = `${target.source}.js`;
                script.addEventListener("load", resolve);
                script.addEventListener("error", () => reject(new Error(
                    `${target.source}.js is missing: this page needs the folder maps beside it`)));
                document.head.append(script);
            });
        } else if (!target.maps && !target.source) {
            take(target, JSON.parse(target.section.querySelector("script").textContent));
        }
        return target.loading || Promise.resolve();
    }

    function matches(map, text) {
        return text === "" || (/^\d+$/.test(text) ? map.number === Number(text)
                                                  : map.words.includes(text));
    }

    const orders = {
        map: (a, b) => a.number - b.number,
        strength: (a, b) => b.strength - a.strength || a.number - b.number,
        label: (a, b) => b.count - a.count || b.strength - a.strength,
    };

    /* Bring the layer at hand in line with the controls. */
    function arrange() {
        if (!layer.maps)
            return;
        const text = byId("find").value.trim().toLowerCase();
        const hideDead = byId("hide-dead").checked;
        const order = byId("order").value;
        const sorted = [...layer.maps].sort(orders[order]);

        layer.shown = sorted.filter((map) => {
            map.block.hidden = (hideDead && map.dead) || !matches(map, text);
            return !map.block.hidden;
        });
        if (layer.order !== order) /* thousands of blocks are not moved for nothing */
            layer.section.querySelector(".maps").append(...sorted.map((map) => map.block));
        layer.order = order;
        byId("shown").textContent = layer.shown.length === layer.maps.length
            ? `${layer.maps.length} maps`
            : `${layer.shown.length} of ${layer.maps.length} maps`;
    }

    async function showLayer(target) {
        if (layer !== target) {
            layer = target;
            sections.forEach((section) => { section.hidden = section !== layer.section; });
            tabs.forEach((tab) => {
                const here = tab.hash === `#${layer.id}`;
                tab.setAttribute("aria-current", here);
                if (here)
                    tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft;
            });
        }
        try {
            await read(target);
            if (layer === target)
                arrange();
        } catch (error) {
            byId("shown").textContent = error.message;
        }
    }

    function setShow() {
        const show = byId("show").value;
        const list = document.body.classList;
        list.toggle("only-one", show !== "both");
        list.toggle("projections", show === "projections");
        list.toggle("patches", show === "patches");
    }

    /* ---- One map ---- */

    /* A canvas cuts a tile out cleanly, without the pixel at its edge into which JPEG mixes the
       neighbours' colour; a moved and clipped <img> would show that and more. */
    function tile(image, column, row, label) {
        const side = Number(layer.section.dataset.tile);
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = side;
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", label);
        const draw = () => canvas.getContext("2d").drawImage(
            image, column * side + 1, row * side + 1, side - 2, side - 2, 0, 0, side, side);
        if (image.complete && image.naturalWidth > 0)
            draw();
        else
            image.addEventListener("load", draw, { once: true });
        return canvas;
    }

    /* The whole of what the net sees, with the patch framed. */
    function photo(entry, what) {
        const [width, height] = layer.section.dataset.input.split(" ").map(Number);
        const image = new Image(width, height);
        const frame = element("span", "frame");
        const { x, y, width: across, height: down } = entry.patch;
        image.loading = "lazy";
        image.alt = `All that the net sees of ${entry.image}, the patch framed: ${what}`;
        image.src = `photos/${entry.sample}.jpg`;
        image.addEventListener("error", () => image.parentElement.remove());
        Object.assign(frame.style, {
            left: `${100 * x / width}%`, top: `${100 * y / height}%`,
            width: `${100 * across / width}%`, height: `${100 * down / height}%`,
        });
        return element("span", "photo", image, frame);
    }

    function entryItem(entry, rank, image) {
        const columns = Number(layer.section.dataset.columns);
        const column = rank % columns, row = Math.floor(rank / columns);
        const { x, y, width, height } = entry.patch;
        const what = entry.label ?? entry.image;
        const pair = element("div", "pair",
            tile(image, column, row, `Projection ${rank + 1}: ${what}`),
            tile(image, columns + column, row, `Patch ${rank + 1}: ${what}`));
        if (layer.source)
            pair.append(photo(entry, what));
        return element("li", "", pair,
            element("div", "entry-label",
                element("b", "", entry.label ?? `no. ${rank + 1}`),
                element("span", "", entry.activation.toPrecision(4))),
            element("div", "entry-place", entry.image, document.createElement("br"),
                `cell (${entry.y}, ${entry.x}) · patch ${width} × ${height} px at (${y}, ${x})`));
    }

    function describe(map) {
        const kinds = count(map.top);
        const shares = kinds.length > 1 && kinds[0][1] === 1 ? "each of another class"
            : kinds.slice(0, 4).map(([label, number]) => `${number} ${label}`).join(", ");
        if (map.dead)
            return "Dead: never above zero on any picture, so these are only the least negative.";
        return (map.name ? `What the net says about the class ${map.name}. ` : "")
            + (shares ? `Of its ${map.top.length} strongest: ${shares}`
                + `${kinds.length > 4 && kinds[0][1] > 1 ? ` and ${kinds.length - 4} other classes` : ""}. ` : "")
            + "Projection, patch and whole picture; positions are (row, column).";
    }

    /* A word of a command line. */
    function quoted(word) {
        return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
    }

    function tellMore(map) {
        const { model, pictures } = layer.section.dataset;
        byId("detail-more").hidden = !model;
        if (model)
            byId("detail-more").querySelector("code").textContent =
                `zfscope unit ${quoted(model)} --data ${quoted(pictures)} `
                + `--layer ${quoted(layer.data.name)} --map ${map.number} -o unit-${map.number}`;
    }

    function showMap(map) {
        const image = new Image();
        image.src = map.block.querySelector("img").src;
        if (current)
            current.block.classList.remove("current");
        map.block.classList.add("current");
        current = map;
        byId("detail-title").textContent = `${layer.data.name}, map ${map.number}`
            + (map.name ? `: ${map.name}` : "");
        byId("detail-about").textContent = describe(map);
        byId("entries").replaceChildren(
            ...map.top.map((entry, rank) => entryItem(entry, rank, image)));
        tellMore(map);
        byId("save").href = image.src;
        byId("save").download = `${layer.id}-${map.number}.jpg`;
        if (!detail.open)
            detail.showModal();
        detail.scrollTop = 0;
    }

    function step(by) {
        const at = layer.shown.indexOf(current);
        const next = layer.shown[at + by] || layer.shown[by > 0 ? 0 : layer.shown.length - 1];
        if (next)
            location.replace(`#${layer.id}/${next.number}`);
    }

    function back() {
        const block = current && current.block;
        if (block)
            block.classList.remove("current");
        current = null;
        history.replaceState(null, "", `#${layer.id}`);
        if (block) {
            block.scrollIntoView({ block: "nearest" });
            block.focus({ preventScroll: true });
        }
    }

    /* The address says what is shown: #layer or #layer/map. */
    async function follow() {
        const [id, number] = decodeURIComponent(location.hash.slice(1)).split("/");
        const target = layers.find((one) => one.id === id);
        await showLayer(target || layer || layers[0]);
        const map = target && target === layer && number !== undefined && layer.maps
            && layer.maps.find((one) => one.number === Number(number));
        if (map)
            showMap(map);
        else if (detail.open)
            detail.close();
    }

    const keys = {
        ArrowLeft: () => detail.open && step(-1),
        ArrowRight: () => detail.open && step(1),
        s: () => {
            const select = byId("show");
            select.selectedIndex = (select.selectedIndex + 1) % select.length;
            setShow();
        },
        "/": () => byId("find").focus(),
    };

    document.addEventListener("keydown", (event) => {
        const typing = /^(INPUT|SELECT)$/.test(event.target.tagName);
        if (typing || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const action = keys[event.key];
        if (action)
            action();
        else if (/^[1-9]$/.test(event.key) && layers[event.key - 1])
            location.hash = layers[event.key - 1].id;
        else
            return;
        event.preventDefault();
    });

    if (layers.length === 0)
        return;
    for (const tab of tabs) { /* the run was stopped, or goes on */
        if (!layers.some((one) => `#${one.id}` === tab.hash)) {
            tab.removeAttribute("href");
            tab.querySelector("span").textContent = "not projected";
        }
    }
    document.body.classList.add("tabbed");
    document.querySelector(".controls").hidden = false;
    document.querySelector(".keys").hidden = false;
    document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
    byId("show").addEventListener("change", setShow);
    byId("order").addEventListener("change", arrange);
    byId("hide-dead").addEventListener("change", arrange);
    byId("find").addEventListener("input", arrange);
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    byId("close").addEventListener("click", () => detail.close());
    detail.addEventListener("click", (event) => event.target === detail && detail.close());
    detail.addEventListener("close", back);
    window.addEventListener("hashchange", follow);
    setShow(); /* a reload keeps what was chosen */
    follow();
})();
