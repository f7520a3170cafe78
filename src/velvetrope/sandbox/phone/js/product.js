// The panel «what the product did»: webhooks that it got and calls that it made, newest first.
import { h, icon } from "./dom.js";
import { label, moment } from "./labels.js";
import { phone } from "./store.js";

const KEPT = 300;
const entries = [];
let list;
let connected = false;
let only = "all";

/** Draw the panel in the person's language. */
export function renderProduct(pane) {
  pane.setAttribute("aria-label", label("product"));
  const filter = (value, key) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(only === value), onclick: () => choose(pane, value) },
      label(key),
    );
  const live = h("span", { class: connected ? "live" : "live lost" }, label(connected ? "live" : "lost"));
  const clear = h("button", { type: "button", class: "quiet", onclick: () => empty(pane) }, label("clear"));
  list = h("ol", { class: "entries", data: { only } });
  list.append(...entries.map(renderEntry));
  pane.replaceChildren(
    h(
      "div",
      { class: "product-head" },
      h("div", { class: "product-title" }, h("h2", {}, label("product")), live),
      h(
        "div",
        { class: "filters" },
        filter("all", "all"),
        filter("delivery", "deliveries"),
        filter("call", "calls"),
        clear,
      ),
    ),
    list,
  );
  if (!entries.length) list.append(h("li", { class: "quiet-note" }, label("quiet")));
}

function choose(pane, value) {
  only = value;
  renderProduct(pane);
}

function empty(pane) {
  entries.length = 0;
  renderProduct(pane);
}

/** Show whether the stream is connected. */
export function setConnected(pane, value) {
  if (connected === value) return;
  connected = value;
  renderProduct(pane);
}

/** Put a new entry on top. */
export function addEntry(kind, record) {
  const entry = { kind, record };
  entries.unshift(entry);
  list.querySelector(".quiet-note")?.remove();
  list.prepend(renderEntry(entry));
  if (entries.length > KEPT) {
    entries.pop();
    list.lastElementChild.remove();
  }
}

function renderEntry({ kind, record }) {
  const failed = record.status === null || record.status === 0 || record.status >= 300;
  const shown = kind === "call" ? showCall(record) : showDelivery(record);
  return h(
    "li",
    { class: `entry ${kind}${failed ? " failed" : ""}` },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "way" }, icon(kind === "call" ? "out" : "in")),
        h("span", { class: "what" }, shown.what, shown.target ? h("i", {}, ` → ${shown.target}`) : null),
        h("span", { class: "outcome" }, shown.outcome),
        h("span", { class: "more" }, shown.more),
        h("time", { class: "when" }, moment(record.time * 1000, "second")),
      ),
      h("pre", {}, JSON.stringify(shown.details, null, 2)),
    ),
  );
}

function showCall(call) {
  const status = call.status === 0 ? label("lostAnswer") : String(call.status);
  return {
    what: call.method,
    target: call.target,
    outcome: `${status} · ${call.milliseconds.toFixed(1)} ms`,
    more: call.description ?? summary(call.params),
    details: call.params,
  };
}

function showDelivery(delivery) {
  const notes = [];
  if (delivery.attempt > 1) notes.push(label("attempt", { n: delivery.attempt }));
  if (delivery.copy > 1) notes.push(label("copy", { n: delivery.copy }));
  if (delivery.error) notes.push(delivery.error);
  if (!notes.length) notes.push(`@${delivery.bot_username}`);
  return {
    what: delivery.kind,
    target: null,
    outcome: `${delivery.status ?? label("noAnswer")} · ${delivery.milliseconds.toFixed(1)} ms`,
    more: notes.join(" · "),
    details: delivery,
  };
}

/** Say in a line what a call is about. */
function summary(params) {
  const parts = [];
  const keyboard = params.reply_markup?.inline_keyboard;
  if (typeof params.text === "string") parts.push(params.text.replaceAll(/<[^>]*>|\s+/g, " ").trim().slice(0, 80));
  if (params.user_id) parts.push(nameOf(params.user_id));
  if (params.url !== undefined) parts.push(String(params.url));
  if (params.name) parts.push(params.name);
  if (params.language_code) parts.push(params.language_code);
  if (Array.isArray(params.commands)) parts.push(params.commands.map((one) => `/${one.command}`).join(" "));
  if (params.description) parts.push(String(params.description).slice(0, 80));
  if (keyboard) parts.push(label("buttons", { n: keyboard.flat().length }));
  return parts.join(" · ");
}

const nameOf = (id) => phone.people.find((person) => person.id === id)?.first_name ?? String(id);
