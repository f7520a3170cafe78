// Brings the parts together.
import { watch } from "./api.js";
import { attempt, follow } from "./actions.js";
import { renderChats } from "./chats.js";
import { renderDialog } from "./dialog.js";
import { icon } from "./dom.js";
import { getLanguage, label } from "./labels.js";
import { openPeople, renderPersonButton } from "./people.js";
import { addEntry, renderProduct, setConnected } from "./product.js";
import * as store from "./store.js";
import { openClock, renderClock } from "./time.js";

const at = (id) => document.getElementById(id);
const stage = at("stage");
const dark = matchMedia("(prefers-color-scheme: dark)");
let spoken;

function currentTheme() {
  return localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
}

function renderTheme() {
  const theme = currentTheme();
  document.documentElement.dataset.theme = theme;
  const words = label(theme === "dark" ? "light" : "dark");
  at("theme").setAttribute("aria-label", words);
  at("theme").title = words;
  at("theme").replaceChildren(icon(theme === "dark" ? "sun" : "moon"));
}

function renderProductToggle() {
  const button = at("product-toggle");
  button.setAttribute("aria-label", label("product"));
  button.title = label("product");
  button.setAttribute("aria-expanded", String(productIsOpen()));
  button.replaceChildren(icon("pulse"));
}

const wide = matchMedia("(min-width: 1181px)");
const productIsOpen = () =>
  wide.matches ? stage.dataset.product !== "closed" : stage.dataset.product === "open";

function toggleProduct() {
  stage.dataset.product = productIsOpen() ? "closed" : "open";
  renderProductToggle();
}

function renderWords() {
  if (spoken === getLanguage()) return;
  spoken = getLanguage();
  for (const element of document.querySelectorAll("[data-label]")) {
    element.textContent = label(element.dataset.label);
  }
  document.title = label("banner");
  renderTheme();
  renderProductToggle();
  renderProduct(at("product"));
}

function render(phone) {
  renderWords();
  stage.dataset.pane = phone.open === null ? "list" : "dialog";
  renderPersonButton(at("person"));
  renderClock(at("time"));
  renderChats(at("chats"));
  renderDialog(at("dialog"));
}

async function begin() {
  const place = new URLSearchParams(location.hash.slice(1));
  await store.refreshState();
  const wanted = Number(place.get("person") ?? localStorage.getItem("person"));
  const people = store.phone.people;
  const first = people.find((person) => person.id === wanted) ?? people[0];
  if (first) await store.choosePerson(first.id);
  if (first && place.has("follow")) await follow(place.get("follow"));
  else if (place.has("chat")) store.openById(Number(place.get("chat")));
  else if (innerWidth > 760 && store.phone.dialogs.length) store.openById(store.phone.dialogs[0].id);
}

const isShown = (id) => id <= 0 || id === store.phone.person?.id;

at("theme").addEventListener("click", () => {
  localStorage.setItem("theme", currentTheme() === "dark" ? "light" : "dark");
  renderTheme();
});
dark.addEventListener("change", renderTheme);
wide.addEventListener("change", renderProductToggle);
at("product-toggle").addEventListener("click", toggleProduct);
at("person").addEventListener("click", openPeople);
at("time").addEventListener("click", () => openClock(at("time")));
store.onChange(render);
renderWords();
renderTheme();
setInterval(() => renderClock(at("time")), 10_000);
watch({
  call: (record) => addEntry("call", record),
  delivery: (record) => addEntry("delivery", record),
  change: (ids) =>
    attempt(async () => {
      const strangers = ids.some((id) => id === 0 || !store.phone.people.some((p) => p.id === id));
      if (strangers) await store.refreshState();
      if (!store.phone.person && store.phone.people.length) await begin();
      else if (ids.some(isShown)) await store.refreshDialogs();
    }),
  time: (offset) => store.setOffset(offset),
  link: (value) => setConnected(at("product"), value),
});
attempt(begin);
