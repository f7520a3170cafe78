// Turns a message's text and entities into elements; nothing in a message is ever read as HTML.
import { h } from "./dom.js";

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

/** Render `text` with `entities` (offsets in UTF-16 units, as JavaScript counts too). */
export function renderText(text, entities, actions) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return h("div", { class: "text", dir: "auto" }, ...stretch(text, 0, text.length, sorted, actions));
}

function stretch(text, start, end, entities, actions) {
  const parts = [];
  let at = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset > at) parts.push(text.slice(at, entity.offset));
    const inner = others.filter((other) => other.offset < stop);
    const content = stretch(text, Math.max(at, entity.offset), stop, inner, actions);
    parts.push(wrap(entity, content, text.slice(entity.offset, stop), actions));
    rest = others.filter((other) => other.offset >= stop);
    at = stop;
  }
  if (at < end) parts.push(text.slice(at, end));
  return parts;
}

function wrap(entity, content, raw, actions) {
  if (entity.type in TAGS) return h(TAGS[entity.type], {}, ...content);
  if (entity.type === "spoiler") {
    const reveal = (event) => event.currentTarget.classList.add("shown");
    return h("span", { class: "spoiler", onclick: reveal }, ...content);
  }
  if (entity.type === "bot_command") {
    const send = () => actions.say(raw);
    return h("button", { type: "button", class: "command", onclick: send }, ...content);
  }
  const url = entity.type === "text_link" ? entity.url : entity.type === "url" ? raw : null;
  if (url === null || !isSafe(url)) return h("span", {}, ...content);
  const follow = (event) => {
    event.preventDefault();
    actions.follow(url);
  };
  return h("a", { href: url, rel: "noopener noreferrer", onclick: follow }, ...content);
}

/** Whether an address may stand in a link of this page. */
export function isSafe(url) {
  try {
    return ["http:", "https:"].includes(new URL(url, "https://t.me/").protocol);
  } catch {
    return false;
  }
}
