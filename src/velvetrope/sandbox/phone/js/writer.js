// The line to write in, with the bot's commands.
import { h, icon } from "./dom.js";
import { label } from "./labels.js";

/** Make the footer with a text field; `send` gets what was written. */
export function createWriter(dialog, placeholder, send) {
  let commands = dialog.commands ?? [];
  let chosen = 0;
  const list = h("ul", { class: "commands", role: "listbox", id: "commands", hidden: true });
  list.setAttribute("aria-label", label("commands"));
  const field = h("textarea", { rows: 1, placeholder, maxLength: 4096, "aria-label": placeholder });
  const button = h(
    "button",
    { type: "submit", class: "round send", "aria-label": label("send"), disabled: true },
    icon("send"),
  );
  const slash = h(
    "button",
    {
      type: "button",
      class: "round slash",
      "aria-label": label("commands"),
      "aria-controls": "commands",
      onclick: () => {
        field.value = list.hidden ? "/" : "";
        field.focus();
        refresh();
      },
    },
    "/",
  );

  function matching() {
    if (!/^\/\w*$/.test(field.value)) return [];
    return commands.filter((one) => `/${one.command}`.startsWith(field.value.toLowerCase()));
  }

  function refresh() {
    const found = matching();
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.hidden = !found.length;
    slash.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(
      ...found.map((one, place) =>
        h(
          "li",
          { role: "option", "aria-selected": String(place === chosen), onclick: () => submit(`/${one.command}`) },
          h("b", {}, `/${one.command}`),
          h("span", {}, one.description),
        ),
      ),
    );
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    button.disabled = !field.value.trim();
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  function submit(text) {
    if (!text.trim()) return;
    field.value = "";
    chosen = 0;
    refresh();
    field.focus();
    send(text.trim());
  }

  field.addEventListener("input", refresh);
  field.addEventListener("keydown", (event) => {
    const found = matching();
    if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      refresh();
    } else if (event.key === "Escape" && !list.hidden) {
      field.value = "";
      refresh();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      submit(found.length ? `/${found[chosen].command}` : field.value);
    } else {
      return;
    }
    event.preventDefault();
  });
  const form = h("form", { class: "writer" }, commands.length || dialog.kind === "bot" ? slash : null, field, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(field.value);
  });
  return {
    element: h("footer", { class: "foot" }, list, form),
    wantsFocus: true,
    focus: () => {
      if (matchMedia("(hover: hover)").matches) field.focus();
    },
    update: (changed) => {
      commands = changed.commands ?? [];
    },
  };
}
