// Shows a page of the Stripe simulator over the phone, as an in-app browser would.
import { h, icon, openModal } from "./dom.js";
import { label } from "./labels.js";

/** Open `url` in a sheet; when the page is done it names the address to go on to. */
export function openSheet(url, follow) {
  const { host } = new URL(url);
  const dialog = h("dialog", { class: "page", "aria-label": host });
  const frame = h("iframe", { src: url, title: host });
  const back = (event) => {
    if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
    if (event.data?.type !== "sandbox:return") return;
    dialog.close();
    if (typeof event.data.url === "string") follow(event.data.url);
  };
  const close = h(
    "button",
    { type: "button", class: "round", "aria-label": label("close"), onclick: () => dialog.close() },
    icon("close"),
  );
  const tab = h(
    "a",
    {
      class: "round",
      href: url,
      target: "_blank",
      rel: "noopener",
      "aria-label": label("newTab"),
      title: label("newTab"),
    },
    icon("tab"),
  );
  dialog.append(
    h("div", { class: "sheet-head" }, h("p", {}, url), tab, close),
    frame,
  );
  window.addEventListener("message", back);
  dialog.addEventListener("close", () => window.removeEventListener("message", back));
  openModal(dialog);
}
