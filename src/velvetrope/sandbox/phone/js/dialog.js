// The open conversation: head, messages, and what stands below them.
import { follow, leaveChat, pressKey, say, setBlocked } from "./actions.js";
import { avatar, h, icon, openMenu } from "./dom.js";
import { renderDoor } from "./door.js";
import { describeService, getLanguage, label, moment } from "./labels.js";
import { now, openById, openDialog, phone } from "./store.js";
import { renderText } from "./text.js";
import { createWriter } from "./writer.js";

let shownId;
let shownWay;
let wall;
let head;
let foot;
const drawn = new Map();

/** Draw the open dialogue into its pane, keeping what hasn't changed. */
export function renderDialog(pane) {
  const dialog = openDialog();
  const who = `${phone.person?.id}:${getLanguage()}`;
  const way = dialog ? `${who}:${wayOf(dialog)}` : who;
  if (!dialog) {
    shownId = undefined;
    pane.replaceChildren(
      h("div", { class: "wall" }, h("div", { class: "wall-inner" }, h("p", { class: "empty" }, label("choose")))),
    );
    return;
  }
  if (shownId !== dialog.id || shownWay !== way) {
    build(pane, dialog);
    shownId = dialog.id;
    shownWay = way;
  }
  renderHead(dialog);
  renderWall(dialog);
  foot.update?.(dialog);
}

/** What the lower part of the pane must offer: another value means that it is built anew. */
function wayOf(dialog) {
  if (dialog.kind === "bot") return `bot:${dialog.started}:${dialog.blocked}`;
  return `room:${dialog.is_in}:${dialog.may_post}`;
}

function build(pane, dialog) {
  const sameDialog = shownId === dialog.id;
  drawn.clear();
  head = h("header", { class: "dialog-head" });
  wall = h("div", { class: "wall", role: "log", "aria-label": dialog.title, tabIndex: 0 });
  wall.append(h("div", { class: "wall-inner" }));
  foot = buildFoot(dialog);
  pane.replaceChildren(head, wall, foot.element);
  if (!sameDialog || foot.wantsFocus) foot.focus?.();
}

function buildFoot(dialog) {
  const container = (...parts) => h("footer", { class: "foot" }, ...parts);
  const action = (text, run) =>
    container(h("div", { class: "foot-action" }, h("button", { type: "button", class: "primary", onclick: run }, text)));
  if (dialog.kind === "bot") {
    if (dialog.blocked) return { element: action(label("restart"), () => restart(dialog)) };
    if (!dialog.started) return { element: action(label("start"), () => say(dialog, "/start")) };
    return createWriter(dialog, label("message"), (text) => say(openDialog(), text));
  }
  if (!dialog.is_in) return { element: h("footer", { hidden: true }) };
  if (!dialog.may_post) {
    return { element: container(h("p", { class: "foot-note" }, label("onlyAdmins"))) };
  }
  const words = label(dialog.kind === "channel" ? "broadcast" : "message");
  return createWriter(dialog, words, (text) => say(openDialog(), text));
}

async function restart(dialog) {
  await setBlocked(dialog, false);
  await say(dialog, "/start");
}

function renderHead(dialog) {
  const menu = h(
    "button",
    {
      type: "button",
      class: "round",
      "aria-label": label("options"),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: () => openMenu(menu, menuOf(openDialog())),
    },
    icon("menu"),
  );
  const signature = JSON.stringify([dialog.title, subtitle(dialog), dialog.blocked, dialog.is_in]);
  if (head.dataset.signature === signature) return;
  head.dataset.signature = signature;
  head.replaceChildren(
    h(
      "button",
      { type: "button", class: "round back", "aria-label": label("back"), onclick: () => openById(null) },
      icon("back"),
    ),
    avatar(dialog.title),
    h(
      "div",
      { class: "dialog-name" },
      h("h1", {}, dialog.title),
      h("p", { class: dialog.typing ? "typing" : "" }, subtitle(dialog)),
    ),
    menuOf(dialog).length ? menu : "",
  );
}

function subtitle(dialog) {
  if (dialog.typing) return label("typing");
  if (dialog.kind === "bot") return `${label("bot")} · @${dialog.bot}`;
  if (!dialog.is_in) return label(dialog.kind === "channel" ? "privateChannel" : "privateGroup");
  return label(dialog.kind === "channel" ? "subscribers" : "members", { n: dialog.member_count });
}

function menuOf(dialog) {
  if (dialog.kind === "bot") {
    const text = label(dialog.blocked ? "unblock" : "block");
    const run = () => setBlocked(dialog, !dialog.blocked);
    return [{ text, icon: dialog.blocked ? "check" : "lock", danger: !dialog.blocked, run }];
  }
  if (!dialog.is_in) return [];
  const text = label(dialog.kind === "channel" ? "leaveChannel" : "leaveGroup");
  return [{ text, icon: "close", danger: true, run: () => leaveChat(dialog) }];
}

