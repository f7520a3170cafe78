// What the person does with the phone.
import { act, post } from "./api.js";
import { alertBox, toast } from "./dom.js";
import { label } from "./labels.js";
import { openSheet } from "./sheet.js";
import { openById, phone, refreshDialogs } from "./store.js";

/** Run `work` and show what goes wrong. */
export async function attempt(work) {
  try {
    await work();
  } catch (error) {
    toast(error.message, true);
  }
}

/** Send a message, or post in a chat. */
export function say(dialog, text) {
  return attempt(async () => {
    if (dialog.kind === "bot") await act(phone.person.id, "messages", { bot: dialog.bot, text });
    else await post(dialog.chat, phone.person.id, escape(text));
    await refreshDialogs();
  });
}

const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Press a button under a message and show the bot's answer. */
export function pressKey(dialog, message, button) {
  return attempt(async () => {
    const body = { bot: dialog.bot, message_id: message.id, data: button.callback_data, wait: 10 };
    const answer = await act(phone.person.id, "callbacks", body);
    await refreshDialogs();
    if (!answer.answered) toast(label("noReply"));
    if (answer.url) await follow(answer.url);
    if (answer.text && answer.alert) alertBox(answer.text, label("ok"));
    else if (answer.text) toast(answer.text);
  });
}

/** Follow a link: into a chat or to a bot here, to Checkout in a sheet, elsewhere in a new tab. */
export function follow(url) {
  return attempt(async () => {
    const host = new URL(url, "https://t.me/").hostname;
    if (host === "t.me" || host === "telegram.me" || url.startsWith("t.me/")) {
      await followHere(url);
    } else if (phone.stripe && url.startsWith(`${phone.stripe}/`)) {
      openSheet(url, follow);
    } else {
      window.open(url, "_blank", "noopener,noreferrer");
    }
  });
}

async function followHere(url) {
  const before = phone.open;
  const answer = await act(phone.person.id, "links", { url, look: true });
  await refreshDialogs();
  if (answer.outcome === "expired") toast(label("linkExpired"), true);
  const dialog = phone.dialogs.find((d) =>
    answer.bot === null ? d.chat === answer.chat : d.bot === answer.bot,
  );
  // A slow answer doesn't pull a person out of where they have gone meanwhile.
  if (dialog && phone.open === before) openById(dialog.id);
}

/** Block a bot or lift the block. */
export function setBlocked(dialog, blocked) {
  return attempt(async () => {
    await act(phone.person.id, blocked ? "block" : "unblock", { bot: dialog.bot });
    await refreshDialogs();
  });
}

/** Leave a channel or group. */
export function leaveChat(dialog) {
  return attempt(async () => {
    await act(phone.person.id, "leave", { chat: dialog.chat });
    await refreshDialogs();
  });
}
