/* SPDX-License-Identifier: MIT */
/* Experiments: forms made of what the server says of each, and what has become of those asked for. */
import { ask, byId, complain, element, get, meet, number, picture, say, set, world } from "/serve_common.js";
import { saves } from "/serve_save.js";

const POLL_MS = 500;

/* ---- Forms. ---- */

/* What is filled in stands in the address, as EXPERIMENT.OPTION, and which forms are open. */
function fieldOf(experiment, option) {
    const name = `option.${option.name}`, named = `${experiment.name}.${option.name}`;
    const given = get(named);
    let made;
    if (option.kind === "flag") {
        made = element("input", { type: "checkbox", name, checked: given === "yes" });
    } else if (option.kind === "choice") {
        made = element("select", { name }, ...option.choices.map((choice) =>
            element("option", { value: choice, textContent: choice })));
        made.selectedIndex = Math.max(0, given === null ? option.initial : option.choices.indexOf(given));
    } else {
        const shown = option.kind === "text" ? option.unit : String(option.initial);
        made = element("input", { type: "text", name, placeholder: shown, value: given ?? "" });
        if (option.kind !== "text")
            made.inputMode = option.kind === "int" ? "numeric" : "decimal";
    }
    made.addEventListener("change", () => {
        const value = option.kind === "flag" ? (made.checked ? "yes" : "") : made.value.trim();
        set({ [named]: value || null });
    });
    return made;
}

function rangeOf(option) {
    if (option.kind !== "int" && option.kind !== "real")
        return "";
    return option.min < option.max && option.max < 1e15
        ? ` (${number(option.min)} to ${option.max.toLocaleString("en")})` : "";
}

function formOf(experiment) {
    const made = element("form", { className: "options" }, ...experiment.options.map((option) =>
        element("label", {}, element("span", { className: "name", textContent: option.name.replaceAll("_", " ") }),
            fieldOf(experiment, option),
            element("span", { className: "quiet", textContent: option.help + rangeOf(option) }))));
    const run = element("button", { type: "submit", textContent: `Run ${experiment.name}` });
    run.disabled = experiment.obstacle !== null || (experiment.takes_picture && picture() === null);
    made.append(element("div", { className: "row" }, run,
        element("span", { className: "quiet", textContent: experiment.obstacle ?? "" })));
    made.addEventListener("submit", (event) => {
        event.preventDefault();
        start(experiment, made);
    });
    return made;
}

const opened = () => (get("open") ?? "").split(",").filter(Boolean);

function sectionOf(experiment) {
    const made = element("details", {},
        element("summary", { textContent: experiment.name }, " ",
            element("span", { className: "quiet", textContent: `${experiment.figure}: ${experiment.summary}` })),
        element("p", { className: "quiet", textContent: experiment.details }), formOf(experiment));
    made.id = experiment.name;
    made.open = opened().includes(experiment.name);
    made.addEventListener("toggle", () => {
        const others = opened().filter((name) => name !== experiment.name);
        set({ open: [...others, ...(made.open ? [experiment.name] : [])].join() || null });
    });
    return made;
}

async function start(experiment, form) {
    const parameters = { experiment: experiment.name, ...(experiment.takes_picture ? picture() : {}) };
    for (const field of form.elements) {
        if (field.type === "checkbox" ? field.checked : field.name && field.value.trim() !== "")
            parameters[field.name] = field.type === "checkbox" ? "yes" : field.value.trim();
    }
    try {
        await ask("try", parameters, { method: "POST" });
        say("");
        await showTrials();
        byId("trials-title").scrollIntoView();
    } catch (error) {
        complain(error);
    }
}

/* ---- What was asked for. ---- */

function act(text, id) {
    const made = element("button", { type: "button", textContent: text });
    made.addEventListener("click", async () => {
        try {
            await ask("cancel", { id }, { method: "POST" });
            await showTrials();
        } catch (error) {
            complain(error);
        }
    });
    return made;
}

function trialOf(trial) {
    const head = element("div", { className: "row" }, element("b", { textContent: `${trial.id}. ${trial.title}` }));
    const made = element("article", { className: `trial ${trial.state}` }, head);
    if (trial.state === "waits")
        head.append("waits", act("Cancel", trial.id));
    if (trial.state === "runs") {
        const bar = element("progress", trial.total > 0 ? { max: trial.total, value: trial.done } : {});
        bar.setAttribute("aria-label", `${trial.title}: ${trial.stage}`);
        head.append(bar, `${trial.stage} ${trial.total > 0 ? `${trial.done} of ${trial.total}` : ""}`,
            act("Stop", trial.id));
    }
    if (trial.state === "done") {
        head.append(
            element("a", { href: `/result?id=${trial.id}`, target: "_blank", rel: "noopener", textContent: "Open its page" }),
            element("span", {}, ...saves([["its page (HTML)", `/result?id=${trial.id}`, `${trial.experiment}.html`],
                ["its numbers (JSON)", `/result?id=${trial.id}&form=json`, `${trial.experiment}.json`]])),
            act("Forget", trial.id));
        made.append(element("pre", { textContent: trial.said }));
    }
    if (trial.state === "failed")
        made.append(element("p", { textContent: trial.error }), act("Forget", trial.id));
    return made;
}

let timer = null;
let shown = "";

async function showTrials() {
    const { trials } = await ask("trials");
    const now = JSON.stringify(trials);
    clearTimeout(timer);
    byId("no-trials").hidden = trials.length > 0;
    byId("report").hidden = !trials.some((trial) => trial.state === "done");
    if (now !== shown) /* who stands on a button of it stays there */
        byId("trials").replaceChildren(...trials.toReversed().map(trialOf));
    shown = now;
    if (trials.some((trial) => trial.state === "runs" || trial.state === "waits"))
        timer = setTimeout(() => showTrials().catch(complain), POLL_MS);
}

async function begin() {
    try {
        await meet();
        const { experiments } = await ask("experiments");
        const named = picture();
        byId("which-picture").textContent = named
            ? `Those that take a picture take ${named.data !== undefined ? `picture ${named.data} of ${world.model.data?.name}` : "the one that you opened"}.`
            : "Those that take a picture need one: choose it on the page of a picture, and come back from there.";
        if (named)
            document.querySelector("nav a").href = `/?${new URLSearchParams(named)}`;
        const meant = location.hash.slice(1); /* by whoever leads here; later it may be closed */
        history.replaceState(null, "", location.pathname + location.search);
        byId("forms").replaceChildren(...experiments.map(sectionOf));
        await showTrials();
        if (meant && byId(meant)) {
            byId(meant).open = true;
            byId(meant).scrollIntoView();
        }
    } catch (error) {
        complain(error);
    }
}

begin();