function renderWall(dialog) {
  const inner = wall.firstChild;
  const atEnd = wall.scrollHeight - wall.scrollTop - wall.clientHeight < 80;
  const before = drawn.size;
  const wanted = dialog.kind !== "bot" && !dialog.is_in ? doorRows(dialog) : messageRows(dialog);
  const keep = new Set(wanted.map((row) => row.key));
  for (const [key, row] of drawn) {
    if (!keep.has(key)) {
      row.element.remove();
      drawn.delete(key);
    }
  }
  wanted.forEach((row, place) => {
    let known = drawn.get(row.key);
    if (!known || known.signature !== row.signature) {
      const element = row.draw();
      known?.element.replaceWith(element);
      known = { element, signature: row.signature };
      drawn.set(row.key, known);
    }
    if (inner.children[place] !== known.element) inner.insertBefore(known.element, inner.children[place] ?? null);
  });
  if (atEnd || before === 0) wall.scrollTop = wall.scrollHeight;
}

function doorRows(dialog) {
  const signature = JSON.stringify([dialog, getLanguage()]);
  return [{ key: "door", signature, draw: () => renderDoor(dialog) }];
}

function messageRows(dialog) {
  if (!dialog.messages.length) {
    const signature = `${dialog.description}`;
    return [{ key: "empty", signature, draw: () => renderEmpty(dialog) }];
  }
  const rows = [];
  let day;
  dialog.messages.forEach((message, place) => {
    const thisDay = dayOf(message.date * 1000);
    if (thisDay !== day) {
      day = thisDay;
      const draw = () => h("p", { class: "day" }, thisDay);
      rows.push({ key: `day:${thisDay}`, signature: thisDay, draw });
    }
    const joins = (other) => other && other.from_id === message.from_id && !other.service;
    const shape = {
      first: !joins(dialog.messages[place - 1]),
      last: !joins(dialog.messages[place + 1]),
    };
    const signature = JSON.stringify([message, shape]);
    rows.push({ key: `m:${message.id}`, signature, draw: () => renderMessage(dialog, message, shape) });
  });
  return rows;
}

function dayOf(at) {
  const days = (when) => new Date(when).toDateString();
  if (days(at) === days(now())) return label("today");
  if (days(at) === days(now() - 86_400_000)) return label("yesterday");
  return moment(at, "day");
}

function renderEmpty(dialog) {
  if (dialog.kind === "bot" && dialog.description) {
    return h("div", { class: "about" }, h("h2", {}, label("whatCanDo")), h("p", {}, dialog.description));
  }
  return h("p", { class: "empty" }, label(dialog.kind === "channel" ? "noPosts" : "noMessages"));
}

function renderMessage(dialog, message, shape) {
  const mine = message.from === "me";
  if (message.service) return h("p", { class: "service" }, describeService(message));
  const actions = { follow, say: (text) => say(openDialog(), text) };
  const group = dialog.kind === "supergroup" || dialog.kind === "group";
  const stamp = moment(message.date * 1000, "time");
  const classes = ["message", mine && "mine", shape.first && "first", shape.last && "last"];
  return h(
    "article",
    { class: classes.filter(Boolean).join(" "), data: { message: String(message.id) } },
    h(
      "div",
      { class: "bubble" },
      group && !mine && shape.first ? h("div", { class: "author" }, message.from) : null,
      renderText(message.text, message.entities, actions),
      h("span", { class: "stamp" }, message.edited ? `${label("edited")} ${stamp}` : stamp),
    ),
    message.keyboard.length ? renderKeyboard(dialog, message) : null,
  );
}

function renderKeyboard(dialog, message) {
  const rows = message.keyboard.map((row) =>
    h("div", {}, ...row.map((button) => renderKey(dialog, message, button))),
  );
  return h("div", { class: "keys" }, ...rows);
}

function renderKey(dialog, message, button) {
  const run = async (event) => {
    const key = event.currentTarget;
    if (button.url) {
      await follow(button.url);
    } else if (button.copy_text) {
      await navigator.clipboard.writeText(button.copy_text.text);
    } else if (key.getAttribute("aria-busy") !== "true") {
      key.setAttribute("aria-busy", "true");
      await pressKey(dialog, message, button);
      key.removeAttribute("aria-busy");
    }
  };
  return h(
    "button",
    { type: "button", class: "key", title: button.url, onclick: run },
    button.text,
    button.url ? icon("out") : null,
  );
}
