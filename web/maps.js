/* SPDX-License-Identifier: MIT */
/* Tabs, order, search and the view of one map. A layer's maps stand in the page, or are loaded from
   maps/LAYER.js and maps/LAYER/MAP.jpg beside it when they are first looked at. */
"use strict";

(() => {
    const CHUNK = 100; /* blocks that are put in at a time, so that no act waits for thousands */
    const byId = (id) => document.getElementById(id);
    const sections = [...document.querySelectorAll("section.layer")];
    const tabs = [...document.querySelectorAll(".tabs a")];
    const detail = byId("detail");

    /* A layer: its section, and for each map what its file says about it, and its block once it has one. */
    const layers = sections.map((section) => ({
        section, id: section.id, maps: null, loading: null, shown: [], asked: null, filling: 0,
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

    /* The labels of a map's pictures, the commonest first. */
    function kinds(map) {
        if (!map.kinds) {
            const counts = new Map();
            for (const entry of map.top) {
                if (entry.label !== null)
                    counts.set(entry.label, (counts.get(entry.label) || 0) + 1);
            }
            map.kinds = [...counts].sort((a, b) => b[1] - a[1]);
        }
        return map.kinds;
    }

    function purity(map) {
        return kinds(map).length ? kinds(map)[0][1] : 0;
    }

    /* ---- Layers. ---- */

    /* A picture that is far below is not asked for before it comes into view. */
    function makeBlock(target, map) {
        const { tile, columns, rows } = target.section.dataset;
        const block = element("a", map.dead ? "map dead" : "map");
        const image = new Image(2 * tile * columns, tile * rows);
        block.id = `${target.id}/${map.number}`;
        block.href = `#${block.id}`;
        image.loading = "lazy";
        image.decoding = "async";
        image.alt = `Map ${map.number} of ${target.data.name}: ${map.top.length} projections, `
            + "and the patches they come from";
        image.src = `${target.source}/${map.number}.jpg`;
        block.append(
            element("span", "head", element("b", "", String(map.number)), " ",
                    element("span", "", String(Number(map.strength.toPrecision(4))))),
            element("span", "sprite", image));
        return block;
    }

    /* With the class that it stands for, or that most of its pictures are of. */
    function nameBlock(block, map) {
        const [label, most] = kinds(map)[0] || ["", 0];
        const note = map.name ?? (most > 0 ? `${most}/${map.top.length} ${label}` : "");
        if (note === "")
            return;
        const span = element("span", "class", note);
        span.title = map.name ? `what the net says about ${map.name}`
            : `${most} of ${map.top.length} are ${label}`;
        block.querySelector(".head").append(span);
    }

    function blockOf(target, map) {
        if (!map.block) {
            map.block = map.given || makeBlock(target, map);
            nameBlock(map.block, map);
        }
        return map.block;
    }

    /* An entry is ten numbers in a row, as src/experiments/top/compact.c writes them. */
    function entries(data, row) {
        const labels = data.labels.length > 1 ? data.labels : []; /* one says nothing */
        const list = [];
        for (let i = 0; i < row.length; i += 10) {
            const [image, label, sample, activation, y, x, left, top, width, height] = row.slice(i, i + 10);
            list.push({ image: data.images[image], label: labels[label] ?? null, sample, activation, y, x,
                        patch: { x: left, y: top, width, height } });
        }
        return list;
    }

    function take(target, data) {
        const given = target.section.querySelectorAll(".map");
        target.data = data;
        target.maps = data.maps.map((map, i) => {
            const strength = map.top.length ? map.top[3] : 0;
            let list = null; /* most maps of a large layer are never asked for theirs */
            return { number: map.map, name: map.class, strength, dead: !(strength > 0),
                     given: given[i], block: null, kinds: null, words: null,
                     get top() {
                         return list ??= entries(data, map.top);
                     } };
        });
    }

    /* What the files beside the page call. */
    window.zfLayer = (id, json) => take(layers.find((one) => one.id === id), JSON.parse(json));

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

    /* All that can be searched for. */
    function words(map) {
        map.words ??= [map.name ?? "", ...map.top.map((entry) => `${entry.label ?? ""}\n${entry.image}`)]
            .join("\n").toLowerCase();
        return map.words;
    }

    function matches(map, text) {
        return text === "" || (/^\d+$/.test(text) ? map.number === Number(text)
                                                  : words(map).includes(text));
    }

    const orders = {
        map: (a, b) => a.number - b.number,
        strength: (a, b) => b.strength - a.strength || a.number - b.number,
        label: (a, b) => purity(b) - purity(a) || b.strength - a.strength,
    };

    /* How many blocks a screen has at most. */
    function screenful() {
        const width = document.body.classList.contains("only-one") ? 160 : 280, height = 150;
        return Math.ceil(innerWidth / width) * Math.ceil(innerHeight / height);
    }

    /* Put the blocks of what is shown in: a screen of them at once, the others after a paint each time. */
    function fill(target) {
        const container = target.section.querySelector(".maps");
        const turn = ++target.filling;
        const blocks = (from, to) => target.shown.slice(from, to).map((map) => blockOf(target, map));
        const later = (from) => requestAnimationFrame(() => setTimeout(() => {
            if (turn !== target.filling || from >= target.shown.length)
                return;
            container.append(...blocks(from, from + CHUNK));
            later(from + CHUNK);
        }));

        const first = screenful();
        container.replaceChildren(...blocks(0, first));
        later(first);
    }

    /* Bring the layer at hand in line with the controls. */
    function arrange() {
        if (!layer.maps)
            return;
        const text = byId("find").value.trim().toLowerCase();
        const hideDead = byId("hide-dead").checked;
        const order = byId("order").value;
        const asked = `${order} ${hideDead} ${text}`;

        if (layer.asked !== asked) { /* thousands of blocks are not moved for nothing */
            layer.shown = layer.maps.filter((map) => !(hideDead && map.dead) && matches(map, text))
                .sort(orders[order]);
            fill(layer);
        }
        layer.asked = asked;
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
        const classes = kinds(map);
        const shares = classes.length > 1 && classes[0][1] === 1 ? "each of another class"
            : classes.slice(0, 4).map(([label, number]) => `${number} ${label}`).join(", ");
        if (map.dead)
            return "Dead: never above zero on any picture, so these are only the least negative.";
        return (map.name ? `What the net says about the class ${map.name}. ` : "")
            + (shares ? `Of its ${map.top.length} strongest: ${shares}`
                + `${classes.length > 4 && classes[0][1] > 1 ? ` and ${classes.length - 4} other classes` : ""}. ` : "")
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
        const block = blockOf(layer, map);
        image.src = block.querySelector("img").src;
        if (current)
            current.block.classList.remove("current");
        block.classList.add("current");
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
            tab.querySelector("span").textContent = "not yet projected";
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
