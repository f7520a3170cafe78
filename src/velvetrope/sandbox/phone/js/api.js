// Talks to the simulator that served this page.

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.error || `${answer.status}`);
  return content;
}

export const fetchState = () => call("GET", "/control/state");
export const fetchDialogs = (person) => call("GET", `/control/users/${person}/dialogs`);
export const addPerson = (fields) => call("POST", "/control/users", fields);
export const changePerson = (person, fields) => call("PATCH", `/control/users/${person}`, fields);
export const advanceTime = (seconds) => call("POST", "/control/time", { seconds });
export const post = (chat, person, text) =>
  call("POST", `/control/chats/${chat}/posts`, { text, from: person });

/** Do something as a person: messages, callbacks, links, block, unblock, leave, withdraw. */
export const act = (person, what, body) => call("POST", `/control/users/${person}/${what}`, body);

/** Listen to what happens; `on` has call, delivery, change, time and link (true while connected). */
export function watch(on) {
  const source = new EventSource("/control/stream");
  for (const kind of ["call", "delivery", "change", "time"]) {
    source.addEventListener(kind, (event) => on[kind](JSON.parse(event.data)));
  }
  source.addEventListener("open", () => on.link(true));
  source.addEventListener("error", () => on.link(false));
}
