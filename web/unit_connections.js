/* SPDX-License-Identifier: MIT */
/* What feeds a unit, what it feeds, and what the net says without it: the net runs with it and with its map
   set to zero, which takes a second or so. */
import { ask, byId, element, number, tableOf } from "/serve_common.js";

const VOTES = 5; /* of the most and of the least */

export const addressOf = (layer, map) => `/unit/${encodeURIComponent(layer)}/${map}`;

function row(name, value, most) {
    const bar = element("span", { className: value < 0 ? "bar-of below" : "bar-of" });
    bar.style.width = `${most > 0 ? 100 * Math.abs(value) / most : 0}%`;
    return element("tr", {}, element("th", { scope: "row" }, name), element("td", { className: "bar-cell" }, bar),
        element("td", { className: "figure", textContent: number(value) }));
}

function fill(id, rows) {
    const most = Math.max(0, ...rows.map(([, value]) => Math.abs(value)));
    byId(id).replaceChildren(...rows.map(([name, value]) => row(name, value, most)));
    byId(id).closest("div").hidden = rows.length === 0;
}

function unitLink({ layer, map }) {
    return layer === "input" ? `channel ${map} of the picture`
        : element("a", { href: addressOf(layer, map), textContent: `${map} of ${layer}` });
}

function votesOf(votes) {
    const sorted = votes.toSorted((a, b) => b.adds - a.adds);
    const shown = sorted.length <= 2 * VOTES ? sorted : [...sorted.slice(0, VOTES), ...sorted.slice(-VOTES)];
    return shown.map(({ label, adds }) => [label, adds]);
}

function silencedRow(entry) {
    const { predicted, silenced_predicted: then } = entry;
    const picture = element("a", {
        href: `/?${new URLSearchParams({ data: entry.sample })}`, textContent: entry.image.split("/").at(-1), dir: "auto",
    });
    return [picture, predicted, entry.probability ?? entry.value, entry.silenced, then === predicted ? "the same" : then];
}

let shown = "";

export async function showConnections(unit) {
    const key = `${unit.layer}/${unit.map}/${unit.top.slice(0, 9).map((entry) => entry.data)}`;
    if (key === shown || unit.top.length === 0)
        return;
    shown = key;
    byId("connections-says").textContent = "Running the net with it and without it …";
    try {
        const found = await ask("connections", { layer: unit.layer, map: unit.map });
        if (key !== shown)
            return;
        fill("fed-by", found.fed_by.map((link) => [unitLink(link), link.adds]));
        fill("feeds", found.feeds.map((link) => [unitLink(link), link.changes]));
        fill("votes", votesOf(found.votes));
        const answered = found.strongest.filter((entry) => entry.predicted !== undefined);
        byId("silenced").replaceChildren(tableOf("What the net says without it",
            ["picture", "the net says", "with it", "without", "and says then"], answered.map(silencedRow)));
        byId("silenced-part").hidden = answered.length === 0;
        byId("connections").hidden = false;
        byId("connections-says").textContent = found.source === null ? ""
            : `Its strongest cell is ${number(found.source_value)} before what follows ${found.source}, `
                + `of which ${number(found.bias)} is the bias; mean of ${found.strongest.length} pictures.`;
    } catch (error) {
        shown = "";
        byId("connections-says").textContent = error.message;
    }
}
