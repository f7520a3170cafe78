// The list of chats on the left.
import { avatar, h, icon } from "./dom.js";
import { describeService, label, moment } from "./labels.js";
import { countUnread, now, openById, phone } from "./store.js";

const KIND_ICONS = { bot: "bot", channel: "channel", supergroup: "group", group: "group" };

/** Draw the list into its pane. */
export function renderChats(pane) {
  const focused = pane.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const sorted = [...phone.dialogs].sort((a, b) => lastDate(b) - lastDate(a));
  pane.setAttribute("aria-label", label("chats"));
  pane.replaceChildren(
    h("h2", {}, label("chats")),
    sorted.length
      ? h("ul", {}, ...sorted.map((dialog) => h("li", {}, renderChat(dialog))))
      : h("p", { class: "nobody" }, label("noBots")),
  );
  if (focused) pane.querySelector(`[data-id="${focused}"]`)?.focus();
}

const lastDate = (dialog) => dialog.messages.at(-1)?.date ?? 0;

function renderChat(dialog) {
  const last = dialog.messages.at(-1);
  const unread = countUnread(dialog);
  return h(
    "button",
    {
      type: "button",
      class: "chat",
      data: { id: String(dialog.id) },
      "aria-current": dialog.id === phone.open ? "true" : null,
      onclick: () => openById(dialog.id),
    },
    avatar(dialog.title),
    h(
      "span",
      { class: "chat-text" },
      h(
        "span",
        { class: "chat-top" },
        h("span", { class: "chat-title" }, icon(KIND_ICONS[dialog.kind]), h("span", {}, dialog.title)),
        last ? h("time", { class: "chat-time" }, shortTime(last.date * 1000)) : null,
      ),
      h(
        "span",
        { class: "chat-bottom" },
        h("span", { class: "chat-last" }, preview(dialog, last)),
        unread
          ? h("span", { class: "badge", "aria-label": label("unread", { n: unread }) }, String(unread))
          : null,
      ),
    ),
  );
}

function shortTime(at) {
  return at > now() - 20 * 3600 * 1000 ? moment(at, "time") : moment(at, "short");
}

function preview(dialog, last) {
  if (dialog.typing) return label("typing");
  if (dialog.kind !== "bot" && !dialog.is_in) {
    if (dialog.request === "pending") return label("requestSent");
    if (dialog.request === "declined") return label("requestDeclined");
    return label(dialog.kind === "channel" ? "privateChannel" : "privateGroup");
  }
  if (!last) return dialog.short_description || label(dialog.kind === "bot" ? "start" : "noPosts");
  if (last.service) return describeService(last);
  const text = last.text.replaceAll(/\s+/g, " ");
  return last.from === "me" ? `${label("you")}: ${text}` : text;
}
