// Whose phone this is, and how to take another one.
import { addPerson, changePerson } from "./api.js";
import { attempt } from "./actions.js";
import { avatar, h, icon, openModal } from "./dom.js";
import { getLanguage, label, LANGUAGES } from "./labels.js";
import { choosePerson, phone, refreshState, rememberPlace } from "./store.js";

const code = (person) => (person.language_code || "en").slice(0, 2);

/** Draw the button that names the person. */
export function renderPersonButton(button) {
  const person = phone.person;
  button.setAttribute("aria-label", `${label("person")}: ${person?.first_name ?? ""}`);
  button.title = label("person");
  if (!person) return;
  button.replaceChildren(
    avatar(person.first_name, "small"),
    h("b", {}, person.first_name),
    h("span", { class: "code" }, code(person)),
    icon("chevron"),
  );
}

/** Open the list of people with a form for a new one. */
export function openPeople() {
  const dialog = h("dialog", { class: "people", "aria-labelledby": "people-title" });
  const choose = (id) =>
    attempt(async () => {
      dialog.close();
      await choosePerson(id);
      rememberPlace();
    });
  const rows = phone.people.map((person) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "aria-current": person.id === phone.person?.id ? "true" : null,
          onclick: () => choose(person.id),
        },
        avatar(person.first_name),
        h("span", {}, person.first_name),
        h("span", { class: "code" }, code(person)),
      ),
    ),
  );
  const close = h(
    "button",
    { type: "button", class: "round", "aria-label": label("close"), onclick: () => dialog.close() },
    icon("close"),
  );
  dialog.append(
    h("div", { class: "sheet-head" }, h("h2", { id: "people-title" }, label("person")), close),
    h("ul", {}, ...rows),
    newPersonForm(choose),
  );
  if (phone.person) dialog.append(languageForm());
  openModal(dialog);
}

function languageSelect(chosen) {
  const options = Object.entries(LANGUAGES).map(([value, name]) =>
    h("option", { value, selected: value === chosen }, name),
  );
  return h("select", { name: "language", "aria-label": label("language") }, ...options);
}

function newPersonForm(choose) {
  const name = h("input", { name: "name", required: true, maxLength: 64, autocomplete: "off" });
  const language = languageSelect(getLanguage());
  const form = h(
    "form",
    {},
    h("h3", {}, label("newPerson")),
    h("label", {}, label("name"), name),
    h("label", {}, label("language"), language),
    h("button", { type: "submit", class: "primary" }, icon("plus"), label("create")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const fields = { first_name: name.value.trim(), language_code: language.value };
      const person = await addPerson(fields);
      await refreshState();
      await choose(person.id);
    });
  });
  return form;
}

function languageForm() {
  const select = languageSelect(getLanguage());
  select.addEventListener("change", () =>
    attempt(async () => {
      await changePerson(phone.person.id, { language_code: select.value });
      await refreshState();
      select.closest("dialog").close();
      openPeople();
    }),
  );
  return h("form", {}, h("label", {}, `${phone.person.first_name}: ${label("language")}`, select));
}
