// What the phone knows: whose it is, their dialogues, the time; views subscribe to changes.
import * as api from "./api.js";
import { setLanguage } from "./labels.js";

export const phone = {
  people: [],
  chats: [],
  person: null,
  dialogs: [],
  open: null,
  offset: 0,
  stripe: null,
  seen: JSON.parse(sessionStorage.getItem("seen") ?? "{}"),
};

const watchers = new Set();

/** Call `view` after each change. */
export function onChange(view) {
  watchers.add(view);
}

function tell() {
  for (const view of watchers) view(phone);
}

/** The sandbox's time in milliseconds. */
export const now = () => Date.now() + phone.offset * 1000;

/** The dialogue that is open, or null. */
export const openDialog = () => phone.dialogs.find((d) => d.id === phone.open) ?? null;

/** Read people and the time again. */
export async function refreshState() {
  const state = await api.fetchState();
  Object.assign(phone, { people: state.users, chats: state.chats, offset: state.offset });
  phone.stripe = state.stripe;
  const kept = phone.people.find((person) => person.id === phone.person?.id);
  if (kept) usePerson(kept);
  tell();
}

function usePerson(person) {
  phone.person = person;
  setLanguage(person.language_code);
}

/** Take the phone of another person. */
export async function choosePerson(id) {
  const person = phone.people.find((one) => one.id === id);
  if (!person) return;
  if (phone.person?.id !== id) Object.assign(phone, { dialogs: [], open: null });
  usePerson(person);
  await refreshDialogs();
}

let reading = null;
let again = false;
let typing;

/** How long «typing…» may stand, in milliseconds. */
const TYPING = 5200;

/** Read the dialogues again; calls that come meanwhile wait for one more reading. */
export function refreshDialogs() {
  if (!phone.person) return Promise.resolve();
  again = true;
  reading ??= readDialogs();
  return reading;
}

async function readDialogs() {
  try {
    while (again) {
      again = false;
      const id = phone.person.id;
      const dialogs = await api.fetchDialogs(id);
      if (phone.person.id !== id) {
        again = true;
        continue;
      }
      phone.dialogs = dialogs;
      for (const dialog of dialogs) if (dialog.id === phone.open) markSeen(dialog);
      clearTimeout(typing);
      if (dialogs.some((dialog) => dialog.typing)) typing = setTimeout(refreshDialogs, TYPING);
      tell();
    }
  } finally {
    reading = null;
  }
}

const seenKey = (dialog) => `${phone.person.id}:${dialog.id}`;

function markSeen(dialog) {
  phone.seen[seenKey(dialog)] = lastId(dialog);
  sessionStorage.setItem("seen", JSON.stringify(phone.seen));
}

const lastId = (dialog) => dialog.messages.at(-1)?.id ?? 0;

/** How many messages of a dialogue came since it was last open. */
export function countUnread(dialog) {
  let seen = phone.seen[seenKey(dialog)] ?? 0;
  // A sandbox that was started anew counts from 1 again.
  if (seen > lastId(dialog)) seen = 0;
  return dialog.messages.filter((m) => m.id > seen && m.from !== "me" && !m.service).length;
}

/** Open a dialogue by its id, or none. */
export function openById(id) {
  phone.open = id;
  const dialog = openDialog();
  if (dialog) markSeen(dialog);
  rememberPlace();
  tell();
}

/** Keep person and dialogue in the address, so that a reload comes back to them. */
export function rememberPlace() {
  const place = new URLSearchParams();
  if (phone.person) place.set("person", phone.person.id);
  if (phone.open !== null) place.set("chat", phone.open);
  history.replaceState(null, "", `#${place}`);
  if (phone.person) localStorage.setItem("person", phone.person.id);
}

/** Take over that the time was moved. */
export function setOffset(offset) {
  phone.offset = offset;
  tell();
}
