// The closed door of a chat: its preview, and how the request to enter stands.
import { act } from "./api.js";
import { attempt } from "./actions.js";
import { avatar, h, icon, toast } from "./dom.js";
import { label } from "./labels.js";
import { phone, refreshDialogs } from "./store.js";

const REFUSALS = { expired: "linkExpired", full: "linkFull", banned: "banned" };

/** Draw the preview of a chat that the person isn't in. */
export function renderDoor(dialog) {
  return h(
    "div",
    { class: "door" },
    h("div", { class: "lock" }, avatar(dialog.title, "large"), icon("lock")),
    h("h2", {}, dialog.title),
    h("p", {}, label(dialog.kind === "channel" ? "subscribers" : "members", { n: dialog.member_count })),
    ...renderState(dialog),
  );
}

function renderState(dialog) {
  const state = (text, name, bad = false) =>
    h("p", { class: bad ? "state bad" : "state", role: "status" }, icon(name), text);
  const knockButton = h(
    "button",
    { type: "button", class: "primary", onclick: () => attempt(() => knock(dialog)) },
    label(dialog.asks_approval ? "askToJoin" : "join"),
  );
  if (dialog.deleted) return [state(label("gone"), "close", true)];
  if (dialog.request === "pending") {
    return [
      state(label("requestSent"), "clock"),
      h("p", {}, label("requestWaits")),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => attempt(() => withdraw(dialog)) },
        label("withdraw"),
      ),
    ];
  }
  const parts = [];
  if (dialog.status === "kicked") parts.push(state(label("banned"), "lock", true));
  else if (dialog.request === "declined") parts.push(state(label("requestDeclined"), "close", true));
  else if (dialog.request === "approved") parts.push(state(label("outNow"), "lock"));
  if (!dialog.link) return [...parts, h("p", {}, label("noLink"))];
  return [...parts, h("p", {}, label(dialog.asks_approval ? "adminsApprove" : "anyoneJoins")), knockButton];
}

async function knock(dialog) {
  const { outcome } = await act(phone.person.id, "links", { url: dialog.link });
  if (outcome in REFUSALS) toast(label(REFUSALS[outcome]), true);
  await refreshDialogs();
}

async function withdraw(dialog) {
  await act(phone.person.id, "withdraw", { chat: dialog.chat });
  await refreshDialogs();
}
