/* SPDX-License-Identifier: MIT */
/* Tabs, order, search and the view of one map. The page is complete without this script. */
"use strict";

(() => {
    const byId = (id) => document.getElementById(id);
    const sections = [...document.querySelectorAll("section.layer")];
    const tabs = [...document.querySelectorAll(".tabs a")];
    const detail = byId("detail");

    /* A layer: its section, and for each map the block and what top.json says about it. */
    const layers = sections.map((section) => ({ section, id: section.id, maps: null }));
    let layer = null;
    let current = null; /* the map in the dialog */

    function purest(top) {
        const counts = new Map();
        for (const entry of top) {
            if (entry.label !== null)
                counts.set(entry.label, (counts.get(entry.label) || 0) + 1);
        }
        return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0]);
    }

    /* Layers are large: one is read when it is first looked at. */
    function read(target) {
        if (target.maps)
            return;
        const blocks = target.section.querySelectorAll(".map");
        const data = JSON.parse(target.section.querySelector("script").textContent);
        target.data = data;
        target.maps = data.maps.map((map, i) => {
            const [label, count] = purest(map.top);
            const words = map.top.map((entry) => `${entry.label ?? ""}\n${entry.image}`);
            if (count > 0) {
                const note = document.createElement("span");
                note.className = "class";
                note.textContent = `${count}/${map.top.length} ${label}`;
                note.title = `${count} of ${map.top.length} are ${label}`;
                blocks[i].querySelector(".head").append(note);
            }
            return {
                number: map.map, top: map.top, block: blocks[i], count,
                strength: map.top.length ? map.top[0].activation : 0,
                dead: blocks[i].classList.contains("dead"),
                words: words.join("\n").toLowerCase(),
            };
        });
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
        const text = byId("find").value.trim().toLowerCase();
        const hideDead = byId("hide-dead").checked;
        const sorted = [...layer.maps].sort(orders[byId("order").value]);

        layer.shown = sorted.filter((map) => !(hideDead && map.dead) && matches(map, text));
        for (const map of layer.maps)
            map.block.hidden = !layer.shown.includes(map);
        layer.section.querySelector(".maps").append(...sorted.map((map) => map.block));
        byId("shown").textContent = layer.shown.length === layer.maps.length
            ? `${layer.maps.length} maps`
            : `${layer.shown.length} of ${layer.maps.length} maps`;
    }

    function showLayer(target) {
        read(target);
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
        arrange();
    }

    function setShow() {
        const show = byId("show").value;
        const list = document.body.classList;
        list.toggle("only-one", show !== "both");
        list.toggle("projections", show === "projections");
        list.toggle("patches", show === "patches");
    }

    /* ---- One map ---- */

    function element(tag, name, ...children) {
        const made = document.createElement(tag);
        made.className = name;
        made.append(...children);
        return made;
    }

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

    function entryItem(entry, rank, image) {
        const columns = Number(layer.section.dataset.columns);
        const column = rank % columns, row = Math.floor(rank / columns);
        const { x, y, width, height } = entry.patch;
        const what = entry.label ?? entry.image;
        return element("li", "",
            element("div", "pair",
                tile(image, column, row, `Projection ${rank + 1}: ${what}`),
                tile(image, columns + column, row, `Patch ${rank + 1}: ${what}`)),
            element("div", "entry-label",
                element("b", "", entry.label ?? `no. ${rank + 1}`),
                element("span", "", entry.activation.toPrecision(4))),
            element("div", "entry-place", entry.image, document.createElement("br"),
                `cell (${entry.y}, ${entry.x}) · patch ${width} × ${height} px at (${y}, ${x})`));
    }

    function showMap(map) {
        const image = new Image();
        image.src = map.block.querySelector("img").src;
        current = map;
        layer.maps.forEach((other) => other.block.classList.toggle("current", other === map));
        byId("detail-title").textContent = `${layer.data.name}, map ${map.number}`;
        byId("detail-about").textContent = map.dead
            ? "dead: never above zero on any picture, so these are only the least negative"
            : "projection and patch, activation, picture; positions are (row, column)";
        byId("entries").replaceChildren(
            ...map.top.map((entry, rank) => entryItem(entry, rank, image)));
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
        current = null;
        history.replaceState(null, "", `#${layer.id}`);
        if (block) {
            block.scrollIntoView({ block: "nearest" });
            block.focus({ preventScroll: true });
        }
    }

    /* The address says what is shown: #layer or #layer/map. */
    function follow() {
        const [id, number] = location.hash.slice(1).split("/");
        const target = layers.find((one) => one.id === id);
        showLayer(target || layer || layers[0]);
        const map = target && number !== undefined
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
