// Builds elements without ever reading text as HTML.

/** Make an element: properties that start with "on" are listeners, `data` and aria-… attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "true" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An icon of the page's own set. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A round sign with the initials of a name, in a colour that stays with it. */
export function avatar(name, size = "") {
  const words = name.trim().split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.slice(0, 2).map((word) => word.match(/[\p{L}\p{N}]/u)[0]);
  const tint = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7);
  return h(
    "span",
    { class: `avatar ${size}`, "aria-hidden": "true", data: { tint: String(tint % 6) } },
    letters.join("").toUpperCase() || "?",
  );
}

/** Show a short notice at the bottom for a few seconds. */
export function toast(text, bad = false) {
  const note = h("div", { class: bad ? "toast bad" : "toast" }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 4500);
}

/** Open a modal dialogue and take it out of the page when it closes. */
export function openModal(dialog) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Show a notice that waits to be read. */
export function alertBox(text, button) {
  const dialog = h("dialog", { class: "alert" });
  dialog.append(
    h("p", {}, text),
    h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, button),
  );
  openModal(dialog);
}

let opened = null;

/** Open a menu under a button, or close it; `items` are {text, icon, danger, run} or {hint}. */
export function openMenu(anchor, items) {
  const wasOpen = opened?.anchor === anchor;
  opened?.close();
  if (wasOpen) return;
  const menu = h("div", { class: "menu", role: "menu" });
  const close = () => {
    opened = null;
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (event) => {
    if (!menu.contains(event.target) && !anchor.contains(event.target)) close();
  };
  for (const item of items) {
    if (item.hint) {
      menu.append(h("p", { class: "hint" }, item.hint));
      continue;
    }
    const run = () => {
      close();
      anchor.focus();
      item.run();
    };
    menu.append(
      h(
        "button",
        { type: "button", role: "menuitem", class: item.danger ? "danger" : "", onclick: run },
        icon(item.icon),
        item.text,
      ),
    );
  }
  menu.addEventListener("keydown", (event) => {
    const buttons = [...menu.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Escape" || event.key === "Tab") {
      close();
      anchor.focus();
    } else if (event.key === "ArrowDown") buttons[(at + 1) % buttons.length].focus();
    else if (event.key === "ArrowUp") buttons[(at + buttons.length - 1) % buttons.length].focus();
    else return;
    event.preventDefault();
  });
  opened = { anchor, close };
  document.body.append(menu);
  const place = anchor.getBoundingClientRect();
  const left = Math.min(place.left, window.innerWidth - menu.offsetWidth - 10);
  menu.style.left = `${Math.max(10, left)}px`;
  menu.style.top = `${place.bottom + 6}px`;
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  menu.querySelector("button")?.focus();
}
